"""Backup and restore: one file with everything that the books hold at one instant, for any server and any later junbikin."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import text

from junbikin.books import server
from junbikin.books.database import OWN, Books, open_books, owned, revision_of, telling
from junbikin.books.migrate import make_rules, make_tables, revisions
from junbikin.books.problems import place
from junbikin.books.saved import (
    CHUNK_BYTES,
    FORMAT,
    MANIFEST,
    TABLES,
    Manifest,
    Part,
    Saved,
    copying,
    damage,
    heads,
    saved,
)
from junbikin.books.schema import SCHEMA
from junbikin.errors import BooksProblem
from junbikin.home import Home

Progress = Callable[[str, float], None]
"""Told what is being done, and which share of it is done (0 to 1)."""


def backup(books: Books, path: Path, progress: Progress = lambda what, share: None) -> Manifest:
    """Writes a backup of the books to a new file, whole or not at all, and returns what it holds.

    The books can be used meanwhile; memory does not grow with them. Raises `BooksProblem` when the file is there
    already or cannot be written.
    """
    with _new_file(path) as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as parts:
        with telling(books.home), books.driver() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            connection.execute("SET LOCAL datestyle = 'ISO'")
            connection.execute("SET LOCAL bytea_output = 'hex'")
            [(revision,)] = connection.execute(f"SELECT version_num FROM {SCHEMA}.alembic_version").fetchall()
            made_at = datetime.now(UTC).isoformat(timespec="seconds")
            sizes = {table: _size(connection, table) for table in TABLES}
            done = 0
            written = []
            for table in TABLES:
                for part in _write(connection, parts, table):
                    share = min((done + part.size_bytes) / (sum(sizes.values()) or 1), 1.0)
                    progress(f"saving {table}", share)
                written.append(part)
                done += sizes[table]
            manifest = Manifest(FORMAT, revision, books.home.operator, made_at, tuple(written), heads(connection))
        parts.writestr(MANIFEST, json.dumps(asdict(manifest), ensure_ascii=False, indent=1))
    return manifest


def _size(connection: psycopg.Connection[Any], table: str) -> int:
    [(size,)] = connection.execute("SELECT pg_table_size(%s::regclass)", [f"{SCHEMA}.{table}"]).fetchall()
    return int(size)


def _write(connection: psycopg.Connection[Any], parts: zipfile.ZipFile, table: str) -> Iterator[Part]:
    """The part as far as it is written, again and again; the last is the whole."""
    query = "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
    columns = tuple(name for (name,) in connection.execute(query, [f"{SCHEMA}.{table}"]))
    digest, size_bytes = hashlib.sha256(), 0
    with parts.open(f"{table}.copy", "w", force_zip64=True) as part, connection.cursor() as cursor:
        with cursor.copy(copying(table, columns, "TO STDOUT")) as rows:
            for chunk in _chunks(rows):
                part.write(chunk)
                digest.update(chunk)
                size_bytes += len(chunk)
                yield Part(table, columns, 0, size_bytes, "")
        yield Part(table, columns, cursor.rowcount, size_bytes, digest.hexdigest())


def _chunks(rows: psycopg.Copy) -> Iterator[bytes]:
    """Rows joined to pieces that are worth a call each."""
    chunk = bytearray()
    for row in rows:
        chunk += row
        if len(chunk) >= CHUNK_BYTES:
            yield bytes(chunk)
            chunk.clear()
    yield bytes(chunk)


@contextmanager
def _new_file(path: Path) -> Iterator[Any]:
    """A file that only its owner may read, that gets its name when it is whole and on disk, and replaces no other."""
    if path.exists():
        raise _taken(path)
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f"{path.name}.", suffix=".part") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
            os.link(stream.name, path)
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
    except FileExistsError:
        raise _taken(path) from None
    except OSError as problem:
        raise BooksProblem(
            f"the backup cannot be written: {problem.strerror}",
            where=str(path),
            then="name a file in a folder that has room",
        ) from problem


def _taken(path: Path) -> BooksProblem:
    return BooksProblem("there is a file of this name already", where=str(path), then="name another file")


def restore(home: Home, path: Path, owner: str = "", progress: Progress = lambda what, share: None) -> Manifest:
    """Makes a home's books from a backup, whole or not at all, brings them to this version, and returns what it held.

    `owner` is as for `make_books`. Raises `BooksProblem` when there are books already or the file is no backup of
    this version or an older one, and `BooksDamaged` when it is not what was written.
    """
    with saved(path) as source:
        manifest = source.manifest
        if manifest.revision not in revisions():
            raise BooksProblem(
                f"the backup is of a newer version ({manifest.revision}) than this junbikin knows ({revisions()[-1]})",
                where=str(path), then="restore it with the junbikin that made it, or a newer one",
            )  # fmt: skip
        made = home.database == OWN and not home.books.exists()
        try:
            _restore(home, source, owner, progress)
        except BaseException:
            if made:
                server.discard(home.books)
            raise
    with open_books(home):  # the application can use them
        return manifest


def _restore(home: Home, source: Saved, owner: str, progress: Progress) -> None:
    with owned(home, owner) as (engine, app):
        if revision_of(engine) is not None:
            raise BooksProblem(
                "there are books here already",
                where=place(home),
                then="restore into a home or a database without books",
            )
        with damage(source.path), engine.begin() as connection:
            make_tables(connection, source.manifest.revision)
            connection.execute(text(f"DELETE FROM {SCHEMA}.strands"))
            driver: Any = connection.connection.driver_connection
            try:
                _fill(driver, source, progress)
            except (psycopg.errors.DataError, psycopg.errors.IntegrityError) as problem:
                raise ValueError(problem.diag.message_primary) from problem
            make_tables(connection)
            make_rules(connection, app)


def _fill(driver: psycopg.Connection[Any], source: Saved, progress: Progress) -> None:
    """Puts every part into its table, lets numbers go on where they were, and checks the strands against the manifest."""
    manifest = source.manifest
    total = sum(part.size_bytes for part in manifest.parts) or 1
    done = 0
    for part in manifest.parts:
        with driver.cursor() as cursor:
            with cursor.copy(copying(part.table, part.columns, "FROM STDIN")) as rows:
                for chunk in source.read(part):
                    rows.write(chunk)
                    done += len(chunk)
                    progress(f"restoring {part.table}", min(done / total, 1.0))
            _must(cursor.rowcount == part.rows, f"{part.table} has {cursor.rowcount} rows, not {part.rows}")
    for sequence, table in (("record_numbers", "records"), ("account_numbers", "accounts")):
        driver.execute(
            f"SELECT setval('{SCHEMA}.{sequence}', coalesce(max(id), 1), max(id) IS NOT NULL) FROM {SCHEMA}.{table}"
        )
    _must(heads(driver) == manifest.heads, "the strands do not end where its manifest says")
    query = f"""
        SELECT s.strand FROM {SCHEMA}.strands s LEFT JOIN {SCHEMA}.records r ON r.strand = s.strand AND r.link = s.length
        WHERE s.length > 0 AND r.digest IS DISTINCT FROM s.head ORDER BY s.strand LIMIT 1"""
    for (strand,) in driver.execute(query).fetchall():
        raise ValueError(f"the last record of strand {strand} is not its head")


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)
