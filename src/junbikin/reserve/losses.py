"""Incidents on record in the books as rows of the dataset `incidents`: what each took and what came back of it.

What else is on their timelines is read where incidents are followed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from functools import reduce
from typing import Any

from sqlalchemy import select

from junbikin.books.database import Books, telling
from junbikin.books.schema import records
from junbikin.figures.amounts import EXACT


def incidents_on_record(books: Books, at: datetime, known_at: datetime) -> list[dict[str, Any]]:
    """A row for each incident, as it was at an instant and known at another; in the home's currency, None where it is not known.

    Of what was taken of an asset at a place counts what was told last. An incident of which nothing is stated yet has no known loss.
    """
    query = (
        select(records.c.subject, records.c.id, records.c.content)
        .where(records.c.kind == "incident", records.c.effective_at <= at, records.c.recorded_at <= known_at)
        .order_by(records.c.recorded_at, records.c.id)
    )
    told: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    with telling(books.home), books.engine.connect() as connection:
        for incident, record, content in connection.execute(query):
            told.setdefault(incident, []).append((record, json.loads(content)))
    return [_row(books, incident, events) for incident, events in sorted(told.items())]


def _row(books: Books, incident: str, events: list[tuple[int, dict[str, Any]]]) -> dict[str, Any]:
    _, opened = events[0]
    last = {(says["asset"], says["place"]): says for _, says in events if says["event"] == "taken"}
    taken = {of: says for of, says in last.items() if says["quantity"] != "0"}
    storages = {says["storage"] for says in taken.values()}
    happened = datetime.fromisoformat(opened["occurred_at"]).astimezone(books.home.time_zone)
    return {
        "incident_id": incident,
        "occurred_on": happened.date(),
        "cause": opened["cause"],
        "storage": storages.pop() if len(storages) == 1 else None,
        "loss_jpy": _sum(says["value"] for says in taken.values()) if taken else None,
        "recovered_jpy": _sum(says["value"] for _, says in events if says["event"] == "recovered"),
        "evidence": f"books, records {', '.join(str(record) for record, _ in events)}",
    }


def _sum(values: Iterable[str | None]) -> Decimal | None:
    stated = list(values)
    return None if None in stated else reduce(EXACT.add, (Decimal(value or 0) for value in stated), Decimal(0))
