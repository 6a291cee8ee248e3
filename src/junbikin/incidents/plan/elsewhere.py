"""What other plans say, of every incident: whom else they make good (二重払いの防止), and what they expect of insurers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import duckdb

from junbikin.books.claims import Approved, plans_of
from junbikin.books.database import Books
from junbikin.facts.engine import connect, identifier
from junbikin.facts.engine import file as one_file
from junbikin.figures import Name, exact
from junbikin.incidents.plan.document import Plan, plan_with
from junbikin.incidents.timeline import timelines
from junbikin.registry.requests import requests


@dataclass(frozen=True, slots=True)
class Expected:
    """What a plan that stands expects of a policy later, in yen, since it was approved."""

    incident: str
    policy: str
    amount: Decimal
    since: datetime


def standing(books: Books) -> tuple[Approved, ...]:
    """The approved plans of every incident that were not undone."""
    return tuple(one for incident in timelines(books) for one in plans_of(books, incident) if not one.reversed)


def standings(books: Books, incident: str) -> dict[str, Name]:
    """Digest → how far the approval of an incident's plan is, of those that somebody was asked to approve."""
    found = {}
    for request in requests(books):
        says = request.content if request.action == "post" else {}
        if (says.get("purpose"), says.get("incident")) == ("compensation", incident):
            number = request.number
            words = {
                "": Name(f"request {number} waits", f"承認待ち（申請{number}）"),
                "refuse": Name(f"request {number} was refused", f"却下（申請{number}）"),
            }
            found[str(says["plan"])] = words.get(request.verdict, Name("approved, not posted", "承認済（未記帳）"))
    for one in plans_of(books, incident):
        approved = Name(f"approved (record {one.record})", f"承認済（記録{one.record}）")
        found[one.plan] = Name("undone", "取消済") if one.reversed else approved
    return found


def others(books: Books, plan: Plan) -> list[tuple[Plan, int]]:
    """The other plans that stand or wait for approval and owe people whom `plan` owes for the same asset, and how many people.

    What disputes were upheld for is owed besides, and is not counted: each dispute is paid by one plan anyway. Raises
    `PositionProblem` when another plan's files are not in this home, since nobody can say then whom it owes.
    """
    asset, who = plan.body["affected"]["asset"], plan.body["rule"]["affected"]["who"]
    if who == "disputes":
        return []
    engine = connect(books.home.memory_limit)
    engine.execute(f"CREATE TABLE owed AS SELECT account_id FROM {_owed(plan)}")
    found = []
    for incident, digest in dict.fromkeys(_alike(books, asset)):
        if digest != plan.digest:
            other = plan_with(books.home, incident, digest)
            if people := _both(engine, other):
                found.append((other, people))
    return found


def _alike(books: Books, asset: str) -> Iterator[tuple[str, str]]:
    """Incident and digest of every plan that stands or waits, and makes an asset's holders good."""
    waiting = [
        request.content
        for request in requests(books)
        if request.action == "post" and not request.verdict and request.content.get("purpose") == "compensation"
    ]
    for says in (*(one.content for one in standing(books)), *waiting):
        if (says.get("affected"), says.get("who") == "disputes") == (asset, False):
            yield str(says["incident"]), str(says["plan"])


def _owed(plan: Plan) -> str:
    """SQL of those whom a plan owes more than nothing."""
    any_of = " OR ".join(f"{identifier(leg.asset)} > 0" for leg in plan.legs)
    return f"(SELECT account_id FROM read_parquet({one_file(str(plan.entitlements))}) WHERE {any_of})"


def _both(engine: duckdb.DuckDBPyConnection, other: Plan) -> int:
    [(people,)] = engine.execute(f"SELECT count(*) FROM owed SEMI JOIN {_owed(other)} USING (account_id)").fetchall()
    return int(people)


def receivables(plan: Plan) -> dict[str, str]:
    """What a plan's approval says of the insurance that it expects later: `receivable`, as POLICY=YEN,…; nothing when it expects none."""
    parts = [
        f"{cover['policy']}={plan.figure(cover['amount']).node['value']}"
        for cover in plan.body["funding"]["receivable"]
        if plan.figure(cover["amount"]).value
    ]
    return {"receivable": ",".join(parts)} if parts else {}


def expected(books: Books) -> tuple[Expected, ...]:
    """What the plans that stand expect of policies, the earliest approved first."""
    return tuple(
        Expected(one.incident, policy, exact(amount), one.at)
        for one in sorted(standing(books), key=lambda one: one.at)
        for part in str(one.content.get("receivable", "")).split(",")
        for policy, equals, amount in [part.partition("=")]
        if equals
    )
