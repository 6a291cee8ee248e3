"""Geometry of the charts of custody over time: whole-number coordinates for shapes, and beside each the exact amount as text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby

from junbikin.custody.past import PastDay
from junbikin.figures.amounts import EXACT
from junbikin.findings import Severity
from junbikin.reports.charts import thousandths

WIDTH, HEIGHT = 1000, 160
SPARK = 40
"""Height of the small drawing of one asset."""


@dataclass(frozen=True, slots=True)
class Dot:
    """A day's value in a drawing; `bad` when it is on the wrong side."""

    x: int
    y: int
    day: date
    value: Decimal
    bad: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A value day by day, in pieces without a hole; `mark` is how high the limit stands, `top` the value at the top edge."""

    pieces: list[list[Dot]]
    mark: int
    top: Decimal
    labels: list[date]

    @property
    def dots(self) -> list[Dot]:
        """Every day that has a value."""
        return [dot for piece in self.pieces for dot in piece]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days in a row on which a duty stood the same; None: kept."""

    x: int
    width: int
    severity: Severity | None
    first: date
    last: date


def share_line(past: Sequence[PastDay], limit: Decimal) -> Line | None:
    """The share outside cold storage day by day: the one share of all, or of each day the largest of any asset; None without any."""
    values = [(day.as_of, _share(day)) for day in past]
    known = [value for _, value in values if value is not None]
    if not known:
        return None
    top = EXACT.multiply(max(*known, limit), Decimal("1.15"))

    def high(value: Decimal) -> int:
        return HEIGHT - thousandths(value, top) * HEIGHT // 1000

    return Line(_pieces(values, high, lambda value: value > limit), high(limit), top, [past[0].as_of, past[-1].as_of])


def _share(day: PastDay) -> Decimal | None:
    shares = [value for key, value in day.values.items() if key == "hot_share" or key.startswith("hot_share.")]
    return max((value for value in shares if value is not None), default=None)


def gap_line(past: Sequence[PastDay], gap: str, owed: str) -> Line | None:
    """What is held above what is owed, as a share of it, day by day, around the line of nothing; None without any."""
    values = [(day.as_of, _beside(day.values.get(gap), day.values.get(owed))) for day in past]
    known = [abs(value) for _, value in values if value is not None]
    if not known:
        return None
    top = max(known)
    middle = SPARK // 2

    def high(value: Decimal) -> int:
        reach = thousandths(value, top) * middle // 1000
        return middle + reach if value < 0 else middle - reach

    return Line(_pieces(values, high, lambda value: value < 0), middle, top, [past[0].as_of, past[-1].as_of])


def _beside(gap: Decimal | None, owed: Decimal | None) -> Decimal | None:
    """Thousandths of a thousandth, which is finer than a drawing needs."""
    if gap is None or not owed:
        return None
    return EXACT.multiply(gap, 1_000_000) // owed / 1_000_000


def _pieces(
    values: Sequence[tuple[date, Decimal | None]], high: Callable[[Decimal], int], bad: Callable[[Decimal], bool]
) -> list[list[Dot]]:
    days = [day for day, _ in values]
    at, half = _along(days), WIDTH // ((days[-1] - days[0]).days + 1) // 2
    pieces = []
    for known, run in groupby(values, key=lambda pair: pair[1] is not None):
        if known:
            pieces.append([Dot(at[day][0] + half, high(v), day, v, bad(v)) for day, v in run if v is not None])
    return pieces


def stretches(past: Sequence[PastDay], duty: str) -> list[Stretch]:
    """How a duty stood from the first day to the last: a day's state lasts until the next day that is known."""
    at = _along([day.as_of for day in past])
    found = []
    for severity, run in groupby(past, key=lambda day: day.worst.get(duty)):
        days = list(run)
        first, last = days[0].as_of, days[-1].as_of
        found.append(Stretch(at[first][0], sum(at[last]) - at[first][0], severity, first, last))
    return found


def _along(days: Sequence[date]) -> dict[date, tuple[int, int]]:
    """Day → where it begins and how wide it is until the next one, in a drawing 1,000 wide."""
    whole = (days[-1] - days[0]).days + 1
    begins = [(day - days[0]).days * WIDTH // whole for day in days]
    ends = [*begins[1:], WIDTH]
    return {day: (begin, end - begin) for day, begin, end in zip(days, begins, ends, strict=True)}
