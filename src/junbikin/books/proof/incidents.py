"""Whether incidents went as they may: their events and states, what was frozen and what was posted meanwhile, disputes and decisions."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, product
from operator import attrgetter
from typing import Any

from junbikin.books.flows import UNFROZEN
from junbikin.books.proof.cut import Connection
from junbikin.books.proof.digests import instant
from junbikin.books.proof.eras import READERS, Eras
from junbikin.books.proof.verdict import Difference

_EVENTS = """
  SELECT id, kind, key, subject, recorded_by AS by, request, effective_at, recorded_at, content,
    width_bucket(recorded_at, %(since)s::timestamptz[]) AS era
  FROM books.records WHERE kind = 'incident' ORDER BY subject COLLATE "C", recorded_at, id
"""

_STEPS = {
    ("opened", "contained"),
    ("contained", "compensating"),
    ("contained", "closed"),
    ("compensating", "closed"),
    ("closed", "opened"),
}
_ANYBODY = frozenset({"note", "reported"})
_COMMANDER = frozenset({"opened", "taken", "state", "recovered"})


def check_incidents(connection: Connection, eras: Eras) -> Difference | None:
    """The first event that could not have happened to its incident then, or that nobody with a role for it told."""
    for _, events in groupby(connection.rows(_EVENTS, since=eras.since), attrgetter("subject")):
        for record, fault in _told(list(events), eras):
            return Difference(*fault, _named(record))
    return None


def _told(events: list[Any], eras: Eras) -> Iterator[tuple[Any, tuple[str, str]]]:
    """What is wrong with the events of one incident, each with its record."""
    state = ""
    for event in events:
        says = defaultdict(str, json.loads(event.content))
        name = says["event"]
        if event.request is not None or not event.subject or not event.key.startswith(f"incident:{event.subject}:"):
            yield event, ("incident", "this is no such record")
        elif name not in _ANYBODY | _COMMANDER or event.effective_at > event.recorded_at:
            yield event, ("incident", "this says nothing of an incident")
        elif (name == "opened") != (state == ""):
            yield event, ("incident", "an incident is opened once, and nothing is told of it before")
        elif name == "opened" and instant(event.effective_at) != _instant(says["occurred_at"]):
            yield event, ("incident", "it is not effective when the incident occurred")
        elif name == "state" and (state, says["to"]) not in _STEPS:
            yield event, ("incident", f"an incident does not go from {state} to {says['to']}")
        roles = eras.roles(event.by, event.era)
        if not (roles - READERS if name in _ANYBODY else roles & {"incident_commander"}):
            yield event, ("role", f"{event.by} had no role that may tell this of an incident")
        state = says["to"] if name == "state" else state or "opened"


def _instant(text: str) -> str:
    try:
        return instant(datetime.fromisoformat(text))
    except ValueError:
        return ""


_STATUS = """
  SELECT id, kind, key, subject, recorded_at, content::jsonb->>'status' AS status FROM books.records
  WHERE kind = 'asset_status' ORDER BY subject COLLATE "C", recorded_at, id
"""


@dataclass(frozen=True, slots=True)
class _Span:
    """An asset, and between which times it was frozen; without an end it still is."""

    asset: str
    since: datetime
    until: datetime | None


# What was paid by whom to whom in a frozen asset, with the first batch of each kind.
_MEANWHILE = """
  SELECT era, purpose, payers, receivers, min(id) AS id FROM (
    SELECT r.id, r.era, r.purpose, array_agg(DISTINCT a.owner) FILTER (WHERE e.amount < 0) AS payers,
      array_agg(DISTINCT a.owner) FILTER (WHERE e.amount > 0) AS receivers
    FROM (
      SELECT id, accounts, amounts, content::jsonb->>'purpose' AS purpose, width_bucket(recorded_at, %(eras)s::timestamptz[]) AS era
      FROM books.records WHERE kind = 'batch' AND recorded_at > %(since)s AND (%(until)s::timestamptz IS NULL OR recorded_at < %(until)s) OFFSET 0) r
    CROSS JOIN LATERAL unnest(r.accounts, r.amounts) e(account, amount)
    JOIN books.accounts a ON a.id = e.account AND a.asset = %(asset)s AND a.place <> 'booked'
    GROUP BY r.id, r.era, r.purpose) b
  GROUP BY era, purpose, payers, receivers
"""


def check_frozen(connection: Connection, eras: Eras) -> Difference | None:
    """The first freeze of what was frozen already, or opening of what was not; then what was posted while it must not be."""
    spans: list[_Span] = []
    for asset, records in groupby(connection.rows(_STATUS), attrgetter("subject")):
        since = None
        for record in records:
            if (record.status == "frozen") != (since is None) or record.status not in ("frozen", "open"):
                return Difference("frozen", "the asset was so already", _named(record), "", str(record.status))
            if since is not None:
                spans.append(_Span(asset, since, record.recorded_at))
            since = record.recorded_at if record.status == "frozen" else None
        if since is not None:
            spans.append(_Span(asset, since, None))
    for span in spans:
        rows = connection.rows(_MEANWHILE, eras=eras.since, since=span.since, until=span.until, asset=span.asset)
        for row in sorted(rows, key=lambda row: int(row.id)):
            if _stands_still(row, eras):
                record = connection.row("SELECT id, kind, key FROM books.records WHERE id = %(id)s", id=row.id)
                return Difference("frozen", f"it was posted while {span.asset} was frozen", _named(record))
    return None


def _stands_still(row: Any, eras: Eras) -> bool:
    """Whether one of the flows that a batch is made of needs its asset not to be frozen."""
    flows = product(row.payers or (), row.receivers or ())
    rules = (eras.rules.flow(eras.version(row.era), row.purpose, *flow, "held") for flow in flows)
    return any(rule is not None and UNFROZEN in rule.needs for rule in rules)


# A decision names what was filed by its record: of the same customer and asset, once.
_DECISIONS = """
  SELECT d.id, d.kind, d.key, CASE
      WHEN f.id IS NULL THEN 'no dispute of this customer about this asset was filed before'
      WHEN d.earlier THEN 'the dispute was decided before'
      ELSE 'it decides nothing: one that is upheld adjusts by more than 0, one that is rejected by 0' END AS what
  FROM (
    SELECT id, kind, key, subject, recorded_at, content::jsonb AS says, EXISTS (
      SELECT 1 FROM books.records b WHERE b.kind = 'dispute' AND b.subject = a.subject AND b.recorded_at < a.recorded_at
        AND b.content::jsonb->>'filed' = a.content::jsonb->>'filed') AS earlier
    FROM books.records a WHERE kind = 'dispute' AND request IS NOT NULL OFFSET 0) d
  LEFT JOIN LATERAL (
    SELECT f.id FROM books.records f WHERE f.kind = 'dispute' AND f.subject = d.subject AND f.id::text = d.says->>'filed' AND f.request IS NULL
      AND f.recorded_at < d.recorded_at AND f.content::jsonb->>'asset' = d.says->>'asset' OFFSET 0) f ON true
  WHERE f.id IS NULL OR d.earlier OR (d.says->>'act' = 'decide' AND CASE d.says->>'verdict'
    WHEN 'upheld' THEN (d.says->>'adjustment')::numeric > 0 WHEN 'rejected' THEN d.says->>'adjustment' = '0' END) IS NOT TRUE
  ORDER BY d.id LIMIT 1
"""


def check_disputes(connection: Connection) -> Difference | None:
    """The first decision of a dispute that was not filed, or was decided already."""
    wrong = connection.row(_DECISIONS)
    return None if wrong is None else Difference("dispute", str(wrong.what), _named(wrong))


def _named(record: Any) -> str:
    return f"record {record.id} ({record.kind} {record.key})"
