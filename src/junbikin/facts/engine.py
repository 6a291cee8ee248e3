"""The engine: embedded DuckDB, bounded in memory, and Ibis expressions compiled for it.

Expressions are compiled and run as SQL text rather than through Ibis's own DuckDB connection: the text is what
a figure cites as its query, and Ibis 12's connection does not yet speak DuckDB 2.
"""

from __future__ import annotations

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


def files(paths: list[str]) -> str:
    """A list of files as `read_parquet` takes it."""
    return "[" + ", ".join(literal(path) for path in paths) + "]"


def compiled(expression: Any) -> str:
    """The Ibis expression as DuckDB SQL on one line."""
    import ibis

    return " ".join(str(ibis.to_sql(expression, dialect="duckdb")).split())
