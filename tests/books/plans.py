"""Plans for tests of the books: an incident, what its plan owes whom, and how it is paid, chunk by chunk, straight over SQL."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import rfc8785

from junbikin.figures import plain

from .straight import Entries, Straight

INCIDENT = "INC-1"
OPENED = {
    "event": "opened", "cause": "hack", "occurred_at": "2026-01-26T00:02:00+09:00", "found_at": "2026-01-26T11:25:00+09:00",
    "title": "coins left the hot wallet",
}  # fmt: skip
SOURCE = "5" * 64


def canonical(says: Mapping[str, Any]) -> str:
    return rfc8785.dumps(dict(says)).decode()


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def numbers(which: Collection[int]) -> str:
    """A set of payment numbers as the server writes it."""
    ranges: list[list[int]] = []
    for number in sorted(which):
        if ranges and ranges[-1][1] == number:
            ranges[-1][1] += 1
        else:
            ranges.append([number, number + 1])
    return "{" + ",".join(f"[{low},{high})" for low, high in ranges) + "}"


def tell(sql: Straight, who: str, says: Mapping[str, Any], incident: str = INCIDENT, at: str | None = None) -> int:
    """Puts an event on the timeline of an incident."""
    actor = sql.cast.people[who]
    return int(sql.value("SELECT books.tell_incident(%s, %s, %s, %s::timestamptz, 'why', %s)", actor.name, actor.secret, incident, at, canonical(says)))  # fmt: skip


def opened(sql: Straight, incident: str = INCIDENT) -> int:
    """Opens an incident."""
    return tell(sql, "cem", OPENED, incident)


@dataclass(frozen=True)
class Plan:
    """What a plan owes, asset by asset, in the order of payment numbers, `size` to a chunk. `name` makes its digest."""

    owed: Mapping[str, Sequence[Decimal | int]]
    size: int
    name: str = "plan"
    incident: str = INCIDENT
    says: Mapping[str, Any] = field(default_factory=dict)
    """What its approval says otherwise."""

    @property
    def digest(self) -> str:
        return sha256(self.name)

    @property
    def key(self) -> str:
        return f"compensation:{self.digest[:24]}"

    def subject(self, asset: str, chunk: int) -> str:
        return f"{self.digest}:{asset}:{chunk}"

    def chunks(self, asset: str) -> range:
        return range(1, -(-len(self.owed[asset]) // self.size) + 1)

    def of(self, asset: str, chunk: int) -> dict[int, Decimal]:
        """Number → amount of a chunk."""
        first = (chunk - 1) * self.size + 1
        part = self.owed[asset][first - 1 : first - 1 + self.size]
        return {first + place: Decimal(amount) for place, amount in enumerate(part)}

    def ids(self, asset: str, chunk: int) -> str:
        """The account ids of a chunk, as its entitlement has their digest."""
        return "\n".join(f"c{number}" for number in self.of(asset, chunk))

    def entitlement(self, asset: str, chunk: int) -> tuple[str, str]:
        """What the record of a chunk says, and its amounts, joined by commas."""
        amounts = self.of(asset, chunk)
        says = {
            "accounts": sha256(self.ids(asset, chunk)), "asset": asset, "chunk": str(chunk), "first": str(min(amounts)),
            "people": str(len(amounts)),
        }  # fmt: skip
        return canonical(says), ",".join(map(plain, amounts.values()))

    def total(self, asset: str) -> Decimal:
        return sum(map(Decimal, self.owed[asset]), Decimal(0))

    @property
    def legs(self) -> list[dict[str, Any]]:
        legs = []
        for asset, owed in self.owed.items():
            parts = [self.entitlement(asset, chunk) for chunk in self.chunks(asset)]
            digests = [sha256(f"{says}\n{sha256(chr(10) + amounts)}") for says, amounts in parts]
            legs.append(
                {"asset": asset, "total": plain(self.total(asset)), "people": str(len(owed)), "size": str(self.size), "chunks": digests}
            )  # fmt: skip
        return legs

    @property
    def content(self) -> str:
        """What the batch of its approval says."""
        says = {
            "purpose": "compensation", "incident": self.incident, "plan": self.digest, "permission": "exempt: clerical error",
            "legs": self.legs,
        }  # fmt: skip
        return canonical(says | dict(self.says))

    def batch(self, payers: Mapping[str, int], claimants: Mapping[str, int]) -> Entries:
        """The batch that sets its money apart: of each asset one account pays, and one of claimants receives."""
        accounts = [account for asset in self.owed for account in (payers[asset], claimants[asset])]
        amounts = [amount for asset in self.owed for amount in (-self.total(asset), self.total(asset))]
        return Entries(self.key, self.content, literal(accounts), literal(map(plain, amounts)))


def literal(values: Any) -> str:
    return "{" + ",".join(map(str, values)) + "}"


def approve(sql: Straight, batch: Entries, who: str = "cem") -> int:
    """Asks for the batch of a plan, lets Ben approve it, and posts it."""
    request = sql.request_to_post(who, batch.key, [batch])
    sql.decide("ben", request)
    return sql.post(who, batch, request)


def undo(sql: Straight, batch: Entries, record: int) -> int:
    """Undoes a batch, with Ben's approval."""
    says = canonical({"purpose": "reversal", "reverses": str(record)})
    return approve(sql, Entries(f"reversal:{record}", says, batch.accounts, opposite(batch.amounts)), "ada")


def opposite(amounts: str) -> str:
    """The literal of amounts that undo these."""
    return literal(text[1:] if text.startswith("-") else f"-{text}" for text in amounts[1:-1].split(","))


def entitle(sql: Straight, plan: Plan, asset: str, chunk: int, who: str = "cem", **other: str) -> int:
    """Puts what a chunk is owed on record; `content`, `amounts` and `subject` may be another's."""
    content, amounts = plan.entitlement(asset, chunk)
    actor = sql.cast.people[who]
    return int(
        sql.value(
            "SELECT books.entitle(%s, %s, %s, 'why', %s, %s::numeric[])", actor.name, actor.secret,
            other.get("subject", plan.subject(asset, chunk)), other.get("content", content), "{" + other.get("amounts", amounts) + "}",
        )
    )  # fmt: skip


def payout(plan: Plan, asset: str, chunk: int, which: Collection[int], run: int = 1, channel: str = "zengin", **other: Any) -> dict[str, Any]:  # fmt: skip
    """What the record of a payout says."""
    owed = plan.of(asset, chunk)
    says = {
        "asset": asset, "channel": channel, "chunk": str(chunk), "files": [sha256(f"file {run}")], "numbers": numbers(which), "payees": "",
        "people": str(len(which)), "run": str(run), "total": plain(sum((owed.get(number, Decimal(0)) for number in which), Decimal(0))),
        "value_on": "2026-04-03",
    }  # fmt: skip
    return says | other


def pay(sql: Straight, plan: Plan, says: Mapping[str, Any], who: str = "cem") -> int:
    """Puts a payout on record."""
    actor = sql.cast.people[who]
    subject = plan.subject(says["asset"], int(says["chunk"]))
    return int(sql.value("SELECT books.pay_out(%s, %s, %s, 'why', %s)", actor.name, actor.secret, subject, canonical(says)))  # fmt: skip


def answer(
    plan: Plan, asset: str, chunk: int, settled: Collection[int] = (), returned: Mapping[str, Collection[int]] | None = None,
    run: int = 1, channel: str = "zengin", **other: Any,
) -> dict[str, Any]:  # fmt: skip
    """What the record of a result says."""
    owed, back = plan.of(asset, chunk), returned or {}
    came_back = [number for which in back.values() for number in which]
    says = {
        "asset": asset, "channel": channel, "chunk": str(chunk), "people": str(len(settled) + len(came_back)),
        "returned": {reason: numbers(which) for reason, which in back.items()},
        "returned_total": plain(sum((owed.get(number, Decimal(0)) for number in came_back), Decimal(0))), "run": str(run),
        "settled": numbers(settled), "settled_total": plain(sum((owed.get(number, Decimal(0)) for number in settled), Decimal(0))),
        "source": SOURCE,
    }  # fmt: skip
    return says | ({"ids": plan.ids(asset, chunk)} if channel == "account" else {}) | other


def withdraw(sql: Straight, plan: Plan, key: str, run: int = 1, **says: str) -> int:
    """Asks for payments of a run to be withdrawn, lets Ben approve it, and returns the request."""
    says = {"asset": "JPY", "channel": "zengin", "people": "1", "total": "250"} | says
    asked = canonical({"action": "withdrawal", "subject": f"{plan.digest}:{run}", "says": says, "effective_at": None})
    request = sql.request("cem", key, asked)
    sql.decide("ben", request)
    return request


@dataclass(frozen=True)
class Sides:
    """The accounts between which a result moves money, and how much was settled and comes back; amounts of 0 move nothing."""

    claimant: int
    other: int
    settled: Decimal = Decimal(0)
    back: Decimal = Decimal(0)

    def settling(self, says: Mapping[str, Any]) -> Sides:
        return replace(self, settled=Decimal(says["settled_total"]))


def record(
    sql: Straight, plan: Plan, says: Mapping[str, Any], sides: Sides, who: str = "cem", at: datetime | str | None = None, subject: str = "",
) -> int:  # fmt: skip
    """Puts a result on record, with the batches that follow; `subject` may be another's."""
    paid = {sides.claimant: -sides.settled, sides.other: sides.settled} if sides.settled else {}
    back = {sides.other: -sides.back, sides.claimant: sides.back} if sides.back else {}
    return result(sql, plan, says, paid, back, who, at, subject)


def result(
    sql: Straight, plan: Plan, says: Mapping[str, Any], paid: Mapping[int, Decimal], back: Mapping[int, Decimal] | None = None,
    who: str = "cem", at: datetime | str | None = None, subject: str = "",
) -> int:  # fmt: skip
    """The same with the entries by account, each account once."""
    actor = sql.cast.people[who]
    entries = [part for one in (paid, back) for part in ((literal(one), literal(map(plain, one.values()))) if one else (None, None))]  # fmt: skip
    return int(
        sql.value(
            "SELECT books.record_result(%s, %s, %s, %s::timestamptz, 'why', %s, %s::bigint[], %s::numeric[], %s::bigint[], %s::numeric[])",
            actor.name, actor.secret, subject or plan.subject(says["asset"], int(says["chunk"])), at, canonical(says), *entries,
        )
    )  # fmt: skip
