"""Geometry of the charts: whole-number coordinates for shapes, and beside each the exact amount as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from junbikin.figures import Figure
from junbikin.figures.amounts import EXACT

LINE_COLOURS = {
    "spot_venue": "#2f6f8f",
    "spot_principal": "#7fb2c8",
    "spot_brokered": "#b9a44c",
    "margin": "#9a5b3c",
    "derivative": "#6b5b95",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A horizontal bar: `share` in thousandths of the widest."""

    figure: Figure
    share: int


def bars(figures: Sequence[Figure]) -> list[Bar]:
    """One bar for each figure, against the greatest of them; an unknown one has no length."""
    top = max((abs(figure.value) for figure in figures if figure.value is not None), default=Decimal(0))
    return [Bar(figure, thousandths(figure.value, top)) for figure in figures]


def thousandths(value: Decimal | None, whole: Decimal | None) -> int:
    """`value` as thousandths of `whole`, down to a whole number; 0 when either is unknown or nothing."""
    if not value or not whole or whole <= 0:
        return 0
    return int(EXACT.multiply(abs(value), 1000) // whole)


@dataclass(frozen=True, slots=True)
class Block:
    """One line's part of a column, in a drawing 200 high; `amount` is exact."""

    x: int
    y: int
    width: int
    height: int
    colour: str
    time: str
    line: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Columns:
    """Volume by month or day, and line, stacked."""

    blocks: list[Block]
    labels: list[str]
    width: int
    lines: list[tuple[str, str]]
    top: Decimal
    by_day: bool


HEIGHT, WIDTH = 200, 1000


def volume_columns(volumes: Sequence[tuple[str, str, Decimal]], most: int = 36) -> Columns | None:
    """Stacked columns by month, the last `most`; by day when all lies within two months; None without any."""
    if not volumes:
        return None
    by_day = len({day[:7] for day, _, _ in volumes}) <= 2
    amounts: dict[tuple[str, str], Decimal] = {}
    for day, line, amount in volumes:
        key = (day if by_day else day[:7], line)
        amounts[key] = EXACT.add(amounts.get(key, Decimal(0)), amount)
    times = sorted({time for time, _ in amounts})[-(62 if by_day else most) :]
    sums = [sum((amounts.get((time, line), Decimal(0)) for line in LINE_COLOURS), Decimal(0)) for time in times]
    step = WIDTH // max(len(times), 12)
    blocks = [
        block for index, time in enumerate(times) for block in _column(index * step, step, time, amounts, max(sums))
    ]
    marked = sorted({0, len(times) // 3, 2 * len(times) // 3, len(times) - 1})
    labels = [times[index] for index in marked]
    present = [(line, colour) for line, colour in LINE_COLOURS.items() if any(key[1] == line for key in amounts)]
    return Columns(blocks, labels, step * len(times), present, max(sums), by_day)


def _column(x: int, step: int, time: str, amounts: Mapping[tuple[str, str], Decimal], top: Decimal) -> list[Block]:
    blocks, base = [], HEIGHT
    for line, colour in LINE_COLOURS.items():
        amount = amounts.get((time, line))
        if amount:
            height = max(1, int(amount * HEIGHT // top))
            base -= height
            blocks.append(Block(x, base, max(step - 4, 3), height, colour, time, line, amount))
    return blocks
