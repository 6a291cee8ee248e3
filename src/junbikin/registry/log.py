"""What the log says of a subject: in force at one instant, as known at another."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import distinct_on

from junbikin.books.database import Books, telling
from junbikin.books.schema import records


def said(
    books: Books, kind: str, at: datetime | None = None, known_at: datetime | None = None
) -> dict[str, dict[str, Any]]:
    """Subject → what was last said of it, by subject: effective by `at`, recorded by `known_at` (each None: ever)."""
    query = _said(kind)
    query = query.where(records.c.effective_at <= at) if at else query
    query = query.where(records.c.recorded_at <= known_at) if known_at else query
    with telling(books.home), books.engine.connect() as connection:
        return {subject: json.loads(content) for subject, content in sorted(connection.execute(query).all())}


def latest(books: Books, kind: str, subject: str) -> dict[str, Any] | None:
    """What was last said of one subject, or None."""
    with telling(books.home), books.engine.connect() as connection:
        row = connection.execute(_said(kind).where(records.c.subject == subject)).one_or_none()
    return None if row is None else dict(json.loads(row.content))


def _said(kind: str) -> Select[Any]:
    return (
        select(records.c.subject, records.c.content)
        .ext(distinct_on(records.c.subject))
        .where(records.c.kind == kind, records.c.subject.is_not(None))
        .order_by(records.c.subject, records.c.effective_at.desc(), records.c.recorded_at.desc())
    )
