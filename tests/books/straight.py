"""Straight over SQL as the application's role: how someone acts who has taken over the application, or has no use for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Barrier
from typing import Any

import psycopg
import pytest
import rfc8785

from .cast import Cast

_POST = "SELECT books.post(%s::text, %s::bytea, %s::text, %s::timestamptz, %s::text, %s::text, %s::bigint[], %s::numeric[], %s::bigint)"
_DIGEST = "SELECT books.batch_digest_hex(%s::text, %s::timestamptz, %s::text, %s::text, %s::text)"


@dataclass(frozen=True)
class Entries:
    """A batch as SQL has it: key, effective time, content, accounts and amounts as the literals of arrays."""

    key: str
    content: str
    accounts: str
    amounts: str
    effective_at: str | None = None


def saying(**says: Any) -> str:
    """Canonical JSON."""
    return rfc8785.dumps(says).decode()


@dataclass(frozen=True)
class Straight:
    """A connection of the application's role, and the secrets of the cast."""

    connection: psycopg.Connection[Any]
    cast: Cast

    def value(self, statement: str, *parameters: Any) -> Any:
        """The one value that a statement gives."""
        row = self.connection.execute(statement.encode(), parameters).fetchone()
        assert row is not None
        return row[0]

    def post(self, who: str, batch: Entries, request: int | None = None, why: str = "why") -> int:
        actor = self.cast.people[who]
        return int(
            self.value(
                _POST, actor.name, actor.secret, batch.key, batch.effective_at, why, batch.content, batch.accounts,
                batch.amounts, request,
            )
        )  # fmt: skip

    def digest(self, batch: Entries) -> str:
        return str(self.value(_DIGEST, batch.key, batch.effective_at, batch.content, batch.accounts, batch.amounts))

    def request(self, who: str, key: str, content: str) -> int:
        actor = self.cast.people[who]
        return int(self.value("SELECT books.request(%s, %s, %s, 'why', %s)", actor.name, actor.secret, key, content))

    def request_to_post(self, who: str, key: str, batches: list[Entries]) -> int:
        """Asks for batches by their digests; each is posted later."""
        digests = {batch.key: self.digest(batch) for batch in batches}
        return self.request(who, key, saying(action="post", batches=digests))

    def decide(self, who: str, request: int | None, verdict: str | None = "approve") -> Any:
        actor = self.cast.people[who]
        return self.value("SELECT books.decide(%s, %s, %s, %s, 'why')", actor.name, actor.secret, request, verdict)

    @contextmanager
    def undone(self) -> Iterator[None]:
        """What happens inside is rolled back."""
        with self.connection.transaction(force_rollback=True):
            yield

    @contextmanager
    def refused(self, words: str = "") -> Iterator[None]:
        """The books refuse what happens inside, with these words among theirs."""
        with (
            pytest.raises(psycopg.Error, match=re.escape(words) if words else None) as told,
            self.connection.transaction(),
        ):
            yield
        assert told.value.sqlstate == "JB001", told.value

    @contextmanager
    def impossible(self) -> Iterator[None]:
        """The database refuses what happens inside, in whatever words."""
        with pytest.raises(psycopg.Error), self.connection.transaction():
            yield


@contextmanager
def straight(cast: Cast) -> Iterator[Straight]:
    """A connection of its own; each statement is its own transaction."""
    with psycopg.connect(cast.books.home.database, autocommit=True, options="-c timezone=UTC") as connection:
        yield Straight(connection, cast)


def at_once(cast: Cast, *acts: Callable[[Straight], object]) -> list[object]:
    """What each act returns or is refused with, all begun at the same instant, each over a connection of its own."""
    ready = Barrier(len(acts))

    def act(one: Callable[[Straight], object]) -> object:
        with straight(cast) as sql:
            ready.wait()
            try:
                return one(sql)
            except psycopg.Error as problem:
                return problem

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(act, acts))
