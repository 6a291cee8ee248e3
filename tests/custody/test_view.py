"""What the duties see of a lake, a registry and the books: money, places, providers, net assets, audits, and the day known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from books.cast import Cast
from junbikin.books.journal import known_now
from junbikin.custody.judging import views_in, views_of
from junbikin.custody.view import CustodyView
from junbikin.facts.lake import open_lake
from junbikin.figures import plain
from junbikin.home import Home, create_home
from junbikin.reserve.ledger import Ledger
from junbikin.rulebooks.interface import Place, Provider

from .conftest import bring, place, provider, set_to

DAY = date(2025, 6, 6)
NOON = datetime(2025, 6, 6, 3, tzinfo=UTC)
HOLDINGS = [
    f"{DAY},cold-1,LTC,3,customer,cold", f"{DAY},cold-1,ETH,2,customer,cold", f"{DAY},cold-1,LTC,1,guarantee,cold",
    f"{DAY},cold-2,LTC,2,customer,cold,minato kk", f"{DAY},cold-3,LTC,2,customer,cold,minato", f"{DAY},own-1,LTC,9,own,hot",
    f"{DAY},empty,LTC,0,customer,hot", f"{DAY},kaede,JPY,700,customer,trust", f"{DAY},mizu,JPY,50,customer,bank", f"{DAY},mizu,JPY,8,own,bank",
]  # fmt: skip
PRICES = [f"LTC,JPY,{DAY}T09:00:00+09:00,100,ours"]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = create_home(tmp_path / "home", "Example")
    bring(made, "customer_balances", [f"{DAY},ada,LTC,7", f"{DAY},ada,JPY,400", f"{DAY},ben,JPY,350.5"])
    bring(made, "holdings", [row + "," * (6 - row.count(",")) for row in HOLDINGS])
    bring(made, "prices", PRICES)
    return made


def on(home: Home, day: date = DAY) -> CustodyView:
    return views_of(home, None).on(day)


def places(view: CustodyView) -> dict[str, Place]:
    return {place.id: place for place in view.places()}


# Money


def test_money_is_what_customers_are_owed_and_what_lies_for_them_in_each_storage(home: Home) -> None:
    money = on(home).money()
    assert plain(money.owed.known) == "750.5"
    assert {name: figure.known for name, figure in money.stored.items()} == {
        "trust": 700,
        "bank": 50,
        "hot": 0,
        "cold": 0,
    }
    assert money.counted_on == DAY


def test_money_was_counted_on_the_earlier_day_of_balances_and_holdings(home: Home) -> None:
    bring(home, "customer_balances", [f"{DAY + timedelta(days=1)},ada,JPY,1"])
    assert on(home, DAY + timedelta(days=1)).money().counted_on == DAY
    assert on(home, DAY - timedelta(days=1)).money().counted_on is None


# Places


def test_every_place_that_holds_anything_is_seen_with_its_owners_and_storages(home: Home) -> None:
    found = places(on(home))
    assert {name: sorted(place.owners) for name, place in found.items()} == {
        "cold-1": ["customer", "guarantee"], "cold-2": ["customer"], "cold-3": ["customer"], "kaede": ["customer"], "mizu": ["customer", "own"],
        "own-1": ["own"],
    }  # fmt: skip
    assert found["mizu"].storages == {"bank"}


def test_the_worth_of_a_place_is_that_of_customers_coins_and_not_of_money_or_own_coins(home: Home) -> None:
    found = places(on(home))
    assert {name: found[name].worth.value for name in ("cold-2", "own-1", "kaede")} == {
        "cold-2": 200,
        "own-1": 0,
        "kaede": 0,
    }


def test_a_coin_without_a_price_leaves_a_hole_in_the_worth_of_its_place(home: Home) -> None:
    worth = places(on(home))["cold-1"].worth
    assert worth.value == 300
    assert len(worth.holes) == 1
    assert "ETH" in worth.holes[0].name.en


def test_without_a_registry_nobody_says_that_a_place_is_registered_or_not(home: Home) -> None:
    found = places(on(home))
    assert {place.registered for place in found.values()} == {None}
    assert found["cold-2"].provider == Provider("minato kk", None)


def test_the_reserve_that_files_tell_of_lies_where_they_say(home: Home) -> None:
    bring(
        home,
        "reserve_assets",
        [f"{DAY},a:b,deposit,JPY,5,mizu,true,true,JP,1", f"{DAY},c,deposit,JPY,0,kaede,true,true,JP,1"],
    )
    found = places(on(home))
    assert "reserve" in found["mizu"].owners
    assert "reserve" not in found["kaede"].owners
    assert "a" not in found


# The registry


@pytest.fixture
def cast(founded: Callable[[Path], Cast], home: Home, tmp_path: Path) -> Cast:
    """Books whose registry knows Minato, and who keeps cold-2 and cold-1."""
    made = founded(tmp_path / "books")
    provider(made, "minato", "2026-03-31", contract_until="2025-12-31")
    provider(made, "kaede", "2026-03-31")
    place(made, "cold-1", "cold")
    place(made, "cold-2", "hot", "minato")
    place(made, "cold-3", "cold", "kaede", at=datetime.fromisoformat("2025-06-07T00:00:00+09:00"))
    return made


def registered(home: Home, cast: Cast, day: date = DAY) -> dict[str, Place]:
    return places(views_of(home, Ledger(cast.books, day, known_now(cast.books))).on(day))


def test_a_provider_is_known_by_its_id_and_by_its_name(home: Home, cast: Cast) -> None:
    known = Provider("minato", date(2026, 3, 31), date(2025, 12, 31))
    found = registered(home, cast)
    assert found["cold-2"].provider == found["cold-3"].provider == known
    assert found["cold-2"].providers_named == {"minato"}
    assert found["cold-1"].provider is None


def test_a_name_that_is_anothers_id_is_taken_as_that_id(home: Home, cast: Cast) -> None:
    provider(cast, "other", "2030-12-31", name="minato")
    assert registered(home, cast)["cold-3"].provider == Provider("minato", date(2026, 3, 31), date(2025, 12, 31))


def test_a_place_is_registered_from_the_day_that_the_registry_says(home: Home, cast: Cast) -> None:
    assert registered(home, cast)["cold-3"].registered is False
    later = registered(home, cast, DAY + timedelta(days=1))["cold-3"]
    assert later.registered is True
    assert later.provider is not None
    assert later.provider.id == "kaede"
    assert later.providers_named == {"minato"}


def test_what_the_registry_says_of_storage_stands_beside_what_holdings_say(home: Home, cast: Cast) -> None:
    found = registered(home, cast)["cold-2"]
    assert found.storages == {"cold"}
    assert found.registered_storage == "hot"


def test_what_was_registered_after_the_books_were_read_is_not_seen(home: Home, cast: Cast) -> None:
    before = Ledger(cast.books, DAY, known_now(cast.books))
    place(cast, "own-1", "hot")
    assert places(views_of(home, before).on(DAY))["own-1"].registered is False
    assert registered(home, cast)["own-1"].registered is True


# Net assets, audits


def test_net_assets_are_those_last_stated_below_zero_too(home: Home) -> None:
    bring(home, "financials", ["2025-03-31,net_assets,5", "2025-05-31,net_assets,-7", "2025-06-07,net_assets,9", "2025-06-01,fixed_overheads,1"])  # fmt: skip
    assert on(home).net_assets().value == -7
    assert on(home, date(2025, 5, 1)).net_assets().value == 5
    assert on(home, date(2025, 3, 30)).net_assets().value is None


def test_net_assets_in_yen_are_converted_for_a_home_in_another_currency(tmp_path: Path) -> None:
    dollars = set_to(create_home(tmp_path / "usd", "Example"), "currency", '"USD"')
    bring(dollars, "financials", ["2025-03-31,net_assets,500"])
    assert on(dollars).net_assets().value is None
    assert "JPY" in on(dollars).net_assets().holes[0].name.en
    bring(dollars, "prices", [f"JPY,USD,{DAY}T09:00:00+09:00,0.01,ours"])
    assert on(dollars).net_assets().value == Decimal(5)
    assert str(on(dollars).net_assets().unit) == "USD"


def test_the_newest_audit_of_a_kind_is_the_last_one_until_the_day(home: Home) -> None:
    bring(home, "audits", [f"{day},{kind},Auditor,2025-03-31" for day, kind in (("2024-06-01", "segregation"), ("2025-05-01", "segregation"), ("2025-06-07", "segregation"))])  # fmt: skip
    assert on(home).last_audit("segregation") == date(2025, 5, 1)
    assert on(home).last_audit("guarantee") is None


# The two clocks


def test_facts_that_came_late_are_seen_in_the_lake_as_it_is_and_not_as_it_was_known(home: Home) -> None:
    known = open_lake(home)
    bring(home, "holdings", [f"{DAY},cold-9,LTC,5,customer,cold"])
    assert "cold-9" in places(on(home))
    assert "cold-9" not in places(views_in(open_lake(home, head=known.head), None).on(DAY))
    assert places(views_in(open_lake(home, known_on=DAY), None).on(DAY)) == {}


def test_nothing_later_than_the_day_is_seen(home: Home) -> None:
    view = on(home, DAY - timedelta(days=1))
    assert view.places() == ()
    assert view.kept() == ()
    assert view.money().owed.value is None


# Changes of balances


def test_changes_after_the_snapshot_count_each_account_as_it_stood_last(home: Home) -> None:
    after = DAY + timedelta(days=1)
    changes = [
        f"{after}T09:00:00+09:00,ada,LTC,9", f"{after}T10:00:00+09:00,ada,LTC,8.5", f"{after}T10:00:00+09:00,new,ETH,1",
        f"{after + timedelta(days=1)}T00:00:00+09:00,ada,LTC,100",
    ]  # fmt: skip
    bring(home, "balance_changes", changes)
    owed = {kept.asset: plain(kept.owed.known) for kept in on(home, after).kept()}
    assert owed == {"ETH": "1", "LTC": "8.5"}
    assert on(home, after).money().owed.value == Decimal("750.5")
    assert on(home, DAY).kept()[1].owed.value == 7
