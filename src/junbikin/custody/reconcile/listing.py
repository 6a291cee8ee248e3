"""The list of breaks: made of what differs, each with the day since when it is there, in one file that the same breaks always give."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb

from junbikin.custody.reconcile.breaks import ID_SQL, ORDER, Break, Compared, Kind
from junbikin.custody.reconcile.kept import QUANTITY, short_hash
from junbikin.custody.reconcile.reconciliation import Count
from junbikin.facts.engine import file, literal

_KEPT_SECONDS = 3600
"""A list that is not put on record within that time goes."""

FIRST = 100
"""Breaks that stand in the reconciliation itself; all are in the list."""

Row = tuple[Compared, Kind, str, str, str, Decimal | None, Decimal | None]
"""compared, class, of, asset, source, expected, found"""

_FIELDS = {
    "id": "VARCHAR", "compared": "VARCHAR", "class": "VARCHAR", "of": "VARCHAR", "asset": "VARCHAR", "source": "VARCHAR",
    "expected": QUANTITY, "found": QUANTITY, "amount": QUANTITY, "since": "DATE",
}  # fmt: skip
_COLUMNS = ", ".join(f'"{name}" {kind}' for name, kind in _FIELDS.items())
_READ = "{" + ", ".join(f"'{name}': '{kind}'" for name, kind in _FIELDS.items()) + "}"
NO_ROW = ", ".join(f'NULL::{kind} AS "{name}"' for name, kind in _FIELDS.items())
"""The columns of a list, for an SQL that gives none of its rows."""


def start(engine: duckdb.DuckDBPyConnection) -> None:
    """An empty table `breaks`."""
    engine.execute(
        'CREATE OR REPLACE TEMP TABLE breaks (compared VARCHAR, class VARCHAR, "of" VARCHAR, asset VARCHAR, source VARCHAR, '
        f"expected {QUANTITY}, found {QUANTITY})"
    )


def accounts(engine: duckdb.DuckDBPyConnection) -> None:
    """Adds the accounts that differ, and balances below 0, whatever the books say of them."""
    engine.execute(
        "INSERT INTO breaks SELECT 'account', CASE WHEN t.account IS NOT NULL THEN 'timing' WHEN d.platform < d.booked THEN 'missing' "
        "ELSE 'excess' END, d.account, d.asset, '', d.booked, d.platform FROM kept.differing d LEFT JOIN timed t USING (account, asset) "
        "ANTI JOIN (FROM refused WHERE account IS NOT NULL) r ON r.account = d.account AND r.asset = d.asset"
    )
    [(negative,)] = engine.execute("SELECT count(*) FROM refused WHERE account IS NOT NULL").fetchall()
    if not negative:
        return
    engine.execute(
        "INSERT INTO breaks SELECT 'account', 'negative', n.account, n.asset, '', coalesce(o.quantity, b.quantity), n.quantity FROM ("
        "SELECT account, asset, arg_max(quantity, dataset = 'balance_changes') AS quantity FROM refused WHERE account IS NOT NULL GROUP BY ALL) n "
        "LEFT JOIN kept.overlay o ON o.holder = n.account AND o.asset = n.asset "
        f"LEFT JOIN (SELECT * FROM kept.base WHERE h IN (SELECT {short_hash('account', 'asset')} FROM refused)) b "
        "ON b.holder = n.account AND b.asset = n.asset"
    )


def add(engine: duckdb.DuckDBPyConnection, rows: Sequence[Row]) -> None:
    """Adds breaks that are not of single accounts."""
    if rows:
        columns = [list(column) for column in zip(*map(_texts, rows), strict=True)]
        engine.execute(
            f"INSERT INTO breaks SELECT {', '.join(f'unnest(${n}::VARCHAR[])' for n in range(1, 8))}", columns
        )


def _texts(row: Row) -> list[str | None]:
    return [None if value is None else f"{value:f}" if isinstance(value, Decimal) else str(value) for value in row]


def finish(engine: duckdb.DuckDBPyConnection, as_of: date, before: Path | None) -> None:
    """Table `listed`: every break with its id, and the day since when it is there: as the list `before` says, else this day."""
    earlier = read(before) if before else "SELECT NULL::VARCHAR AS id, NULL::DATE AS since WHERE false"
    engine.execute(
        f'CREATE OR REPLACE TEMP TABLE listed ({_COLUMNS}); INSERT INTO listed SELECT b.id, compared, class, "of", asset, source, expected, found, '
        f"found - expected, coalesce(e.since, DATE {literal(as_of.isoformat())}) FROM (SELECT {ID_SQL} AS id, * FROM breaks) b "
        f"LEFT JOIN (SELECT id, since FROM ({earlier})) e ON e.id = b.id"
    )


def read(path: Path) -> str:
    """SQL of a list of breaks in its file."""
    texts = ", ".join(f'coalesce("{name}", \'\') AS "{name}"' for name in ("of", "asset", "source"))
    rows = f"read_csv({file(str(path))}, header = true, auto_detect = false, columns = {_READ}, delim = ',', quote = '\"', escape = '\"', nullstr = '')"
    return f"SELECT * REPLACE ({texts}) FROM {rows}"


def write(engine: duckdb.DuckDBPyConnection, folder: Path) -> tuple[Path, str]:
    """Writes the list by id, amounts without trailing zeros, to a file named by its SHA-256, and returns both. Old lists there go."""
    amounts = ", ".join(
        f"rtrim(rtrim({name}::VARCHAR, '0'), '.') AS {name}" for name in ("expected", "found", "amount")
    )
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f"{uuid.uuid4()}.new"
    engine.execute("SET preserve_insertion_order = true")
    engine.execute(
        f'COPY (SELECT id, compared, class, "of", asset, source, {amounts}, since FROM listed ORDER BY id) '
        f"TO {literal(str(fresh))} (FORMAT csv, HEADER, DELIMITER ',', QUOTE '\"', ESCAPE '\"')"
    )
    engine.execute("SET preserve_insertion_order = false")
    digest = digest_of(fresh)
    target = fresh.replace(folder / f"{digest}.csv")
    for old in folder.iterdir():
        if old != target and time.time() - old.stat().st_mtime > _KEPT_SECONDS:
            old.unlink(missing_ok=True)
    return target, digest


def digest_of(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def counts(engine: duckdb.DuckDBPyConnection) -> tuple[Count, ...]:
    """How many there are of each kind, gravest first."""
    rows = engine.execute(
        f"SELECT compared, class, asset, count(*), sum(amount) FROM listed GROUP BY compared, class, asset ORDER BY {_RANK}, compared, asset"
    ).fetchall()
    return tuple(Count(Compared(of), Kind(kind), asset, count, amount) for of, kind, asset, count, amount in rows)


_RANK = f"list_position([{', '.join(literal(kind) for kind in ORDER)}], class)"


def first(engine: duckdb.DuckDBPyConnection, limit: int = FIRST) -> tuple[Break, ...]:
    """The first breaks: gravest class first, in each the greatest amounts of each asset."""
    rows = engine.execute(
        'SELECT compared, class, "of", asset, source, expected, found, since FROM listed '
        f"ORDER BY {_RANK}, compared, asset, abs(amount) DESC NULLS LAST, id LIMIT {limit}"
    ).fetchall()
    return tuple(Break(Compared(compared), Kind(kind), *rest) for compared, kind, *rest in rows)
