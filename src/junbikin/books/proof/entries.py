"""Whether batches keep the rules: what each did to its accounts, that it balances, that its flow is allowed and approved."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

from junbikin.books.proof.chain import INSTANT
from junbikin.books.proof.cut import Connection, Part
from junbikin.books.proof.rules import Rules
from junbikin.books.proof.verdict import Difference


@dataclass(frozen=True, slots=True)
class Work:
    """What was found in a part: how many entries, how many balances they must have made, and the first difference."""

    entries: int
    balances: int
    difference: Difference | None


# Entries are summed by batch and account, and compared in order of account with `balances`, found by their key: neighbours are
# near each other on disk. Accounts are summed by owner, owners by asset. What comes back is one row for each pattern of payers
# and receivers, with the first link of each fault: few rows, however long the part. A fault sorts by its link.
_FLOWS = """
  SELECT purpose, asked, version, booked, payers, receivers, sum(entries) AS entries, sum(balances) AS balances,
    min(fault) AS fault, min(link) AS link, min(link) FILTER (WHERE net <> 0) AS unbalanced
  FROM (
    SELECT link, purpose, asked, version, asset, booked, sum(net) AS net, sum(entries) AS entries, sum(balances) AS balances,
      min(fault) AS fault, array_agg(owner ORDER BY owner) FILTER (WHERE pays) AS payers,
      array_agg(owner ORDER BY owner) FILTER (WHERE gets) AS receivers
    FROM (
      SELECT n.link, n.purpose, n.asked, n.version, a.owner, a.asset, a.booked, sum(n.amount) AS net, bool_or(n.pays) AS pays,
        bool_or(n.gets) AS gets, sum(n.entries) AS entries, count(*) AS balances,
        min(ARRAY[lpad(n.link::text, 19, '0'), n.account::text, n.amount::text, b.amount::text, b.effective_at::text, n.id::text])
          FILTER (WHERE a.owner IS NULL OR n.amount IS DISTINCT FROM b.amount OR n.effective_at IS DISTINCT FROM b.effective_at) AS fault
      FROM (
        SELECT r.id, r.link, r.purpose, r.asked, r.version, r.effective_at, r.recorded_at, e.*
        FROM (
          SELECT id, link, effective_at, recorded_at, content::jsonb->>'purpose' AS purpose, request IS NOT NULL AS asked, accounts, amounts,
            width_bucket(recorded_at, %(since)s::timestamptz[]) AS version
          FROM books.records WHERE strand = %(strand)s AND link BETWEEN %(first)s AND %(last)s AND kind = 'batch' OFFSET 0) r
        CROSS JOIN LATERAL (
          SELECT account, sum(amount) AS amount, count(*) AS entries, bool_or(amount < 0) AS pays, bool_or(amount > 0) AS gets
          FROM (SELECT unnest(r.accounts) AS account, unnest(r.amounts) AS amount) x GROUP BY account) e
        ORDER BY e.account, r.recorded_at OFFSET 0) n
      LEFT JOIN LATERAL (
        SELECT owner, asset, place = 'booked' AS booked,
          CASE lanes WHEN 1 THEN '{0}'::int[] ELSE ARRAY(SELECT generate_series(0, lanes - 1)) END AS lanes
        FROM books.accounts WHERE id = n.account OFFSET 0) a ON true
      LEFT JOIN LATERAL (
        SELECT amount, effective_at FROM books.balances
        WHERE account = n.account AND lane = ANY (a.lanes) AND recorded_at = n.recorded_at AND record = n.id LIMIT 1) b ON true
      GROUP BY n.link, n.purpose, n.asked, n.version, a.owner, a.asset, a.booked) o
    GROUP BY link, purpose, asked, version, asset, booked) s
  GROUP BY purpose, asked, version, booked, payers, receivers
"""


def check_part(connection: Connection, part: Part, rules: Rules) -> Work:
    """Everything that the batches of a part say, against the balances, the accounts and the rules of their time."""
    if not part.batches:
        return Work(0, 0, None)
    flows = connection.rows(_FLOWS, strand=part.strand, first=part.first, last=part.last, since=rules.since)
    entries, balances = (int(sum(getattr(flow, name) for flow in flows)) for name in ("entries", "balances"))
    faults = [flow.fault for flow in flows if flow.fault]
    if faults:
        return Work(entries, balances, _fault(connection, min(faults, key=lambda fault: str(fault[0]))))
    unbalanced = [flow.unbalanced for flow in flows if flow.unbalanced is not None]
    if unbalanced:
        name = _batch(connection, part.strand, min(unbalanced))
        return Work(entries, balances, Difference("unbalanced", "what it pays and what it receives differ", name))
    for flow in sorted(flows, key=lambda flow: int(flow.link)):
        what = _forbidden(flow, rules)
        if what:
            return Work(entries, balances, Difference("flow", what, _batch(connection, part.strand, flow.link)))
    return Work(entries, balances, None)


def _forbidden(flow: Any, rules: Rules) -> str:
    """What the rules of their time say against a pattern of payers and receivers, or ""."""
    if flow.version == 0:
        return "it was recorded before there were rules"
    scope = "booked" if flow.booked else "held"
    for payer, receiver in product(flow.payers or (), flow.receivers or ()):
        needs_approval = rules.approval(flow.version, flow.purpose, payer, receiver, scope)
        named = f"{payer} → {receiver} ({scope}) for the purpose {flow.purpose}"
        if needs_approval is None:
            return f"the flow rules do not allow {named}"
        if needs_approval and not flow.asked:
            return f"{named} needs the approval of a second person, and it has no request"
    return ""


def _batch(connection: Connection, strand: int, link: int) -> str:
    query = "SELECT id, key FROM books.records WHERE strand = %(strand)s AND link = %(link)s"
    row = connection.row(query, strand=strand, link=link)
    return f"record {row.id} (batch {row.key})" if row else f"strand {strand}, link {link}"


def _fault(connection: Connection, fault: list[str]) -> Difference:
    """What is wrong with one account's part of a batch."""
    _, account, amount, in_balances, effective_at, record = fault
    row = connection.row("SELECT code FROM books.accounts WHERE id = %(id)s::bigint", id=account)
    [key] = connection.rows(
        "SELECT key, effective_at::text AS at FROM books.records WHERE id = %(id)s::bigint", id=record
    )
    batch = f"record {record} (batch {key.key})"
    if row is None:
        return Difference("account", f"there is no account {account}", batch, "an account", "")
    where = f"books.balances of {row.code}, {batch}"
    if in_balances is None:
        return Difference("balance", "the row is missing", where, amount, "")
    if effective_at != key.at:
        return Difference("balance", "the effective time is not the batch's", where, key.at, effective_at)
    return Difference("balance", "the amount is not what the batch's entries sum to", where, amount, in_balances)


# A record that came of a request: the request, its approval by another person, and for a batch the digest approved.
_APPROVALS = f"""
  SELECT r.id, r.kind, r.key, r.request, q.id IS NOT NULL AS asked, q.recorded_by AS asked_by, d.recorded_by AS decided_by,
    d.verdict, r.digests && ARRAY[q.content::jsonb->'batches'->>r.key] AS same
  FROM (
    SELECT id, link, kind, key, request, CASE WHEN kind = 'batch' THEN ARRAY(
      SELECT encode(sha256(convert_to('junbikin-batch-1' || E'\\n' || key || E'\\n' || at || E'\\n' || encode(entries_digest, 'hex')
        || E'\\n' || content, 'UTF8')), 'hex')
      FROM unnest(ARRAY[{INSTANT.format("effective_at")}, CASE WHEN effective_at = recorded_at THEN '' END]) at WHERE at IS NOT NULL) END AS digests
    FROM books.records
    WHERE strand = %(strand)s AND link BETWEEN %(first)s AND %(last)s AND request IS NOT NULL AND kind <> 'decision' OFFSET 0) r
  LEFT JOIN LATERAL (
    SELECT id, recorded_by, content FROM books.records WHERE id = r.request AND kind = 'request' OFFSET 0) q ON true
  LEFT JOIN LATERAL (
    SELECT recorded_by, content::jsonb->>'verdict' AS verdict FROM books.records
    WHERE kind = 'decision' AND key = r.request::text OFFSET 0) d ON true
  WHERE q.id IS NULL OR d.verdict IS DISTINCT FROM 'approve' OR d.recorded_by = q.recorded_by
    OR (r.kind = 'batch' AND (r.digests && ARRAY[q.content::jsonb->'batches'->>r.key]) IS NOT TRUE)
  ORDER BY r.link LIMIT 1
"""


def check_approvals(connection: Connection, part: Part) -> Difference | None:
    """The first record of a part that came of a request which nobody else approved, or approved for something else."""
    bad = connection.row(_APPROVALS, strand=part.strand, first=part.first, last=part.last)
    if bad is None:
        return None
    if not bad.asked:
        what = f"there is no request {bad.request}"
    elif bad.verdict != "approve":
        what = f"request {bad.request} was {'refused' if bad.verdict else 'not decided'}"
    elif bad.decided_by == bad.asked_by:
        what = f"request {bad.request} was approved by {bad.asked_by}, who made it"
    else:
        what = f"it is not what was approved with request {bad.request}"
    return Difference("approval", what, f"record {bad.id} ({bad.kind} {bad.key})")
