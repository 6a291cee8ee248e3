"""Whether what was done about breaks was somebody's to do, and whether none was closed while it was there or unexplained."""

from __future__ import annotations

from typing import Any

from junbikin.books.proof.cut import Connection
from junbikin.books.proof.eras import READERS, Eras
from junbikin.books.proof.verdict import Difference

_ACTS = """
  SELECT recorded_by AS by, width_bucket(recorded_at, %(since)s::timestamptz[]) AS era, min(id) AS id FROM books.records
  WHERE kind = 'break' GROUP BY 1, 2 ORDER BY 3
"""

# A reconciliation that is newest when a break is closed has its ids, and not this one; an explanation of the same break by another
# person is the last before.
_WRONG = """
  SELECT r.id, r.kind, r.key, CASE
      WHEN r.request IS NOT NULL OR r.kind = 'reconciliation' AND (r.subject, r.key) IS DISTINCT FROM ('reconciliation', r.says->>'digest')
        OR r.kind = 'break' AND (r.effective_at = r.recorded_at AND r.key LIKE 'break:' || r.subject || ':%%' AND r.says->>'act' IN ('assign', 'explain', 'close')) IS NOT TRUE
        THEN 'this is no such record'
      WHEN r.earlier THEN 'the break was closed before'
      WHEN n.gone IS NOT TRUE THEN 'the break was closed while the difference was there'
      WHEN e.by IS NULL THEN 'the break was closed and never explained'
      ELSE 'the break was closed by who explained it' END AS what
  FROM (
    SELECT *, content::jsonb AS says, kind = 'break' AND EXISTS (
      SELECT 1 FROM books.records b WHERE b.kind = 'break' AND b.subject = a.subject AND b.recorded_at < a.recorded_at
        AND b.content::jsonb->>'act' = 'close' AND b.content::jsonb->>'since' = a.content::jsonb->>'since') AS earlier
    FROM books.records a WHERE kind IN ('break', 'reconciliation') OFFSET 0) r
  LEFT JOIN LATERAL (
    SELECT jsonb_typeof(content::jsonb->'ids') = 'array' AND NOT content::jsonb->'ids' ? r.subject AS gone FROM books.records b
    WHERE r.says->>'act' = 'close' AND b.kind = 'reconciliation' AND b.subject = 'reconciliation' AND b.recorded_at < r.recorded_at
    ORDER BY b.effective_at DESC, b.recorded_at DESC LIMIT 1) n ON true
  LEFT JOIN LATERAL (
    SELECT b.recorded_by AS by FROM books.records b
    WHERE r.says->>'act' = 'close' AND b.kind = 'break' AND b.subject = r.subject AND b.recorded_at < r.recorded_at
      AND b.content::jsonb->>'act' = 'explain' AND b.content::jsonb->>'since' = r.says->>'since'
    ORDER BY b.recorded_at DESC LIMIT 1) e ON true
  WHERE r.request IS NOT NULL OR CASE r.kind
    WHEN 'reconciliation' THEN (r.subject, r.key) IS DISTINCT FROM ('reconciliation', r.says->>'digest')
    ELSE r.earlier OR (r.effective_at = r.recorded_at AND r.key LIKE 'break:' || r.subject || ':%%' AND CASE r.says->>'act'
      WHEN 'close' THEN n.gone AND e.by <> r.recorded_by ELSE r.says->>'act' IN ('assign', 'explain') END) IS NOT TRUE END
  ORDER BY r.id LIMIT 1
"""


def check_breaks(connection: Connection, eras: Eras) -> Difference | None:
    """The first record of a reconciliation or a break that is none, or that nobody with a role for it made."""
    wrong = connection.row(_WRONG)
    if wrong is not None:
        return Difference("break", str(wrong.what), _named(wrong))
    for act in connection.rows(_ACTS, since=eras.since):
        if not eras.roles(act.by, act.era) - READERS:
            record = connection.row("SELECT id, kind, key FROM books.records WHERE id = %(id)s", id=act.id)
            return Difference("role", f"{act.by} had no role that may do this", _named(record))
    return None


def _named(record: Any) -> str:
    return f"record {record.id} ({record.kind} {record.key})"
