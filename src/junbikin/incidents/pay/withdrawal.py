"""Withdrawing a run (払出の取消し) whose files were never handed in: two people say so, and its payments stand as if they had not been sent."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import numpy as np

from junbikin.books.claims import Approved, Withdrawal, acts, record_result, withdrawals
from junbikin.books.database import Books
from junbikin.errors import BadInput
from junbikin.figures import plain
from junbikin.figures.amounts import EXACT
from junbikin.incidents.pay.payer import Payer
from junbikin.incidents.pay.run import Leg
from junbikin.incidents.plan.entitlements import chunk_columns
from junbikin.incidents.standing import WITHDRAWN, Chunk, Mask, Standing, fold, numbers
from junbikin.registry.requests import ask_to_record

ACTION = "withdrawal"


def allowed(books: Books, approved: Approved, leg: Leg, run: int) -> Withdrawal | None:
    """What two people last withdrew of a run of a plan and is out still, or None."""
    mine = [one for one in withdrawals(books, approved.plan) if (one.run, one.asset) == (run, leg.asset)]
    done = {act.says["source"] for act in acts(books, approved.plan) if act.kind == "payout_result"}
    people = sum(int(np.count_nonzero(mask)) for _, mask in _standing_out(books, approved, leg, run))
    return next((one for one in reversed(mine) if people and (one.source not in done or one.people > people)), None)


def ask(by: Payer, approved: Approved, leg: Leg, run: int) -> int:
    """Asks for a run to be withdrawn and returns the request. Raises `BadInput` when nothing of it is out."""
    out = list(_out(by.books, approved, leg, run))
    says = {
        "asset": leg.asset,
        "channel": _channel(out[0][0], run),
        "people": str(sum(int(np.count_nonzero(mask)) for _, mask in out)),
        "total": plain(_sum(by, leg, out)),
    }
    return ask_to_record(by.books, by.who, ACTION, f"{approved.plan}:{run}", says, by.why)


def withdraw(by: Payer, approved: Approved, leg: Leg, run: int, allowed: Withdrawal) -> int:
    """Puts on record that what is out of a run was withdrawn, and returns how many payments that are."""
    import duckdb

    people = 0
    with duckdb.connect() as engine:
        for chunk, mask in _out(by.books, approved, leg, run):
            total = _total(engine, leg, chunk, mask)
            says = _says(leg.asset, chunk, run, mask, total, allowed.source)
            record_result(
                by.books, by.who, f"{approved.plan}:{leg.asset}:{chunk.chunk}", None, says, None, None, by.why
            )
            people += int(np.count_nonzero(mask))
    return people


def _out(books: Books, approved: Approved, leg: Leg, run: int) -> Iterator[tuple[Chunk, Mask]]:
    found = list(_standing_out(books, approved, leg, run))
    yield from found
    if not found:
        raise BadInput(
            f"nothing of run {run} is out", then="see `junbikin claims`: what is settled or came back is not withdrawn"
        )


def _standing_out(books: Books, approved: Approved, leg: Leg, run: int) -> Iterator[tuple[Chunk, Mask]]:
    for (asset, _), chunk in sorted(fold(acts(books, approved.plan)).items()):
        mask = chunk.where(Standing.OUT) & (chunk.run == run)
        if asset == leg.asset and mask.any():
            yield chunk, mask


def _says(asset: str, chunk: Chunk, run: int, mask: Mask, total: Decimal, source: str) -> dict[str, Any]:
    return {
        "asset": asset,
        "channel": _channel(chunk, run),
        "chunk": str(chunk.chunk),
        "people": str(int(np.count_nonzero(mask))),
        "returned": {WITHDRAWN: numbers(mask, chunk.first)},
        "returned_total": plain(total),
        "run": str(run),
        "settled": "{}",
        "settled_total": "0",
        "source": source,
    }


def _channel(chunk: Chunk, run: int) -> str:
    return next(sent.channel for sent in chunk.sent if sent.run == run)


def _sum(by: Payer, leg: Leg, out: list[tuple[Chunk, Mask]]) -> Decimal:
    import duckdb

    total = Decimal(0)
    with duckdb.connect() as engine:
        for chunk, mask in out:
            total = EXACT.add(total, _total(engine, leg, chunk, mask))
    return total


def _total(engine: Any, leg: Leg, chunk: Chunk, mask: Mask) -> Decimal:
    first, last = leg.span(chunk.chunk)
    chunk_columns(engine, leg.parquet, leg.asset, first, last)
    engine.register("picked", {"number": np.flatnonzero(mask) + chunk.first})
    [(total,)] = engine.execute("SELECT sum(amount) FROM chunk SEMI JOIN picked USING (number)").fetchall()
    return Decimal(total)
