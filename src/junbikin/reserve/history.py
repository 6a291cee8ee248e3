"""Positions on record: each assessed one is chained into the books, and read back as a history."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from junbikin.books.database import Books, telling
from junbikin.books.schema import records
from junbikin.books.worked import put_on_record
from junbikin.calendars import fiscal_year
from junbikin.figures import Figure
from junbikin.home import Home
from junbikin.reserve.position import Position, summary


def record(books: Books, positions: Sequence[Position]) -> list[int]:
    """Puts positions on record, and returns their records; one that is there already is not recorded twice."""
    ordered = sorted(positions, key=lambda position: position.rulebook.id)
    return put_on_record(books, "position", [_recorded(books.home, position) for position in ordered])


def _recorded(home: Home, position: Position) -> tuple[str, datetime, dict[str, Any]]:
    year = fiscal_year(position.as_of, home.fiscal_year_starts)
    amounts = {
        part.key: part for part in (*position.steps, *(f.amount for f in position.findings if f.amount is not None))
    }
    content = {
        "as_of": position.as_of.isoformat(),
        "digest": position.digest,
        "year": year.name,
        "year_end": position.as_of == year.end,
        "accrual": _value(amounts.get("accrual")),
        "excess": _value(amounts.get("excess")),
        **summary(position.requirement, position.resources.total, position.gap),
    }
    return position.rulebook.id, home.end_of(position.as_of), content


def _value(figure: Figure | None) -> Any:
    return figure.node["value"] if figure is not None else None


@dataclass(frozen=True, slots=True)
class Point:
    """A position on record. An amount is None when it could not be known."""

    record: int
    rulebook: str
    as_of: date
    recorded_at: datetime
    digest: str
    currency: str
    requirement: Decimal | None
    resources: Decimal | None
    gap: Decimal | None


def history(books: Books, rulebook: str = "", *, every: bool = False) -> list[Point]:
    """Positions on record by rulebook and day: of each day the one recorded last, or with `every` all of them."""
    query = (
        select(records.c.id, records.c.subject, records.c.recorded_at, records.c.content)
        .where(records.c.kind == "position")
        .order_by(records.c.subject, records.c.effective_at, records.c.recorded_at)
    )
    query = query.where(records.c.subject == rulebook) if rulebook else query
    with telling(books.home), books.engine.connect() as connection:
        points = [_point(*row) for row in connection.execute(query)]
    return points if every else list({(point.rulebook, point.as_of): point for point in points}.values())


def _point(number: int, rulebook: str, recorded_at: datetime, content: str) -> Point:
    says = json.loads(content)
    requirement, resources, gap = (
        None if says[name] is None else Decimal(says[name]) for name in ("requirement", "resources", "gap")
    )
    as_of = date.fromisoformat(says["as_of"])
    return Point(number, rulebook, as_of, recorded_at, says["digest"], says["currency"], requirement, resources, gap)
