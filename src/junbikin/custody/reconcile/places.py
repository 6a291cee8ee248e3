"""What is held at places: by the books as far as they keep it, else by holdings; and what sources state of those places."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

import duckdb
import rfc8785
from sqlalchemy import text

from junbikin.books.database import Books, telling
from junbikin.books.proof.digests import instant
from junbikin.custody.reconcile.moment import Moment
from junbikin.facts.engine import parquet
from junbikin.facts.lake import Lake
from junbikin.figures import plain
from junbikin.figures.amounts import EXACT

Place = tuple[str, str]
"""A place and an asset there."""

_CUSTOMERS = text("""
    WITH RECURSIVE assets AS (
      (SELECT asset FROM books.accounts WHERE owner = 'customer' ORDER BY asset LIMIT 1)
      UNION ALL
      SELECT (SELECT a.asset FROM books.accounts a WHERE a.owner = 'customer' AND a.asset > s.asset ORDER BY a.asset LIMIT 1)
      FROM assets s WHERE s.asset IS NOT NULL)
    SELECT asset, EXISTS (SELECT 1 FROM books.accounts a WHERE a.owner = 'customer' AND a.asset = s.asset AND a.holder IS NOT NULL)
    FROM assets s WHERE asset IS NOT NULL
""")
"""The assets that customers have accounts in, and whether accounts with a holder; each asset is found by one step in the index."""

_OTHERS = text("""
    SELECT owner, asset, place, sum(books.balance(id, :at, :known)) FROM books.accounts
    WHERE owner IN ('reserve', 'guarantee', 'own', 'administrator') AND place <> 'booked' GROUP BY owner, asset, place
""")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

VOUCHED = ("customer", "guarantee", "reserve")
"""Whose assets somebody outside must vouch for."""


@dataclass(frozen=True, slots=True)
class Customers:
    """The assets that the books keep for customers: `named` with a holder for each account, `all` with or without."""

    named: tuple[str, ...]
    all: tuple[str, ...]


def customers_of(books: Books | None) -> Customers:
    """Nothing without books."""
    if books is None:
        return Customers((), ())
    with telling(books.home), books.engine.connect() as connection:
        found = sorted((asset, named) for asset, named in connection.execute(_CUSTOMERS))
    return Customers(tuple(asset for asset, named in found if named), tuple(asset for asset, _ in found))


@dataclass(frozen=True, slots=True)
class Statement:
    """What a source states of an asset at a place, of a day, and perhaps of an instant in it."""

    as_of: date
    place: str
    asset: str
    quantity: Decimal
    source: str
    reference: str | None
    stated_at: datetime | None


@dataclass(frozen=True)
class Places:
    """Both sides. `booked` is (owner, asset) → place → quantity as the books have it; what they do not keep is from holdings."""

    lake: Lake
    moment: Moment
    booked: dict[tuple[str, str], dict[str, Decimal]]
    statements: tuple[Statement, ...]

    @cached_property
    def holdings_day(self) -> date | None:
        """The day of the newest holdings on or before the day."""
        return self._day_of_holdings(self.moment.as_of)

    def _day_of_holdings(self, day: date) -> date | None:
        newest = max(self.lake.days("holdings", end=day), default=None)
        return date.fromisoformat(newest) if newest else None

    def by_owner(self, day: date) -> dict[tuple[str, str], dict[str, Decimal]]:
        """(owner, asset) → place → quantity: by the books as of the moment, and of a day what else there is in holdings."""
        held = {key: dict(at) for key, at in self.booked.items()}
        newest = self._day_of_holdings(day)
        for row in self.lake.rows("holdings", self.lake.days("holdings", newest, newest)) if newest else ():
            key = row["owner"], row["asset"]
            if key not in self.booked:
                at = held.setdefault(key, {})
                at[row["location_id"]] = EXACT.add(at.get(row["location_id"], Decimal(0)), row["quantity"])
        return held

    @cached_property
    def held(self) -> dict[Place, Decimal]:
        """(place, asset) → what is there on the day, whoever owns it."""
        return _together(self.by_owner(self.moment.as_of))

    def held_on(self, day: date) -> dict[Place, Decimal]:
        """The same, with the holdings of an earlier day."""
        return self.held if day == self.moment.as_of else _together(self.by_owner(day))

    @cached_property
    def to_vouch(self) -> dict[Place, Decimal]:
        """(place, asset) → what is there of `VOUCHED`."""
        held = self.by_owner(self.moment.as_of)
        return _together({key: at for key, at in held.items() if key[0] in VOUCHED})

    def in_books(self, place: Place) -> bool:
        """Whether the books keep the asset for anybody, and so say what was at a place at any other time."""
        return any(asset == place[1] for _, asset in self.booked)

    @cached_property
    def newest(self) -> dict[Place, list[Statement]]:
        """(place, asset) → the statements of the day; if there are none, the newest of each source."""
        found: dict[Place, list[Statement]] = {}
        for statement in self.statements:
            found.setdefault((statement.place, statement.asset), []).append(statement)
        return {
            place: [s for s in stated if s.as_of == self.moment.as_of] or stated
            for place, stated in sorted(found.items())
        }

    @property
    def digest(self) -> str:
        """SHA-256 of both sides as canonical JSON."""
        held = [[place, asset, plain(quantity)] for (place, asset), quantity in sorted(self.held.items())]
        stated: list[list[str | None]] = [
            [s.as_of.isoformat(), s.place, s.asset, plain(s.quantity), s.source, s.reference, instant(s.stated_at) if s.stated_at else None]
            for s in self.statements
        ]  # fmt: skip
        return hashlib.sha256(rfc8785.dumps({"held": held, "stated": stated})).hexdigest()


def _together(held: dict[tuple[str, str], dict[str, Decimal]]) -> dict[Place, Decimal]:
    found: dict[Place, Decimal] = {}
    for (owner, asset), at in held.items():
        for place, quantity in at.items():
            # An own account that is overdrawn stands for what was paid: it is nothing that is held.
            if owner != "own" or quantity > 0:
                found[place, asset] = EXACT.add(found.get((place, asset), Decimal(0)), quantity)
    return {place: quantity for place, quantity in sorted(found.items()) if quantity}


def places_of(
    engine: duckdb.DuckDBPyConnection, lake: Lake, books: Books | None, moment: Moment, customers: Customers
) -> Places:
    """What is held and stated at a moment; `kept.places` has the customers' part of the books."""
    booked: dict[tuple[str, str], dict[str, Decimal]] = {("customer", asset): {} for asset in customers.all}
    if books is not None:
        rows: list[Any] = [
            ("customer", asset, place, quantity)
            for place, asset, quantity in engine.execute(
                "SELECT place, asset, sum(quantity) FROM kept.places GROUP BY ALL HAVING sum(quantity) <> 0"
            ).fetchall()
        ]
        with telling(books.home), books.engine.connect() as connection:
            rows += connection.execute(_OTHERS, {"at": moment.at, "known": moment.known_at}).all()
        for owner, asset, place, quantity in rows:
            booked.setdefault((owner, asset), {})[place] = quantity
    return Places(lake, moment, booked, _statements(engine, lake, moment.as_of))


def _statements(engine: duckdb.DuckDBPyConnection, lake: Lake, as_of: date) -> tuple[Statement, ...]:
    """The newest statement of each source of each place and asset, on or before a day."""
    paths = [
        str(lake.home.facts / s.file) for segments in lake.days("statements", end=as_of).values() for s in segments
    ]
    if not paths:
        return ()
    rows = engine.execute(
        "SELECT as_of, location_id, asset, quantity, source, reference, epoch_us(stated_at) FROM "
        f"{parquet(paths)} QUALIFY row_number() OVER (PARTITION BY location_id, asset, source ORDER BY as_of DESC) = 1 ORDER BY ALL"
    ).fetchall()
    return tuple(
        Statement(
            as_of,
            place,
            asset,
            quantity,
            source,
            reference,
            None if us is None else _EPOCH + timedelta(microseconds=us),
        )
        for as_of, place, asset, quantity, source, reference, us in rows
    )
