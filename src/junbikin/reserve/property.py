"""Customers' property on a day: what they are owed of each asset, and what is kept for whom, where and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from junbikin.facts.lake import Lake
from junbikin.facts.platform import totals
from junbikin.figures import Figure, Name, given, hole
from junbikin.figures.amounts import EXACT
from junbikin.reserve.sources import data_source
from junbikin.rulebooks.interface import Kept


@dataclass(frozen=True, slots=True)
class Property:
    """What is owed and kept, in each asset's own unit; `unknown` holds a hole for each side of which nothing is known.

    `owed` is asset → figure, the home's currency included. `rows` are the newest holdings, place by place.
    """

    owed: dict[str, Figure]
    owed_on: date | None
    kept: tuple[Kept, ...]
    rows: tuple[dict[str, Any], ...]
    held_on: date | None
    unknown: tuple[Figure, ...]
    currency: str

    def stored(self, asset: str, owner: str, storages: Sequence[str], en: str, ja: str, key: str = "") -> Figure:
        """What is kept of an asset for an owner in some kinds of storage; a hole when no holdings are known."""
        return _stored(self.rows, self.held_on, asset, owner, storages, Name(en, ja), key)


_KEPT = (
    ("cold", "customer", ("cold",), "customers' {} in cold storage", "利用者の{}（コールド）", "stored.{}"),
    ("warm", "customer", ("hot", "trust", "bank", ""), "customers' {} not in cold storage", "利用者の{}（コールド以外）", "warm.{}"),
    ("guarantee", "guarantee", ("cold",), "guarantee {} in cold storage", "履行保証{}（コールド）", "guarantee.{}"),
    ("guarantee_warm", "guarantee", ("hot", "trust", "bank", ""), "guarantee {} not in cold storage", "履行保証{}（コールド以外）", "guarantee_warm.{}"),
)  # fmt: skip
"""Each quantity of `Kept` besides what is owed: whose property, in which storage, and its names."""


def read_property(lake: Lake, as_of: date) -> Property:
    """The property of a day. What is kept is by holdings, never by the books' own accounts of what customers are owed."""
    currency = lake.home.currency
    owed_on, sums = totals(lake, as_of, lake.home.end_of(as_of))
    balances = {asset: (accounts, amount) for asset, accounts, amount in sums}
    held_on, holding_days = lake.newest("holdings", as_of)
    rows = tuple(lake.rows("holdings", holding_days))
    mine = {row["asset"] for row in rows if row["owner"] in ("customer", "guarantee")}
    assets = sorted((set(balances) | mine) - {currency})
    owed = {asset: _owed(asset, balances.get(asset), owed_on, as_of) for asset in [*assets, currency]}
    kept = tuple(
        Kept(
            asset,
            owed[asset],
            *(
                _stored(
                    rows, held_on, asset, owner, storages, Name(en.format(asset), ja.format(asset)), key.format(asset)
                )
                for _, owner, storages, en, ja, key in _KEPT
            ),
        )
        for asset in assets
    )
    missing = [name for name, day in (("customer_balances", owed_on), ("holdings", held_on)) if day is None]
    unknown = tuple(_nothing_known(name, currency, as_of) for name in missing)
    return Property(owed, owed_on, kept, rows, held_on, unknown, currency)


def _owed(asset: str, found: tuple[int, Decimal] | None, day: date | None, as_of: date) -> Figure:
    name = Name(f"{asset} owed to customers", f"利用者への{asset}債務")
    if day is None:
        return hole(asset, name, _none("balances of customers", "利用者残高", as_of), f"owed.{asset}")
    accounts, amount = found or (0, Decimal(0))
    source = data_source("customer_balances", f"sum of {asset}, as of {day}", [[asset, accounts, amount]])
    return given(amount, asset, name, source, f"owed.{asset}")


def _stored(
    rows: Sequence[dict[str, Any]],
    day: date | None,
    asset: str,
    owner: str,
    storages: Sequence[str],
    name: Name,
    key: str,
) -> Figure:
    if day is None:
        return hole(asset, name, _none("holdings", "保有残高", None), key)
    mine = [row for row in rows if (row["asset"], row["owner"]) == (asset, owner) and row["storage"] in storages]
    amount = Decimal(0)
    for row in mine:
        amount = EXACT.add(amount, row["quantity"])
    places = [[row["location_id"], row["quantity"]] for row in mine]
    where = f"{asset}, owner {owner}, storage {' or '.join(filter(None, storages))}, as of {day}"
    return given(amount, asset, name, data_source("holdings", where, places), key)


def _none(en: str, ja: str, as_of: date | None) -> Name:
    return Name(
        f"no {en} known{f' on or before {as_of}' if as_of else ''}", f"{f'{as_of}以前の' if as_of else ''}{ja}がない"
    )


def _nothing_known(dataset: str, currency: str, as_of: date) -> Figure:
    en, ja = {"customer_balances": ("balances of customers", "利用者残高"), "holdings": ("holdings", "保有残高")}[
        dataset
    ]
    name = Name("customers' crypto-assets", "利用者の暗号資産")
    return hole(currency, name, _none(en, ja, as_of), f"unknown.{dataset}")
