"""The balances that a proof is of: one day's customer balances from the lake, each file held against its digest, nothing left out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb

from junbikin.custody.liabilities.pool import Each
from junbikin.custody.liabilities.sums import DECIMALS, LIMIT, units_of
from junbikin.errors import BadInput, FactsDamaged
from junbikin.facts.engine import connect, parquet
from junbikin.facts.lake import Lake
from junbikin.facts.log import Segment

DATASET = "customer_balances"
MOST = Decimal(LIMIT).scaleb(-DECIMALS)


@dataclass(frozen=True, slots=True)
class Owed:
    """What customers are owed of an asset. Balances of zero are told, and are no leaves: nothing is owed by them."""

    asset: str
    customers: int
    zeros: int
    total: Decimal


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A day's balances: the lake's files, by path, that hold them, and what they come to, by asset."""

    as_of: date
    segments: tuple[Segment, ...]
    paths: tuple[Path, ...]
    owed: tuple[Owed, ...]


def snapshot(lake: Lake, as_of: date, each: Each) -> Snapshot:
    """The balances of a day, looked through once.

    Raises `BadInput` when there are none, when one is negative, and when an asset's sum is beyond the format's limit;
    `FactsDamaged` when a file is not the one that the log recorded.
    """
    segments = lake.days(DATASET, as_of, as_of).get(as_of.isoformat(), [])
    if not segments:
        days = [day for day in lake.days(DATASET) if day <= as_of.isoformat()]
        nearest = f"name a day that has them, such as {days[-1]}, or " if days else ""
        raise BadInput(
            f"there are no customer balances of {as_of}", where=str(lake.home.path),
            then=f"{nearest}ingest them: junbikin ingest {DATASET} FILES…",
        )  # fmt: skip
    paths = tuple(lake.home.facts / segment.file for segment in segments)
    digests = each(_digest, paths)  # worked while the engine looks through the balances
    try:
        owed = _owed(lake.home.memory_limit, as_of, paths)
    finally:  # what the engine makes of files that were changed is not to be told
        for segment, path, digest in zip(segments, paths, digests, strict=True):
            if digest != segment.sha256:
                raise FactsDamaged(
                    f"{segment.file} is not the file that the log recorded: facts were changed", where=str(path),
                    then="restore it from a backup, or ingest the sources into a new home",
                )  # fmt: skip
    return Snapshot(as_of, tuple(segments), paths, owed)


def rows_of(lake: Lake, as_of: date) -> int:
    """How many balances a day has, by the log."""
    return sum(segment.rows for segment in lake.days(DATASET, as_of, as_of).get(as_of.isoformat(), []))


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


_SUMS = """
  SELECT asset, count(*) FILTER (WHERE quantity > 0), count(*) FILTER (WHERE quantity = 0), coalesce(sum(quantity), 0),
    count(*) FILTER (WHERE quantity < 0)
  FROM {balances} GROUP BY asset ORDER BY asset
"""
_NEGATIVE = """
  SELECT account_id, asset, quantity::VARCHAR FROM {balances} WHERE quantity < 0 ORDER BY account_id, asset LIMIT 3
"""


def _owed(memory_limit: str, as_of: date, paths: tuple[Path, ...]) -> tuple[Owed, ...]:
    balances = parquet([str(path) for path in paths])
    with connect(memory_limit) as engine:
        try:
            rows = engine.execute(_SUMS.format(balances=balances)).fetchall()
        except duckdb.OutOfRangeException:
            raise _beyond(as_of) from None
        negative = sum(count for *_, count in rows)
        if negative:
            first = engine.execute(_NEGATIVE.format(balances=balances)).fetchall()
            raise BadInput(
                f"{negative:,} balances are negative, and no proof can hold one: " + "; ".join(map(" ".join, first)),
                where=f"{DATASET} of {as_of}",
                then="find out why they are (reconciliation lists them), and correct the balances",
            )
    owed = tuple(Owed(asset, customers, zeros, total) for asset, customers, zeros, total, _ in rows)
    if any(units_of(each.total) >= LIMIT for each in owed):
        raise _beyond(as_of)
    if not any(each.customers for each in owed):
        raise BadInput(
            f"every balance of {as_of} is zero: nothing is owed to anybody", where=f"{DATASET} of {as_of}",
            then="check what was ingested: junbikin facts",
        )  # fmt: skip
    return owed


def _beyond(as_of: date) -> BadInput:
    return BadInput(
        f"the balances of an asset come to 10^20 or more, beyond what a proof can hold (below {MOST:.4E})",
        where=f"{DATASET} of {as_of}", then="find the balances that are too large, and correct them",
    )  # fmt: skip


def named_twice(snapshot: Snapshot, memory_limit: str, asset: str) -> str | None:
    """An account that has two balances of an asset on that day, if there is one: the lake lets none in."""
    balances = parquet([str(path) for path in snapshot.paths])
    query = f"SELECT account_id FROM {balances} WHERE asset = ? GROUP BY 1 HAVING count(*) > 1 ORDER BY 1 LIMIT 1"
    with connect(memory_limit) as engine:
        rows = engine.execute(query, [asset]).fetchall()
    return rows[0][0] if rows else None
