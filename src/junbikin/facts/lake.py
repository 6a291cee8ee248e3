"""The lake as it was known at one line of its log: which days it has, and what a query says of some of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from junbikin.errors import FactsDamaged
from junbikin.facts.datasets import DATASETS
from junbikin.facts.engine import DAY_OF_FILE, connect, identifier, parquet
from junbikin.facts.log import START, Entry, Segment, head_of, live_segments, read_log
from junbikin.facts.queries import QUERIES, query_text
from junbikin.home import Home


@dataclass(frozen=True)
class Lake:
    """Facts as known after `entries`. With `fresh` nothing kept from earlier runs is believed."""

    home: Home
    entries: tuple[Entry, ...]
    fresh: bool = False

    @property
    def head(self) -> str:
        """The digest of the last log entry: which facts these are."""
        return head_of(self.entries)

    @property
    def cache(self) -> Path | None:
        """Where sums are kept between runs; None when they are not to be believed."""
        return None if self.fresh else self.home.path / "cache"

    @cached_property
    def _days(self) -> dict[str, dict[str, list[Segment]]]:
        return {name: live_segments(self.entries, name) for name in DATASETS}

    @cached_property
    def _engine(self) -> duckdb.DuckDBPyConnection:
        engine = connect(self.home.memory_limit)
        engine.execute("SET parquet_metadata_cache = true")  # several queries read the same files
        return engine

    def days(self, dataset: str, start: date = date.min, end: date = date.max) -> dict[str, list[Segment]]:
        """Day → segments of a dataset between two days, both included."""
        low, high = start.isoformat(), end.isoformat()
        return {day: segments for day, segments in self._days[dataset].items() if low <= day <= high}

    def newest(self, dataset: str, until: date) -> tuple[date | None, dict[str, list[Segment]]]:
        """The newest day of a dataset on or before a day, and its part; None and nothing when there is none."""
        days = self.days(dataset, end=until)
        newest = max(days, default=None)
        return (date.fromisoformat(newest), {newest: days[newest]}) if newest else (None, {})

    def run(self, query: str, days: dict[str, list[Segment]]) -> list[tuple[Any, ...]]:
        """The rows of a named query over some days, sorted."""
        return self._over(
            QUERIES[query][0], days, query_text(query, self.cache / "queries.json" if self.cache else None)
        )

    def rows(self, dataset: str, days: dict[str, list[Segment]]) -> list[dict[str, Any]]:
        """Whole rows of a small dataset over some days, sorted by key; instants are in UTC."""
        names = [name for name, _ in DATASETS[dataset].stored]
        instants = {name for name, kind in DATASETS[dataset].stored if kind == "TIMESTAMPTZ"}
        # The engine hands instants over only by way of another library: they come as counts.
        columns = ", ".join(f"epoch_us({identifier(n)})" if n in instants else identifier(n) for n in names)
        key = [names.index(name) for name in DATASETS[dataset].key]
        found = sorted(
            self._over(dataset, days, f"SELECT {columns} FROM {dataset}"), key=lambda row: [str(row[i]) for i in key]
        )
        rows = [dict(zip(names, row, strict=True)) for row in found]
        return [row | {name: _instant(row[name]) for name in instants} for row in rows] if instants else rows

    def _over(self, dataset: str, days: dict[str, list[Segment]], sql: str) -> list[tuple[Any, ...]]:
        paths = [self.home.facts / segment.file for segments in days.values() for segment in segments]
        if not paths:
            return []
        for path in paths:
            if not path.exists():
                raise FactsDamaged(
                    "a file that the log names is missing", where=str(path), then="restore it from a backup"
                )
        self._engine.execute(
            f"CREATE OR REPLACE VIEW {dataset} AS SELECT * EXCLUDE (filename), {DAY_OF_FILE} AS day "
            f"FROM {parquet([str(path) for path in paths], named=True)}"
        )
        return self.ask(sql)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query that names its own files, sorted."""
        return sorted(self._engine.execute(query).fetchall(), key=lambda row: [str(item) for item in row])

    def check_files(self, datasets: Iterable[str]) -> None:
        """Raises `FactsDamaged`, naming the file, unless every live segment is the one that the log recorded."""
        for dataset in datasets:
            for segments in self._days[dataset].values():
                self.check_segments(segments)

    def check_segments(self, segments: Iterable[Segment]) -> None:
        """The same of some segments."""
        for segment in segments:
            path = self.home.facts / segment.file
            if not path.exists() or _sha256(path) != segment.sha256:
                raise FactsDamaged(
                    f"{segment.file} is not the file that the log recorded: facts were changed",
                    where=str(path),
                    then="restore it from a backup, or ingest the sources into a new home",
                )


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _instant(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else _EPOCH + timedelta(microseconds=microseconds)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def open_lake(home: Home, *, head: str = "", known_on: date | None = None, fresh: bool = False) -> Lake:
    """The lake as known at `head`, or at the end of the day `known_on`, or now.

    Raises `FactsDamaged` when the log has no such head.
    """
    entries = read_log(home.facts)
    if known_on is not None:
        entries = tuple(entry for entry in entries if _recorded_on(home, entry) <= known_on)
    if not head or head == head_of(entries):
        return Lake(home, entries, fresh)
    if head == START:
        return Lake(home, (), fresh)
    for count, entry in enumerate(entries, 1):
        if entry.digest == head:
            return Lake(home, entries[:count], fresh)
    raise FactsDamaged(
        f"the log has no entry {head[:12]}: these are not the facts that the position was made from",
        where=str(home.facts),
        then="use the home in which the position was assessed",
    )


def _recorded_on(home: Home, entry: Entry) -> date:
    return datetime.fromisoformat(entry.recorded_at).astimezone(home.time_zone).date()
