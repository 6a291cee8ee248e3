"""One ingest under way: what each of its steps needs to know."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from junbikin.facts import checks
from junbikin.facts.datasets import Dataset
from junbikin.facts.log import Entry
from junbikin.facts.mappings import Mapping
from junbikin.facts.sources import SourceFile, raw_select
from junbikin.home import Home

Progress = Callable[[str, float], None]
"""Told what is being done and how far it is, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Run:
    """What every step of one ingest needs."""

    home: Home
    dataset: Dataset
    mapping: Mapping
    now: datetime
    seq: int
    entries: tuple[Entry, ...]
    staging: Path
    engine: duckdb.DuckDBPyConnection
    sources: tuple[SourceFile, ...]
    first_number: int
    corrects: str

    def number(self, source: SourceFile) -> int:
        """The number by which rows name the file that they came from, unique in the home."""
        return self.first_number + self.sources.index(source)

    def checked(self, batch: Sequence[SourceFile]) -> str:
        """SQL of the rows of some files: raw, typed, and `sound`."""
        raw = " UNION ALL ".join(raw_select(s, self.mapping, self.dataset, self.number(s)) for s in batch)
        typed = checks.typed_select(self.dataset, self.mapping, raw)
        return f"SELECT *, {checks.sound(self.dataset, self.now)} AS sound FROM ({typed})"

    def reason(self) -> str:
        """SQL of the first fault of a row that is not sound."""
        whens = (f"WHEN {fault} THEN {why}" for fault, why in checks.faults(self.dataset, self.mapping, self.now))
        return f"CASE {' '.join(whens)} END"
