"""What the registry says of places and of who keeps them, on any day, from one reading of the log."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from junbikin.books.database import Books, telling
from junbikin.books.schema import records

_KINDS = ("place", "provider")


@dataclass(frozen=True, slots=True)
class Registered:
    """Places and providers in force: id → what was last said of each."""

    places: dict[str, dict[str, Any]]
    providers: dict[str, dict[str, Any]]

    def provider(self, named: str) -> str:
        """The id of a provider, given that or its name; what was given when neither is known."""
        if named in self.providers:
            return named
        return next((id for id, says in self.providers.items() if says["name"] == named), named)


@dataclass(frozen=True)
class Registry:
    """Every word on places and providers that was recorded by `known_at`, oldest first."""

    books: Books
    known_at: datetime
    words: tuple[tuple[str, str, datetime, dict[str, Any]], ...]

    def on(self, day: date) -> Registered:
        """What was in force at the end of a day."""
        at = self.books.home.end_of(day)
        found: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in _KINDS}
        for kind, subject, effective_at, says in self.words:
            if effective_at <= at:
                found[kind][subject] = says
        return Registered(found["place"], found["provider"])


def read_registry(books: Books, known_at: datetime) -> Registry:
    """The registry as known at an instant."""
    query = (
        select(records.c.kind, records.c.subject, records.c.effective_at, records.c.content)
        .where(records.c.kind.in_(_KINDS), records.c.recorded_at <= known_at)
        .order_by(records.c.effective_at, records.c.recorded_at)
    )
    with telling(books.home), books.engine.connect() as connection:
        rows = connection.execute(query).all()
    return Registry(books, known_at, tuple((kind, subject, at, json.loads(says)) for kind, subject, at, says in rows))
