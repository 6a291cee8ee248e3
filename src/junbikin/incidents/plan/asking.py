"""Asking for a plan's approval (二者承認): one request, for one batch, which sets apart what the plan pays. Its digest is what is approved."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import rfc8785

from junbikin.books.accounts import open_accounts
from junbikin.books.batch import Batch
from junbikin.books.columns import from_codes
from junbikin.books.database import Books
from junbikin.books.journal import Actor
from junbikin.errors import BadInput
from junbikin.facts.run import Progress
from junbikin.figures import plain
from junbikin.figures.amounts import EXACT
from junbikin.incidents.incident import incident_of
from junbikin.incidents.pay.order import plan_code
from junbikin.incidents.plan.document import Plan, check_files
from junbikin.incidents.plan.elsewhere import others, receivables, standing
from junbikin.incidents.plan.insurance import CURRENCY
from junbikin.incidents.plan.making import compensation_key
from junbikin.registry.requests import Request, ask_to_post, requests
from junbikin.reserve.moves import booked_account

PERMISSION = re.compile(r"(confirmed|exempt): [^\x00-\x1f\x7f]+")
"""How it is said that the loss may be made good: confirmed before, or exempt from it, and by what. `permitted.py` says it."""


def ask(books: Books, who: Actor, plan: Plan, permission: str, why: str, progress: Progress, besides: str = "") -> int:
    """Asks for the plan to be approved, with the accounts that it needs opened, and returns the request's number.

    `besides` is why it pays people whom another plan pays as well ("": it pays none). Raises `BadInput` when nobody says that
    the loss may be made good, when some of it has no funding, when the incident is closed, or when somebody would be paid twice;
    `PositionProblem` when the plan's files are no longer what its digest covers. The same plan again gives the same request.
    """
    if not PERMISSION.fullmatch(permission):
        raise BadInput(
            f"it is not said that the loss may be made good: {permission!r}", where="permission",
            then='write "confirmed: …" or "exempt: …"',
        )  # fmt: skip
    if not plan.funded:
        raise BadInput(
            "a part of the plan has no funding: nothing is paid until it is decided", where=str(plan.folder),
            then="add sources to [funding] in the rule, or share the loss, and make the plan again",
        )  # fmt: skip
    asked = asked_before(books, plan.digest)
    if asked:
        return _just_that(asked, plan, permission)
    _still_open(books, plan)
    told = _told(books)
    _another_code(told, plan)
    _pays_nobody_twice(told, plan)
    also = _also(books, plan, besides)
    check_files(books.home, plan, progress)
    entries = moved(plan, books.home.currency)
    for _ in open_accounts(books, who, _needed(entries), f"plan {plan.name} of {plan.incident}"):
        pass
    batch = Batch(
        compensation_key(plan.digest),
        rfc8785.dumps(approval(plan, permission) | also).decode(),
        from_codes(books, list(entries), list(entries.values())),
        why,
    )
    return ask_to_post(books, who, batch)


def asked_before(books: Books, plan: str) -> Request | None:
    """The request for the approval of the plan with this digest; None when nobody asked."""
    return next((one for one in requests(books) if _compensates(one) and one.content.get("plan") == plan), None)


def how_asked(request: Request) -> str:
    """How far a request for a plan's approval is."""
    if not request.verdict:
        return f"request {request.number} waits for approval"
    if request.verdict == "refuse":
        return f"request {request.number} was refused by {request.decided_by}: {request.decided_why}"
    return f"request {request.number} was approved by {request.decided_by}, record {request.effect}"


def _just_that(asked: Request, plan: Plan, permission: str) -> int:
    """The number of the request, if it was for this permission. Raises `BadInput` otherwise."""
    if asked.content["permission"] != permission:
        raise BadInput(
            f"the plan {plan.name} was asked for already, by another permission: {how_asked(asked)}",
            where=f"request {asked.number}",
            then="go on with that request; to ask anew, make the plan under another name, and have this one refused or undone",
        )
    return asked.number


def _still_open(books: Books, plan: Plan) -> None:
    if incident_of(books, plan.incident).state == "closed":
        raise BadInput(
            f"the incident {plan.incident} is closed", where=f"plan {plan.name}",
            then=f"open it again first: junbikin incident state {plan.incident} opened --why REASON",
        )  # fmt: skip


def _compensates(request: Request) -> bool:
    return request.action == "post" and request.content.get("purpose") == "compensation"


def _told(books: Books) -> list[tuple[str, Mapping[str, Any]]]:
    """Where it is on record, and what it says: each plan of any incident that waits for approval or was approved and not undone."""
    waiting = [
        (f"request {one.number}", one.content) for one in requests(books) if _compensates(one) and not one.verdict
    ]
    return waiting + [(f"record {one.record}", one.content) for one in standing(books)]


def _another_code(told: Iterable[tuple[str, Mapping[str, Any]]], plan: Plan) -> None:
    """Raises `BadInput` when the ids of its payments would be those of another plan's: seven digits of its digest."""
    for where, other in told:
        if other["plan"] != plan.digest and plan_code(str(other["plan"])) == plan_code(plan.digest):
            raise BadInput(
                f"the payments of the plan {plan.name} would have the numbers of those of {called(other)}", where=where,
                then="make the plan again under another name, which gives it another digest and other numbers",
            )  # fmt: skip


def _pays_nobody_twice(told: Iterable[tuple[str, Mapping[str, Any]]], plan: Plan) -> None:
    """Raises `BadInput` when a plan that stands, or waits for approval, makes good the same asset's holders or the same dispute."""
    says = _whom(plan)
    for where, other in told:
        if other["plan"] == plan.digest:
            continue
        all_of_them = {says["who"], other.get("who")} <= {"holders", "place"} and says["affected"] == other.get(
            "affected"
        )
        same = other["incident"] == plan.incident or says.get("at", "") == other.get("at")
        if (all_of_them and same) or set(_records(says)) & set(_records(other)):
            raise BadInput(
                f"{called(other)} makes the same good already: somebody would be paid twice", where=where,
                then="have that one refused or undone first, or name in a file of accounts whom it left out",
            )  # fmt: skip


def _also(books: Books, plan: Plan, besides: str) -> dict[str, str]:
    """What the approver is told of people whom other plans pay as well. Raises `BadInput` when there are some and nobody says why."""
    found = others(books, plan)
    also = "; ".join(f"{people:,} in the plan {other.name} of {other.incident}" for other, people in found)
    if also and not besides.strip():
        raise BadInput(
            f"people of the plan {plan.name} are paid by other plans as well: {also}", where=str(plan.folder),
            then="leave them out, or say with --besides WHY why they are owed both: whoever approves sees it",
        )  # fmt: skip
    if besides.strip() and not also:
        raise BadInput(
            f"no other plan pays anybody whom the plan {plan.name} pays", where="--besides", then="leave it out"
        )
    return {"also": also, "besides": besides.strip()} if also else {}


def called(says: Mapping[str, Any]) -> str:
    """How people call a plan whose approval says this."""
    name = f"the plan {says['name']} of {says['incident']}" if "name" in says else f"a plan of {says['incident']}"
    return f"{name} ({says['plan'][:12]})"


def _records(says: Mapping[str, Any]) -> list[str]:
    return [record for record in str(says.get("disputes", "")).split(",") if record]


def _whom(plan: Plan) -> dict[str, str]:
    """Whom a plan makes good, as its approval says it: `at` is the instant at which they held the asset, `disputes` are records."""
    affected, rule = plan.body["affected"], plan.body["rule"]["affected"]
    says = {"affected": str(affected["asset"]), "who": str(rule["who"])}
    if "at" in rule:
        says["at"] = _instant(rule["at"])
    disputes = ",".join(affected["disputes"])
    return says | ({"disputes": disputes} if disputes else {})


def _instant(at: str) -> str:
    """The instant in UTC, so that it is the same text wherever it was written."""
    return datetime.fromisoformat(at).astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def approval(plan: Plan, permission: str) -> dict[str, Any]:
    """What the approved batch says: which plan of which incident, by what permission, and everyone's amounts by their digests."""
    legs = [
        {
            "asset": leg.asset,
            "total": plain(leg.total.known),
            "people": str(leg.people),
            "size": str(leg.size),
            "chunks": list(leg.chunks),
        }
        for leg in plan.legs
    ]
    says = {
        "purpose": "compensation", "incident": plan.incident, "name": plan.name, "plan": plan.digest, "permission": permission,
    }  # fmt: skip
    return says | {"legs": legs} | _whom(plan) | receivables(plan) | _promised(plan)


def _promised(plan: Plan) -> dict[str, str]:
    """What of it rests on a promise, for whoever approves."""
    parts = [f"{source} {amount.known:,} {amount.unit}" for source, amount in plan.promised]
    return {"promised": "; ".join(parts)} if parts else {}


def moved(plan: Plan, currency: str) -> dict[str, Decimal]:
    """Account → what it receives, below 0: pays, when the plan is approved."""
    entries: dict[str, Decimal] = {}
    for line in plan.body["funding"]["lines"]:
        used = plan.figure(line["used"]).known
        if used:
            code = f"insurer/{CURRENCY}/{line['id']}" if line["source"] == "insurance" else line["id"]
            entries[code] = EXACT.minus(used)
    places: Mapping[str, str] = plan.body["rule"]["funding"]["place"]
    for leg in plan.legs:
        entries[claimant_account(leg.asset, places[leg.asset], plan.incident)] = leg.total.known
    falls = plan.figure(plan.body["funding"]["booked"]["falls"]).known
    if falls:
        entries[booked_account("reserve", currency)] = EXACT.minus(falls)
        entries[booked_account("outside", currency)] = falls
    return entries


def claimant_account(asset: str, place: str, incident: str) -> str:
    """The account that holds what is set apart for an incident's claimants."""
    return f"claimant/{asset}/{place}/{incident}"


def _needed(entries: Mapping[str, Decimal]) -> list[str]:
    """The accounts that a plan may bring with it; those that pay from what they hold must be there."""
    return [code for code in entries if code.split("/")[0] in ("claimant", "outside", "insurer")]
