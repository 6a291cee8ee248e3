"""Timing (時点差): a difference is one of timing when one side, at another instant near the cut, says what the other says now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb

from junbikin.books.database import Books, telling
from junbikin.custody.reconcile.booked import SINCE, copied, read
from junbikin.custody.reconcile.kept import QUANTITY
from junbikin.custody.reconcile.moment import Moment
from junbikin.custody.reconcile.places import Place
from junbikin.facts.engine import parquet
from junbikin.facts.platform import NOTHING, Platform, moment, stated
from junbikin.figures.amounts import EXACT

AT_MOST = 100_000
"""Differing accounts that are looked at for timing; of more, something else is wrong."""

_OF_ACCOUNTS = (
    "COPY ("
    + SINCE
    + """
SELECT a.holder, a.asset, to_char(e.effective_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || '+00', sum(e.amount)
FROM entries e JOIN books.accounts a ON a.id = e.account AND a.owner = 'customer'
JOIN unnest(%(holders)s::text[], %(assets)s::text[]) k(holder, asset) ON k.holder = a.holder AND k.asset = a.asset
GROUP BY a.holder, a.asset, e.effective_at) TO STDOUT (FORMAT csv)"""
)
_OF_PLACES = (
    SINCE
    + """
SELECT a.place, a.asset, e.effective_at, sum(e.amount) FROM entries e
JOIN books.accounts a ON a.id = e.account AND a.owner IN ('customer', 'reserve', 'guarantee', 'own', 'administrator')
JOIN unnest(%(places)s::text[], %(assets)s::text[]) k(place, asset) ON k.place = a.place AND k.asset = a.asset
GROUP BY a.place, a.asset, e.effective_at ORDER BY e.effective_at"""
)


def accounts(
    engine: duckdb.DuckDBPyConnection, books: Books, platform: Platform, at: Moment, window: timedelta, folder: Path
) -> bool:
    """Table `timed` (account, asset): the differing accounts that differ by timing alone. False when they were too many to look."""
    engine.execute("CREATE OR REPLACE TEMP TABLE timed (account VARCHAR, asset VARCHAR)")
    rows = engine.execute(f"SELECT account, asset FROM kept.differing LIMIT {AT_MOST + 1}").fetchall()
    if len(rows) > AT_MOST:
        return False
    if rows and window:
        _by_books(engine, books, rows, at, window, folder / "near.csv")
        _by_platform(engine, platform, at, window)
    return True


def _by_books(
    engine: duckdb.DuckDBPyConnection,
    books: Books,
    keys: Sequence[tuple[str, str]],
    at: Moment,
    window: timedelta,
    rows: Path,
) -> None:
    """Accounts whose platform balance the books had, or got, within the window."""
    holders, assets = [holder for holder, _ in keys], [asset for _, asset in keys]
    copied(
        books, _OF_ACCOUNTS, _range(at, at.at - window, at.at + window) | {"holders": holders, "assets": assets}, rows
    )
    near = read(rows, "account VARCHAR", "asset VARCHAR", "effective_at TIMESTAMPTZ", f"amount {QUANTITY}")
    cut = moment(at.at)
    engine.execute(
        f"INSERT INTO timed SELECT DISTINCT account, asset FROM (SELECT d.account, d.asset, d.platform, d.booked + CASE "
        f"WHEN n.effective_at <= {cut} THEN -sum(n.amount) OVER (PARTITION BY n.account, n.asset, n.effective_at <= {cut} ORDER BY n.effective_at DESC) "
        f"ELSE sum(n.amount) OVER (PARTITION BY n.account, n.asset, n.effective_at <= {cut} ORDER BY n.effective_at) END AS booked "
        f"FROM ({near}) n JOIN kept.differing d USING (account, asset)) WHERE booked = platform"
    )


def _by_platform(engine: duckdb.DuckDBPyConnection, platform: Platform, at: Moment, window: timedelta) -> None:
    """Accounts of which the platform said, within the window, what the books say: the books have not followed yet."""
    if not platform.changes:
        return
    start, cut = moment(at.at - window), moment(at.at)
    engine.execute(
        "CREATE OR REPLACE TEMP TABLE told_near AS SELECT account_id AS account, asset, changed_at, quantity "
        f"FROM {parquet(platform.paths(platform.changes))} WHERE changed_at <= {cut} AND (account_id, asset) IN "
        "(SELECT account, asset FROM kept.differing)"
    )
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE before_window AS SELECT account, asset, arg_max(quantity, changed_at) FILTER (changed_at <= {start}) "
        f"AS quantity FROM told_near GROUP BY ALL HAVING max(changed_at) > {start}"
    )
    [(open_,)] = engine.execute("SELECT count(*) FROM before_window WHERE quantity IS NULL").fetchall()
    first = stated(platform) if open_ else NOTHING
    engine.execute(
        "INSERT INTO timed SELECT DISTINCT d.account, d.asset FROM kept.differing d JOIN ("
        f"SELECT account, asset, quantity FROM told_near WHERE changed_at > {start} UNION ALL "
        "SELECT b.account, b.asset, coalesce(b.quantity, s.quantity, 0) FROM before_window b LEFT JOIN ("
        f"SELECT * FROM ({first}) WHERE (account, asset) IN (SELECT account, asset FROM before_window WHERE quantity IS NULL)) s "
        "USING (account, asset)) t ON t.account = d.account AND t.asset = d.asset AND t.quantity = d.booked "
        "ANTI JOIN timed o ON o.account = d.account AND o.asset = d.asset"
    )


Steps = list[tuple[datetime, Decimal]]
"""Instants in order, and by how much what is held changed at each."""


def steps(books: Books, places: Sequence[Place], at: Moment, start: datetime, end: datetime) -> dict[Place, Steps]:
    """What changed at places after `start` and by `end`, by the books as known at the moment."""
    found: dict[Place, Steps] = {place: [] for place in places}
    names = {"places": [place for place, _ in places], "assets": [asset for _, asset in places]}
    with telling(books.home), books.driver() as connection:
        for place, asset, when, amount in connection.execute(_OF_PLACES, _range(at, start, end) | names).fetchall():
            found[place, asset].append((when, amount))
    return found


def _range(at: Moment, start: datetime, end: datetime) -> dict[str, datetime]:
    # What is effective after an instant is recorded after it.
    return {"since": start, "known": at.known_at, "after": start, "until": end}


def held_at(held: Decimal, steps: Steps, cut: datetime, when: datetime) -> Decimal:
    """What was held at another instant than the cut, at which `held` was."""
    for at, amount in steps:
        if when < at <= cut:
            held = EXACT.subtract(held, amount)
        elif cut < at <= when:
            held = EXACT.add(held, amount)
    return held


def held_near(held: Decimal, steps: Steps, cut: datetime, window: timedelta) -> set[Decimal]:
    """Everything that was held within a window around the cut."""
    instants = [cut - window, *(at for at, _ in steps if abs(at - cut) <= window)]
    return {held_at(held, steps, cut, when) for when in instants}
