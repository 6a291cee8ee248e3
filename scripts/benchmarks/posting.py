"""How fast batches are posted: large ones beside COPY, single ones beside a bare transaction."""

from __future__ import annotations

import multiprocessing
import random
import statistics
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.ledger import TRADE, Ledger, opened, trades
from benchmarks.rows import Row
from junbikin.books.batch import Batch, Entries
from junbikin.books.database import open_books
from junbikin.books.journal import Actor, post
from junbikin.home import open_home

CLIENTS = 8
BATCHES = 8
BARE = """
DROP SCHEMA IF EXISTS bare CASCADE;
CREATE SCHEMA bare;
CREATE TABLE bare.entries (record bigint NOT NULL, line int NOT NULL, account bigint NOT NULL, amount numeric NOT NULL);
CREATE TABLE bare.balances (account bigint PRIMARY KEY, balance numeric NOT NULL);
INSERT INTO bare.balances SELECT id, 1000000000 FROM books.accounts;
"""


def large(new: Ledger, entries: int) -> Iterator[Row]:
    """Eight batches of that many entries by two connections, beside one COPY; then other shapes for information."""
    new.owner.execute(BARE)
    batches = [trades(new.customers, entries, seed) for seed in range(BATCHES)]
    bare = min(_copy(new, batches) for _ in range(3))
    ours = min(_post(new, batches, connections=2) for _ in range(2))
    yield Row(
        f"post {BATCHES * entries:,} entries, two connections", 100 * bare / ours, "%",
        f"of COPY: {ours:.3f} µs an entry beside {bare:.3f}", at_least=35,
    )  # fmt: skip
    alone = _post(new, batches[: BATCHES // 2], connections=1)
    yield Row("  the same, one connection", 100 * bare / alone, "%", f"of COPY: {alone:.3f} µs an entry")
    wide = opened(new.books, new.ada, [f"own/JPY/wide-{number}" for number in range(entries * 2 // 5)])
    half = len(wide) // 2
    swaps = "{" + ",".join(["-1"] * half + ["1"] * half) + "}"
    orders = [random.Random(seed).sample(wide, len(wide)) for seed in range(BATCHES)]  # noqa: S311
    distinct = [Entries("{" + ",".join(map(str, order)) + "}", swaps) for order in orders]
    spread = _post(new, distinct, connections=2)
    yield Row(
        f"  {len(wide):,} accounts, once each in a batch",
        100 * bare / spread,
        "%",
        f"of COPY: {spread:.3f} µs an entry",
    )


def _copy(new: Ledger, batches: Sequence[Entries]) -> float:
    """Microseconds an entry for one COPY of everything into an empty table."""
    texts = [
        "".join(f"{record}\t{line}\t{account}\t{amount}\n" for line, (account, amount) in enumerate(pairs))
        for record, pairs in enumerate(_pairs(batches))
    ]
    new.owner.execute("TRUNCATE bare.entries")
    start = time.perf_counter()
    with new.owner.cursor() as cursor, cursor.copy("COPY bare.entries FROM STDIN") as copy:
        for text in texts:
            copy.write(text)
    return (time.perf_counter() - start) * 1e6 / sum(text.count("\n") for text in texts)


def _pairs(batches: Sequence[Entries]) -> Iterator[Iterator[tuple[str, str]]]:
    for each in batches:
        yield zip(each.numbers[1:-1].split(","), each.amounts[1:-1].split(","), strict=True)


def _post(new: Ledger, batches: Sequence[Entries], connections: int) -> float:
    """Microseconds an entry for posting batches by some connections."""
    count = sum(each.numbers.count(",") + 1 for each in batches)
    with ThreadPoolExecutor(connections) as pool:
        start = time.perf_counter()
        for _ in pool.map(lambda each: new.post(str(uuid.uuid4()), each), batches):
            pass
        return (time.perf_counter() - start) * 1e6 / count


def single(new: Ledger, each: int) -> Iterator[Row]:
    """Two-entry batches by eight processes, beside bare transactions: five turns of both, the median counts."""
    new.owner.execute(BARE)
    new.owner.execute("VACUUM (ANALYZE) bare.balances")
    turns = [(_rate(_bare, new, each), _rate(_ours, new, each)) for _ in range(5)]
    bare, ours = statistics.median(turn[0] for turn in turns), statistics.median(turn[1] for turn in turns)
    ratio = statistics.median(ours / bare for bare, ours in turns)
    yield Row(
        f"two-entry batches, {CLIENTS} clients", 100 * ratio, "%",
        f"of a bare transaction: {ours:,.0f} a second beside {bare:,.0f}", at_least=60,
    )  # fmt: skip


Work = Callable[[str, Path, Actor, Sequence[int], int, Barrier], None]


def _rate(work: Work, new: Ledger, each: int) -> float:
    """Transactions a second of eight processes that each do `each`, from when all are ready to when all are done."""
    spawn = multiprocessing.get_context("spawn")
    gate: Any = spawn.Barrier(CLIENTS + 1)
    words = (new.owner.info.dsn, new.books.home.path, new.ada, new.customers, each, gate)
    processes = [spawn.Process(target=work, args=words) for _ in range(CLIENTS)]
    for process in processes:
        process.start()
    gate.wait(60)
    start = time.perf_counter()
    gate.wait(600)
    seconds = time.perf_counter() - start
    for process in processes:
        process.join()
    return CLIENTS * each / seconds


def _bare(address: str, home: Path, who: Actor, customers: Sequence[int], each: int, gate: Barrier) -> None:
    chance = random.Random()  # noqa: S311
    with psycopg.connect(address, autocommit=True) as connection:
        gate.wait()
        for number in range(each):
            low, high = sorted(chance.sample(customers, 2))
            with connection.transaction():
                connection.execute(
                    "INSERT INTO bare.entries VALUES (%s, 1, %s, %s), (%s, 2, %s, %s)",
                    (number, low, -5, number, high, 5),
                )
                connection.execute("UPDATE bare.balances SET balance = balance + %s WHERE account = %s", (-5, low))
                connection.execute("UPDATE bare.balances SET balance = balance + %s WHERE account = %s", (5, high))
        gate.wait()


def _ours(address: str, home: Path, who: Actor, customers: Sequence[int], each: int, gate: Barrier) -> None:
    chance = random.Random()  # noqa: S311
    with open_books(open_home(home)) as books:
        gate.wait()
        for _ in range(each):
            payer, receiver = chance.sample(customers, 2)
            accounts = f"{{{payer},{receiver}}}"
            post(books, who, Batch(str(uuid.uuid4()), TRADE, Entries(accounts, "{-5,5}"), "fill"))
        gate.wait()
