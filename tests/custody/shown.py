"""A firm of some days for tests of what people see: forty assets, a hot day, a short trust."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from junbikin.custody.day import CustodyDay
from junbikin.custody.judging import judged_in, views_of
from junbikin.home import Home, create_home
from junbikin.reports.custody_page import Shown, shown_of
from junbikin.rulebooks.load import load_rulebook

from .conftest import bring

DAYS = tuple(date(2026, 3, day) for day in (2, 3, 4, 5, 6, 9, 10))
HOT, SHORT = DAYS[1], DAYS[3]
LAST = DAYS[-1]


def firm(folder: Path, assets: Sequence[str] = ("BTC", "ETH"), days: Sequence[date] = DAYS) -> Home:
    """Owed 100 of each asset, 104 of it held, 3 of them hot; ¥1,000 on trust for ¥900. On HOT 9 are hot, on SHORT ¥100 are missing."""
    home = create_home(folder, "Example <b>& [red] 取引所")
    bring(home, "customer_balances", (f"{d},{who},{a},50" for d in days for a in assets for who in ("ada", "ben")))
    bring(home, "customer_balances", (f"{d},cid,JPY,900" for d in days))
    bring(home, "holdings", (row for day in days for row in _holdings(day, assets)))
    bring(home, "prices", (f"{a},JPY,{day}T12:00:00+09:00,1000,ours" for day in days for a in assets))
    bring(home, "financials", [f"{days[0]},net_assets,100000000"])
    bring(home, "audits", (f"2026-01-15,{kind},An Auditor,2025-12-31" for kind in ("segregation", "guarantee")))
    return home


def _holdings(day: date, assets: Sequence[str]) -> Sequence[str]:
    hot = 9 if day == HOT else 3
    money = 800 if day == SHORT else 1000
    coins = [
        row
        for asset in assets
        for row in (
            f"{day},cold,{asset},{104 - hot},customer,cold",
            f"{day},hot,{asset},{hot},customer,hot",
            f"{day},own,{asset},3,guarantee,cold",
        )
    ]
    return [*coins, f"{day},trust,JPY,{money},customer,trust"]


def custody_day(home: Home, day: date, rulebook: str = "jp-psa") -> CustodyDay:
    """The custody day of a home without books."""
    return judged_in(views_of(home, None), [load_rulebook(rulebook)], day)[0]


def page_of(home: Home, day: date = LAST, rulebook: str = "jp-psa") -> Shown:
    """A custody day with the days up to it."""
    views = views_of(home, None)
    return shown_of(views, judged_in(views, [load_rulebook(rulebook)], day))[0]
