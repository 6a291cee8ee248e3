"""One reconciliation from its sides to its value: in full, or from what moved since the last one, with the same outcome."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb

from junbikin.books.database import Books
from junbikin.custody.reconcile import judge, listing, timing
from junbikin.custody.reconcile.booked import Booked, bring_up, forget
from junbikin.custody.reconcile.differences import compare, touch
from junbikin.custody.reconcile.kept import kept, whole
from junbikin.custody.reconcile.moment import Moment, moment_of
from junbikin.custody.reconcile.places import Customers, Places, customers_of, places_of
from junbikin.custody.reconcile.platform import Platform, platform_of
from junbikin.custody.reconcile.reconciliation import Reconciliation, Total
from junbikin.custody.reconcile.recorded import Recorded, last_before, list_of
from junbikin.custody.reconcile.refused import refused
from junbikin.errors import BadInput
from junbikin.facts.lake import Lake
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


def reconciled(
    lake: Lake, moment: Moment, books: Books | None, window: timedelta, progress: Progress = _silent
) -> Outcome:
    """The reconciliation of a moment. A lake that believes nothing from earlier runs has it worked in full."""
    platform, customers = platform_of(lake, moment.as_of), customers_of(books)
    with kept(lake) as work, _exact():
        engine, folder = work.engine, work.folder
        with whole(engine):
            touch(engine, platform, moment)
            progress("reading the books", 0.0)
            booked = _booked(engine, books, moment, folder)
            progress("comparing accounts", 0.3)
            in_full = compare(engine, platform, moment, customers.named if platform.known else (), booked)
        progress("comparing places", 0.8)
        places = places_of(engine, lake, books, moment, customers)
        before = last_before(books, moment) if books else None
        found = _found(engine, lake, moment, platform, customers, places, books, window, before, folder)
    progress("done", 1.0)
    return Outcome(found, in_full)


def _booked(engine: duckdb.DuckDBPyConnection, books: Books | None, moment: Moment, folder: Path) -> Booked | None:
    if books is None:
        forget(engine)
        return None
    return bring_up(engine, books, moment, folder)


@contextmanager
def _exact() -> Iterator[None]:
    try:
        yield
    except duckdb.OutOfRangeException as problem:
        raise BadInput(
            f"a total has more than 20 digits before the point: {str(problem).splitlines()[0]}", where="customer balances or books",
            then="look for the balance that is far too large, and correct it with `junbikin ingest --corrects`",
        ) from None  # fmt: skip


def _found(
    engine: duckdb.DuckDBPyConnection,
    lake: Lake,
    moment: Moment,
    platform: Platform,
    customers: Customers,
    places: Places,
    books: Books | None,
    window: timedelta,
    before: Recorded | None,
    folder: Path,
) -> Reconciliation:
    totals = tuple(_totals(engine, platform, customers, places))
    looked = True
    engine.execute("CREATE OR REPLACE TEMP TABLE timed (account VARCHAR, asset VARCHAR)")
    if books is not None:
        looked = timing.accounts(engine, books, platform, moment, window, folder)
    refused(engine, lake, platform, moment)
    listing.start(engine)
    listing.accounts(engine)
    rows = [
        *judge.assets(totals, customers), *judge.places(places, books, window), *judge.vouched(places), *judge.registered(places, books),
        *judge.prices(lake, places, totals), *judge.unread(engine),
    ]  # fmt: skip
    listing.add(engine, rows)
    earlier = list_of(lake.home, before) if before else None
    listing.finish(engine, moment.as_of, earlier)
    listed, digest = listing.write(engine, lake.home.path / "cache" / "breaks")
    notices = _notices(moment, platform, customers, places, books)
    if not looked:
        notices.append(
            Name(f"more than {timing.AT_MOST:,} accounts differ: none was looked at for timing", f"差異のある口座が{timing.AT_MOST:,}を超えるため、時点差の判定を行っていない")
        )  # fmt: skip
    if before and earlier is None:
        notices.append(
            Name(f"the list of record {before.record} is not in this home: ages are counted from this day", f"記録{before.record}の一覧がこのホームにないため、経過日数は本日から数える")
        )  # fmt: skip
    return Reconciliation(
        operator=lake.home.operator,
        as_of=moment.as_of,
        at=moment.at,
        known_at=moment.known_at,
        facts=lake.head,
        books=moment.heads,
        snapshot=platform.day,
        holdings=places.holdings_day,
        window_seconds=int(window.total_seconds()),
        sources={"platform": platform.digest, "places": places.digest}
        | ({"books": moment.heads} if moment.heads else {}),
        totals=totals,
        counts=listing.counts(engine),
        first=listing.first(engine),
        list_digest=digest,
        notices=tuple(notices),
        listed=listed,
    )


def _totals(
    engine: duckdb.DuckDBPyConnection, platform: Platform, customers: Customers, places: Places
) -> Iterator[Total]:
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
        kept_here = asset in customers.all
        yield Total(
            asset, int(accounts), quantity if platform.known else None, int(holders), EXACT.add(named, free) if kept_here else None,
            free if kept_here else None, held.get(asset), stated.get(asset),
        )  # fmt: skip


def _notices(
    moment: Moment, platform: Platform, customers: Customers, places: Places, books: Books | None
) -> list[Name]:
    found = []
    if platform.day is None:
        found.append(
            Name(f"no balances of customers known on or before {moment.as_of}", f"{moment.as_of}以前の利用者残高がない")
        )
    elif platform.day < moment.as_of:
        found.append(
            Name(f"balances of customers are of {platform.day}, with what changed since as far as it was ingested", f"利用者残高は{platform.day}現在、以後は取込済みの変動を反映")
        )  # fmt: skip
    if books is None:
        found.append(
            Name(
                "there are no books: accounts and registered places were not compared",
                "帳簿がないため、口座と保管先登録は照合していない",
            )
        )
    elif not customers.all:
        found.append(
            Name(
                "the books have no accounts of customers: accounts were not compared",
                "帳簿に利用者の口座がないため、口座は照合していない",
            )
        )
    if places.holdings_day is not None and places.holdings_day < moment.as_of:
        found.append(Name(f"holdings are of {places.holdings_day}", f"保有残高は{places.holdings_day}現在"))
    return found
