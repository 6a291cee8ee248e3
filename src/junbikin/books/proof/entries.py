"""Whether batches keep the rules: what each did to its accounts, that it balances, and that its flow was theirs to make and approve."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from junbikin.books.flows import UNFROZEN
from junbikin.books.proof.cut import Connection, Part
from junbikin.books.proof.eras import READERS, Eras
from junbikin.books.proof.verdict import Difference


@dataclass(frozen=True, slots=True)
class Work:
    """What was found in a part: how many entries, how many balances they must have made, and the first difference."""

    entries: int
    balances: int
    difference: Difference | None


# How each batch of a part came to be: in which era, what it states of what flows need, who posted it, whose roles it was made
# under, and who approved it.
_ACTS = """
  SELECT id, link, effective_at, recorded_at, accounts, amounts, request, recorded_by AS by,
    width_bucket(recorded_at, %(since)s::timestamptz[]) AS era, says->>'purpose' AS purpose,
    ARRAY(SELECT need FROM unnest(%(needs)s::text[]) need WHERE says->>need <> '') AS states,
    CASE WHEN request IS NULL THEN recorded_by ELSE (SELECT q.recorded_by FROM books.records q WHERE q.id = b.request AND q.kind = 'request') END AS maker,
    CASE WHEN request IS NOT NULL THEN (SELECT d.recorded_by FROM books.records d WHERE d.kind = 'decision' AND d.key = b.request::text) END AS approver,
    subject IS DISTINCT FROM CASE WHEN says->>'purpose' = 'release' THEN says->>'position' END AS misfiled,
    says->>'purpose' = 'compensation' AND subject = says->>'plan' AS planned
  FROM (
    SELECT *, content::jsonb AS says FROM books.records
    WHERE strand = %(strand)s AND link BETWEEN %(first)s AND %(last)s AND kind = 'batch' OFFSET 0) b
"""

_ACT = f"SELECT era, purpose, states, by, request, maker, approver, misfiled, planned FROM ({_ACTS}) acts"

# Entries are summed by batch and account, and compared in order of account with `balances`, found by their key: neighbours are
# near each other on disk. Accounts are summed by owner, owners by asset. What comes back is one row for each pattern of payers
# and receivers and each way to act, with the first link of each fault: few rows, however long the part. A fault sorts by its link.
_FLOWS = f"""
  SELECT act, booked, payers, receivers, sum(entries) AS entries, sum(balances) AS balances,
    min(fault) AS fault, min(link) AS link, min(link) FILTER (WHERE net <> 0) AS unbalanced
  FROM (
    SELECT link, act, asset, booked, sum(net) AS net, sum(entries) AS entries, sum(balances) AS balances,
      min(fault) AS fault, array_agg(owner ORDER BY owner) FILTER (WHERE pays) AS payers,
      array_agg(owner ORDER BY owner) FILTER (WHERE gets) AS receivers
    FROM (
      SELECT n.link, n.act, a.owner, a.asset, a.booked, sum(n.amount) AS net, bool_or(n.pays) AS pays,
        bool_or(n.gets) AS gets, sum(n.entries) AS entries, count(*) AS balances,
        min(ARRAY[lpad(n.link::text, 19, '0'), n.account::text, n.amount::text, b.amount::text, b.effective_at::text, n.id::text])
          FILTER (WHERE a.owner IS NULL OR n.amount IS DISTINCT FROM b.amount OR n.effective_at IS DISTINCT FROM b.effective_at) AS fault
      FROM (
        SELECT r.id, r.link, r.act, r.effective_at, r.recorded_at, e.*
        FROM (
          SELECT id, link, effective_at, recorded_at, accounts, amounts,
            min(link) OVER (PARTITION BY era, purpose, states, by, request IS NULL, maker, approver, misfiled, planned) AS act
          FROM ({_ACTS}) acts OFFSET 0) r
        CROSS JOIN LATERAL (
          SELECT account, sum(amount) AS amount, count(*) AS entries, bool_or(amount < 0) AS pays, bool_or(amount > 0) AS gets
          FROM (SELECT unnest(r.accounts) AS account, unnest(r.amounts) AS amount) x GROUP BY account) e
        ORDER BY e.account, r.recorded_at OFFSET 0) n
      LEFT JOIN LATERAL (
        SELECT owner, asset, place = 'booked' AS booked,
          CASE lanes WHEN 1 THEN ARRAY[0] ELSE ARRAY(SELECT generate_series(0, lanes - 1)) END AS lanes
        FROM books.accounts WHERE id = n.account OFFSET 0) a ON true
      LEFT JOIN LATERAL (
        SELECT amount, effective_at FROM books.balances
        WHERE account = n.account AND lane = ANY (a.lanes) AND recorded_at = n.recorded_at AND record = n.id LIMIT 1) b ON true
      GROUP BY n.link, n.act, a.owner, a.asset, a.booked) o
    GROUP BY link, act, asset, booked) s
  GROUP BY act, booked, payers, receivers
"""


def check_part(connection: Connection, part: Part, eras: Eras) -> Work:
    """Everything that the batches of a part say, against the balances, the accounts and the rules and roles of their time."""
    if not part.batches:
        return Work(0, 0, None)
    values = {"strand": part.strand, "since": eras.since, "needs": eras.rules.needs}
    flows = connection.rows(_FLOWS, first=part.first, last=part.last, **values)
    entries, balances = (int(sum(getattr(flow, name) for flow in flows)) for name in ("entries", "balances"))
    faults = [flow.fault for flow in flows if flow.fault]
    if faults:
        return Work(entries, balances, _fault(connection, min(faults, key=lambda fault: str(fault[0]))))
    unbalanced = [flow.unbalanced for flow in flows if flow.unbalanced is not None]
    if unbalanced:
        name = _batch(connection, part.strand, min(unbalanced))
        return Work(entries, balances, Difference("unbalanced", "what it pays and what it receives differ", name))
    acts = {link: connection.row(_ACT, first=link, last=link, **values) for link in {flow.act for flow in flows}}
    for flow in sorted(flows, key=lambda flow: int(flow.link)):
        forbidden = next(_forbidden(flow, acts[flow.act], eras), None)
        if forbidden is not None:
            return Work(entries, balances, Difference(*forbidden, _batch(connection, part.strand, flow.link)))
    return Work(entries, balances, None)


def _forbidden(flow: Any, act: Any, eras: Eras) -> Iterator[tuple[str, str]]:
    """What the rules and roles of their time say against a pattern of payers and receivers, each with the kind of difference.

    A request or decision that is not there is another check's work.
    """
    version = eras.version(act.era)
    if version == 0:
        yield "flow", "it was recorded before there were rules"
        return
    scope = "booked" if flow.booked else "held"
    by_plan = False
    for payer, receiver in product(flow.payers or (), flow.receivers or ()):
        rule = eras.rules.flow(version, act.purpose, payer, receiver, scope)
        named = f"{payer} → {receiver} ({scope}) for the purpose {act.purpose}"
        if rule is None:
            yield "flow", f"the flow rules do not allow {named}"
            return
        by_plan = by_plan or "permission" in rule.needs
        if rule.approved_by and act.request is None:
            yield "flow", f"{named} needs the approval of a second person, and it has no request"
        for need in rule.needs:
            if need != UNFROZEN and need not in act.states:
                yield "flow", f"{named} needs its {need}, and it does not state it"
        if act.maker is not None and not rule.made_by & eras.roles(act.maker, act.era):
            yield "role", f"{act.maker} had no role that may make {named}"
        if rule.approved_by and act.approver is not None and not rule.approved_by & eras.roles(act.approver, act.era):
            yield "approval", f"{act.approver} had no role that may approve {named}"
    if not eras.roles(act.by, act.era) - READERS:
        yield "role", f"{act.by} had no role that may post"
    if by_plan and not act.planned:
        yield "flow", "its subject is not the plan that it sets money apart for"
    if act.misfiled and not by_plan:
        yield "flow", "its subject is not the position that it releases from"


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
