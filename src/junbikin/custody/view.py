"""Facts as the duties of custody see them: the reserve's view, and beside it money, places, net assets and audits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from junbikin.custody.registered import Registered
from junbikin.facts.datasets import STORAGES
from junbikin.figures import Figure, Name, given, hole, total
from junbikin.reserve.prices import Prices
from junbikin.reserve.sources import data_source
from junbikin.reserve.view import FactsView, total_of
from junbikin.rulebooks.interface import Money, Place, Provider


@dataclass(frozen=True)
class CustodyView(FactsView):
    """The facts of a lake on one day, as `junbikin.rulebooks.interface.CustodyFacts` asks for them.

    `registered` is None where there is no registry.
    """

    registered: Registered | None = None

    def money(self) -> Money:
        """Customers' money in the home's currency."""
        currency, found = self.currency, self.property
        stored = {
            storage: found.stored(
                currency, "customer", (storage,), f"customers' money ({storage})", f"利用者の金銭（{_STORAGES_JA[storage]}）",
                f"money.{storage}",
            )
            for storage in STORAGES
        }  # fmt: skip
        counted_on = min(found.owed_on, found.held_on) if found.owed_on and found.held_on else None
        return Money(found.owed[currency], stored, counted_on)

    @cached_property
    def _prices(self) -> Prices:
        """Those of the day: no trade is valued here, and a day is judged without opening other days' prices."""
        return Prices(self.lake, frozenset({self.as_of}))

    @cached_property
    def _places(self) -> tuple[Place, ...]:
        rows: dict[str, list[dict[str, Any]]] = {}
        for row in (*self.property.rows, *self._reserve_rows()):
            if row["quantity"]:
                rows.setdefault(row["location_id"], []).append(row)
        return tuple(self._place(name, rows[name]) for name in sorted(rows))

    def places(self) -> tuple[Place, ...]:
        """Every place where property is kept, the reserve's included, by name."""
        return self._places

    def _reserve_rows(self) -> list[dict[str, Any]]:
        """The reserve's assets in the form of holdings, without worth of their own here."""
        return [
            {
                "location_id": row["asset_id"].rpartition(":")[0] if self.ledger else row["held_at"],
                "owner": "reserve",
                "asset": row["asset"],
                "quantity": row["quantity"],
                "storage": "",
                "provider_id": None,
            }
            for row in self.snapshot("reserve_assets").rows
        ]

    def _place(self, name: str, rows: list[dict[str, Any]]) -> Place:
        says = self.registered.places.get(name) if self.registered else None
        named = frozenset(self._provider_id(row["provider_id"]) for row in rows if row["provider_id"])
        keeps = (says or {}).get("provider") or min(named, default="")
        return Place(
            id=name,
            owners=frozenset(row["owner"] for row in rows),
            worth=self._worth(name, [row for row in rows if row["owner"] == "customer"]),
            registered=None if self.registered is None else says is not None,
            storages=frozenset(row["storage"] for row in rows if row["owner"] != "reserve"),
            registered_storage=(says or {}).get("storage", ""),
            provider=self._provider(keeps) if keeps else None,
            providers_named=named,
        )

    def _worth(self, place: str, rows: Iterable[dict[str, Any]]) -> Figure:
        """What customers' crypto-assets at a place are worth."""
        parts = []
        for asset in sorted({row["asset"] for row in rows if row["asset"] != self.currency}):
            mine = [row for row in rows if row["asset"] == asset]
            source = data_source("holdings", f"{asset} of customers at {place}, as of {self.property.held_on}", mine)
            name = Name(f"customers' {asset} at {place}", f"{place}の利用者{asset}")
            parts.append(self.valued(given(total_of(row["quantity"] for row in mine), asset, name, source), asset))
        return total(parts, self.currency).named(
            f"worth_at.{place}", f"customers' crypto-assets at {place}", f"{place}の利用者暗号資産"
        )

    def _provider_id(self, named: str) -> str:
        return self.registered.provider(named) if self.registered else named

    def _provider(self, named: str) -> Provider:
        id = self._provider_id(named)
        says = self.registered.providers.get(id) if self.registered else None
        if says is None:
            return Provider(id, None)
        days = (says.get(name) for name in ("due_diligence_until", "contract_until", "ended_on"))
        return Provider(id, *(date.fromisoformat(day) if day else None for day in days))

    def net_assets(self) -> Figure:
        """The operator's net assets, as last stated."""
        name = Name("net assets", "純資産額")
        rows = [row for row in self._rows("financials") if row["item"] == "net_assets"]
        if not rows:
            why = Name(f"no net assets known on or before {self.as_of}", f"{self.as_of}以前の純資産額がない")
            return hole(self.currency, name, why, "net_assets")
        row = max(rows, key=lambda row: row["as_of"])
        source = data_source("financials", f"net_assets, as of {row['as_of']}", [row])
        stated = Name(f"net assets, as of {row['as_of']}", f"純資産額（{row['as_of']}）")
        return self.valued(given(row["amount_jpy"], "JPY", stated, source), "JPY").named(
            "net_assets", stated.en, stated.ja
        )

    @cached_property
    def _audits(self) -> list[dict[str, Any]]:
        return self._rows("audits")

    def last_audit(self, kind: str) -> date | None:
        """The day of the newest audit of a kind."""
        return max((row["audited_on"] for row in self._audits if row["kind"] == kind), default=None)

    def _rows(self, dataset: str) -> list[dict[str, Any]]:
        return self.lake.rows(dataset, self.lake.days(dataset, end=self.as_of))


DATASETS = (
    "customer_balances",
    "balance_changes",
    "holdings",
    "statements",
    "prices",
    "reserve_assets",
    "financials",
    "audits",
)
"""Facts that the duties rest on, whether or not a figure of theirs says so."""

_STORAGES_JA = {"hot": "ホット", "cold": "コールド", "trust": "信託", "bank": "預金"}
