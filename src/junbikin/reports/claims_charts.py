"""Geometry of how payment went over time: whole-number coordinates, and beside each step how many stood how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from junbikin.incidents.claims import Moment

WIDTH, HEIGHT = 1000, 200
COLOURS = {"settled": "#2f6f8f", "out": "#8fbccd", "returned": "#d9a400"}


@dataclass(frozen=True, slots=True)
class Step:
    """How many stood how from one moment to the next: a column of pieces from the bottom, in a drawing 1,000 wide and 200 high."""

    x: int
    width: int
    moment: Moment
    pieces: tuple[tuple[str, int, int], ...]
    """Colour, top and height of each."""


@dataclass(frozen=True, slots=True)
class Chart:
    """The wait from the discovery to the approval, which is not drawn to scale, and the steps from the approval to now."""

    waited: timedelta
    steps: tuple[Step, ...]


def chart(history: Sequence[Moment], people: int, found: datetime, approved: datetime, end: datetime) -> Chart | None:
    """The drawing of one asset's payments; None when nothing was sent."""
    if not history:
        return None
    return Chart(approved - found, tuple(steps(history, people, approved, end)))


def steps(history: Sequence[Moment], people: int, start: datetime, end: datetime) -> list[Step]:
    """One step for each place on the drawing at which something changed; of several at one place the last."""
    last = {_place(moment.at, start, end): moment for moment in history}
    places = sorted(last)
    ends = [*places, WIDTH][1:]
    return [
        Step(x, max(after - x, 1), last[x], _pieces(last[x], people))
        for x, after in zip(places, ends, strict=True)
    ]  # fmt: skip


def _place(at: datetime, start: datetime, end: datetime) -> int:
    whole = (end - start).total_seconds()
    return min(max(int((at - start).total_seconds() * WIDTH // whole), 0), WIDTH - 1) if whole > 0 else 0


def _pieces(moment: Moment, people: int) -> tuple[tuple[str, int, int], ...]:
    found, done = [], 0
    for name, colour in COLOURS.items():
        bottom = HEIGHT * done // people if people else 0
        done += getattr(moment, name)
        top = HEIGHT * done // people if people else 0
        if top > bottom:
            found.append((colour, HEIGHT - top, top - bottom))
    return tuple(found)
