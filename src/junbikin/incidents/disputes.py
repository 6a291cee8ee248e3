"""Disputes (不服申立て): a customer says that they are owed more or something else; two people decide, and what is upheld a plan pays."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import rfc8785
from sqlalchemy import select

from junbikin.books.claims import plans_of
from junbikin.books.database import Books, telling
from junbikin.books.journal import Actor
from junbikin.books.schema import records
from junbikin.errors import BadInput, BooksRefused
from junbikin.figures import Name, exact, plain
from junbikin.incidents.incident import Incident

MOST = 1000
"""The longest claim in words, in characters."""


class Standing(StrEnum):
    """How far a dispute is."""

    FILED = "filed"
    UPHELD = "upheld"
    REJECTED = "rejected"

    @property
    def words(self) -> Name:
        """What it is called."""
        ja = {"filed": "受付済", "upheld": "認容", "rejected": "棄却"}
        return Name(self.value, ja[self.value])


@dataclass(frozen=True, slots=True)
class Decision:
    """What two people decided: `adjustment` is what the customer is owed besides, 0 when nothing."""

    record: int
    verdict: Standing
    adjustment: Decimal
    by: str
    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Dispute:
    """One dispute as it stands: `claims` are the customer's words, `evidence` the SHA-256 of what they gave, `plan` the digest of the
    plan that it is about ("": none yet)."""

    record: int
    account: str
    asset: str
    claims: str
    evidence: tuple[str, ...]
    plan: str
    by: str
    at: datetime
    why: str
    decision: Decision | None

    @property
    def standing(self) -> Standing:
        """How far it is."""
        return self.decision.verdict if self.decision else Standing.FILED


@dataclass(frozen=True, slots=True)
class Upheld:
    """What one upheld dispute gives a customer besides; `record` is the decision."""

    account: str
    asset: str
    amount: Decimal
    record: int


def concerns(books: Books, of: Incident, asset: str) -> None:
    """Raises `BadInput` unless the incident took the asset, or an approved plan of it pays in it."""
    paid = {leg["asset"] for plan in plans_of(books, of.id) if not plan.reversed for leg in plan.content["legs"]}
    assets = sorted({each.asset for each in of.taken} | paid)
    if asset not in assets:
        raise BadInput(
            f"no {asset} was taken in {of.id}, and no plan of it pays in {asset}",
            where="--asset",
            then="name one of " + ", ".join(assets)
            if assets
            else "state first what was taken with `junbikin incident taken`",
        )


def beyond(of: Incident, asset: str, adjustment: Decimal) -> Name | None:
    """What whoever decides must be told: that an adjustment is more than all that was taken of the asset; None when it is not."""
    lost = of.lost(asset)
    if not lost or adjustment <= lost:
        return None
    return Name(
        f"an adjustment of {plain(adjustment)} {asset} is more than the {plain(lost)} {asset} that were taken in all",
        f"調整額{plain(adjustment)} {asset}は、流出した{asset}の総量{plain(lost)}を超えている",
    )


def file(
    books: Books, who: Actor, incident: str, account: str, asset: str, claims: str, evidence: Sequence[str], plan: str, why: str
) -> int:  # fmt: skip
    """Puts a dispute on record, and returns the record.

    Raises `BadInput` when it claims nothing, `BooksRefused` in the books' own words.
    """
    if not claims.strip() or len(claims) > MOST:
        raise BadInput(
            "what the customer claims is empty"
            if not claims.strip()
            else f"what the customer claims has {len(claims):,} characters",
            where="--claims",
            then=f"write in up to {MOST:,} characters what they say they are owed, and add their letter with --evidence",
        )
    says = {"act": "file", "asset": asset, "claims": claims, "evidence": list(evidence), "plan": plan}
    content = rfc8785.dumps(says).decode()
    return int(books.call("file_dispute", who.name, who.secret, incident, account, why, content))


def decided(dispute: Dispute, verdict: Standing, adjustment: Decimal) -> dict[str, Any]:
    """What is asked for to decide a dispute. Raises `BadInput` when it is decided already, or the adjustment does not fit the verdict."""
    if dispute.decision:
        raise BadInput(
            f"the dispute of record {dispute.record} is {dispute.standing} already",
            where=f"record {dispute.decision.record}", then="let the customer file it anew, with what is new",
        )  # fmt: skip
    if (adjustment > 0) != (verdict is Standing.UPHELD):
        raise BadInput(
            "one that is upheld adjusts by more than 0, one that is rejected by nothing", where="--adjustment",
            then="state what the customer is owed besides what a plan gives them" if verdict is Standing.UPHELD
            else "leave it out, or uphold the dispute",
        )  # fmt: skip
    return {
        "act": "decide", "adjustment": plain(adjustment), "asset": dispute.asset, "filed": str(dispute.record), "verdict": str(verdict),
    }  # fmt: skip


def disputes(books: Books, incident: str) -> tuple[Dispute, ...]:
    """Every dispute of an incident, the first filed first."""
    query = (
        select(
            records.c.id, records.c.subject, records.c.recorded_by, records.c.recorded_at, records.c.why, records.c.content
        )
        .where(records.c.kind == "dispute", records.c.subject.startswith(f"{incident}:", autoescape=True))
        .order_by(records.c.recorded_at, records.c.id)
    )  # fmt: skip
    filed: list[tuple[Any, dict[str, Any]]] = []
    decisions: dict[int, Decision] = {}
    with telling(books.home), books.engine.connect() as connection:
        for row in connection.execute(query):
            says = json.loads(row.content)
            if says["act"] == "file":
                filed.append((row, says))
            else:
                decisions[int(says["filed"])] = Decision(
                    row.id, Standing(says["verdict"]), exact(says["adjustment"]), row.recorded_by, row.recorded_at, row.why
                )  # fmt: skip
    return tuple(
        Dispute(
            row.id, row.subject.partition(":")[2], says["asset"], says["claims"], tuple(says["evidence"]), says["plan"],
            row.recorded_by, row.recorded_at, row.why, decisions.get(row.id),
        )
        for row, says in filed
    )  # fmt: skip


def dispute_of(books: Books, incident: str, record: int) -> Dispute:
    """The dispute that is on record under a number. Raises `BooksRefused` when there is none of this incident."""
    for dispute in disputes(books, incident):
        if dispute.record == record:
            return dispute
    raise BooksRefused(
        f"no dispute of {incident} is on record as {record}", then=f"see `junbikin incident dispute list {incident}`"
    )


def upheld(books: Books, incident: str) -> tuple[Upheld, ...]:
    """What upheld disputes give customers besides, as far as no approved plan covers it: a plan that was undone covers nothing."""
    covered = {
        record
        for plan in plans_of(books, incident)
        if not plan.reversed
        for record in str(plan.content.get("disputes", "")).split(",")
    }
    return tuple(
        Upheld(each.account, each.asset, each.decision.adjustment, each.decision.record)
        for each in disputes(books, incident)
        if each.decision and each.decision.adjustment > 0 and str(each.decision.record) not in covered
    )
