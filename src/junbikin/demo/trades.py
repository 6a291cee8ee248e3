"""The trades: two fiscal years, one file a quarter, made inside the engine from a few small tables.

Every trade is worked in whole numbers from its own number: in which book, how large, when, and at what price.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import accumulate, groupby, pairwise
from pathlib import Path
from statistics import NormalDist
from zoneinfo import ZoneInfo

import duckdb

from junbikin.demo.market import AS_OF, ASSETS, CROSS_PLACES, DAYS, Market
from junbikin.demo.noise import Noise
from junbikin.demo.tables import make_table, write_file
from junbikin.facts.run import Progress

FIRST_TRADE = 1_000_000_001
FIRST_ACCOUNT = 100_001
ACCOUNTS = 100_000
ZONE = ZoneInfo("Asia/Tokyo")
SECOND_YEAR = date(2025, 4, 1)
MICROSECONDS = 1_000_000

SLOTS = 1000
"""Into how many equal parts the choice of book, the sizes and the day's clock are cut."""


@dataclass(frozen=True, slots=True)
class Book:
    """Where an asset trades: how many of SLOTS trades in the first and in the second year, and their mean size."""

    line: str
    asset: str
    quote: str
    shares: tuple[int, int]
    mean_jpy: int


BOOKS = (
    Book("spot_principal", "BTC", "JPY", (180, 150), 1_500_000),
    Book("spot_principal", "ETH", "JPY", (60, 55), 1_200_000),
    Book("spot_principal", "XRP", "JPY", (100, 90), 1_100_000),
    Book("spot_principal", "SOL", "JPY", (25, 25), 800_000),
    Book("spot_principal", "DOT", "JPY", (10, 8), 400_000),
    Book("spot_principal", "DOGE", "JPY", (25, 22), 500_000),
    Book("spot_brokered", "BTC", "JPY", (35, 35), 2_800_000),
    Book("spot_brokered", "ETH", "JPY", (15, 20), 2_400_000),
    Book("spot_brokered", "SOL", "JPY", (5, 5), 1_600_000),
    Book("spot_venue", "BTC", "JPY", (180, 195), 2_100_000),
    Book("spot_venue", "ETH", "JPY", (60, 70), 1_700_000),
    Book("spot_venue", "XRP", "JPY", (75, 85), 1_600_000),
    Book("spot_venue", "SOL", "JPY", (15, 20), 1_000_000),
    Book("spot_venue", "DOGE", "JPY", (10, 10), 800_000),
    Book("spot_venue", "ETH", "BTC", (15, 20), 2_000_000),
    Book("margin", "BTC", "JPY", (130, 130), 3_300_000),
    Book("margin", "ETH", "JPY", (30, 30), 2_600_000),
    Book("margin", "XRP", "JPY", (30, 30), 2_300_000),
)

SPREADS = {"spot_principal": 15_000, "spot_brokered": 2_000, "spot_venue": 0, "margin": 0}
"""Millionths by which a customer buys above the going price, and sells below it."""

WANDER = 2_000
"""Millionths by which the going price strays to either side within a day's path."""

SIZE_SIGMA = 1.5
"""Deviation of the logarithm of a trade's size."""

HOURS = (50, 36, 26, 20, 17, 18, 24, 34, 46, 54, 50, 46, 48, 46, 44, 45, 48, 52, 54, 58, 66, 76, 80, 68)
"""How busy each hour of the day is, in Japan."""

FINE_ONE_IN = 16
"""How rarely the firm sells ETH to the last of its 18 decimals."""


def write_trades(
    engine: duckdb.DuckDBPyConnection, noise: Noise, market: Market, folder: Path, progress: Progress
) -> list[Path]:
    """Writes one file for each quarter, the newest as CSV, the others as Parquet; returns them."""
    _make_tables(engine, market)
    engine.execute(f"CREATE OR REPLACE TABLE drawn AS {_drawn(noise)}")
    quarters = [list(days) for _, days in groupby(DAYS, key=lambda day: (day.year, (day.month + 2) // 3))]
    written = []
    for index, (start, *_, end) in enumerate(quarters):
        progress("inventing trades", index / len(quarters))
        form = "csv" if end == AS_OF else "parquet"
        file = folder / f"trades-{start.year}Q{(start.month + 2) // 3}.{form}"
        written.append(write_file(engine, _trades(noise, start, end), file))
    return written


def _make_tables(engine: duckdb.DuckDBPyConnection, market: Market) -> None:
    make_table(
        engine,
        "days",
        {"day": "DATE", "year": "INT", "midnight": "BIGINT", "first": "BIGINT", "trades": "BIGINT"},
        _days(market),
    )
    make_table(engine, "slots", {"year": "INT", "slot": "BIGINT", "book": "BIGINT"}, _slots())
    make_table(
        engine,
        "books",
        {"day": "DATE", "book": "BIGINT", "open": "BIGINT", "close": "BIGINT", "yen": "BIGINT",
         "line": "VARCHAR", "asset": "VARCHAR", "quote": "VARCHAR", "mean": "BIGINT", "spread": "BIGINT",
         "scale": "BIGINT", "tick": "DECIMAL(9,8)", "lot": "DECIMAL(9,8)"},
        _books(market),
    )  # fmt: skip
    make_table(engine, "sizes", {"slot": "BIGINT", "millionths": "BIGINT"}, enumerate(_sizes()))
    make_table(engine, "clock", {"slot": "BIGINT", "since": "BIGINT", "until": "BIGINT"}, _clock())


def _days(market: Market) -> Iterator[tuple[date, int, int, int, int]]:
    """Each day with its year, its midnight in microseconds, the number of its first trade, and how many it has."""
    firsts = accumulate(market.trades, initial=FIRST_TRADE)
    for day, first, trades in zip(DAYS, firsts, market.trades, strict=False):
        midnight = int(datetime.combine(day, time(), ZONE).timestamp()) * MICROSECONDS
        yield day, int(day >= SECOND_YEAR), midnight, first, trades


def _slots() -> Iterator[tuple[int, int, int]]:
    """As many slots of a year for each book as it has shares. Raises `ValueError` when they do not add up."""
    for year in (0, 1):
        chosen = (index for index, book in enumerate(BOOKS) for _ in range(book.shares[year]))
        yield from ((year, slot, index) for slot, index in zip(range(SLOTS), chosen, strict=True))


def _books(market: Market) -> Iterator[tuple[date | int | str, ...]]:
    """Each book on each day: the price before and after it, the asset's price in yen, and what never changes."""
    assets = {asset.name: asset for asset in ASSETS}
    for index, book in enumerate(BOOKS):
        asset = assets[book.asset]
        places = asset.price_places if book.quote == "JPY" else CROSS_PLACES
        units = f"{10**-places:.8f}", f"{10**-asset.quantity_places:.8f}"
        fixed = book.line, book.asset, book.quote, book.mean_jpy, SPREADS[book.line], asset.scale, *units
        path, yen = market.paths[book.asset, book.quote], market.paths[book.asset, "JPY"]
        for day, (before, after), worth in zip(DAYS, pairwise(path), yen[1:], strict=True):
            yield day, index, before, after, worth, *fixed


def _sizes() -> list[int]:
    """Sizes from the smallest to the largest, in millionths of their mean."""
    normal = NormalDist(0, SIZE_SIGMA)
    sizes = [math.exp(normal.inv_cdf((slot + 0.5) / SLOTS)) for slot in range(SLOTS)]
    mean = sum(sizes) / SLOTS
    return [round(1_000_000 * size / mean) for size in sizes]


def _clock() -> Iterator[tuple[int, int, int]]:
    """Between which microseconds of the day each thousandth of its trades falls."""
    reached = list(accumulate(HOURS, initial=0))
    times = []
    for slot in range(SLOTS + 1):
        target = slot * reached[-1]
        hour = next(hour for hour in range(24) if target <= reached[hour + 1] * SLOTS)
        within = (target - reached[hour] * SLOTS) * 3600 * MICROSECONDS // (HOURS[hour] * SLOTS)
        times.append(hour * 3600 * MICROSECONDS + within)
    for slot, (since, until) in enumerate(pairwise(times)):
        yield slot, since, until


def _drawn(noise: Noise) -> str:
    """SQL of every trade as it is drawn, in order.

    `reached` is how much of the day has passed when it happens, counted in trades × SLOTS: both its time and
    the price on the way from the day's open to its close follow from it.
    """
    return f"""
    WITH counted AS (SELECT *, unnest(range(trades)) AS k FROM days),
        numbered AS (SELECT *, first + k AS number FROM counted)
    SELECT day, year, midnight, trades, number,
        k * {SLOTS} + {noise.draw("time", "number", SLOTS)} AS reached,
        {noise.draw("book", "number", SLOTS)} AS slot,
        {noise.draw("size", "number", SLOTS)} AS size,
        {noise.draw("side", "number", 2)} = 0 AS buys,
        {noise.draw("price", "number", 2 * WANDER + 1)} - {WANDER} AS wander,
        {noise.draw("account", "number", ACCOUNTS)} AS account
    FROM numbered
    """


def _trades(noise: Noise, start: date, end: date) -> str:
    """SQL of the trades of some days, from those drawn."""
    is_fine = f"asset = 'ETH' AND line = 'spot_principal' AND {noise.draw('fine', 'number', FINE_ONE_IN)} = 0"
    return f"""
    WITH worked AS (
        SELECT number, line, asset, quote, buys, account, tick, lot,
            midnight + since + (until - since) * (reached % trades) // trades AS instant,
            open + (close - open) * reached // (trades * {SLOTS}) AS going,
            wander + CASE WHEN buys THEN spread ELSE -spread END AS off,
            greatest(mean * millionths // 1000000 * scale // yen, 1) AS lots
        FROM drawn
        JOIN slots USING (year, slot)
        JOIN books USING (day, book)
        JOIN sizes ON sizes.slot = size
        JOIN clock ON clock.slot = reached // trades
        WHERE day BETWEEN DATE '{start}' AND DATE '{end}'
    )
    SELECT
        number AS trade_id,
        make_timestamptz(instant // 1000 * 1000) AS executed_at,
        asset,
        quote,
        CASE WHEN buys THEN 'buy' ELSE 'sell' END AS side,
        CAST(CAST(going * (1000000 + off) // 1000000 AS DECIMAL(18,0)) * tick AS DECIMAL(18,8)) AS price,
        CAST(CAST(CAST(lots AS DECIMAL(18,0)) * lot AS DECIMAL(18,8)) AS VARCHAR) || CASE WHEN {is_fine}
            THEN lpad(CAST({noise.draw("decimals", "number", 10**10)} AS VARCHAR), 10, '0') ELSE '' END AS quantity,
        line,
        {FIRST_ACCOUNT} + account * account // {ACCOUNTS} AS account_id
    FROM worked ORDER BY trade_id
    """
