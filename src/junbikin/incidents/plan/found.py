"""What every way of finding the affected needs and gives."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from junbikin.books.database import Books
from junbikin.facts.lake import Lake
from junbikin.figures import Data, Name
from junbikin.findings import Finding

QUANTITY = "DECIMAL(38,18)"


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a plan looks: facts, books, the incident; an engine with the database `work`, and a folder to work in."""

    lake: Lake
    books: Books
    incident: str
    engine: duckdb.DuckDBPyConnection
    folder: Path


@dataclass(frozen=True, slots=True)
class Found:
    """SQL that gives `account_id` and `holding`, and what it says of itself; `disputes` are the records that it covers."""

    rows: str
    source: Data
    name: Name
    findings: tuple[Finding, ...] = ()
    disputes: tuple[int, ...] = ()
