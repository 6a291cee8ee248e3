"""The digests of the books in Python: a second implementation, by the written format (docs/books-format.md), of what the database works out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any


def start_of(strand: int) -> bytes:
    """What the first record of a strand follows."""
    return hashlib.sha256(f"junbikin strand {strand}".encode()).digest()


def instant(at: datetime) -> str:
    """An instant as the books write it: UTC, microseconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def entries_digest(accounts: Sequence[int | None] | None, amounts: Sequence[Decimal | None] | None) -> bytes | None:
    """The digest of a batch's entries, or None for a record without any. Amounts keep their trailing zeros."""
    if accounts is None or amounts is None:
        return None
    numbers = ("NULL" if account is None else str(account) for account in accounts)
    plain = ("NULL" if amount is None else f"{amount:f}" for amount in amounts)
    lines = (",".join(numbers), ",".join(plain))
    return hashlib.sha256("\n".join(lines).encode()).digest()


def record_digest(record: Mapping[str, Any]) -> bytes:
    """The digest of a record, given as column → value of `books.records`; `entries_digest` is taken as it stands there."""
    entries = record["entries_digest"]
    lines = (
        "junbikin-record-1",
        record["previous"].hex(),
        record["id"],
        record["strand"],
        record["link"],
        record["kind"],
        record["subject"] or "",
        record["key"],
        instant(record["effective_at"]),
        instant(record["recorded_at"]),
        record["recorded_by"],
        record["why"],
        "" if record["request"] is None else record["request"],
        "" if entries is None else entries.hex(),
        record["content"],
    )
    return hashlib.sha256("\n".join(map(str, lines)).encode()).digest()


def batch_digest(key: str, effective_at: datetime | None, entries: bytes, content: str) -> bytes:
    """The digest that an approval names; `effective_at` None means: when it is recorded."""
    at = "" if effective_at is None else instant(effective_at)
    return hashlib.sha256("\n".join(("junbikin-batch-1", key, at, entries.hex(), content)).encode()).digest()


def heads_digest(heads: Sequence[tuple[int, int, bytes]]) -> str:
    """One digest, in hex, over the ends of all strands: number, length and head of each, by number."""
    lines = (f"{strand} {length} {head.hex()}\n" for strand, length, head in sorted(heads))
    return hashlib.sha256("".join(lines).encode()).hexdigest()
