"""What an attacker does who has the keys of the database: guards off, the past changed, the chain worked out again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from junbikin.books.proof.digests import entries_digest, record_digest, start_of

Owner = psycopg.Connection[Any]

TABLES = ("records", "strands", "accounts", "balances", "flow_rules", "actions", "owners")


@contextmanager
def unguarded(owner: Owner, *tables: str) -> Iterator[None]:
    """The tables with their guards off."""
    for table in tables:
        owner.execute(f"ALTER TABLE books.{table} DISABLE TRIGGER USER".encode())
    yield
    for table in tables:
        owner.execute(f"ALTER TABLE books.{table} ENABLE TRIGGER USER".encode())


@contextmanager
def restored(owner: Owner) -> Iterator[None]:
    """Whatever is done to the books within, afterwards they are as before."""
    for table in TABLES:
        owner.execute(f"CREATE TEMP TABLE saved_{table} AS TABLE books.{table}".encode())
    yield
    with unguarded(owner, *TABLES):
        for table in reversed(TABLES):
            owner.execute(f"DELETE FROM books.{table}".encode())
        for table in TABLES:
            owner.execute(f"INSERT INTO books.{table} TABLE saved_{table}".encode())
            owner.execute(f"DROP TABLE saved_{table}".encode())


def record_of(owner: Owner, key: str, kind: str = "batch") -> dict[str, Any]:
    """A record by its key."""
    with owner.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute("SELECT * FROM books.records WHERE kind = %s AND key = %s", (kind, key)).fetchone()
    assert row is not None
    return row


def rechain(owner: Owner) -> None:
    """What a skilled attacker does afterwards: every digest and every strand's end is worked out again."""
    with owner.cursor(row_factory=dict_row) as cursor:
        strands = cursor.execute("SELECT strand FROM books.strands ORDER BY strand").fetchall()
        for strand in (row["strand"] for row in strands):
            head, link, at = start_of(strand), 0, datetime(2000, 1, 1, tzinfo=UTC)
            for row in cursor.execute(
                "SELECT * FROM books.records WHERE strand = %s ORDER BY link", (strand,)
            ).fetchall():
                link += 1
                new = row | {
                    "link": link,
                    "previous": head,
                    "entries_digest": entries_digest(row["accounts"], row["amounts"]),
                }
                head, at = record_digest(new), row["recorded_at"]
                cursor.execute(
                    "UPDATE books.records SET link = %s, previous = %s, entries_digest = %s, digest = %s WHERE id = %s",
                    (link, new["previous"], new["entries_digest"], head, row["id"]),
                )
            cursor.execute(
                "UPDATE books.strands SET length = %s, head = %s, recorded_at = %s WHERE strand = %s",
                (link, head, at, strand),
            )
