"""Volume-weighted prices: exact sums over just the trades of the window and the sources named, rounded once."""

from __future__ import annotations

import csv
import gzip
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from custody.conftest import bring
from junbikin.errors import BadInput
from junbikin.facts.datasets import DATASETS
from junbikin.facts.ingest import ingest
from junbikin.facts.lake import open_lake
from junbikin.facts.mappings import load_mapping
from junbikin.figures import Figure, Rounding
from junbikin.home import Home, create_home
from junbikin.incidents.plan.pricing import price_of
from junbikin.incidents.plan.rule import Part, Vwap

TOKYO = ZoneInfo("Asia/Tokyo")
SINCE = datetime(2018, 1, 26, 12, 9, tzinfo=TOKYO)
UNTIL = datetime(2018, 1, 27, 23, 0, tzinfo=TOKYO)
DATA = Path(__file__).parents[3].parent / "shared" / "data" / "trades"


def vwap(home: Home, asset: str, *sources: str, decimals: int = 3, rounding: Rounding = Rounding.HALF_UP) -> Figure:
    rule = Vwap(SINCE, UNTIL, sources, decimals, rounding)
    found = price_of(open_lake(home), asset, Part(Decimal(1), "JPY", 0, Rounding.DOWN, rule))
    assert found is not None
    return found


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return create_home(tmp_path / "home", "Example")


def at(minutes: int) -> str:
    return (SINCE + timedelta(minutes=minutes)).isoformat()


def test_it_is_the_sum_of_price_times_quantity_over_the_sum_of_quantity(home: Home) -> None:
    fine = "0.123456789012345678"
    rows = [
        f"zaif,1,{at(0)},XEM,JPY,100.5,{fine}", f"zaif,2,{at(5)},XEM,JPY,88,2", f"zaif,3,{UNTIL.isoformat()},XEM,JPY,1,1000",
        f"zaif,4,{at(-1)},XEM,JPY,1,1000", f"other,1,{at(1)},XEM,JPY,7,1", f"zaif,5,{at(1)},XEM,USD,7,1000", f"zaif,6,{at(1)},BTC,JPY,7,1000",
    ]  # fmt: skip
    bring(home, "market_trades", rows)
    value, quantity = Fraction("100.5") * Fraction(fine) + 176, Fraction(fine) + 2
    exact = value / quantity
    assert vwap(home, "XEM", "zaif", rounding=Rounding.DOWN).value == Decimal(int(exact * 1000)) / 1000
    both = (value + 7) / (quantity + 1)
    found = vwap(home, "XEM", "zaif", "other", decimals=18, rounding=Rounding.UP)
    assert 0 <= Fraction(found.known) - both < Fraction(1, 10**18)
    assert {part.name.en for part in found.walk()} >= {"price × quantity on zaif", "quantity on other"}


def test_our_own_trades_count_on_spot_lines_only(home: Home) -> None:
    rows = [
        f"1,{at(1)},XEM,JPY,buy,90,1,spot_venue",
        f"2,{at(1)},XEM,JPY,buy,92,1,spot_principal",
        f"3,{at(1)},XEM,JPY,buy,900,9,margin",
    ]
    bring(home, "trades", rows)
    assert vwap(home, "XEM", "own").value == 91


def test_every_source_that_is_named_must_have_traded(home: Home) -> None:
    bring(home, "market_trades", [f"zaif,1,{at(0)},XEM,JPY,100,1"])
    with pytest.raises(BadInput) as problem:
        vwap(home, "XEM", "zaif", "bitbank")
    assert "'bitbank' has no trade in 2018-01-26T12:09:00+09:00 … 2018-01-27T23:00:00+09:00" in problem.value.what
    assert "sources with trades on those days: zaif" in problem.value.what


@pytest.mark.skipif(not DATA.is_dir(), reason=f"the real trades are not here: {DATA}")
def test_of_real_trades_across_the_theft_at_coincheck_it_equals_an_independent_sum(home: Home) -> None:
    files = [DATA / f"bitflyer.execution.201801{day}.BTC_JPY.csv.gz" for day in (26, 27)]
    dataset = DATASETS["market_trades"]
    ingest(home, dataset, files, load_mapping("bitflyer-market", dataset))
    seen: dict[str, tuple[Decimal, Decimal]] = {}
    for file in files:
        with gzip.open(file, "rt", newline="") as stream:
            for row in csv.DictReader(stream):
                if row["exec_date"] and SINCE <= datetime.fromisoformat(row["exec_date"]) < UNTIL:
                    seen[row["id"]] = Decimal(row["price"]), Decimal(row["size"])
    value = sum(price * size for price, size in seen.values())
    exact = Fraction(value) / Fraction(sum(size for _, size in seen.values()))
    found = vwap(home, "BTC", "bitflyer")
    assert found.value == Decimal(round(exact * 1000)) / 1000
    assert [part.value for part in found.walk() if part.name.en == "price × quantity on bitflyer"] == [value]
