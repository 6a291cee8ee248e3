"""The invented market: what each asset costs on each day, and how busy each day is.

Floats shape the paths here; what leaves this file is whole numbers: prices in ticks, and trades per day.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from random import Random

AS_OF = date(2026, 3, 31)
DAYS = [date(2024, 4, 1) + timedelta(days=index) for index in range(730)]
TRADES = 1_500_000
"""About how many there are in both years."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A crypto-asset: the decimals of its yen price and of its quantity, its daily volatility, and its levels."""

    name: str
    price_places: int
    quantity_places: int
    volatility: float
    levels: tuple[float, ...]  # yen, one at each of LEVELS_AT

    @property
    def scale(self) -> int:
        """What turns yen ÷ price in ticks into quantity in lots."""
        return int(10 ** (self.price_places + self.quantity_places))


LEVELS_AT = (
    date(2024, 3, 31), date(2024, 8, 5), date(2024, 12, 17), date(2025, 4, 8), date(2025, 10, 5), AS_OF,
)  # fmt: skip
ASSETS = (
    Asset("BTC", 0, 8, 0.021, (10_700_000, 8_400_000, 16_200_000, 11_400_000, 18_300_000, 11_600_000)),
    Asset("ETH", 0, 8, 0.028, (547_000, 352_000, 612_000, 223_000, 688_000, 342_000)),
    Asset("XRP", 3, 6, 0.031, (94.5, 73.0, 395.0, 268.0, 452.0, 228.0)),
    Asset("SOL", 0, 6, 0.034, (30_400, 19_200, 33_600, 15_500, 34_700, 14_300)),
    Asset("DOT", 2, 4, 0.033, (1_420, 640, 1_330, 510, 640, 255)),
    Asset("DOGE", 3, 2, 0.038, (32.0, 14.0, 60.5, 21.5, 37.8, 16.2)),
)
CROSS_PLACES = 6
"""Decimals of a price in BTC."""

SHARED = 0.75  # of each asset's daily noise, with all others
REVERTING = 0.93  # of a day's distance from its level, what is left on the next
STORM = (date(2025, 9, 20), date(2025, 11, 30), 2.3)
"""The volatile autumn: from, to, and how many times the usual."""

# How busy each month is, from April 2024 on.
MONTHS = (110, 85, 80, 85, 105, 75, 90, 165, 180, 150, 120, 105, 100, 90, 80, 115, 110, 95, 150, 140, 95, 85, 90, 80)
WEEKDAYS = (1.05, 1.05, 1.0, 1.0, 1.05, 0.85, 0.9)  # Monday to Sunday

Ticks = list[int]
"""Ticks at the end of the day before the first, and of each day."""


@dataclass(frozen=True, slots=True)
class Market:
    """`paths` has one path for each (asset, quote); `trades` the number of trades of each day."""

    paths: dict[tuple[str, str], Ticks]
    trades: list[int]


def market(seed: int) -> Market:
    """The market that the seed makes."""
    shared = Random(f"{seed} market")  # noqa: S311 - invented data, no secret
    common = [shared.gauss(0, 1) for _ in range(len(DAYS) + 1)]
    yen = {asset.name: list(_prices(asset, common, seed)) for asset in ASSETS}
    paths = {
        (asset.name, "JPY"): [round(price * 10**asset.price_places) for price in yen[asset.name]] for asset in ASSETS
    }
    paths["ETH", "BTC"] = [round(eth / btc * 10**CROSS_PLACES) for eth, btc in zip(yen["ETH"], yen["BTC"], strict=True)]
    return Market(paths, _trades(yen["BTC"]))


def _prices(asset: Asset, common: list[float], seed: int) -> Iterator[float]:
    """Each day's level, and a distance from it that noise widens and time narrows."""
    own = Random(f"{seed} {asset.name}")  # noqa: S311
    distance = 0.0
    for day, shock in zip((LEVELS_AT[0], *DAYS), common, strict=True):
        stormy = STORM[2] if STORM[0] <= day <= STORM[1] else 1.0
        noise = SHARED * shock + math.sqrt(1 - SHARED**2) * own.gauss(0, 1)
        distance = REVERTING * distance + asset.volatility * stormy * noise
        yield _level(asset, day) * math.exp(distance)


def _level(asset: Asset, day: date) -> float:
    """Between two given levels, as far as the day is between their dates, by equal ratios."""
    spans = zip(pairwise(LEVELS_AT), pairwise(asset.levels), strict=True)
    (start, end), (low, high) = next(span for span in spans if day <= span[0][1])
    return float(low * (high / low) ** ((day - start) / (end - start)))


def _trades(prices: list[float]) -> list[int]:
    """Trades of each day: more in busy months, on weekdays and when the price moves."""
    busy = []
    for day, (before, after) in zip(DAYS, pairwise(prices), strict=True):
        month = (day.year - DAYS[0].year) * 12 + day.month - DAYS[0].month
        move = abs(math.log(after / before))
        busy.append(MONTHS[month] * WEEKDAYS[day.weekday()] * (0.7 + 15 * move))
    return [round(TRADES * one / sum(busy)) for one in busy]
