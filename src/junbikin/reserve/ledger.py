"""The reserve as the books and the registry have it on a day: its assets, what was booked, and the policies beside it.

They come as rows of the datasets `reserve_assets`, `reserve_entries` and `policies`, so that everything after this
reads them in one way, whether they were posted here or ingested from files.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar

from sqlalchemy import select

from junbikin.books.database import Books, telling
from junbikin.books.journal import balance, statement
from junbikin.books.schema import accounts, records
from junbikin.home import Home
from junbikin.registry.log import said
from junbikin.reserve.moves import BOOKED

_KINDS = {"accrual": "accrual", "compensation": "use", "release": "release"}


def end_of(day: date, home: Home) -> datetime:
    """The last instant of a day for the operator."""
    return datetime.combine(day + timedelta(days=1), time(), home.time_zone) - timedelta(microseconds=1)


@dataclass(frozen=True)
class Ledger:
    """Books and registry at the end of `as_of`, as known at `known_at`."""

    books: Books
    as_of: date
    known_at: datetime

    datasets: ClassVar[tuple[str, ...]] = ("reserve_assets", "reserve_entries", "policies")

    @property
    def at(self) -> datetime:
        """The last instant of `as_of`."""
        return end_of(self.as_of, self.books.home)

    def rows(self, dataset: str) -> list[dict[str, Any]]:
        """The rows of one of `datasets`, sorted by key."""
        rows: list[dict[str, Any]] = getattr(self, dataset)
        return rows

    @cached_property
    def _accounts(self) -> list[tuple[int, str, str, str]]:
        """Number, owner, asset and place of the accounts of the reserve and of insurers."""
        query = (
            select(accounts.c.id, accounts.c.owner, accounts.c.asset, accounts.c.place)
            .where(accounts.c.owner.in_(["reserve", "insurer"]))
            .order_by(accounts.c.code)
        )
        with telling(self.books.home), self.books.engine.connect() as connection:
            return [(row.id, row.owner, row.asset, row.place) for row in connection.execute(query)]

    @cached_property
    def reserve_assets(self) -> list[dict[str, Any]]:
        """What the reserve holds, account by account, with what its place makes of it."""
        places = said(self.books, "place", self.at, self.known_at)
        rows = []
        for number, owner, asset, place in self._accounts:
            if owner != "reserve" or place == BOOKED:
                continue
            held = balance(self.books, number, self.at, self.known_at)
            if held:
                rows.append(_asset(self.as_of, asset, place, held, places.get(place, {})))
        return rows

    @cached_property
    def booked(self) -> Decimal:
        """What of the reserve is booked: set aside, less what was used and released. In the home's currency."""
        mine = ("reserve", self.books.home.currency, BOOKED)
        booked = [account for account in self._accounts if account[1:] == mine]
        return sum((balance(self.books, number, self.at, self.known_at) for number, *_ in booked), Decimal(0))

    @cached_property
    def reserve_entries(self) -> list[dict[str, Any]]:
        """What was set aside, used and released, in the order in which it took effect; a reversal counts against its kind."""
        zone = self.books.home.time_zone
        rows = []
        for number, owner, _, place in self._accounts:
            if owner != "reserve" or place != BOOKED:
                continue
            for line in statement(self.books, number, None, self.at, self.known_at):
                kind = self._kind(json.loads(line.content))
                amount = line.amount if kind == "accrual" else -line.amount
                rows.append(
                    {
                        "entry_id": line.key,
                        "effective_on": line.effective_at.astimezone(zone).date(),
                        "kind": kind,
                        "amount_jpy": amount,
                        "evidence": f"record {line.record}",
                    }
                )
        return rows

    def _kind(self, content: dict[str, str]) -> str:
        if content["purpose"] != "reversal":
            return _KINDS[content["purpose"]]
        with telling(self.books.home), self.books.engine.connect() as connection:
            undone = connection.scalar(select(records.c.content).where(records.c.id == int(content["reverses"])))
        return _KINDS[json.loads(undone or "{}")["purpose"]]

    @cached_property
    def policies(self) -> list[dict[str, Any]]:
        """The policies in the registry, each with what one event could still be paid out of it."""
        paid = {
            place: -balance(self.books, number, self.at, self.known_at)
            for number, owner, asset, place in self._accounts
            if owner == "insurer" and asset == "JPY"
        }
        insurers = said(self.books, "insurer", self.at, self.known_at)
        return [
            _policy(self.as_of, policy, says, insurers, paid.get(policy, Decimal(0)))
            for policy, says in said(self.books, "policy", self.at, self.known_at).items()
        ]


def _asset(day: date, asset: str, place: str, held: Decimal, says: dict[str, Any]) -> dict[str, Any]:
    return {
        "as_of": day,
        "asset_id": f"{place}:{asset}",
        "kind": says.get("kind", "other"),
        "asset": asset,
        "quantity": held,
        "held_at": says.get("name", place),
        "dedicated": says.get("dedicated", False),
        "on_trust": says.get("on_trust", False),
        "jurisdiction": says.get("jurisdiction", ""),
        "realisable_days": Decimal(says.get("realisable_days", "99999")),
        "evidence": None,
    }


def _policy(
    day: date, policy: str, says: dict[str, Any], insurers: dict[str, dict[str, Any]], paid: Decimal
) -> dict[str, Any]:
    left = Decimal(says["aggregate_jpy"]) - paid
    ends = min(date.fromisoformat(says[name]) for name in ("effective_to", "cancelled_on") if says.get(name))
    return {
        "as_of": day,
        "policy_id": policy,
        "insurer": insurers.get(says["insurer"], {}).get("name", says["insurer"]),
        "approved_on": date.fromisoformat(says["approved_on"]) if says.get("approved_on") else None,
        "effective_from": date.fromisoformat(says["effective_from"]),
        "effective_to": ends,
        "causes": says["causes"],
        "storages": says["storages"],
        "remaining_jpy": max(min(left, Decimal(says["per_event_jpy"])), Decimal(0)),
        "deductible_jpy": Decimal(says["deductible_jpy"]),
        "evidence": f"aggregate {says['aggregate_jpy']}, paid {paid}",
    }
