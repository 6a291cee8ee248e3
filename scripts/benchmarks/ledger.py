"""New books for a bench: a home with its own server, two people, customers with money, and batches of random trades."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from junbikin.books import server
from junbikin.books.batch import Batch, Entries, saying
from junbikin.books.database import Books, make_books, open_books
from junbikin.books.journal import Actor, account_numbers, post
from junbikin.home import create_home
from junbikin.registry import people

PASSWORD = "four words make passwords"  # noqa: S105 - of a bench
TRADE = '{"evidence":"fills of the venue","purpose":"trade","reference":"77123"}'
WORLD = "outside/JPY/world"


@dataclass(frozen=True)
class Ledger:
    """Open books, who posts, the connection of their owner, the customers' accounts and the one outside."""

    books: Books
    ada: Actor
    owner: psycopg.Connection[Any]
    customers: Sequence[int]
    world: int

    def post(self, key: str, entries: Entries) -> None:
        """Posts a trade."""
        self.post_as(key, TRADE, entries)

    def post_as(self, key: str, says: str, entries: Entries) -> None:
        """Posts entries for what `says`, canonical JSON, tells."""
        post(self.books, self.ada, Batch(key, says, entries, "fills"))


@contextmanager
def ledger(path: Path, customers: int) -> Iterator[Ledger]:
    """New books at a path, with customers who have 10^9 yen each. The server stops when they are left."""
    home = create_home(path, "Bench")
    make_books(home)
    with open_books(home) as books:
        for name, role in (("ada", "reserve_officer"), ("ben", "approver")):
            people.found(books, name, [role], PASSWORD, "founding")
        ada = people.actor(books, "ada", PASSWORD)
        numbers = opened(books, ada, [WORLD, *(f"customer/JPY/pool/{n}" for n in range(customers))])
        world, given = numbers[0], numbers[1:]
        says = saying({"purpose": "deposit", "reference": "first"})
        first = Entries.of(numbers, [-(10**9) * len(given), *[10**9] * len(given)])
        post(books, ada, Batch("first", says, first, "first money"))
        address = f"host={server.start(home.books)} port={server.PORT} user=postgres dbname=postgres"
        with psycopg.connect(address, autocommit=True) as owner:
            owner.execute("VACUUM (ANALYZE)")
            yield Ledger(books, ada, owner, given, world)
    server.let_go(home.books)


def opened(books: Books, who: Actor, codes: Sequence[str]) -> list[int]:
    """Opens accounts by code and returns their numbers."""
    for first in range(0, len(codes), 10_000):
        words = [code.split("/") for code in codes[first : first + 10_000]]
        rows = [dict(zip(("owner", "asset", "place", "holder"), each, strict=False)) for each in words]
        books.call("open_accounts", who.name, who.secret, "bench", json.dumps(rows))
    return account_numbers(books, codes)


def trades(accounts: Sequence[int], entries: int, seed: int) -> Entries:
    """Random yen from random accounts to random accounts."""
    chance = random.Random(seed)  # noqa: S311 - only has to be repeatable
    chosen = chance.choices(accounts, k=entries)
    yen = [chance.randint(1, 1000) for _ in range(entries // 2)]
    return Entries("{" + ",".join(map(str, chosen)) + "}", "{" + ",".join(f"-{each},{each}" for each in yen) + "}")
