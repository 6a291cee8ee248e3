"""What an insurer pays for an incident by the terms of its policy: cause, storage, in force then, deductible, limit per event, what is left."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from junbikin.books.accounts import accounts
from junbikin.books.database import Books
from junbikin.books.journal import account_numbers, statement
from junbikin.errors import BadInput
from junbikin.figures import Figure, Name, Stated, given, largest, smallest
from junbikin.figures.amounts import EXACT
from junbikin.incidents.incident import Incident
from junbikin.registry.log import said
from junbikin.reserve.sources import data_source

CURRENCY = "JPY"
"""What policies are stated in."""

ADVANCE, RECEIVABLE, UNUSED = "advance", "receivable", "unused"


@dataclass(frozen=True, slots=True)
class Cover:
    """What a policy pays for the incident; `refused` says why it pays nothing. `pays` is ADVANCE or RECEIVABLE."""

    policy: str
    pays: str
    amount: Figure
    refused: tuple[Name, ...]

    @property
    def account(self) -> str:
        """The insurer's account from which it pays."""
        return f"insurer/{CURRENCY}/{self.policy}"


def covers(books: Books, incident: Incident, asset: str, uses: Mapping[str, str], loss: Figure) -> tuple[Cover, ...]:
    """What each policy that the rule uses pays for a `loss`. Raises `BadInput` on a policy that rule or registry does not know."""
    registered = said(books, "policy")
    for policy in uses:
        if policy not in registered:
            raise BadInput(
                f"there is no policy {policy}", where="[funding.insurance]",
                then="the policies are " + (", ".join(sorted(registered)) or "none: leave insurance out of order"),
            )  # fmt: skip
    for policy in registered:
        if policy not in uses:
            raise BadInput(
                f"the rule does not say what becomes of policy {policy}", where="[funding.insurance]",
                then=f'write {policy} = "{ADVANCE}" when it pays now, "{RECEIVABLE}" when later, "{UNUSED}" when not',
            )  # fmt: skip
    open_now = {account.code for account in accounts(books, "insurer", CURRENCY)}
    found = []
    for policy, pays in uses.items():
        if pays == UNUSED:
            continue
        says = registered[policy]
        refused = _refused(says, incident, asset)
        code = f"insurer/{CURRENCY}/{policy}"
        paid, for_this = _paid(books, code, incident.id) if code in open_now else (Decimal(0), Decimal(0))
        amount = _nothing(policy, refused[0]) if refused else _by_terms(policy, says, loss, paid, for_this)
        found.append(Cover(policy, pays, amount, refused))
    return tuple(found)


def _refused(says: Mapping[str, Any], incident: Incident, asset: str) -> tuple[Name, ...]:
    """Why the policy does not answer for the incident at all."""
    day = incident.occurred_at.date()
    ends = min(date.fromisoformat(says[name]) for name in ("effective_to", "cancelled_on") if says.get(name))
    begins = date.fromisoformat(says["effective_from"])
    where = {one.storage for one in incident.taken if one.asset == asset} or {one.storage for one in incident.taken}
    beyond = sorted(where - set(says["storages"].split("|")))
    tests = [
        (incident.cause not in says["causes"].split("|"), Name(f"does not cover {incident.cause}", f"原因「{incident.cause}」は対象外")),
        (bool(beyond), Name(f"does not cover {', '.join(beyond)} storage", f"保管形態「{'・'.join(beyond)}」は対象外")),
        (not begins <= day <= ends, Name(f"in force from {begins} to {ends}, not on {day}", f"保険期間は{begins}〜{ends}で、{day}を含まない")),
        (not where, Name("where it was taken from is not stated yet", "流出元が未入力")),
    ]  # fmt: skip
    return tuple(why for fails, why in tests if fails)


def _by_terms(policy: str, says: Mapping[str, Any], loss: Figure, paid: Decimal, for_this: Decimal) -> Figure:
    """The loss above the deductible, up to what is left for one event and of the aggregate."""
    source = data_source("policies", f"terms of {policy}, and what was paid out of it", [dict(says), paid, for_this])

    def term(value: Decimal | str, en: str, ja: str) -> Figure:
        return given(value, CURRENCY, Name(f"{en} of {policy}", f"{policy}の{ja}"), source)

    none = given(0, CURRENCY, Name("nothing", "なし"), Stated("a payment is never below 0"))
    above = largest(loss - term(says["deductible_jpy"], "deductible", "免責額"), none)
    event = term(says["per_event_jpy"], "limit per event", "1事故限度額") - term(
        for_this, "paid for this event", "本件の支払済額"
    )
    aggregate = term(says["aggregate_jpy"], "aggregate", "総限度額") - term(paid, "paid so far", "支払済額")
    payable = smallest(above, largest(event, none), largest(aggregate, none))
    if loss.value is None:  # what is lost is not known, so neither is what the insurer pays
        return payable.named(f"cover.{policy}", f"{policy}: not known", f"{policy}：不明")
    return payable.named(f"cover.{policy}", f"what {policy} pays", f"{policy}の保険金")


def _nothing(policy: str, why: Name) -> Figure:
    return given(0, CURRENCY, Name(f"{policy} pays nothing", f"{policy}は支払なし"), Stated(why.en), f"cover.{policy}")


def _paid(books: Books, code: str, incident: str) -> tuple[Decimal, Decimal]:
    """What was paid out of a policy, in all and for this incident; premiums do not fill it up again."""
    [number] = account_numbers(books, [code])
    whole, here = Decimal(0), Decimal(0)
    for line in statement(books, number):
        says = json.loads(line.content)
        if says["purpose"] != "premium":
            whole = EXACT.subtract(whole, line.amount)
            here = EXACT.subtract(here, line.amount) if says.get("incident") == incident else here
    return whole, here
