"""Geometry of the bars of a replay: who pays how much of what was needed, in whole thousandths of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from junbikin.figures import Figure, Name
from junbikin.figures.amounts import EXACT
from junbikin.incidents.replays.replay import Row
from junbikin.incidents.waterfall import KINDS
from junbikin.reports.charts import thousandths

COLOURS = {
    "guarantee": "#2f6f8f",
    "reserve": "#7fb2c8",
    "insurance": "#b9a44c",
    "own": "#9aa3a9",
    "outside": "#e0a030",
    "unpaid": "#b3261e",
    "unknown": "#cdb4dd",
}
NAMES = {
    **KINDS,
    "unpaid": Name("unpaid", "未払"),
    "unknown": Name("not known who", "負担者不明"),
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a bar, 1,000 wide in all; `amount` is exact."""

    kind: str
    x: int
    width: int
    amount: Decimal


def pieces(row: Row, needed: Figure) -> list[Piece]:
    """The bar of a regime from left to right; from the first source that is not known on, one piece says so. Empty for a stopped one."""
    found: list[Piece] = []
    done = Decimal(0)
    for kind, amount in _amounts(row, needed):
        start = thousandths(done, needed.value)
        done = EXACT.add(done, amount)
        found.append(Piece(kind, start, thousandths(done, needed.value) - start, amount))
    return [piece for piece in found if piece.amount]


def _amounts(row: Row, needed: Figure) -> Iterator[tuple[str, Decimal]]:
    unpaid = needed.value
    for line in row.lines:
        if unpaid is None:
            return
        if line.used.value is None:
            yield "unknown", unpaid
            return
        yield line.source.kind, line.used.value
        unpaid = line.unpaid_after.value
    if row.lines and unpaid:
        yield "unpaid", unpaid
