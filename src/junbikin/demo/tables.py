"""Small tables from Python in the engine, and files out of it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb

from junbikin.facts.engine import literal


def make_table(engine: duckdb.DuckDBPyConnection, name: str, columns: dict[str, str], rows: Iterable[Any]) -> None:
    """A table with these columns (name → type) and rows, in their order."""
    listed = [list(values) for values in zip(*rows, strict=True)]
    typed = ", ".join(f"CAST(unnest(?) AS {kind}) AS {column}" for column, kind in columns.items())
    engine.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT {typed}", listed)


def write_file(engine: duckdb.DuckDBPyConnection, query: str, file: Path) -> Path:
    """Writes the query's rows in the form that the file's name ends with; returns the file."""
    engine.execute(f"COPY ({query}) TO {literal(str(file))}")
    return file
