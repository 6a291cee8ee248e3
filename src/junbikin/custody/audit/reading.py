"""Files of a pack as the engine reads them: rows of text, nothing guessed, and no part of a home needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from junbikin.custody.audit.records import COLUMNS
from junbikin.facts.engine import connect, file

MEMORY_LIMIT = "2GB"
"""Of the engine, where no home says it; it spills to disk beyond."""

_LINE = 2_000_000
"""Bytes that a line may have without being asked for: what the engine takes by itself."""


@contextmanager
def engine(memory_limit: str = MEMORY_LIMIT) -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine that spills to a folder of its own."""
    with TemporaryDirectory(prefix="junbikin-") as scratch:
        connection = connect(memory_limit, Path(scratch))
        try:
            yield connection
        finally:
            connection.close()


def rows(path: Path, columns: Iterable[str]) -> str:
    """SQL of a CSV file with a header, every column as text; an empty field is an empty text."""
    with path.open("rb") as stream:
        longest = max(map(len, stream), default=0)
    kinds = ", ".join(f"'{name}': 'VARCHAR'" for name in columns)
    return (
        f"(SELECT * REPLACE ({', '.join(_filled(name) for name in columns)}) FROM read_csv({file(str(path))}, auto_detect = false, "
        f"header = true, columns = {{{kinds}}}, delim = ',', quote = '\"', escape = '\"', max_line_size = {max(longest + 1, _LINE)}))"
    )


def _filled(name: str) -> str:
    return f'coalesce("{name}", \'\') AS "{name}"'


def records(path: Path) -> str:
    """SQL of a file of records."""
    return rows(path, COLUMNS)
