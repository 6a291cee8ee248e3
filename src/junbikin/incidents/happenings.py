"""Everything that happened of an incident, by time: what people told, freezes, plans asked for and approved, runs, answers, disputes.

Nothing is put on record here; how it is said in words stands in `reports/happenings.py`.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import reduce
from typing import Any

from sqlalchemy import select

from junbikin.books.claims import Act, Approved, acts, plans_of
from junbikin.books.database import Books, telling
from junbikin.books.schema import records
from junbikin.errors import PositionProblem
from junbikin.figures import plain
from junbikin.figures.amounts import EXACT
from junbikin.incidents.disputes import disputes
from junbikin.incidents.incident import Incident
from junbikin.incidents.plan.document import plan_with
from junbikin.registry.requests import requests


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened: when it was so, what, and who put it on record and why.

    `kind` is an event's of the timeline, or `happened`, `found`, `frozen`, `thawed`, `asked`, `refused`, `approved`, `undone`, `sent`,
    `answered`, `withdrawn`, `disputed` or `decided`; `says` has what it is about.
    """

    at: datetime
    record: int
    by: str
    kind: str
    says: Mapping[str, Any]
    why: str
    recorded_at: datetime


def happenings(books: Books, of: Incident, known_at: datetime | None = None) -> tuple[Happening, ...]:
    """Everything of an incident as known at an instant (None: now), the earliest first."""
    found = (
        *_told(of), *_frozen(books, of), *_asked(books, of), *_disputed(books, of),
        *(each for plan in plans_of(books, of.id) for each in _planned(books, plan)),
    )  # fmt: skip
    known = (each for each in found if known_at is None or each.recorded_at <= known_at)
    return tuple(sorted(known, key=lambda each: (each.at, each.record)))


def _told(of: Incident) -> Iterator[Happening]:
    for event in of.events:
        rest = event.record, event.by, event.kind, event.says, event.why, event.recorded_at
        if event.kind != "opened":
            yield Happening(event.at, *rest)
            continue
        yield Happening(of.occurred_at, event.record, event.by, "happened", event.says, event.why, event.recorded_at)
        yield Happening(of.found_at, event.record, event.by, "found", event.says, event.why, event.recorded_at)
        yield Happening(event.recorded_at, *rest)


def _frozen(books: Books, of: Incident) -> Iterator[Happening]:
    """What was frozen for it, and opened again."""
    mine: dict[str, bool] = {}
    for row in _rows(books, records.c.kind == "asset_status"):
        says = json.loads(row.content)
        frozen = says["status"] == "frozen"
        if frozen:
            mine[row.subject] = says.get("incident") == of.id
        if mine.get(row.subject):
            kind = "frozen" if frozen else "thawed"
            yield Happening(
                row.effective_at, row.id, row.recorded_by, kind, {"asset": row.subject}, row.why, row.recorded_at
            )


def _asked(books: Books, of: Incident) -> Iterator[Happening]:
    """Plans that were asked for, and those that were refused."""
    for request in requests(books):
        says = request.content if request.action == "post" else {}
        if says.get("purpose") != "compensation" or says.get("incident") != of.id:
            continue
        about = {
            "plan": says["plan"],
            "name": says.get("name") or _name(books, of.id, says["plan"]),
            "request": request.number,
        }
        yield Happening(
            request.asked_at, request.number, request.asked_by, "asked", about, request.why, request.asked_at
        )
        if request.verdict == "refuse" and request.decided_at:
            yield Happening(
                request.decided_at, request.number, request.decided_by, "refused", about, request.decided_why, request.decided_at
            )  # fmt: skip


def _planned(books: Books, plan: Approved) -> Iterator[Happening]:
    """When a plan was approved and undone, the runs by which it was paid, and what came back, run by run and day by day."""
    about = {"plan": plan.plan, "name": str(plan.content.get("name") or _name(books, plan.incident, plan.plan))}
    yield Happening(plan.at, plan.record, plan.approved_by, "approved", about, "", plan.at)
    for row in _rows(books, (records.c.kind == "batch") & (records.c.key == f"reversal:{plan.record}")):
        yield Happening(row.effective_at, row.id, row.recorded_by, "undone", about, row.why, row.recorded_at)
    told = acts(books, plan.plan)
    zone = books.home.time_zone
    runs: dict[tuple[str, ...], list[Act]] = defaultdict(list)
    answers: dict[tuple[str, ...], list[Act]] = defaultdict(list)
    for act in told:
        run = act.asset, str(act.says.get("run", "")), str(act.says.get("channel", ""))
        if act.kind == "payout":
            runs[run].append(act)
        elif act.kind == "payout_result":
            answers[*run, act.recorded_at.astimezone(zone).date().isoformat(), str(_withdrawn(act))].append(act)
    yield from (_sent(about, of) for of in runs.values())
    yield from (_answered(about, of) for of in answers.values())


def _sent(about: Mapping[str, str], run: Sequence[Act]) -> Happening:
    first = min(run, key=lambda act: (act.recorded_at, act.record))
    says = {
        **about, "asset": first.asset, "run": first.says["run"], "channel": first.says["channel"], "value_on": first.says["value_on"],
        "people": sum(int(act.says["people"]) for act in run), "total": _sum(act.says["total"] for act in run),
    }  # fmt: skip
    return Happening(first.recorded_at, first.record, first.recorded_by, "sent", says, "", first.recorded_at)


def _answered(about: Mapping[str, str], run: Sequence[Act]) -> Happening:
    first = min(run, key=lambda act: (act.recorded_at, act.record))
    says = {
        **about, "asset": first.asset, "run": first.says["run"], "channel": first.says["channel"],
        "settled": sum(_count(act.says["settled"]) for act in run),
        "settled_total": _sum(act.says["settled_total"] for act in run),
        "returned": sum(_count(numbers) for act in run for numbers in act.says["returned"].values()),
        "returned_total": _sum(act.says["returned_total"] for act in run),
    }  # fmt: skip
    kind = "withdrawn" if _withdrawn(first) else "answered"
    return Happening(first.recorded_at, first.record, first.recorded_by, kind, says, "", first.recorded_at)


def _withdrawn(result: Act) -> bool:
    """Whether nobody answered, but two people took the sending back."""
    return "withdrawn" in result.says["returned"]


def _disputed(books: Books, of: Incident) -> Iterator[Happening]:
    for each in disputes(books, of.id):
        about = {"account": each.account, "asset": each.asset, "dispute": each.record}
        yield Happening(each.at, each.record, each.by, "disputed", about, each.why, each.at)
        if each.decision:
            says = about | {"verdict": str(each.decision.verdict), "adjustment": plain(each.decision.adjustment)}
            decision = each.decision
            yield Happening(decision.at, decision.record, decision.by, "decided", says, decision.why, decision.at)


def _rows(books: Books, condition: Any) -> list[Any]:
    query = (
        select(
            records.c.id, records.c.subject, records.c.effective_at, records.c.recorded_at, records.c.recorded_by,
            records.c.why, records.c.content,
        )
        .where(condition)
        .order_by(records.c.recorded_at, records.c.id)
    )  # fmt: skip
    with telling(books.home), books.engine.connect() as connection:
        return list(connection.execute(query))


def _name(books: Books, incident: str, plan: str) -> str:
    """What a plan is called, or "" when its files are not in this home."""
    try:
        return plan_with(books.home, incident, plan).name
    except PositionProblem:
        return ""


def _count(numbers: str) -> int:
    """How many numbers there are in a set."""
    return sum(int(end) - int(start) for start, end in re.findall(r"\[(\d+),(\d+)\)", numbers))


def _sum(amounts: Iterable[str]) -> str:
    return plain(reduce(EXACT.add, map(Decimal, amounts), Decimal(0)))
