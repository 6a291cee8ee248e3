"""Merge: what to do with keys that occur more than once, within the staged rows or against the lake.

Rows of the same key and content are one fact. Rows of the same key and different content dispute each other:
none of them is used, whichever came first, so the order of ingest does not matter; those already in the lake are
withdrawn from it, and all stand in quarantine until a correction says which is right. What a file said before a
correction it does not say anew when it is ingested again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from junbikin.facts.checks import key_of
from junbikin.facts.datasets import Dataset
from junbikin.facts.engine import DAY_OF_FILE, identifier, literal, parquet
from junbikin.facts.log import Segment, live_segments
from junbikin.facts.run import Run

Range = tuple[int, str, str]
"""Keys of one length between two bounds."""


@dataclass(slots=True)
class Merged:
    """The settled outcome: files ready for the lake, and the account of rows by source number."""

    files: list[str] = field(default_factory=list)
    drops: tuple[str, ...] = ()
    withdrawn: int = 0
    disputed: int = 0
    sound: dict[int, int] = field(default_factory=dict)
    unsound: dict[int, int] = field(default_factory=dict)
    accepted: dict[int, int] = field(default_factory=dict)
    disputed_rows: dict[int, int] = field(default_factory=dict)
    rejected: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Merge:
    """One merge under way: `staged` is day → files, `near` the lake's segments that might hold a staged key."""

    engine: duckdb.DuckDBPyConnection
    dataset: Dataset
    facts: Path
    staged: dict[str, list[str]]
    lake: dict[str, list[Segment]]
    ranges: dict[tuple[str, int], tuple[str, str]]
    doubled: list[str]
    correcting: bool

    def rows(self, days: Iterable[str]) -> str:
        """SQL of the staged rows of some days."""
        return _rows(self.dataset, [file for day in sorted(days) for file in self.staged[day]])

    def rows_of(self, segments: Iterable[Segment]) -> str:
        """SQL of the lake's rows in some segments."""
        return _rows(self.dataset, [str(self.facts / segment.file) for segment in segments])


def settle(run: Run) -> Merged:
    """Settles the staged rows against each other and the lake. Leaves two tables in the engine:

    `disputed` (key) and `withdrawn` (every stored column, file_no, key): rows of the lake that are no longer used.
    """
    engine, dataset, staging = run.engine, run.dataset, run.staging
    staged: dict[str, list[str]] = {}
    for file in sorted(str(path) for path in (staging / "read").glob("*/*/*.parquet")):
        staged.setdefault(Path(file).parent.name.removeprefix("day="), []).append(file)
    unsound_files = [file for day in list(staged) if not day[:1].isdigit() for file in staged.pop(day)]
    merged = Merged(rejected=_rejected(engine))
    merged.sound = _by_source(engine, [file for day in staged.values() for file in day])
    merged.unsound = _by_source(engine, unsound_files)
    engine.execute(f"CREATE TABLE disputed AS {_known_disputes(run)}")
    engine.execute(f"CREATE TABLE repeats AS {_corrected_since(run)}")
    engine.execute(f"CREATE TABLE withdrawn AS SELECT * FROM ({_nothing(dataset)})")
    if not staged:
        return merged
    merge = _merge(run, staged)
    near = _near(merge)
    dirty = _find_repeated(merge, near)
    merged.files = [file for day, group in staged.items() if day not in dirty for file in group]
    if dirty:
        touched = _resolve(merge, dirty, near)
        merged.files += _rewritten(engine, "SELECT * FROM settled", staging / "settled")
        merged.disputed_rows = _disputed_rows(merge, dirty)
        if touched:
            merged.drops = tuple(sorted(segment.file for segment in touched))
            merged.withdrawn = _count(engine, "SELECT count(*) FROM withdrawn")
            left = f"SELECT * EXCLUDE (key) FROM ({merge.rows_of(touched)}) ANTI JOIN withdrawn USING (key)"
            merged.files += _rewritten(engine, left, staging / "left")
    in_dispute = _count(engine, "SELECT count(*) FROM withdrawn SEMI JOIN disputed USING (key)")
    merged.disputed = sum(merged.disputed_rows.values()) + in_dispute
    merged.accepted = _by_source(engine, merged.files)
    return merged


def _merge(run: Run, staged: dict[str, list[str]]) -> _Merge:
    every = _rows(run.dataset, [file for group in staged.values() for file in group])
    stats = run.engine.execute(
        "SELECT day, length(key) AS size, count(*), count(DISTINCT key), min(key), max(key) "
        f"FROM ({every}) GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    ranges = {(day, size): (low, high) for day, size, _, _, low, high in stats}
    doubled = sorted({day for day, _, rows, keys, _, _ in stats if rows > keys})
    lake = live_segments(run.entries, run.dataset.name)
    return _Merge(run.engine, run.dataset, run.home.facts, staged, lake, ranges, doubled, bool(run.corrects))


def _rejected(engine: duckdb.DuckDBPyConnection) -> dict[str, int]:
    rows = engine.execute(
        "SELECT s.file_path, count(DISTINCT (e.scan_id, e.line)) FROM reject_errors e "
        "JOIN reject_scans s USING (scan_id, file_id) GROUP BY 1"
    ).fetchall()
    return dict(rows)


def _count(engine: duckdb.DuckDBPyConnection, query: str) -> int:
    row = engine.execute(query).fetchone()
    return int(row[0]) if row else 0


def _by_source(engine: duckdb.DuckDBPyConnection, paths: list[str]) -> dict[int, int]:
    if not paths:
        return {}
    return dict(engine.execute(f"SELECT file_no, count(*) FROM {parquet(paths)} GROUP BY 1").fetchall())


def _known_disputes(run: Run) -> str:
    """SQL of the keys that earlier ingests left in dispute; a correction puts an end to them."""
    parts = ["SELECT NULL::VARCHAR AS key WHERE false"]
    for entry in run.entries if not run.corrects else ():
        if entry.dataset == run.dataset.name and entry.disputed:
            kept = parquet([str(run.home.facts / entry.quarantine)])
            parts.append(f"SELECT key FROM {kept} WHERE disputed AND key NOT IN ({_corrected_after(run, entry.seq)})")
    return "SELECT DISTINCT key FROM (" + " UNION ALL ".join(parts) + ")"


def _corrected_since(run: Run) -> str:
    """SQL of the rows (file_no, key) that a file said before, in the same reading, and that were corrected since."""
    said: dict[str, int] = {}
    for entry in run.entries:
        if (entry.dataset, entry.mapping_digest) == (run.dataset.name, run.mapping.digest):
            for earlier in entry.sources:
                said.setdefault(earlier.sha256, entry.seq)
    parts = ["SELECT NULL::INTEGER AS file_no, NULL::VARCHAR AS key WHERE false"]
    for source in run.sources if not run.corrects else ():
        if source.sha256 in said:
            parts.append(f"SELECT {run.number(source)}, key FROM ({_corrected_after(run, said[source.sha256])})")
    return "SELECT DISTINCT file_no, key FROM (" + " UNION ALL ".join(parts) + ")"


def _corrected_after(run: Run, seq: int) -> str:
    """SQL of the keys of every row that corrections after a line of the log brought in."""
    after = [entry for entry in run.entries[seq:] if entry.dataset == run.dataset.name and entry.corrects]
    added = [str(run.home.facts / segment.file) for entry in after for segment in entry.adds]
    return (
        f"SELECT {key_of(run.dataset)} AS key FROM {parquet(added)}"
        if added
        else "SELECT NULL::VARCHAR AS key WHERE false"
    )


def _rows(dataset: Dataset, paths: list[str]) -> str:
    """SQL of whole rows of some files: stored columns, file_no, day, key."""
    if not paths:
        return _nothing(dataset)
    return (
        f"SELECT {dataset.columns_sql}, file_no, {DAY_OF_FILE} AS day, {key_of(dataset)} AS key "
        f"FROM {parquet(paths, named=True)}"
    )


def _nothing(dataset: Dataset) -> str:
    columns = ", ".join(f"NULL::{kind} AS {identifier(name)}" for name, kind in dataset.stored)
    return f"SELECT {columns}, NULL::INTEGER AS file_no, NULL::VARCHAR AS day, NULL::VARCHAR AS key WHERE false"


def _find_repeated(merge: _Merge, near: list[Segment]) -> set[str]:
    """Fills table `repeated` (key) with the staged keys that need settling; returns the staged days they are on."""
    every = merge.rows(merge.staged)
    parts = [
        f"SELECT key FROM ({merge.rows(merge.doubled)}) GROUP BY key HAVING count(*) > 1",
        "SELECT key FROM repeats",
    ]
    shared = [] if merge.dataset.key_within_day else _overlaps(merge.ranges)
    if shared:
        within = " OR ".join(_between(span) for span in shared)
        parts.append(f"SELECT key FROM ({every}) WHERE {within} GROUP BY key HAVING count(DISTINCT day) > 1")
    if near:
        parts.append(f"SELECT key FROM ({every}) SEMI JOIN ({merge.rows_of(near)}) AS lake USING (key)")
    if _count(merge.engine, "SELECT count(*) FROM disputed"):
        parts.append(f"SELECT key FROM ({every}) SEMI JOIN disputed USING (key)")
    merge.engine.execute(f"CREATE TABLE repeated AS SELECT DISTINCT key FROM ({' UNION ALL '.join(parts)})")
    if not _count(merge.engine, "SELECT count(*) FROM repeated"):
        return set()
    days = merge.engine.execute(f"SELECT DISTINCT day FROM ({every}) SEMI JOIN repeated USING (key)")
    return {day for (day,) in days.fetchall()}


def _overlaps(ranges: dict[tuple[str, int], tuple[str, str]]) -> list[Range]:
    """The key ranges that more than one day reaches into, disjoint: only there can a key be on two days."""
    by_size: dict[int, list[tuple[str, str]]] = {}
    for (_, size), span in ranges.items():
        by_size.setdefault(size, []).append(span)
    found: list[Range] = []
    for size, spans in by_size.items():
        reach = ""
        for low, high in sorted(spans):
            if reach and low <= reach:
                shared = (size, low, min(reach, high))
                if found and found[-1][0] == size and shared[1] <= found[-1][2]:
                    shared = (size, found[-1][1], max(found.pop()[2], shared[2]))
                found.append(shared)
            reach = max(reach, high)
    return found


def _between(span: Range) -> str:
    size, low, high = span
    return f"(length(key) = {size} AND key BETWEEN {literal(low)} AND {literal(high)})"


def _near(merge: _Merge) -> list[Segment]:
    """The segments of the lake that might hold a staged key, by the ranges that the log keeps of each."""
    within_day = merge.dataset.key_within_day
    staged: dict[tuple[str, int], list[tuple[str, str]]] = {}
    for (day, size), span in merge.ranges.items():
        staged.setdefault((day if within_day else "", size), []).append(span)
    return [
        segment
        for day, segments in merge.lake.items()
        for segment in segments
        if any(
            low <= staged_high and staged_low <= high
            for size, low, high in segment.keys
            for staged_low, staged_high in staged.get((day if within_day else "", size), ())
        )
    ]


def _resolve(merge: _Merge, dirty: set[str], near: list[Segment]) -> list[Segment]:
    """Fills view `settled` with the rows of the dirty days to keep, extends `disputed`, fills `withdrawn`.

    Returns the segments of the lake that lose rows.
    """
    engine, columns, mine = merge.engine, merge.dataset.columns_sql, merge.rows(dirty)
    engine.execute(
        f"CREATE TABLE mine AS SELECT * FROM ({mine}) SEMI JOIN repeated USING (key) "
        "ANTI JOIN repeats USING (file_no, key)"
    )
    engine.execute(f"CREATE TABLE theirs AS SELECT * FROM ({merge.rows_of(near)}) SEMI JOIN repeated USING (key)")
    both = "mine" if merge.correcting else "(SELECT * FROM mine UNION ALL SELECT * FROM theirs)"
    engine.execute(
        f"INSERT INTO disputed SELECT key FROM (SELECT DISTINCT key, {columns} FROM {both}) GROUP BY key "
        "HAVING count(*) > 1 AND key NOT IN (SELECT key FROM disputed)"
    )
    kept = f"SELECT {columns}, min(file_no) AS file_no, any_value(day) AS day, key FROM mine GROUP BY {columns}, key"
    engine.execute(f"CREATE TABLE fresh AS SELECT * FROM ({kept}) ANTI JOIN disputed USING (key)")
    engine.execute(f"CREATE TABLE same AS SELECT f.key FROM fresh f JOIN theirs t ON {_alike(merge.dataset)}")
    engine.execute(
        f"CREATE VIEW settled AS SELECT {columns}, file_no, day FROM ({mine}) ANTI JOIN repeated USING (key) "
        f"UNION ALL SELECT {columns}, file_no, day FROM fresh ANTI JOIN same USING (key)"
    )
    gone = "SELECT key FROM disputed"
    if merge.correcting:
        gone += " UNION SELECT key FROM fresh ANTI JOIN same USING (key)"
    engine.execute(f"INSERT INTO withdrawn SELECT * FROM theirs SEMI JOIN ({gone}) AS gone USING (key)")
    days = {day for (day,) in engine.execute("SELECT DISTINCT day FROM withdrawn").fetchall()}
    return [segment for segment in near if segment.day in days]


def _alike(dataset: Dataset) -> str:
    return " AND ".join(f"f.{identifier(name)} IS NOT DISTINCT FROM t.{identifier(name)}" for name, _ in dataset.stored)


def _rewritten(engine: duckdb.DuckDBPyConnection, query: str, target: Path) -> list[str]:
    engine.execute(f"COPY ({query}) TO {literal(str(target))} (FORMAT parquet, PARTITION_BY (day))")
    return sorted(str(path) for path in target.glob("*/*.parquet"))


def _disputed_rows(merge: _Merge, dirty: set[str]) -> dict[int, int]:
    query = f"SELECT file_no, count(*) FROM ({merge.rows(dirty)}) SEMI JOIN disputed USING (key) GROUP BY 1"
    return dict(merge.engine.execute(query).fetchall())
