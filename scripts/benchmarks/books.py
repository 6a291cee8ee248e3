"""The books: what is posted, read, verified and survived, each beside bare PostgreSQL on the same server in this run.

Large batches: 2,000,000 entries as 8 batches of 250,000, of random amounts from random customers to random customers
(20,000 accounts), for the purpose `trade` with its reference, posted by two connections at once; every rule checked,
every batch chained, synchronous_commit on. The bare side is one COPY of the same rows into a table of record, line,
account and amount, without index or key, on one connection: COPY has no more of them for one table's load.

Single batches: 8 processes post two entries each between random customers with `journal.post`; the bare side
are 8 processes with psycopg: BEGIN, INSERT of two rows, UPDATE of two balances in account order, COMMIT.

The account with 5,000,000 entries stands in every pair of large batches, so it has one running balance for each
batch. A second account has 1,000,000 running balances, as if from as many batches; they are loaded by the owner,
after everything was verified, because posting them one by one would take some minutes.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import crashing, posting, reading
from benchmarks.ledger import ledger
from benchmarks.rows import WORK, Row


def bench(quick: bool) -> Iterator[Row]:
    """Measures everything on books in a home of their own; `quick`: a hundredth of the size."""
    size = 100 if quick else 1
    with ledger(WORK / "posting", 20_000 // size) as new:
        yield from posting.large(new, 250_000 // size)
        yield from posting.single(new, 1_000 // size)
    with ledger(WORK / "reading", 20_000 // size) as new:
        yield from reading.bench(new, 250_000 // size)
    yield from crashing.bench(WORK, kills=3 if quick else 100)
