"""The queries that judge facts, as Ibis expressions; compiled once per home and version, then kept as text."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from junbikin.facts.engine import compiled

VERSION = "1"
"""Changes when an expression below does, so that a kept text is not mistaken for it."""


def _table(name: str, **columns: str) -> Any:
    import ibis

    return ibis.table({"day": "string", **columns}, name=name)


def _trades() -> Any:
    return _table(
        "trades",
        line="string",
        asset="string",
        quote="string",
        price="decimal(18, 8)",
        quantity="decimal(20, 8)",
        quantity_fine="decimal(18, 18)",
    )


_WIDE = "decimal(38, 8)"


def _trade_sums() -> Any:
    """Sums by day, line, asset and quote, of the quantity up to 8 decimals."""
    trades = _trades()
    # Ibis would type the sum of a product as decimal(38, 2): the types are given, never inferred.
    notional = trades.price.cast(_WIDE) * trades.quantity.cast(_WIDE)
    return trades.group_by("day", "line", "asset", "quote").agg(
        trades=trades.count(), quantity=trades.quantity.sum(), notional=notional.sum()
    )


def _trade_rests() -> Any:
    """The same of what quantities have beyond 8 decimals; statistics let the engine skip files without any."""
    trades = _trades()
    trades = trades.filter(trades.quantity_fine != 0)
    notional = trades.price.cast(_WIDE) * trades.quantity_fine.cast("decimal(38, 18)")
    return trades.group_by("day", "line", "asset", "quote").agg(
        quantity=trades.quantity_fine.sum(), notional=notional.sum()
    )


def _balances() -> Any:
    """What customers are owed, by asset."""
    balances = _table("customer_balances", asset="string", quantity="decimal(38, 18)")
    return balances.group_by("asset").agg(accounts=balances.count(), quantity=balances.quantity.sum())


def _holdings() -> Any:
    """What is held, by asset, owner and storage."""
    holdings = _table("holdings", asset="string", owner="string", storage="string", quantity="decimal(38, 18)")
    return holdings.group_by("asset", "owner", "storage").agg(quantity=holdings.quantity.sum())


def _last_prices() -> Any:
    """The last price of each day, asset and quote; sources that tie are all given."""
    prices = _table(
        "prices", asset="string", quote="string", at="timestamp('UTC')", price="decimal(38, 18)", source="string"
    )
    last = prices.group_by("day", "asset", "quote").agg(at=prices.at.max())
    rows = prices.semi_join(last, ["day", "asset", "quote", "at"])
    return rows.select("day", "asset", "quote", "source", "price")


QUERIES: dict[str, tuple[str, Callable[[], Any]]] = {
    "trade_sums": ("trades", _trade_sums),
    "trade_rests": ("trades", _trade_rests),
    "balances": ("customer_balances", _balances),
    "holdings": ("holdings", _holdings),
    "last_prices": ("prices", _last_prices),
}
"""Name → the dataset it reads, and its expression."""


def query_text(name: str, cache: Path | None) -> str:
    """The SQL of a query; compiled when it is first asked for, and kept in `cache` when one is given."""
    stamp = f"{VERSION} duckdb {duckdb.__version__}"
    kept = json.loads(cache.read_bytes()) if cache is not None and cache.exists() else {}
    texts: dict[str, str] = kept["texts"] if kept.get("of") == stamp else {}
    if name not in texts:
        texts[name] = compiled(QUERIES[name][1]())
        if cache is not None:
            cache.parent.mkdir(parents=True, exist_ok=True)
            fresh = cache.with_suffix(".new")
            fresh.write_text(json.dumps({"of": stamp, "texts": texts}))
            fresh.replace(cache)
    return texts[name]
