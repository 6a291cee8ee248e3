"""Prices of assets in the home's currency, as figures: the last known, unless it is older than the home allows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property

from junbikin.calendars import Period
from junbikin.facts.lake import Lake
from junbikin.figures import Figure, Name, Rounding, Unit, given, hole, ratio
from junbikin.figures.amounts import EXACT
from junbikin.reserve.sources import data_source


@dataclass(frozen=True)
class Prices:
    """The prices of a lake at `days`; no others are read."""

    lake: Lake
    days: frozenset[date]

    @cached_property
    def _found(self) -> dict[tuple[str, str], dict[date, tuple[str, Decimal]]]:
        """(asset, quote) → day → source and last price; of sources that tie, the first by name."""
        ages = range(self.lake.home.price_max_age_days + 1)
        wanted = {(day - timedelta(days=age)).isoformat() for day in self.days for age in ages}
        days = {day: segments for day, segments in self.lake.days("prices").items() if day in wanted}
        found: dict[tuple[str, str], dict[date, tuple[str, Decimal]]] = {}
        for day, asset, quote, source, price in self.lake.run("last_prices", days):
            found.setdefault((asset, quote), {}).setdefault(date.fromisoformat(day), (source, price))
        return found

    def of(self, asset: str, day: date) -> Figure:
        """An asset's price in the home's currency: its own, or by way of one other currency; else a hole."""
        currency = self.lake.home.currency
        direct = self._last(asset, currency, day)
        if direct is not None:
            return direct
        for quote in sorted({quote for known, quote in self._found if known == asset}):
            first, second = self._last(asset, quote, day), self._last(quote, currency, day)
            if first is not None and second is not None:
                return (first * second).named(
                    f"price.{asset}.{day}", f"price of {asset} by way of {quote}", f"{asset}の価格（{quote}経由）"
                )
        limit = self.lake.home.price_max_age_days
        why = Name(
            f"no price of {asset} in {currency} on {day} or the {limit} days before it",
            f"{day}以前{limit}日以内に{asset}の{currency}価格がない",
        )
        unit = Unit.parse(currency) / Unit.parse(asset)
        return hole(unit, Name(f"price of {asset} on {day}", f"{day}の{asset}価格"), why, f"price.{asset}.{day}")

    def _last(self, asset: str, quote: str, day: date) -> Figure | None:
        days = self._found.get((asset, quote), {})
        for age in range(self.lake.home.price_max_age_days + 1):
            at = day - timedelta(days=age)
            if at in days:
                source, price = days[at]
                query = f"last {asset}/{quote} of {at}, source {source}"
                return given(
                    price,
                    Unit.parse(quote) / Unit.parse(asset),
                    Name(f"price of {asset} on {at}", f"{at}の{asset}価格"),
                    data_source("prices", query, [[asset, quote, at, source, price]]),
                    f"price.{asset}.{at}",
                )
        return None


MEAN_PLACES = 8
"""Decimals of a mean price, rounded half to even; no regime says how."""


Daily = dict[tuple[str, str], dict[str, Decimal]]
"""(asset, quote) → day → the day's last price."""


def daily_prices(lake: Lake, period: Period) -> Daily:
    """The last price of each day of a period; of sources that tie, the first by name."""
    found: Daily = {}
    for day, asset, quote, _, price in lake.run("last_prices", lake.days("prices", period.start, period.end)):
        found.setdefault((asset, quote), {}).setdefault(day, price)
    return found


def mean_price(daily: Daily, asset: str, currency: str, period: Period) -> Figure:
    """The mean of an asset's daily prices over a period, over the days that have one: those are counted in its steps.

    A hole when none has. Prices by way of another currency are not taken.
    """
    unit = Unit.parse(currency) / Unit.parse(asset)
    span = f"{period.start}…{period.end}"
    name = Name(f"average price of {asset}, {span}", f"{asset}の平均価格（{span}）")
    key = f"average_price.{asset}"
    prices = daily.get((asset, currency), {})
    if not prices:
        why = Name(f"no price of {asset} in {currency} in {span}", f"{span}に{asset}の{currency}価格がない")
        return hole(unit, name, why, key)
    whole = Decimal(0)
    for price in prices.values():
        whole = EXACT.add(whole, price)
    source = data_source("prices", f"last {asset}/{currency} of each day, {span}", sorted(prices.items()))
    summed = given(whole, unit, Name(f"sum of daily prices of {asset}", f"{asset}の日次価格の合計"), source)
    counted = Name(f"days with a price, of {period.days}", f"価格のある日数（{period.days}日中）")
    days = given(len(prices), "1", counted, source, f"days_priced.{asset}")
    return ratio(summed, days, MEAN_PLACES, Rounding.HALF_EVEN).named(key, name.en, name.ja)
