"""Claims (請求) in the books: what an approved plan owes, chunk by chunk; what was sent to be paid, and what came of it.

The books hold each of these against the approval by themselves; a subject is `PLAN:ASSET:CHUNK`, a plan its digest.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

import rfc8785
from sqlalchemy import TextClause, text

from junbikin.books.batch import Entries
from junbikin.books.database import Books, telling
from junbikin.books.journal import Actor

_ENTITLE = "SELECT books.entitle(%s::text, %s::bytea, %s::text, %s::text, %s::text, %s::numeric[])"
_PAY_OUT = "SELECT books.pay_out(%s::text, %s::bytea, %s::text, %s::text, %s::text)"
_RESULT = (
    "SELECT books.record_result(%s::text, %s::bytea, %s::text, %s::timestamptz, %s::text, %s::text, "
    "%s::bigint[], %s::numeric[], %s::bigint[], %s::numeric[])"
)


def entitle(books: Books, who: Actor, subject: str, says: Mapping[str, str], amounts: str, why: str) -> int:
    """Puts on record what the people of a chunk are owed, and returns the record. The same again gives the same record.

    `amounts` is a literal of `numeric[]` in the order of payment numbers. Raises `BooksRefused` when it is not what was approved.
    """
    return _called(books, _ENTITLE, who.name, who.secret, subject, why, _canonical(says), amounts)


def pay_out(books: Books, who: Actor, subject: str, says: Mapping[str, Any], why: str) -> int:
    """Puts on record that claims of a chunk are sent to be paid, and returns the record. The same again gives the same record.

    Raises `BooksRefused` when somebody among them is owed nothing, or is paid or being paid already.
    """
    return _called(books, _PAY_OUT, who.name, who.secret, subject, why, _canonical(says))


def record_result(
    books: Books,
    who: Actor,
    subject: str,
    at: datetime | None,
    says: Mapping[str, Any],
    paid: Entries | None,
    back: Entries | None,
    why: str,
) -> int:
    """Puts on record what came of claims that were sent, with the batches that follow, and returns the record of the result.

    `paid` are the entries by which the claimants' account pays what was settled, `back` those by which it gets back what had
    counted as settled; None: nothing. By the channel `account` money reaches customers, and `says` has the `ids` of the whole chunk.
    The same again gives the same record. Raises `BooksRefused` when something of it was not being paid, or reaches others.
    """
    entries = (part for one in (paid, back) for part in ((one.numbers, one.amounts) if one else (None, None)))
    return _called(books, _RESULT, who.name, who.secret, subject, at, why, _canonical(says), *entries)


def _canonical(says: Mapping[str, Any]) -> str:
    return rfc8785.dumps(dict(says)).decode()


def _called(books: Books, statement: str, *values: object) -> int:
    with telling(books.home), books.driver() as connection, connection.cursor() as cursor:
        [(record,)] = cursor.execute(statement, values).fetchall()
    return int(record)


@dataclass(frozen=True, slots=True)
class Act:
    """One record of a plan's claims: an `entitlement`, a `payout` or a `payout_result`, and what it says (but the `ids` of a whole chunk)."""

    kind: str
    asset: str
    chunk: int
    says: Mapping[str, Any]
    record: int
    recorded_at: datetime
    recorded_by: str


_ACTS = """
    SELECT kind, split_part(subject, ':', 2) AS asset, CAST(split_part(subject, ':', 3) AS int) AS chunk,
      CASE kind WHEN 'payout_result' THEN CAST(CAST(content AS jsonb) - 'ids' AS text) ELSE content END AS content, id, recorded_at, recorded_by
    FROM books.records WHERE kind IN ('entitlement', 'payout', 'payout_result') AND {}
    ORDER BY 2, 3, recorded_at, id
"""
_OF_ALL = text(_ACTS.format("starts_with(subject, :of || ':')"))
_OF_SOME = text(_ACTS.format("subject = ANY (:of)"))


def acts(books: Books, plan: str) -> list[Act]:
    """Everything on record of a plan's claims, by asset and chunk, each chunk's in the order in which it was recorded."""
    return _acts(books, _OF_ALL, plan)


def acts_of(books: Books, plan: str, asset: str, chunks: Iterable[int]) -> list[Act]:
    """The same of some chunks of an asset."""
    return _acts(books, _OF_SOME, [f"{plan}:{asset}:{chunk}" for chunk in chunks])


def _acts(books: Books, query: TextClause, of: str | list[str]) -> list[Act]:
    with telling(books.home), books.engine.connect() as connection:
        return [
            Act(kind, asset, chunk, json.loads(content), record, at, by)
            for kind, asset, chunk, content, record, at, by in connection.execute(query, {"of": of})
        ]


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What two people withdrew of a run, which may be sent again: so many of an asset's payments by a channel, so much in all at most."""

    request: int
    record: int
    run: int
    asset: str
    channel: str
    people: int
    total: Decimal

    @property
    def source(self) -> str:
        """What a result that withdraws names as its source."""
        return sha256(str(self.request).encode()).hexdigest()


_WITHDRAWN = text("""
    SELECT request, id, CAST(split_part(subject, ':', 2) AS int), content FROM books.records
    WHERE kind = 'withdrawal' AND starts_with(subject, :plan || ':') ORDER BY recorded_at, id
""")


def withdrawals(books: Books, plan: str) -> list[Withdrawal]:
    """What was approved to be withdrawn of a plan's payments, the earliest first.

    It is asked for with `registry.requests.ask_to_record`: the action `withdrawal`, the subject `PLAN:RUN`, and asset, channel,
    people and total.
    """
    with telling(books.home), books.engine.connect() as connection:
        return [
            Withdrawal(
                request, record, run, says["asset"], says["channel"], int(says["people"]), Decimal(says["total"])
            )
            for request, record, run, content in connection.execute(_WITHDRAWN, {"plan": plan})
            for says in [json.loads(content)]
        ]


@dataclass(frozen=True, slots=True)
class Claimants:
    """The account that holds what is set apart for the claimants of a plan in one asset."""

    number: int
    code: str


@dataclass(frozen=True, slots=True)
class Approved:
    """A plan that was approved: the batch that sets its money apart, and who asked for and approved it.

    `content` is what the batch says; `reversed` tells that it was undone.
    """

    record: int
    content: Mapping[str, Any]
    asked_by: str
    approved_by: str
    at: datetime
    claimants: Mapping[str, Claimants]
    reversed: bool

    @property
    def plan(self) -> str:
        """The plan's digest."""
        return str(self.content["plan"])

    @property
    def incident(self) -> str:
        """The incident that it is for."""
        return str(self.content["incident"])


_APPROVED = """
    SELECT b.id, b.content, b.recorded_at, q.recorded_by AS asked_by, d.recorded_by AS approved_by,
      EXISTS (SELECT 1 FROM books.records u WHERE u.kind = 'batch' AND u.key = 'reversal:' || b.id
        AND CAST(u.content AS jsonb)->>'purpose' = 'reversal') AS reversed,
      (SELECT jsonb_agg(DISTINCT jsonb_build_array(a.asset, a.id, a.code)) FROM unnest(b.accounts) e JOIN books.accounts a ON a.id = e
        WHERE a.owner = 'claimant') AS claimants
    FROM books.records b JOIN books.records q ON q.id = b.request
    JOIN books.records d ON d.kind = 'decision' AND d.key = CAST(b.request AS text)
    WHERE b.kind = 'batch' AND b.subject IS NOT NULL AND CAST(b.content AS jsonb)->>'purpose' = 'compensation' AND {}
    ORDER BY b.recorded_at
"""
_OF_PLAN = text(_APPROVED.format("b.subject = :it"))
_OF_INCIDENT = text(_APPROVED.format("CAST(b.content AS jsonb)->>'incident' = :it"))


def approved(books: Books, plan: str) -> Approved | None:
    """The approval of a plan, also one that was undone; None when it has none."""
    return next(iter(_approved(books, _OF_PLAN, plan)), None)


def plans_of(books: Books, incident: str) -> list[Approved]:
    """The approved plans of an incident, the earliest first, also those that were undone."""
    return _approved(books, _OF_INCIDENT, incident)


def _approved(books: Books, query: TextClause, it: str) -> list[Approved]:
    with telling(books.home), books.engine.connect() as connection:
        return [
            Approved(
                row.id, json.loads(row.content), row.asked_by, row.approved_by, row.recorded_at,
                {asset: Claimants(number, code) for asset, number, code in row.claimants}, row.reversed,
            )
            for row in connection.execute(query, {"it": it})
        ]  # fmt: skip
