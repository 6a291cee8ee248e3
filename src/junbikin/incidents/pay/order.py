"""The order of a run: everything that its files and its records follow from. It is kept before the first payment of the run is
recorded, so that whoever runs it again after a failure makes the same ones."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

import rfc8785

from junbikin.errors import BadInput
from junbikin.home import Home
from junbikin.incidents.folders import runs_folder
from junbikin.incidents.pay.files import settle, writing
from junbikin.incidents.pay.paying_bank import check_new_value_day
from junbikin.incidents.standing import Chunk

RUNS = 1000
"""Runs that a plan can have, and one: three digits of an order's code are the run."""
CODES = 10**7


@dataclass(frozen=True, slots=True)
class Order:
    """One run of payments of one asset by one channel.

    `bank` is the registered paying bank ("": none pays), `value_on` the day on which it shall pay, `place` where customers' own
    accounts are ("": they are not paid there), `payees` the digest of who can be paid how ("": nobody need be known).
    """

    incident: str
    plan: str
    asset: str
    channel: str
    bank: str = ""
    value_on: str = ""
    place: str = ""
    payees: str = ""
    run: int = 0

    @property
    def code(self) -> int:
        """The number that bank files carry: seven digits of the plan, three of the run."""
        return plan_code(self.plan) * RUNS + self.run

    @property
    def day(self) -> date:
        """The day on which the bank shall pay."""
        return date.fromisoformat(self.value_on)

    def folder(self, home: Home) -> Path:
        """Where its files are."""
        return runs_folder(home, self.incident, self.plan) / f"run-{self.run:03d}"


def plan_code(plan: str) -> int:
    """The seven digits by which bank files name a plan."""
    return int(plan, 16) % CODES


DONE = "files.csv"
"""The list of a run's files, written last: with it the run is whole."""
_ORDER = "order.json"


def opened(home: Home, asked: Order, chunks: Iterable[Chunk]) -> Order:
    """The order to carry out: the last one when it was not finished, else a new one. It is on disk when this returns.

    Raises `BadInput` when the last run was not finished and something else is asked for, when a new one shall pay on a day that is past, far
    ahead or no business day, or when there were 999 runs.
    """
    last = max((sent.run for chunk in chunks for sent in chunk.sent), default=0)
    folder = replace(asked, run=last).folder(home)
    if last and not (folder / DONE).exists():
        begun = order_in(folder)
        if replace(begun, run=0, payees=asked.payees) != asked:
            raise BadInput(
                f"run {last} of this plan was not finished", where=str(folder),
                then=f"finish it first: pay {begun.asset} by {begun.channel} with the same options",
            )  # fmt: skip
        return begun
    if last + 1 >= RUNS:
        raise BadInput(f"this plan has had {last} runs", then="make a new plan for what is left")
    if asked.value_on:
        check_new_value_day(asked.day, home.today())
    order = replace(asked, run=last + 1)
    _keep(order.folder(home), order)
    return order


def order_in(folder: Path) -> Order:
    """The order of a run. Raises `BadInput` when it is missing or cannot be read."""
    try:
        return Order(**json.loads((folder / _ORDER).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        raise BadInput(
            "the order of a run is missing or cannot be read", where=str(folder / _ORDER),
            then="restore the home's folder incidents/ from a backup: the order says by which bank and on which day was paid",
        ) from None  # fmt: skip


def _keep(folder: Path, order: Order) -> None:
    with writing(folder / _ORDER) as file:
        file.write(rfc8785.dumps(asdict(order)))
    settle(folder)
