"""The books: every record's digest worked out again, how records follow each other, and whether they hold what documents say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import duckdb

from junbikin.books.proof.checkpoint import read_checkpoint
from junbikin.books.proof.digests import heads_digest, start_of
from junbikin.custody.audit.breaks import FOLDER as RECONCILIATIONS
from junbikin.custody.audit.check.facts import known
from junbikin.custody.audit.check.result import Checked, Pack, agrees, differs, unchecked
from junbikin.custody.audit.documents import POSITION, SORTS
from junbikin.custody.audit.evidence import LOG
from junbikin.custody.audit.files import plain_json
from junbikin.custody.audit.index import FILE, signer_of
from junbikin.custody.audit.reading import engine, records
from junbikin.custody.audit.records import CHECKPOINT, OF_DAYS, RECORDS
from junbikin.custody.audit.samples import POSTINGS
from junbikin.errors import BooksDamaged
from junbikin.facts.run import Progress
from junbikin.figures import Name

POINT = Name("checkpoint of the books", "帳簿の検証点")
KEPT = Name("checkpoints that you kept", "手元の検証点")
DIGESTS = Name("records: their digests", "記録：要約値")
CHAIN = Name("records: how they follow each other", "記録：連鎖")
ON_RECORD = Name("documents on record", "文書の記録")
RECONCILED = Name("reconciliations on record", "照合の記録")


def checkpoint(pack: Pack, progress: Progress) -> Iterator[Checked]:
    """Whether the checkpoint is signed by who signed the index, and says what the index says of the books."""
    books = pack.index["books"]
    if not pack.has(CHECKPOINT):
        yield unchecked(POINT, "the pack has no signed checkpoint", "署名済みの検証点が含まれていない")
        return
    try:
        made = read_checkpoint(pack.folder / CHECKPOINT, signer_of(pack.index, FILE) or pack.demanded)
    except BooksDamaged as problem:
        yield differs(POINT, CHECKPOINT, problem.what, "検証点が改変されているか、別の鍵で署名されている")
        return
    strands = [{"strand": n, "length": length, "head": head.hex()} for n, length, head in made.strands]
    said = (strands, made.first.hex(), made.operator, heads_digest(made.strands))
    if books is None or said != (books["strands"], books["first"], pack.index["operator"], books["heads"]):
        yield differs(
            POINT,
            CHECKPOINT,
            "the index says something else of where the books stood",
            "目次の示す帳簿の位置と一致しない",
        )
        return
    yield agrees(POINT, made.records)


def kept(pack: Pack, progress: Progress) -> Iterator[Checked]:
    """Whether the books of the pack still contain the checkpoints that the auditor kept."""
    if not pack.kept:
        yield unchecked(KEPT, "none was named (--checkpoint)", "指定されていない（--checkpoint）")
        return
    if pack.index["books"] is None or not pack.has(RECORDS):
        yield unchecked(KEPT, "the pack has no records of the books", "帳簿の記録が含まれていない")
        return
    points = [(str(path), read_checkpoint(path, pack.demanded)) for path in pack.kept]
    other = next((path for path, point in points if point.first.hex() != pack.index["books"]["first"]), None)
    if other is not None:
        yield differs(KEPT, other, "it is of other books", "別の帳簿の検証点である")
        return
    ends = [(path, strand, link, head.hex()) for path, point in points for strand, link, head in point.strands if link]
    found = _digests_at(pack, [[strand, link] for _, strand, link, _ in ends])
    lengths = {strand["strand"]: strand["length"] for strand in pack.index["books"]["strands"]}
    for path, strand, link, head in ends:
        if link > lengths[strand] or found.get((strand, link), head) != head:
            yield differs(
                KEPT, path, f"strand {strand}, link {link}: the books no longer have the record that it has seen",
                f"ストランド{strand}の{link}番の記録が、検証点の時点のものではない",
            )  # fmt: skip
            return
    lacking = sum((strand, link) not in found for _, strand, link, _ in ends)
    if lacking:
        yield unchecked(
            KEPT, f"{lacking} of {len(ends)} ends that they have seen are of records that are not in the pack (--whole-log has all)",
            f"{len(ends)}件中{lacking}件の末尾は収録外（全件は--whole-log）", len(ends) - lacking,
        )  # fmt: skip
    else:
        yield agrees(KEPT, len(points))


def _digests_at(pack: Pack, places: list[list[int]]) -> dict[tuple[int, int], str]:
    """(strand, link) → digest of the records at some places, as far as they are in the pack."""
    with engine() as working:
        working.execute("CREATE TABLE places (strand INT, link BIGINT)")
        working.executemany("INSERT INTO places VALUES ($1, $2)", places)
        rows = working.execute(
            f"SELECT DISTINCT strand, link, digest FROM places JOIN (SELECT strand::INT AS strand, link::BIGINT AS link, digest "
            f"FROM {records(pack.folder / RECORDS)}) USING (strand, link)"
        ).fetchall()
    return {(strand, link): digest for strand, link, digest in rows}


# What docs/books-format.md says that a digest is of.
_BAD = """
  SELECT file, id, kind, key FROM (SELECT *, sha256(concat_ws(chr(10), 'junbikin-record-1', previous, id, strand, link, kind, subject, key,
      effective_at, recorded_at, recorded_by, why, request, entries_digest, content)) = digest
    AND strpos(kind || subject || key || recorded_by || why, chr(10)) = 0
    AND CASE WHEN accounts = '' AND amounts = '' THEN entries_digest = '' ELSE sha256(accounts || chr(10) || amounts) = entries_digest END AS holds
  FROM every) WHERE holds IS NOT TRUE ORDER BY file, strand::INT, link::BIGINT LIMIT 1
"""
_ASTRAY = """
  SELECT file, id, kind, key, CASE WHEN length IS NULL THEN 'there is no such strand' WHEN link = link_before THEN 'two records have its place'
    WHEN link > length THEN 'it stands behind the end of its strand' WHEN link = length AND digest <> head THEN 'another record is at the end of its strand'
    WHEN next_to AND previous <> digest_before THEN 'it does not follow from the record before it'
    WHEN next_to AND recorded_at <= recorded_before THEN 'it is recorded before the record that it follows'
    WHEN whole AND NOT next_to THEN 'a record before it is missing' WHEN whole AND last AND link <> length THEN 'a record after it is missing' END AS what
  FROM (SELECT *, link = link_before + 1 AS next_to FROM (
    SELECT r.* REPLACE (r.link::BIGINT AS link), s.length, s.head, lag(r.link::BIGINT, 1, 0) OVER w AS link_before,
      coalesce(lag(r.digest) OVER w, s.start) AS digest_before, lag(recorded_at, 1, '') OVER w AS recorded_before,
      lead(r.link) OVER w IS NULL AS last, $1::BOOLEAN AS whole
    FROM every r LEFT JOIN strands s ON s.strand = r.strand::INT WINDOW w AS (PARTITION BY r.strand ORDER BY r.link::BIGINT, r.file)))
  WHERE what IS NOT NULL ORDER BY strand::INT, link LIMIT 1
"""


def chain(pack: Pack, progress: Progress) -> Iterator[Checked]:
    """Every record of the pack: its digest, and its place; of the whole log, that nothing is missing in it."""
    books = pack.index["books"]
    if books is None or not pack.has(RECORDS):
        yield unchecked(DIGESTS, "the pack has no records of the books", "帳簿の記録が含まれていない")
        return
    whole = books["whole_log"]
    with engine() as working:
        try:
            _load(working, pack, books, whole)
            progress("records", 0.3)
            [(count,)] = working.execute("SELECT count(*) FROM every").fetchall()
            bad = working.execute(_BAD).fetchall()
            progress("records", 0.7)
            astray = working.execute(_ASTRAY, [whole]).fetchall()
            lost = working.execute(
                "SELECT strand, length FROM strands WHERE length > 0 AND strand NOT IN (SELECT strand::INT FROM every) ORDER BY strand LIMIT 1"
            ).fetchall()
        except duckdb.Error as problem:
            what = str(problem).splitlines()[0]
            yield differs(DIGESTS, RECORDS, f"the records cannot be read: {what}", f"記録を読み取れない：{what}")
            return
    if bad:
        [(file, number, kind, key)] = bad
        yield differs(
            DIGESTS,
            file,
            f"record {number} ({kind} {key}) was altered: its fields do not give its digest",
            f"記録{number}（{kind} {key}）が改変されている",
        )
    else:
        yield agrees(DIGESTS, count)
    if astray:
        [(file, number, kind, key, what)] = astray
        yield differs(
            CHAIN,
            file,
            f"record {number} ({kind} {key}): {what}",
            f"記録{number}（{kind} {key}）：連鎖が切れている（{what}）",
        )
    elif not whole:
        yield unchecked(
            CHAIN, f"{count:,} of {books['records']:,} records are in the pack; those that follow each other do so rightly (--whole-log has all)",
            f"全{books['records']:,}件中{count:,}件を収録。隣接する記録の連鎖は一致（全件は--whole-log）", count,
        )  # fmt: skip
    elif lost:
        yield differs(CHAIN, RECORDS, f"strand {lost[0][0]} is missing", f"ストランド{lost[0][0]}がない")
    else:
        yield agrees(CHAIN, count)


def _load(working: duckdb.DuckDBPyConnection, pack: Pack, books: dict[str, Any], whole: bool) -> None:
    """Table `strands`, and view `every`: records with the file that each is in. In the whole log, samples are found again."""
    working.execute("CREATE TABLE strands (strand INT, length BIGINT, head VARCHAR, start VARCHAR)")
    ends = [[s["strand"], s["length"], s["head"], start_of(s["strand"]).hex()] for s in books["strands"]]
    working.executemany("INSERT INTO strands VALUES ($1, $2, $3, $4)", ends)
    parts = [f"SELECT '{RECORDS}' AS file, * FROM {records(pack.folder / RECORDS)}"]
    if pack.has(POSTINGS) and not whole:
        # A decision on a posting, or its request, may be among the records that concern custody.
        parts.append(
            f"SELECT '{POSTINGS}' AS file, * FROM {records(pack.folder / POSTINGS)} WHERE id NOT IN (SELECT id FROM {records(pack.folder / RECORDS)})"
        )
    working.execute(f"CREATE VIEW every AS {' UNION ALL '.join(parts)}")


def on_record(pack: Pack, progress: Progress) -> Iterator[Checked]:
    """Whether documents and records name each other, and say the same."""
    told = [one for day in pack.index["days"] for one in day["documents"]]
    if pack.index["books"] is None or not pack.has(RECORDS):
        yield unchecked(ON_RECORD, "the pack has no records of the books", "帳簿の記録が含まれていない")
        return
    found = _of_days(pack)
    known = {(kind, says["digest"]): (number, says) for number, kind, says in found}
    for one in told:
        number, says = known.get((one["kind"], one["digest"]), (None, None))
        if number != one["record"]:
            yield differs(
                ON_RECORD, one["path"], f"the index says that it is on record as {one['record']}, and the records have it as {number}",
                f"目次では記録{one['record']}、帳簿の記録では{number}",
            )  # fmt: skip
            return
        if says and one["kind"] == POSITION.kind:
            summary = plain_json(pack.folder / one["path"])["summary"]
            for part in ("requirement", "resources", "gap", "currency"):
                if summary[part] != says[part]:
                    yield differs(
                        ON_RECORD,
                        one["path"],
                        f"record {number} says another {part}",
                        f"記録{number}の{part}と一致しない",
                    )
                    return
    there = {(one["kind"], one["digest"]) for one in told}
    for number, kind, says in found:
        folder = next((sort.folder for sort in SORTS if sort.kind == kind), "")
        if (
            folder
            and (kind, says["digest"]) not in there
            and not _told(pack, f"{folder}/{says['as_of']}-", says["digest"])
        ):
            yield differs(
                ON_RECORD,
                RECORDS,
                f"record {number} is of a document of {says['as_of']} that is not in the pack",
                f"記録{number}（{says['as_of']}）の文書がない",
            )
            return
    loose = sum(one["record"] is None for one in told)
    if loose:
        yield unchecked(
            ON_RECORD, f"{loose} of {len(told)} documents are not on record: only the index vouches that they are as they were",
            f"{len(told)}件中{loose}件は記録がなく、目次の署名以外に裏付けがない", len(told),
        )  # fmt: skip
    else:
        yield agrees(ON_RECORD, len(told))


def _told(pack: Pack, start: str, digest: str) -> bool:
    """Whether the index says that this document is missing."""
    return any(m["part"].startswith(start) and f"-{digest[:12]}." in m["part"] for m in pack.index["missing"])


def _of_days(pack: Pack) -> list[tuple[int, str, dict[str, Any]]]:
    """The records that are of a day of the period: number, kind, content."""
    kinds = ", ".join(f"'{kind}'" for kind in OF_DAYS)
    with engine() as working:
        rows = working.execute(
            f"SELECT id::BIGINT, kind, content FROM {records(pack.folder / RECORDS)} WHERE kind IN ({kinds}) ORDER BY effective_at, recorded_at"
        ).fetchall()
    read = ((number, kind, json.loads(content)) for number, kind, content in rows)
    start, end = pack.index["period"]["start"], pack.index["period"]["end"]
    return [(number, kind, says) for number, kind, says in read if start <= says["as_of"] <= end]


def reconciled(pack: Pack, progress: Progress) -> Iterator[Checked]:
    """Whether every reconciliation on record is in the pack with its list of breaks, both as they were."""
    if not pack.has(RECORDS):
        yield unchecked(RECONCILED, "the pack has no records of the books", "帳簿の記録が含まれていない")
        return
    found = [(number, says) for number, kind, says in _of_days(pack) if kind == "reconciliation"]
    digests, log, lost = pack.digests, known(pack), 0
    named = set()
    for number, says in found:
        if log is not None and says["facts"] not in log.heads:
            yield differs(
                RECONCILED,
                LOG,
                f"record {number} rests on facts of the head {says['facts']}, which the log never had",
                f"記録{number}は記録にない末尾{says['facts']}に基づいている",
            )
            return
        for name, digest in (
            (f"{says['as_of']}-{says['digest'][:16]}.json", says["digest"]),
            (f"{says['as_of']}-{says['list'][:16]}.csv", says["list"]),
        ):
            path = f"{RECONCILIATIONS}/{name}"
            named.add(path)
            if path not in digests and pack.lacks(path):
                lost += 1
            elif digests.get(path) != digest:
                yield differs(
                    RECONCILED, path, f"it is not what record {number} is of", f"記録{number}の内容と一致しない"
                )
                return
    extra = sorted(set(pack.below(RECONCILIATIONS)) - named)
    if extra:
        yield differs(RECONCILED, extra[0], "no record is of it", "記録がない")
    elif not found:
        yield unchecked(RECONCILED, "none is on record in the period", "期中の記録がない")
    elif lost:
        yield unchecked(
            RECONCILED,
            f"{lost} files that records name are not in the pack",
            f"記録にある{lost}ファイルが含まれていない",
            len(found),
        )
    else:
        yield agrees(RECONCILED, len(found))
