"""Requests and approvals (二者承認): what one person asks for takes effect when another approves it, once."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import rfc8785
from sqlalchemy import Select, Text, cast, select

from junbikin.books.batch import Batch
from junbikin.books.database import Books, telling
from junbikin.books.journal import Actor
from junbikin.books.schema import records
from junbikin.errors import BooksRefused


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it stands; `verdict` is "" while it waits, `effect` the record that came of it."""

    number: int
    action: str
    says: dict[str, Any]
    why: str
    asked_by: str
    asked_at: datetime
    verdict: str
    decided_by: str
    decided_at: datetime | None
    decided_why: str
    effect: int | None

    @property
    def content(self) -> dict[str, Any]:
        """What would go on record: of the batch when it is to be posted, else of the subject."""
        if self.action != "post":
            return dict(self.says["says"])
        return dict(json.loads(self.says["inline"]["content"])) if "inline" in self.says else {}

    @property
    def subject(self) -> str:
        """What it is about: the keys of the batches, or the subject."""
        return ", ".join(self.says["batches"]) if self.action == "post" else str(self.says["subject"])

    @property
    def effective_at(self) -> str | None:
        """From when it would hold, as ISO 8601; None means when it is decided."""
        at: str | None = self.says.get("inline", self.says).get("effective_at")
        return at


def ask_to_post(books: Books, who: Actor, batch: Batch) -> int:
    """Asks for a batch to be posted once somebody else approves it. Returns the request's number.

    The same batch again gives the same request.
    """
    entries = batch.entries
    digest = books.call(
        "batch_digest_hex", batch.key, batch.effective_at, batch.content, entries.numbers, entries.amounts
    )
    inline = {
        "key": batch.key,
        "effective_at": batch.effective_at.isoformat() if batch.effective_at else None,
        "content": batch.content,
        "accounts": entries.numbers[1:-1].split(","),
        "amounts": entries.amounts[1:-1].split(","),
    }
    content = {"action": "post", "batches": {batch.key: digest}, "inline": inline}
    return _ask(books, who, f"post:{batch.key}", batch.why, content)


def ask_to_record(
    books: Books,
    who: Actor,
    action: str,
    subject: str,
    says: dict[str, Any],
    why: str,
    effective_at: datetime | None = None,
) -> int:
    """Asks for something to be put on record of a subject. Returns the request's number."""
    at = effective_at.isoformat() if effective_at else None
    content = {"action": action, "subject": subject, "says": says, "effective_at": at}
    return _ask(books, who, f"{action}:{subject}:{uuid.uuid4()}", why, content)


def _ask(books: Books, who: Actor, key: str, why: str, content: dict[str, Any]) -> int:
    return int(books.call("request", who.name, who.secret, key, why, rfc8785.dumps(content).decode()))


def decide(books: Books, who: Actor, number: int, verdict: str, why: str) -> int | None:
    """Approves or refuses a request. Returns the record that came of it, if one did at once."""
    effect = books.call("decide", who.name, who.secret, number, verdict, why)
    return None if effect is None else int(effect)


def requests(books: Books) -> list[Request]:
    """Every request with what became of it, oldest first."""
    with telling(books.home), books.engine.connect() as connection:
        return [_request(row) for row in connection.execute(_requests())]


def request_numbered(books: Books, number: int) -> Request:
    """One request with what became of it. Raises `BooksRefused` when there is none of this number."""
    with telling(books.home), books.engine.connect() as connection:
        row = connection.execute(_requests(number)).one_or_none()
    if row is None:
        raise BooksRefused(f"there is no request {number}", then="see `junbikin request list`")
    return _request(row)


def _requests(number: int | None = None) -> Select[Any]:
    asked, decided, effect = records.alias("asked"), records.alias("decided"), records.alias("effect")
    query = (
        select(
            asked.c.id, asked.c.content, asked.c.why, asked.c.recorded_by, asked.c.recorded_at,
            decided.c.content, decided.c.recorded_by, decided.c.recorded_at, decided.c.why,
            select(effect.c.id).where(effect.c.request == asked.c.id, effect.c.kind != "decision").order_by(effect.c.id).limit(1)
            .scalar_subquery(),
        )
        .outerjoin(decided, (decided.c.kind == "decision") & (decided.c.key == cast(asked.c.id, Text)))
        .where(asked.c.kind == "request")
        .order_by(asked.c.recorded_at)
    )  # fmt: skip
    return query if number is None else query.where(asked.c.id == number)


def _request(row: Sequence[Any]) -> Request:
    number, content, why, by, at, decision, decided_by, decided_at, decided_why, effect = row
    says = json.loads(content)
    verdict = json.loads(decision)["verdict"] if decision else ""
    return Request(
        number, says["action"], says, why, by, at, verdict, decided_by or "", decided_at, decided_why or "", effect
    )
