"""Samples by the auditor's seed (無作為抽出): who and what is drawn follows from the seed alone, so that it can be drawn again.

Drawn are the first N in the order of SHA-256(seed, a line end, id), in hex. Of customers only their account ids are told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from junbikin.books.database import Books, telling
from junbikin.books.proof.chain import INSTANT
from junbikin.calendars import Period
from junbikin.custody.audit import breaks
from junbikin.custody.audit.files import File, Missing, listed
from junbikin.custody.audit.index import Sampling
from junbikin.custody.audit.reading import engine, rows
from junbikin.custody.audit.records import UP_TO, Standing, copy_csv, copy_records, start_of
from junbikin.facts.engine import literal, parquet
from junbikin.facts.lake import Lake
from junbikin.figures import Name

CUSTOMERS = "samples/customers.csv"
PLATFORM = "samples/platform.csv"
BOOKED = "samples/booked.csv"
MOVES = "samples/statements.csv"
POSTINGS = "samples/postings.csv"
ACCOUNTS = "samples/accounts.csv"
BREAKS = "samples/breaks.csv"
DRAWN = ("number", "id", "draw")
PLATFORM_COLUMNS = ("as_of", "account", "asset", "quantity")
BOOKED_COLUMNS = ("account", "code", "asset", "opening", "closing", "on_day")
MOVES_COLUMNS = (
    "account", "code", "asset", "effective_at", "recorded_at", "record", "purpose", "amount", "recorded_by", "why",
)  # fmt: skip
CSV = "(FORMAT csv, HEADER, DELIMITER ',', QUOTE '\"', ESCAPE '\"')"


def draw(seed: str, identity: str) -> str:
    """SQL of the engine by which something is drawn, in hex."""
    return f"sha256({literal(seed)} || chr(10) || {identity})"


def no_seed() -> Missing:
    """What is told when the auditor gave none."""
    return Missing("samples", Name("no seed was given (--seed)", "シードが指定されていない（--seed）"))


@dataclass(frozen=True, slots=True)
class Drawn:
    """Customers who were drawn, by their account ids in the order of their draws, and the day of the balances that it was from."""

    day: date
    customers: tuple[str, ...]


def customers(lake: Lake, period: Period, sampling: Sampling, folder: Path) -> Iterator[File | Missing | Drawn]:
    """Customers drawn from the last balances of the period, and what the platform says that each has.

    Raises `FactsDamaged` when the balances are not those that the log recorded.
    """
    days = lake.days("customer_balances", period.start, period.end)
    if not days:
        yield Missing(
            CUSTOMERS, Name("the facts have no balances of customers of these days", "この期間の利用者残高がない")
        )
        return
    day = max(days)
    lake.check_segments(days[day])
    balances = parquet([str(lake.home.facts / segment.file) for segment in days[day]])
    (folder / CUSTOMERS).parent.mkdir(parents=True, exist_ok=True)
    with engine(lake.home.memory_limit) as working:
        working.execute(
            f"CREATE TABLE drawn AS SELECT row_number() OVER (ORDER BY draw, id) AS number, id, draw FROM (SELECT id, {draw(sampling.seed, 'id')} AS draw "
            f"FROM (SELECT DISTINCT account_id AS id FROM {balances} WHERE quantity <> 0) ORDER BY draw, id LIMIT {sampling.count})"
        )
        working.execute(
            f"COPY (SELECT number, id, draw FROM drawn ORDER BY number) TO {literal(str(folder / CUSTOMERS))} {CSV}"
        )
        working.execute(
            f"COPY (SELECT DATE {literal(day)} AS as_of, account_id AS account, asset, rtrim(rtrim(quantity::VARCHAR, '0'), '.') AS quantity FROM {balances} "
            f"WHERE account_id IN (SELECT id FROM drawn) ORDER BY account_id, asset) TO {literal(str(folder / PLATFORM))} {CSV}"
        )
        chosen = working.execute("SELECT id FROM drawn ORDER BY number").fetchall()
    yield listed(folder, CUSTOMERS, Name("customers drawn", "抽出した利用者"))
    yield listed(
        folder, PLATFORM, Name("customers drawn: balances on the platform", "抽出した利用者：プラットフォーム上の残高")
    )
    yield Drawn(date.fromisoformat(day), tuple(identity for (identity,) in chosen))


_OF_THEIRS = "a.owner = 'customer' AND a.holder = ANY (%(holders)s::text[])"
_BOOKED = f"""
  SELECT a.holder AS account, a.code, a.asset, trim_scale(books.balance(a.id, %(before)s, %(known)s)) AS opening,
    trim_scale(books.balance(a.id, %(end)s, %(known)s)) AS closing, trim_scale(books.balance(a.id, %(drawn)s, %(known)s)) AS on_day
  FROM books.accounts a WHERE {_OF_THEIRS} ORDER BY a.holder, a.code
"""
_MOVES = f"""
  SELECT a.holder AS account, a.code, a.asset, {INSTANT.format("b.effective_at")} AS effective_at, {INSTANT.format("b.recorded_at")} AS recorded_at,
    b.record, r.content::jsonb->>'purpose' AS purpose, trim_scale(b.amount) AS amount, r.recorded_by, r.why
  FROM books.accounts a JOIN books.balances b ON b.account = a.id JOIN books.records r ON r.id = b.record
  WHERE {_OF_THEIRS} AND b.effective_at >= %(start)s AND b.effective_at <= %(end)s AND b.recorded_at <= %(known)s
  ORDER BY a.holder, a.code, b.effective_at, b.recorded_at
"""


def booked(books: Books, period: Period, known_at: datetime, drawn: Drawn, folder: Path) -> Iterator[File]:
    """What the books say of customers: at the start and the end of the period and on the day of the balances, and every move."""
    values = _times(books, period.start, period.end) | {
        "known": known_at, "holders": list(drawn.customers), "drawn": books.home.end_of(drawn.day),
    }  # fmt: skip
    copy_csv(books, folder / BOOKED, _BOOKED, values)
    yield listed(folder, BOOKED, Name("customers drawn: balances in the books", "抽出した利用者：帳簿上の残高"))
    copy_csv(books, folder / MOVES, _MOVES, values)
    yield listed(folder, MOVES, Name("customers drawn: statements over the period", "抽出した利用者：期中の取引明細"))


_POSTINGS = f"""
  SELECT id FROM books.records r WHERE kind = 'batch' AND effective_at >= %(start)s AND effective_at <= %(end)s AND {UP_TO}
  ORDER BY encode(sha256(convert_to(%(seed)s || E'\\n' || id, 'UTF8')), 'hex'), id LIMIT %(count)s
"""
_WITH_REQUESTS = """
  id = ANY (%(ids)s::bigint[]) OR kind = 'request' AND id IN (SELECT request FROM books.records WHERE id = ANY (%(ids)s::bigint[]))
  OR kind = 'decision' AND request IN (SELECT request FROM books.records WHERE id = ANY (%(ids)s::bigint[]))
"""
_THEIR_ACCOUNTS = """
  SELECT id AS number, code, owner, asset, place, coalesce(holder, '') AS holder FROM books.accounts
  WHERE id IN (SELECT unnest(accounts) FROM books.records WHERE id = ANY (%(ids)s::bigint[])) ORDER BY id
"""


def postings(
    books: Books, stands: Standing, period: Period, sampling: Sampling, folder: Path
) -> Iterator[File | Missing]:
    """Postings of the period, drawn by their records' numbers, with their entries and the approvals behind them."""
    values: dict[str, Any] = {**_times(books, period.start, period.end), **stands.reach}
    with telling(books.home), books.driver() as connection:
        found = connection.execute(
            _POSTINGS.encode(), values | {"seed": sampling.seed, "count": sampling.count}
        ).fetchall()
    if not found:
        yield Missing(POSTINGS, Name("nothing was posted in the period", "期中の記帳がない"))
        return
    ids = {"ids": [number for (number,) in found]}
    copy_records(books, folder / POSTINGS, _WITH_REQUESTS, ids)
    yield listed(folder, POSTINGS, Name("postings drawn, with their approvals", "抽出した記帳と承認"))
    copy_csv(books, folder / ACCOUNTS, _THEIR_ACCOUNTS, ids)
    yield listed(folder, ACCOUNTS, Name("postings drawn: the accounts that they name", "抽出した記帳：勘定"))


def _times(books: Books, start: date, end: date) -> dict[str, datetime]:
    first = start_of(start, books)
    return {"start": first, "before": first - datetime.resolution, "end": books.home.end_of(end)}


def write_breaks(working: duckdb.DuckDBPyConnection, folder: Path, sampling: Sampling, target: Path) -> None:
    """Breaks drawn from those of the pack, by their ids and the day since when they were there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    identity = "id || chr(10) || since"
    working.execute(
        f"COPY (SELECT row_number() OVER (ORDER BY draw, id, since) AS number, * FROM (SELECT {draw(sampling.seed, identity)} AS draw, * "
        f"FROM {rows(folder / breaks.BREAKS, breaks.COLUMNS)} ORDER BY draw, id, since LIMIT {sampling.count}) ORDER BY number) "
        f"TO {literal(str(target))} {CSV}"
    )
