"""Volume: exact sums, foreign quotes at each day's price, and prices that are too old."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from junbikin.calendars import Period
from junbikin.facts.lake import open_lake
from junbikin.figures import Figure
from junbikin.home import Home
from junbikin.reserve.view import FactsView

from .homes import DAY, make, with_setting

TRADES = """
trade_id executed_at               asset quote side price    quantity line
own      2025-03-31T10:00:00+09:00 BTC   JPY   buy  10000000 0.1      spot_venue
sat      2025-03-30T10:00:00+09:00 ETH   BTC   buy  0.05     2        spot_venue
sun      2025-03-31T10:00:00+09:00 ETH   BTC   sell 0.06     1        spot_venue
two-step 2025-03-31T11:00:00+09:00 SOL   USDT  buy  150      10       spot_brokered
in-time  2025-03-26T10:00:00+09:00 ETH   BTC   buy  0.05     1        margin
too-late 2025-03-27T10:00:00+09:00 ETH   BTC   buy  0.05     1        margin
no-price 2025-03-31T10:00:00+09:00 PEPE  SHIB  buy  1        1        derivative
"""

PRICES = """
asset quote at                        price    source
BTC   JPY   2025-03-23T12:00:00+09:00 8000000  ours
BTC   JPY   2025-03-30T12:00:00+09:00 8900000  ours
BTC   JPY   2025-03-30T23:59:59+09:00 9000000  ours
BTC   JPY   2025-03-31T00:00:00+09:00 10000000 zeta
BTC   JPY   2025-03-31T00:00:00+09:00 10000001 beta
USDT  USD   2025-03-31T09:00:00+09:00 0.999    ours
USD   JPY   2025-03-29T09:00:00+09:00 150      ours
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make(tmp_path_factory.mktemp("volume"), trades=TRADES, prices=PRICES)


def volume(home: Home, line: str, day: date = DAY) -> Figure:
    view = FactsView(open_lake(home), day)
    return view.volume(line, view.fiscal_year())


def test_a_foreign_quote_is_converted_at_the_last_price_of_each_day(home: Home) -> None:
    """¥1m, then 0.1 BTC at ¥9m and 0.06 BTC at ¥10,000,001: of prices of one instant the first by source."""
    found = volume(home, "spot_venue")
    assert str(found.unit) == "JPY"
    assert found.known == 1_000_000 + 900_000 + Fraction("600000.06")
    assert not found.holes
    prices = {part.key: part.known for part in found.walk() if part.key.startswith("price.")}
    assert prices == {"price.BTC.2025-03-30": 9_000_000, "price.BTC.2025-03-31": 10_000_001}


def test_a_quote_without_a_price_in_yen_is_converted_by_way_of_another_currency(home: Home) -> None:
    found = volume(home, "spot_brokered")
    assert found.known == Fraction("0.999") * 150 * 1500
    assert any("by way of USD" in part.name.en for part in found.walk())


def test_a_price_holds_for_as_many_days_as_the_home_says_and_not_one_more(home: Home) -> None:
    found = volume(home, "margin")
    assert found.known == 400_000
    (hole,) = found.holes
    assert hole.note is not None
    assert hole.note.en == "no price of BTC in JPY on 2025-03-27 or the 3 days before it"


def test_a_home_may_let_prices_hold_longer_or_shorter(tmp_path: Path) -> None:
    home = make(tmp_path / "home", trades=TRADES, prices=PRICES)
    assert volume(with_setting(home, "price_max_age_days", "4"), "margin").known == 800_000
    assert volume(with_setting(home, "price_max_age_days", "2"), "margin").value is None
    assert volume(with_setting(home, "price_max_age_days", "0"), "spot_brokered").value is None


def test_a_quote_that_nobody_prices_is_a_hole(home: Home) -> None:
    found = volume(home, "derivative")
    assert found.value is None
    assert [hole.note.en for hole in found.holes if hole.note] == [
        "no price of SHIB in JPY on 2025-03-31 or the 3 days before it"
    ]


def test_a_line_without_trades_is_zero(home: Home) -> None:
    assert volume(home, "spot_principal").known == 0
    assert not volume(home, "spot_principal").holes


def test_a_position_sees_only_the_trades_until_its_day(home: Home) -> None:
    assert volume(home, "spot_venue", date(2025, 3, 30)).known == 900_000
    assert volume(home, "spot_venue", date(2025, 3, 29)).known == 0
    assert volume(home, "spot_venue", date(2025, 4, 1)).known == 0


def test_sums_are_exact_to_the_last_of_26_decimals(tmp_path: Path) -> None:
    chance = random.Random(175)  # noqa: S311 - the same rows every time
    rows, expected = [], Fraction(0)
    for number in range(300):
        price = f"{chance.randrange(10**4)}.{chance.randrange(1, 10**8):08}"
        quantity = f"{chance.randrange(10**3)}.{chance.randrange(1, 10**18):018}"
        expected += Fraction(price) * Fraction(quantity)
        day = 1 + number % 28
        rows.append(f"t-{number} 2025-02-{day:02}T12:00:00+09:00 BTC JPY buy {price} {quantity} spot_venue")
    home = make(tmp_path / "home", trades="\n".join([TRADES.strip().splitlines()[0], *rows]))
    assert Fraction(volume(home, "spot_venue").known) == expected


def test_sums_kept_from_an_earlier_run_are_those_of_a_fresh_one(home: Home) -> None:
    for line in ("spot_venue", "spot_brokered", "margin", "derivative"):
        kept = volume(home, line)
        view = FactsView(open_lake(home, fresh=True), DAY)
        assert view.volume(line, view.fiscal_year()) == kept


def average(home: Home, asset: str, start: date, end: date) -> Figure:
    return FactsView(open_lake(home), DAY).average_price(asset, Period("", start, end))


def test_an_average_is_of_the_last_price_of_each_day_that_has_one(home: Home) -> None:
    """(8,000,000 + 9,000,000 + 10,000,001) ÷ 3 days; of prices of one instant the first by source."""
    found = average(home, "BTC", date(2025, 3, 1), date(2025, 3, 31))
    assert (found.known, str(found.unit)) == (Decimal("9000000.33333333"), "JPY/BTC")
    assert [part.known for part in found.walk() if part.key == "days_priced.BTC"] == [3]


def test_an_average_takes_no_day_outside_its_period(home: Home) -> None:
    assert average(home, "BTC", date(2025, 3, 24), date(2025, 3, 30)).known == 9_000_000


def test_an_average_of_what_has_no_price_in_the_homes_currency_is_a_hole(home: Home) -> None:
    found = average(home, "USDT", date(2025, 3, 1), date(2025, 3, 31))
    assert found.value is None
    assert "no price of USDT in JPY" in (found.holes[0].note or found.name).en
