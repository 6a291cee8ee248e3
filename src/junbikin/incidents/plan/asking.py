"""Asking for a plan's approval (二者承認): one request, for one batch, which sets apart what the plan pays. Its digest is what is approved."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import rfc8785

from junbikin.books.accounts import open_accounts
from junbikin.books.batch import Batch
from junbikin.books.claims import plans_of
from junbikin.books.columns import from_codes
from junbikin.books.database import Books
from junbikin.books.journal import Actor
from junbikin.errors import BadInput
from junbikin.facts.run import Progress
from junbikin.figures import plain
from junbikin.figures.amounts import EXACT
from junbikin.incidents.plan.document import Plan, check_files
from junbikin.incidents.plan.elsewhere import receivables
from junbikin.incidents.plan.insurance import CURRENCY
from junbikin.incidents.plan.making import compensation_key
from junbikin.registry.requests import ask_to_post, requests
from junbikin.reserve.moves import booked_account

PERMISSION = re.compile(r"(confirmed|exempt): [^\x00-\x1f\x7f]+")
"""How it is said that the loss may be made good: confirmed before, or exempt from it, and by what."""


def ask(books: Books, who: Actor, plan: Plan, permission: str, why: str, progress: Progress) -> int:
    """Asks for the plan to be approved, with the accounts that it needs opened, and returns the request's number.

    Raises `BadInput` when nobody says that the loss may be made good, when some of it has no funding, or when another plan
    makes the same good; `PositionProblem` when the plan's files are no longer what its digest covers. The same plan again
    gives the same request.
    """
    if not PERMISSION.fullmatch(permission):
        raise BadInput(
            f"it is not said that the loss may be made good: {permission!r}", where="--permission",
            then='write "confirmed: …" or "exempt: …", as `junbikin incident permission` has it',
        )  # fmt: skip
    if not plan.funded:
        raise BadInput(
            "a part of the plan has no funding: nothing is paid until it is decided", where=str(plan.folder),
            then="add sources to [funding] in the rule, or share the loss, and make the plan again",
        )  # fmt: skip
    _pays_nobody_twice(books, plan)
    check_files(books.home, plan, progress)
    entries = moved(plan, books.home.currency)
    for _ in open_accounts(books, who, _needed(entries), f"plan {plan.name} of {plan.incident}"):
        pass
    batch = Batch(
        compensation_key(plan.digest),
        rfc8785.dumps(approval(plan, permission)).decode(),
        from_codes(books, list(entries), list(entries.values())),
        why,
    )
    return ask_to_post(books, who, batch)


def _pays_nobody_twice(books: Books, plan: Plan) -> None:
    """Raises `BadInput` when a plan that stands, or waits for approval, makes good the same asset's holders or the same dispute."""
    waiting = [
        (f"request {request.number}", request.content)
        for request in requests(books)
        if request.action == "post" and not request.verdict and request.content.get("purpose") == "compensation"
    ]
    standing = [(f"record {one.record}", one.content) for one in plans_of(books, plan.incident) if not one.reversed]
    says = _whom(plan)
    for where, other in (*waiting, *standing):
        if other.get("plan") == plan.digest or other.get("incident") != plan.incident:
            continue
        same = says["affected"] == other.get("affected") and {says["who"], other.get("who")} <= {"holders", "place"}
        if same or set(_records(says)) & set(_records(other)):
            raise BadInput(
                f"plan {str(other.get('plan'))[:12]} makes the same good already: somebody would be paid twice", where=where,
                then="have that one refused or undone first, or name in a file of accounts whom it left out",
            )  # fmt: skip


def _records(says: Mapping[str, Any]) -> list[str]:
    return [record for record in str(says.get("disputes", "")).split(",") if record]


def _whom(plan: Plan) -> dict[str, str]:
    """Whom a plan makes good, as its approval says it."""
    affected = plan.body["affected"]
    says = {"affected": str(affected["asset"]), "who": str(plan.body["rule"]["affected"]["who"])}
    disputes = ",".join(affected["disputes"])
    return says | ({"disputes": disputes} if disputes else {})


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
    says = {"purpose": "compensation", "incident": plan.incident, "plan": plan.digest, "permission": permission}
    return says | {"legs": legs} | _whom(plan) | receivables(plan)


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
