"""One consistent cut through the books, read over two connections at once; nothing stored in the database is called."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, TypeVar

import psycopg
from psycopg.rows import namedtuple_row

from junbikin.books.database import Books, telling

T = TypeVar("T")
R = TypeVar("R")

CONNECTIONS = 2
PART_BYTES = 4 << 20
"""What one part of the log is about at most, as stored (a single batch may be more)."""

SETTINGS = (
    "SET LOCAL search_path = pg_catalog",  # no function of the books' owner stands in for the server's own
    "SET LOCAL work_mem = '32MB'",
    "SET LOCAL enable_seqscan = off",  # what is asked for is always a part of a table, by its key
    "SET LOCAL jit = off",
    "SET LOCAL max_parallel_workers_per_gather = 0",
    "SET LOCAL statement_timeout = 0",
)


@dataclass(frozen=True, slots=True)
class Part:
    """Records that follow each other on a strand: links `first` to `last`, after link `before` (0: the strand's start)."""

    strand: int
    before: int
    first: int
    last: int
    records: int
    batches: int


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection that sees the cut."""

    driver: psycopg.Connection[Any]

    def rows(self, query: str, **values: Any) -> list[Any]:
        """The rows of a query, with their columns as attributes."""
        with self.driver.cursor(row_factory=namedtuple_row) as cursor:
            return cursor.execute(query, values, prepare=False).fetchall()

    def row(self, query: str, **values: Any) -> Any | None:
        """Its first row, or None."""
        return next(iter(self.rows(query, **values)), None)


@dataclass(frozen=True, slots=True)
class Cut:
    """The books as they were at one instant. `at_once` is for what takes long, `main` for the rest."""

    connections: tuple[Connection, ...]

    @property
    def main(self) -> Connection:
        """The connection to ask single questions on, while `at_once` does not run."""
        return self.connections[0]

    def at_once(self, work: Callable[[Connection, T], R], items: Sequence[T]) -> Iterator[R]:
        """The result of `work` for every item, in their order, worked on all connections."""
        free: SimpleQueue[Connection] = SimpleQueue()
        for connection in self.connections:
            free.put(connection)

        def job(item: T) -> R:
            connection = free.get()
            try:
                return work(connection, item)
            finally:
                free.put(connection)

        with ThreadPoolExecutor(len(self.connections)) as pool:
            yield from pool.map(job, items)

    def parts(self) -> list[Part]:
        """The whole log in parts, strand by strand."""
        return [Part(*row) for row in self.main.rows(_PARTS, bytes=PART_BYTES)]


_PARTS = """
  SELECT strand, coalesce(lag(max(link)) OVER (PARTITION BY strand ORDER BY part), 0), min(link), max(link), count(*) AS records,
    count(*) FILTER (WHERE kind = 'batch') AS batches
  FROM (
    SELECT strand, link, kind, sum(200 + pg_column_size(content) + coalesce(pg_column_size(accounts) + pg_column_size(amounts), 0))
      OVER (PARTITION BY strand ORDER BY link) / %(bytes)s AS part
    FROM books.records) sized
  GROUP BY strand, part ORDER BY strand, part
"""


@contextmanager
def cut(books: Books) -> Iterator[Cut]:
    """The books as they are now, however long it is read. Raises `BooksProblem` when the database fails meanwhile."""
    with telling(books.home), ExitStack() as stack:
        drivers = [stack.enter_context(_reading(books)) for _ in range(CONNECTIONS)]
        [(snapshot,)] = drivers[0].execute("SELECT pg_catalog.pg_export_snapshot()").fetchall()
        for driver in drivers[1:]:
            driver.execute(f"SET TRANSACTION SNAPSHOT '{snapshot}'")
        for driver in drivers:
            for setting in SETTINGS:
                driver.execute(setting)
        yield Cut(tuple(map(Connection, drivers)))


@contextmanager
def _reading(books: Books) -> Iterator[psycopg.Connection[Any]]:
    with books.driver() as driver:
        driver.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            yield driver
        finally:
            if not driver.closed:
                driver.execute("ROLLBACK")
