"""The log, its strands, accounts and balances."""

from alembic import op

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE books.strands (
  strand int PRIMARY KEY,
  length bigint NOT NULL,
  head bytea NOT NULL,
  recorded_at timestamptz NOT NULL
) WITH (fillfactor = 10);
INSERT INTO books.strands SELECT n, 0, sha256(convert_to('junbikin strand ' || n, 'UTF8')), '2000-01-01T00:00:00Z' FROM generate_series(0, 15) n;

CREATE SEQUENCE books.record_numbers;
CREATE TABLE books.records (
  id bigint PRIMARY KEY,
  strand int NOT NULL,
  link bigint NOT NULL,
  kind text NOT NULL,
  subject text,
  key text NOT NULL,
  effective_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  recorded_by text NOT NULL,
  why text NOT NULL,
  request bigint,
  content text NOT NULL,
  accounts bigint[],
  amounts numeric[],
  entries_digest bytea,
  previous bytea NOT NULL,
  digest bytea NOT NULL,
  UNIQUE (kind, key),
  UNIQUE (strand, link)
);
ALTER TABLE books.records ALTER accounts SET STORAGE EXTERNAL, ALTER amounts SET STORAGE EXTERNAL;
CREATE INDEX records_by_subject ON books.records (kind, subject, effective_at, recorded_at) WHERE subject IS NOT NULL;

CREATE SEQUENCE books.account_numbers;
CREATE TABLE books.accounts (
  id bigint PRIMARY KEY,
  record bigint NOT NULL REFERENCES books.records,
  code text NOT NULL UNIQUE,
  owner text NOT NULL,
  asset text NOT NULL,
  place text NOT NULL,
  holder text,
  may_overdraw boolean NOT NULL,
  status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'frozen', 'closed')),
  lanes int NOT NULL DEFAULT 1
);
CREATE INDEX accounts_by_owner ON books.accounts (owner, asset);

CREATE TABLE books.balances (
  account bigint NOT NULL,
  lane int NOT NULL,
  recorded_at timestamptz NOT NULL,
  effective_at timestamptz NOT NULL,
  record bigint NOT NULL,
  amount numeric NOT NULL,
  balance numeric NOT NULL,
  PRIMARY KEY (account, lane, recorded_at)
);

CREATE TYPE books.head AS (total numeric, latest timestamptz, lane int, held numeric);

CREATE TYPE books.side AS (owner text, asset text, scope text, amount numeric, pays boolean, gets boolean);

CREATE TABLE books.owners (
  owner text PRIMARY KEY,
  may_overdraw boolean NOT NULL,
  ja text NOT NULL
);
CREATE TABLE books.flow_rules (
  purpose text NOT NULL,
  payer text NOT NULL,
  receiver text NOT NULL,
  scope text NOT NULL CHECK (scope IN ('held', 'booked')),
  made_by text[] NOT NULL,
  approved_by text[] NOT NULL,
  needs text[] NOT NULL,
  en text NOT NULL,
  ja text NOT NULL,
  PRIMARY KEY (purpose, payer, receiver, scope)
);
CREATE TABLE books.actions (
  action text PRIMARY KEY,
  made_by text[] NOT NULL,
  approved_by text[] NOT NULL,
  en text NOT NULL,
  ja text NOT NULL
);
"""


def upgrade() -> None:
    """Makes the tables."""
    op.execute(TABLES)
