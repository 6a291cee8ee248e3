"""Accounts (口座): whose property, of which asset, at which place; opened and frozen by one person."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import func, select

from junbikin.books.database import Books, telling
from junbikin.books.journal import Actor
from junbikin.books.schema import SCHEMA
from junbikin.books.schema import accounts as table
from junbikin.errors import BadInput

AT_ONCE = 10_000
"""Accounts that the books open in one turn."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account with what it holds now. `status` is open, frozen or closed."""

    code: str
    owner: str
    asset: str
    place: str
    holder: str
    status: str
    balance: Decimal


def accounts(books: Books, owner: str = "", asset: str = "", limit: int | None = None) -> list[Account]:
    """Accounts by code, of one owner and of one asset when given, at most `limit`."""
    balance = getattr(func, SCHEMA).balance(table.c.id)
    query = select(
        table.c.code, table.c.owner, table.c.asset, table.c.place, func.coalesce(table.c.holder, ""), table.c.status, balance
    ).order_by(table.c.code.collate("C")).limit(limit)  # fmt: skip
    query = query.where(table.c.owner == owner) if owner else query
    query = query.where(table.c.asset == asset) if asset else query
    with telling(books.home), books.engine.connect() as connection:
        return [Account(*row) for row in connection.execute(query)]


def open_accounts(books: Books, who: Actor, codes: Sequence[str], why: str) -> Iterator[tuple[int, int]]:
    """Opens accounts by code, some thousands a turn; after each gives how many codes are done and how many were new.

    Raises `BadInput` on what is no code of an account, before anything is opened.
    """
    described = [_described(code) for code in codes]
    for start in range(0, len(described), AT_ONCE):
        turn = described[start : start + AT_ONCE]
        yield start + len(turn), open_described(books, who, json.dumps(turn), why)


def open_described(books: Books, who: Actor, described: str, why: str) -> int:
    """Opens accounts that are described as a JSON list of owner, asset, place and holder, at most `AT_ONCE`; returns how many were new."""
    return int(books.call("open_accounts", who.name, who.secret, why, described))


def _described(code: str) -> dict[str, str]:
    parts = code.split("/")
    if len(parts) not in (3, 4) or not all(parts):
        raise BadInput(
            f"{code!r} is no code of an account", then="write owner/asset/place or owner/asset/place/holder, such as customer/JPY/trust-1/c-17"
        )  # fmt: skip
    return dict(zip(("owner", "asset", "place", "holder"), parts, strict=False))


def freeze(books: Books, who: Actor, code: str, why: str) -> int:
    """Freezes an account at once: nothing goes in or out. Returns the record."""
    return int(books.call("freeze", who.name, who.secret, code, why))
