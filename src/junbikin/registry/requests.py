"""Requests and approvals (二者承認): what one person asks for takes effect when another approves it, once."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import rfc8785
from sqlalchemy import Integer, cast, select

from junbikin.books.database import Books, telling
from junbikin.books.journal import Actor, Batch
from junbikin.books.schema import records


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


def ask_to_post(books: Books, who: Actor, batch: Batch) -> int:
    """Asks for a batch to be posted once somebody else approves it. Returns the request's number."""
    numbers, amounts = batch.sql
    at = batch.effective_at
    digest = books.call("batch_digest_hex", batch.key, at, batch.content, numbers, amounts)
    inline = {
        "key": batch.key,
        "effective_at": at.isoformat() if at else None,
        "content": batch.content,
        "accounts": numbers[1:-1].split(","),
        "amounts": amounts[1:-1].split(","),
    }
    return _ask(
        books, who, f"post:{batch.key}", batch.why, {"action": "post", "batches": {batch.key: digest}, "inline": inline}
    )


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
    asked, decided, effect = records.alias("asked"), records.alias("decided"), records.alias("effect")
    query = (
        select(
            asked.c.id, asked.c.content, asked.c.why, asked.c.recorded_by, asked.c.recorded_at,
            decided.c.content, decided.c.recorded_by, decided.c.recorded_at, decided.c.why,
            select(effect.c.id).where(effect.c.request == asked.c.id, effect.c.kind != "decision").order_by(effect.c.id).limit(1)
            .scalar_subquery(),
        )
        .outerjoin(decided, (decided.c.kind == "decision") & (cast(decided.c.subject, Integer) == asked.c.id))
        .where(asked.c.kind == "request")
        .order_by(asked.c.recorded_at)
    )  # fmt: skip
    with telling(books.home), books.engine.connect() as connection:
        return [_request(row) for row in connection.execute(query)]


def _request(row: Sequence[Any]) -> Request:
    number, content, why, by, at, decision, decided_by, decided_at, decided_why, effect = row
    says = json.loads(content)
    verdict = json.loads(decision)["verdict"] if decision else ""
    return Request(
        number, says["action"], says, why, by, at, verdict, decided_by or "", decided_at, decided_why or "", effect
    )
