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
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from filelock import FileLock, Timeout

from junbikin.books.claims import Approved, acts, entitle, pay_out
from junbikin.books.database import Books
from junbikin.books.journal import Actor
from junbikin.errors import BadInput
from junbikin.facts.engine import connect, identifier
from junbikin.facts.engine import file as one_file
from junbikin.facts.run import Progress
from junbikin.figures import plain
from junbikin.incidents.folders import runs_folder
from junbikin.incidents.pay.channels import PICKED, Batch, Channel
from junbikin.incidents.pay.files import Written, settle, writing
from junbikin.incidents.pay.order import DONE, Order, opened
from junbikin.incidents.pay.payees import Payees
from junbikin.incidents.plan.entitlements import chunk_columns, chunk_says
from junbikin.incidents.standing import Chunk, Mask, Standing, fold, numbers, within

AT_ONCE = 2
"""Chunks that are worked at the same time, each with its own engine and its own connection to the books."""


@dataclass(frozen=True, slots=True)
class Leg:
    """What an approved plan pays of one asset: how many people's amounts, in chunks of `size`, from which file."""

    asset: str
    total: Decimal
    people: int
    size: int
    parquet: Path

    @property
    def chunks(self) -> int:
        """How many chunks there are."""
        return -(-self.people // self.size)

    def span(self, chunk: int) -> tuple[int, int]:
        """The first and the last number of a chunk, counted from 1."""
        return (chunk - 1) * self.size + 1, min(chunk * self.size, self.people)


def leg_of(approved: Approved, asset: str, parquet: Path) -> Leg:
    """The part of an approved plan in one asset. Raises `BadInput` when it pays none of it."""
    legs = {leg["asset"]: leg for leg in approved.content["legs"]}
    if asset not in legs:
        raise BadInput(f"the plan pays no {asset}", then=f"it pays {', '.join(legs)}: name one with --asset")
    leg = legs[asset]
    return Leg(asset, Decimal(leg["total"]), int(leg["people"]), int(leg["size"]), parquet)


@dataclass(frozen=True, slots=True)
class Run:
    """What a run sent: how many people and how much, and its files in their folder."""

    order: Order
    people: int
    total: Decimal
    files: tuple[Written, ...]
    folder: Path


@dataclass(frozen=True, slots=True)
class Payer:
    """Who pays, out of which books, and why."""

    books: Books
    who: Actor
    why: str


@dataclass(frozen=True, slots=True)
class _Paying:
    by: Payer
    leg: Leg
    order: Order
    channel: Channel
    payees: Payees | None
    chunks: dict[tuple[str, int], Chunk]
    folder: Path
    mine: threading.local

    @property
    def aside(self) -> Path:
        return self.folder / "aside"

    @property
    def engine(self) -> duckdb.DuckDBPyConnection:
        """This thread's engine."""
        if not hasattr(self.mine, "engine"):
            self.mine.engine = connect(self.by.books.home.memory_limit)
            self.mine.engine.execute("SET threads = 1")
        engine: duckdb.DuckDBPyConnection = self.mine.engine
        return engine

    def subject(self, chunk: int) -> str:
        return f"{self.order.plan}:{self.leg.asset}:{chunk}"


def pay(
    by: Payer,
    leg: Leg,
    asked: Order,
    channel: Callable[[Order], tuple[Channel, Payees | None]],
    progress: Progress,
) -> Run:
    """Sends what an approved plan owes in one asset to everyone who can be paid by the channel and was not yet, and returns the run.

    A run that was not finished is finished: `channel` gives the way to pay, and the payees (None: everybody), for the order that is
    carried out. Raises `BadInput` when the plan is being paid already, or a run was left unfinished under another order, and `BooksRefused` when the
    books do not let a payment go.
    """
    home = by.books.home
    above = runs_folder(home, asked.incident, asked.plan)
    above.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(above / "lock", timeout=0):
            chunks = fold(acts(by.books, asked.plan))
            order = opened(home, asked, chunks.values())
            way, payees = channel(order)
            return _run(_Paying(by, leg, order, way, payees, chunks, order.folder(home), threading.local()), progress)
    except Timeout:
        raise BadInput("this plan is being paid already", where=str(above), then="wait until that has ended") from None


def _run(paying: _Paying, progress: Progress) -> Run:
    paying.aside.mkdir(exist_ok=True)
    sent: list[_Sent] = []
    started, whole = time.monotonic(), paying.leg.people
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for chunk in pool.map(lambda chunk: _pay_chunk(paying, chunk), range(1, paying.leg.chunks + 1)):
            sent.append(chunk)
            looked = paying.leg.span(len(sent))[1]
            progress(f"paying: {looked:,} of {whole:,}, {looked / (time.monotonic() - started):,.0f}/s", looked / whole)
    people, total = sum(one.people for one in sent), sum((one.total for one in sent), Decimal(0))
    files = tuple(file for one in sent for file in one.files)
    if not people:
        shutil.rmtree(paying.folder)  # a run that sends nothing is none
    else:
        paying.aside.rmdir()
        settle(paying.folder)
        with writing(paying.folder / DONE) as listed:
            listed.write(_listed(files))
        settle(paying.folder)
    return Run(paying.order, people, total, files, paying.folder)


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
    files: tuple[Written, ...]


def _pay_chunk(paying: _Paying, number: int) -> _Sent:
    """Sends what is to be sent of a chunk, or finishes sending it."""
    leg, order, by = paying.leg, paying.order, paying.by
    _load(paying.engine, leg, number)
    chunk = paying.chunks.get((leg.asset, number)) or _entitled(paying, number)
    before = chunk.sent_in(order.run, order.channel)
    mask = within(str(before.says["numbers"]), chunk.first, chunk.people) if before else _payable(paying, chunk)
    if not mask.any():
        return _Sent(0, Decimal(0), ())
    batch = _batch(paying, chunk, mask)
    files = tuple(paying.channel.write(batch, paying.aside))
    if before is None:
        pay_out(by.books, by.who, paying.subject(number), _says(batch, files), by.why)
    elif [file.sha256 for file in files] != before.says["files"]:
        raise BadInput(
            "the files of a run that was not finished cannot be made again: its payees or its bank are not what they were",
            where=str(paying.folder), then="restore the home's folder incidents/ from a backup, then pay again",
        )  # fmt: skip
    named = tuple(
        Written(file.path.rename(paying.folder / file.path.name), file.sha256, file.people, file.total)
        for file in files
    )
    if chunk.where(Standing.OUT)[mask].any() or before is None:
        paying.channel.paid(by.books, by.who, by.why, batch, named)
    return _Sent(batch.people, batch.total, named)


def _load(engine: duckdb.DuckDBPyConnection, leg: Leg, chunk: int) -> None:
    """The chunk's numbers, accounts and amounts, in a table of the engine."""
    first, last = leg.span(chunk)
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE chunk AS SELECT number, account_id, {identifier(leg.asset)} AS amount "
        f"FROM read_parquet({one_file(str(leg.parquet))}) WHERE number BETWEEN {first} AND {last} ORDER BY number"
    )


def _entitled(paying: _Paying, number: int) -> Chunk:
    """The chunk, once what its people are owed is on record."""
    leg, by = paying.leg, paying.by
    first, last = leg.span(number)
    people = last - first + 1
    accounts, amounts = chunk_columns(paying.engine, leg.parquet, leg.asset, first, last)
    says = json.loads(chunk_says(leg.asset, number, first, people, accounts))
    entitle(by.books, by.who, paying.subject(number), says, amounts, by.why)
    return Chunk(leg.asset, number, first, people, np.zeros(people, np.uint8), np.zeros(people, np.int16))


def _payable(paying: _Paying, chunk: Chunk) -> Mask:
    """Whom to pay: who is owed something, is not paid or being paid, and can be; who was paid in vain, only on newer instructions."""
    owed = paying.engine.execute("SELECT amount > 0 AS owed FROM chunk ORDER BY number").fetchnumpy()["owed"]
    mask: Mask = owed & (chunk.where(Standing.UNPAID) | chunk.where(Standing.RETURNED))
    payees, order = paying.payees, paying.order
    if payees is None:
        return mask
    mask &= payees.payable(order.channel, order.asset, chunk.first, chunk.people)
    back = mask & chunk.where(Standing.RETURNED)
    for run in np.unique(chunk.run[back]).tolist():
        at = max(sent.at for sent in chunk.sent if sent.run == run)
        mask &= ~(back & (chunk.run == run)) | payees.given_after(order.asset, at, chunk.first, chunk.people)
    return mask


def _batch(paying: _Paying, chunk: Chunk, mask: Mask) -> Batch:
    picked = np.flatnonzero(mask) + chunk.first
    paying.engine.register("picked", {"number": picked})
    [(total,)] = paying.engine.execute(f"SELECT sum(amount) FROM ({PICKED})").fetchall()
    return Batch(paying.engine, paying.order, chunk.chunk, picked, total, numbers(mask, chunk.first))


def _says(batch: Batch, files: Sequence[Written]) -> dict[str, Any]:
    order = batch.order
    return {
        "asset": order.asset,
        "channel": order.channel,
        "chunk": str(batch.chunk),
        "files": [file.sha256 for file in files],
        "numbers": batch.said,
        "payees": order.payees,
        "people": str(batch.people),
        "run": str(order.run),
        "total": plain(batch.total),
        "value_on": order.value_on or None,
    }
