"""The reserve as the books and the registry have it on a day: its assets, what was booked, and the policies beside it.

They come as rows of the datasets `reserve_assets`, `reserve_entries` and `policies`, so that everything after this
reads them in one way, whether they were posted here or ingested from files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar

from sqlalchemy import func, select

from junbikin.books.database import Books, telling
from junbikin.books.journal import statement
from junbikin.books.schema import accounts, records
from junbikin.errors import BooksProblem
from junbikin.figures.amounts import EXACT
from junbikin.registry.log import said
from junbikin.reserve.losses import incidents_on_record
from junbikin.reserve.moves import BOOKED

_KINDS = {"accrual": "accrual", "compensation": "use", "release": "release"}


@dataclass(frozen=True, slots=True)
class _Account:
    code: str
    number: int
    owner: str
    place: str
    asset: str
    holds: Decimal


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
        return self.books.home.end_of(self.as_of)

    def rows(self, dataset: str) -> list[dict[str, Any]]:
        """The rows of one of `datasets`."""
        rows: list[dict[str, Any]] = getattr(self, dataset)
        return rows

    @cached_property
    def _accounts(self) -> list[_Account]:
        """The accounts of the reserve and of insurers, by code."""
        holds = func.books.balance(accounts.c.id, self.at, self.known_at)
        query = select(
            accounts.c.code, accounts.c.id, accounts.c.owner, accounts.c.place, accounts.c.asset, holds
        ).where(accounts.c.owner.in_(["reserve", "insurer"]))
        with telling(self.books.home), self.books.engine.connect() as connection:
            return [_Account(*row) for row in sorted(connection.execute(query).all())]

    def _held(self) -> dict[tuple[str, str], Decimal]:
        """(place, asset) → what the reserve holds there, whoever the holders are."""
        held: dict[tuple[str, str], Decimal] = {}
        for account in self._accounts:
            if account.owner == "reserve":
                there = account.place, account.asset
                held[there] = EXACT.add(held.get(there, Decimal(0)), account.holds)
        return held

    @cached_property
    def reserve_assets(self) -> list[dict[str, Any]]:
        """What the reserve holds, asset by asset and place by place, with what the place makes of it."""
        places = said(self.books, "place", self.at, self.known_at)
        rows = []
        for (place, asset), held in self._held().items():
            if held and place != BOOKED:
                with _reading("place", place):
                    rows.append(_asset(self.as_of, asset, place, held, places.get(place, {})))
        return rows

    @cached_property
    def incidents(self) -> list[dict[str, Any]]:
        """Every incident on record that had happened: they stand beside those ingested from files, and before those of the same id."""
        return incidents_on_record(self.books, self.at, self.known_at)

    @cached_property
    def unplaced(self) -> list[str]:
        """Places where the reserve holds something and which were not registered then."""
        places = said(self.books, "place", self.at, self.known_at)
        held = {place for (place, _), amount in self._held().items() if amount and place != BOOKED}
        return sorted(held - set(places))

    @cached_property
    def overpaid(self) -> dict[str, Decimal]:
        """Policy → what was paid out of it beyond its aggregate, in JPY."""
        aggregates = {
            policy: Decimal(says["aggregate_jpy"])
            for policy, says in said(self.books, "policy", self.at, self.known_at).items()
            if "aggregate_jpy" in says
        }
        beyond = {
            policy: EXACT.subtract(paid, aggregates[policy])
            for policy, paid in self._paid().items()
            if policy in aggregates
        }
        return {policy: amount for policy, amount in beyond.items() if amount > 0}

    @cached_property
    def booked(self) -> Decimal:
        """What of the reserve is booked: set aside, less what was used and released. In the home's currency."""
        return self._held().get((BOOKED, self.books.home.currency), Decimal(0))

    @cached_property
    def reserve_entries(self) -> list[dict[str, Any]]:
        """What was set aside, used and released, in the home's currency and in the order in which it took effect.

        A reversal counts against its kind.
        """
        zone, booked = self.books.home.time_zone, ("reserve", BOOKED, self.books.home.currency)
        rows = []
        for account in self._accounts:
            if (account.owner, account.place, account.asset) != booked:
                continue
            for line in statement(self.books, account.number, None, self.at, self.known_at):
                kind = _KINDS[self._purpose(line.content)]
                amount = line.amount if kind == "accrual" else EXACT.minus(line.amount)
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

    def _purpose(self, content: str) -> str:
        """The purpose of a batch, or of the batch that it undoes."""
        says: dict[str, str] = json.loads(content)
        if says["purpose"] != "reversal":
            return says["purpose"]
        with telling(self.books.home), self.books.engine.connect() as connection:
            undone = connection.scalar(select(records.c.content).where(records.c.id == int(says["reverses"])))
        return str(json.loads(undone or "{}")["purpose"])

    def _paid(self) -> dict[str, Decimal]:
        """Policy → what its insurer paid out of it, in JPY. A premium pays for the policy and does not fill it up again."""
        paid: dict[str, Decimal] = {}
        for account in self._accounts:
            if (account.owner, account.asset) == ("insurer", "JPY"):
                for line in statement(self.books, account.number, None, self.at, self.known_at):
                    if self._purpose(line.content) != "premium":
                        paid[account.place] = EXACT.subtract(paid.get(account.place, Decimal(0)), line.amount)
        return paid

    @cached_property
    def policies(self) -> list[dict[str, Any]]:
        """The policies in the registry, each with what one event could still be paid out of it."""
        paid = self._paid()
        insurers = said(self.books, "insurer", self.at, self.known_at)
        rows = []
        for policy, says in said(self.books, "policy", self.at, self.known_at).items():
            with _reading("policy", policy):
                rows.append(_policy(self.as_of, policy, says, insurers, paid.get(policy, Decimal(0))))
        return rows


@contextmanager
def _reading(kind: str, subject: str) -> Iterator[None]:
    """What is on record of a subject is read inside. Raises `BooksProblem` when it lacks a field or cannot be read."""
    try:
        yield
    except (KeyError, TypeError, ValueError, ArithmeticError) as problem:
        raise BooksProblem(
            f"the {kind} {subject} is on record in a way that cannot be read: {problem!r}", where=f"{kind} {subject}",
            then=f"have it registered anew with `junbikin registry set {kind} {subject}`",
        ) from problem  # fmt: skip


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
    left = EXACT.subtract(Decimal(says["aggregate_jpy"]), paid)
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
