"""Merge: what to do with keys that occur more than once, within the staged rows or against the lake.

Rows of the same key and content are one fact. Rows of the same key and different content dispute each other:
none of them is used, whichever came first, so the order of ingest does not matter; those already in the lake are
withdrawn from it, and all stand in quarantine until a correction says which is right.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from junbikin.facts.checks import key_of
from junbikin.facts.datasets import Dataset
from junbikin.facts.engine import files, identifier, literal
from junbikin.facts.log import Entry, Segment, live_segments

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


def settle(
    engine: duckdb.DuckDBPyConnection,
    dataset: Dataset,
    entries: tuple[Entry, ...],
    facts: Path,
    staging: Path,
    correcting: bool,
) -> Merged:
    """Settles the staged rows against each other and the lake. Leaves two tables in the engine:

    `disputed` (key) and `withdrawn` (every stored column, file_no, key): rows of the lake that are no longer used.
    """
    staged: dict[str, list[str]] = {}
    for file in sorted(str(path) for path in (staging / "read").glob("*/*/*.parquet")):
        staged.setdefault(Path(file).parent.name.removeprefix("day="), []).append(file)
    unsound_files = [file for day in list(staged) if not day[:1].isdigit() for file in staged.pop(day)]
    merged = Merged(rejected=_rejected(engine))
    merged.sound = _by_source(engine, [file for day in staged.values() for file in day])
    merged.unsound = _by_source(engine, unsound_files)
    engine.execute(f"CREATE TABLE disputed AS SELECT key FROM ({_known_disputes(dataset, entries, facts, correcting)})")
    lake = live_segments(entries, dataset.name)
    dirty = _find_repeated(engine, dataset, staged, lake, facts)
    touched = [] if not dirty else _resolve(engine, dataset, staged, dirty, lake, facts, correcting)
    merged.files = [file for day, group in staged.items() if day not in dirty for file in group]
    if dirty:
        merged.files += _rewritten(engine, "SELECT * FROM settled", staging / "settled")
    if touched:
        merged.drops = tuple(sorted(segment.file for segment in touched))
        merged.withdrawn = _count(engine, "SELECT count(*) FROM withdrawn")
        left = (
            f"SELECT * EXCLUDE (key) FROM ({_rows(dataset, [str(facts / segment.file) for segment in touched])}) "
            "WHERE key NOT IN (SELECT key FROM withdrawn)"
        )
        merged.files += _rewritten(engine, left, staging / "left")
    merged.disputed = _count(engine, "SELECT count(*) FROM disputed")
    merged.accepted = _by_source(engine, merged.files)
    for number, count in _by_source(engine, [str(facts / segment.file) for segment in touched]).items():
        gone = _count(engine, f"SELECT count(*) FROM withdrawn WHERE file_no = {number}")
        merged.accepted[number] = merged.accepted.get(number, 0) - (count - gone)
    merged.disputed_rows = _disputed_rows(engine, dataset, staged, dirty)
    return merged


def _rejected(engine: duckdb.DuckDBPyConnection) -> dict[str, int]:
    has = _count(engine, "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'reject_errors'")
    if not has:
        engine.execute("CREATE TEMP TABLE reject_errors (scan_id UBIGINT, file_id UBIGINT, line UBIGINT)")
        engine.execute("CREATE TEMP TABLE reject_scans (scan_id UBIGINT, file_id UBIGINT, file_path VARCHAR)")
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
    query = f"SELECT file_no, count(*) FROM read_parquet({files(paths)}, hive_partitioning = false) GROUP BY 1"
    return dict(engine.execute(query).fetchall())


def _known_disputes(dataset: Dataset, entries: tuple[Entry, ...], facts: Path, correcting: bool) -> str:
    """SQL of the keys that earlier ingests left in dispute; a correction puts an end to them."""
    nothing = "SELECT '' AS key WHERE false"
    mine = [entry for entry in entries if entry.dataset == dataset.name]
    if correcting or not any(entry.disputed for entry in mine):
        return nothing
    parts = []
    for position, entry in enumerate(mine):
        if entry.disputed:
            later = [segment for after in mine[position + 1 :] if after.corrects for segment in after.adds]
            settled = [str(facts / segment.file) for segment in later]
            part = f"SELECT key FROM read_parquet({literal(str(facts / entry.quarantine))}) WHERE disputed"
            if settled:
                part += f" AND key NOT IN (SELECT {key_of(dataset)} FROM read_parquet({files(settled)}))"
            parts.append(part)
    return "SELECT DISTINCT key FROM (" + " UNION ALL ".join(parts) + ")"


def _rows(dataset: Dataset, paths: list[str]) -> str:
    """SQL of whole rows of some files: stored columns, file_no, day, key."""
    columns = dataset.columns_sql
    return (
        f"SELECT {columns}, file_no, regexp_extract(filename, 'day=([0-9-]+)', 1) AS day, {key_of(dataset)} AS key "
        f"FROM read_parquet({files(paths)}, filename = true, hive_partitioning = false)"
    )


def _find_repeated(
    engine: duckdb.DuckDBPyConnection,
    dataset: Dataset,
    staged: dict[str, list[str]],
    lake: dict[str, list[Segment]],
    facts: Path,
) -> set[str]:
    """Fills table `repeated` (key) with the staged keys that need settling; returns the staged days they are on."""
    engine.execute("CREATE TABLE repeated (key VARCHAR)")
    paths = [file for group in staged.values() for file in group]
    if not paths:
        return set()
    stats = engine.execute(
        f"SELECT day, length(key) AS size, count(*), count(DISTINCT key), min(key), max(key) "
        f"FROM ({_rows(dataset, paths)}) GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    doubled = sorted({day for day, _, rows, keys, _, _ in stats if rows > keys})
    ranges = {(day, size): (low, high) for day, size, _, _, low, high in stats}
    if doubled:
        within = [file for day in doubled for file in staged[day]]
        engine.execute(
            f"INSERT INTO repeated SELECT key FROM ({_rows(dataset, within)}) GROUP BY key HAVING count(*) > 1"
        )
    if not dataset.key_within_day:
        for suspects in _overlaps(ranges):
            engine.execute(
                f"INSERT INTO repeated SELECT key FROM ({_rows(dataset, paths)}) WHERE {_between(suspects)} "
                "GROUP BY key HAVING count(DISTINCT day) > 1"
            )
    near = _near(dataset, ranges, lake)
    if near:
        there = _rows(dataset, [str(facts / segment.file) for segment in near])
        engine.execute(
            f"INSERT INTO repeated SELECT key FROM ({_rows(dataset, paths)}) SEMI JOIN ({there}) AS lake USING (key)"
        )
    if _count(engine, "SELECT count(*) FROM disputed"):
        engine.execute(f"INSERT INTO repeated SELECT key FROM ({_rows(dataset, paths)}) SEMI JOIN disputed USING (key)")
    engine.execute("CREATE OR REPLACE TABLE repeated AS SELECT DISTINCT key FROM repeated")
    if not _count(engine, "SELECT count(*) FROM repeated"):
        return set()
    days = engine.execute(f"SELECT DISTINCT day FROM ({_rows(dataset, paths)}) SEMI JOIN repeated USING (key)")
    return {day for (day,) in days.fetchall()}


def _overlaps(ranges: dict[tuple[str, int], tuple[str, str]]) -> list[Range]:
    """The key ranges that more than one day reaches into: only there can a key be on two days."""
    found: list[Range] = []
    by_size: dict[int, list[tuple[str, str]]] = {}
    for (_, size), span in ranges.items():
        by_size.setdefault(size, []).append(span)
    for size, spans in by_size.items():
        reach = ""
        for low, high in sorted(spans):
            if reach and low <= reach:
                found.append((size, low, min(reach, high)))
            reach = max(reach, high)
    return found


def _between(span: Range) -> str:
    size, low, high = span
    return f"length(key) = {size} AND key BETWEEN {literal(low)} AND {literal(high)}"


def _near(
    dataset: Dataset, ranges: dict[tuple[str, int], tuple[str, str]], lake: dict[str, list[Segment]]
) -> list[Segment]:
    """The segments of the lake that might hold a staged key."""
    found = []
    for day, segments in lake.items():
        for segment in segments:
            spans: Iterable[tuple[str, str, str, str]] = (
                (*ranges[staged_day, size], low, high)
                for size, low, high in segment.keys
                for staged_day, staged_size in ranges
                if staged_size == size and (staged_day == day or not dataset.key_within_day)
            )
            if any(a_low <= b_high and b_low <= a_high for a_low, a_high, b_low, b_high in spans):
                found.append(segment)
    return found


def _resolve(
    engine: duckdb.DuckDBPyConnection,
    dataset: Dataset,
    staged: dict[str, list[str]],
    dirty: set[str],
    lake: dict[str, list[Segment]],
    facts: Path,
    correcting: bool,
) -> list[Segment]:
    """Fills `settled` with the rows of the dirty days to keep, extends `disputed`; returns the segments touched."""
    columns = dataset.columns_sql
    there = [segment for segments in lake.values() for segment in segments]
    mine = _rows(dataset, [file for day in sorted(dirty) for file in staged[day]])
    engine.execute(f"CREATE TABLE mine AS SELECT * FROM ({mine}) SEMI JOIN repeated USING (key)")
    old = (
        _rows(dataset, [str(facts / segment.file) for segment in there]) if there else "SELECT * FROM mine WHERE false"
    )
    engine.execute(f"CREATE TABLE theirs AS SELECT * FROM ({old}) SEMI JOIN repeated USING (key)")
    both = "mine" if correcting else "(SELECT * FROM mine UNION ALL SELECT * FROM theirs)"
    engine.execute(
        f"INSERT INTO disputed SELECT key FROM (SELECT DISTINCT key, {columns} FROM {both}) GROUP BY key "
        "HAVING count(*) > 1 AND key NOT IN (SELECT key FROM disputed)"
    )
    kept = f"SELECT {columns}, min(file_no) AS file_no, any_value(day) AS day, key FROM mine GROUP BY {columns}, key"
    engine.execute(f"CREATE TABLE fresh AS SELECT * FROM ({kept}) ANTI JOIN disputed USING (key)")
    engine.execute(f"CREATE TABLE same AS SELECT f.key FROM fresh f JOIN theirs t ON {_alike(dataset)}")
    engine.execute(
        f"CREATE VIEW settled AS SELECT {columns}, file_no, day FROM ({mine}) ANTI JOIN repeated USING (key) "
        f"UNION ALL SELECT {columns}, file_no, day FROM fresh ANTI JOIN same USING (key)"
    )
    withdrawn = "SELECT * FROM theirs SEMI JOIN disputed USING (key)"
    if correcting:
        withdrawn = "SELECT * FROM theirs SEMI JOIN (FROM fresh ANTI JOIN same USING (key)) USING (key)"
    engine.execute(f"CREATE TABLE withdrawn AS {withdrawn}")
    days = {day for (day,) in engine.execute("SELECT DISTINCT day FROM withdrawn").fetchall()}
    return [segment for day in sorted(days) for segment in lake[day]]


def _alike(dataset: Dataset) -> str:
    return " AND ".join(f"f.{identifier(name)} IS NOT DISTINCT FROM t.{identifier(name)}" for name, _ in dataset.stored)


def _rewritten(engine: duckdb.DuckDBPyConnection, query: str, target: Path) -> list[str]:
    engine.execute(f"COPY ({query}) TO {literal(str(target))} (FORMAT parquet, PARTITION_BY (day))")
    return sorted(str(path) for path in target.glob("*/*.parquet"))


def _disputed_rows(
    engine: duckdb.DuckDBPyConnection, dataset: Dataset, staged: dict[str, list[str]], dirty: set[str]
) -> dict[int, int]:
    paths = [file for day in sorted(dirty) for file in staged[day]]
    if not paths:
        return {}
    query = f"SELECT file_no, count(*) FROM ({_rows(dataset, paths)}) SEMI JOIN disputed USING (key) GROUP BY 1"
    return dict(engine.execute(query).fetchall())
