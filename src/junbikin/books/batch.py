"""A batch before it is posted: what it says, its entries as whole columns, and the key that makes posting it again harmless."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import rfc8785

from junbikin.figures import exact, plain


@dataclass(frozen=True, slots=True)
class Entries:
    """Accounts by number and what each receives (below 0: pays), in order, as literals of `bigint[]` and `numeric[]`."""

    numbers: str
    amounts: str

    @classmethod
    def of(cls, numbers: Iterable[int], amounts: Iterable[Decimal | int | str]) -> Entries:
        """The entries of as many numbers as amounts. Raises `BadInput` on an amount that is not exact."""
        return cls("{" + ",".join(map(str, numbers)) + "}", "{" + ",".join(plain(exact(a)) for a in amounts) + "}")


@dataclass(frozen=True, slots=True)
class Batch:
    """What is posted as one: entries that balance asset by asset, for one purpose, at one time.

    `content` is what it says (see `saying`): its `purpose`, and `evidence`, `reference`, `plan` and the like.
    `effective_at` None means: when it is recorded.
    """

    key: str
    content: str
    entries: Entries
    why: str
    effective_at: datetime | None = None


def saying(says: Mapping[str, str]) -> str:
    """What a batch says as canonical JSON (RFC 8785)."""
    return rfc8785.dumps(dict(says)).decode()


def key_of(says: Mapping[str, str], entries: Entries, effective_at: datetime | None) -> str:
    """A key made of everything that a batch says: the same has the same key, anything else another."""
    at = effective_at.isoformat() if effective_at else ""
    whole = "\n".join((saying(says), at, entries.numbers, entries.amounts))
    return f"{says['purpose']}:{hashlib.sha256(whole.encode()).hexdigest()[:24]}"
