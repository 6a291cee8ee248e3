"""Whether the log is the one that was written: every record's digest, what it follows, and where each strand ends."""

from __future__ import annotations

from typing import Any

from junbikin.books.proof.cut import Connection, Part
from junbikin.books.proof.digests import entries_digest, record_digest
from junbikin.books.proof.verdict import Difference

STRANDS = 16

INSTANT = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""

# What `books.entries_digest` and `books.record_digest` work out, written out: those functions may have been replaced. A
# line end in a field, or an empty subject, would let two records have one digest.
_LINKS = f"""
  SELECT strand, link, id, entries_hold, fields_hold, link_before, digest_before, recorded_before, previous, digest, recorded_at FROM (
    SELECT r.*,
      coalesce(lag(link) OVER w, 0) AS link_before,
      coalesce(lag(digest) OVER w, sha256(convert_to('junbikin strand ' || strand, 'UTF8'))) AS digest_before,
      coalesce(lag(recorded_at) OVER w, '2000-01-01T00:00:00Z') AS recorded_before
    FROM (
      SELECT strand, link, id, previous, digest, recorded_at,
        link < %(first)s OR entries_digest IS NOT DISTINCT FROM sha256(convert_to(
          array_to_string(accounts, ',', 'NULL') || E'\\n' || array_to_string(amounts, ',', 'NULL'), 'UTF8')) AS entries_hold,
        link < %(first)s OR strpos(concat(kind, subject, key, recorded_by, why), E'\\n') = 0 AND subject IS DISTINCT FROM ''
          AND digest IS NOT DISTINCT FROM sha256(convert_to(
            'junbikin-record-1' || E'\\n' || encode(previous, 'hex') || E'\\n' || id || E'\\n' || strand || E'\\n' || link
            || E'\\n' || kind || E'\\n' || coalesce(subject, '') || E'\\n' || key || E'\\n' || {INSTANT.format("effective_at")}
            || E'\\n' || {INSTANT.format("recorded_at")} || E'\\n' || recorded_by || E'\\n' || why || E'\\n' || coalesce(request::text, '')
            || E'\\n' || coalesce(encode(entries_digest, 'hex'), '') || E'\\n' || content, 'UTF8')) AS fields_hold
      FROM books.records WHERE strand = %(strand)s AND link BETWEEN %(before)s AND %(last)s OFFSET 0) r
    WINDOW w AS (ORDER BY link, id)) l
  WHERE link >= %(first)s AND NOT (
    entries_hold AND fields_hold AND link = link_before + 1 AND previous = digest_before AND recorded_at > recorded_before)
  ORDER BY link, id LIMIT 1
"""

_RECORD = "SELECT * FROM books.records WHERE id = %(id)s AND strand = %(strand)s AND link = %(link)s"

_ENDS = """
  SELECT coalesce(s.strand, e.strand) AS strand, s.strand IS NULL AS unknown, s.length, s.head, s.recorded_at,
    coalesce(e.link, 0) AS last_link, coalesce(e.digest, sha256(convert_to('junbikin strand ' || s.strand, 'UTF8'))) AS last_digest,
    coalesce(e.recorded_at, '2000-01-01T00:00:00Z') AS last_recorded_at
  FROM books.strands s FULL JOIN (
    SELECT r.strand, r.link, r.digest, r.recorded_at
    FROM unnest(%(strands)s::int[], %(lasts)s::bigint[]) p(strand, link) JOIN books.records r ON r.strand = p.strand AND r.link = p.link
  ) e ON e.strand = s.strand ORDER BY 1
"""

_TWICE = {
    "id": "SELECT id::text AS value FROM books.records GROUP BY id HAVING count(*) > 1 ORDER BY id LIMIT 1",
    "kind and key": "SELECT kind || ' ' || key AS value FROM books.records GROUP BY kind, key HAVING count(*) > 1 LIMIT 1",
}


def check_part(connection: Connection, part: Part) -> Difference | None:
    """The first record of a part that is not as it was written, or does not follow the one before it."""
    link = connection.row(_LINKS, strand=part.strand, before=part.before, first=part.first, last=part.last)
    return None if link is None else _named(connection, link)


def _named(connection: Connection, link: Any) -> Difference:
    """What happened to a record whose link does not hold."""
    place = f"strand {link.strand}, link {link.link}"
    if link.link > link.link_before + 1 and link.fields_hold:
        return Difference(
            "deleted", "a record was deleted", f"strand {link.strand}, link {link.link_before + 1}", "a record"
        )
    if link.link == link.link_before:
        return Difference("inserted", "two records have this place: one was inserted", place, "one record", "two")
    [row] = connection.rows(_RECORD, id=link.id, strand=link.strand, link=link.link)
    record = row._asdict()
    name = f"record {link.id} ({record['kind']} {record['key']}; {place})"
    if not link.fields_hold and link.previous != link.digest_before:
        moved = _moved(connection, record)
        if moved:
            return moved
    if not (link.fields_hold and link.entries_hold):
        return _altered(connection, record, name)
    if link.previous != link.digest_before:
        return Difference(
            "rewritten", "it follows another record than the one before it, which was rewritten, or put there", name,
            link.previous.hex(), link.digest_before.hex(),
        )  # fmt: skip
    return Difference(
        "reordered",
        "it is recorded before the record that it follows",
        name,
        f"after {link.recorded_before}",
        str(link.recorded_at),
    )


def _moved(connection: Connection, record: dict[str, Any]) -> Difference | None:
    """Whether a record is whole but for its place on the strand, and what that means."""
    at = record["link"]
    near = sorted(range(max(1, at - 1000), at + 1000), key=lambda link: abs(link - at))
    own = next((link for link in near if record_digest({**record, "link": link}) == record["digest"]), None)
    if own is None:
        return None
    place = f"strand {record['strand']}, link {min(own, at)}"
    moved = f"record {record['id']} ({record['kind']} {record['key']})"
    if own < at:
        return Difference("inserted", f"a record was inserted before {moved}", place, moved, f"{moved} at link {at}")
    followed = "SELECT 1 FROM books.records WHERE strand = %(strand)s AND digest = %(digest)s"
    if connection.row(followed, strand=record["strand"], digest=record["previous"]):
        return Difference(
            "reordered", f"{moved} was moved here", place, f"{moved} at link {own}", f"{moved} at link {at}"
        )
    return Difference(
        "deleted", f"a record was deleted before {moved}", place, f"{moved} at link {own}", f"{moved} at link {at}"
    )


_MOVED = """
  SELECT coalesce(a.code, 'account ' || coalesce(b.account, n.account)) AS code, b.amount AS expected, n.amount AS found
  FROM (SELECT account, sum(amount) AS amount FROM books.balances WHERE record = %(id)s GROUP BY account) b
  FULL JOIN (
    SELECT account, sum(amount) AS amount
    FROM (SELECT unnest(accounts) AS account, unnest(amounts) AS amount FROM books.records WHERE id = %(id)s) e GROUP BY account
  ) n ON n.account = b.account
  LEFT JOIN books.accounts a ON a.id = coalesce(b.account, n.account)
  WHERE b.amount IS DISTINCT FROM n.amount ORDER BY coalesce(b.account, n.account) LIMIT 1
"""


def _altered(connection: Connection, record: dict[str, Any], name: str) -> Difference:
    """How a record was altered; `balances`, if nobody altered them too, still tell of a batch's entries and times."""
    if record["kind"] == "batch":
        entry = connection.row(_MOVED, id=record["id"])
        if entry is not None:
            return Difference(
                "altered", f"its entries were altered: what {entry.code} received", name,
                "" if entry.expected is None else f"{entry.expected:f}", "" if entry.found is None else f"{entry.found:f}",
            )  # fmt: skip
        times = connection.row(
            "SELECT effective_at, recorded_at FROM books.balances WHERE record = %(id)s", id=record["id"]
        )
        for column in ("effective_at", "recorded_at"):
            if times is not None and getattr(times, column) != record[column]:
                return Difference(
                    "altered", f"its {column} was altered", name, str(getattr(times, column)), str(record[column])
                )
    for part, stated, worked in (
        ("entries", record["entries_digest"], entries_digest(record["accounts"], record["amounts"])),
        ("fields", record["digest"], record_digest(record)),
    ):
        if stated != worked:
            expected, found = ((value or b"").hex() for value in (stated, worked))
            return Difference("altered", f"it was altered: its {part} do not give their digest", name, expected, found)
    return Difference("altered", "it was altered: an empty subject, or a line end in a field, is in no record", name)


def check_ends(connection: Connection, parts: list[Part]) -> Difference | None:
    """Whether every strand ends where it says that it does, and no number or key is used twice."""
    lasts = {part.strand: part.last for part in parts}
    ends = connection.rows(_ENDS, strands=list(lasts), lasts=list(lasts.values()))
    if [end.strand for end in ends if not end.unknown] != list(range(STRANDS)):
        return Difference(
            "altered", "strands were added or removed", "books.strands", f"{STRANDS} strands", f"{len(ends)}"
        )
    for end in ends:
        place = f"strand {end.strand}"
        if end.unknown:
            return Difference("inserted", "there is no such strand", place, "", f"{end.last_link} records")
        if end.length > end.last_link:
            missing = end.length - end.last_link
            return Difference(
                "cut",
                f"its tail was cut: {missing} records are missing",
                place,
                f"{end.length} records",
                f"{end.last_link}",
            )
        if end.length < end.last_link:
            return Difference(
                "inserted", "records were added behind its end", place, f"{end.length} records", f"{end.last_link}"
            )
        if end.head != end.last_digest:
            return Difference(
                "rewritten", "its last record was rewritten", place, end.head.hex(), end.last_digest.hex()
            )
        if end.recorded_at != end.last_recorded_at:
            return Difference("altered", "its time was altered", place, str(end.last_recorded_at), str(end.recorded_at))
    for column, query in _TWICE.items():
        twice = connection.row(query)
        if twice is not None:
            return Difference(
                "inserted", f"two records have the same {column}", "books.records", "one record", twice.value
            )
    return None


def heads(connection: Connection) -> list[tuple[int, int, bytes]]:
    """Number, length and head of every strand, as it says of itself."""
    return [tuple(row) for row in connection.rows("SELECT strand, length, head FROM books.strands ORDER BY strand")]
