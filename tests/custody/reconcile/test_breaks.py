"""What differs is shown, in its class, with its amount."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from junbikin.custody.reconcile.run import reconcile
from junbikin.errors import BadInput
from junbikin.facts.lake import open_lake
from junbikin.home import create_home

from .scene import DAY, Scene, at, shown

BEFORE = DAY - timedelta(days=1)
AFTER = DAY + timedelta(days=1)
EARLIER = DAY - timedelta(days=9)


def agreeing(scene: Scene) -> None:
    """Books, customers' balances, statements and prices that agree."""
    scene.pay("c1", 5, at())
    scene.pay("c2", "0.000000000000000003", at())
    scene.pay("c1", 7, at(), place="kaede")
    scene.facts("customer_balances", f"{DAY},c1,BTC,12", f"{DAY},c2,BTC,0.000000000000000003", f"{DAY},c3,BTC,0")
    scene.facts(
        "statements", f"{DAY},vault,BTC,5.000000000000000003,esplora", f"{DAY},vault,BTC,5.000000000000000003,core",
        f"{DAY},kaede,BTC,7,kaede-trust",
    )  # fmt: skip
    scene.facts("prices", f"BTC,JPY,{DAY}T10:00:00+09:00,10000000,ours")


def test_what_agrees_has_no_break(scene: Scene) -> None:
    agreeing(scene)
    found = scene.found()
    assert shown(found.first) == set()
    assert found.notices == ()
    [btc] = found.totals
    assert (btc.accounts, btc.holders) == (2, 2)
    assert f"{btc.platform} {btc.booked} {btc.held} {btc.stated}" == " ".join(["12.000000000000000003"] * 4)


def test_every_account_that_differs_is_a_break_whichever_side_lacks_it(scene: Scene) -> None:
    agreeing(scene)
    scene.facts("customer_balances", f"{DAY},c1,BTC,12.000000000000000001", corrects="counted again")
    scene.pay("c4", 3, at(), asset="JPY", place="kaede")
    scene.facts("customer_balances", f"{DAY},c9,BTC,2", f"{DAY},c9,JPY,1")
    accounts = {each for each in shown(scene.found().first) if each[0] == "account"}
    assert accounts == {
        ("account", "excess", "c1", "BTC", "0.000000000000000001"),
        ("account", "excess", "c9", "BTC", "2"),
        ("account", "excess", "c9", "JPY", "1"),
        ("account", "missing", "c4", "JPY", "-3"),
    }


def test_changes_after_the_days_balances_count_up_to_the_cut_the_last_of_each_account(scene: Scene) -> None:
    scene.pay("c1", 5, at(BEFORE))
    scene.facts("customer_balances", f"{BEFORE},c1,BTC,5", f"{BEFORE},c2,BTC,0")
    scene.pay("c1", 2, at(hour=3))
    scene.pay("c2", 4, at(hour=4))
    scene.facts(
        "balance_changes", f"{DAY}T03:00:00Z,c1,BTC,7", f"{DAY}T04:00:00Z,c2,BTC,9", f"{DAY}T05:00:00Z,c2,BTC,4",
        f"{DAY}T15:00:00Z,c1,BTC,100", f"{BEFORE}T14:00:00Z,c2,BTC,77",
    )  # fmt: skip
    assert [each for each in scene.found().first if each.compared == "account"] == []


def test_a_negative_balance_is_a_break_until_it_is_mended_and_takes_nothing_from_what_is_owed(scene: Scene) -> None:
    agreeing(scene)
    scene.facts("customer_balances", f"{DAY},c4,BTC,-2.5")
    scene.facts("balance_changes", f"{AFTER}T03:00:00Z,c1,BTC,-1")
    found = scene.found()
    assert shown(found.first) == {("account", "negative", "c4", "BTC", None)}
    assert found.first[0].found == Decimal("-2.5")
    assert found.totals[0].platform == Decimal("12.000000000000000003")
    scene.facts("customer_balances", f"{DAY},c4,BTC,0")
    assert shown(scene.found().first) == set()
    assert ("account", "negative", "c1", "BTC", "-13") in shown(scene.found(AFTER).first)


def test_rows_that_cannot_be_read_are_a_break_of_their_dataset_until_the_next_day(scene: Scene) -> None:
    agreeing(scene)
    scene.facts("customer_balances", f"{DAY},c4,BTC,many", f"{DAY},c3,BTC,1")
    found = scene.found()
    # c3 was stated with 0 and now with 1: neither counts, and the three rows are counted.
    assert {each for each in shown(found.first) if each[0] == "read"} == {
        ("read", "refused", "customer_balances", "", "3")
    }
    scene.facts("customer_balances", f"{DAY},c4,BTC,0", f"{DAY},c3,BTC,0", corrects="mended")
    assert shown(scene.found().first) == set()


def test_two_statements_by_one_source_for_one_place_vouch_for_nothing(scene: Scene) -> None:
    agreeing(scene)
    scene.facts("statements", f"{DAY},kaede,BTC,8,kaede-trust")
    assert shown(scene.found().first) == {
        ("vouched", "not_stated", "kaede", "BTC", None),
        ("read", "refused", "statements", "", "2"),
    }


def test_sources_that_disagree_are_shown_beside_what_each_says_against_the_books(scene: Scene) -> None:
    agreeing(scene)
    scene.facts("statements", f"{DAY},kaede,BTC,6.5,auditor")
    found = scene.found()
    assert shown(found.first) == {
        ("sources", "disagree", "kaede", "BTC", "0.5"),
        ("place", "missing", "kaede", "BTC", "-0.5"),
    }
    assert found.totals[0].stated == Decimal("11.500000000000000003")


def test_a_place_is_to_be_registered_stated_and_stated_for_this_day(scene: Scene) -> None:
    agreeing(scene)
    scene.facts("statements", f"{DAY},attic,BTC,1,esplora", f"{BEFORE},cellar,BTC,0,esplora")
    scene.pay("c1", 1, at(), asset="JPY", place="kaede")
    assert {each for each in shown(scene.found().first) if each[0] != "account"} == {
        ("registered", "unknown_place", "attic", "", None),
        ("registered", "unknown_place", "cellar", "", None),
        ("place", "excess", "attic", "BTC", "1"),
        ("vouched", "not_stated", "kaede", "JPY", None),
    }


def test_a_statement_of_another_day_is_held_against_the_books_of_its_own_day(scene: Scene) -> None:
    scene.pay("c1", 5, at(BEFORE))
    scene.pay("c1", 2, at())
    scene.facts("customer_balances", f"{DAY},c1,BTC,7")
    scene.facts("prices", f"BTC,JPY,{DAY}T10:00:00+09:00,10000000,ours")
    scene.facts("statements", f"{BEFORE},vault,BTC,5,esplora")
    assert shown(scene.found().first) == {("vouched", "stale", "vault", "BTC", None)}
    scene.facts("statements", f"{BEFORE},vault,BTC,4,core")
    assert shown(scene.found().first) == {
        ("vouched", "stale", "vault", "BTC", None),
        ("place", "missing", "vault", "BTC", "-1"),
    }


@pytest.mark.parametrize(
    ("last", "paid", "stale"),
    [
        ([f"{BEFORE},vault,BTC,0,esplora"], 0, False),
        ([f"{BEFORE},vault,BTC,1,esplora"], 0, True),
        ([f"{BEFORE},vault,BTC,0,esplora"], 1, True),
        ([f"{EARLIER},vault,BTC,1,esplora", f"{BEFORE},vault,BTC,0,core"], 0, False),
        ([f"{EARLIER},vault,BTC,0,esplora", f"{BEFORE},vault,BTC,1,core"], 0, True),
        ([f"{BEFORE},vault,BTC,0,esplora", f"{BEFORE},vault,BTC,1,core"], 0, True),
    ],
)
def test_a_place_needs_no_statement_any_more_when_the_last_was_nothing_and_nothing_is_there(
    scene: Scene, last: list[str], paid: int, stale: bool
) -> None:
    scene.facts("customer_balances", f"{DAY},c1,BTC,{paid}")
    scene.facts("statements", *last)
    if paid:
        scene.pay("c1", paid, at())
    assert (("vouched", "stale", "vault", "BTC", None) in shown(scene.found().first)) is stale


def test_an_asset_that_nobody_prices_is_a_hole(scene: Scene) -> None:
    agreeing(scene)
    assert shown(scene.found(DAY + timedelta(days=5)).first) >= {("priced", "price_hole", "", "BTC", None)}


def test_accounts_without_a_holder_are_compared_by_asset_and_assets_out_of_the_books_too(scene: Scene) -> None:
    agreeing(scene)
    from books.cast import open_accounts

    open_accounts(scene.cast, ["customer/ETH/vault", "outside/ETH/world"])
    scene.cast.post("eth", "deposit", {"outside/ETH/world": "-9", "customer/ETH/vault": "9"}, at(), reference="r")
    scene.facts("customer_balances", f"{DAY},c1,ETH,5", f"{DAY},c2,ETH,3", f"{DAY},c2,XRP,10")
    found = scene.found()
    assert {each for each in shown(found.first) if each[0] in ("account", "asset")} == {
        ("asset", "missing", "", "ETH", "-1"),
        ("asset", "excess", "", "XRP", "10"),
    }
    [eth] = [total for total in found.totals if total.asset == "ETH"]
    assert (eth.booked, eth.unnamed) == (Decimal(9), Decimal(9))


def test_what_the_books_do_not_keep_is_from_holdings(scene: Scene) -> None:
    agreeing(scene)
    scene.facts(
        "holdings",
        f"{DAY},vault,XRP,5,customer,cold",
        f"{DAY},vault,XRP,1,own,cold",
        f"{DAY},vault,BTC,99,customer,cold",
    )
    scene.facts("statements", f"{DAY},vault,XRP,6,ledger")
    assert {each for each in shown(scene.found().first) if each[2] == "vault"} == set()
    scene.facts("statements", f"{DAY},vault,XRP,5.9,node")
    assert ("place", "missing", "vault", "XRP", "-0.1") in shown(scene.found().first)


@pytest.mark.parametrize(("window", "kind"), [(10, "timing"), (4, "excess")])
def test_what_the_books_follow_within_the_window_is_timing(scene: Scene, window: int, kind: str) -> None:
    scene.pay("c1", 5, at(BEFORE))
    scene.facts("customer_balances", f"{BEFORE},c1,BTC,5")
    scene.facts("balance_changes", f"{DAY}T14:50:00Z,c1,BTC,6")
    scene.pay("c1", 1, at(hour=15, minute=5))
    found = scene.found(window=timedelta(minutes=window))
    assert {each for each in shown(found.first) if each[0] == "account"} == {("account", kind, "c1", "BTC", "1")}


@pytest.mark.parametrize(("window", "kind"), [(10, "timing"), (4, "missing")])
def test_what_the_platform_has_not_followed_yet_is_timing(scene: Scene, window: int, kind: str) -> None:
    scene.pay("c1", 5, at(BEFORE))
    scene.pay("c1", 1, at(hour=14, minute=55))
    scene.pay("c2", 3, at(hour=14, minute=57))
    scene.facts("customer_balances", f"{DAY},c1,BTC,5", f"{DAY},c2,BTC,2")
    found = scene.found(window=timedelta(minutes=window))
    assert {each for each in shown(found.first) if each[0] == "account"} == {
        ("account", kind, "c1", "BTC", "-1"),
        ("account", "missing", "c2", "BTC", "-1"),
    }


@pytest.mark.parametrize(("minutes", "kind"), [(55, "timing"), (45, "excess")])
def test_what_the_platform_said_before_within_the_window_is_timing(scene: Scene, minutes: int, kind: str) -> None:
    scene.pay("c1", 5, at(BEFORE))
    scene.facts("customer_balances", f"{BEFORE},c1,BTC,5")
    scene.facts("balance_changes", f"{DAY}T14:{minutes}:00Z,c1,BTC,6")
    assert {each for each in shown(scene.found().first) if each[0] == "account"} == {
        ("account", kind, "c1", "BTC", "1")
    }


def test_a_statement_of_an_instant_is_timing_when_the_books_said_so_then(scene: Scene) -> None:
    agreeing(scene)
    scene.pay("c1", 1, at(hour=13))
    scene.facts("customer_balances", f"{DAY},c1,BTC,13", corrects="later")
    scene.facts(
        "statements", f"{DAY},kaede,BTC,7,bank,r-1,{DAY}T21:00:00+09:00", f"{DAY},vault,BTC,5.000000000000000003,node,block 1,{DAY}T21:30:00+09:00",
        f"{DAY},vault,BTC,5.000000000000000003,late,block 2,{DAY}T22:30:00+09:00",
    )  # fmt: skip
    kinds = {each.source: str(each.kind) for each in scene.found().first if each.compared == "place"}
    assert kinds == {"esplora": "missing", "core": "missing", "node": "timing", "late": "missing"}


def test_a_place_emptied_within_the_window_is_timing_in_full_and_again(scene: Scene) -> None:
    scene.pay("c1", 5, at())
    scene.facts("statements", f"{DAY},vault,BTC,5,esplora")
    scene.outcome()
    scene.pay("c1", -5, at(hour=14, minute=55))
    moment = scene.moment()
    again, whole = scene.outcome(moment), scene.outcome(moment, fresh=True)
    assert not again.in_full
    assert again.reconciliation.canonical == whole.reconciliation.canonical
    assert ("place", "timing", "vault", "BTC", "5") in shown(whole.reconciliation.first)


NO_BALANCES = ("known", "unknown", "customer_balances", "", None)
NO_HOLDINGS = ("known", "unknown", "holdings", "", None)


def test_a_side_of_which_nothing_is_known_does_not_agree(scene: Scene) -> None:
    assert shown(scene.found().first) == {NO_BALANCES, NO_HOLDINGS}
    assert scene.found().blind
    scene.pay("c1", 5, at())
    assert shown(scene.found().first) & {NO_BALANCES, NO_HOLDINGS} == {NO_BALANCES}
    assert shown(scene.found(BEFORE).first) == {NO_BALANCES, NO_HOLDINGS}  # the books had no entry then
    scene.facts("customer_balances", f"{DAY},c1,BTC,5")
    assert NO_BALANCES not in shown(scene.found().first)
    assert not scene.found().blind
    assert NO_BALANCES in shown(scene.found(BEFORE).first)


def test_balances_of_zero_and_books_in_which_all_was_paid_out_are_something_known(scene: Scene) -> None:
    scene.pay("c1", 5, at())
    scene.pay("c1", -5, at(hour=13))
    scene.facts("customer_balances", f"{DAY},c1,BTC,0")
    found = scene.found()
    assert shown(found.first) == set()
    assert not found.blind


def test_holdings_are_known_without_books_and_one_change_is_a_balance(
    tmp_path_factory: pytest.TempPathFactory, scene: Scene
) -> None:
    home = create_home(tmp_path_factory.mktemp("bare") / "home", "Bare")
    other = Scene(home, scene.books, scene.people, scene.folder)
    assert shown(reconcile(open_lake(home), DAY).first) == {NO_BALANCES, NO_HOLDINGS}
    other.facts("holdings", f"{DAY},vault,BTC,0,customer,cold")
    assert shown(reconcile(open_lake(home), DAY).first) == {NO_BALANCES}
    other.facts("balance_changes", f"{DAY}T03:00:00Z,c1,BTC,0")
    assert shown(reconcile(open_lake(home), DAY).first) == set()


def test_where_the_platform_says_nothing_no_account_is_a_break_and_a_notice_tells(scene: Scene) -> None:
    scene.pay("c1", 5, at())
    found = scene.found()
    assert {each[0] for each in shown(found.first)} == {"known", "vouched", "priced"}
    assert any("no balances of customers" in notice.en for notice in found.notices)
    [btc] = found.totals
    assert (btc.platform, btc.booked) == (None, Decimal(5))


def test_a_home_without_books_says_what_was_not_compared(
    tmp_path_factory: pytest.TempPathFactory, scene: Scene
) -> None:
    home = create_home(tmp_path_factory.mktemp("bare") / "home", "Bare")
    other = Scene(home, scene.books, scene.people, scene.folder)
    other.facts("customer_balances", f"{DAY},c1,BTC,5", f"{DAY},c2,BTC,7")
    other.facts("holdings", f"{DAY},vault,BTC,11,customer,cold")
    found = reconcile(open_lake(home), DAY)
    assert shown(found.first) == {
        ("vouched", "not_stated", "vault", "BTC", None),
        ("priced", "price_hole", "", "BTC", None),
    }
    assert any("no books" in notice.en for notice in found.notices)
    [btc] = found.totals
    assert btc.booked is None
    assert (btc.platform, btc.held) == (Decimal(12), Decimal(11))


def test_a_day_to_come_is_refused(scene: Scene) -> None:
    with pytest.raises(BadInput, match="not come yet"):
        reconcile(open_lake(scene.home), scene.home.today() + timedelta(days=1), scene.books)


def test_a_total_beyond_the_digits_is_refused_and_never_rounded(scene: Scene) -> None:
    scene.facts("customer_balances", f"{DAY},c1,BTC,{'9' * 20}", f"{DAY},c2,BTC,{'9' * 20}")
    with pytest.raises(BadInput, match="more than 20 digits"):
        scene.found()
