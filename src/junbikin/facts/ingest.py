"""Ingest: files in, sound rows into the lake by day, the rest into quarantine with file, line and reason.

The walk: look at every file → read, check and stage the sound rows by day → settle keys that occur more than
once → write the refused rows down → move the staged files into the lake → add one line to the log. Nothing is
visible before that line, and a killed ingest leaves only staging files, which the next one sweeps away.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout

from junbikin.errors import BadInput, HomeProblem, SourceRefused
from junbikin.facts import checks
from junbikin.facts.datasets import Dataset
from junbikin.facts.engine import connect, literal, parquet
from junbikin.facts.log import Entry, Segment, Source, append, head_of, read_log
from junbikin.facts.mappings import Mapping
from junbikin.facts.merge import Merged, settle
from junbikin.facts.quarantine import write_refused
from junbikin.facts.run import Progress, Run
from junbikin.facts.sources import SourceFile, inspect, not_utf8, too_long
from junbikin.home import Home

BATCH = 32
"""Files read by one statement."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one ingest did; `entry` is its line in the log."""

    entry: Entry

    @property
    def read(self) -> int:
        """Rows read from all files."""
        return sum(source.read for source in self.entry.sources)

    @property
    def accepted(self) -> int:
        """Rows now in the lake that were not there before."""
        return sum(source.accepted for source in self.entry.sources)

    @property
    def duplicate(self) -> int:
        """Rows that say what is known already."""
        return sum(source.duplicate for source in self.entry.sources)

    @property
    def quarantined(self) -> int:
        """Rows refused and kept aside."""
        return sum(source.quarantined for source in self.entry.sources)


def ingest(
    home: Home,
    dataset: Dataset,
    paths: Sequence[Path],
    mapping: Mapping,
    *,
    corrects: str = "",
    progress: Progress = lambda what, share: None,
) -> Receipt:
    """Ingests the files as one act: all of it, or none of it.

    `corrects`, when not empty, is the reason why rows of these files replace known rows of the same key.
    Raises `SourceRefused`, `MappingProblem`, `HomeProblem` or `FactsDamaged`, having changed nothing.
    """
    if not paths:
        raise BadInput("no file was named", then="name the files to ingest")
    with _alone(home) as staging:
        entries = read_log(home.facts)
        engine = connect(home.memory_limit, staging / "spill")
        try:
            sources = _inspected(paths, dataset, mapping, staging, progress)
            first = 1 + max((s.number for entry in entries for s in entry.sources), default=0)
            now = datetime.now(home.time_zone)
            seq = len(entries) + 1
            run = Run(home, dataset, mapping, now, seq, entries, staging, engine, sources, first, corrects)
            return _ingested(run, progress)
        finally:
            engine.close()


def _ingested(run: Run, progress: Progress) -> Receipt:
    _stage(run, progress)
    progress("looking for duplicates", 0.0)
    merged = settle(run)
    refused = write_refused(run, merged, progress)
    progress("writing", 0.0)
    added = _segments(run, merged)
    entry = Entry(
        seq=run.seq,
        recorded_at=run.now.astimezone(UTC).isoformat(),
        dataset=run.dataset.name,
        mapping=run.mapping.name,
        mapping_digest=run.mapping.digest,
        corrects=run.corrects,
        sources=_accounted(run, merged, refused.by_source),
        adds=added,
        drops=merged.drops,
        withdrawn=merged.withdrawn,
        quarantine=refused.file,
        disputed=merged.disputed,
        previous=head_of(run.entries),
    )
    append(run.home.facts, entry)
    return Receipt(entry)


@contextmanager
def _alone(home: Home) -> Iterator[Path]:
    """A clean staging folder, and nobody else ingesting into this home."""
    home.facts.mkdir(parents=True, exist_ok=True)
    lock = FileLock(home.facts / "ingest.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise HomeProblem(
            "another ingest is running in this home",
            where=str(home.path),
            then="run this one when it has ended",
        ) from None
    staging = home.facts / "staging"
    try:
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        lock.release()


def _inspected(
    paths: Sequence[Path], dataset: Dataset, mapping: Mapping, staging: Path, progress: Progress
) -> tuple[SourceFile, ...]:
    size = sum(path.stat().st_size for path in paths if path.is_file()) or 1
    seen = 0

    def tick(count: int) -> None:
        nonlocal seen
        seen += count
        progress("taking digests", seen / size)

    found: dict[str, SourceFile] = {}
    for path in paths:
        source = inspect(path, dataset, mapping, staging, tick)
        twin = found.get(source.sha256)
        if twin:
            raise SourceRefused(
                f"the same file is named twice (as {twin.given} too)", where=str(path), then="name it once"
            )
        found[source.sha256] = source
    return tuple(found.values())


def _stage(run: Run, progress: Progress) -> None:
    """Reads every file once; sound rows go to staging by day, the others are only counted."""
    run.engine.execute("SET preserve_insertion_order = false")
    day = checks.day_of(run.dataset, run.home.time_zone.key)
    for index, start in enumerate(range(0, len(run.sources), BATCH)):
        batch = run.sources[start : start + BATCH]
        rows = f"SELECT {run.dataset.columns_sql}, file_no, CASE WHEN sound THEN {day} END AS day FROM ({run.checked(batch)})"
        target = run.staging / "read" / str(index)
        target.parent.mkdir(exist_ok=True)
        with _watched(run, progress, f"reading {len(batch)} files"):
            try:
                run.engine.execute(f"COPY ({rows}) TO {literal(str(target))} (FORMAT parquet, PARTITION_BY (day))")
            except duckdb.Error as problem:
                raise _unreadable(run, batch, problem) from problem
    _ensure_reject_tables(run)
    _refuse_unreadable_lines(run)


def _ensure_reject_tables(run: Run) -> None:
    """The engine makes these when it reads its first CSV file; an ingest without one finds them empty."""
    run.engine.execute(
        "CREATE TEMP TABLE IF NOT EXISTS reject_errors (scan_id UBIGINT, file_id UBIGINT, line UBIGINT, "
        "error_type VARCHAR, csv_line VARCHAR, error_message VARCHAR); "
        "CREATE TEMP TABLE IF NOT EXISTS reject_scans (scan_id UBIGINT, file_id UBIGINT, file_path VARCHAR)"
    )


def _unreadable(run: Run, batch: Sequence[SourceFile], problem: duckdb.Error) -> Exception:
    text = str(problem).splitlines()[0]
    named = [source for source in batch if str(source.path) in str(problem)]
    if "reached an invalid state" in text:
        return SourceRefused(
            "the lines end in more than one way (LF, CR LF or CR), so that rows cannot be told apart",
            where=str(_first_that_fails(run, batch).given),
            then="save the file with one kind of line end",
        )
    if "GZIP" in text.upper():
        return SourceRefused(
            "the gzip file is cut short or damaged",
            where=str((named or batch)[0].given),
            then="download it again",
        )
    if isinstance(problem, duckdb.IOException | duckdb.OutOfMemoryException) and not named:
        return HomeProblem(f"the engine stopped: {text}", then="free disk space or raise memory_limit in junbikin.toml")
    return SourceRefused(f"cannot be read: {text}", where=str((named or batch)[0].given), then="export the file again")


@contextmanager
def _watched(run: Run, progress: Progress, what: str) -> Iterator[None]:
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.2):
            share = run.engine.query_progress()
            progress(what, max(0.0, min(1.0, (share or 0) / 100)))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def _first_that_fails(run: Run, batch: Sequence[SourceFile]) -> SourceFile:
    for source in batch:
        try:
            run.engine.execute(f"SELECT count(*) FROM ({run.checked([source])}) WHERE sound")
        except duckdb.Error:
            return source
    return batch[0]


def _refuse_unreadable_lines(run: Run) -> None:
    found = run.engine.execute(
        "SELECT s.file_path, e.line, e.error_type FROM reject_errors e JOIN reject_scans s USING (scan_id, file_id) "
        "WHERE e.error_type IN ('INVALID ENCODING', 'LINE SIZE OVER MAXIMUM') ORDER BY ALL LIMIT 1"
    ).fetchone()
    if found:
        path, line, fault = found
        given = next(source.given for source in run.sources if str(source.path) == path)
        raise not_utf8(given, line) if fault == "INVALID ENCODING" else too_long(given, line)


def _segments(run: Run, merged: Merged) -> tuple[Segment, ...]:
    """Moves the settled files into the lake and describes each."""
    rows = run.engine.execute(
        f"SELECT filename, length({checks.key_of(run.dataset)}) AS size, count(*), min({checks.key_of(run.dataset)}), "
        f"max({checks.key_of(run.dataset)}) FROM {parquet(merged.files, named=True)} GROUP BY ALL ORDER BY ALL"
        if merged.files
        else "SELECT '', 0, 0, '', '' WHERE false"
    ).fetchall()
    described: dict[str, list[tuple[int, int, str, str]]] = {}
    for file, size, count, low, high in rows:
        described.setdefault(file, []).append((size, count, low, high))
    segments: list[Segment] = []
    for index, file in enumerate(sorted(described), 1):
        day = Path(file).parent.name.removeprefix("day=")
        target = Path(run.dataset.name) / f"day={day}" / f"{run.seq:06d}-{index:04d}.parquet"
        with Path(file).open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            os.fsync(stream.fileno())
        (run.home.facts / target).parent.mkdir(parents=True, exist_ok=True)
        Path(file).replace(run.home.facts / target)
        keys = described[file]
        segments.append(
            Segment(
                str(target), day, sum(count for _, count, _, _ in keys), digest,
                tuple((size, low, high) for size, _, low, high in keys),
            )
        )  # fmt: skip
    return tuple(segments)


def _accounted(run: Run, merged: Merged, refused: dict[int, int]) -> tuple[Source, ...]:
    """The account of every file, checked: read = accepted + duplicate + quarantined."""
    sources = []
    for source in run.sources:
        number = run.number(source)
        accepted, quarantined = merged.accepted.get(number, 0), refused.get(number, 0)
        sound, unsound = merged.sound.get(number, 0), merged.unsound.get(number, 0)
        rejected = merged.rejected.get(str(source.path), 0)
        disputed = merged.disputed_rows.get(number, 0)
        if quarantined != unsound + rejected + disputed:
            raise AssertionError(f"{source.given}: {quarantined} rows kept of {unsound}+{rejected}+{disputed} refused")
        sources.append(
            Source(
                number, source.given.name, source.sha256, source.bytes,
                read=sound + unsound + rejected, accepted=accepted,
                duplicate=sound - accepted - disputed, quarantined=quarantined,
            )
        )  # fmt: skip
    return tuple(sources)
