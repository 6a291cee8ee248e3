"""Who pays."""

from __future__ import annotations

from dataclasses import dataclass

from junbikin.books.database import Books
from junbikin.books.journal import Actor


@dataclass(frozen=True, slots=True)
class Payer:
    """Who pays, out of which books, and why."""

    books: Books
    who: Actor
    why: str
