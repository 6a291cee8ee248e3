"""Quarantine: every refused row, kept with its file, line and reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, repeat
from pathlib import Path
from typing import Any

from junbikin.facts import checks
from junbikin.facts.datasets import Dataset
from junbikin.facts.engine import connect, identifier, literal, parquet
from junbikin.facts.log import Entry, live_segments
from junbikin.facts.merge import Merged
from junbikin.facts.run import Progress, Run
from junbikin.facts.sources import NOT_AN_OBJECT, SourceFile, records, unclear

_DISPUTED = "same key with different content: none of them is used until a correction says which is right"

_SOME = 10_000
"""Rows handed to or taken from the engine at a time."""


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
        _note(run, source)
        if source.form == "parquet":
            _place_by_row(run, source)
        else:
            _place_by_text(run, source, merged.sound.get(number, 0) + merged.unsound.get(number, 0))
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


def _note(run: Run, source: SourceFile) -> None:
    """Fills table `bad` with the rows of a file that are refused, by `at_row`, and table `rejects` with what is no row."""
    # Rows in file order, so that counting them gives the place in the file.
    run.engine.execute("SET preserve_insertion_order = true; DELETE FROM reject_errors; DELETE FROM reject_scans")
    run.engine.execute(
        f"CREATE OR REPLACE TABLE bad AS SELECT at_row, {_raw_text(run.dataset)} AS raw, "
        f"{checks.key_of(run.dataset)} AS key, CASE WHEN sound THEN {literal(_DISPUTED)} ELSE {run.reason()} END "
        f"AS reason, sound AS disputed FROM ({run.checked([source])}) "
        f"WHERE NOT sound OR {checks.key_of(run.dataset)} IN (SELECT key FROM disputed)"
    )
    why = "'not a row: ' || min(error_message)" if source.form == "csv" else literal(NOT_AN_OBJECT)
    run.engine.execute(
        f"CREATE OR REPLACE TABLE rejects AS SELECT line AS ordinal, {why} AS reason FROM reject_errors GROUP BY line"
    )


def _place_by_row(run: Run, source: SourceFile) -> None:
    run.engine.execute(
        f"INSERT INTO refused SELECT {run.number(source)}, {literal(source.given.name)}, 'row', at_row, reason, key, "
        "raw, disputed FROM bad"
    )


def _place_by_text(run: Run, source: SourceFile, returned: int) -> None:
    """Each refused row by its line, as it stands there; in a file with line breaks inside quotes, by its record."""
    run.engine.execute(
        "CREATE OR REPLACE TABLE stood (at_row BIGINT, ordinal BIGINT, line BIGINT, record BIGINT, raw VARCHAR)"
    )
    walk = _Walk(_numbers(run, "SELECT at_row FROM bad"), _numbers(run, "SELECT ordinal FROM rejects"))
    found = walk.over(run, source)
    while some := list(islice(found, _SOME)):
        run.engine.execute(
            "INSERT INTO stood SELECT unnest($1), unnest($2), unnest($3), unnest($4), unnest($5)",
            [list(column) for column in zip(*some, strict=True)],
        )
    if walk.rows != returned:
        raise unclear(source.given, walk.doubtful)
    place = "record" if walk.broken else "line"
    start = f"INSERT INTO refused SELECT {run.number(source)}, {literal(source.given.name)}, {literal(place)}, {place}"
    run.engine.execute(f"{start}, reason, key, s.raw, disputed FROM bad JOIN stood s USING (at_row)")
    run.engine.execute(f"{start}, reason, NULL, s.raw, false FROM rejects JOIN stood s USING (ordinal)")


def _numbers(run: Run, query: str) -> Iterator[int]:
    """The numbers that a query gives, in order, and after them for ever one that is none of them."""
    cursor = run.engine.cursor()
    cursor.execute(f"{query} ORDER BY 1")
    while some := cursor.fetchmany(_SOME):
        yield from (number for (number,) in some)
    yield from repeat(-1)


@dataclass(slots=True)
class _Walk:
    """A walk over a text file beside the numbers of its refused rows: of those that the engine returned, `bad`
    counts which; of those that it rejected, `rejects` counts header and blank lines too, as the engine does.

    Afterwards `rows` is how many the engine must have returned, `broken` whether a record has several lines, and
    `doubtful` the line of the last record that it rejected with several.
    """

    bad: Iterator[int]
    rejects: Iterator[int]
    rows: int = 0
    broken: bool = False
    doubtful: int = 1

    def over(self, run: Run, source: SourceFile) -> Iterator[tuple[int | None, int | None, int, int, str]]:
        """Each refused row: its number in `bad` or `rejects`, its line, its record, and its text."""
        bad, reject, record = next(self.bad), next(self.rejects), 0
        for ordinal, (line, several, text) in enumerate(records(source, run.mapping), 1):
            if source.form == "csv" and ordinal == 1:
                continue
            if not text and len(source.columns) != 1:
                continue
            record += 1
            self.broken |= several
            if ordinal == reject:
                self.doubtful = line if several else self.doubtful
                yield None, ordinal, line, record, text
                reject = next(self.rejects)
                continue
            self.rows += 1
            if self.rows == bad:
                yield self.rows, None, line, record, text
                bad = next(self.bad)


def _raw_text(dataset: Dataset) -> str:
    fields = ", ".join(f"{identifier(column.name)} := raw_{column.name}" for column in dataset.columns)
    return f"CAST(to_json(struct_pack({fields})) AS VARCHAR)"


def _note_withdrawn(run: Run) -> None:
    """Notes the rows that the lake no longer uses: replaced by a correction, or in dispute with a row read now."""
    names = [identifier(name) for name, _ in run.dataset.stored]
    fields = ", ".join(f"{name} := CAST({name} AS VARCHAR)" for name in names)
    in_dispute = "key IN (SELECT key FROM disputed)"
    run.engine.execute(
        f"INSERT INTO refused SELECT file_no, '', 'lake', NULL, "
        f"CASE WHEN {in_dispute} THEN {literal(f'withdrawn from the lake: {_DISPUTED}')} "
        f"ELSE {literal(f'replaced by a correction: {run.corrects}')} END, key, "
        f"CAST(to_json(struct_pack({fields})) AS VARCHAR), {in_dispute} FROM withdrawn"
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
        f"SELECT DISTINCT {checks.key_of(dataset)} AS key FROM {parquet(lake)}"
        if lake
        else "SELECT NULL::VARCHAR AS key WHERE false"
    )
    engine = connect(memory_limit)
    query = (
        f"WITH kept AS (SELECT * FROM {parquet([str(facts / entry.quarantine) for entry in mine])}), "
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
