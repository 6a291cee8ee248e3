"""The duties that weigh what is held, against slow and obvious arithmetic in fractions, for any holdings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from junbikin.calendars import is_business_day
from junbikin.figures import Figure, Name, Provenance, Stated, Unit, hole, total
from junbikin.figures import given as given_figure
from junbikin.findings import Severity
from junbikin.rulebooks import duties
from junbikin.rulebooks.duties import cure_by
from junbikin.rulebooks.interface import Check, CustodyFacts, Kept, Place, Provider
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


TRIED = (Fraction(0), Fraction(1, 10**9), Fraction(10**40))
"""Prices that a coin without one might have: none, next to none, beyond all that is known."""


def whatever_the_prices(gap: Callable[[dict[str, Fraction]], Fraction], known: dict[str, str]) -> bool | None:
    """Whether a gap is below zero for each price that unpriced coins might have; None when for some only."""
    unpriced = [asset for asset in ASSETS if asset not in known]
    stated = {asset: Fraction(price) for asset, price in known.items()}
    tried = product(TRIED, repeat=len(unpriced))
    below = {gap({**stated, **dict(zip(unpriced, guess, strict=True))}) < 0 for guess in tried}
    return below.pop() if len(below) == 1 else None


def must_lapse(code: str, subject: str, below: bool | None) -> set[tuple[str, str]]:
    return {(code, subject)} if below else {(f"{code}-unknown", subject)} if below is None else set()


@given(coins, prices)
def test_the_hot_limit_is_one_total_over_what_is_owed_and_there(coins: Coins, prices: dict[str, str]) -> None:
    """It is passed only if it is whatever the prices are that nobody knows, and kept only if it is kept for all."""

    def room(at: dict[str, Fraction]) -> Fraction:
        found = Fraction(0)
        for asset in coins:
            owed, cold, warm, *_ = parts(coins, asset)
            found += (min(owed, cold + warm) / 20 - warm) * at[asset]
        return found

    got = found(duties.hot(StatedFacts(DAY, coins=coins, prices=prices), RULES))
    holes = {("price-hole", asset) for asset in coins if asset not in prices and any(parts(coins, asset)[:3])}
    assert got.keys() == holes | must_lapse("hot-above", "", whatever_the_prices(room, prices))
    if ("hot-above", "") in got:
        assert got["hot-above", ""] == room({**dict.fromkeys(ASSETS, Fraction(0)), **{a: Fraction(p) for a, p in prices.items()}})  # fmt: skip


def coin(owed: str, cold: str, warm: str = "0") -> dict[str, str]:
    return {"owed": owed, "cold": cold, "warm": warm}


UNPRICED = {
    "cold coins without a price may widen the limit": (coin("10", "9.4", "0.6"), coin("100000", "100000"), "unknown"),
    "hot ones only narrow it": (coin("10", "9.4", "0.6"), coin("1000", "0", "1000"), "breach"),
    "just the limit of them does neither": (coin("10", "9.4", "0.6"), coin("100", "95", "5"), "breach"),
    "hot ones may narrow it": (coin("10", "9.6", "0.4"), coin("1000", "949.9", "50.1"), "unknown"),
    "cold ones only widen it": (coin("10", "9.6", "0.4"), coin("1000", "950", "50"), "kept"),
}


@pytest.mark.parametrize("what", UNPRICED)
def test_an_unknown_price_neither_makes_a_breach_nor_hides_one(what: str) -> None:
    bitcoin, ether, verdict = UNPRICED[what]
    check = duties.hot(StatedFacts(DAY, coins={"BTC": bitcoin, "ETH": ether}, prices={"BTC": "10000000"}), RULES)
    codes = {"unknown": {"hot-above-unknown"}, "breach": {"hot-above"}, "kept": set()}[verdict]
    assert {code for code, _ in found(check)} == {"price-hole"} | codes
    assert not any(figure.key == "hot_share" for figure in (*check.steps, *check.told))
    for lapse in check.lapses:
        if lapse.finding.severity is Severity.HOLE:
            assert lapse.cure is None


@pytest.mark.parametrize(("base", "room"), [("lesser", "0.1"), ("owed", "2.1")])
def test_of_what_the_limit_is_a_share_is_the_regimes_to_say(base: str, room: str) -> None:
    """Of 100 owed 60 are there, 2.9 of them hot."""
    facts = StatedFacts(DAY, coins={"BTC": coin("100", "57.1", "2.9")}, prices={"BTC": "1"})
    figures = {step.key: step for step in duties.hot(facts, with_value("duties.hot.base", base)).steps}
    assert figures["hot_room"].value == Decimal(room)
    assert Provenance.ASSUMPTION in figures["hot_room"].provenances


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
    def gap(at: dict[str, Fraction]) -> Fraction:
        return equity - sum((sum(parts(coins, asset)[3:]) * at[asset] for asset in coins), Fraction(0))

    got = found(duties.net_assets(StatedFacts(DAY, coins=coins, prices=prices, equity=str(equity)), RULES))
    assert got.keys() == must_lapse("net-assets-short", "", whatever_the_prices(gap, prices))
    known = gap({**dict.fromkeys(ASSETS, Fraction(0)), **{asset: Fraction(price) for asset, price in prices.items()}})
    assert got.get(("net-assets-short", "")) in (None, known)


def test_net_assets_that_nobody_stated_are_not_taken_for_positive() -> None:
    assert set(found(duties.net_assets(StatedFacts(DAY), RULES))) == {("net-assets-short-unknown", "")}


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


class AtPlaces(StatedFacts):
    """Coins at places, each valued at its price."""

    def places(self) -> tuple[Place, ...]:
        return tuple(
            Place(
                id=stated["id"],
                owners=frozenset(["customer"]),
                worth=total(
                    [given_figure(q, a, Name(a, a), Stated("t")) * self.price(a) for a, q in stated["coins"].items()],
                    self.currency,
                ),
                provider=Provider(stated["by"], None) if stated["by"] else None,
            )
            for stated in self.kept_at
        )


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "a", "b"]), st.dictionaries(st.sampled_from(ASSETS), st.integers(1, 9), min_size=1)
        ),
        max_size=5,
    ),
    prices,
)
def test_a_provider_has_too_much_only_if_it_has_whatever_the_unknown_prices_are(
    kept_at: list[tuple[str, dict[str, int]]], prices: dict[str, str]
) -> None:
    places = tuple({"id": f"p{n}", "by": by, "coins": coins} for n, (by, coins) in enumerate(kept_at))
    expected = set()
    for name in {by for by, _ in kept_at if by}:

        def room(at: dict[str, Fraction], name: str = name) -> Fraction:
            worths = [(by, sum(q * at[asset] for asset, q in coins.items())) for by, coins in kept_at]
            return Fraction(sum(worth for _, worth in worths)) / 2 - sum(worth for by, worth in worths if by == name)

        expected |= must_lapse("concentrated", name, whatever_the_prices(room, prices))
    check = duties.concentration(AtPlaces(DAY, prices=prices, kept_at=places), RULES)
    assert set(found(check)) == expected
    assert bool(check.told) == any(by for by, _ in kept_at)


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


# What a finding rests on

CITED: dict[str, tuple[dict[str, Any], str, str]] = {
    "customers' and own": ({"owners": ["customer", "own"]}, "mixed", "duties.apart.owners"),
    "customers', own and the reserve": ({"owners": ["customer", "own", "reserve"]}, "mixed", "duties.apart.owners"),
    "customers' and the reserve": ({"owners": ["customer", "reserve"]}, "mixed", "duties.apart.also"),
    "own place, not registered": ({"owners": ["customer"], "registered": False}, "place-unregistered", "duties.places.demands"),
    "nobody checked who keeps it": ({"owners": ["customer"], "provider": {"id": "x"}}, "provider-unregistered", "duties.places.provider_demands"),
}  # fmt: skip


@pytest.mark.parametrize("what", CITED)
def test_a_finding_cites_the_parameter_that_makes_it_one(what: str) -> None:
    says, code, key = CITED[what]
    facts = StatedFacts(DAY, kept_at=({**PLACE, **says},))
    lapses = [*duties.apart(facts, RULES).lapses, *duties.places(facts, RULES).lapses]
    (finding,) = (lapse.finding for lapse in lapses if lapse.finding.code == code)
    parameter = BOOK.parameters[key]
    assert (finding.citation, finding.provenance) == (parameter.citation, parameter.provenance)


def test_that_an_audit_is_asked_for_is_law_and_when_it_is_late_is_a_reading() -> None:
    check = duties.audits(StatedFacts(DAY, audited={"segregation": date(2024, 6, 5)}), RULES)
    assert {(lapse.finding.code, lapse.finding.provenance) for lapse in check.lapses} == {
        ("audit-late", Provenance.ASSUMPTION),
        ("audit-unknown", Provenance.TEXT),
    }


# How a duty stands, in words


class Nothing(StatedFacts):
    """Of which nobody knows anything."""

    def kept(self) -> tuple[Kept, ...]:
        return ()

    def unknown(self) -> tuple[Figure, ...]:
        return tuple(
            hole("JPY", Name(name, name), Name(f"no {name} known", f"{name}がない"), f"unknown.{name}")
            for name in ("customer_balances", "holdings")
        )


@pytest.mark.parametrize("name", DUTIES)
@pytest.mark.parametrize("facts", [StatedFacts(DAY), Nothing(DAY)])
def test_every_duty_says_how_it_stands_even_when_there_is_nothing(name: str, facts: StatedFacts) -> None:
    check = DUTIES[name](facts, RULES)
    assert check.told or (check.looked_at and check.looked_at.en and check.looked_at.ja)


def test_what_is_not_known_is_said_and_nothing_is_said_to_be_none() -> None:
    said = duties.concentration(Nothing(DAY), RULES).looked_at
    assert said == Name("no holdings known", "holdingsがない")
    assert duties.concentration(StatedFacts(DAY), RULES).looked_at == Name("no providers", "委託先なし")


# Averages

KOREA = load_rulebook("kr-vaupa")


@pytest.mark.parametrize("days", [0, 299, 300, 365])
def test_an_average_of_too_few_days_is_a_hole_that_names_their_number(days: int) -> None:
    class Averaged(StatedFacts):
        def average_price(self, asset: str, period: object) -> Figure:
            return given_figure(days, "1", Name("days", "日数"), Stated("t"), f"days_priced.{asset}") * given_figure(
                "7", Unit.parse("JPY/BTC"), Name("price", "価格"), Stated("t")
            )

    mean = duties.averaged(Averaged(DAY), KOREA.on(DAY), "BTC")
    assert (mean.value is None) == (days < 300)
    assert [hole.note.en if hole.note else "" for hole in mean.holes] == [
        f"prices of BTC are known on {days} of 365 days, fewer than 300"
    ] * (days < 300)
