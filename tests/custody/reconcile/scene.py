"""What tests of the reconciliation do: bring balances in on either side, state what is held, and reconcile in full or again."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from books.cast import Cast
from junbikin.books.database import Books
from junbikin.books.journal import Actor
from junbikin.custody.reconcile.breaks import Break
from junbikin.custody.reconcile.moment import Moment, moment_of
from junbikin.custody.reconcile.reconciliation import Reconciliation
from junbikin.custody.reconcile.run import WINDOW, Outcome, reconciled
from junbikin.facts.datasets import DATASETS
from junbikin.facts.ingest import Receipt, ingest
from junbikin.facts.lake import open_lake
from junbikin.facts.mappings import own_names
from junbikin.home import Home

DAY = date(2026, 4, 1)
HOLDERS = ("c1", "c2", "c3", "c4")
ACCOUNTS = [
    "outside/JPY/world", "outside/BTC/world", "own/JPY/bank", "own/BTC/vault", "own/BTC/kaede", "reserve/JPY/kaede",
    *(f"customer/{asset}/{place}/{holder}" for asset, place in (("BTC", "vault"), ("BTC", "kaede"), ("JPY", "kaede")) for holder in HOLDERS),
]  # fmt: skip


def at(day: date = DAY, hour: int = 12, minute: int = 0) -> datetime:
    """An instant of a day in UTC: three in the morning to midnight in Tokyo lie in hours 18 (of the day before) to 15."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


@dataclass
class Scene:
    """A home with facts and books."""

    home: Home
    books: Books
    people: dict[str, Actor]
    folder: Path
    _names: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def cast(self) -> Cast:
        """Everyone, ready to act."""
        return Cast(self.books, self.people)

    def facts(self, dataset: str, *rows: str, corrects: str = "") -> Receipt:
        """Ingests rows of a dataset; optional columns at the end left out."""
        width = max(len(row.split(",")) for row in rows)
        header = ",".join(column.name for column in DATASETS[dataset].columns[:width])
        file = self.folder / f"{dataset}-{next(self._names)}.csv"
        file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return ingest(self.home, DATASETS[dataset], [file], own_names(DATASETS[dataset]), corrects=corrects)

    def pay(
        self,
        holder: str,
        amount: Decimal | int | str,
        when: datetime | None = None,
        asset: str = "BTC",
        place: str = "vault",
    ) -> int:
        """A customer brings something in, or takes it out when the amount is below 0."""
        amount = Decimal(amount)
        purpose = "deposit" if amount > 0 else "withdrawal"
        entries = {f"outside/{asset}/world": -amount, f"customer/{asset}/{place}/{holder}": amount}
        return self.cast.post(f"p{next(self._names)}", purpose, entries, when, reference="r")

    def moment(self, day: date = DAY) -> Moment:
        """The end of a day, with the books as they are."""
        return moment_of(self.home, day, self.books)

    def outcome(self, moment: Moment | None = None, *, fresh: bool = False, window: timedelta = WINDOW) -> Outcome:
        """The reconciliation of a moment, from what is kept or believing nothing."""
        return reconciled(open_lake(self.home, fresh=fresh), moment or self.moment(), self.books, window)

    def found(self, day: date = DAY, window: timedelta = WINDOW) -> Reconciliation:
        """The reconciliation of a day."""
        return self.outcome(self.moment(day), window=window).reconciliation


def shown(breaks: Sequence[Break]) -> set[tuple[str, str, str, str, str | None]]:
    """Breaks as a test states them: compared, class, of, asset, amount."""
    return {
        (str(b.compared), str(b.kind), b.of, b.asset, None if b.amount is None else f"{b.amount.normalize():f}")
        for b in breaks
    }
