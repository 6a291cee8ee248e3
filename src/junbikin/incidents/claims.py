"""Claims (請求) of an incident: of each approved plan, how much is paid, out, returned, and still kept on trust, and why.

How payments are made, and how this is shown, is told elsewhere.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text

from junbikin.books.claims import Act, Approved, acts, plans_of
from junbikin.books.database import Books, telling
from junbikin.books.journal import balance
from junbikin.errors import BadInput, PositionProblem
from junbikin.figures import Name
from junbikin.figures.amounts import EXACT
from junbikin.home import Home
from junbikin.incidents.disputes import Dispute, disputes
from junbikin.incidents.folders import payees_folder
from junbikin.incidents.pay.newest import newest
from junbikin.incidents.pay.payees import Payees, open_payees
from junbikin.incidents.pay.statuses import Status
from junbikin.incidents.plan.document import Plan, plan_with
from junbikin.incidents.standing import Chunk, Standing, take, within

Codes = NDArray[np.uint8]

STANDINGS: Mapping[Standing, Name] = {
    Standing.SETTLED: Name("paid", "支払済"),
    Standing.OUT: Name("out", "送金中"),
    Standing.RETURNED: Name("returned", "支払不能（資金返却）"),
    Standing.UNPAID: Name("not sent", "未送金"),
}
"""How a payment stands, in the order in which people ask."""


@dataclass(frozen=True, slots=True)
class Part:
    """So many people, and what they are owed together."""

    people: int = 0
    amount: Decimal = Decimal(0)

    def __add__(self, other: Part) -> Part:
        return Part(self.people + other.people, EXACT.add(self.amount, other.amount))

    def __sub__(self, other: Part) -> Part:
        return Part(self.people - other.people, EXACT.subtract(self.amount, other.amount))


@dataclass(frozen=True, slots=True)
class Moment:
    """How many were out, paid and returned just after something was recorded."""

    at: datetime
    out: int
    settled: int
    returned: int


@dataclass(frozen=True, slots=True)
class LegClaims:
    """What a plan owes in one asset: `entitled` is the sum of the four `parts`; `nothing` are those whose share rounds to nothing.

    `kept_for` parts what was not sent by why the payee cannot be paid, as last judged; it is empty when nobody has judged. `returned_for`
    parts what came back by the reason given.
    """

    asset: str
    entitled: Part
    nothing: int
    parts: Mapping[Standing, Part]
    kept_for: Mapping[Status, Part]
    returned_for: Mapping[str, Part]
    history: tuple[Moment, ...]

    @property
    def kept(self) -> Part:
        """What is still kept on trust for its claimants: everything that is not paid."""
        return self.entitled - self.parts[Standing.SETTLED]


@dataclass(frozen=True, slots=True)
class PlanClaims:
    """One approved plan; `name` is "" when its files are not in this home."""

    approved: Approved
    name: str
    legs: tuple[LegClaims, ...]


@dataclass(frozen=True, slots=True)
class Claims:
    """Everything that approved plans of an incident owe. `set_apart` is what the claimants' accounts hold, by asset."""

    incident: str
    plans: tuple[PlanClaims, ...]
    disputes: tuple[Dispute, ...]
    set_apart: Mapping[str, Decimal]

    def kept(self, asset: str) -> Decimal:
        """What is not paid yet of plans that stand; it must be what is set apart."""
        return _sum(
            leg.kept.amount
            for plan in self.plans
            if not plan.approved.reversed
            for leg in plan.legs
            if leg.asset == asset
        )

    @property
    def differing(self) -> tuple[str, ...]:
        """Assets of which another amount is set apart than is not paid yet."""
        return tuple(asset for asset, held in sorted(self.set_apart.items()) if held != self.kept(asset))


def claims_of(books: Books, incident: str, only: str = "") -> Claims:
    """The claims of an incident, of all its approved plans or of the one named by name or digest.

    Raises `BadInput` when the one named is no approved plan of it.
    """
    approved = plans_of(books, incident)
    found = tuple(_plan(books, each) for each in approved)
    accounts = {claimants.number: asset for each in approved for asset, claimants in each.claimants.items()}
    set_apart: dict[str, Decimal] = {}
    for number, asset in accounts.items():
        set_apart[asset] = EXACT.add(set_apart.get(asset, Decimal(0)), balance(books, number))
    claims = Claims(incident, found, disputes(books, incident), set_apart)
    if not only:
        return claims
    chosen = tuple(each for each in found if only in (each.name, each.approved.plan))
    if not chosen:
        raise BadInput(
            f"no approved plan of {incident} is called {only}", where="--plan",
            then="name one of " + (", ".join(each.name or each.approved.plan for each in found) or "none: there is none yet"),
        )  # fmt: skip
    return Claims(incident, chosen, claims.disputes, claims.set_apart)


def files_of(home: Home, approved: Approved) -> Plan | None:
    """The files of an approved plan, or None when they are not in this home."""
    try:
        return plan_with(home, approved.incident, approved.plan)
    except PositionProblem:
        return None


def payees_of(home: Home, approved: Approved) -> Payees | None:
    """The payees of an approved plan as they were last judged, or None when nobody has judged them here."""
    above = payees_folder(home, approved.incident, approved.plan)
    try:
        return open_payees(above, newest(above, "junbikin incident payees"))
    except BadInput:
        return None


def _plan(books: Books, approved: Approved) -> PlanClaims:
    files, payees = files_of(books.home, approved), payees_of(books.home, approved)
    told = acts(books, approved.plan)
    legs = tuple(
        _leg(books, approved, leg, [act for act in told if act.asset == leg["asset"]], payees)
        for leg in approved.content["legs"]
    )
    return PlanClaims(approved, files.name if files else "", legs)


def _leg(
    books: Books, approved: Approved, leg: Mapping[str, str], told: Sequence[Act], payees: Payees | None
) -> LegClaims:
    chunks, history = followed(told)
    reasons = Reasons(told)
    parts = {standing: Part() for standing in Standing}
    kept_for: dict[Status, Part] = {}
    returned_for: dict[str, Part] = {}
    nothing, missing = 0, Part(int(leg["people"]), Decimal(leg["total"]))
    for chunk in chunks.values():
        why = _why(chunk, reasons, payees)
        for code, (owed_nothing, part) in _sums(books, approved.plan, chunk, why).items():
            standing, detail = Standing(code % 4), code // 4
            parts[standing] += part
            nothing += owed_nothing
            missing -= Part(part.people + owed_nothing, part.amount)
            if standing is Standing.UNPAID and payees:
                kept_for[Status(detail)] = kept_for.get(Status(detail), Part()) + part
            if standing is Standing.RETURNED:
                reason = reasons.words[detail]
                returned_for[reason] = returned_for.get(reason, Part()) + part
    parts[Standing.UNPAID] += missing
    entitled = Part(int(leg["people"]) - nothing, Decimal(leg["total"]))
    kept_for = {status: part for status, part in sorted(kept_for.items()) if part.people}
    return LegClaims(leg["asset"], entitled, nothing, parts, kept_for, returned_for, history)


def followed(told: Sequence[Act]) -> tuple[dict[tuple[str, int], Chunk], tuple[Moment, ...]]:
    """How each chunk stands after all its acts, and how many stood how after each of them, in the order of recording."""
    chunks: dict[tuple[str, int], Chunk] = {}
    history: list[Moment] = []
    now = np.zeros(len(Standing), np.int64)
    for act in sorted(told, key=lambda act: (act.recorded_at, act.record)):
        before = _counts(chunks.get((act.asset, act.chunk)))
        now += _counts(take(chunks, act)) - before
        if act.kind != "entitlement":
            out, settled, returned = (int(now[each]) for each in (Standing.OUT, Standing.SETTLED, Standing.RETURNED))
            history.append(Moment(act.recorded_at, out, settled, returned))
    return chunks, tuple(history)


def _counts(chunk: Chunk | None) -> NDArray[np.int64]:
    if chunk is None:
        return np.zeros(len(Standing), np.int64)
    return np.bincount(chunk.status, minlength=len(Standing)).astype(np.int64)


class Reasons:
    """Why payments came back, as last told of each: `words` in the order of their codes."""

    MOST = 63
    """Of so many reasons each is told by itself; a further one is told as others."""

    def __init__(self, told: Sequence[Act]) -> None:
        self._told = [act for act in told if act.kind == "payout_result" and act.says["returned"]]
        words = sorted({reason for act in self._told for reason in act.says["returned"]})
        self.words = words if len(words) <= self.MOST else [*words[: self.MOST - 1], "others"]

    def code(self, reason: str) -> int:
        """The place of a reason in `words`."""
        place = bisect.bisect_left(self.words, reason)
        return place if place < len(self.words) and self.words[place] == reason else len(self.words) - 1

    def of(self, chunk: Chunk) -> Codes:
        """The code of the reason last told of each payment of a chunk; 0 where none was."""
        codes = np.zeros(chunk.people, np.uint8)
        for act in self._told:
            if act.chunk == chunk.chunk:
                for reason, numbers in act.says["returned"].items():
                    codes[within(numbers, chunk.first, chunk.people)] = self.code(reason)
        return codes


def _why(chunk: Chunk, reasons: Reasons, payees: Payees | None) -> Codes:
    """For each payment how it stands, and four times why: a payee's status where nothing was sent, a reason where it came back."""
    codes = chunk.status.copy()
    returned = chunk.where(Standing.RETURNED)
    if returned.any():
        codes[returned] += 4 * reasons.of(chunk)[returned]
    if payees and chunk.asset in payees.counts:
        unpaid = chunk.where(Standing.UNPAID)
        judged = payees.array(chunk.asset, "status")[chunk.first - 1 : chunk.first - 1 + chunk.people]
        codes[unpaid] += 4 * judged[unpaid]
    return codes


_SUMS = text("""
    SELECT get_byte(:codes, CAST(place - 1 AS int)) AS code, count(*) FILTER (WHERE amount = 0), count(*) FILTER (WHERE amount > 0), sum(amount)
    FROM books.records r, unnest(r.amounts) WITH ORDINALITY AS each(amount, place)
    WHERE r.kind = 'entitlement' AND r.key = :subject GROUP BY 1
""")


def _sums(books: Books, plan: str, chunk: Chunk, codes: Codes) -> dict[int, tuple[int, Part]]:
    """Code → how many are owed nothing, and what the others are owed, by the books."""
    given = {"codes": codes.tobytes(), "subject": f"{plan}:{chunk.asset}:{chunk.chunk}"}
    with telling(books.home), books.engine.connect() as connection:
        return {code: (none, Part(people, amount)) for code, none, people, amount in connection.execute(_SUMS, given)}


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    whole = Decimal(0)
    for amount in amounts:
        whole = EXACT.add(whole, amount)
    return whole
