"""What an insurer pays for an incident by the terms of its policy: cause, storage, in force then, deductible, limit per event, what is left."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import reduce
from typing import Any

from junbikin.books.accounts import accounts
from junbikin.books.database import Books
from junbikin.books.journal import account_numbers, statement
from junbikin.errors import BadInput
from junbikin.figures import Figure, Name, Stated, given, largest, smallest
from junbikin.figures.amounts import EXACT
from junbikin.incidents.incident import Incident
from junbikin.incidents.plan.elsewhere import Expected, expected
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
    promised, day = expected(books), incident.occurred_at.astimezone(books.home.time_zone).date()
    found = []
    for policy, pays in uses.items():
        if pays == UNUSED:
            continue
        says = registered[policy]
        refused = _refused(says, incident, asset, day)
        code = f"insurer/{CURRENCY}/{policy}"
        payments = _payments(books, code) if code in open_now else []
        used = _used(payments, [one for one in promised if one.policy == policy], incident.id)
        amount = _nothing(policy, refused[0]) if refused else _by_terms(policy, says, loss, used)
        found.append(Cover(policy, pays, amount, refused))
    return tuple(found)


def _refused(says: Mapping[str, Any], incident: Incident, asset: str, day: date) -> tuple[Name, ...]:
    """Why the policy does not answer at all for the incident, which happened on a day."""
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


@dataclass(frozen=True, slots=True)
class _Used:
    """What of a policy is used up: `paid` in all and for this event, `promised` what plans that stand expect beside it."""

    paid: Decimal
    paid_here: Decimal
    promised: Decimal
    promised_here: Decimal


def _by_terms(policy: str, says: Mapping[str, Any], loss: Figure, used: _Used) -> Figure:
    """The loss above the deductible, up to what is left for one event and of the aggregate."""
    numbers = [used.paid, used.paid_here, used.promised, used.promised_here]
    source = data_source(
        "policies", f"terms of {policy}, and what was paid and is expected of it", [dict(says), numbers]
    )

    def term(value: Decimal | str, en: str, ja: str) -> Figure:
        return given(value, CURRENCY, Name(f"{en} of {policy}", f"{policy}の{ja}"), source)

    none = given(0, CURRENCY, Name("nothing", "なし"), Stated("a payment is never below 0"))
    above = largest(loss - term(says["deductible_jpy"], "deductible", "免責額"), none)
    event = term(says["per_event_jpy"], "limit per event", "1事故限度額") - term(
        used.paid_here, "paid for this event", "本件の支払済額"
    )
    aggregate = term(says["aggregate_jpy"], "aggregate", "総限度額") - term(used.paid, "paid so far", "支払済額")
    if used.promised_here:
        event = event - term(used.promised_here, "expected already for this event", "本件の未収保険金")
    if used.promised:
        aggregate = aggregate - term(used.promised, "expected already", "未収保険金")
    payable = smallest(above, largest(event, none), largest(aggregate, none))
    if loss.value is None:  # what is lost is not known, so neither is what the insurer pays
        return payable.named(f"cover.{policy}", f"{policy}: not known", f"{policy}：不明")
    return payable.named(f"cover.{policy}", f"what {policy} pays", f"{policy}の保険金")


def _nothing(policy: str, why: Name) -> Figure:
    return given(0, CURRENCY, Name(f"{policy} pays nothing", f"{policy}は支払なし"), Stated(why.en), f"cover.{policy}")


@dataclass(frozen=True, slots=True)
class _Payment:
    """What an insurer paid, below 0 when it was undone: for a plan or as a `claim` of the operator, for an incident ("": not said)."""

    amount: Decimal
    incident: str
    claim: bool
    at: datetime


def _payments(books: Books, code: str) -> list[_Payment]:
    """What was paid out of a policy; premiums do not fill it up again. What undoes a payment counts as that payment does."""
    [number] = account_numbers(books, [code])
    lines = list(statement(books, number))
    told: dict[int, dict[str, Any]] = {line.record: json.loads(line.content) for line in lines}
    found = []
    for line in lines:
        says = told[line.record]
        says = told[int(says["reverses"])] if says["purpose"] == "reversal" else says
        if says["purpose"] != "premium":
            claim = says["purpose"] == "insurance_claim"
            found.append(_Payment(EXACT.minus(line.amount), says.get("incident", ""), claim, line.recorded_at))
    return found


def _used(payments: Sequence[_Payment], promised: Sequence[Expected], incident: str) -> _Used:
    """What is used up of a policy. Claims paid since the first plan that expects something count as what it expects."""
    came = [one for one in payments if one.claim and promised and one.at > promised[0].since]
    here = [one.amount for one in promised if one.incident == incident]
    return _Used(
        paid=_sum(one.amount for one in payments),
        paid_here=_sum(one.amount for one in payments if one.incident == incident),
        promised=_left(_sum(one.amount for one in promised), _sum(one.amount for one in came)),
        promised_here=_left(_sum(here), _sum(one.amount for one in came if one.incident == incident)),
    )


def _left(promised: Decimal, came: Decimal) -> Decimal:
    return max(EXACT.subtract(promised, came), Decimal(0))


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return reduce(EXACT.add, amounts, Decimal(0))
