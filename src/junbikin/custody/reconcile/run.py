"""One reconciliation from its sides to its value: in full, or from what moved since the last one, with the same outcome."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import duckdb

from junbikin.books.database import Books
from junbikin.custody.reconcile import judge, listing, timing
from junbikin.custody.reconcile.booked import bring_up, forget
from junbikin.custody.reconcile.differences import compare, touch
from junbikin.custody.reconcile.kept import Work, kept, whole
from junbikin.custody.reconcile.moment import Moment, moment_of
from junbikin.custody.reconcile.places import Customers, Places, customers_of, places_of
from junbikin.custody.reconcile.reconciliation import Reconciliation, Total
from junbikin.custody.reconcile.recorded import Recorded, last_before, list_of
from junbikin.custody.reconcile.refused import refused
from junbikin.errors import BadInput
from junbikin.facts.lake import Lake
from junbikin.facts.platform import Platform, platform_of
from junbikin.facts.run import Progress
from junbikin.figures import Name
from junbikin.figures.amounts import EXACT

WINDOW = timedelta(minutes=10)
"""How far from the cut the other side may say the same, for a difference to be one of timing, unless another window is asked for."""


def _silent(what: str, share: float) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Outcome:
    """A reconciliation, and whether it was worked in full."""

    reconciliation: Reconciliation
    in_full: bool


def reconcile(
    lake: Lake, as_of: date, books: Books | None = None, window: timedelta = WINDOW, progress: Progress = _silent
) -> Reconciliation:
    """The reconciliation of a day: of its end, or of now when it is not over. Raises `BadInput` for a day to come."""
    if as_of > lake.home.today():
        raise BadInput(
            f"{as_of} has not come yet: nothing is known of it", where="--as-of", then="name a day until today"
        )
    return reconciled(lake, moment_of(lake.home, as_of, books), books, window, progress).reconciliation


@dataclass(frozen=True, slots=True)
class _Sides:
    """What is held against what, and when."""

    lake: Lake
    moment: Moment
    books: Books | None
    window: timedelta
    platform: Platform
    customers: Customers
    places: Places


def reconciled(
    lake: Lake, moment: Moment, books: Books | None, window: timedelta, progress: Progress = _silent
) -> Outcome:
    """The reconciliation of a moment. A lake that believes nothing from earlier runs has it worked in full."""
    platform, customers = platform_of(lake, moment.as_of), customers_of(books)
    with kept(lake) as work, _exact():
        engine = work.engine
        with whole(engine):
            touch(engine, platform, moment)
            progress("reading the books", 0.0)
            if books is None:
                forget(engine)
            booked = bring_up(engine, books, moment, work.folder) if books else None
            progress("comparing accounts", 0.3)
            in_full = compare(engine, platform, moment, customers.named if platform.known else (), booked)
        progress("comparing places", 0.8)
        places = places_of(engine, lake, books, moment, customers)
        found = _found(work, _Sides(lake, moment, books, window, platform, customers, places))
    progress("done", 1.0)
    return Outcome(found, in_full)


@contextmanager
def _exact() -> Iterator[None]:
    try:
        yield
    except duckdb.OutOfRangeException as problem:
        raise BadInput(
            f"a total has more than 20 digits before the point: {str(problem).splitlines()[0]}", where="customer balances or books",
            then="look for the balance that is far too large, and correct it with `junbikin ingest --corrects`",
        ) from None  # fmt: skip


def _found(work: Work, sides: _Sides) -> Reconciliation:
    engine, lake, moment = work.engine, sides.lake, sides.moment
    totals = tuple(_totals(engine, sides))
    looked = _timed(work, sides)
    refused(engine, lake, sides.platform, moment)
    listing.start(engine)
    listing.accounts(engine)
    listing.add(engine, [*_judged(sides, totals), *judge.unread(engine)])
    before = last_before(sides.books, moment) if sides.books else None
    earlier = list_of(lake.home, before) if before else None
    listing.finish(engine, moment.as_of, earlier)
    listed, digest = listing.write(engine, lake.home.path / "cache" / "breaks")
    heads = {"books": moment.heads} if moment.heads else {}
    return Reconciliation(
        operator=lake.home.operator,
        as_of=moment.as_of,
        at=moment.at,
        known_at=moment.known_at,
        facts=lake.head,
        books=moment.heads,
        snapshot=sides.platform.day,
        holdings=sides.places.holdings_day,
        window_seconds=int(sides.window.total_seconds()),
        sources={"platform": sides.platform.digest, "places": sides.places.digest} | heads,
        totals=totals,
        counts=listing.counts(engine),
        first=listing.first(engine),
        list_digest=digest,
        notices=tuple(_notices(sides, looked, before if earlier is None else None)),
        listed=listed,
    )


def _timed(work: Work, sides: _Sides) -> bool:
    """Table `timed`: accounts that differ by timing alone. False when too many differ to look."""
    if sides.books is None:
        work.engine.execute("CREATE OR REPLACE TEMP TABLE timed (account VARCHAR, asset VARCHAR)")
        return True
    return timing.accounts(work.engine, sides.books, sides.platform, sides.moment, sides.window, work.folder)


def _judged(sides: _Sides, totals: tuple[Total, ...]) -> Iterator[listing.Row]:
    yield from judge.unknown(sides.platform.known, sides.places, sides.books)
    yield from judge.assets(totals, sides.customers)
    yield from judge.places(sides.places, sides.books, sides.window)
    yield from judge.vouched(sides.places)
    yield from judge.registered(sides.places, sides.books)
    yield from judge.prices(sides.lake, sides.places, totals)


def _totals(engine: duckdb.DuckDBPyConnection, sides: _Sides) -> Iterator[Total]:
    places = sides.places
    told, owed, unnamed = (
        {row[0]: row[1:] for row in engine.execute(query).fetchall()}
        for query in (
            "SELECT asset, accounts, quantity FROM kept.platform_totals WHERE accounts > 0",
            "SELECT asset, holders, quantity FROM kept.booked_totals WHERE holders > 0",
            "SELECT asset, sum(quantity) FROM kept.places WHERE NOT named GROUP BY asset HAVING sum(quantity) <> 0",
        )
    )
    held: dict[str, Decimal] = {}
    for (_, asset), quantity in places.held.items():
        held[asset] = EXACT.add(held.get(asset, Decimal(0)), quantity)
    stated: dict[str, Decimal] = {}
    for (_, asset), statements in places.newest.items():
        if statements[0].as_of == places.moment.as_of:
            stated[asset] = EXACT.add(stated.get(asset, Decimal(0)), min(s.quantity for s in statements))
    nothing = Decimal(0)
    for asset in sorted({*told, *owed, *unnamed, *held, *stated}):
        accounts, quantity = told.get(asset, (0, nothing))
        holders, named = owed.get(asset, (0, nothing))
        (free,) = unnamed.get(asset, (nothing,))
        kept_here = asset in sides.customers.all
        yield Total(
            asset, int(accounts), quantity if sides.platform.known else None, int(holders), EXACT.add(named, free) if kept_here else None,
            free if kept_here else None, held.get(asset), stated.get(asset),
        )  # fmt: skip


def _notices(sides: _Sides, looked: bool, lost: Recorded | None) -> Iterator[Name]:
    """What a reader must know beside the breaks. `lost` is the reconciliation on record whose list is not here."""
    day, as_of, holdings = sides.platform.day, sides.moment.as_of, sides.places.holdings_day
    if day is None:
        yield Name(f"no balances of customers known on or before {as_of}", f"{as_of}以前の利用者残高がない")
    elif day < as_of:
        en = f"balances of customers are of {day}, with what changed since as far as it was ingested"
        yield Name(en, f"利用者残高は{day}現在、以後は取込済みの変動を反映")
    if sides.books is None:
        en = "there are no books: accounts and registered places were not compared"
        yield Name(en, "帳簿がないため、口座と保管先登録は照合していない")
    elif not sides.customers.all:
        en = "the books have no accounts of customers: accounts were not compared"
        yield Name(en, "帳簿に利用者の口座がないため、口座は照合していない")
    if holdings is not None and holdings < as_of:
        yield Name(f"holdings are of {holdings}", f"保有残高は{holdings}現在")
    if not looked:
        en = f"more than {timing.AT_MOST:,} accounts differ: none was looked at for timing"
        yield Name(en, f"差異のある口座が{timing.AT_MOST:,}を超えるため、時点差の判定を行っていない")
    if lost is not None:
        en = f"the list of record {lost.record} is not in this home: ages are counted from this day"
        yield Name(en, f"記録{lost.record}の一覧がこのホームにないため、経過日数は本日から数える")
