"""The engine: embedded DuckDB, bounded in memory, and Ibis expressions compiled for it.

Expressions are compiled and run as SQL text rather than through Ibis's own DuckDB connection: the text is what
a figure cites as its query, and Ibis 12's connection does not yet speak DuckDB 2.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb


def connect(memory_limit: str, scratch: Path | None = None) -> duckdb.DuckDBPyConnection:
    """A private in-memory database in UTC; beyond `memory_limit` it spills into `scratch`, if given."""
    connection = duckdb.connect()
    connection.execute(f"SET TimeZone = 'UTC'; SET memory_limit = {literal(memory_limit)}")
    if scratch is not None:
        connection.execute(f"SET temp_directory = {literal(str(scratch))}")
    return connection


def literal(text: str) -> str:
    """`text` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """`name` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def file(path: str) -> str:
    """One file as the engine's readers take it: a name and never a pattern, whatever characters it has."""
    return literal(re.sub(r"[*?\[]", r"[\g<0>]", path))


def parquet(paths: list[str], *, named: bool = False) -> str:
    """The table function that reads Parquet files; `named` adds each row's `filename`. Folders' names say nothing."""
    listed = ", ".join(file(path) for path in paths)
    return f"read_parquet([{listed}], hive_partitioning = false{', filename = true' if named else ''})"


DAY_OF_FILE = "regexp_extract(filename, '.*day=([0-9-]+)', 1)"
"""SQL of the day that a file of the lake is stored under: its own folder's, whatever the folders above are called."""


def compiled(expression: Any) -> str:
    """The Ibis expression as DuckDB SQL on one line."""
    import ibis

    return " ".join(str(ibis.to_sql(expression, dialect="duckdb")).split())
