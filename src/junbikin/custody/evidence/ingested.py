"""Files of statements as a bank, trust or custodian sent them: kept as they were ingested, each named by its digest."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from junbikin.errors import BadInput
from junbikin.facts.log import Entry
from junbikin.home import Home

FOLDER = "ingested"
_CHUNK = 1 << 20


def folder_of(home: Home) -> Path:
    """Where a home keeps them."""
    return home.path / "evidence" / FOLDER


def kept_of(home: Home, sha256: str) -> Path | None:
    """The file of a digest, or None when it was not kept."""
    return next(iter(sorted(folder_of(home).glob(f"{sha256}*"))), None)


def keep_ingested(home: Home, entry: Entry, paths: Sequence[Path]) -> None:
    """Keeps the files that an ingest read, in the order of its sources.

    Raises `BadInput` when one cannot be kept or is another than was read: its rows are facts by then.
    """
    for source, path in zip(entry.sources, paths, strict=True):
        if kept_of(home, source.sha256) is None:
            _keep(path, folder_of(home) / f"{source.sha256}{path.suffix}", source.sha256)


def _keep(path: Path, target: Path, sha256: str) -> None:
    half = target.parent / f".{sha256}.half"
    again = "ingest the file again: rows that are known are taken once"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        with path.open("rb") as source, half.open("wb") as copy:
            while some := source.read(_CHUNK):
                digest.update(some)
                copy.write(some)
            copy.flush()
            os.fsync(copy.fileno())
        if digest.hexdigest() != sha256:
            raise BadInput(
                "the file was changed while it was ingested, and is not kept as evidence", where=str(path), then=again
            )
        half.replace(target)
    except OSError as problem:
        raise BadInput(
            f"its rows are in the facts, and the file could not be kept as evidence: {problem.strerror}",
            where=str(problem.filename or target), then=f"make room there, and {again}",
        ) from None  # fmt: skip
    finally:
        half.unlink(missing_ok=True)
