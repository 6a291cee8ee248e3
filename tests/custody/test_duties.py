"""The duties that weigh what is held, against slow and obvious arithmetic in fractions, for any holdings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from junbikin.calendars import is_business_day
from junbikin.rulebooks import duties
from junbikin.rulebooks.duties import cure_by
from junbikin.rulebooks.interface import Check, CustodyFacts, Place
from junbikin.rulebooks.load import load_rulebook
from junbikin.rulebooks.parameters import Rules
from junbikin.rulebooks.stated import StatedFacts

BOOK = load_rulebook("jp-psa")
DAY = date(2025, 6, 6)
ASSETS = ("BTC", "ETH", "XRP")
PARTS = ("owed", "cold", "warm", "guarantee", "guarantee_warm")

Coins = dict[str, dict[str, str]]
quantities = st.decimals(min_value=0, max_value=10**6, places=8) | st.sampled_from(
    [Decimal(0), Decimal(1), Decimal("1e-18")]
)
coins: st.SearchStrategy[Coins] = st.dictionaries(
    st.sampled_from(ASSETS), st.fixed_dictionaries({part: quantities.map(lambda q: f"{q:f}") for part in PARTS})
)
prices = st.fixed_dictionaries(
    {}, optional={asset: st.integers(1, 10**9).map(lambda cents: f"{Decimal(cents) / 100:f}") for asset in ASSETS}
)


def with_value(key: str, value: str) -> Rules:
    """The rules of jp-psa with one parameter said anew."""
    parameter = BOOK.parameters[key]
    dated = tuple(replace(one, value=value) for one in parameter.values)
    return Rules(BOOK.id, DAY, {**BOOK.parameters, key: replace(parameter, values=dated)})


RULES = BOOK.on(DAY)


def found(check: Check) -> dict[tuple[str, str], Fraction | None]:
    """Code and subject of what lapsed → its amount."""
    return {
        (lapse.finding.code, lapse.subject): Fraction(lapse.finding.amount.known) if lapse.finding.amount else None
        for lapse in check.lapses
    }


def parts(coins: Coins, asset: str) -> list[Fraction]:
    return [Fraction(coins[asset][part]) for part in PARTS]


@given(coins)
def test_held_lapses_for_just_the_coins_of_which_less_is_held_than_owed(coins: Coins) -> None:
    short = {}
    for asset in coins:
        owed, cold, warm, *_ = parts(coins, asset)
        if cold + warm < owed:
            short["held-short", asset] = cold + warm - owed
    assert found(duties.held(StatedFacts(DAY, coins=coins), RULES)) == short


@given(coins)
def test_guarantee_lapses_for_just_the_coins_of_which_less_is_set_apart_than_is_hot(coins: Coins) -> None:
    short = {}
    for asset in coins:
        _, _, warm, guarantee, guarantee_warm = parts(coins, asset)
        if guarantee < warm:
            short["guarantee-short", asset] = guarantee - warm
        if guarantee_warm:
            short["guarantee-hot", asset] = guarantee_warm
    assert found(duties.guarantee(StatedFacts(DAY, coins=coins), RULES)) == short


@given(coins, prices)
def test_the_hot_limit_is_one_total_over_what_is_owed_and_there(coins: Coins, prices: dict[str, str]) -> None:
    warm_value = value = Fraction(0)
    holes = set()
    for asset in coins:
        owed, cold, warm, *_ = parts(coins, asset)
        if owed == cold == warm == 0:
            continue
        if asset not in prices:
            holes.add(asset)
            continue
        warm_value += warm * Fraction(prices[asset])
        value += min(owed, cold + warm) * Fraction(prices[asset])
    got = found(duties.hot(StatedFacts(DAY, coins=coins, prices=prices), RULES))
    assert {subject for code, subject in got if code == "price-hole"} == holes
    nothing_priced = holes and not any(asset in prices and any(parts(coins, asset)[:3]) for asset in coins)
    above = not nothing_priced and warm_value * 20 > value
    assert (("hot-above", "") in got) == above
    assert (("hot-above-unknown", "") in got) == (bool(holes) and not above)
    if above:
        assert got["hot-above", ""] == value / 20 - warm_value


@given(coins, st.fractions(min_value=0, max_value=1, max_denominator=1000))
def test_a_limit_asset_by_asset_needs_no_price(coins: Coins, most: Fraction) -> None:
    text = f"{Decimal(most.numerator * 1000 // most.denominator) / 1000:f}"
    rules = with_value("duties.hot.most", text)
    rules = replace(rules, parameters={**rules.parameters, "duties.hot.of": with_value("duties.hot.of", "asset").parameters["duties.hot.of"]})  # fmt: skip
    above = {}
    for asset in coins:
        owed, cold, warm, *_ = parts(coins, asset)
        room = min(owed, cold + warm) * Fraction(text) - warm
        if room < 0:
            above["hot-above", asset] = room
    assert found(duties.hot(StatedFacts(DAY, coins=coins), rules)) == above


@given(coins, prices, st.integers(-(10**12), 10**15))
def test_net_assets_are_held_against_every_guarantee_coin(coins: Coins, prices: dict[str, str], equity: int) -> None:
    worth, holes = Fraction(0), False
    for asset in coins:
        _, _, _, *guarantee = parts(coins, asset)
        if sum(guarantee) and asset in prices:
            worth += sum(guarantee) * Fraction(prices[asset])
        elif sum(guarantee):
            holes = True
    got = found(duties.net_assets(StatedFacts(DAY, coins=coins, prices=prices, equity=str(equity)), RULES))
    known = not holes or any(asset in prices and sum(parts(coins, asset)[3:]) for asset in coins)
    if known and equity < worth:
        assert got == {("net-assets-short", ""): equity - worth}
    elif holes:
        assert got == {("net-assets-short-unknown", ""): None}
    else:
        assert got == {}


yen = st.integers(0, 10**13)


@given(yen, yen, yen, st.integers(0, 12))
def test_money_must_be_on_trust_and_be_worked_out_each_business_day(owed: int, trust: int, bank: int, ago: int) -> None:
    counted_on = DAY - timedelta(days=ago)
    cash = {"owed": str(owed), "trust": str(trust), "bank": str(bank), "counted_on": counted_on}
    expected: dict[tuple[str, str], Fraction | None] = {}
    if trust < owed:
        expected["money-short", ""] = Fraction(trust - owed)
    if any(is_business_day(counted_on + timedelta(days=since)) for since in range(1, ago + 1)):
        expected["money-not-counted", ""] = None
    assert found(duties.money(StatedFacts(DAY, cash=cash), RULES)) == expected


@given(st.lists(st.tuples(st.sampled_from(["", "a", "b", "c"]), st.integers(0, 10**6)), max_size=8))
def test_a_provider_may_keep_up_to_its_share_of_all(kept_at: list[tuple[str, int]]) -> None:
    places = tuple(
        {
            "id": f"p{number}",
            "owners": ["customer"],
            "worth": str(worth),
            **({"provider": {"id": name}} if name else {}),
        }
        for number, (name, worth) in enumerate(kept_at)
    )
    whole = sum(worth for _, worth in kept_at)
    kept = {name: sum(worth for by, worth in kept_at if by == name) for name in "abc"}
    expected = {("concentrated", name): Fraction(whole, 2) - there for name, there in kept.items() if 2 * there > whole}
    assert found(duties.concentration(StatedFacts(DAY, kept_at=places), RULES)) == expected


@given(st.dates(date(2020, 5, 1), date(2026, 11, 1)), st.integers(0, 20))
def test_a_lapse_is_cured_within_just_so_many_business_days_from_the_day_after_it(since: date, days: int) -> None:
    rules = with_value("duties.money.cure_business_days", str(days))
    (lapse,) = duties.money(StatedFacts(DAY, cash={"owed": "1"}), rules).lapses
    due = cure_by(lapse, since)
    assert due is not None
    between = [since + timedelta(days=number) for number in range(1, (due - since).days + 1)]
    assert sum(map(is_business_day, between)) == days
    assert due == since if days == 0 else is_business_day(due)


PLACE = {"id": "p", "worth": "1", "registered": True}
LAPSES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "where only own property lies, nobody asks": ({"owners": ["own"], "registered": False}, set()),
    "with customers' it is asked": ({"owners": ["own", "customer"], "registered": False}, {"place-unregistered"}),
    "the reserve's too": ({"owners": ["reserve"], "registered": False}, {"place-unregistered"}),
    "nobody can say without a registry": ({"owners": ["customer"], "registered": None}, {"registry-missing"}),
    "checked until today": ({"owners": ["customer"], "provider": {"id": "x", "checked_until": DAY}}, set()),
    "checked until yesterday": ({"owners": ["customer"], "provider": {"id": "x", "checked_until": DAY - timedelta(days=1)}}, {"provider-unchecked"}),
    "contract until today": ({"owners": ["customer"], "provider": {"id": "x", "checked_until": DAY, "contract_until": DAY}}, set()),
    "ends tomorrow": ({"owners": ["customer"], "provider": {"id": "x", "checked_until": DAY, "ended_on": DAY + timedelta(days=1)}}, set()),
    "ended today": ({"owners": ["customer"], "provider": {"id": "x", "checked_until": DAY, "ended_on": DAY}}, {"provider-ended"}),
    "never registered": ({"owners": ["customer"], "provider": {"id": "x"}}, {"provider-unregistered"}),
}  # fmt: skip


@pytest.mark.parametrize("what", LAPSES)
def test_places_and_providers(what: str) -> None:
    says, codes = LAPSES[what]
    facts = StatedFacts(DAY, kept_at=({**PLACE, **says},))
    assert {code for code, _ in found(duties.places(facts, RULES))} == codes


def test_holdings_that_name_another_provider_or_storage_than_the_registry_are_told() -> None:
    facts = StatedFacts(
        DAY, kept_at=({**PLACE, "owners": ["customer"], "provider": {"id": "x", "checked_until": DAY}},)
    )
    (known,) = facts.places()
    odd = replace(known, providers_named=frozenset({"x", "y"}), storages=frozenset({"cold"}), registered_storage="hot")

    class Odd(StatedFacts):
        def places(self) -> tuple[Place, ...]:
            return (odd,)

    assert found(duties.places(Odd(DAY), RULES)) == {("provider-differs", "p"): None, ("storage-differs", "p"): None}


DUTIES: dict[str, Callable[[CustodyFacts, Rules], Check]] = {duty.__name__: duty for duty in (duties.held, duties.hot, duties.guarantee, duties.money, duties.apart, duties.places, duties.concentration, duties.net_assets, duties.audits)}  # fmt: skip


@pytest.mark.parametrize("name", DUTIES)
def test_every_lapse_cites_its_rule_and_says_what_to_do(name: str) -> None:
    """With everything wrong at once."""
    coin = {"owed": "5", "cold": "1", "warm": "3", "guarantee": "0", "guarantee_warm": "1"}
    wrong = {"id": "p", "owners": ["customer", "own"], "worth": "9", "registered": False, "provider": {"id": "x"}}
    facts = StatedFacts(DAY, coins={"BTC": coin}, prices={"BTC": "2"}, cash={"owed": "5"}, kept_at=(wrong,), equity="0", audited={"segregation": date(2020, 5, 1)})  # fmt: skip
    check = DUTIES[name](facts, RULES)
    assert check.lapses
    for lapse in check.lapses:
        finding = lapse.finding
        assert finding.citation is not None
        assert finding.provenance is not None
        assert all((finding.what.en, finding.what.ja, finding.then.en, finding.then.ja))
