"""The channels (支払手段) by which payments go out: files for a bank, lists for a custodian, or customers' accounts here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import duckdb
import numpy as np
from numpy.typing import NDArray

from junbikin.books.accounts import open_accounts
from junbikin.books.claims import Claimants, record_result
from junbikin.books.columns import from_csv
from junbikin.books.database import Books
from junbikin.books.journal import Actor
from junbikin.facts.engine import literal
from junbikin.figures import plain
from junbikin.incidents.pay import iso20022, lists, zengin
from junbikin.incidents.pay.files import Written, digest_of
from junbikin.incidents.pay.order import Order
from junbikin.incidents.pay.payees import Payees
from junbikin.incidents.pay.paying_bank import PayingBank


@dataclass(frozen=True, slots=True)
class Batch:
    """Payments of one chunk that go out together, by number. In its engine, which serves this chunk alone, the table `chunk` has
    number, account_id and amount of all of the chunk, and `picked` the numbers of these."""

    engine: duckdb.DuckDBPyConnection
    order: Order
    chunk: int
    numbers: NDArray[np.int64]
    total: Decimal
    said: str
    """The numbers as the books write them."""

    @property
    def people(self) -> int:
        """How many are paid."""
        return len(self.numbers)

    @property
    def stem(self) -> str:
        """What the names of its files begin with."""
        return f"{self.order.asset}-{self.order.code:010d}-{self.chunk:04d}"


PICKED = "SELECT number, account_id, amount FROM chunk SEMI JOIN picked USING (number)"
"""SQL of a batch's rows."""


class Channel(Protocol):
    """One way for payments to go out."""

    def write(self, batch: Batch, folder: Path) -> Sequence[Written]:
        """Writes the files that pay a batch into a folder; the same batch gives the same bytes."""

    def paid(self, books: Books, who: Actor, why: str, batch: Batch, files: Sequence[Written]) -> None:
        """What follows at once when the sending of a batch is on record. Doing it again changes nothing."""


@dataclass(frozen=True, slots=True)
class _Sent:
    """What is sent away is answered later."""

    def paid(self, books: Books, who: Actor, why: str, batch: Batch, files: Sequence[Written]) -> None:
        """Nothing follows."""


@dataclass(frozen=True, slots=True)
class Zengin(_Sent):
    """Bulk transfer files (総合振込) for a bank."""

    bank: PayingBank
    payees: Payees

    def write(self, batch: Batch, folder: Path) -> Sequence[Written]:
        """See `Channel`."""
        rows = batch.engine.execute(f"SELECT amount::BIGINT AS amount FROM ({PICKED}) ORDER BY number").fetchnumpy()
        records = self.payees.records[batch.numbers - 1]
        order = batch.order
        return zengin.write(
            self.bank, order.day, records, rows["amount"], order.code, batch.numbers, folder, batch.stem
        )


@dataclass(frozen=True, slots=True)
class Iso20022(_Sent):
    """Customer credit transfers (`pain.001.001.09`) for a bank."""

    bank: PayingBank
    payees: Payees

    def write(self, batch: Batch, folder: Path) -> Sequence[Written]:
        """See `Channel`."""
        order = batch.order
        return iso20022.write(
            self.bank, order.day, self.payees, batch.engine, PICKED, order.asset, order.code, folder, batch.stem
        )


@dataclass(frozen=True, slots=True)
class Custodian(_Sent):
    """Lists of coins to be sent, for the custodian."""

    payees: Payees

    def write(self, batch: Batch, folder: Path) -> Sequence[Written]:
        """See `Channel`."""
        order = batch.order
        return lists.write(self.payees, batch.engine, PICKED, order.asset, order.code, folder, batch.stem)


@dataclass(frozen=True, slots=True)
class Accounts:
    """Customers' own accounts here, `customer/ASSET/PLACE/ACCOUNT`: the journal itself pays, and the file lists its entries."""

    claimant: Claimants
    place: str

    def write(self, batch: Batch, folder: Path) -> Sequence[Written]:
        """See `Channel`."""
        listed = folder / f"{batch.stem}.csv"
        batch.engine.execute(
            f"COPY (SELECT account, amount FROM ("
            f"SELECT 0 AS number, {literal(self.claimant.code)} AS account, {literal('-' + plain(batch.total))} AS amount "
            f"UNION ALL SELECT number, {self._code('account_id', batch.order.asset)}, amount::VARCHAR FROM ({PICKED})) ORDER BY number) "
            f"TO {literal(str(listed))} (HEADER, FORMAT csv)"
        )
        return [Written(listed, digest_of(listed), batch.people, batch.total)]

    def _code(self, account: str, asset: str) -> str:
        return f"concat('customer/', {literal(asset)}, '/', {literal(self.place)}, '/', {account})"

    def paid(self, books: Books, who: Actor, why: str, batch: Batch, files: Sequence[Written]) -> None:
        """Opens the accounts that are missing and settles the batch in the journal."""
        code = self._code("account_id", batch.order.asset)
        found = batch.engine.execute(f"SELECT {code} AS code FROM ({PICKED}) ORDER BY number").fetchnumpy()
        for _ in open_accounts(books, who, found["code"].tolist(), why):
            pass
        [listed] = files
        order = batch.order
        says = settled_says(batch, listed.sha256)
        entries = from_csv(books, listed.path)
        record_result(books, who, f"{order.plan}:{order.asset}:{batch.chunk}", None, says, entries, None, why)


def settled_says(batch: Batch, source: str) -> Mapping[str, Any]:
    """What the result of a batch says that is settled whole."""
    return {
        "asset": batch.order.asset,
        "channel": batch.order.channel,
        "chunk": str(batch.chunk),
        "people": str(batch.people),
        "returned": {},
        "returned_total": "0",
        "run": str(batch.order.run),
        "settled": batch.said,
        "settled_total": plain(batch.total),
        "source": source,
    }
