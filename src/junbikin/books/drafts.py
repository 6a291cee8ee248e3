"""A batch that is not posted yet: what it says, its entries, and the key that makes posting it again harmless."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

import rfc8785
from sqlalchemy import select

from junbikin.books.columns import Entries
from junbikin.books.database import Books, telling
from junbikin.books.schema import records


@dataclass(frozen=True, slots=True)
class Draft:
    """`says` holds the purpose and its grounds as text; `effective_at` None means: when it is recorded."""

    says: dict[str, str]
    entries: Entries
    effective_at: datetime | None = None
    stated_key: str | None = None

    @property
    def content(self) -> str:
        """What it says as canonical JSON (RFC 8785)."""
        return rfc8785.dumps(self.says).decode()

    @property
    def key(self) -> str:
        """The key stated, else one made of everything that it says: the same draft has the same key, another has another."""
        if self.stated_key:
            return self.stated_key
        at = self.effective_at.isoformat() if self.effective_at else ""
        whole = "\n".join((self.content, at, self.entries.numbers, self.entries.amounts))
        return f"{self.says['purpose']}:{hashlib.sha256(whole.encode()).hexdigest()[:24]}"


def posted(books: Books, key: str) -> int | None:
    """The record of the batch with this key, if there is one."""
    with telling(books.home), books.engine.connect() as connection:
        return connection.scalar(select(records.c.id).where(records.c.kind == "batch", records.c.key == key))
