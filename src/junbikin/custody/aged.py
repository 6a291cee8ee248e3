"""The breaks of the last reconciliation on record, by class and by age."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from junbikin.books.database import Books
from junbikin.custody.reconcile.breaks import ORDER, Kind
from junbikin.custody.reconcile.listing import read
from junbikin.custody.reconcile.recorded import Recorded, every, list_of
from junbikin.facts.engine import connect
from junbikin.figures import Name
from junbikin.figures.amounts import EXACT

AGES = (
    (0, Name("new", "当日")),
    (2, Name("1–2 days", "1～2日")),
    (7, Name("3–7 days", "3～7日")),
    (30, Name("8–30 days", "8～30日")),
    (None, Name("over 30 days", "30日超")),
)
"""To how many days each age reaches, and what it is called."""


@dataclass(frozen=True, slots=True)
class Class:
    """The breaks of one class: how many of each of `AGES`, since when the oldest, and asset → what the amounts come to."""

    kind: Kind
    counts: tuple[int, ...]
    oldest: date
    amounts: tuple[tuple[str, Decimal], ...]

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class Aged:
    """The breaks of a reconciliation on record, the gravest class first; `classes` is None when their list is not in this home."""

    recorded: Recorded
    classes: tuple[Class, ...] | None


def aged(books: Books, as_of: date, known_at: datetime) -> Aged | None:
    """Those of the last reconciliation of `as_of` or before that was on record at `known_at`; None when there is none.

    Raises `FactsDamaged` on a list that was changed.
    """
    known = (each for each in every(books) if each.as_of <= as_of and each.recorded_at <= known_at)
    recorded = next(known, None)
    if recorded is None:
        return None
    path = list_of(books.home, recorded)
    if path is None:
        return Aged(recorded, None)
    engine = connect(books.home.memory_limit)
    try:
        rows = engine.execute(
            f"SELECT class, asset, DATE '{recorded.as_of}' - since AS days, count(*), min(since), sum(amount) FROM ({read(path)}) GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    finally:
        engine.close()
    return Aged(
        recorded,
        tuple(
            _class(kind, [row[1:] for row in rows if row[0] == kind])
            for kind in ORDER
            if any(row[0] == kind for row in rows)
        ),
    )


def _class(kind: Kind, rows: list[tuple[str, int, int, date, Decimal | None]]) -> Class:
    counts = [0] * len(AGES)
    amounts: dict[str, Decimal] = {}
    for asset, days, count, _, amount in rows:
        counts[next(index for index, (most, _) in enumerate(AGES) if most is None or days <= most)] += count
        if amount is not None and asset:
            amounts[asset] = EXACT.add(amounts.get(asset, Decimal(0)), amount)
    return Class(kind, tuple(counts), min(since for *_, since, _ in rows), tuple(sorted(amounts.items())))
