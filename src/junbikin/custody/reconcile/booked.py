"""What the books owe each customer, extracted once and then brought up to date by only what was recorded since."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
from sqlalchemy import text

from junbikin.books.database import Books, telling
from junbikin.custody.reconcile.kept import QUANTITY, said, say, short_hash
from junbikin.custody.reconcile.moment import Moment
from junbikin.errors import BadInput
from junbikin.facts.engine import file

SINCE = """
WITH RECURSIVE halved AS (
  SELECT strand, 0::bigint AS low, length AS high FROM books.strands
  UNION ALL
  SELECT h.strand, CASE WHEN r.recorded_at <= %(since)s THEN r.link ELSE h.low END,
    CASE WHEN r.recorded_at <= %(since)s THEN h.high ELSE r.link - 1 END
  FROM halved h JOIN books.records r ON r.strand = h.strand AND r.link = (h.low + h.high + 1) / 2
  WHERE h.low < h.high),
entries AS (
  SELECT e.account, e.amount, r.effective_at, r.recorded_at FROM halved h
  JOIN books.records r ON r.strand = h.strand AND r.link > h.low
  CROSS JOIN LATERAL unnest(r.accounts, r.amounts) e(account, amount)
  WHERE h.low = h.high AND r.kind = 'batch' AND r.recorded_at <= %(known)s AND r.effective_at > %(after)s AND r.effective_at <= %(until)s)
"""
"""SQL of the entries recorded after `since` and by `known`, effective after `after` and by `until`. Each strand's first link after
`since` is found by halving, since a strand's records rise in time: the cost grows with what was recorded since, not with the log."""

_WHOLE = """
COPY (
  SELECT a.holder, a.asset, a.place, trim_scale(sum(b.amount)) FROM books.balances b JOIN books.accounts a ON a.id = b.account
  WHERE a.owner = 'customer' AND b.effective_at <= %(at)s AND b.recorded_at <= %(known)s
  GROUP BY a.holder, a.asset, a.place HAVING sum(b.amount) <> 0
) TO STDOUT (FORMAT csv)
"""
_TOUCHED = (
    SINCE
    + """
SELECT count(*), array_agg(t.account)::text FROM (
  SELECT DISTINCT account FROM entries
  WHERE (effective_at <= %(at)s AND recorded_at <= %(known_at)s) <> (effective_at <= %(was_at)s AND recorded_at <= %(was_known)s)) t
JOIN books.accounts a ON a.id = t.account AND a.owner = 'customer'
"""
)
_CHANGED = """
COPY (
  SELECT holder, asset, place, books.balance(id, %(at)s, %(known)s) - books.balance(id, %(was_at)s, %(was_known)s)
  FROM books.accounts WHERE id = ANY (%(accounts)s::bigint[])
) TO STDOUT (FORMAT csv)
"""
_STILL_THERE = text("""
    SELECT count(*) FROM unnest(CAST(:strands AS int[]), CAST(:lengths AS bigint[]), CAST(:heads AS text[])) k(strand, link, head)
    JOIN books.records r ON r.strand = k.strand AND r.link = k.link AND encode(r.digest, 'hex') = k.head
""")

_ANY = text(
    "SELECT EXISTS (SELECT 1 FROM books.records WHERE kind = 'batch' AND effective_at <= :at AND recorded_at <= :known)"
)


def begun(books: Books, moment: Moment) -> bool:
    """Whether the books have any entry by a moment: before the first they say nothing, and not that nothing is there."""
    with telling(books.home), books.engine.connect() as connection:
        return bool(connection.scalar(_ANY, {"at": moment.at, "known": moment.known_at}))


FEW = 10_000
"""So many accounts are always brought up to date one by one; more only while they are less than a twentieth of all."""

FOLDED_FROM = 10_000
"""From so many on, and when they are more than a tenth, accounts that were laid over the base become part of it."""


@dataclass(frozen=True, slots=True)
class Booked:
    """How the books' side was made: `was` is the generation and moment that it was brought up from, None when it was extracted anew."""

    was: dict[str, Any] | None


def bring_up(engine: duckdb.DuckDBPyConnection, books: Books, moment: Moment, folder: Path) -> Booked:
    """Makes `kept.base`, `kept.overlay` and `kept.places` those of a moment, within the caller's transaction.

    When they are brought up from an earlier one, table `standing` has what is booked of the accounts whose balance changed and of
    those in the table `touched`, with the change.
    """
    was = said(engine, "booked")
    accounts = _touched(engine, books, moment, was) if was and _holds(books, was) else None
    if was is None or accounts is None:
        _extract(engine, books, moment, folder / "booked.csv")
        remember(engine, moment)
        return Booked(None)
    rows = folder / "moved.csv"
    values = {
        "at": moment.at, "known": moment.known_at, "was_at": _time(was["at"]), "was_known": _time(was["known_at"]), "accounts": accounts,
    }  # fmt: skip
    copied(books, _CHANGED, values, rows)
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE changed AS {read(rows, 'holder VARCHAR', 'asset VARCHAR', 'place VARCHAR', f'change {QUANTITY}')}; "
        "CREATE OR REPLACE TEMP TABLE moved AS SELECT holder, asset, sum(change) AS change FROM changed "
        "WHERE holder IS NOT NULL GROUP BY holder, asset HAVING sum(change) <> 0"
    )
    _apply(engine)
    remember(engine, moment, was["generation"])
    return Booked(was)


def remember(engine: duckdb.DuckDBPyConnection, moment: Moment, generation: str = "") -> None:
    """Keeps of which moment the books' side is; a new generation when it was not brought up from an earlier one."""
    say(
        engine,
        "booked",
        {
            "generation": generation or uuid.uuid4().hex,
            "at": moment.at.isoformat(),
            "known_at": moment.known_at.isoformat(),
            "strands": [[strand, length, head.hex()] for strand, length, head in moment.strands],
        },
    )


def _time(said: str) -> datetime:
    return datetime.fromisoformat(said)


def _holds(books: Books, was: dict[str, Any]) -> bool:
    """Whether these are the books that were read then: each strand still has that record at that link."""
    ends = [(strand, length, head) for strand, length, head in was["strands"] if length]
    strands, lengths, heads = ([end[place] for end in ends] for place in range(3))
    with telling(books.home), books.engine.connect() as connection:
        found = connection.scalar(_STILL_THERE, {"strands": strands, "lengths": lengths, "heads": heads})
    return bool(found == len(ends))


def _touched(engine: duckdb.DuckDBPyConnection, books: Books, moment: Moment, was: dict[str, Any]) -> str | None:
    """The customers' accounts whose balance may differ between two moments, for what counts at one of them and not at the other;
    None when they are too many to look at singly."""
    was_at, was_known = _time(was["at"]), _time(was["known_at"])
    # What is effective later is recorded later: whatever the cuts part was recorded after the earlier cut.
    since = min(was_known, moment.known_at, *(() if was_at == moment.at else (was_at, moment.at)))
    values = {
        "since": since, "known": max(moment.known_at, was_known), "after": "-infinity", "until": max(moment.at, was_at),
        "at": moment.at, "known_at": moment.known_at, "was_at": was_at, "was_known": was_known,
    }  # fmt: skip
    with telling(books.home), books.driver() as connection:
        [(count, accounts)] = connection.execute(_TOUCHED, values).fetchall()
    [(held,)] = engine.execute(
        "SELECT (SELECT count(*) FROM kept.base) - 20 * (SELECT count(*) FROM kept.overlay)"
    ).fetchall()
    return None if count > FEW and count * 20 > held else str(accounts or "{}")


def _extract(engine: duckdb.DuckDBPyConnection, books: Books, moment: Moment, rows: Path) -> None:
    copied(books, _WHOLE, {"at": moment.at, "known": moment.known_at}, rows)
    try:
        take(engine, read(rows, "holder VARCHAR", "asset VARCHAR", "place VARCHAR", f"quantity {QUANTITY}"))
    except duckdb.ConversionException:
        raise BadInput(
            "a customer's balance in the books has more than 20 digits before the point", where="books.accounts",
            then="see `junbikin books accounts --owner customer`, and post it in a larger unit",
        ) from None  # fmt: skip
    rows.unlink()


def take(engine: duckdb.DuckDBPyConnection, rows: str) -> None:
    """Takes a relation (holder, asset, place, quantity) as what is booked, instead of what was there."""
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE extracted AS {rows}; "
        f"CREATE OR REPLACE TABLE kept.base AS SELECT holder, asset, sum(quantity) AS quantity, {short_hash('holder', 'asset')} AS h FROM extracted "
        "WHERE holder IS NOT NULL GROUP BY holder, asset HAVING sum(quantity) <> 0; "
        "CREATE OR REPLACE TABLE kept.places AS SELECT place, asset, holder IS NOT NULL AS named, sum(quantity) AS quantity FROM extracted "
        "GROUP BY ALL; DROP TABLE extracted; DELETE FROM kept.overlay"
    )


def _apply(engine: duckdb.DuckDBPyConnection) -> None:
    """Puts `moved` over the base; table `standing` says what is booked of each account that moved, here or on the platform."""
    engine.execute(
        "CREATE OR REPLACE TEMP TABLE sought AS SELECT coalesce(m.holder, t.account) AS holder, coalesce(m.asset, t.asset) AS asset, "
        f"coalesce(m.change, 0) AS change, {short_hash('coalesce(m.holder, t.account)', 'coalesce(m.asset, t.asset)')} AS h "
        "FROM moved m FULL JOIN touched t ON t.account = m.holder AND t.asset = m.asset"
    )
    # The hashes alone are scanned; rows are fetched only where one is that of an account sought, and then compared by name.
    engine.execute(
        "CREATE OR REPLACE TEMP TABLE near AS SELECT rowid AS base_row FROM kept.base WHERE h IN (SELECT h FROM sought); "
        "CREATE OR REPLACE TEMP TABLE based AS SELECT rowid AS base_row, holder, asset, quantity FROM kept.base "
        "WHERE rowid IN (SELECT base_row FROM near); "
        "CREATE OR REPLACE TEMP TABLE standing AS SELECT s.holder, s.asset, s.change, b.base_row, "
        "coalesce(o.quantity, b.quantity, 0) + s.change AS quantity FROM sought s "
        "LEFT JOIN kept.overlay o ON o.holder = s.holder AND o.asset = s.asset "
        "LEFT JOIN based b ON b.holder = s.holder AND b.asset = s.asset"
    )
    engine.execute(
        "DELETE FROM kept.overlay o USING moved m WHERE o.holder = m.holder AND o.asset = m.asset; "
        "INSERT INTO kept.overlay SELECT base_row, holder, asset, quantity FROM standing WHERE change <> 0; "
        "CREATE OR REPLACE TEMP TABLE placed AS SELECT place, asset, named, sum(quantity) AS quantity FROM ("
        "SELECT * FROM kept.places UNION ALL SELECT place, asset, holder IS NOT NULL, change FROM changed) GROUP BY ALL; "
        "DELETE FROM kept.places; INSERT INTO kept.places SELECT * FROM placed"
    )
    [(laid, based)] = engine.execute(
        "SELECT (SELECT count(*) FROM kept.overlay), (SELECT count(*) FROM kept.base)"
    ).fetchall()
    if laid > FOLDED_FROM and laid * 10 > based:
        engine.execute(
            f"CREATE OR REPLACE TEMP TABLE folded AS {BOOKED}; CREATE OR REPLACE TABLE kept.base AS SELECT account AS holder, asset, quantity, "
            f"{short_hash('account', 'asset')} AS h FROM folded; DROP TABLE folded; DELETE FROM kept.overlay"
        )


def copied(books: Books, query: str, values: dict[str, Any], target: Path) -> None:
    """What a COPY of the books gives, in a file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with (
        telling(books.home), books.driver() as connection, connection.cursor() as cursor,
        target.open("wb") as stream, cursor.copy(query.encode(), values) as rows,
    ):  # fmt: skip
        stream.writelines(rows)


def read(rows: Path, *columns: str) -> str:
    """SQL that reads such a file."""
    fields = ", ".join(f"'{name}': '{kind}'" for name, kind in (column.split(" ", 1) for column in columns))
    return f"SELECT * FROM read_csv({file(str(rows))}, header = false, auto_detect = false, columns = {{{fields}}}, delim = ',', quote = '\"', escape = '\"')"


BOOKED = """
SELECT b.holder AS account, b.asset, b.quantity FROM kept.base b
WHERE b.rowid NOT IN (SELECT base_row FROM kept.overlay WHERE base_row IS NOT NULL)
UNION ALL SELECT holder, asset, quantity FROM kept.overlay WHERE quantity <> 0
"""
"""SQL of what is booked: account, asset, quantity other than 0."""


def forget(engine: duckdb.DuckDBPyConnection) -> None:
    """Leaves nothing booked, for a home without books."""
    engine.execute(
        "DELETE FROM kept.base; DELETE FROM kept.overlay; DELETE FROM kept.places; DELETE FROM kept.said WHERE name = 'booked'"
    )
