"""The timeline of an incident: what was put on record of it, event by event. It only grows.

What the events amount to is told in `incident.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import rfc8785
from sqlalchemy import func, select

from junbikin.books.database import Books, telling
from junbikin.books.journal import Actor
from junbikin.books.schema import records
from junbikin.errors import BadInput, BooksRefused

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
"""How an incident is named: the name is also a folder's, and part of accounts."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event: when it was so, when and by whom it was put on record and why, and what it says."""

    record: int
    at: datetime
    recorded_at: datetime
    by: str
    why: str
    says: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """What happened: `opened`, `taken`, `state`, `note`, `reported` or `recovered`."""
        return str(self.says["event"])


def tell(books: Books, who: Actor, incident: str, says: Mapping[str, Any], why: str, at: datetime | None = None) -> int:
    """Puts one event on record, effective at an instant (None: when it is recorded). Returns the record.

    Raises `BooksRefused` in the books' own words.
    """
    content = rfc8785.dumps(dict(says)).decode()
    return int(books.call("tell_incident", who.name, who.secret, incident, at, why, content))


def named(incident: str) -> str:
    """The name, if it can be one. Raises `BadInput` otherwise."""
    if not ID.fullmatch(incident):
        raise BadInput(
            f"{incident!r} cannot name an incident", then="use letters, digits, dot, dash and underscore, at most 64"
        )
    return incident


def alike(books: Books, incident: str) -> tuple[str, ...]:
    """The incidents of this name, also in other capitals: on some file systems their folders would be one."""
    query = (
        select(records.c.subject)
        .distinct()
        .where(records.c.kind == "incident", func.lower(records.c.subject) == incident.lower())
    )
    with telling(books.home), books.engine.connect() as connection:
        return tuple(sorted(connection.scalars(query)))


def events(books: Books, incident: str, known_at: datetime | None = None) -> tuple[Event, ...]:
    """The events of one incident in the order in which they were put on record, as known at an instant (None: now)."""
    return timelines(books, known_at, incident).get(incident, ())


def timelines(books: Books, known_at: datetime | None = None, only: str | None = None) -> dict[str, tuple[Event, ...]]:
    """Incident → its events in the order in which they were put on record; incidents in the order of their first."""
    query = (
        select(
            records.c.subject, records.c.id, records.c.effective_at, records.c.recorded_at, records.c.recorded_by,
            records.c.why, records.c.content,
        )
        .where(records.c.kind == "incident")
        .order_by(records.c.recorded_at, records.c.id)
    )  # fmt: skip
    query = query.where(records.c.recorded_at <= known_at) if known_at else query
    query = query.where(records.c.subject == only) if only else query
    found: dict[str, list[Event]] = {}
    with telling(books.home), books.engine.connect() as connection:
        for row in connection.execute(query):
            event = Event(row.id, row.effective_at, row.recorded_at, row.recorded_by, row.why, json.loads(row.content))
            found.setdefault(row.subject, []).append(event)
    return {incident: tuple(told) for incident, told in found.items()}


def must_be_there(incident: str, told: tuple[Event, ...]) -> tuple[Event, ...]:
    """The events, if there are any. Raises `BooksRefused` when no incident of that name was opened."""
    if not told:
        raise BooksRefused(f"there is no incident {incident}", then="see `junbikin incident list`, or open it")
    return told
