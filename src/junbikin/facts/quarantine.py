"""Quarantine: every refused row, kept with its file, line and reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from junbikin.facts import checks
from junbikin.facts.datasets import Dataset
from junbikin.facts.engine import connect, files, identifier, literal
from junbikin.facts.log import Entry, live_segments
from junbikin.facts.merge import Merged
from junbikin.facts.run import Progress, Run
from junbikin.facts.sources import SourceFile, lines

_DISPUTED = "same key with different content: none of them is used until a correction says which is right"


@dataclass(frozen=True, slots=True)
class Refused:
    """Where one ingest's refused rows were written ("" when there are none), and how many of each source."""

    file: str
    by_source: dict[int, int]


def write_refused(run: Run, merged: Merged, progress: Progress) -> Refused:
    """Writes the rows refused, reading again only the files that have any."""
    doubtful = [
        source
        for source in run.sources
        if merged.unsound.get(run.number(source))
        or merged.disputed_rows.get(run.number(source))
        or merged.rejected.get(str(source.path))
    ]
    if not doubtful and not merged.withdrawn:
        return Refused("", {})
    run.engine.execute(
        "CREATE TABLE refused (file_no INTEGER, source_name VARCHAR, place VARCHAR, position BIGINT, reason VARCHAR, "
        "key VARCHAR, raw VARCHAR, disputed BOOLEAN)"
    )
    for done, source in enumerate(doubtful):
        progress(f"noting refused rows of {source.given.name}", done / len(doubtful))
        number = run.number(source)
        _note(run, source, merged.sound.get(number, 0) + merged.unsound.get(number, 0))
    counts = dict(run.engine.execute("SELECT file_no, count(*) FROM refused GROUP BY 1").fetchall())
    if merged.withdrawn:
        _note_withdrawn(run)
    target = Path("quarantine") / f"{run.seq:06d}.parquet"
    (run.home.facts / "quarantine").mkdir(exist_ok=True)
    run.engine.execute(
        f"COPY (SELECT * FROM refused ORDER BY file_no, position) TO {literal(str(run.home.facts / target))} "
        "(FORMAT parquet, COMPRESSION zstd)"
    )
    return Refused(str(target), counts)


def _note(run: Run, source: SourceFile, records: int) -> None:
    number, name = run.number(source), literal(source.given.name)
    # Rows in file order, so that counting them gives the place in the file.
    run.engine.execute("SET preserve_insertion_order = true; DELETE FROM reject_errors; DELETE FROM reject_scans")
    run.engine.execute(
        f"CREATE OR REPLACE TABLE bad AS SELECT at_row, {_raw_text(run.dataset)} AS raw, "
        f"{checks.key_of(run.dataset)} AS key, CASE WHEN sound THEN {literal(_DISPUTED)} ELSE {run.reason()} END "
        f"AS reason, sound AS disputed FROM ({run.checked([source])}) "
        f"WHERE NOT sound OR {checks.key_of(run.dataset)} IN (SELECT key FROM disputed)"
    )
    place, rows = _places(run, source, records)
    run.engine.execute(
        f"INSERT INTO refused SELECT {number}, {name}, {literal(place)}, p.position, b.reason, b.key, "
        f"coalesce(p.line, b.raw), b.disputed FROM bad b JOIN ({rows}) p USING (at_row)"
    )
    if source.form == "csv":
        run.engine.execute(
            f"INSERT INTO refused SELECT {number}, {name}, {literal(place)}, line, "
            "'not a row: ' || min(error_message), NULL, min(csv_line), false FROM reject_errors GROUP BY line"
        )


def _places(run: Run, source: SourceFile, records: int) -> tuple[str, str]:
    """What positions count (line, record or row), and SQL giving each bad row's position and its line as it stands.

    In a text file the rows that the reader returned are its lines that are neither blank, nor the header, nor
    rejected, in order. Only line breaks inside quotes undo that: then the count of records is what is sure.
    """
    as_counted = "SELECT at_row, at_row AS position, NULL::VARCHAR AS line FROM bad"
    if source.form == "parquet":
        return "row", as_counted
    run.engine.execute(
        f"CREATE OR REPLACE TABLE text AS SELECT line, row_number() OVER () AS position FROM ({lines(source)})"
    )
    rejected = "SELECT line FROM reject_errors" if source.form == "csv" else "SELECT NULL WHERE false"
    header = 1 if source.form == "csv" else 0
    numbered = (
        "SELECT position, line, row_number() OVER (ORDER BY position) AS at_row FROM (SELECT * FROM text WHERE "
        f"line IS NOT NULL ORDER BY position OFFSET {header}) WHERE position NOT IN ({rejected})"
    )
    counts = run.engine.execute(f"SELECT count(*) FROM ({numbered})").fetchone()
    return ("line", numbered) if counts == (records,) else ("record", as_counted)


def _raw_text(dataset: Dataset) -> str:
    fields = ", ".join(f"{identifier(column.name)} := raw_{column.name}" for column in dataset.columns)
    return f"CAST(to_json(struct_pack({fields})) AS VARCHAR)"


def _note_withdrawn(run: Run) -> None:
    """Notes the rows that the lake no longer uses: replaced by a correction, or in dispute with a row read now."""
    names = [identifier(name) for name, _ in run.dataset.stored]
    fields = ", ".join(f"{name} := CAST({name} AS VARCHAR)" for name in names)
    reason = f"replaced by a correction: {run.corrects}" if run.corrects else f"withdrawn from the lake: {_DISPUTED}"
    run.engine.execute(
        f"INSERT INTO refused SELECT file_no, '', 'lake', NULL, {literal(reason)}, key, "
        f"CAST(to_json(struct_pack({fields})) AS VARCHAR), {not run.corrects} FROM withdrawn"
    )


def refused_rows(facts: Path, entries: Sequence[Entry], dataset: Dataset, memory_limit: str) -> list[dict[str, Any]]:
    """What stands in quarantine for a dataset, each file's line once, newest ingest last.

    `settled` says that a row of the same key has been accepted since (or was before, from another line).
    """
    mine = [entry for entry in entries if entry.dataset == dataset.name and entry.quarantine]
    if not mine:
        return []
    digests = {source.number: source for entry in entries for source in entry.sources}
    names = ", ".join(
        f"({number}, {literal(source.name)}, {literal(source.sha256)})" for number, source in digests.items()
    )
    lake = [str(facts / s.file) for segments in live_segments(entries, dataset.name).values() for s in segments]
    accepted = (
        f"SELECT DISTINCT {checks.key_of(dataset)} AS key FROM read_parquet({files(lake)}, hive_partitioning = false)"
        if lake
        else "SELECT NULL::VARCHAR AS key WHERE false"
    )
    engine = connect(memory_limit)
    query = (
        f"WITH kept AS (SELECT * FROM read_parquet({files([str(facts / entry.quarantine) for entry in mine])})), "
        f"named (file_no, name, sha256) AS (VALUES {names}), "
        "once AS (SELECT n.sha256, any_value(n.name) AS file, place, position, any_value(reason) AS reason, key, raw, "
        "any_value(disputed) AS disputed, min(k.file_no) AS file_no FROM kept k JOIN named n USING (file_no) "
        "GROUP BY n.sha256, place, position, key, raw) "
        f"SELECT file, place, position, reason, key, raw, key IN (SELECT key FROM ({accepted})) AS settled "
        "FROM once ORDER BY file_no, position"
    )
    try:
        cursor = engine.execute(query)
        titles = [item[0] for item in cursor.description or []]
        return [dict(zip(titles, row, strict=True)) for row in cursor.fetchall()]
    finally:
        engine.close()
