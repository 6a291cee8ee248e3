"""Paying a plan, chunk by chunk: files are written aside, the sending goes on record, then the files get their names.

So a file with a name is one that the books know. A failure at any point leaves nothing of a chunk, or all that is needed to finish
it: whoever runs the same command again makes the same files, and no second record.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from filelock import FileLock, Timeout

from junbikin.books.claims import Approved, acts, entitle, pay_out
from junbikin.books.database import Books
from junbikin.errors import BadInput, PositionProblem
from junbikin.facts.engine import connect
from junbikin.facts.run import Progress
from junbikin.figures import Name, plain
from junbikin.figures.amounts import EXACT
from junbikin.home import Home
from junbikin.incidents.folders import runs_folder
from junbikin.incidents.pay.channels import PICKED, Batch, Channel
from junbikin.incidents.pay.files import Written, settle, writing
from junbikin.incidents.pay.order import DONE, Order, opened
from junbikin.incidents.pay.payees import Payees, open_payees
from junbikin.incidents.pay.payer import Payer
from junbikin.incidents.plan.entitlements import chunk_columns, chunk_says, digest_of
from junbikin.incidents.standing import Chunk, Mask, Standing, fold, numbers, within

AT_ONCE = 2
"""Chunks that are worked at the same time, each with its own engine and its own connection to the books."""


@dataclass(frozen=True, slots=True)
class Leg:
    """What an approved plan pays of one asset: how many people's amounts, in chunks of `size` with their digests, from which file."""

    asset: str
    total: Decimal
    people: int
    size: int
    digests: tuple[str, ...]
    parquet: Path

    def span(self, chunk: int) -> tuple[int, int]:
        """The first and the last number of a chunk, counted from 1."""
        return (chunk - 1) * self.size + 1, min(chunk * self.size, self.people)


def leg_of(approved: Approved, asset: str, parquet: Path) -> Leg:
    """The part of an approved plan in one asset. Raises `BadInput` when it pays none of it."""
    legs = {leg["asset"]: leg for leg in approved.content["legs"]}
    if asset not in legs:
        raise BadInput(f"the plan pays no {asset}", then=f"it pays {', '.join(legs)}: name one with --asset")
    leg = legs[asset]
    return Leg(asset, Decimal(leg["total"]), int(leg["people"]), int(leg["size"]), tuple(leg["chunks"]), parquet)


@dataclass(frozen=True, slots=True)
class Run:
    """What a run sent: how many people and how much, and its files in their folder. `unfit` payments the channel cannot make, and
    `unfit_as` says why."""

    order: Order
    people: int
    total: Decimal
    unfit: int
    unfit_as: Name
    files: tuple[Written, ...]
    folder: Path


class Engines:
    """An engine for each thread that works at once."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._mine = threading.local()

    @property
    def mine(self) -> duckdb.DuckDBPyConnection:
        """This thread's engine."""
        if not hasattr(self._mine, "engine"):
            self._mine.engine = connect(self._home.memory_limit)
            self._mine.engine.execute("SET threads = 1")
        engine: duckdb.DuckDBPyConnection = self._mine.engine
        return engine


@dataclass(frozen=True, slots=True)
class _Paying:
    by: Payer
    leg: Leg
    order: Order
    channel: Channel
    payees: Payees | None
    chunks: dict[tuple[str, int], Chunk]
    folder: Path
    engines: Engines

    @property
    def aside(self) -> Path:
        return self.folder / "aside"

    @property
    def engine(self) -> duckdb.DuckDBPyConnection:
        return self.engines.mine

    def subject(self, chunk: int) -> str:
        return f"{self.order.plan}:{self.leg.asset}:{chunk}"


Way = Callable[[Order], tuple[Channel, Payees | None]]
"""How an order is carried out: its channel, and the payees (None: everybody)."""


def pay(by: Payer, leg: Leg, asked: Order, way: Way, progress: Progress) -> Run:
    """Sends what an approved plan owes in one asset to everyone who can be paid by the channel and was not yet, and returns the run.

    A run that was not finished is finished. Raises `BadInput` when the plan is being paid already, or a run was left unfinished under another
    order; `PositionProblem` when a file of the plan is not what was approved; `BooksRefused` when the books do not let a payment go.
    """
    with _alone(by.books, asked):
        chunks = fold(acts(by.books, asked.plan))
        return _run(_paying(by, leg, opened(by.books.home, asked, chunks.values()), way, chunks), progress)


def files_again(by: Payer, leg: Leg, order: Order, way: Way, progress: Progress) -> Run:
    """Writes the files of a run again: the same, byte for byte. Raises `BadInput` when they cannot be."""
    with _alone(by.books, order):
        return _run(_paying(by, leg, order, way, fold(acts(by.books, order.plan))), progress)


@contextmanager
def _alone(books: Books, order: Order) -> Iterator[None]:
    above = runs_folder(books.home, order.incident, order.plan)
    above.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(above / "lock", timeout=0):
            yield
    except Timeout:
        raise BadInput("this plan is being paid already", where=str(above), then="wait until that has ended") from None


def _paying(by: Payer, leg: Leg, order: Order, way: Way, chunks: dict[tuple[str, int], Chunk]) -> _Paying:
    channel, payees = way(order)
    if payees is not None and payees.plan != order.plan:
        raise BadInput(
            "these payees were judged for another plan", where=str(payees.folder), then="judge this one's: junbikin incident payees"
        )  # fmt: skip
    return _Paying(by, leg, order, channel, payees, chunks, order.folder(by.books.home), Engines(by.books.home))


def _run(paying: _Paying, progress: Progress) -> Run:
    shutil.rmtree(paying.aside, ignore_errors=True)
    paying.aside.mkdir(parents=True)
    sent: list[_Sent] = []
    started, whole = time.monotonic(), paying.leg.people
    with at_once(AT_ONCE) as pool:
        for chunk in pool.map(lambda chunk: _pay_chunk(paying, chunk), range(1, len(paying.leg.digests) + 1)):
            sent.append(chunk)
            looked = paying.leg.span(len(sent))[1]
            progress(f"paying: {looked:,} of {whole:,}, {looked / (time.monotonic() - started):,.0f}/s", looked / whole)
    people, total = sum(one.people for one in sent), reduce(EXACT.add, (one.total for one in sent), Decimal(0))
    files = tuple(file for one in sent for file in one.files)
    if not people:
        shutil.rmtree(paying.folder)  # a run that sends nothing is none
    else:
        shutil.rmtree(paying.aside)
        settle(paying.folder)
        with writing(paying.folder / DONE) as listed:
            listed.write(_listed(files))
        settle(paying.folder)
    unfit = sum(one.unfit for one in sent)
    return Run(paying.order, people, total, unfit, paying.channel.unfit, files, paying.folder)


@contextmanager
def at_once(count: int) -> Iterator[ThreadPoolExecutor]:
    """So many at a time; after a failure no more is begun."""
    with ThreadPoolExecutor(count) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _listed(files: Sequence[Written]) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("file", "people", "total", "sha256"))
    rows.writerows((file.path.name, file.people, plain(file.total), file.sha256) for file in files)
    return text.getvalue().encode()


@dataclass(frozen=True, slots=True)
class _Sent:
    people: int
    total: Decimal
    unfit: int
    files: tuple[Written, ...]


def _pay_chunk(paying: _Paying, number: int) -> _Sent:
    """Sends what is to be sent of a chunk, or finishes sending it."""
    order, by = paying.order, paying.by
    chunk = _entitled(paying, number)
    before = chunk.sent_in(order.run, order.channel)
    mask = within(str(before.says["numbers"]), chunk.first, chunk.people) if before else _payable(paying, chunk)
    batch = _batch(paying, chunk, mask)
    unfit = 0
    if batch.people and before is None:
        fit = paying.channel.fit(batch)
        unfit = batch.people - len(fit)
        mask = np.isin(np.arange(chunk.first, chunk.first + chunk.people), fit) if unfit else mask
        batch = _batch(paying, chunk, mask) if unfit else batch
    if not batch.people:
        return _Sent(0, Decimal(0), unfit, ())
    files = tuple(paying.channel.write(batch, paying.aside))
    if before is None:
        pay_out(by.books, by.who, paying.subject(number), _says(batch, numbers(mask, chunk.first), files), by.why)
    elif [file.sha256 for file in files] != before.says["files"]:
        raise BadInput(
            "the files of a run cannot be made again: its payees or its bank are not what they were",
            where=str(paying.folder), then="restore the home's folder incidents/ from a backup",
        )  # fmt: skip
    named = tuple(
        Written(file.path.rename(paying.folder / file.path.name), file.sha256, file.people, file.total)
        for file in files
    )
    out = mask & (chunk.where(Standing.OUT) & (chunk.run == order.run) if before else True)
    if out.any():
        paying.channel.paid(_batch(paying, chunk, out), named)
    return _Sent(batch.people, batch.total, unfit, named)


def _entitled(paying: _Paying, number: int) -> Chunk:
    """The chunk, loaded into the engine and found to be what was approved, once what its people are owed is on record."""
    leg, by = paying.leg, paying.by
    first, last = leg.span(number)
    people = last - first + 1
    accounts, amounts = chunk_columns(paying.engine, leg.parquet, leg.asset, first, last)
    says = chunk_says(leg.asset, number, first, people, accounts)
    if digest_of(says, amounts) != leg.digests[number - 1]:
        raise PositionProblem(
            f"this is not what was approved: accounts or amounts of the payments {first} to {last} were changed",
            where=str(leg.parquet), then="restore the home's folder incidents/ from a backup; nothing of these was paid",
        )  # fmt: skip
    known = paying.chunks.get((leg.asset, number))
    if known is not None:
        return known
    entitle(by.books, by.who, paying.subject(number), json.loads(says), amounts, by.why)
    return Chunk(leg.asset, number, first, people, np.zeros(people, np.uint8), np.zeros(people, np.int16))


def _payable(paying: _Paying, chunk: Chunk) -> Mask:
    """Whom to pay: who is owed something, is not paid or being paid, and can be; who was paid in vain, only on a newer instruction."""
    owed = paying.engine.execute("SELECT amount > 0 AS owed FROM chunk ORDER BY number").fetchnumpy()["owed"]
    mask: Mask = owed & (chunk.where(Standing.UNPAID) | chunk.where(Standing.RETURNED))
    payees, order = paying.payees, paying.order
    if payees is None:
        return mask
    mask &= payees.payable(order.channel, order.asset, chunk.first, chunk.people)
    for sent in chunk.sent:
        back = mask & chunk.where(Standing.RETURNED) & (chunk.run == sent.run)
        used = str(sent.says["payees"])
        if used and back.any():
            before = open_payees(payees.folder.parent, used)
            mask &= ~back | payees.given_since(before, order.asset, chunk.first, chunk.people)
    return mask


def _batch(paying: _Paying, chunk: Chunk, mask: Mask) -> Batch:
    picked = np.flatnonzero(mask) + chunk.first
    paying.engine.register("picked", {"number": picked})
    [(total,)] = paying.engine.execute(f"SELECT coalesce(sum(amount), 0) FROM ({PICKED})").fetchall()
    return Batch(paying.engine, paying.order, chunk.chunk, picked, Decimal(total))


def _says(batch: Batch, said: str, files: Sequence[Written]) -> dict[str, Any]:
    order = batch.order
    return {
        "asset": order.asset,
        "channel": order.channel,
        "chunk": str(batch.chunk),
        "files": [file.sha256 for file in files],
        "numbers": said,
        "payees": order.payees,
        "people": str(batch.people),
        "run": str(order.run),
        "total": plain(batch.total),
        "value_on": order.value_on or None,
    }
