"""Units: what may be added, what a product is in, and that a unit is written in one way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from junbikin.errors import BadInput
from junbikin.figures import (
    RATIO,
    Figure,
    Rounding,
    Unit,
    UnitMismatch,
    clamp,
    largest,
    ln,
    power,
    ratio,
    smallest,
    total,
)

from .parts import of, symbols, units, unknown


def exponents(unit: Unit) -> Counter[str]:
    """Symbol → exponent: the slow way to see a unit."""
    found = Counter(unit.over)
    found.subtract(Counter(unit.under))
    return found


def test_yen_plus_bitcoin_is_refused_and_both_are_named() -> None:
    with pytest.raises(UnitMismatch, match=r"fees is in JPY, coins in BTC") as caught:
        of(1, "JPY", "fees") + of(1, "BTC", "coins")
    assert caught.value.then


def test_nothing_else_mixes_units_either() -> None:
    yen, coin = of(1), of(1, "BTC")
    mixes: list[Callable[[], Figure]] = [
        lambda: yen - coin,
        lambda: total([yen, coin], "JPY"),
        lambda: largest(yen, coin),
        lambda: smallest(yen, coin),
        lambda: clamp(yen, coin, coin),
        lambda: yen + unknown("BTC"),
    ]
    for mix in mixes:
        with pytest.raises(UnitMismatch):
            mix()
    with pytest.raises(BadInput, match="a total in BTC was given lines in JPY"):
        total([yen], "BTC")


def test_only_a_ratio_has_a_logarithm_or_a_power() -> None:
    odds: list[Callable[[], Figure]] = [
        lambda: ln(of(2), 5),
        lambda: power(of(2), of(2, "1"), 5),
        lambda: power(of(2, "1"), of(2), 5),
    ]
    for odd in odds:
        with pytest.raises(BadInput, match="is in JPY"):
            odd()


def test_a_price_times_an_amount_is_money() -> None:
    worth = of(10, "JPY/BTC") * of(3, "BTC")
    assert str(worth.unit) == "JPY"
    assert worth.known == 30


def test_money_over_money_is_a_ratio() -> None:
    assert ratio(of(1), of(4), 2, Rounding.HALF_EVEN).unit == RATIO


@given(units, units)
def test_products_and_quotients_add_and_subtract_exponents(a: Unit, b: Unit) -> None:
    product, quotient = exponents(a), exponents(a)
    product.update(exponents(b))
    quotient.subtract(exponents(b))
    assert +exponents(a * b) == +product
    assert -exponents(a * b) == -product
    assert +exponents(a / b) == +quotient
    assert -exponents(a / b) == -quotient


@given(units)
def test_a_unit_is_written_in_one_way_and_read_back(unit: Unit) -> None:
    assert Unit.parse(str(unit)) == unit
    assert not set(unit.over) & set(unit.under)


@given(st.lists(symbols, min_size=1, max_size=4).flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))))
def test_the_order_of_symbols_does_not_matter(lists: tuple[list[str], list[str]]) -> None:
    one, other = lists
    assert Unit.parse("*".join(one)) == Unit.parse("*".join(other))
    assert Unit.parse("1/" + "*".join(one)) == Unit.parse("1/" + "*".join(other))


@pytest.mark.parametrize("text", ["", "jpy", "JPY/", "/BTC", "JPY/BTC/ETH", "J PY", "JPY*", "1*JPY", "JPY/1", "円"])
def test_what_is_not_written_as_a_unit_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="not a unit") as caught:
        Unit.parse(text)
    assert caught.value.then
