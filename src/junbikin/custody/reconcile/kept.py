"""What is kept between runs, in one file of the engine under the home's cache: what the books owe, and the last comparison.

It may be deleted at any time. One run at a time uses it, and what a run changes is kept whole or not at all.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from filelock import FileLock, Timeout

from junbikin.errors import HomeProblem
from junbikin.facts.engine import connect, literal
from junbikin.facts.lake import Lake

VERSION = f"2 duckdb {duckdb.__version__}"
"""Changes when the tables below do; the engine's hashes may change with its version."""

QUANTITY = "DECIMAL(38,18)"

TABLES = f"""
CREATE TABLE IF NOT EXISTS kept.said (name VARCHAR PRIMARY KEY, content VARCHAR);
CREATE TABLE IF NOT EXISTS kept.base (holder VARCHAR, asset VARCHAR, quantity {QUANTITY}, h UINTEGER);
CREATE TABLE IF NOT EXISTS kept.overlay (base_row BIGINT, holder VARCHAR, asset VARCHAR, quantity {QUANTITY});
CREATE TABLE IF NOT EXISTS kept.places (place VARCHAR, asset VARCHAR, named BOOLEAN, quantity {QUANTITY});
CREATE TABLE IF NOT EXISTS kept.platform_totals (asset VARCHAR, accounts HUGEINT, quantity {QUANTITY});
CREATE TABLE IF NOT EXISTS kept.booked_totals (asset VARCHAR, holders HUGEINT, quantity {QUANTITY});
CREATE TABLE IF NOT EXISTS kept.differing (account VARCHAR, asset VARCHAR, platform {QUANTITY}, booked {QUANTITY});
"""


def short_hash(account: str, asset: str) -> str:
    """SQL of the number by which balances are sought, from two expressions: half a hash, since all of them are scanned for a few.

    Others may have the same: what is found is compared by name.
    """
    return f"(hash({account}, {asset}) >> 32)::UINTEGER"


_WAIT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Work:
    """The engine with what is kept attached as `kept`, and a folder for what a run needs on disk while it lasts."""

    engine: duckdb.DuckDBPyConnection
    folder: Path


@contextmanager
def kept(lake: Lake) -> Iterator[Work]:
    """What a run works with; a lake that believes nothing gets nothing that was kept, and keeps nothing."""
    home, cache = lake.home, lake.home.path / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="reconcile-", dir=cache)))
        if lake.cache is not None:
            try:
                stack.enter_context(FileLock(cache / "reconcile.lock", timeout=_WAIT_SECONDS))
            except Timeout:
                raise HomeProblem(
                    "another reconciliation is running in this home", where=str(home.path), then="run this one when it has ended"
                ) from None  # fmt: skip
        engine = connect(home.memory_limit, folder / "spill")
        stack.callback(engine.close)
        engine.execute("SET preserve_insertion_order = false")
        _attach(engine, (lake.cache or folder) / "reconcile.duckdb")
        yield Work(engine, folder)


def _attach(engine: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Attaches the file, or a new one when it is not readable or of another version."""
    for _ in range(2):
        try:
            engine.execute(f"ATTACH {literal(str(file))} AS kept")
            engine.execute(TABLES)
            if said(engine, "version") in (None, VERSION):
                say(engine, "version", VERSION)
                return
            engine.execute("DETACH kept")
        except duckdb.Error:
            engine.execute("DETACH DATABASE IF EXISTS kept")
        for part in (file, file.with_name(file.name + ".wal")):
            part.unlink(missing_ok=True)
    raise HomeProblem(
        "what is kept between runs cannot be written", where=str(file), then="see that the folder can be written to"
    )


def said(engine: duckdb.DuckDBPyConnection, name: str) -> Any | None:
    """What was last said under a name, or None."""
    rows = engine.execute("SELECT content FROM kept.said WHERE name = $1", [name]).fetchall()
    return json.loads(rows[0][0]) if rows else None


def say(engine: duckdb.DuckDBPyConnection, name: str, content: Any) -> None:
    """Keeps something small under a name."""
    engine.execute("INSERT OR REPLACE INTO kept.said VALUES ($1, $2)", [name, json.dumps(content)])


@contextmanager
def whole(engine: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """What is changed inside is kept together, or not at all."""
    engine.execute("BEGIN")
    try:
        yield
    except BaseException:
        engine.execute("ROLLBACK")
        raise
    engine.execute("COMMIT")
