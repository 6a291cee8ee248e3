"""Whether what was released of the reserve was excess: no more than the positions cited show, and none of it twice."""

from __future__ import annotations

from junbikin.books.proof.cut import Connection
from junbikin.books.proof.verdict import Difference

# Releases are found by their subject, the position. One that was undone does not count. Positions of one instant share their excess.
_RELEASES = """
  SELECT id, key, asset, amount, total, excess, most, other FROM (
    SELECT *, sum(amount) OVER shown AS total, max(excess) OVER shown AS most FROM (
      SELECT r.id, r.key, r.link, r.booked, r.asset, r.amount, p.effective_at AS shown_at, r.asset IS DISTINCT FROM p.says->>'currency' AS other,
        CASE WHEN p.says->>'year_end' = 'true' THEN coalesce((p.says->>'excess')::numeric, 0) ELSE 0 END AS excess
      FROM (
        SELECT b.id, b.key, b.link, b.subject, a.place = 'booked' AS booked, a.asset, -sum(e.amount) AS amount
        FROM (
          SELECT * FROM books.records b WHERE kind = 'batch' AND subject IS NOT NULL AND content::jsonb->>'purpose' = 'release' AND NOT EXISTS (
            SELECT 1 FROM books.records u WHERE u.kind = 'batch' AND u.key = 'reversal:' || b.id
              AND u.content::jsonb->>'purpose' = 'reversal' AND u.accounts = b.accounts
              AND u.amounts = ARRAY(SELECT -x.amount FROM unnest(b.amounts) WITH ORDINALITY x(amount, n) ORDER BY n)) OFFSET 0) b
        CROSS JOIN LATERAL unnest(b.accounts, b.amounts) e(account, amount)
        JOIN books.accounts a ON a.id = e.account AND a.owner = 'reserve'
        WHERE e.amount < 0 GROUP BY b.id, b.key, b.link, b.subject, a.place = 'booked', a.asset) r
      LEFT JOIN LATERAL (
        SELECT effective_at, content::jsonb AS says FROM books.records WHERE kind = 'position' AND key = r.subject OFFSET 0) p ON true) one
    WINDOW shown AS (PARTITION BY shown_at, booked)) every
  WHERE other OR amount > excess OR total > most ORDER BY id DESC LIMIT 1
"""


def check_releases(connection: Connection) -> Difference | None:
    """A release of more than the excess of its position, alone or with the others of that day."""
    bad = connection.row(_RELEASES)
    if bad is None:
        return None
    where = f"record {bad.id} (batch {bad.key})"
    if bad.other:
        return Difference(
            "excess", f"it releases {bad.asset}, which is not the currency of a position on record", where
        )
    taken, excess = (bad.amount, bad.excess) if bad.amount > bad.excess else (bad.total, bad.most)
    what = "more of the reserve was released than the excess that its position shows"
    return Difference("excess", what, where, f"at most {excess:f} {bad.asset}", f"{taken:f}")
