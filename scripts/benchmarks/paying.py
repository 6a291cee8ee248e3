"""The incident: 12,000,000 customers from their balances to the last answer of the bank, and 260,000 likewise.

Everything goes through the commands that people use, on a home whose books are its own server: balances and payout instructions are
ingested, the plan is made, asked for and approved, the instructions are judged, the plan is paid by bulk transfer files (of up to 999,999
transfers; for 260,000 customers of up to 9,999), and the bank's answers (one in 100 returned) are taken in. Of the instructions, one in 50
is missing.

Bare, in the same run: of paying, one COPY of the same payments (number, account, amount) into a table without key or index on the same
server, and writing the same bytes to one file with one fsync; of the answers, one COPY of their rows (number, amount, outcome); of the
entitlements, the same shares by one DuckDB query with windows in a process with its own defaults, from the same balances, to one file.
Memory is what the process and the database server hold together (proportional set size), looked at ten times a second.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import psutil
import psycopg
from numpy.typing import NDArray

from benchmarks import living
from benchmarks.day import Run, junbikin, python, run
from benchmarks.ledger import PASSWORD
from benchmarks.rows import WORK, Row
from junbikin.books import server
from junbikin.books.accounts import open_accounts
from junbikin.books.batch import Batch, Entries, saying
from junbikin.books.database import Books, make_books, open_books
from junbikin.books.journal import Actor, account_numbers, post
from junbikin.calendars import business_days_after
from junbikin.home import Home, open_home
from junbikin.incidents.pay.banks import directory
from junbikin.registry import people
from junbikin.registry.requests import ask_to_record, decide

WHO = {"ada": "reserve_officer", "ben": "approver", "cem": "incident_commander"}
ACCOUNTS = ("outside/JPY/world", "own/JPY/bank", "reserve/JPY/kaede")
PLACE = {
    "name": "Kaede",
    "kind": "deposit",
    "dedicated": True,
    "on_trust": True,
    "jurisdiction": "JP",
    "realisable_days": "1",
}
BANK = {
    "name": "Namiki", "place": "kaede", "originator_code": "0000000123", "originator_name": "BENCH", "bank_code": "0001",
    "branch_code": "001", "account_type": "1", "account_number": "7654321", "line_end": "CRLF",
    "result_at": "112", "settled_codes": "0", "returned_codes": "2|8",
}  # fmt: skip
RESULT_AT, WIDTH = 112, 122

BALANCES = """
import duckdb, sys
people, day, to = int(sys.argv[1]), sys.argv[2], sys.argv[3]
duckdb.execute(f'''COPY (SELECT DATE '{day}' AS as_of, 'A' || (100000000 + (i * 7919) % {people})::VARCHAR AS account_id, 'XEM' AS asset,
  ((1 + hash(i) % 4000000000)::DECIMAL(38,18) * 0.000001)::DECIMAL(38,6) AS quantity FROM range({people}) r(i)) TO '{to}' (FORMAT parquet)''')
"""
INSTRUCTIONS = """
import duckdb, sys
people, at, to, bank, branch = int(sys.argv[1]), *sys.argv[2:6]
duckdb.execute(f'''COPY (SELECT 'A' || (100000000 + i)::VARCHAR AS account_id, '{at}' AS given_at, 'bank' AS channel, '{bank}' AS bank_code,
  '{branch}' AS branch_code, '1' AS account_type, lpad((hash(i) % 10000000)::VARCHAR, 7, '0') AS account_number,
  ['ﾔﾏﾀﾞ ﾊﾅｺ', 'サトウ ケンイチ', 'すずき いちろう', 'TANAKA TARO'][1 + (hash(i + 1) % 4)::INT] || ' ' || (hash(i + 2) % 1000)::VARCHAR AS payee
  FROM range({people}) r(i) WHERE i % 50 <> 0) TO '{to}' (FORMAT parquet)''')
"""
SHARES = """
import duckdb, sys
duckdb.execute(f'''COPY (
  WITH held AS (SELECT account_id, (quantity::DECIMAL(28,6) * 1000000::DECIMAL(7,0))::HUGEINT AS units
    FROM read_parquet('{sys.argv[1]}/facts/customer_balances/*/*.parquet') WHERE asset = 'XEM'),
  cut AS (SELECT *, units * 88549 // 1000000000 AS low, units * 88549 % 1000000000 AS rest FROM held),
  ranked AS (SELECT *, row_number() OVER (ORDER BY rest DESC, account_id) AS rank,
    round(sum(units * 88549) OVER () / 1000000000.0)::HUGEINT - sum(low) OVER () AS more FROM cut)
  SELECT row_number() OVER (ORDER BY account_id) AS number, account_id, units, low + (rank <= more)::INT AS yen FROM ranked ORDER BY account_id)
  TO '{sys.argv[2]}' (FORMAT parquet)''')
"""
RULE = """
title = "bench"
[affected]
who = "holders"
asset = "XEM"
at = {day}T23:59:59+09:00
[shared]
how = "whole"
[[parts]]
share = "1"
pays = "JPY"
decimals = 0
rounding = "half_up"
price = {{ how = "fixed", value = "88.549", source = "bench" }}
[funding]
order = ["reserve"]
[funding.place]
JPY = "kaede"
[funding.accounts]
reserve = "all"
[replenishment]
from = "own/JPY/bank"
to = "reserve/JPY/kaede"
first = {pays}
instalments = 1
[payment]
on = {pays}
"""


def bench(quick: bool) -> Iterator[Row]:
    """Measures 12,000,000 and 260,000 customers; `quick`: a hundredth of them."""
    part = 100 if quick else 1
    yield from _paid(12_000_000 // part, "999999", whole=True)
    yield from _paid(260_000 // part, "9999", whole=False)
    yield from living.bench(WORK, kills=4 if quick else 200)


def _paid(customers: int, limit: str, whole: bool) -> Iterator[Row]:
    path = WORK / "home"
    subprocess.run(["rm", "-rf", str(path)], check=True)
    run(*junbikin("init", str(path)))
    home = open_home(path)
    make_books(home)
    try:
        with open_books(home) as books:
            yield from _measured(home, books, customers, limit, whole)
    finally:
        server.let_go(home.books)


def _measured(home: Home, books: Books, customers: int, limit: str, whole: bool) -> Iterator[Row]:
    pays = business_days_after(home.today(), 2)
    rule = _stolen(home, books, customers, limit, pays)
    planned = _command("incident plan inc p", str(rule))
    if whole:
        yield from _entitlements(home, rule)
    yield Row(f"plan of {customers:,}, made", planned.seconds, "s", f"peak {planned.peak_gb:.2f} GB")
    _command("incident ask inc p --why bench --confirmed bench --evidence", str(rule), who="cem")
    [request] = [r for r in json.loads(_output("request", "list", "--json"))["requests"] if not r["verdict"]]
    _command(f"request approve {request['request']} --why bench", who="ben")
    judged = _command("incident payees inc p")
    yield Row("  payout instructions judged", judged.seconds, "s", f"peak {judged.peak_gb:.2f} GB")
    paid = _command(f"incident pay inc p --channel zengin --bank namiki --value-on {pays}", who="cem")
    [folder] = (home.path / "incidents" / "inc" / "payouts").glob("*/run-001")
    rows, written, sent = _bare(home, folder)
    beside = f"{paid.seconds:.2f} s beside {rows:.2f} s + {written:.2f} s; {sent:,} paid"
    if whole:
        yield Row(f"pay {customers:,}", paid.seconds / (rows + written), "×", beside, at_most=3)
        yield Row("  the same", paid.seconds / 60, "min", at_most=10)
    else:
        yield Row(f"pay {customers:,}", paid.seconds, "s", beside, at_most=20)
    taken = yield from _taken(home, folder, sent, whole)
    if whole:
        peak = max(each.peak_gb for each in (planned, judged, paid, taken))
        yield Row("peak memory, server included", peak, "GB", at_most=6)


def _stolen(home: Home, books: Books, customers: int, limit: str, pays: date) -> Path:
    """Customers with balances and instructions, a reserve, an incident; returns the rule by which they are made good."""
    actors, day = _people(books), home.today() - timedelta(days=2)
    balances, given, rule = WORK / "balances.parquet", WORK / "instructions.parquet", WORK / "rule.toml"
    bank, branch = next(iter(directory().branches))
    run(*python(BALANCES, str(customers), str(day), str(balances)))
    run(*python(INSTRUCTIONS, str(customers), f"{day}T12:00:00+09:00", str(given), bank, branch))
    run(*junbikin("ingest", "customer_balances", str(balances)))
    run(*junbikin("ingest", "payout_instructions", str(given)))
    _fund(books, actors, customers * 400_000)
    _registered(
        books, actors, "paying_bank", "namiki", BANK | {"bank_code": bank, "branch_code": branch, "record_limit": limit}
    )
    at = f"{day}T03:00:00+09:00"
    _command(f"incident open inc --cause hack --occurred {at} --found {at} --title bench", who="cem")
    rule.write_text(RULE.format(day=day, pays=pays), encoding="utf-8")
    return rule


def _taken(home: Home, folder: Path, sent: int, whole: bool) -> Generator[Row, None, Run]:
    """Takes in what the bank answers, and that again."""
    answers = _answered(folder)
    listed, words = list(map(str, answers)), "incident results inc --form zengin --bank namiki"
    taken = _command(words, *listed, who="cem")
    bare = _bare_answers(home, answers)
    beside = f"{taken.seconds:.2f} s beside {bare:.2f} s"
    yield Row(f"take {sent:,} answers in", taken.seconds / bare, "×", beside, at_most=3 if whole else None)
    again = _command(words, *listed, who="cem")
    yield Row("  the same answers again", again.seconds, "s", "all known already")
    return taken


def _people(books: Books) -> dict[str, Actor]:
    for name in ("ada", "ben"):
        people.found(books, name, [WHO[name]], PASSWORD, "founding")
    actors = {name: people.actor(books, name, PASSWORD) for name in ("ada", "ben")}
    _registered(books, actors, "person", "cem", people.described(people.card("cem", PASSWORD), [WHO["cem"]]))
    return actors


def _registered(books: Books, actors: dict[str, Actor], kind: str, subject: str, says: dict[str, Any]) -> None:
    number = ask_to_record(books, actors["ada"], kind, subject, says, "bench")
    decide(books, actors["ben"], number, "approve", "bench")


def _fund(books: Books, actors: dict[str, Actor], yen: int) -> None:
    _registered(books, actors, "place", "kaede", PLACE)
    for _ in open_accounts(books, actors["ada"], ACCOUNTS, "bench"):
        pass
    world, own, reserve = account_numbers(books, ACCOUNTS)
    for key, payer, receiver in (("income", world, own), ("fund", own, reserve)):
        entries = Entries.of([payer, receiver], [-yen, yen])
        post(books, actors["ada"], Batch(key, saying({"purpose": key}), entries, "bench"))


def _entitlements(home: Home, rule: Path) -> Iterator[Row]:
    bare = run(*python(SHARES, str(home.path), str(WORK / "bare.parquet")))
    ours = run(*python(ENTITLED, str(home.path), str(rule), str(WORK / "entitled")))
    detail = (
        f"{ours.seconds:.2f} s beside {bare.seconds:.2f} s; peak {ours.peak_gb:.2f} GB beside {bare.peak_gb:.2f} GB"
    )
    yield Row("entitlements of 12,000,000 holders", ours.seconds / bare.seconds, "×", detail, at_most=2)


ENTITLED = """
import sys
from pathlib import Path
from junbikin.home import open_home
from junbikin.books.database import open_books
from junbikin.facts.engine import connect, literal
from junbikin.facts.lake import open_lake
from junbikin.incidents.plan.affected import gather
from junbikin.incidents.plan.entitlements import FILE, write
from junbikin.incidents.plan.found import Scene
from junbikin.incidents.plan.legs import owed, payments
from junbikin.incidents.plan.rule import read_rule
home, aside = open_home(Path(sys.argv[1])), Path(sys.argv[3])
aside.mkdir(parents=True)
rule = read_rule(Path(sys.argv[2]))
with open_books(home) as books:
    engine = connect(home.memory_limit, aside / "spill")
    engine.execute(f"ATTACH {literal(str(aside / 'work.duckdb'))} AS work")
    scene = Scene(open_lake(home), books, "inc", engine, aside)
    holders = gather(scene, rule)
    paid = payments(scene.lake, engine, rule, holders, owed(rule, holders))
    write(engine, [payment.leg for payment in paid], aside / FILE)
"""


def _bare(home: Home, folder: Path) -> tuple[float, float, int]:
    """Seconds of a COPY of the payments that were made, and of writing the files' bytes; and how many payments there are."""
    [plan] = (home.path / "incidents" / "inc" / "plans").glob("p/entitlements.parquet")
    listed, copied = WORK / "rows.csv", WORK / "copied.txt"
    [(sent,)] = duckdb.execute(
        f'COPY (SELECT number, account_id, "JPY" FROM \'{plan}\' WHERE (account_id[2:]::BIGINT - 100000000) % 50 <> 0 AND "JPY" > 0) '
        f"TO '{listed}' (HEADER false)"
    ).fetchall()
    seconds = _copied(home, "number bigint, account text, amount numeric", listed)
    files = sorted(folder.glob("*.txt"))
    content = [file.read_bytes() for file in files]
    start = time.perf_counter()
    with copied.open("wb") as stream:
        for part in content:
            stream.write(part)
        stream.flush()
        os.fsync(stream.fileno())
    written = time.perf_counter() - start
    copied.unlink()
    return seconds, written, sent


def _copied(home: Home, columns: str, listed: Path) -> float:
    address = f"host={server.start(home.books)} port={server.PORT} user=postgres dbname=postgres"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS bare")
        connection.execute(f"CREATE TABLE bare ({columns})".encode())
        start = time.perf_counter()
        with connection.cursor().copy("COPY bare FROM STDIN (FORMAT csv)") as copy, listed.open("rb") as stream:
            while block := stream.read(1 << 20):
                copy.write(block)
        seconds = time.perf_counter() - start
        connection.execute("DROP TABLE bare")
    listed.unlink()
    return seconds


def _answered(folder: Path) -> list[Path]:
    """What the bank answers to each file of a run: every hundredth transfer comes back."""
    answers = WORK / "answers"
    answers.mkdir(exist_ok=True)
    for file in sorted(folder.glob("*.txt")):
        records = np.fromfile(file, np.uint8).reshape(-1, WIDTH)
        records[1:-2, RESULT_AT] = ord("0")
        records[1:-2:100, RESULT_AT] = ord("8")
        records.tofile(answers / file.name)
    return sorted(answers.iterdir())


def _bare_answers(home: Home, answers: list[Path]) -> float:
    """Seconds of a COPY of the answers' rows."""
    listed = WORK / "answers.csv"
    with listed.open("wb") as stream, duckdb.connect() as engine:
        for file in answers:
            rows = np.fromfile(file, np.uint8).reshape(-1, WIDTH)[1:-2]
            outcome = np.where(rows[:, RESULT_AT] == ord("0"), "settled", "returned")
            engine.register(
                "found", {"number": _digits(rows[:, 101:111]), "amount": _digits(rows[:, 80:90]), "outcome": outcome}
            )
            engine.execute(f"COPY (SELECT * FROM found) TO '{listed}.part' (HEADER false)")
            stream.write(Path(f"{listed}.part").read_bytes())
    Path(f"{listed}.part").unlink()
    return _copied(home, "number bigint, amount numeric, outcome text", listed)


def _digits(columns: NDArray[np.uint8]) -> NDArray[np.int64]:
    value = np.zeros(len(columns), np.int64)
    for place in range(columns.shape[1]):
        value = value * 10 + (columns[:, place] - ord("0"))
    return value


@dataclass
class _Watched:
    peak: int = 0


def _command(words: str, *more: str, who: str = "") -> Run:
    """Runs a command of ours, its first words in one text, as somebody; its peak is that of the process and the database server together."""
    env = {**os.environ, "JUNBIKIN_LANG": "en", "JUNBIKIN_PERSON": who, "JUNBIKIN_PASSWORD": PASSWORD}
    watched, ended = _Watched(), threading.Event()
    start = time.perf_counter()
    process = subprocess.Popen(
        junbikin(*words.split(), *more), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env
    )
    watcher = threading.Thread(target=_watch, args=(process.pid, watched, ended))
    watcher.start()
    _, told = process.communicate()
    seconds = time.perf_counter() - start
    ended.set()
    watcher.join()
    if process.returncode:
        raise SystemExit(f"failed: {words}: {told.decode()}")
    return Run(seconds, watched.peak / 1e9)


def _watch(process: int, watched: _Watched, ended: threading.Event) -> None:
    while not ended.wait(0.1):
        used = 0
        for each in psutil.process_iter(["pid", "name", "cmdline"]):
            try:
                if each.pid == process or each.name().startswith("postgres"):
                    used += each.memory_full_info().pss
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        watched.peak = max(watched.peak, used)


def _output(*words: str) -> str:
    return subprocess.run(junbikin(*words), check=True, capture_output=True, text=True).stdout
