"""The proof of liabilities beside the hash calls that it takes, made by plain loops over `hashlib` on the same cores in this run.

12,000,000 accounts have about 30,000,000 balances of 40 assets with 18 decimals. For n leaves in k trees there are n calls for
the leaves and n − k for the nodes above them; the loops hash as many messages of the same lengths, in one process for each
core, and do nothing with the digests. Nonces are not counted among the calls. `junbikin prove` is a process of its own, from its start to
the signed statement on disk. Its memory is that of all its processes together, looked at ten times a second.

A customer's proof is made from the kept trees in this process, opened anew each time; the times are the median of some dozens. One
account has all 40 assets, the others up to four.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from statistics import median

import psutil

from benchmarks.day import Run, best, junbikin, python, run
from benchmarks.rows import WORK, Row
from junbikin.custody.liabilities.kept import STATEMENT, customers_proof, open_kept
from junbikin.custody.liabilities.proof import fault, read_proof
from junbikin.custody.liabilities.statement import read_statement
from junbikin.home import Home, open_home

LEAF_BYTES, NODE_BYTES = 75, 113
RICH = "A000000001"
"""The account that has every asset."""

GENERATE = f"""
import duckdb, sys
accounts, day, target = int(sys.argv[1]), *sys.argv[2:4]
duckdb.connect(config={{'memory_limit': '4GB'}}).execute(f'''COPY (
  SELECT DATE '{{day}}' AS as_of, 'A' || (100000000 + i)::VARCHAR AS account_id,
    'T' || lpad(((hash(i) % 40 + k * 7) % 40)::VARCHAR, 2, '0') AS asset,
    ((1 + hash(i * 31 + k) % 100000000000000)::DECIMAL(38,18) * 0.0000000001)::DECIMAL(38,18) AS quantity
  FROM range({{accounts}}) r(i), range(4) s(k) WHERE k < 1 + hash(i + 5) % 4
  UNION ALL SELECT DATE '{{day}}', '{RICH}', 'T' || lpad(k::VARCHAR, 2, '0'), 1 FROM range(40) s(k)) TO '{{target}}' (FORMAT parquet)''')
"""


def bench(quick: bool) -> Iterator[Row]:
    """Measures 12,000,000 accounts; `quick`: a hundredth of them."""
    accounts = 120_000 if quick else 12_000_000
    balances, home = WORK / "balances.parquet", _home()
    day = home.today() - timedelta(days=1)
    run(*python(GENERATE, str(accounts), str(day), str(balances)))
    run(*junbikin("ingest", "customer_balances", str(balances)))
    balances.unlink()
    run(*junbikin("books", "key", "--no-passphrase"))
    ours = _watched(*junbikin("prove", "--as-of", str(day), "--untied"))
    [folder] = (home.path / "proofs" / str(day)).iterdir()
    counts = [total.root.count for total in read_statement(folder / STATEMENT).totals]
    leaves, nodes = sum(counts), sum(counts) - len(counts)
    bare = _plain_loops(leaves, nodes)
    detail = f"{ours.seconds:.2f} s beside {bare:.2f} s for {leaves + nodes:,} calls"
    yield Row(f"prove {accounts:,} accounts, {leaves:,} balances", ours.seconds / bare, "×", detail, at_most=2.5)
    yield Row("its peak memory, all processes", ours.peak_gb, "GB", at_most=6)
    yield from _one_customer(home, folder, day.isoformat(), accounts)


def _home() -> Home:
    run(*junbikin("init", str(WORK / "home")))
    return open_home(WORK / "home")


def _watched(*words: str) -> Run:
    """A process and all that it starts: wall seconds, and the most memory that they had together."""
    start, peak = time.perf_counter(), 0
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.1):
            peak = max(peak, _resident(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = process.wait()
    seconds = time.perf_counter() - start
    done.set()
    watcher.join()
    if code:
        raise SystemExit(f"failed: {' '.join(words)}")
    return Run(seconds, peak / 1e9)


def _resident(pid: int) -> int:
    try:
        first = psutil.Process(pid)
        return sum(int(each.memory_info().rss) for each in (first, *first.children(recursive=True)))
    except psutil.NoSuchProcess:
        return 0


def _plain_loops(leaves: int, nodes: int) -> float:
    """Seconds that so many calls take in plain loops, shared among the cores; starting the processes is not counted."""
    cores = os.cpu_count() or 1
    with multiprocessing.get_context("spawn").Pool(cores) as pool:
        pool.map(_hash, [(1000, 1000)] * cores, chunksize=1)
        start = time.perf_counter()
        pool.map(_hash, [(leaves // cores, nodes // cores)] * cores, chunksize=1)
        return time.perf_counter() - start


def _hash(counts: tuple[int, int]) -> None:
    for size, count in zip((LEAF_BYTES, NODE_BYTES), counts, strict=True):
        messages = [os.urandom(size) for _ in range(10_000)]
        for _ in range(count // len(messages)):
            for message in messages:
                sha256(message).digest()


def _one_customer(home: Home, folder: Path, day: str, accounts: int) -> Iterator[Row]:
    others = [f"A{100_000_000 + i}" for i in range(2, accounts, accounts // 50)]
    made = _median(lambda account: customers_proof(home, open_kept(folder), account), [RICH] * 30)
    yield Row("one customer's proof, of 40 assets", made * 1000, "ms", at_most=50)
    made = _median(lambda account: customers_proof(home, open_kept(folder), account), others)
    yield Row("one customer's proof, of up to 4 assets", made * 1000, "ms", at_most=50)
    file = WORK / "proof.json"
    for account, assets, bound in ((others[0], "up to 4", 5), (RICH, "40", None)):
        file.write_text(customers_proof(home, open_kept(folder), account).text, encoding="utf-8")
        seconds = _median(lambda _: fault(read_proof(file)), [account] * 30)
        yield Row(f"verifying it, of {assets} assets", seconds * 1000, "ms", at_most=bound)
    out = ("--as-of", day, "--out", str(WORK / "other.json"))
    whole = run(*junbikin("prove", "customer", RICH, *out))
    yield Row("prove customer, whole command", whole.seconds, "s", at_most=0.5)
    yield Row("verify-proof, whole command", best(3, *junbikin("verify-proof", str(file))).seconds, "s", at_most=0.5)


def _median(work: Callable[[str], object], items: list[str]) -> float:
    seconds = []
    for item in items:
        start = time.perf_counter()
        work(item)
        seconds.append(time.perf_counter() - start)
    return median(seconds)
