"""Files as they are handed to a bank or custodian: whole or not there, with the digest of just what was written."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Written:
    """A file that pays: its SHA-256, how many people it pays, and how much (of a file of names, nothing)."""

    path: Path
    sha256: str
    people: int
    total: Decimal


class Growing:
    """A file while it is written."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """The digest of what was written."""
        return self._digest.hexdigest()

    def write(self, content: bytes | memoryview) -> None:
        """Adds to the file."""
        self._digest.update(content)
        left = memoryview(content).cast("B")
        while left:
            left = left[os.write(self._descriptor, left) :]


@contextmanager
def writing(path: Path) -> Iterator[Growing]:
    """A file that has its name once it is whole and on disk; until then it has another, and after a failure none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        yield Growing(descriptor)
        os.fsync(descriptor)
    except BaseException:
        beside.unlink()
        raise
    finally:
        os.close(descriptor)
    beside.replace(path)


def settle(path: Path) -> None:
    """Waits until a file is on disk, or the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def digest_of(path: Path) -> str:
    """SHA-256 of a file that is there."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
