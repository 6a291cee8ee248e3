"""What is still open of an incident (未了事項): whom nobody paid, what nobody decided, what stands still. Closing it asks for this."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from junbikin.books.database import Books
from junbikin.errors import BadInput
from junbikin.figures import Name, plain
from junbikin.incidents.claims import Claims, PlanClaims, claims_of
from junbikin.incidents.disputes import upheld
from junbikin.incidents.incident import Incident
from junbikin.incidents.standing import Standing
from junbikin.registry.requests import Request, requests

MOST = 1000
"""The longest reason that the books take, in characters."""


@dataclass(frozen=True, slots=True)
class OpenEnd:
    """One thing that is still open, and the command that goes on with it."""

    what: Name
    then: str


def open_ends(books: Books, of: Incident) -> tuple[OpenEnd, ...]:
    """Everything that is still open of an incident."""
    claims = claims_of(books, of.id)
    return (
        *(end for plan in claims.plans if not plan.approved.reversed for end in _unpaid(of, plan)),
        *_differing(of, claims),
        *_disputed(books, of, claims),
        *(_frozen(of, asset) for asset in of.frozen),
        *_waiting(books, of, claims),
    )


def despite(ends: tuple[OpenEnd, ...], why: str) -> str:
    """The reason that goes on record when an incident is closed all the same. Raises `BadInput` when there is nothing to close it despite."""
    if not ends:
        raise BadInput("nothing of it is open", where="--despite", then="close it without")
    text = f"{why} (despite {'; '.join(end.what.en for end in ends)})"
    if len(text) > MOST:
        text = f"{why} (despite {len(ends)} open ends, the first: {ends[0].what.en})"
    return text


def must_be_settled(of: Incident, ends: tuple[OpenEnd, ...]) -> None:
    """Raises `BadInput`, naming each, when something is still open."""
    if ends:
        raise BadInput(
            "it is not over: " + "; ".join(end.what.en for end in ends),
            where=f"incident {of.id}",
            then="; ".join(dict.fromkeys(end.then for end in ends)) + "; or close it all the same with --despite WHY, which goes on record",
        )  # fmt: skip


def _unpaid(of: Incident, plan: PlanClaims) -> Iterator[OpenEnd]:
    name = plan.name or plan.approved.plan[:12]
    ways = {
        Standing.UNPAID: ("not paid", "未払", f"`junbikin incident pay {of.id} {name} --asset {{}}`"),
        Standing.OUT: ("sent and not answered", "送金中", f"`junbikin incident results {of.id} FILES`"),
        Standing.RETURNED: ("sent and returned", "振込不能", f"`junbikin incident payees {of.id} {name}` on newer instructions, then pay"),
    }  # fmt: skip
    for leg in plan.legs:
        for standing, (en, ja, then) in ways.items():
            part = leg.parts[standing]
            if part.people or part.amount:
                people = f"{part.people:,} {'customer' if part.people == 1 else 'customers'}"
                amount = f"{plain(part.amount)} {leg.asset}"
                what = Name(f"{amount} of {people} by the plan {name} {'is' if part.people == 1 else 'are'} {en}", f"計画{name}の{amount}（{part.people:,}名）が{ja}")  # fmt: skip
                yield OpenEnd(what, then.format(leg.asset))


def _differing(of: Incident, claims: Claims) -> Iterator[OpenEnd]:
    for asset in claims.differing:
        held, kept = plain(claims.set_apart[asset]), plain(claims.kept(asset))
        yield OpenEnd(
            Name(f"{held} {asset} is set apart, and {kept} is not paid", f"{asset}は分別額{held}に対し未払{kept}"),
            f"`junbikin claims {of.id}`",
        )


def _disputed(books: Books, of: Incident, claims: Claims) -> Iterator[OpenEnd]:
    filed = [str(each.record) for each in claims.disputes if not each.decision]
    if filed:
        numbers = ", ".join(filed[:5]) + (f" and {len(filed) - 5:,} more" if len(filed) > 5 else "")
        what = Name(f"{_many(len(filed), 'dispute')} not decided ({numbers})", f"未裁定の不服申立て{len(filed):,}件")
        yield OpenEnd(what, f"`junbikin incident dispute list {of.id} --waiting`")
    owed = len(upheld(books, of.id))
    if owed:
        what = Name(
            f"{_many(owed, 'upheld dispute')} not paid by any plan", f"認容後、補償計画のない不服申立て{owed:,}件"
        )
        yield OpenEnd(what, f'`junbikin incident plan {of.id} NAME RULE` by a rule with who = "disputes"')


def _frozen(of: Incident, asset: str) -> OpenEnd:
    return OpenEnd(
        Name(f"{asset} is frozen", f"{asset}が凍結中"), f"`junbikin incident thaw {of.id} --asset {asset} --why WHY`"
    )


def _waiting(books: Books, of: Incident, claims: Claims) -> Iterator[OpenEnd]:
    plans = {plan.approved.plan for plan in claims.plans}
    for request in requests(books):
        if not request.verdict and is_of(request, of, plans):
            what = Name(
                f"request {request.number} waits ({request.why})", f"申請{request.number}が承認待ち（{request.why}）"
            )
            yield OpenEnd(what, f"`junbikin request show {request.number}`")


def is_of(request: Request, of: Incident, plans: set[str]) -> bool:
    """Whether a request is about an incident or one of the plans with these digests."""
    if request.action == "post":
        return bool(request.content.get("incident") == of.id or plans & {str(request.content.get("plan"))})
    if request.action == "asset_status":
        return request.subject in of.frozen
    return request.action in ("dispute", "withdrawal") and request.subject.partition(":")[0] in {of.id, *plans}


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + (" is" if count == 1 else "s are")
