"""Whether what needs a second person had one: what came of requests, who asked and decided, and what one person may do alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from junbikin.books.proof.chain import INSTANT
from junbikin.books.proof.cut import Connection, Part
from junbikin.books.proof.eras import READERS, Eras
from junbikin.books.proof.verdict import Difference

_ALONE = (
    """(kind = 'person' AND key ~ '^(founding|secret):' OR kind IN ('account_status', 'asset_status') AND starts_with(key, 'freeze:')"""
    """ OR kind = 'dispute' AND starts_with(key, 'dispute:'))"""
)

_PERSON_BEFORE = """
  SELECT content::jsonb AS says FROM books.records
  WHERE kind = 'person' AND subject = r.subject AND recorded_at < r.recorded_at ORDER BY recorded_at DESC LIMIT 1
"""

# What takes effect only by a request: the request, its approval by another person, for a batch the digest approved, and for
# any other record all that it must be. A person whose password is left out keeps the one before.
_EFFECTS = f"""
  SELECT r.id, r.kind, r.key, r.request, q.id IS NOT NULL AS asked, q.recorded_by AS asked_by, d.recorded_by AS decided_by, d.verdict
  FROM (
    SELECT *, CASE WHEN kind = 'batch' THEN ARRAY(
      SELECT encode(sha256(convert_to('junbikin-batch-1' || E'\\n' || key || E'\\n' || at || E'\\n' || encode(entries_digest, 'hex')
        || E'\\n' || content, 'UTF8')), 'hex')
      FROM unnest(ARRAY[{INSTANT.format("effective_at")}, CASE WHEN effective_at = recorded_at THEN '' END]) at WHERE at IS NOT NULL) END AS digests
    FROM books.records
    WHERE strand = %(strand)s AND link BETWEEN %(first)s AND %(last)s AND kind NOT IN ('account', 'position', 'custody', 'reconciliation', 'break', 'rules', 'request', 'decision', 'incident', 'entitlement', 'payout', 'payout_result')
      AND (kind <> 'batch' OR request IS NOT NULL) AND NOT {_ALONE} OFFSET 0) r
  LEFT JOIN LATERAL (
    SELECT id, recorded_by, why, content::jsonb AS says FROM books.records WHERE id = r.request AND kind = 'request' OFFSET 0) q ON true
  LEFT JOIN LATERAL (
    SELECT recorded_by, content::jsonb->>'verdict' AS verdict FROM books.records
    WHERE kind = 'decision' AND key = r.request::text OFFSET 0) d ON true
  WHERE q.id IS NULL OR d.verdict IS DISTINCT FROM 'approve' OR d.recorded_by = q.recorded_by OR (CASE
    WHEN r.kind = 'batch' THEN q.says->>'action' = 'post' AND r.digests && ARRAY[q.says->'batches'->>r.key]
    ELSE (r.kind, r.subject, r.key, r.recorded_by, r.why) = (q.says->>'action', q.says->>'subject', 'request:' || r.request, q.recorded_by, q.why)
      AND r.effective_at = coalesce((q.says->>'effective_at')::timestamptz, r.recorded_at)
      AND r.content::jsonb = CASE WHEN r.kind = 'person' AND NOT q.says->'says' ? 'verifier' THEN (
        SELECT q.says->'says' || jsonb_build_object('verifier', p.says->'verifier', 'argon2', p.says->'argon2') FROM ({_PERSON_BEFORE}) p)
      ELSE q.says->'says' END END) IS NOT TRUE
  ORDER BY r.link LIMIT 1
"""

# What one person may put on record alone: being one of the first two, another password of their own, a freeze.
_ALONE_WRONG = f"""
  SELECT id, kind, key FROM books.records r
  WHERE strand = %(strand)s AND link BETWEEN %(first)s AND %(last)s AND {_ALONE} AND (
    request IS NULL AND effective_at = recorded_at AND CASE
      WHEN kind = 'account_status' THEN content::jsonb = '{{"status": "frozen"}}'
      WHEN kind = 'asset_status' THEN content::jsonb - 'incident' = '{{"status": "frozen"}}' AND EXISTS (
        SELECT 1 FROM books.records i WHERE i.kind = 'incident' AND i.subject = r.content::jsonb->>'incident')
      WHEN kind = 'dispute' THEN content::jsonb->>'act' = 'file' AND EXISTS (
        SELECT 1 FROM books.records i WHERE i.kind = 'incident' AND i.subject = split_part(r.subject, ':', 1))
      WHEN key = 'founding:' || subject THEN recorded_by = subject AND 2 > (
        SELECT count(*) FROM books.records b WHERE b.kind = 'person' AND b.recorded_at < r.recorded_at)
      WHEN starts_with(key, 'secret:' || subject || ':') THEN recorded_by = subject AND content::jsonb - '{{verifier,argon2}}'::text[] = (
        SELECT p.says - '{{verifier,argon2}}'::text[] FROM ({_PERSON_BEFORE}) p WHERE p.says->>'active' = 'true') END) IS NOT TRUE
  ORDER BY link LIMIT 1
"""

# Who asked, decided and froze, with the first link of each way to do so.
_ACTORS = f"""
  SELECT kind, by, era, action, asker, verdict, sound, min(link) AS link FROM (
    SELECT r.link, r.kind, r.recorded_by AS by, width_bucket(r.recorded_at, %(since)s::timestamptz[]) AS era, q.recorded_by AS asker,
      CASE r.kind WHEN 'request' THEN r.content::jsonb->>'action' WHEN 'decision' THEN q.action END AS action,
      CASE r.kind WHEN 'decision' THEN r.content::jsonb->>'verdict' END AS verdict,
      r.kind <> 'decision' OR (q.id IS NOT NULL AND r.key = q.id::text AND r.content::jsonb->>'request' = r.key) IS TRUE AS sound
    FROM (
      SELECT * FROM books.records WHERE strand = %(strand)s AND link BETWEEN %(first)s AND %(last)s
        AND (kind IN ('request', 'decision') OR kind IN ('account_status', 'asset_status', 'dispute') AND {_ALONE}) OFFSET 0) r
    LEFT JOIN LATERAL (
      SELECT id, recorded_by, content::jsonb->>'action' AS action FROM books.records
      WHERE r.kind = 'decision' AND id = r.request AND kind = 'request' OFFSET 0) q ON true) a
  GROUP BY kind, by, era, action, asker, verdict, sound
"""

_FREEZERS = frozenset({"reserve_officer", "incident_commander", "administrator"})
_APPROVERS = frozenset({"approver"})


def check_part(connection: Connection, part: Part, eras: Eras) -> Difference | None:
    """The first record of a part that took effect without the approval that it needs, or that nobody with a role for it made."""
    place = {"strand": part.strand, "first": part.first, "last": part.last}
    effect = connection.row(_EFFECTS, **place)
    if effect is not None:
        return Difference("approval", _unapproved(effect), f"record {effect.id} ({effect.kind} {effect.key})")
    if part.records == part.batches:
        return None
    alone = connection.row(_ALONE_WRONG, **place)
    if alone is not None:
        return Difference("approval", "nobody may do this alone", f"record {alone.id} ({alone.kind} {alone.key})")
    for actor in sorted(connection.rows(_ACTORS, **place, since=eras.since), key=lambda actor: int(actor.link)):
        wrong = next(_without_role(actor, eras), None)
        if wrong is not None:
            query = "SELECT id, kind, key FROM books.records WHERE strand = %(strand)s AND link = %(link)s"
            [record] = connection.rows(query, strand=part.strand, link=actor.link)
            return Difference(*wrong, f"record {record.id} ({record.kind} {record.key})")
    return None


def _unapproved(effect: Any) -> str:
    if effect.request is None:
        return "it needs the approval of a second person, and it has no request"
    if not effect.asked:
        return f"there is no request {effect.request}"
    if effect.verdict != "approve":
        return f"request {effect.request} was {'refused' if effect.verdict else 'not decided'}"
    if effect.decided_by == effect.asked_by:
        return f"request {effect.request} was approved by {effect.asked_by}, who made it"
    return f"it is not what was approved with request {effect.request}"


def _without_role(actor: Any, eras: Eras) -> Iterator[tuple[str, str]]:
    """What the rules of the time say against who asked, decided or froze, each with the kind of difference."""
    version, roles = eras.version(actor.era), eras.roles(actor.by, actor.era)
    if actor.kind in ("account_status", "asset_status"):
        if not roles & _FREEZERS:
            yield "role", f"{actor.by} had no role that may freeze"
        return
    if actor.kind == "dispute":
        if not roles - READERS:
            yield "role", f"{actor.by} had no role that may file a dispute"
        return
    if not actor.sound:
        yield "approval", "it decides no request"
        return
    rule = eras.rules.actions[version - 1].get(actor.action) if version else None
    if rule is None and actor.action != "post":
        yield "role", f"there was no action {actor.action}"
    elif actor.kind == "request":
        if not (rule.made_by & roles if rule else roles - READERS):
            yield "role", f"{actor.by} had no role that may ask for this ({actor.action})"
    elif actor.by == actor.asker:
        if actor.verdict != "refuse" or not roles - READERS:
            yield "approval", f"{actor.by} decided what they asked for themselves"
    elif not roles & (rule.approved_by if rule else _APPROVERS):
        yield "approval", f"{actor.by} had no role that may decide this ({actor.action})"
    elif rule and actor.verdict == "approve" and not rule.made_by & eras.roles(actor.asker, actor.era):
        yield "role", f"{actor.asker} had no longer a role that may ask for this ({actor.action})"
