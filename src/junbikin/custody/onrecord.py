"""Custody days on record: each is chained into the books by its digest, with what it found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from junbikin.books.database import Books
from junbikin.books.worked import put_on_record
from junbikin.custody.day import CustodyDay

KIND = "custody"


def record(books: Books, days: Sequence[CustodyDay]) -> list[int]:
    """Puts custody days on record, and returns their records in order; one that is there already is not recorded twice."""
    return put_on_record(books, KIND, [(day.rulebook.id, books.home.end_of(day.as_of), _said(day)) for day in days])


def _said(day: CustodyDay) -> dict[str, Any]:
    return {
        "as_of": day.as_of.isoformat(),
        "digest": day.digest,
        "worst": day.worst.name.lower() if day.worst else None,
        "duties": {duty.key: duty.verdict.en for duty in day.duties},
    }
