"""The day: ingest, first assess, assess after one more day; each beside bare DuckDB in this run.

Every measured thing is a process of its own, so that its time and its peak memory are those a user sees. The
trades are invented: 100,000 a day of one venue, ids and times rising, five-year span for the largest size.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from benchmarks.rows import ROOT, WORK, Row

PER_DAY = 100_000
FIRST = date(2022, 4, 1)

GENERATE = """
import duckdb, sys
first, count, start, target = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
duckdb.execute(f'''COPY (SELECT (100000000 + i)::VARCHAR AS trade_id,
  strftime(make_timestamp({start}::BIGINT * 1000000 + (i - {first}) * 864000), '%Y-%m-%dT%H:%M:%S.%f') || '+09:00' AS executed_at,
  'BTC' AS asset, 'JPY' AS quote, CASE WHEN hash(i) % 2 = 0 THEN 'buy' ELSE 'sell' END AS side,
  (1000000 + hash(i + 7) % 500000)::VARCHAR || '.0' AS price,
  ((1 + hash(i + 9) % 300000000) / 100000000.0)::DECIMAL(18,8)::VARCHAR AS quantity,
  'spot_venue' AS line, 'A' || (hash(i + 3) % 100000) AS account_id
  FROM range({first}, {first} + {count}) r(i)) TO '{target}' (HEADER, DELIMITER ',')''')
"""
BARE_INGEST = "import duckdb, sys; duckdb.execute(f\"COPY (FROM read_csv('{sys.argv[1]}')) TO '{sys.argv[2]}'\")"
BARE_SUM = """
import duckdb, sys
duckdb.execute(f'''SELECT day, line, asset, quote, sum(price::DECIMAL(38,8) * quantity::DECIMAL(38,8))
  FROM read_parquet('{sys.argv[1]}/facts/trades/*/*.parquet', hive_partitioning = true) GROUP BY ALL''').fetchall()
"""


@dataclass(frozen=True)
class Run:
    """One process: wall seconds and peak resident memory in GB."""

    seconds: float
    peak_gb: float


def run(*words: str) -> Run:
    """Runs a command to its end. Raises when it fails."""
    start = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, env={**os.environ, "JUNBIKIN_LANG": "en"})
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"failed: {' '.join(words)}")
    return Run(time.perf_counter() - start, usage.ru_maxrss / 1e6)


def best(count: int, *words: str) -> Run:
    """The quickest of some runs, with the greatest peak."""
    runs = [run(*words) for _ in range(count)]
    return Run(min(r.seconds for r in runs), max(r.peak_gb for r in runs))


def python(code: str, *arguments: str) -> tuple[str, ...]:
    """A command that runs a piece of Python here."""
    return (sys.executable, "-c", code, *arguments)


def junbikin(*arguments: str) -> tuple[str, ...]:
    """A command of ours on the bench's home."""
    return (str(Path(sys.executable).parent / "junbikin"), "--home", str(WORK / "home"), *arguments)


def generate(first: int, count: int, target: Path) -> None:
    """Writes `count` trades from number `first` on, 100,000 a day."""
    day = FIRST + timedelta(days=first // PER_DAY)
    seconds = (day - date(1970, 1, 1)).days * 86_400
    run(*python(GENERATE, str(first), str(count), str(seconds), str(target)))


def bench(quick: bool) -> Iterator[Row]:
    """Measures everything on 100,000,000 trades, ten million at a time; `quick`: 2,000,000, one million at a time."""
    chunk, total = (1_000_000, 2_000_000) if quick else (10_000_000, 100_000_000)
    peaks = []
    csv, home = WORK / "trades.csv", WORK / "home"
    run(str(Path(sys.executable).parent / "junbikin"), "init", str(home))
    generate(0, chunk, csv)
    bare = best(2, *python(BARE_INGEST, str(csv), str(WORK / "bare.parquet")))
    ours = run(*junbikin("ingest", "trades", str(csv)))
    peaks.append(ours.peak_gb)
    yield Row(f"ingest {chunk:,} CSV trades", ours.seconds / bare.seconds, "×", _beside(ours, bare), at_most=3)
    for first in range(chunk, total, chunk):
        generate(first, chunk, csv)
        peaks.append(run(*junbikin("ingest", "trades", str(csv))).peak_gb)
    last = FIRST + timedelta(days=total // PER_DAY - 1)
    assess = ("assess", "--rulebook", "jp-fiea-175", "--as-of")
    bare = best(3, *python(BARE_SUM, str(home)))
    firsts = []
    for _ in range(3):
        shutil.rmtree(home / "cache", ignore_errors=True)
        firsts.append(run(*junbikin(*assess, str(last))))
    first_run = min(firsts, key=lambda r: r.seconds)
    peaks += [r.peak_gb for r in firsts]
    ratio = first_run.seconds / bare.seconds
    yield Row(f"first assess over {total:,} trades", ratio, "×", _beside(first_run, bare), at_most=1.25)
    generate(total, PER_DAY, csv)
    peaks.append(run(*junbikin("ingest", "trades", str(csv))).peak_gb)
    again = run(*junbikin(*assess, str(last + timedelta(days=1))))
    peaks.append(again.peak_gb)
    ratio = again.seconds / first_run.seconds
    yield Row("assess after one more day", ratio, "×", _beside(again, first_run), at_most=0.1)
    yield Row("peak memory, all of the above", max(peaks), "GB", at_most=4)
    help_ = best(5, *junbikin("--help"))
    yield Row("junbikin --help", help_.seconds, "s", at_most=0.3)
    shutil.rmtree(ROOT / "demo-exchange", ignore_errors=True)
    demo = run(str(ROOT / "scripts" / "demo"))
    yield Row("scripts/demo, set-up done", demo.seconds, "s", f"peak {demo.peak_gb:.2f} GB", at_most=20)


def _beside(ours: Run, other: Run) -> str:
    return f"{ours.seconds:.2f} s beside {other.seconds:.2f} s; peak {ours.peak_gb:.2f} GB"
