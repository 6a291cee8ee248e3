"""Rows that were refused when they were ingested, and not mended since: a negative balance is a break, and so is what is not read.

The ingest keeps a balance below 0 out of the facts, so that it takes nothing from what others are owed. It is not only kept in
quarantine: the account is shown, with the balance that was stated.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import duckdb

from junbikin.custody.reconcile.kept import QUANTITY
from junbikin.custody.reconcile.moment import Moment
from junbikin.facts.checks import key_of
from junbikin.facts.datasets import DATASETS
from junbikin.facts.engine import connect, literal, parquet
from junbikin.facts.lake import Lake
from junbikin.facts.log import Entry
from junbikin.facts.platform import Platform

WATCHED = ("customer_balances", "balance_changes", "statements", "holdings")

_BELOW = r"quantity: must be [a-z ]+: (-[0-9]+([.][0-9]+)?)$"
"""How the ingest says that a quantity is below 0, with the quantity as it stood."""


def refused(engine: duckdb.DuckDBPyConnection, lake: Lake, platform: Platform, moment: Moment) -> None:
    """Table `refused` (dataset, account, asset, quantity, counted): rows of the days that are compared, not accepted since.

    `account`, `asset` and `quantity` stand there for balances below 0, of which the last stated of each account is given; the
    others are one row for each dataset, `counted`.
    """
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE refused (dataset VARCHAR, account VARCHAR, asset VARCHAR, quantity {QUANTITY}, counted BIGINT)"
    )
    for dataset in WATCHED:
        since = platform.day if dataset in ("customer_balances", "balance_changes") else moment.as_of
        since = since or date.min
        entries = [
            entry
            for entry in lake.entries
            if entry.dataset == dataset and entry.quarantine and _day(entry, lake.home.time_zone) >= since
        ]
        if entries:
            _of(engine, lake, dataset, entries, since, moment.as_of)


@dataclass(frozen=True, slots=True)
class Unmended:
    """Refused rows of a day: how many, and the accounts of those of which it can be told, in order."""

    rows: int
    accounts: tuple[str, ...]


def unmended_balances(lake: Lake, day: date) -> Unmended:
    """The customer balances of a day that were refused and not accepted since; a line of a file that was ingested again is one."""
    dataset = "customer_balances"
    entries = [entry for entry in lake.entries if entry.dataset == dataset and entry.quarantine]
    if not entries:
        return Unmended(0, ())
    with connect(lake.home.memory_limit) as engine:
        _keep_out(engine, lake, dataset, entries, day, day)
        [(count,)] = engine.execute(
            "SELECT count(*) FROM (SELECT DISTINCT place, position, key, raw FROM kept_out)"
        ).fetchall()
        accounts = engine.execute("SELECT DISTINCT parts[2] FROM kept_out WHERE len(parts) = 3 ORDER BY 1").fetchall()
    return Unmended(count, tuple(account for (account,) in accounts))


def _of(
    engine: duckdb.DuckDBPyConnection, lake: Lake, dataset: str, entries: list[Entry], since: date, until: date
) -> None:
    _keep_out(engine, lake, dataset, entries, since, until)
    negative = "quantity IS NOT NULL AND len(parts) = 3"
    balances = dataset in ("customer_balances", "balance_changes")
    if balances:
        engine.execute(
            f"INSERT INTO refused SELECT {literal(dataset)}, parts[2], parts[3], arg_max(quantity, key), 0 FROM kept_out WHERE {negative} GROUP BY ALL"
        )
    others = f"WHERE NOT coalesce({negative}, false)" if balances else ""
    engine.execute(
        f"INSERT INTO refused SELECT {literal(dataset)}, NULL, NULL, NULL, count(*) FROM kept_out {others} HAVING count(*) > 0"
    )


def _keep_out(
    engine: duckdb.DuckDBPyConnection, lake: Lake, dataset: str, entries: list[Entry], since: date, until: date
) -> None:
    """Table `kept_out`: refused rows of some days, not accepted since. A row without a day that can be read is of every day that its
    ingest brought, and of the day on which it was ingested."""
    zone = lake.home.time_zone

    def near(entry: Entry) -> bool:
        days = [_day(entry, zone), *(date.fromisoformat(segment.day) for segment in entry.adds)]
        return any(since <= day <= until for day in days)

    files = ", ".join(
        f"({literal(str(lake.home.facts / entry.quarantine))}, {str(near(entry)).lower()})" for entry in entries
    )
    paths = [str(lake.home.facts / entry.quarantine) for entry in entries]
    # A key has the day first: of changes an instant in UTC.
    first = "string_split(key, chr(31))[1]"
    zoned = f"CAST(timezone({literal(zone.key)}, TRY_CAST({first} AS TIMESTAMPTZ)) AS DATE)"
    day = zoned if dataset == "balance_changes" else f"TRY_CAST({first} AS DATE)"
    engine.execute(
        "CREATE OR REPLACE TEMP TABLE kept_out AS SELECT key, string_split(key, chr(31)) AS parts, "
        f"TRY_CAST(regexp_extract(reason, {literal(_BELOW)}, 1) AS {QUANTITY}) AS quantity, place, position, raw "
        f"FROM {parquet(paths, named=True)} q JOIN (VALUES {files}) n(file, near) ON q.filename = n.file "
        f"WHERE coalesce({day} BETWEEN DATE {literal(since.isoformat())} AND DATE {literal(until.isoformat())}, n.near)"
    )
    _mend(engine, lake, dataset, since, until)


def _mend(engine: duckdb.DuckDBPyConnection, lake: Lake, dataset: str, since: date, until: date) -> None:
    """Takes rows out of `kept_out` whose key was accepted, before or since."""
    [(keys,)] = engine.execute("SELECT count(key) FROM kept_out").fetchall()
    days = lake.days(dataset, since, until)
    paths = [str(lake.home.facts / segment.file) for segments in days.values() for segment in segments]
    if not keys or not paths:
        return
    described = DATASETS[dataset]
    name, key = described.key[1], key_of(described)
    engine.execute(
        f"DELETE FROM kept_out WHERE key IN (SELECT {key} FROM {parquet(paths)} "
        f"WHERE {name} IN (SELECT parts[2] FROM kept_out WHERE key IS NOT NULL) AND {key} IN (SELECT key FROM kept_out))"
    )


def _day(entry: Entry, zone: ZoneInfo) -> date:
    return datetime.fromisoformat(entry.recorded_at).astimezone(zone).date()
