"""Who may do what to the books: the application's role calls the functions meant for it, and nobody changes the past."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from junbikin.books import migrate
from junbikin.books.database import Books
from junbikin.books.journal import account_numbers
from junbikin.books.schema import metadata

from .cast import Cast, assembled
from .straight import Entries, Straight, saying, straight

TABLES = [*(table.fullname for table in metadata.sorted_tables), "books.alembic_version"]
ENTRANCES = {
    "post", "request", "decide", "open_accounts", "freeze", "put_on_record", "treat_break", "tell_incident", "freeze_asset",
    "file_dispute", "entitle", "pay_out", "record_result", "found_person", "change_secret", "balance",
    "batch_digest", "batch_digest_hex", "record_digest", "entries_digest", "instant",
}  # fmt: skip
"""The functions that the application's role may call: whatever is added here is attacked by the tests of its kind."""

TO_A_TABLE = """
INSERT INTO {0} SELECT * FROM {0}
UPDATE {0} SET {1} = {1}
DELETE FROM {0}
TRUNCATE {0} CASCADE
SELECT * FROM {0} FOR UPDATE
LOCK TABLE {0} IN SHARE ROW EXCLUSIVE MODE
ALTER TABLE {0} DISABLE TRIGGER ALL
ALTER TABLE {0} ADD COLUMN more text
ALTER TABLE {0} OWNER TO CURRENT_USER
DROP TABLE {0} CASCADE
CREATE INDEX ON {0} ({1})
CREATE RULE quiet AS ON INSERT TO {0} DO INSTEAD NOTHING
CREATE TRIGGER mine BEFORE INSERT ON {0} EXECUTE FUNCTION pg_catalog.suppress_redundant_updates_trigger()
MERGE INTO {0} t USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE
"""
TO_THE_REST = """
CREATE TABLE books.mine (a int)
CREATE VIEW books.mine AS SELECT 1
CREATE TYPE books.mine AS (a int)
CREATE FUNCTION books.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'
CREATE OR REPLACE FUNCTION books.refuse(what text, place text, next text) RETURNS void LANGUAGE sql AS 'SELECT NULL::void'
ALTER FUNCTION books.post RESET ALL
ALTER FUNCTION books.post OWNER TO CURRENT_USER
DROP FUNCTION books.post
DROP SCHEMA books CASCADE
ALTER SCHEMA books RENAME TO gone
CREATE SCHEMA mine
CREATE TABLE public.mine (a int)
ALTER SEQUENCE books.record_numbers RESTART
DROP SEQUENCE books.record_numbers CASCADE
SELECT setval('books.record_numbers', 1)
SELECT nextval('books.record_numbers')
SELECT setval('books.account_numbers', 1)
SET ROLE {owner}
SET session_replication_role = replica
SET plpgsql.variable_conflict = use_column
CREATE ROLE mine SUPERUSER
ALTER ROLE CURRENT_USER SUPERUSER
GRANT {owner} TO CURRENT_USER
SELECT pg_read_file('PG_VERSION')
COPY books.records TO PROGRAM 'cat'
DO $$ BEGIN PERFORM books.append('person', 'me', 'k', NULL, 'me', 'why', NULL, '{{}}'); END $$
"""


@pytest.fixture
def cast(books: Books) -> Cast:
    """Everyone, on new books."""
    return assembled(books)


@pytest.fixture
def sql(cast: Cast) -> Iterator[Straight]:
    """The application's role, straight."""
    with straight(cast) as sql:
        yield sql


def test_the_applications_role_may_not_touch_a_table_except_to_read_it(sql: Straight) -> None:
    for table in TABLES:
        first = sql.value("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 1", table)
        assert sql.value(f"SELECT count(*) FROM {table}") is not None
        for statement in TO_A_TABLE.strip().splitlines():
            with pytest.raises(InsufficientPrivilege), sql.undone():
                sql.connection.execute(statement.format(table, first).encode())
        with pytest.raises(InsufficientPrivilege), sql.connection.cursor().copy(f"COPY {table} FROM STDIN".encode()):
            pass


def test_the_applications_role_may_not_build_rename_number_or_become_anything(sql: Straight) -> None:
    owner = sql.value("SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'books'")
    sql.value("SELECT books.instant(now())")  # the settings of plpgsql are known from its first use on
    for statement in TO_THE_REST.strip().splitlines():
        with pytest.raises(InsufficientPrivilege), sql.undone():
            sql.connection.execute(statement.format(owner=owner).encode())


def test_the_applications_role_may_call_no_function_but_those_meant_for_it(sql: Straight) -> None:
    functions = sql.connection.execute(
        "SELECT proname, string_agg('NULL::' || format_type(kind, NULL), ', ' ORDER BY place) AS arguments FROM pg_proc "
        "LEFT JOIN LATERAL unnest(proargtypes) WITH ORDINALITY a(kind, place) ON true WHERE pronamespace = 'books'::regnamespace GROUP BY pg_proc.oid, proname"
    ).fetchall()
    names = [name for name, _ in functions]
    assert len(names) == len(set(names)), "a function of an older form is still there"
    assert set(names) >= ENTRANCES | {"append", "write_record", "post_batch", "note_rules", "next_link", "latest"}
    for name, arguments in functions:
        if name not in ENTRANCES:
            with pytest.raises(InsufficientPrivilege):
                sql.value(f"SELECT books.{name}({arguments or ''})")


def test_every_function_that_acts_as_the_owner_looks_up_names_where_only_the_owner_can_put_them(sql: Straight) -> None:
    entrances = sql.connection.execute(
        "SELECT proname, prosecdef, proconfig, prosrc FROM pg_proc WHERE pronamespace = 'books'::regnamespace "
        "AND (prosecdef OR has_function_privilege(oid, 'EXECUTE'))"
    ).fetchall()
    assert {name for name, *_ in entrances} == ENTRANCES
    for name, as_owner, settings, source in entrances:
        if as_owner:
            assert "search_path=books, pg_temp" in settings, name
        else:  # the types of its variables would be looked up once, in the caller's search path, and kept for the owner
            assert "DECLARE" not in source.upper(), name


SHADOWS = """
SET search_path = pg_temp, public, pg_catalog, books;
CREATE FUNCTION pg_temp.caught() RETURNS pg_catalog.bool LANGUAGE plpgsql AS $$ BEGIN
  IF current_user <> session_user THEN RAISE 'it ran as %', current_user; END IF;
  RETURN true;
END $$;
CREATE FUNCTION pg_temp.sha256(pg_catalog.bytea) RETURNS pg_catalog.bytea LANGUAGE sql AS 'SELECT CASE WHEN pg_temp.caught() THEN pg_catalog.sha256($1) END';
CREATE FUNCTION pg_temp.differs(pg_catalog.text, pg_catalog.text) RETURNS pg_catalog.bool LANGUAGE sql AS 'SELECT NOT pg_temp.caught()';
CREATE OPERATOR pg_temp.<> (LEFTARG = pg_catalog.text, RIGHTARG = pg_catalog.text, FUNCTION = pg_temp.differs);
"""
TYPES = ("text", "jsonb", "bytea", "timestamptz", "numeric", "int8", "int4", "bool", "record", "interval")
CALLS = (
    "SELECT books.batch_digest_hex('k', now(), '{}', '{1,2}', '{-1,1}')",
    "SELECT books.batch_digest('k', now(), '{}', '{1,2}', '{-1,1}')",
    "SELECT books.record_digest('a', 1, 1, 1, 'k', 's', 'k', now(), now(), 'b', 'w', 1, 'e', 'c')",
    "SELECT books.entries_digest('{1,2}', '{-1,1}')",
    "SELECT books.instant(now())",
    "SELECT books.balance(1)",
)


def test_nothing_of_the_callers_own_is_run_as_the_owner(sql: Straight) -> None:
    [world, customer] = account_numbers(sql.cast.books, ["outside/JPY/world", "customer/JPY/pool/c1"])
    sql.connection.execute(SHADOWS.encode())
    for name in set(TYPES) - {"record"}:
        statement = f"CREATE DOMAIN pg_temp.{name} AS pg_catalog.{name} CHECK (pg_temp.caught())"
        sql.connection.execute(statement.encode())
    for table in metadata.sorted_tables:
        sql.connection.execute(f"CREATE TABLE pg_temp.{table.name} AS SELECT * FROM {table.fullname} LIMIT 0".encode())
    for call in CALLS:  # what they look up now they keep for the whole session
        sql.value(call)
    batch = Entries("k", saying(purpose="deposit", reference="r"), f"{{{world},{customer}}}", "{-5,5}")
    assert sql.post("ada", batch) == sql.post("ada", batch)
    place = saying(action="place", subject="new", says={"name": "New"}, effective_at=None)
    sql.decide("ben", sql.request("ada", "place", place))
    sql.decide("ben", sql.request_to_post("ada", "post", [batch]), "refuse")
    ada = sql.cast.people["ada"]
    rows = '[{"owner": "customer", "asset": "JPY", "place": "pool", "holder": "new"}]'
    assert sql.value("SELECT books.open_accounts(%s, %s, 'why', %s)", ada.name, ada.secret, rows) == 1
    assert sql.value("SELECT books.freeze(%s, %s, 'customer/JPY/pool/new', 'why')", ada.name, ada.secret)
    says = saying(digest="d", year_end=False)
    assert sql.value("SELECT books.put_on_record('position', 'r', '2026-01-01', %s)", says)
    content = sql.value("SELECT content FROM books.records WHERE kind = 'person' AND subject = 'ada'")
    assert sql.value("SELECT books.change_secret(%s, %s, 'why', %s)", ada.name, ada.secret, content)
    with sql.refused("first two people"):
        sql.value("SELECT books.found_person('zoe', 'why', %s)", content.replace('"ada"', '"zoe"'))
    assert sql.value("SELECT books.balance(%s)", customer) == 5


def refusals(owner: psycopg.Connection[Any], statements: str) -> None:
    """Each statement is refused by the books themselves."""
    for statement in statements.strip().splitlines():
        with pytest.raises(psycopg.Error, match="only added to") as told:
            owner.execute(statement.encode())
        assert told.value.sqlstate == "JB001", statement


def test_not_even_the_owner_changes_the_past(cast: Cast, owner: psycopg.Connection[Any]) -> None:
    cast.pay_in("customer/JPY/pool/c1", 5)
    for table in ("records", "balances", "accounts", "strands", "flow_rules", "actions", "owners"):
        refusals(
            owner, f"DELETE FROM books.{table}\nDELETE FROM books.{table} WHERE false\nTRUNCATE books.{table} CASCADE"
        )
    for table in ("records", "balances", "flow_rules", "actions", "owners"):
        column = owner.execute(f"SELECT * FROM books.{table} LIMIT 1".encode()).description[0].name  # type: ignore[index]
        refusals(
            owner,
            f"UPDATE books.{table} SET {column} = {column}\nUPDATE books.{table} SET {column} = {column} WHERE false",
        )
    refusals(
        owner,
        """
INSERT INTO books.records SELECT * FROM books.records ON CONFLICT (id) DO UPDATE SET content = ''
MERGE INTO books.records r USING (SELECT 1) s ON true WHEN MATCHED THEN UPDATE SET content = ''
INSERT INTO books.owners VALUES ('mine', true, '')
INSERT INTO books.flow_rules SELECT 'gift', payer, receiver, scope, made_by, '{}', '{}', '', '' FROM books.flow_rules WHERE purpose = 'release'
UPDATE books.accounts SET may_overdraw = true
UPDATE books.accounts SET code = code || 'x'
UPDATE books.accounts SET lanes = 0
UPDATE books.strands SET length = length - 1 WHERE length > 0
UPDATE books.strands SET length = length + 2
UPDATE books.strands SET length = length + 1, recorded_at = '2001-01-01' WHERE length > 0
""",
    )


def test_the_owner_of_the_books_is_not_taken_for_the_application(books: Books, owner: psycopg.Connection[Any]) -> None:
    grants = (migrate.HERE / "sql" / "grants.sql").read_text(encoding="utf-8")
    with pytest.raises(psycopg.Error, match="may do all that the owner of the books may"):
        owner.execute(grants.replace(":app", owner.info.user).encode())
