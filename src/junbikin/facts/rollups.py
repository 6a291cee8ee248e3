"""Rollups: the trades of each day summed by line, asset and quote, kept so that a day is summed once.

A day's sums are kept beside the digest of the segments that they sum; when a day's segments change, only that
day is summed again. The sums are exact: price × quantity is worked in 38 digits at 16 decimals, and what a
quantity has beyond 8 decimals is multiplied apart at 26.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from junbikin.errors import FactsDamaged
from junbikin.facts.engine import compiled, connect, files
from junbikin.facts.log import Segment
from junbikin.figures import plain

VERSION = "1"
"""Changes when the sums below do, so that kept ones are not mistaken for them."""


@dataclass(frozen=True, slots=True)
class DayVolume:
    """A day's trades of one line, asset and quote; `notional` is the exact sum of price × quantity, in quote."""

    day: str
    line: str
    asset: str
    quote: str
    trades: int
    quantity: Decimal
    notional: Decimal


def day_volumes(
    facts: Path, cache: Path | None, days: Mapping[str, Sequence[Segment]], memory_limit: str
) -> list[DayVolume]:
    """The sums of every day given, in order; days not in `cache` are summed now (all of them when it is None)."""
    kept = _read(cache)
    wanted = {day: _digest(segments) for day, segments in days.items()}
    found = {day: kept["days"][day] for day in wanted if kept["days"].get(day, {}).get("of") == wanted[day]}
    new = {day: list(segments) for day, segments in days.items() if day not in found}
    if new:
        sums, queries = _summed(facts, new, memory_limit, kept["queries"])
        found |= {day: {"of": wanted[day], "rows": sums.get(day, [])} for day in new}
        if cache is not None:
            _write(cache, {"version": VERSION, "queries": queries, "days": {**kept["days"], **found}})
    return [
        DayVolume(day, line, asset, quote, trades, Decimal(quantity), Decimal(notional))
        for day in sorted(found)
        for line, asset, quote, trades, quantity, notional in found[day]["rows"]
    ]


def _digest(segments: Sequence[Segment]) -> str:
    return hashlib.sha256("\n".join(sorted(segment.sha256 for segment in segments)).encode()).hexdigest()


def _read(cache: Path | None) -> dict[str, Any]:
    empty: dict[str, Any] = {"queries": {}, "days": {}}
    if cache is None or not cache.exists():
        return empty
    try:
        kept: dict[str, Any] = json.loads(cache.read_bytes())
    except ValueError:
        return empty
    return kept if kept.get("version") == VERSION else empty


def _write(cache: Path, content: dict[str, Any]) -> None:
    cache.parent.mkdir(parents=True, exist_ok=True)
    fresh = cache.with_suffix(".new")
    fresh.write_text(json.dumps(content, separators=(",", ":")))
    fresh.replace(cache)


def queries() -> dict[str, str]:
    """The two sums as the engine's SQL, compiled from Ibis expressions over a table `trades`."""
    import ibis  # noqa: PLC0415 - slow to import, and only needed where no compiled query is kept

    trades = ibis.table(
        {
            "day": "string",
            "line": "string",
            "asset": "string",
            "quote": "string",
            "price": "decimal(18, 8)",
            "quantity": "decimal(20, 8)",
            "quantity_fine": "decimal(18, 18)",
        },
        name="trades",
    )
    # Ibis would type the sum of a product as decimal(38, 2): the types are given, never inferred.
    price, quantity = trades.price.cast("decimal(38, 8)"), trades.quantity.cast("decimal(38, 8)")
    coarse = trades.group_by("day", "line", "asset", "quote").agg(
        trades=trades.count(), quantity=trades.quantity.sum(), notional=(price * quantity).sum()
    )
    rest = trades.quantity_fine.cast("decimal(38, 18)")
    fine = (
        trades.filter(trades.quantity_fine != 0)
        .group_by("day", "line", "asset", "quote")
        .agg(quantity=trades.quantity_fine.sum(), notional=(price * rest).sum())
    )
    return {"coarse": compiled(coarse), "fine": compiled(fine)}


def _summed(
    facts: Path, days: Mapping[str, Sequence[Segment]], memory_limit: str, kept: dict[str, str]
) -> tuple[dict[str, list[list[Any]]], dict[str, str]]:
    paths = [str(facts / segment.file) for segments in days.values() for segment in segments]
    _must_exist(paths)
    sql = kept or queries()
    engine = connect(memory_limit)
    try:
        engine.execute(
            f"CREATE VIEW trades AS SELECT * FROM read_parquet({files(paths)}, "
            "hive_partitioning = true, hive_types = {'day': VARCHAR})"
        )
        coarse = engine.execute(sql["coarse"]).fetchall()
        fine = {tuple(row[:4]): row[4:] for row in engine.execute(sql["fine"]).fetchall()}
    finally:
        engine.close()
    nothing = (Decimal(0), Decimal(0))
    sums: dict[str, list[list[Any]]] = {}
    for day, line, asset, quote, trades, quantity, notional in sorted(coarse):
        more_quantity, more_notional = fine.get((day, line, asset, quote), nothing)
        sums.setdefault(day, []).append(
            [line, asset, quote, trades, _sum(quantity, more_quantity), _sum(notional, more_notional)]
        )
    return sums, sql


def _sum(a: Decimal, b: Decimal) -> str:
    from junbikin.figures.amounts import EXACT  # noqa: PLC0415

    return plain(EXACT.add(a, b))


def _must_exist(paths: Sequence[str]) -> None:
    for path in paths:
        if not Path(path).exists():
            raise FactsDamaged(
                "a file that the log names is missing", where=path, then="restore the facts folder from a backup"
            )
