"""The people and accounts that tests of the books share: Ada asks, Ben approves, Cem commands incidents, Dai audits."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import rfc8785

from junbikin.books.batch import Batch, Entries, saying
from junbikin.books.database import Books
from junbikin.books.journal import Actor, account_numbers, post
from junbikin.registry import people
from junbikin.registry.requests import ask_to_post, ask_to_record, decide

PASSWORD = "four words make passwords"  # noqa: S105 - of tests
ROLES = {
    "ada": ["reserve_officer"],
    "ben": ["approver"],
    "cem": ["incident_commander"],
    "dai": ["auditor"],
    "eva": ["administrator"],
}
ACCOUNTS = [
    "outside/JPY/world", "own/JPY/bank", "customer/JPY/pool/c1", "customer/JPY/pool/c2", "reserve/JPY/kaede", "reserve/JPY/minato",
    "reserve/JPY/booked", "own/JPY/booked", "outside/JPY/booked", "guarantee/BTC/vault", "own/BTC/vault", "customer/BTC/pool/c1",
    "outside/BTC/world", "insurer/JPY/policy-1", "administrator/JPY/estate",
]  # fmt: skip
PLACE = {
    "name": "Kaede Trust",
    "kind": "deposit",
    "dedicated": True,
    "on_trust": True,
    "jurisdiction": "JP",
    "realisable_days": 1,
}


@dataclass(frozen=True)
class Cast:
    """Everyone, ready to act, on books with the accounts above open."""

    books: Books
    people: dict[str, Actor]

    def __getattr__(self, name: str) -> Actor:
        try:
            return self.people[name]
        except KeyError:
            raise AttributeError(name) from None

    def batch(
        self,
        key: str,
        purpose: str,
        entries: Mapping[str, Decimal | int | str],
        at: datetime | None = None,
        **says: str,
    ) -> Batch:
        """A batch from account codes to amounts."""
        numbers = account_numbers(self.books, list(entries))
        content = saying({"purpose": purpose, **says})
        return Batch(key, content, Entries.of(numbers, entries.values()), f"test of {key}", at)

    def post(
        self,
        key: str,
        purpose: str,
        entries: Mapping[str, Decimal | int | str],
        at: datetime | None = None,
        **says: str,
    ) -> int:
        """Posts a batch that needs no approval, by Ada."""
        return post(self.books, self.ada, self.batch(key, purpose, entries, at, **says))

    def approved(
        self, key: str, purpose: str, entries: Mapping[str, Decimal | int | str], by: str = "ada", **says: str
    ) -> int | None:
        """Asks for a batch and lets Ben approve it."""
        number = ask_to_post(self.books, self.people[by], self.batch(key, purpose, entries, None, **says))
        return decide(self.books, self.ben, number, "approve", "looks right")

    def registered(self, kind: str, subject: str, says: Mapping[str, Any], at: datetime | None = None) -> None:
        """Asks for something to be put on record, and lets Ben approve it."""
        number = ask_to_record(self.books, self.ada, kind, subject, dict(says), "registered", at)
        decide(self.books, self.ben, number, "approve", "seen")

    def position(self) -> str:
        """The digest of a position on record, for what must cite one."""
        says = {"currency": "JPY", "digest": "e" * 64, "excess": None, "year_end": True}
        with self.books.driver() as connection:
            connection.execute(
                "SELECT books.put_on_record('position', 'rulebook', '2026-03-31T14:59:59.999999Z', %s)",
                [rfc8785.dumps(says).decode()],
            )
        return "e" * 64

    def pay_in(self, account: str, amount: Decimal | int | str, key: str = "") -> int:
        """Brings money into an account from outside or own funds."""
        asset, place = account.split("/")[1], account.split("/")[0]
        purpose, source = {
            "customer": ("deposit", "outside"),
            "own": ("income", "outside"),
            "reserve": ("fund", "own"),
        }[place]
        payer = {"outside": f"outside/{asset}/world", "own": f"own/{asset}/bank"}[source]
        return self.post(
            key or f"in:{account}:{amount}", purpose, {payer: f"-{amount}", account: str(amount)}, reference="r"
        )


def assembled(books: Books, accounts: Sequence[str] = ACCOUNTS) -> Cast:
    """The cast on new books."""
    for name in ("ada", "ben"):
        people.found(books, name, ROLES[name], PASSWORD, "founding")
    actors = {name: people.actor(books, name, PASSWORD) for name in ("ada", "ben")}
    cast = Cast(books, actors)
    for name in ("cem", "dai", "eva"):
        cast.registered("person", name, people.described(people.card(name, PASSWORD), ROLES[name]))
        actors[name] = people.actor(books, name, PASSWORD)
    for place in ("kaede", "minato", "vault"):
        cast.registered("place", place, PLACE)
    open_accounts(cast, accounts)
    return cast


def open_accounts(cast: Cast, codes: Sequence[str]) -> None:
    """Opens accounts by code."""
    rows = [dict(zip(("owner", "asset", "place", "holder"), code.split("/"), strict=False)) for code in codes]
    cast.books.call("open_accounts", cast.ada.name, cast.ada.secret, "needed", json.dumps(rows))
