"""The channels (支払手段) by which payments go out: files for a bank, lists for a custodian, or customers' accounts here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Protocol

import duckdb
import numpy as np
from numpy.typing import NDArray

from junbikin.figures import Name
from junbikin.incidents.pay import iso20022, lists, zengin
from junbikin.incidents.pay.files import Written
from junbikin.incidents.pay.order import Order
from junbikin.incidents.pay.payees import Payees
from junbikin.incidents.pay.paying_bank import PayingBank

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Batch:
    """Payments of one chunk that go out together, by number. In its engine, which serves this chunk alone, the table `chunk` has
    number, account_id and amount of all of the chunk, and `picked` the numbers of these."""

    engine: duckdb.DuckDBPyConnection
    order: Order
    chunk: int
    numbers: Numbers
    total: Decimal

    @property
    def people(self) -> int:
        """How many are paid."""
        return len(self.numbers)

    @property
    def stem(self) -> str:
        """What the names of its files begin with."""
        return f"{self.order.asset}-{self.order.code:010d}-{self.chunk:04d}"

    def column(self, name: str, rows: str) -> NDArray[Any]:
        """A column of a query over the chunk."""
        found: NDArray[Any] = self.engine.execute(rows).fetchnumpy()[name]
        return found


PICKED = "SELECT number, account_id, amount FROM chunk SEMI JOIN picked USING (number)"
"""SQL of a batch's rows."""


class Channel(Protocol):
    """One way for payments to go out; `unfit` says why it cannot make some of them."""

    unfit: ClassVar[Name]

    def fit(self, batch: Batch) -> Numbers:
        """The numbers of a batch that it can pay; the others wait for another channel."""

    def write(self, batch: Batch, folder: Path) -> Sequence[Written]:
        """Writes the files that pay a batch into a folder; the same batch gives the same bytes."""

    def paid(self, batch: Batch, files: Sequence[Written]) -> None:
        """What follows at once when the sending of a batch is on record, of what is out of it. Doing it again changes nothing."""


@dataclass(frozen=True, slots=True)
class _Sent:
    """What is sent away is answered later."""

    payees: Payees

    unfit: ClassVar[Name] = Name("", "")

    def fit(self, batch: Batch) -> Numbers:
        """See `Channel`: all of them."""
        return batch.numbers

    def paid(self, batch: Batch, files: Sequence[Written]) -> None:
        """Nothing follows."""


@dataclass(frozen=True, slots=True)
class Zengin(_Sent):
    """Bulk transfer files (総合振込) for a bank."""

    bank: PayingBank

    unfit: ClassVar[Name] = Name(
        f"more than ¥{zengin.MOST:,}, which no transfer can carry: pay by another channel",
        f"1件の上限¥{zengin.MOST:,}を超える。他の支払手段で支払う",
    )

    def fit(self, batch: Batch) -> Numbers:
        """See `Channel`: those whose amount a transfer can carry."""
        return batch.column("number", f"SELECT number FROM ({PICKED}) WHERE amount <= {zengin.MOST} ORDER BY number")

    def write(self, batch: Batch, folder: Path) -> Sequence[Written]:
        """See `Channel`."""
        amounts = batch.column("amount", f"SELECT amount::BIGINT AS amount FROM ({PICKED}) ORDER BY number")
        records, order = self.payees.records[batch.numbers - 1], batch.order
        return zengin.write(self.bank, order.day, records, amounts, order.code, batch.numbers, folder, batch.stem)


@dataclass(frozen=True, slots=True)
class Iso20022(_Sent):
    """Customer credit transfers (`pain.001.001.09`) for a bank."""

    bank: PayingBank

    def write(self, batch: Batch, folder: Path) -> Sequence[Written]:
        """See `Channel`."""
        bank, order = self.bank, batch.order
        return iso20022.write(
            bank, order.day, self.payees, batch.engine, PICKED, order.asset, order.code, folder, batch.stem
        )


@dataclass(frozen=True, slots=True)
class Custodian(_Sent):
    """Lists of coins to be sent, for the custodian."""

    def write(self, batch: Batch, folder: Path) -> Sequence[Written]:
        """See `Channel`."""
        order = batch.order
        return lists.write(self.payees, batch.engine, PICKED, order.asset, order.code, folder, batch.stem)
