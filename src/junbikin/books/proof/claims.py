"""Whether claims went as approved: what each chunk is owed, that nobody was sent twice what was out or settled, and each batch of a result."""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import partial, reduce
from typing import Any

from junbikin.books.proof.cut import Connection, Cut
from junbikin.books.proof.eras import Eras
from junbikin.books.proof.verdict import Difference
from junbikin.figures import plain
from junbikin.figures.amounts import EXACT

_PAYERS = frozenset({"incident_commander", "reserve_officer"})
_KINDS = "('entitlement', 'payout', 'payout_result')"
_HEX = re.compile(r"[0-9a-f]{64}")
_COUNT = re.compile(r"[1-9][0-9]{0,11}")
_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,29})([.][0-9]{0,17}[1-9])?")


@dataclass(frozen=True, slots=True)
class _Leg:
    """What a plan pays of one asset: `chunks` are the digests of what each chunk is owed; `account` holds the money meanwhile."""

    total: Decimal
    people: int
    size: int
    chunks: tuple[str, ...]
    account: int


@dataclass(frozen=True, slots=True)
class _Plan:
    """An approved plan, when its money was set apart, and when that was undone."""

    digest: str
    recorded_at: datetime
    legs: Mapping[str, _Leg]
    undone_at: datetime | None
    incident: str
    affected: str
    """The asset whose holders it makes good, all of them; "" when it names whom."""
    at: datetime | None
    """As of when they are its holders."""
    disputes: frozenset[str]

    def pays_same(self, later: _Plan) -> bool:
        """Whether a plan that was approved later, while this one stood, is for the same people."""
        stood = self.undone_at is None or self.undone_at > later.recorded_at
        then = self.incident == later.incident or (self.at is not None and self.at == later.at)
        holders = self.affected != "" and self.affected == later.affected and then
        return stood and (holders or bool(self.disputes & later.disputes))


@dataclass(frozen=True, slots=True)
class _Withdrawal:
    """What two people withdrew of a run: since when it is on record, and of how many people and how much at most."""

    recorded_at: datetime
    people: int
    total: Decimal


@dataclass(slots=True)
class _Found:
    """What was found on the way: of each plan and asset the chunks and their sum, and the results that have batches."""

    entitled: dict[tuple[str, str], list[Decimal]] = field(default_factory=dict)
    batches: set[str] = field(default_factory=set)
    withdrawn: dict[tuple[str, ...], list[tuple[int, Decimal]]] = field(default_factory=dict)


# Every batch that an account of claimants has a part in. What such an account receives or pays is summed by account.
_BATCHES = """
  SELECT r.id, r.kind, r.key, r.subject, r.recorded_at, r.content, says->>'purpose' AS purpose, (
      SELECT json_agg(json_build_array(a.id, a.asset, a.holder, m.amount::text)) FROM (
        SELECT e.account, sum(e.amount) AS amount FROM unnest(r.accounts, r.amounts) e(account, amount) GROUP BY e.account) m
      JOIN books.accounts a ON a.id = m.account AND a.owner = 'claimant') AS claimants,
    u.id AS undone, u.sound
  FROM (
    SELECT *, content::jsonb AS says FROM books.records WHERE kind = 'batch' AND id IN (
      SELECT b.record FROM books.accounts a JOIN books.balances b ON b.account = a.id WHERE a.owner = 'claimant') OFFSET 0) r
  LEFT JOIN LATERAL (
    SELECT o.id, o.content::jsonb->>'purpose' = 'compensation' AND o.accounts = r.accounts
      AND o.amounts = ARRAY(SELECT -x.amount FROM unnest(r.amounts) WITH ORDINALITY x(amount, n) ORDER BY n) AS sound
    FROM books.records o WHERE says->>'purpose' = 'reversal' AND o.kind = 'batch' AND o.id = substring(r.key FROM '^reversal:([1-9][0-9]{0,17})$')::bigint
      AND o.id::text = says->>'reverses' OFFSET 0) u ON true
  ORDER BY r.recorded_at, r.id
"""

_INCIDENTS = "SELECT DISTINCT subject FROM books.records WHERE kind = 'incident'"

_WITHDRAWALS = """
  SELECT subject, content, recorded_at, encode(sha256(convert_to(request::text, 'UTF8')), 'hex') AS source
  FROM books.records WHERE kind = 'withdrawal'
"""

_SUBJECTS = f"""
  SELECT subject, min(id) AS id FROM books.records WHERE kind IN {_KINDS} GROUP BY subject ORDER BY 2
"""

_PAID_BY = f"""
  SELECT recorded_by AS by, width_bucket(recorded_at, %(since)s::timestamptz[]) AS era, min(id) AS id FROM books.records
  WHERE kind IN {_KINDS} GROUP BY 1, 2 ORDER BY 3
"""


def check_claims(view: Cut, eras: Eras) -> Iterator[Difference]:
    """What is wrong with the claims of all plans, the plans first."""
    batches = view.main.rows(_BATCHES)
    plans: dict[str, _Plan] = {}
    undone = {row.undone: row.recorded_at for row in batches if row.purpose == "reversal" and row.sound}
    incidents = {row.subject for row in view.main.rows(_INCIDENTS)}
    for row in batches:
        if row.purpose == "compensation":
            plan = _plan(row, incidents, undone.get(row.id))
            if isinstance(plan, str):
                yield Difference("plan", plan, _named(row))
                continue
            other = next((one for one in plans.values() if one.pays_same(plan)), None)
            if other is not None:
                yield Difference(
                    "plan", f"it makes the same people good as the plan {other.digest[:12]}, which stood", _named(row)
                )
            plans[plan.digest] = plan
        elif row.purpose not in ("reversal", "payout", "payout_return"):
            yield Difference("claim", "it is no batch that claimants could have part in", _named(row))
        elif row.purpose == "reversal" and not row.sound:
            yield Difference(
                "claim", "it undoes no compensation, and moves what is set apart for claimants", _named(row)
            )
    for actor in view.main.rows(_PAID_BY, since=eras.since):
        if not eras.roles(actor.by, actor.era) & _PAYERS:
            record = view.main.row("SELECT id, kind, key FROM books.records WHERE id = %(id)s", id=actor.id)
            yield Difference("role", f"{actor.by} had no role that may pay claims", _named(record))
    found = _Found()
    withdrawals = _withdrawals(view.main)
    subjects = [(row.subject, int(row.id)) for row in view.main.rows(_SUBJECTS)]
    for difference in view.at_once(partial(_check_chunk, plans=plans, withdrawals=withdrawals, found=found), subjects):
        if difference is not None:
            yield difference
    yield from _sums(plans, found)
    yield from _withdrawn(withdrawals, found)
    for row in batches:
        if row.purpose in ("payout", "payout_return") and row.key not in found.batches:
            yield Difference("claim", "there is no result of which it follows", _named(row))
    yield from _undone(view.main, plans)


def _withdrawals(connection: Connection) -> dict[tuple[str, ...], _Withdrawal]:
    """Plan with its run, asset, channel and the source that a result names → what was withdrawn of it."""
    found: dict[tuple[str, ...], _Withdrawal] = {}
    for row in connection.rows(_WITHDRAWALS):
        says = _said(row.content)
        if _COUNT.fullmatch(says["people"]) and _AMOUNT.fullmatch(says["total"]):
            of = (row.subject, says["asset"], says["channel"], row.source)
            found[of] = _Withdrawal(row.recorded_at, int(says["people"]), Decimal(says["total"]))
    return found


def _plan(row: Any, incidents: set[str], undone_at: datetime | None) -> _Plan | str:
    """The plan that a batch of compensation sets money apart for, or what is wrong with it."""
    says = _said(row.content)
    digest = str(says["plan"])
    if not _HEX.fullmatch(digest) or row.key != f"compensation:{digest[:24]}" or says["incident"] not in incidents:
        return "it is no plan of an incident on record"
    if not re.fullmatch(r"(confirmed|exempt): .+", str(says["permission"])):
        return "nobody permits the plan"
    apart = {asset: (account, holder, Decimal(amount)) for account, asset, holder, amount in row.claimants}
    try:
        legs = {leg["asset"]: _leg(leg, apart[leg["asset"]][0]) for leg in says["legs"]}
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return "what the plan pays is not what is set apart"
    if not legs or len(legs) != len(says["legs"]) or len(row.claimants) != len(legs):
        return "one account of claimants receives of each asset that the plan pays, and of no other"
    for asset, one in legs.items():
        _, holder, amount = apart[asset]
        if (
            one.total != amount
            or holder != says["incident"]
            or len(one.chunks) != -(-one.people // one.size)
            or one.total <= 0
        ):
            return f"what the plan pays of {asset} is not what is set apart"
    affected = says["affected"] if says["who"] in ("holders", "place") else ""
    disputes = frozenset(filter(None, says["disputes"].split(",")))
    try:
        at = datetime.fromisoformat(says["at"]) if affected or says["at"] else None
    except ValueError:
        return "it does not say as of when its people are holders"
    return _Plan(digest, row.recorded_at, legs, undone_at, says["incident"], affected, at, disputes)


def _leg(leg: Mapping[str, Any], account: int) -> _Leg:
    chunks = tuple(leg["chunks"])
    whole = _AMOUNT.fullmatch(leg["total"]) and _COUNT.fullmatch(leg["people"]) and _COUNT.fullmatch(leg["size"])
    if not whole or not all(map(_HEX.fullmatch, chunks)):
        raise ValueError(leg["total"])
    return _Leg(Decimal(leg["total"]), int(leg["people"]), int(leg["size"]), chunks, account)


def _said(content: str) -> Mapping[str, Any]:
    """What a record says; what it leaves out is ""."""
    return defaultdict(str, json.loads(content))


# Everything about one chunk: what it is owed, then each payout and result, with what was taken, settled and returned before it. Sums are of
# the amounts whose numbers are in a set.
_CHUNK = """
  WITH e AS MATERIALIZED (
    SELECT id, kind, key, subject, request, accounts = '{}' AS bare, effective_at, recorded_at, content, amounts, encode(entries_digest, 'hex') AS entries,
      (content::jsonb->>'first')::bigint AS first
    FROM books.records WHERE kind = 'entitlement' AND subject = %(subject)s
  ), a AS MATERIALIZED (
    SELECT o.first + o.n - 1 AS number, o.amount FROM (SELECT e.first, generate_series(1, cardinality(e.amounts)) AS n, unnest(e.amounts) AS amount FROM e) o
  ), p AS MATERIALIZED (
    SELECT *, says->>'run' AS run, says->>'channel' AS channel, (says->>'numbers')::int8multirange AS numbers FROM (
      SELECT id, kind, key, subject, request, amounts IS NULL AND accounts IS NULL AS bare, effective_at, recorded_at, content, content::jsonb AS says
      FROM books.records WHERE kind = 'payout' AND subject = %(subject)s OFFSET 0) p
  ), r AS MATERIALIZED (
    SELECT *, says->>'run' AS run, says->>'channel' AS channel, (says->>'settled')::int8multirange AS settled,
      coalesce((SELECT range_agg(t.value::int8multirange) FROM jsonb_each_text(says->'returned') t), '{}') AS returned,
      (SELECT coalesce(sum(upper(n) - lower(n)), 0) FROM jsonb_each_text(says->'returned') t CROSS JOIN LATERAL unnest(t.value::int8multirange) n) AS returned_people
    FROM (
      SELECT id, kind, key, subject, request, amounts IS NULL AND accounts IS NULL AS bare, effective_at, recorded_at, content, recorded_by, content::jsonb AS says
      FROM books.records WHERE kind = 'payout_result' AND subject = %(subject)s OFFSET 0) r
  ), w AS MATERIALIZED (
    SELECT r.*, s.numbers AS sent, s.recorded_at AS sent_at, coalesce(b.settled, '{}') AS settled_before, coalesce(b.returned, '{}') AS returned_before,
      r.returned * coalesce(b.settled, '{}') AS late FROM r
    LEFT JOIN LATERAL (SELECT p.numbers, p.recorded_at FROM p WHERE (p.run, p.channel) = (r.run, r.channel) AND p.recorded_at < r.recorded_at LIMIT 1) s ON true
    LEFT JOIN LATERAL (
      SELECT range_agg(o.settled) AS settled, range_agg(o.returned) AS returned FROM r o
      WHERE (o.run, o.channel) = (r.run, r.channel) AND o.recorded_at < r.recorded_at) b ON true
  )
  SELECT e.id, e.kind, e.key, e.request, e.bare, e.effective_at, e.recorded_at, e.content, e.entries, NULL AS by,
    o.people, o.least, o.total, NULL::numeric AS back, NULL::timestamptz AS sent_at, NULL AS late, true AS fits
  FROM e CROSS JOIN LATERAL (SELECT count(*) AS people, min(amount) AS least, sum(amount) AS total FROM a) o
  UNION ALL
  SELECT p.id, p.kind, p.key, p.request, p.bare, p.effective_at, p.recorded_at, p.content, NULL, NULL,
    o.people, o.least, o.total, NULL, NULL, NULL,
    NOT isempty(p.numbers) AND p.numbers::text = p.says->>'numbers' AND p.recorded_at > (SELECT max(recorded_at) FROM e)
      AND (SELECT coalesce(sum(upper(n) - lower(n)), 0) FROM unnest(p.numbers) n) = o.people
      AND NOT EXISTS (
        SELECT 1 FROM p o WHERE o.recorded_at < p.recorded_at AND NOT isempty(p.numbers * (o.numbers - coalesce((
          SELECT range_agg(r.returned) FROM r WHERE (r.run, r.channel) = (o.run, o.channel) AND r.recorded_at < p.recorded_at), '{}'))))
  FROM p CROSS JOIN LATERAL (SELECT count(*) AS people, min(amount) AS least, sum(amount) AS total FROM a WHERE a.number <@ p.numbers) o
  UNION ALL
  SELECT w.id, w.kind, w.key, w.request, w.bare, w.effective_at, w.recorded_at, w.content, NULL, w.recorded_by,
    (SELECT coalesce(sum(upper(n) - lower(n)), 0) FROM unnest(w.settled + w.returned) n),
    o.settled, o.returned, o.back, w.sent_at, w.late::text,
    (w.settled::text = w.says->>'settled' AND isempty(w.settled * w.returned)
      AND (SELECT coalesce(sum(upper(n) - lower(n)), 0) FROM unnest(w.returned) n) = w.returned_people
      AND w.settled <@ (w.sent - w.settled_before - w.returned_before) AND w.returned <@ (w.sent - w.returned_before)) IS TRUE
  FROM w CROSS JOIN LATERAL (
    SELECT coalesce(sum(amount) FILTER (WHERE a.number <@ w.settled), 0) AS settled, coalesce(sum(amount) FILTER (WHERE a.number <@ w.returned), 0) AS returned,
      coalesce(sum(amount) FILTER (WHERE a.number <@ w.late), 0) AS back FROM a) o
  ORDER BY recorded_at, id
"""

# The batch of a result: what the plan's account receives by it, and who is on the other side.
_FOLLOWS = """
  SELECT b.id, b.kind, b.key, b.recorded_by AS by, b.effective_at, b.content, coalesce(sum(e.amount) FILTER (WHERE a.id = %(account)s), 0) AS amount,
    bool_and(a.id = %(account)s OR a.owner = %(other)s AND a.asset = %(asset)s AND a.place <> 'booked' AND sign(e.amount) = %(sign)s) AS sound
  FROM (SELECT * FROM books.records WHERE kind = 'batch' AND key = %(key)s OFFSET 0) b
  CROSS JOIN LATERAL unnest(b.accounts, b.amounts) e(account, amount) LEFT JOIN books.accounts a ON a.id = e.account
  GROUP BY b.id, b.kind, b.key, b.recorded_by, b.effective_at, b.content
"""


# The customers whom the batch of a result reaches, against the numbers that it must reach: ids and amounts of the chunk in their order.
_CREDITED = """
  WITH due AS MATERIALIZED (
    SELECT d.id, d.amount FROM (
      SELECT amounts, (content::jsonb->>'first')::bigint AS first FROM books.records WHERE kind = 'entitlement' AND subject = %(subject)s OFFSET 0) c
    CROSS JOIN LATERAL unnest((
      SELECT string_to_array(content::jsonb->>'ids', E'\\n') FROM books.records WHERE id = %(result)s), c.amounts) WITH ORDINALITY d(id, amount, n)
    WHERE c.first + d.n - 1 <@ %(numbers)s::int8multirange
  ), done AS MATERIALIZED (
    SELECT a.holder, abs(e.amount) AS amount, a.place FROM (SELECT accounts, amounts FROM books.records WHERE id = %(batch)s OFFSET 0) b
    CROSS JOIN LATERAL unnest(b.accounts, b.amounts) e(account, amount) JOIN books.accounts a ON a.id = e.account AND a.owner = 'customer'
  )
  SELECT (SELECT count(*) FROM due) = (SELECT count(*) FROM done) AND (SELECT min(place) = max(place) FROM done)
    AND NOT EXISTS (SELECT id, amount FROM due EXCEPT ALL SELECT holder, amount FROM done) AS sound
"""


def _check_chunk(
    connection: Connection,
    of: tuple[str | None, int],
    plans: Mapping[str, _Plan],
    withdrawals: Mapping[tuple[str, ...], _Withdrawal],
    found: _Found,
) -> Difference | None:
    """The first record of a chunk that is not as it must be; what is found of it is added to `found`."""
    subject, first = of[0] or "", of[1]
    plan, asset, chunk = _parts(subject)
    approved = plans.get(plan)
    leg = approved.legs.get(asset) if approved else None
    if approved is None or leg is None or not 1 <= chunk <= len(leg.chunks):
        record = connection.row("SELECT id, kind, key FROM books.records WHERE id = %(id)s", id=first)
        return Difference("claim", "no plan on record owes this", _named(record))
    owed: Mapping[str, Any] = {}
    for row in connection.rows(_CHUNK, subject=subject):
        fault = _fault(row, subject, approved, leg, chunk)
        if fault:
            return Difference("claim", fault, _named(row))
        if row.kind == "entitlement":
            owed = _said(row.content)
            found.entitled.setdefault((plan, asset), []).append(row.total)
        if row.kind == "payout_result":
            wrong = _result(row, plan, asset, withdrawals, found) or _followed(
                connection, row, subject, leg, owed, found
            )
            if wrong is not None:
                return wrong
    return None


def _result(
    row: Any, plan: str, asset: str, withdrawals: Mapping[tuple[str, ...], _Withdrawal], found: _Found
) -> Difference | None:
    """What is wrong with a result that withdraws something; what it withdraws is added to `found`."""
    says = _said(row.content)
    if "withdrawn" not in says["returned"]:
        return None
    if len(says["returned"]) > 1 or says["settled"] != "{}" or row.back:
        return Difference("claim", "what was settled, or came back, is not withdrawn", _named(row))
    of = (f"{plan}:{says['run']}", asset, says["channel"], says["source"])
    if of not in withdrawals or withdrawals[of].recorded_at > row.recorded_at:
        return Difference("claim", "nobody approved that this is withdrawn", _named(row))
    found.withdrawn.setdefault(of, []).append((int(row.people), row.total))
    return None


def _followed(
    connection: Connection, row: Any, subject: str, leg: _Leg, owed: Mapping[str, Any], found: _Found
) -> Difference | None:
    """What is wrong with the batches of a result; those that are there are added to `found`."""
    says, asset = _said(row.content), subject.split(":")[1]
    other = "customer" if says["channel"] == "account" else "outside"
    moved = (("payout", EXACT.minus(row.least), says["settled"]), ("payout_return", row.back, row.late))
    for purpose, amount, numbers in moved:
        key, sign = f"{purpose}:{row.key}", 1 if purpose == "payout" else -1
        batch = connection.row(_FOLLOWS, key=key, account=leg.account, asset=asset, other=other, sign=sign)
        wrong = _wrong(batch, row, purpose, amount)
        if not wrong and batch is not None and other == "customer":
            ids = says["ids"]
            whole = (hashlib.sha256(ids.encode()).hexdigest(), str(ids.count("\n") + 1)) == (
                owed["accounts"],
                owed["people"],
            )
            reached = connection.row(_CREDITED, subject=subject, result=row.id, batch=batch.id, numbers=numbers)
            wrong = "" if whole and reached is not None and reached.sound else "it reaches others than the plan names"
        if wrong:
            return Difference("claim", wrong, _named(batch or row))
        if batch is not None:
            found.batches.add(key)
    return None


def _parts(subject: str) -> tuple[str, str, int]:
    parts = re.fullmatch(r"([0-9a-f]{64}):([^:]+):([1-9][0-9]{0,5})", subject)
    return (parts[1], parts[2], int(parts[3])) if parts else ("", "", 0)


def _fault(row: Any, subject: str, plan: _Plan, leg: _Leg, chunk: int) -> str:
    """What is wrong with one record of a chunk by itself, or ""."""
    says = _said(row.content)
    asset = subject.split(":")[1]
    first = (chunk - 1) * leg.size + 1
    keys = {
        "entitlement": subject,
        "payout": f"{subject}:{says['run']}:{says['channel']}",
        "payout_result": f"{subject}:{hashlib.sha256(row.content.encode()).hexdigest()[:24]}",
    }
    if row.request is not None or not row.bare or row.key != keys[row.kind] or row.effective_at > row.recorded_at:
        return "this is no such record"
    if (says["asset"], says["chunk"]) != (asset, str(chunk)) or row.recorded_at < plan.recorded_at:
        return "it is not about these claims"
    if row.kind != "payout_result" and plan.undone_at is not None and row.recorded_at > plan.undone_at:
        return "the plan was undone before"
    if row.kind == "entitlement":
        digest = hashlib.sha256(f"{row.content}\n{row.entries}".encode()).hexdigest()
        if digest != leg.chunks[chunk - 1]:
            return "it is not what was approved"
        there = (str(first), str(min(leg.size, leg.people - first + 1)), str(row.people))
        return (
            ""
            if there == (says["first"], says["people"], says["people"]) and row.least >= 0
            else "these are not the claims of its chunk"
        )
    if row.kind == "payout":
        if not row.fits:
            return "somebody among these is owed nothing, or was paid or being paid already"
        stated = (says["people"], says["total"]) == (str(row.people), plain(row.total))
        return "" if stated and row.least > 0 else "it is not what these people are owed"
    if not row.fits:
        return "something of this was not being paid"
    if row.effective_at < row.sent_at:
        return "this was before it was sent"
    stated = (says["people"], says["settled_total"], says["returned_total"]) == (
        str(row.people),
        plain(row.least),
        plain(row.total),
    )
    return "" if stated else "it is not what these people are owed"


def _wrong(batch: Any | None, result: Any, purpose: str, amount: Decimal) -> str:
    """What is wrong with the batch of a result, or ""."""
    if batch is None:
        return f"the batch that follows from it ({purpose}) is missing" if amount else ""
    if not amount:
        return "nothing follows from its result that it could post"
    if batch.by != result.by or batch.amount != amount or not batch.sound:
        return "it is not what follows from its result"
    if json.loads(batch.content) != {"purpose": purpose, "result": result.key}:
        return "it is not what follows from its result"
    return ""


def _sums(plans: Mapping[str, _Plan], found: _Found) -> Iterator[Difference]:
    """Whether what all chunks of a plan are owed is what was set apart."""
    for (digest, asset), sums in sorted(found.entitled.items()):
        leg, owed = plans[digest].legs[asset], reduce(EXACT.add, sums)
        if owed > leg.total or (len(sums) == len(leg.chunks) and owed != leg.total):
            what = "what the people of a plan are owed is not what is set apart for them"
            yield Difference("claim", what, f"plan {digest}, {asset}", plain(leg.total), plain(owed))


def _withdrawn(withdrawals: Mapping[tuple[str, ...], _Withdrawal], found: _Found) -> Iterator[Difference]:
    """Whether no more was withdrawn than two people approved."""
    for of, parts in sorted(found.withdrawn.items()):
        allowed = withdrawals[of]
        people, total = sum(people for people, _ in parts), reduce(EXACT.add, (total for _, total in parts))
        if people > allowed.people or total > allowed.total:
            what = "more was withdrawn than was approved"
            yield Difference("claim", what, f"plan and run {of[0]}, {of[1]}", plain(allowed.total), plain(total))


_OUT = """
  SELECT sum(CASE kind WHEN 'payout' THEN (says->>'people')::bigint
    ELSE -(SELECT coalesce(sum(upper(n) - lower(n)), 0) FROM jsonb_each_text(says->'returned') t CROSS JOIN LATERAL unnest(t.value::int8multirange) n) END) AS people
  FROM (
    SELECT kind, content::jsonb AS says FROM books.records
    WHERE kind IN ('payout', 'payout_result') AND starts_with(subject, %(plan)s || ':') AND recorded_at < %(until)s OFFSET 0) r
"""


def _undone(connection: Connection, plans: Mapping[str, _Plan]) -> Iterator[Difference]:
    """Plans that were undone while something of them was paid or being paid."""
    for plan in plans.values():
        if plan.undone_at is not None:
            [row] = connection.rows(_OUT, plan=plan.digest, until=plan.undone_at)
            if row.people:
                yield Difference(
                    "claim",
                    "it was undone while people were paid, or being paid",
                    f"plan {plan.digest}",
                    "0",
                    f"{row.people}",
                )


def _named(record: Any) -> str:
    return f"record {record.id} ({record.kind} {record.key})"
