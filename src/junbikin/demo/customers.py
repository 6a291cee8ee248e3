"""What customers are owed on the day and on the days before it, what the firm holds against it, and who vouches for that."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb

from junbikin.demo.market import AS_OF, ASSETS, Market
from junbikin.demo.noise import Noise
from junbikin.demo.tables import make_table, write_file
from junbikin.demo.trades import ACCOUNTS, FIRST_ACCOUNT

# The account of rank r is worth about WORTH ÷ (r + HEAD)^1.5 yen: few hold most, and four of five hold little.
WORTH = 275_000_000_000
HEAD = 20

# Of 1,000 accounts, how many hold it; and its weight among what an account holds.
HELD = {
    "JPY": (1000, 7), "BTC": (620, 50), "ETH": (380, 20), "XRP": (420, 22), "SOL": (120, 10), "DOT": (60, 6),
    "DOGE": (130, 5),
}  # fmt: skip

# Place, owner, storage, provider; millionths of what customers are owed of each crypto-asset; who states what lies there.
COINS_AT = (
    ("hot-1", "customer", "hot", "Hoshikuzu Wallet Systems (invented)", 30_000, "node"),
    ("cold-1", "customer", "cold", "", 610_000, "node"),
    ("cold-2", "customer", "cold", "Minato Custody (invented)", 360_400, "minato-custody"),
    ("cold-3", "guarantee", "cold", "", 30_000, "node"),
    ("hot-2", "own", "hot", "Hoshikuzu Wallet Systems (invented)", 4_000, "node"),
    ("cold-4", "own", "cold", "", 21_000, "node"),
)
MONEY_AT = (
    ("trust-1", "customer", "trust", "Kaede Trust Bank (invented)", 1_002_000, "kaede-trust"),
    ("bank-1", "own", "bank", "Namiki Bank (invented)", 140_000, "namiki-bank"),
)

PAST_DAYS = tuple(date(2026, 3, day) for day in (18, 19, 23, 24, 25, 26, 27, 30))
"""The business days before the day of which balances and holdings are known too."""

# On each of them, millionths of what is hot of customers' coins; guarantee coins follow it by the evening.
HOT_THEN = (28_700, 30_900, 31_600, 29_400, 30_300, 33_200, 32_100, 29_800)
EXCEPTIONS = {
    # A large deposit is swept only on the next business day: too much is hot, and guarantee coins lag.
    (date(2026, 3, 19), "BTC", "hot-1"): 79_000,
    (date(2026, 3, 19), "BTC", "cold-1"): 561_000,
    # A clerk takes the trust's figure of the day before: too little is on trust, made up within two business days.
    (date(2026, 3, 25), "JPY", "trust-1"): 997_400,
    (date(2026, 3, 26), "JPY", "trust-1"): 997_900,
}  # fmt: skip

DUST = ("cold-1", "BTC", "0.00004200")
"""Sent by a stranger: the chain has more there than the firm."""


def write_balances(engine: duckdb.DuckDBPyConnection, noise: Noise, market: Market, folder: Path) -> Path:
    """Writes what each account is owed, and leaves it in the table `balances`; returns the file."""
    make_table(
        engine,
        "held",
        {"index": "BIGINT", "asset": "VARCHAR", "holders": "BIGINT", "weight": "BIGINT", "scale": "BIGINT",
         "price": "BIGINT", "lot": "DECIMAL(9,8)"},
        _held(market),
    )  # fmt: skip
    number = f"account * {len(HELD)} + index"
    engine.execute(f"""
    CREATE OR REPLACE TABLE balances AS
    WITH ranked AS (
        SELECT account, {HEAD} + row_number() OVER (ORDER BY {noise.draw("rank", "account", 2**32)}, account) AS rank
        FROM range({FIRST_ACCOUNT}, {FIRST_ACCOUNT + ACCOUNTS}) AS accounts(account)
    ), shared AS (
        SELECT account, rank, asset, scale, price, lot,
            weight * (500 + {noise.draw("weight", number, 1000)}) AS part,
            sum(part) OVER (PARTITION BY account) AS parts
        FROM ranked CROSS JOIN held WHERE {noise.draw("holds", number, 1000)} < holders
    )
    SELECT account, asset, lot,
        -- Square root, product and quotient are exact to the last bit on every machine, as powers are not.
        CAST(floor({WORTH} / (rank * sqrt(rank))) AS BIGINT) * part // parts * scale // price AS lots
    FROM shared WHERE lots > 0
    """)
    return write_file(
        engine,
        f"SELECT DATE '{AS_OF}' AS as_of, account AS account_id, asset, "
        f"{_QUANTITY} AS quantity FROM balances ORDER BY account, asset",
        folder / "customer-balances.csv",
    )


_QUANTITY = "CAST(CAST(lots AS DECIMAL(18,0)) * lot AS DECIMAL(18,8))"


def _held(market: Market) -> Iterator[tuple[int, str, int, int, int, int, str]]:
    assets = {asset.name: asset for asset in ASSETS}
    for index, (name, (holders, weight)) in enumerate(HELD.items()):
        if name == "JPY":
            yield index, name, holders, weight, 1, 1, "1"
        else:
            asset, price = assets[name], market.paths[name, "JPY"][-1]
            yield index, name, holders, weight, asset.scale, price, f"{10**-asset.quantity_places:.8f}"


def write_past_balances(engine: duckdb.DuckDBPyConnection, noise: Noise, folder: Path) -> Path:
    """Writes what each account was owed on the days before, and leaves sums of all days in the table `owed`; returns the file.

    Half of what accounts hold changed once in these days, by up to a tenth less or a twentieth more.
    """
    make_table(engine, "past", {"step": "BIGINT", "day": "DATE"}, enumerate(PAST_DAYS))
    number = f"account * {len(HELD)} + index"
    engine.execute(f"""
    CREATE OR REPLACE TABLE earlier AS
    WITH moving AS (
        SELECT account, asset, lot, lots, {noise.draw("moves", number, 2 * len(PAST_DAYS))} AS moves,
            greatest(lots * (900 + {noise.draw("moved", number, 151)}) // 1000, 1) AS before
        FROM balances JOIN held USING (asset, lot)
    )
    SELECT day, account, asset, lot, CASE WHEN step <= moves AND moves < {len(PAST_DAYS)} THEN before ELSE lots END AS lots
    FROM moving CROSS JOIN past
    """)
    engine.execute(f"""
    CREATE OR REPLACE TABLE owed AS
    SELECT DATE '{AS_OF}' AS day, asset, lot, sum(lots) AS lots FROM balances GROUP BY ALL
    UNION ALL SELECT day, asset, lot, sum(lots) FROM earlier GROUP BY ALL
    """)
    return write_file(
        engine,
        f"SELECT day AS as_of, account AS account_id, asset, {_QUANTITY} AS quantity FROM earlier ORDER BY day, account, asset",
        folder / "customer-balances-before.parquet",
    )


def write_holdings(engine: duckdb.DuckDBPyConnection, folder: Path) -> Path:
    """Writes what is held where on each day, in proportion to `owed`, rounded up to a whole lot; returns the file."""
    make_table(
        engine,
        "places",
        {"day": "DATE", "asset": "VARCHAR", "location_id": "VARCHAR", "owner": "VARCHAR", "storage": "VARCHAR",
         "provider_id": "VARCHAR", "millionths": "BIGINT", "source": "VARCHAR"},
        _places(),
    )  # fmt: skip
    engine.execute("""
    CREATE OR REPLACE TABLE kept AS
    SELECT day, location_id, asset, CAST(lots * millionths // 1000000 + 1 AS DECIMAL(20,0)) * lot AS quantity,
        owner, storage, provider_id, source
    FROM owed JOIN places USING (day, asset)
    """)
    return write_file(
        engine,
        "SELECT day AS as_of, location_id, asset, quantity, owner, storage, provider_id, "
        "'statement of ' || day || ' (invented)' AS evidence FROM kept ORDER BY day, asset, location_id",
        folder / "holdings.csv",
    )


def _places() -> Iterator[tuple[date | str | int, ...]]:
    """Each asset at each of its places on each day."""
    for step, (day, hot) in enumerate(zip((*PAST_DAYS, AS_OF), (*HOT_THEN, None), strict=True)):
        for index, asset in enumerate(HELD):
            for place, owner, storage, provider, usual, source in MONEY_AT if asset == "JPY" else COINS_AT:
                then = usual
                if hot is not None and place in ("hot-1", "cold-3"):
                    then = hot
                if hot is not None and place == "cold-1":
                    then = usual + COINS_AT[0][4] - hot + (5 * step + 3 * index) % 7 * 40  # deposits not credited yet
                millionths = EXCEPTIONS.get((day, asset, place), then)
                yield day, asset, place, owner, storage, provider, millionths, source


def write_statements(engine: duckdb.DuckDBPyConnection, folder: Path) -> Path:
    """Writes what nodes, custodian and banks state of the day's places; returns the file."""
    place, asset, more = DUST
    return write_file(
        engine,
        f"""
        SELECT day AS as_of, location_id, asset,
            quantity + CASE WHEN location_id = '{place}' AND asset = '{asset}' THEN {more} ELSE 0 END AS quantity,
            CASE source WHEN 'node' THEN lower(asset) || '-node' ELSE source END AS source,
            'statement of ' || day || ' (invented)' AS reference, day || 'T23:59:59+09:00' AS stated_at
        FROM kept WHERE day = DATE '{AS_OF}' ORDER BY asset, location_id
        """,
        folder / "statements.csv",
    )
