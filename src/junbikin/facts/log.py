"""The log of the lake: one line per ingest, only added to, each carrying the digest of the line before.

A file of the lake exists for readers once a line of the log names it, and stops existing for them when a later
line drops it; the file itself stays, so that the facts can be read as they were known at any earlier line.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rfc8785

from junbikin.errors import FactsDamaged

START = "0" * 64


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was ingested, and what became of its rows: read = accepted + duplicate + quarantined."""

    number: int
    name: str
    sha256: str
    bytes: int
    read: int
    accepted: int
    duplicate: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A Parquet file of the lake: the rows of one day from one ingest.

    `keys` are the ranges of its keys by length, `[length, least, greatest]`, by which an ingest finds the
    segments that might hold a key without opening the others.
    """

    file: str
    day: str
    rows: int
    sha256: str
    keys: tuple[tuple[int, str, str], ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One ingest. `recorded_at` is when we knew (UTC, ISO 8601)."""

    seq: int
    recorded_at: str
    dataset: str
    mapping: str
    mapping_digest: str
    corrects: str
    sources: tuple[Source, ...]
    adds: tuple[Segment, ...]
    drops: tuple[str, ...]
    withdrawn: int
    quarantine: str
    disputed: int
    previous: str

    @property
    def line(self) -> bytes:
        """The canonical line, without its end."""
        return rfc8785.dumps(_plain(self))

    @property
    def digest(self) -> str:
        """SHA-256 of the line: the head of the log when it is the last."""
        return hashlib.sha256(self.line).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "__slots__"):
        return {name: _plain(getattr(value, name)) for name in value.__slots__}
    return value


def _entry(node: dict[str, Any]) -> Entry:
    node["sources"] = tuple(Source(**source) for source in node["sources"])
    node["adds"] = tuple(
        Segment(**{**segment, "keys": tuple((int(n), low, high) for n, low, high in segment["keys"])})
        for segment in node["adds"]
    )
    node["drops"] = tuple(node["drops"])
    return Entry(**node)


def read_log(facts: Path) -> tuple[Entry, ...]:
    """Every entry, oldest first. Raises `FactsDamaged` where the chain breaks.

    A last line without its end is an ingest that was killed while writing it: it never happened.
    """
    path = facts / "log.jsonl"
    if not path.exists():
        return ()
    entries: list[Entry] = []
    head = START
    for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], 1):
        try:
            entry = _entry(json.loads(line))
        except (ValueError, KeyError, TypeError):
            raise _broken(path, number, "is not an entry") from None
        if entry.previous != head or entry.seq != number or entry.line != line:
            raise _broken(path, number, "does not follow from the line before it")
        head = hashlib.sha256(line).hexdigest()
        entries.append(entry)
    return tuple(entries)


def _broken(path: Path, number: int, what: str) -> FactsDamaged:
    return FactsDamaged(
        f"line {number} of the log {what}: the past was changed",
        where=str(path), then="restore the facts folder from a backup, or ingest the source files into a new home",
    )  # fmt: skip


def append(facts: Path, entry: Entry) -> None:
    """Adds the entry durably: after this returns the ingest happened, before it did not."""
    with (facts / "log.jsonl").open("ab+") as log:
        _cut_torn_tail(log)
        log.write(entry.line + b"\n")
        log.flush()
        os.fsync(log.fileno())


def _cut_torn_tail(log: Any) -> None:
    size = log.seek(0, os.SEEK_END)
    if size == 0:
        return
    log.seek(0)
    whole = log.read().rfind(b"\n") + 1
    if whole != size:
        log.truncate(whole)


def head_of(entries: Iterable[Entry]) -> str:
    """The digest of the last entry, by which outsiders can hold us to this past."""
    last = None
    for last in entries:  # noqa: B007 - the last one is what is wanted
        pass
    return last.digest if last else START


def live_segments(entries: Iterable[Entry], dataset: str) -> dict[str, list[Segment]]:
    """Day → the segments that hold its rows, as known after `entries`."""
    segments: dict[str, Segment] = {}
    for entry in entries:
        if entry.dataset == dataset:
            for file in entry.drops:
                del segments[file]
            segments |= {segment.file: segment for segment in entry.adds}
    days: dict[str, list[Segment]] = {}
    for segment in sorted(segments.values(), key=lambda s: (s.day, s.file)):
        days.setdefault(segment.day, []).append(segment)
    return days
