"""Custody day by day: what lapsed on each day of which facts are known, and every figure at which its duties were judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import islice

from junbikin.custody.day import CustodyDay, days_before
from junbikin.custody.judging import views_of
from junbikin.custody.memory import Memory
from junbikin.errors import ParameterMissing
from junbikin.facts.run import Progress
from junbikin.home import Home
from junbikin.reserve.ledger import Ledger

MOST_DAYS = 400
"""How many days are looked at, the last ones: a year and a month."""


@dataclass(frozen=True, slots=True)
class PastDay:
    """A day: code and subject of what lapsed, and key → value of the duties' steps (None: not known)."""

    as_of: date
    lapsed: frozenset[tuple[str, str]]
    values: dict[str, Decimal | None]


def past(
    home: Home,
    days: Sequence[CustodyDay],
    ledger: Ledger | None,
    most: int = MOST_DAYS,
    progress: Progress = lambda what, share: None,
) -> list[list[PastDay]]:
    """For each custody day the days up to it, oldest first, itself the last; those before its regime was in force are left out."""
    views = views_of(home, ledger)
    memory = Memory(home.path / "cache" / "custody.json")
    found = []
    for day in days:
        so_far: list[PastDay] = []
        wanted = [day.as_of, *islice(days_before(views.on(day.as_of)), most - 1)]
        for number, when in enumerate(wanted):
            progress(f"custody day by day, {day.rulebook.id}", number / len(wanted))
            view = views.new(when)
            try:
                lapsed, values = memory.lapses(day.rulebook, view), memory.values(day.rulebook, view)
            except ParameterMissing:
                break
            so_far.append(PastDay(when, frozenset(lapsed), values))
        found.append(so_far[::-1])
    memory.write()
    return found
