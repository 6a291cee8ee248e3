"""Custody day by day: how each duty stood on each day of which facts are known, and every figure at which it was judged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import islice

from junbikin.custody.day import CustodyDay, days_before
from junbikin.custody.judging import Views
from junbikin.custody.memory import Memory
from junbikin.errors import ParameterMissing
from junbikin.facts.run import Progress
from junbikin.findings import Severity

MOST_DAYS = 400
"""How many days are looked at, the last ones: a year and a month of calendar days."""


@dataclass(frozen=True, slots=True)
class PastDay:
    """A day: key of duty → how grave what it found was (None: kept), and key → value of the duties' steps (None: not known)."""

    as_of: date
    worst: dict[str, Severity | None]
    values: dict[str, Decimal | None]


def past(
    views: Views,
    day: CustodyDay,
    memory: Memory,
    most: int = MOST_DAYS,
    progress: Progress = lambda what, share: None,
) -> list[PastDay]:
    """The days of which balances or holdings are known up to a custody day, oldest first, and that day as the last.

    Those on which its regime was not in force are left out.
    """
    found: list[PastDay] = []
    wanted = [day.as_of, *islice(days_before(views.new(day.as_of)), most - 1)]
    for number, when in enumerate(wanted):
        progress(f"custody day by day, {day.rulebook.id}", number / len(wanted))
        view = views.new(when)
        try:
            worst, values = memory.worst(day.rulebook, view), memory.values(day.rulebook, view)
        except ParameterMissing:
            break
        found.append(PastDay(when, worst, values))
    return found[::-1]
