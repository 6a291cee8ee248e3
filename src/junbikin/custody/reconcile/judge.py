"""Breaks that are not of single accounts: of places and their statements, of assets, of what could not be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

import duckdb

from junbikin.books.database import Books
from junbikin.custody.reconcile import timing
from junbikin.custody.reconcile.booked import begun
from junbikin.custody.reconcile.breaks import Compared, Kind
from junbikin.custody.reconcile.listing import Row
from junbikin.custody.reconcile.places import Customers, Place, Places, Statement
from junbikin.custody.reconcile.reconciliation import Total
from junbikin.facts.lake import Lake
from junbikin.registry.log import said
from junbikin.reserve.prices import Prices

NONE = Decimal(0)

BALANCES, HOLDINGS = "customer_balances", "holdings"
"""The sides without which there is nothing to hold against each other, by the datasets that bring them."""


def unknown(told: bool, sides: Places, books: Books | None) -> Iterator[Row]:
    """Sides that say nothing at all: that is no agreement. `told` is whether any balances of customers are known."""
    if not told:
        yield Compared.KNOWN, Kind.UNKNOWN, BALANCES, "", "", None, None
    if sides.holdings_day is None and not sides.held and not (books and begun(books, sides.moment)):
        yield Compared.KNOWN, Kind.UNKNOWN, HOLDINGS, "", "", None, None


def places(sides: Places, books: Books | None, window: timedelta) -> Iterator[Row]:
    """What books or holdings say of each place, held against each source; and the sources against each other."""
    doubtful = [
        (place, statement)
        for place, statements in sides.newest.items()
        for statement in statements
        if sides.held_on(statement.as_of).get(place, NONE) != statement.quantity
    ]
    yield from _differing(sides, books, window, doubtful)
    for (place, asset), statements in sides.newest.items():
        first = statements[0]
        for other in statements[1:]:
            if other.as_of == first.as_of == sides.moment.as_of and other.quantity != first.quantity:
                source = f"{first.source} / {other.source}"
                yield Compared.SOURCES, Kind.DISAGREE, place, asset, source, first.quantity, other.quantity


def _differing(
    sides: Places, books: Books | None, window: timedelta, doubtful: list[tuple[Place, Statement]]
) -> Iterator[Row]:
    cut = sides.moment.at
    in_books = [(place, statement) for place, statement in doubtful if books and sides.in_books(place)]
    steps: Mapping[Place, timing.Steps] = {}
    if books and in_books:
        instants = [_stated_at(sides, statement) for _, statement in in_books]
        start, end = min(*instants, cut - window), max(*instants, cut + window)
        steps = timing.steps(books, sorted({place for place, _ in in_books}), sides.moment, start, end)
    for place, statement in doubtful:
        expected = sides.held_on(statement.as_of).get(place, NONE)
        changes = steps.get(place)
        timed = False
        if changes is not None:
            own = timing.held_at(expected, changes, cut, _stated_at(sides, statement))
            if statement.as_of != sides.moment.as_of:
                expected = own  # a statement of another day is held against the books of that day
            timed = statement.quantity in {own, *timing.held_near(expected, changes, cut, window)}
            if expected == statement.quantity:
                continue
        kind = Kind.TIMING if timed else Kind.MISSING if statement.quantity < expected else Kind.EXCESS
        yield Compared.PLACE, kind, *place, statement.source, expected, statement.quantity


def _stated_at(sides: Places, statement: Statement) -> datetime:
    return statement.stated_at or min(sides.lake.home.end_of(statement.as_of), sides.moment.known_at)


def vouched(sides: Places) -> Iterator[Row]:
    """Places that nobody vouches for, or only for another day. A place that was empty at last and where nothing is held needs no one."""
    for (place, asset), quantity in sides.to_vouch.items():
        statements = sides.newest.get((place, asset), [])
        if not statements:
            yield Compared.VOUCHED, Kind.NOT_STATED, place, asset, "", quantity, None
    for (place, asset), statements in sides.newest.items():
        held, last = sides.held.get((place, asset), NONE), max(statement.as_of for statement in statements)
        left = any(statement.quantity for statement in statements if statement.as_of == last)
        if last != sides.moment.as_of and (held or left):
            yield Compared.VOUCHED, Kind.STALE, place, asset, "", held, None


def registered(sides: Places, books: Books | None) -> Iterator[Row]:
    """Places that are held at or stated, and were not registered."""
    if books is None:
        return
    known = said(books, "place", sides.moment.at, sides.moment.known_at)
    found = {place for (place, _), quantity in sides.held.items() if quantity} | {place for place, _ in sides.newest}
    for place in sorted(found - set(known)):
        yield Compared.REGISTERED, Kind.UNKNOWN_PLACE, place, "", "", None, None


def assets(totals: tuple[Total, ...], customers: Customers) -> Iterator[Row]:
    """Totals that differ beyond what single accounts explain: of accounts without a holder, of assets not in the books."""
    for total in totals if customers.all else ():
        if total.platform is None:
            continue  # the platform says nothing at all, which a notice tells
        found = NONE if total.asset in customers.named else total.platform
        expected = total.unnamed or NONE
        if found != expected:
            kind = Kind.MISSING if found < expected else Kind.EXCESS
            yield Compared.ASSET, kind, "", total.asset, "", expected, found


def prices(lake: Lake, sides: Places, totals: tuple[Total, ...]) -> Iterator[Row]:
    """Assets that are owed or held and that nobody prices."""
    known = Prices(lake, frozenset({sides.moment.as_of}))
    for total in totals:
        amount = next((side for side in (total.platform, total.booked, total.held, total.stated) if side), None)
        if amount and total.asset != lake.home.currency and known.of(total.asset, sides.moment.as_of).value is None:
            yield Compared.PRICED, Kind.PRICE_HOLE, "", total.asset, "", None, amount


def unread(engine: duckdb.DuckDBPyConnection) -> Iterator[Row]:
    """Datasets with refused rows; what is found is how many."""
    rows = engine.execute(
        "SELECT dataset, sum(counted) FROM refused GROUP BY 1 HAVING sum(counted) > 0 ORDER BY 1"
    ).fetchall()
    for dataset, count in rows:
        yield Compared.READ, Kind.REFUSED, dataset, "", "", NONE, Decimal(count)
