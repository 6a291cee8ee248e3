"""What a backup is: a zip of `COPY` texts, one part for each table, and a manifest with their digests and the strands' heads."""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from junbikin.books.schema import SCHEMA
from junbikin.errors import BooksDamaged, BooksProblem

FORMAT = "junbikin-backup-1"
TABLES = ("records", "accounts", "balances", "strands")
"""What a backup holds. Rules, functions and rights are those of the junbikin that restores it."""

CHUNK_BYTES = 1 << 20
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Part:
    """One table in a backup."""

    table: str
    columns: tuple[str, ...]
    rows: int
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup is: whose books, of which revision, made when, its parts, and strand → (length, head)."""

    format: str
    revision: str
    operator: str
    made_at: str
    parts: tuple[Part, ...]
    heads: dict[str, tuple[int, str]]


class Saved:
    """A backup that is read: its manifest, and its parts by and by."""

    def __init__(self, path: Path, parts: zipfile.ZipFile) -> None:
        self.path = path
        self._parts = parts
        with damage(path):
            self.manifest = _manifest(json.loads(parts.read(MANIFEST)))

    def read(self, part: Part) -> Iterator[bytes]:
        """A part in pieces. Raises `BooksDamaged` at its end when it is not what the manifest says."""
        digest = hashlib.sha256()
        with damage(self.path), self._parts.open(f"{part.table}.copy") as stream:
            while chunk := stream.read(CHUNK_BYTES):
                digest.update(chunk)
                yield chunk
            if digest.hexdigest() != part.sha256:
                raise ValueError(f"{part.table} has another digest than its manifest says")


@contextmanager
def saved(path: Path) -> Iterator[Saved]:
    """A backup, opened. Raises `BooksDamaged` when the file is cut short or altered, `BooksProblem` when it is none."""
    try:
        with path.open("rb") as stream:
            beginning = stream.read(4)
            if beginning != b"PK\x03\x04":
                raise BooksProblem(
                    "this file is no backup of books",
                    where=str(path),
                    then="name a file that `junbikin books backup` made",
                )
            with damage(path):
                parts = zipfile.ZipFile(stream)
            with parts:
                yield Saved(path, parts)
    except OSError as problem:
        raise BooksProblem(
            f"the backup cannot be read: {problem.strerror}", where=str(path), then="name a file that can be read"
        ) from problem


@contextmanager
def damage(path: Path) -> Iterator[None]:
    """Says of a backup that it is damaged when what it holds is not what it must be."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, TypeError) as problem:
        raise BooksDamaged(
            f"the backup is cut short, altered or no backup of books: {problem}", where=str(path),
            then="use another copy of it; nothing was restored",
        ) from problem  # fmt: skip


def _manifest(says: dict[str, Any]) -> Manifest:
    if says["format"] != FORMAT:
        raise ValueError(f"its format is {says['format']!r}, not {FORMAT!r}")
    parts = tuple(Part(**{**part, "columns": tuple(part["columns"])}) for part in says["parts"])
    if tuple(part.table for part in parts) != TABLES:
        raise ValueError(f"its parts are not {', '.join(TABLES)}")
    ends = {strand: (int(length), str(head)) for strand, (length, head) in says["heads"].items()}
    return Manifest(FORMAT, str(says["revision"]), str(says["operator"]), str(says["made_at"]), parts, ends)


def heads(connection: psycopg.Connection[Any]) -> dict[str, tuple[int, str]]:
    """Strand → how many records it has, and the digest of the last."""
    query = f"SELECT strand::text, length, encode(head, 'hex') FROM {SCHEMA}.strands ORDER BY strand"
    return {strand: (length, head) for strand, length, head in connection.execute(query)}


def copying(table: str, columns: tuple[str, ...], how: str) -> sql.Composed:
    """The COPY of a table's columns, to or from us."""
    return sql.SQL("COPY {} ({}) {}").format(
        sql.Identifier(SCHEMA, table), sql.SQL(", ").join(map(sql.Identifier, columns)), sql.SQL(how)
    )
