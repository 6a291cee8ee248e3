"""How each payment of a plan stands, folded from the records of the books, chunk by chunk and without a row for each customer.

A set of payment numbers is written as PostgreSQL writes an `int8multirange`: `{[1,250001)}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from junbikin.books.claims import Act

Mask = NDArray[np.bool_]


WITHDRAWN = "withdrawn"
"""The reason of payments whose files were never handed in: they stand as if they had not been sent."""


class Standing(IntEnum):
    """How a payment stands: not sent yet, sent and not answered, settled, or sent and come back."""

    UNPAID = 0
    OUT = 1
    SETTLED = 2
    RETURNED = 3


@dataclass(frozen=True, slots=True)
class Sent:
    """One sending of a chunk: in which run, by which channel, when it was recorded, and what the record says."""

    record: int
    run: int
    channel: str
    at: datetime
    says: Mapping[str, object]


@dataclass(slots=True)
class Chunk:
    """The payments `first` to `first` + `people` − 1 of one asset; arrays are by payment number."""

    asset: str
    chunk: int
    first: int
    people: int
    status: NDArray[np.uint8]
    run: NDArray[np.int16]
    """The run in which each was last sent; 0: never."""
    sent: list[Sent] = field(default_factory=list)

    def where(self, standing: Standing) -> Mask:
        """Which of them stand so."""
        found: Mask = self.status == standing
        return found

    def sent_in(self, run: int, channel: str) -> Sent | None:
        """The sending of a run by a channel, if it is on record."""
        return next((one for one in self.sent if (one.run, one.channel) == (run, channel)), None)


def fold(acts: Iterable[Act]) -> dict[tuple[str, int], Chunk]:
    """(asset, chunk) → how its payments stand, of the entitlements, payouts and results of a plan in the order of their chunks and times."""
    chunks: dict[tuple[str, int], Chunk] = {}
    for act in acts:
        take(chunks, act)
    return chunks


def take(chunks: dict[tuple[str, int], Chunk], act: Act) -> Chunk:
    """Takes one more act into the chunks, after all of its chunk's before it, and returns the chunk that it is of."""
    of = act.asset, act.chunk
    if act.kind == "entitlement":
        people = int(act.says["people"])
        chunks[of] = Chunk(*of, int(act.says["first"]), people, np.zeros(people, np.uint8), np.zeros(people, np.int16))
    elif act.kind == "payout":
        _send(chunks[of], act)
    else:
        _answer(chunks[of], act.says)
    return chunks[of]


def _send(chunk: Chunk, act: Act) -> None:
    sent = Sent(act.record, int(act.says["run"]), act.says["channel"], act.recorded_at, act.says)
    mask = within(act.says["numbers"], chunk.first, chunk.people)
    chunk.status[mask] = Standing.OUT
    chunk.run[mask] = sent.run
    chunk.sent.append(sent)


def _answer(chunk: Chunk, says: Mapping[str, Any]) -> None:
    chunk.status[within(says["settled"], chunk.first, chunk.people)] = Standing.SETTLED
    for reason, numbers in says["returned"].items():
        standing = Standing.UNPAID if reason == WITHDRAWN else Standing.RETURNED
        chunk.status[within(numbers, chunk.first, chunk.people)] = standing


def within(numbers: str, first: int, people: int) -> Mask:
    """Which of the numbers `first` to `first` + `people` − 1 are in a set."""
    ends = np.array(re.findall(r"\d+", numbers), np.int64).reshape(-1, 2) - first
    steps = np.zeros(people + 1, np.int8)
    steps[ends[:, 0]] += 1
    steps[ends[:, 1]] -= 1
    inside: Mask = np.cumsum(steps[:people], dtype=np.int8).astype(bool)
    return inside


def numbers(mask: Mask, first: int) -> str:
    """The set of the numbers, counted from `first`, that a mask marks."""
    steps = np.diff(mask.astype(np.int8), prepend=0, append=0)
    starts, ends = np.flatnonzero(steps == 1) + first, np.flatnonzero(steps == -1) + first
    return "{" + ",".join(map("[{},{})".format, starts.tolist(), ends.tolist())) + "}"
