"""How fast a balance is found and the books are verified, and in how much memory."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

from benchmarks.ledger import Ledger, opened
from benchmarks.rows import Row
from junbikin.books.batch import Entries
from junbikin.books.journal import balance

BATCHES = 40
VERIFY = """
import sys
from pathlib import Path
from junbikin.books.database import open_books
from junbikin.books.proof.verify import verify
from junbikin.home import open_home
with open_books(open_home(Path(sys.argv[1]))) as books:
    found = verify(books)
    sys.exit(0 if found.difference is None else found.difference.sentence)
"""
LOAD = """
INSERT INTO books.balances (account, lane, recorded_at, effective_at, record, amount, balance)
SELECT %s, 0, at, at - interval '1 hour', 0, 1, n
FROM (SELECT n, clock_timestamp() - (%s - n) * interval '1 second' AS at FROM generate_series(1, %s) n) g
"""


def bench(new: Ledger, entries: int) -> Iterator[Row]:
    """Forty batches in which one account stands in every pair; verified at the half and at the end."""
    start = datetime.now(UTC)
    _fill(new, entries, range(BATCHES // 2))
    half = _verified(new.books.home.path, new.owner.info.backend_pid)
    _fill(new, entries, range(BATCHES // 2, BATCHES))
    whole = _verified(new.books.home.path, new.owner.info.backend_pid)
    count = BATCHES // 2 * entries
    detail = f"{half.seconds:.1f} s; {2 * count:,} at {2 * count / whole.seconds:,.0f} a second"
    yield Row(f"verify {count:,} entries", count / half.seconds / 1000, "k/s", detail, at_least=500)
    detail = f"beside {half.client_gb:.2f} for half the journal"
    yield Row("  peak memory of verify", whole.client_gb, "GB", detail)
    yield Row(
        "  and of the server's processes", whole.server_gb, "GB", f"beside {half.server_gb:.2f}; without shared pages"
    )
    yield Row(
        "  both together, whole beside half", whole.gb / half.gb, "×", "does not grow with the journal", at_most=1.25
    )
    yield _balance(new, new.world, start, datetime.now(UTC), f"balance of an account with {count:,} entries")
    [account], rows = opened(new.books, new.ada, ["own/JPY/of-many-batches"]), 4 * entries
    new.owner.execute(LOAD, (account, rows, rows))
    began = datetime.now(UTC) - timedelta(seconds=rows)
    work = f"balance of an account with {rows:,} batches"
    yield _balance(new, account, began, datetime.now(UTC), work)


def _fill(new: Ledger, entries: int, turns: range) -> None:
    """Posts batches in which every customer in turn trades with the same account."""
    for turn in turns:
        chance = random.Random(turn)  # noqa: S311
        customers = chance.choices(new.customers, k=entries // 2)
        yen = [chance.randint(1, 1000) for _ in customers]
        accounts = "{" + ",".join(f"{new.world},{customer}" for customer in customers) + "}"
        amounts = "{" + ",".join(f"-{each},{each}" for each in yen) + "}"
        new.post_as(f"fill {turn}", '{"purpose":"deposit","reference":"fill"}', Entries(accounts, amounts))


def _balance(new: Ledger, account: int, start: datetime, end: datetime, work: str) -> Row:
    """The slowest of thirty balances each: now, at a random time past, and as known at a random time past.

    Each is asked three times, and the quickest counts: other processes of the machine are not measured.
    """
    chance = random.Random(1)  # noqa: S311
    worst = {}
    for kind in ("now", "at", "known_at"):
        pasts = [start + (end - start) * chance.random() for _ in range(30)]
        asked = [{} if kind == "now" else {kind: past} for past in pasts]
        worst[kind] = max(min(_milliseconds(new, account, each) for _ in range(3)) for each in asked)
    detail = ", ".join(f"{kind} {milliseconds:.2f}" for kind, milliseconds in worst.items())
    return Row(work, max(worst.values()), "ms", f"{detail}; the slowest of 30 each", at_most=5)


def _milliseconds(new: Ledger, account: int, when: dict[str, datetime]) -> float:
    start = time.perf_counter()
    balance(new.books, account, **when)
    return (time.perf_counter() - start) * 1000


@dataclass(frozen=True)
class Verified:
    """One verification: seconds, and peak memory of its process and of the server's for it, without what they share."""

    seconds: float
    client_gb: float
    server_gb: float

    @property
    def gb(self) -> float:
        return self.client_gb + self.server_gb


def _verified(home: Path, backend: int) -> Verified:
    """Verifies in a process of its own, as a user does. Raises when a difference is found."""
    [server, *_] = psutil.Process(backend).parents()
    before = set(server.children())
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", VERIFY, str(home)])
    peaks = (0, 0)
    while process.poll() is None:
        client = psutil.Process(process.pid)
        now = (_memory({client, *client.children(recursive=True)}), _memory(set(server.children()) - before))
        peaks = (max(peaks[0], now[0]), max(peaks[1], now[1]))
        time.sleep(0.1)
    if process.returncode != 0:
        raise SystemExit("the books do not verify")
    return Verified(time.perf_counter() - start, peaks[0] / 1e9, peaks[1] / 1e9)


def _memory(processes: set[psutil.Process]) -> int:
    total = 0
    for process in processes:
        try:
            total += process.memory_full_info().uss
        except psutil.Error:  # it has just ended
            continue
    return total
