"""A reconciliation as a value: what was compared as of when, what each side comes to, and what differs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import rfc8785

from junbikin.books.proof.digests import instant
from junbikin.custody.reconcile.breaks import Break, Compared, Kind
from junbikin.figures import Name, plain

FORMAT = "junbikin-reconciliation-1"


@dataclass(frozen=True, slots=True)
class Total:
    """One asset on every side. `accounts` and `holders` count balances other than 0.

    `booked` is what the books owe customers, `unnamed` the part of it in accounts without a holder, `held` what the books or
    holdings have at places for any owner, `stated` what sources say of those places; None where that side says nothing.
    """

    asset: str
    accounts: int
    platform: Decimal | None
    holders: int
    booked: Decimal | None
    unnamed: Decimal | None
    held: Decimal | None
    stated: Decimal | None


@dataclass(frozen=True, slots=True)
class Count:
    """How many breaks of one comparison, class and asset there are, and what their amounts come to (None: they have none)."""

    compared: Compared
    kind: Kind
    asset: str
    count: int
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """All of it. `first` are the first breaks; every break is in the file `listed`, whose SHA-256 is `list_digest`.

    `at` is the instant that balances are of, `known_at` the one at which the books were read, `snapshot` the day of the customer
    balances, `holdings` that of the holdings that were used. `sources` are digests of what each side was made from.
    """

    operator: str
    as_of: date
    at: datetime
    known_at: datetime
    facts: str
    books: str | None
    snapshot: date | None
    holdings: date | None
    window_seconds: int
    sources: dict[str, str]
    totals: tuple[Total, ...]
    counts: tuple[Count, ...]
    first: tuple[Break, ...]
    list_digest: str
    notices: tuple[Name, ...]
    listed: Path = field(compare=False)

    @property
    def breaks(self) -> int:
        """How many there are."""
        return sum(count.count for count in self.counts)

    @property
    def blind(self) -> bool:
        """Whether nothing could be held against anything: something is not known at all, and no side has an amount of any asset."""
        return not self.totals and any(count.kind is Kind.UNKNOWN for count in self.counts)

    def document(self) -> dict[str, Any]:
        """As JSON: amounts and counts are strings where they may be large, and nothing in it depends on this machine."""
        return {
            "format": FORMAT,
            "operator": self.operator,
            "as_of": self.as_of.isoformat(),
            "at": instant(self.at),
            "known_at": instant(self.known_at),
            "facts": self.facts,
            "books": self.books,
            "snapshot": self.snapshot and self.snapshot.isoformat(),
            "holdings": self.holdings and self.holdings.isoformat(),
            "window_seconds": self.window_seconds,
            "sources": self.sources,
            "totals": [_total(total) for total in self.totals],
            "breaks": {
                "count": self.breaks,
                "digest": self.list_digest,
                "by_class": [_count(count) for count in self.counts],
                "first": [each.document() for each in self.first],
            },
            "notices": [notice.words for notice in self.notices],
        }

    @property
    def canonical(self) -> bytes:
        """The canonical JSON (RFC 8785) of the document."""
        return rfc8785.dumps(self.document())

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON, in hex."""
        return hashlib.sha256(self.canonical).hexdigest()


def _text(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def _total(total: Total) -> dict[str, Any]:
    amounts = {name: _text(getattr(total, name)) for name in ("platform", "booked", "unnamed", "held", "stated")}
    return {"asset": total.asset, "accounts": total.accounts, "holders": total.holders, **amounts}


def _count(count: Count) -> dict[str, Any]:
    return {
        "compared": str(count.compared),
        "class": str(count.kind),
        "asset": count.asset,
        "count": count.count,
        "amount": _text(count.amount),
    }
