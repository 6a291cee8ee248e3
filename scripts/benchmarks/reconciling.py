"""Reconciliation: customers' balances against the books, in full and after some accounts moved, beside a bare join and sum.

12,000,000 accounts have about 30,000,000 balances of 40 assets with 18 decimals; 24 of them differ. The platform's side is ingested
like any other day. The books' side is handed to what is kept of the books, as if it had been extracted: that many accounts are not
opened in PostgreSQL here; how fast they are extracted is measured apart, on fewer. The 1,000 accounts that move are real accounts in the
books, moved by one batch, and on the platform by one file. The bare side is DuckDB in a process of its own, with its own defaults:
a full join of the same two tables by account and asset, sums of both sides by asset, and the number of differences.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb

from benchmarks.day import best, junbikin, python, run
from benchmarks.ledger import PASSWORD, ledger, opened
from benchmarks.rows import WORK, Row
from junbikin.books import server
from junbikin.books.batch import Batch, Entries, saying
from junbikin.books.database import Books, make_books, open_books
from junbikin.books.journal import Actor, post
from junbikin.custody.reconcile.booked import remember, take
from junbikin.custody.reconcile.kept import kept, whole
from junbikin.custody.reconcile.moment import moment_of
from junbikin.custody.reconcile.run import WINDOW, reconciled
from junbikin.facts.engine import literal
from junbikin.facts.lake import open_lake
from junbikin.home import Home, open_home
from junbikin.registry import people

MOVED, ASSETS = 1_000, 40

GENERATE = """
import duckdb, sys
accounts, day, told, booked = int(sys.argv[1]), *sys.argv[2:5]
engine = duckdb.connect(config={'memory_limit': '4GB'})
engine.execute(f'''COPY (SELECT DATE '{day}' AS as_of, 'A' || (100000000 + i)::VARCHAR AS account_id,
  'T' || lpad(((hash(i) % 40 + k * 7) % 40)::VARCHAR, 2, '0') AS asset,
  ((1 + hash(i * 31 + k) % 100000000000000)::DECIMAL(38,18) * 0.0000000001)::DECIMAL(38,18) AS quantity
  FROM range({accounts}) r(i), range(4) s(k) WHERE k < 1 + hash(i + 5) % 4) TO '{told}' (FORMAT parquet)''')
engine.execute(f'''COPY (SELECT account_id AS holder, asset, 'pool' AS place,
  CASE WHEN row_number() OVER () % 1250000 = 7 THEN quantity + 1 ELSE quantity END AS quantity
  FROM '{told}' ORDER BY hash(account_id, asset)) TO '{booked}' (FORMAT parquet)''')
"""
BARE = """
import duckdb, sys
duckdb.execute(f'''SELECT asset, sum(t.quantity), sum(b.quantity), count(*) FILTER (t.quantity IS DISTINCT FROM b.quantity)
  FROM (SELECT account_id AS account, asset, quantity FROM read_parquet('{sys.argv[1]}/facts/customer_balances/*/*.parquet')) t
  FULL JOIN (SELECT holder AS account, asset, quantity FROM '{sys.argv[2]}') b USING (account, asset) GROUP BY asset''').fetchall()
"""


def bench(quick: bool) -> Iterator[Row]:
    """Measures 12,000,000 accounts; `quick`: a hundredth of them."""
    accounts = 120_000 if quick else 12_000_000
    told, booked = WORK / "told.parquet", WORK / "booked.parquet"
    run(*junbikin("init", str(WORK / "home")))
    home = open_home(WORK / "home")
    day = home.today() - timedelta(days=1)
    run(*python(GENERATE, str(accounts), str(day - timedelta(days=1)), str(told), str(booked)))
    ingested = run(*junbikin("ingest", "customer_balances", str(told)))
    yield Row(f"ingest of {accounts:,} accounts' balances", ingested.seconds, "s", f"peak {ingested.peak_gb:.2f} GB")
    told.unlink()
    with _books(home) as (books, ada):
        keys = _moving(booked)
        numbers = opened(books, ada, [*(f"outside/{asset}/world" for asset in _assets()), *(f"customer/{a}/pool/{h}" for h, a, _ in keys)])  # fmt: skip
        start = time.perf_counter()
        _hand_over(home, books, booked, day)
        yield Row("taking the books' side, once", time.perf_counter() - start, "s")
        yield from _measured(home, books, ada, booked, keys, numbers, day)
    yield from _extracting(2_000 if quick else 200_000)


def _measured(
    home: Home, books: Books, ada: Actor, booked: Path, keys: list[tuple[str, str, str]], numbers: list[int], day: date
) -> Iterator[Row]:
    bare = best(2, *python(BARE, str(home.path), str(booked)))
    words = junbikin("custody", "reconcile", "--as-of", str(day))
    runs = []
    for _ in range(2):
        _forget_last(home)
        runs.append(run(*words))
    full = min(runs, key=lambda each: each.seconds)
    beside = (
        f"{full.seconds:.2f} s beside {bare.seconds:.2f} s; peak {full.peak_gb:.2f} GB beside {bare.peak_gb:.2f} GB"
    )
    yield Row("reconcile in full", full.seconds / bare.seconds, "×", beside, at_most=2)
    watched, commanded = [], []
    for turn in range(4):
        _move(home, books, ada, keys, numbers, day, turn)
        if turn % 2:
            commanded.append(run(*words))
            continue
        start = time.perf_counter()
        outcome = reconciled(open_lake(home), moment_of(home, day, books), books, WINDOW)
        watched.append(time.perf_counter() - start)
        if outcome.in_full:
            raise SystemExit("it was reconciled in full, not again")
    again = min(watched)
    yield Row(f"again after {MOVED:,} moved on both sides", again / full.seconds, "×", f"{again:.2f} s in a process that watches", at_most=0.05)  # fmt: skip
    command = min(each.seconds for each in commanded)
    yield Row("  the same as a command of its own", command / full.seconds, "×", f"{command:.2f} s")
    yield Row("peak memory", max(each.peak_gb for each in (*runs, *commanded)), "GB", at_most=6)


@contextmanager
def _books(home: Home) -> Iterator[tuple[Books, Actor]]:
    make_books(home)
    with open_books(home) as books:
        for name, role in (("ada", "reserve_officer"), ("ben", "approver")):
            people.found(books, name, [role], PASSWORD, "founding")
        yield books, people.actor(books, "ada", PASSWORD)
    server.let_go(home.books)


def _assets() -> list[str]:
    return [f"T{number:02}" for number in range(ASSETS)]


def _moving(booked: Path) -> list[tuple[str, str, str]]:
    """Accounts of every asset that will move: holder, asset, quantity."""
    rows = duckdb.execute(
        f"SELECT holder, asset, quantity::VARCHAR FROM {literal(str(booked))} "
        f"QUALIFY row_number() OVER (PARTITION BY asset ORDER BY hash(holder)) <= {MOVED // ASSETS} ORDER BY ALL"
    ).fetchall()
    return [(holder, asset, quantity) for holder, asset, quantity in rows]


def _hand_over(home: Home, books: Books, booked: Path, day: date) -> None:
    with kept(open_lake(home)) as work, whole(work.engine):
        take(work.engine, f"SELECT holder, asset, place, quantity FROM {literal(str(booked))}")
        remember(work.engine, moment_of(home, day, books))


def _forget_last(home: Home) -> None:
    with kept(open_lake(home)) as work:
        work.engine.execute("DELETE FROM kept.said WHERE name = 'compared'")


def _move(
    home: Home, books: Books, ada: Actor, keys: list[tuple[str, str, str]], numbers: list[int], day: date, turn: int
) -> None:
    """Everyone gets 1 more, on both sides."""
    when = datetime(day.year, day.month, day.day, 12, turn, tzinfo=home.time_zone)
    worlds, customers = numbers[:ASSETS], numbers[ASSETS:]
    entries = Entries.of([*customers, *worlds], [*[1] * len(customers), *[-(len(customers) // ASSETS)] * ASSETS])
    says = saying({"purpose": "deposit", "reference": f"turn {turn}"})
    post(books, ada, Batch(f"move:{turn}", says, entries, "bench", when))
    file = WORK / f"moved-{turn}.csv"
    with file.open("w", encoding="utf-8") as stream:
        stream.write("changed_at,account_id,asset,quantity\n")
        for holder, asset, quantity in keys:
            whole_part, _, rest = quantity.partition(".")
            stream.write(f"{when.isoformat()},{holder},{asset},{int(whole_part) + turn + 1}.{rest}\n")
    run(*junbikin("ingest", "balance_changes", str(file)))


def _extracting(accounts: int) -> Iterator[Row]:
    """How fast accounts come out of PostgreSQL the first time."""
    with ledger(WORK / "extracted", accounts) as new:
        home = new.books.home
        start = time.perf_counter()
        outcome = reconciled(open_lake(home), moment_of(home, home.today(), new.books), new.books, WINDOW)
        seconds = time.perf_counter() - start
    if outcome.reconciliation.totals[0].holders != accounts:
        raise SystemExit("not every account came out of the books")
    yield Row(
        "  accounts extracted from the books, a second", accounts / seconds, "", f"{accounts:,} in {seconds:.2f} s"
    )
