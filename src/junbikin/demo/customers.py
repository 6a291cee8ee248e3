"""What customers are owed on the day, and what the firm holds against it."""

from __future__ import annotations

from collections.abc import Iterator
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

# Place, owner, storage, provider; millionths of what customers are owed of each crypto-asset.
COINS_AT = (
    ("hot-1", "customer", "hot", "Hoshikuzu Wallet Systems (invented)", 30_000),
    ("cold-1", "customer", "cold", "", 610_000),
    ("cold-2", "customer", "cold", "Minato Custody (invented)", 360_400),
    ("cold-3", "guarantee", "cold", "", 30_000),
    ("hot-2", "own", "hot", "Hoshikuzu Wallet Systems (invented)", 4_000),
    ("cold-4", "own", "cold", "", 21_000),
)
MONEY_AT = (
    ("trust-1", "customer", "trust", "Kaede Trust Bank (invented)", 1_002_000),
    ("bank-1", "own", "bank", "Namiki Bank (invented)", 140_000),
)


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
    quantity = "CAST(CAST(lots AS DECIMAL(18,0)) * lot AS DECIMAL(18,8))"
    return write_file(
        engine,
        f"SELECT DATE '{AS_OF}' AS as_of, account AS account_id, asset, "
        f"{quantity} AS quantity FROM balances ORDER BY account, asset",
        folder / "customer-balances.csv",
    )


def _held(market: Market) -> Iterator[tuple[int, str, int, int, int, int, str]]:
    assets = {asset.name: asset for asset in ASSETS}
    for index, (name, (holders, weight)) in enumerate(HELD.items()):
        if name == "JPY":
            yield index, name, holders, weight, 1, 1, "1"
        else:
            asset, price = assets[name], market.paths[name, "JPY"][-1]
            yield index, name, holders, weight, asset.scale, price, f"{10**-asset.quantity_places:.8f}"


def write_holdings(engine: duckdb.DuckDBPyConnection, folder: Path) -> Path:
    """Writes what is held where, in proportion to `balances`, rounded up to a whole lot; returns the file."""
    places = [(False, *place) for place in COINS_AT] + [(True, *place) for place in MONEY_AT]
    make_table(
        engine,
        "places",
        {"money": "BOOLEAN", "location_id": "VARCHAR", "owner": "VARCHAR", "storage": "VARCHAR",
         "provider_id": "VARCHAR", "millionths": "BIGINT"},
        places,
    )  # fmt: skip
    return write_file(
        engine,
        f"""
        WITH owed AS (SELECT asset, lot, sum(lots) AS lots FROM balances GROUP BY asset, lot)
        SELECT DATE '{AS_OF}' AS as_of, location_id, asset,
            CAST(lots * millionths // 1000000 + 1 AS DECIMAL(20,0)) * lot AS quantity,
            owner, storage, provider_id, 'statement of {AS_OF} (invented)' AS evidence
        FROM owed JOIN places ON money = (asset = 'JPY') ORDER BY asset, location_id
        """,
        folder / "holdings.csv",
    )
