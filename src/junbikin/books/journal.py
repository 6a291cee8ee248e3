"""The journal as Python sees it: batches of entries go in, balances and statements come out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ARRAY, Text, any_, cast, select, text

from junbikin.books.batch import Batch
from junbikin.books.database import Books, telling
from junbikin.books.schema import accounts, balances, records
from junbikin.errors import BooksRefused
from junbikin.figures.amounts import EXACT

_POST = "SELECT books.post(%s::text, %s::bytea, %s::text, %s::timestamptz, %s::text, %s::text, %s::bigint[], %s::numeric[], %s::bigint)"

_BALANCE = text("SELECT books.balance(:account, CAST(:at AS timestamptz), CAST(:known_at AS timestamptz))")

_WAIT = text("SELECT pg_advisory_xact_lock_shared(7101, strand) FROM books.strands ORDER BY strand")
_NOW = text("SELECT clock_timestamp()")


@dataclass(frozen=True, slots=True)
class Actor:
    """A person who acts, and what Argon2id made of their password: never written anywhere."""

    name: str
    secret: bytes


def post(books: Books, actor: Actor, batch: Batch, request: int | None = None) -> int:
    """Posts a batch and returns its record. The same batch again returns the same record.

    `request` is the approved request that it is part of. Raises `BooksRefused` with the rule that forbids it, or
    when the key is known with other content.
    """
    said = batch.key, batch.effective_at, batch.why, batch.content, batch.entries.numbers, batch.entries.amounts
    with telling(books.home), books.driver() as connection, connection.cursor() as cursor:
        cursor.execute(_POST, (actor.name, actor.secret, *said, request), prepare=True)
        [(record,)] = cursor.fetchall()
    return int(record)


def posted(books: Books, key: str) -> int | None:
    """The record of the batch with this key, if there is one."""
    with telling(books.home), books.engine.connect() as connection:
        return connection.scalar(select(records.c.id).where(records.c.kind == "batch", records.c.key == key))


def account_numbers(books: Books, codes: Sequence[str]) -> list[int]:
    """The numbers of accounts by code, in the order given. Raises `BooksRefused`, naming the first that is not there."""
    with telling(books.home), books.engine.connect() as connection:
        asked = cast(sorted(set(codes)), ARRAY(Text))
        query = select(accounts.c.code, accounts.c.id).where(accounts.c.code == any_(asked))
        found = {row.code: row.id for row in connection.execute(query)}
    missing = next((code for code in codes if code not in found), None)
    if missing is not None:
        raise BooksRefused(
            f"there is no account {missing}",
            then="see `junbikin books accounts`, or open it with `junbikin books open`",
        )
    return [found[code] for code in codes]


def balance(books: Books, account: int, at: datetime | None = None, known_at: datetime | None = None) -> Decimal:
    """What an account holds at an effective time, as known at a recorded time (each None: now); no history is summed."""
    with telling(books.home), books.engine.connect() as connection:
        found = connection.scalar(
            _BALANCE, {"account": account, "at": at or "infinity", "known_at": known_at or "infinity"}
        )
    return Decimal(found)


def known_now(books: Books) -> datetime:
    """An instant up to which everything recorded is known: whoever is writing is waited for, so that no record of before
    it can still appear."""
    with telling(books.home), books.engine.begin() as connection:
        connection.execute(_WAIT)
        now: datetime = connection.execute(_NOW).scalar_one()
        return now


@dataclass(frozen=True, slots=True)
class Line:
    """A batch as one account sees it; `balance` is what the account holds after it, in effective order."""

    record: int
    key: str
    effective_at: datetime
    recorded_at: datetime
    recorded_by: str
    why: str
    content: str
    amount: Decimal
    balance: Decimal


def statement(
    books: Books,
    account: int,
    since: datetime | None = None,
    until: datetime | None = None,
    known_at: datetime | None = None,
    limit: int | None = None,
) -> Iterator[Line]:
    """An account's batches effective after `since` and not after `until`, as known at `known_at`, in effective order.

    The first `limit` of them, if given.
    """
    at, known = balances.c.effective_at, balances.c.recorded_at
    query = (
        select(
            balances.c.record,
            records.c.key,
            at,
            known,
            records.c.recorded_by,
            records.c.why,
            records.c.content,
            balances.c.amount,
        )
        .join(records, records.c.id == balances.c.record)
        .where(balances.c.account == account)
        .order_by(at, known)
        .limit(limit)
    )
    # What is effective later is recorded later: this condition finds the first row by the index.
    query = query.where(at > since, known > since) if since else query
    query = query.where(at <= until) if until else query
    query = query.where(known <= known_at) if known_at else query
    running = balance(books, account, since, known_at) if since else Decimal(0)
    with telling(books.home), books.engine.connect().execution_options(yield_per=1000) as connection:
        for row in connection.execute(query):
            running = EXACT.add(running, row.amount)
            yield Line(*row, running)
