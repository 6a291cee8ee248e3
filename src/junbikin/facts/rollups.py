"""Rollups: the trades of each day summed by line, asset and quote, kept so that a day is summed once.

A day's sums are kept beside the digest of the segments that they sum; when a day's segments change, only that
day is summed again. The sums are exact: price × quantity is worked in 38 digits at 16 decimals, and what a
quantity has beyond 8 decimals is multiplied apart at 26.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from junbikin.facts.lake import Lake
from junbikin.facts.log import Segment
from junbikin.figures import plain
from junbikin.figures.amounts import EXACT

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


def day_volumes(lake: Lake, start: date, end: date) -> list[DayVolume]:
    """The sums of every day of trades between two days, in order; only days not summed before are read."""
    days = lake.days("trades", start, end)
    cache = lake.cache / "trades.json" if lake.cache else None
    kept = _read(cache)
    wanted = {day: _digest(segments) for day, segments in days.items()}
    found = {day: kept[day]["rows"] for day in wanted if kept.get(day, {}).get("of") == wanted[day]}
    new = {day: segments for day, segments in days.items() if day not in found}
    if new:
        sums = _summed(lake, new)
        fresh = {day: {"of": wanted[day], "rows": sums.get(day, [])} for day in new}
        found |= {day: entry["rows"] for day, entry in fresh.items()}
        if cache is not None:
            _write(cache, kept | fresh)
    return [
        DayVolume(day, line, asset, quote, trades, Decimal(quantity), Decimal(notional))
        for day in sorted(found)
        for line, asset, quote, trades, quantity, notional in found[day]
    ]


def _digest(segments: Sequence[Segment]) -> str:
    return hashlib.sha256("\n".join(sorted(segment.sha256 for segment in segments)).encode()).hexdigest()


def _read(cache: Path | None) -> dict[str, Any]:
    if cache is None or not cache.exists():
        return {}
    try:
        kept = json.loads(cache.read_bytes())
    except ValueError:
        return {}
    return dict(kept["days"]) if kept.get("version") == VERSION else {}


def _write(cache: Path, days: dict[str, Any]) -> None:
    cache.parent.mkdir(parents=True, exist_ok=True)
    fresh = cache.with_suffix(".new")
    fresh.write_text(json.dumps({"version": VERSION, "days": days}, separators=(",", ":")))
    fresh.replace(cache)


def _summed(lake: Lake, days: dict[str, list[Segment]]) -> dict[str, list[list[Any]]]:
    rests = {row[:4]: row[4:] for row in lake.run("trade_rests", days)}
    nothing = (Decimal(0), Decimal(0))
    sums: dict[str, list[list[Any]]] = {}
    for day, line, asset, quote, trades, quantity, notional in lake.run("trade_sums", days):
        more_quantity, more_notional = rests.get((day, line, asset, quote), nothing)
        sums.setdefault(day, []).append(
            [line, asset, quote, trades, _sum(quantity, more_quantity), _sum(notional, more_notional)]
        )
    return sums


def _sum(a: Decimal, b: Decimal) -> str:
    return plain(EXACT.add(a, b))
