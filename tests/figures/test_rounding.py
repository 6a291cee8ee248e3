"""Rounding, quotients, logarithms and powers: each against its definition."""

from __future__ import annotations

import decimal
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from junbikin.errors import BadInput
from junbikin.figures import Rounding, euler, ln, power, ratio, rounded

from .parts import decimals, fraction, of

modes = st.sampled_from(Rounding)


def by_definition(value: Fraction, places: int, mode: Rounding) -> Fraction:
    """What the name of a rounding means."""
    scaled = value * 10**places
    away = ceil(scaled) if value > 0 else floor(scaled)
    toward = floor(scaled) if value > 0 else ceil(scaled)
    if mode is Rounding.DOWN or mode is Rounding.UP:
        whole = toward if mode is Rounding.DOWN else away
    elif abs(scaled - toward) != Fraction(1, 2):
        whole = toward if abs(scaled - toward) < Fraction(1, 2) else away
    elif mode is Rounding.HALF_UP:
        whole = away
    else:
        whole = toward if toward % 2 == 0 else away
    return Fraction(whole, 10**places)


@pytest.mark.parametrize(
    ("value", "down", "up", "half_up", "half_even"),
    [
        ("2.5", 2, 3, 3, 2), ("3.5", 3, 4, 4, 4), ("-2.5", -2, -3, -3, -2), ("-3.5", -3, -4, -4, -4),
        ("2.4", 2, 3, 2, 2), ("-2.6", -2, -3, -3, -3), ("0.5", 0, 1, 1, 0), ("-0.5", 0, -1, -1, 0), ("7", 7, 7, 7, 7),
    ],
)  # fmt: skip
def test_the_four_roundings_by_hand(value: str, down: int, up: int, half_up: int, half_even: int) -> None:
    got = [rounded(of(value), 0, mode).known for mode in Rounding]
    assert got == [down, up, half_up, half_even]
    assert [by_definition(Fraction(value), 0, mode) for mode in Rounding] == got


@given(decimals(), st.integers(0, 12), modes)
def test_rounding_is_what_its_name_says(value: Decimal, places: int, mode: Rounding) -> None:
    assert fraction(rounded(of(value), places, mode)) == by_definition(Fraction(value), places, mode)


@given(st.integers(-(10**20), 10**20), st.integers(0, 12), modes)
def test_ties_are_rounded_as_named(number: int, places: int, mode: Rounding) -> None:
    tie = Decimal(f"{2 * number + 1}E-1") * Decimal(f"1E-{places}")
    assert fraction(rounded(of(tie), places, mode)) == by_definition(Fraction(tie), places, mode)


@given(decimals(-(10**12), 10**12), st.integers(0, 12), modes)
def test_rounding_twice_changes_nothing(value: Decimal, places: int, mode: Rounding) -> None:
    once = rounded(of(value), places, mode)
    assert rounded(once, places, mode).known == once.known


def test_a_rounded_figure_shows_how_and_keeps_its_name() -> None:
    shown = rounded(of("1.5").named("fee", "fee", "手数料"), 0, Rounding.DOWN)
    assert (shown.op, shown.key, shown.name.ja) == ("round(0, down)", "fee", "手数料")


@given(decimals(), decimals(), st.integers(0, 20), modes)
@example(Decimal("22015955674766696448"), Decimal(7), 9, Rounding.DOWN)
def test_a_ratio_is_the_correctly_rounded_fraction(over: Decimal, under: Decimal, places: int, mode: Rounding) -> None:
    assume(under != 0)
    expected = by_definition(Fraction(over) / Fraction(under), places, mode)
    assert fraction(ratio(of(over), of(under), places, mode)) == expected


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**6), st.integers(0, 6), modes)
def test_a_ratio_that_ties_is_rounded_as_named(number: int, under: int, places: int, mode: Rounding) -> None:
    over = of(Decimal(f"{2 * number + 1}E-{places + 1}") * 5 * under)
    expected = by_definition(fraction(over) / (10 * under), places, mode)
    assert fraction(ratio(over, of(10 * under), places, mode)) == expected


def test_a_division_by_zero_is_refused() -> None:
    with pytest.raises(BadInput, match="divided by zero") as caught:
        ratio(of(1), of(0), 2, Rounding.DOWN)
    assert caught.value.then


# The oracle works to twice the digits, and a power of a whole number is worked as a fraction besides.
WIDE = decimal.Context(prec=130)


def half_even(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(f"1E-{places}"), rounding=decimal.ROUND_HALF_EVEN, context=WIDE)


positive = decimals(0, 10**12, 12).filter(lambda value: value > 0)


@given(positive, st.integers(0, 30))
def test_ln_is_the_logarithm_at_its_places(value: Decimal, places: int) -> None:
    assert ln(of(value, "1"), places).known == half_even(value.ln(WIDE), places)


@given(positive, positive)
def test_ln_of_a_product_is_the_sum_of_the_logarithms(a: Decimal, b: Decimal) -> None:
    apart = ln(of(a, "1"), 25) + ln(of(b, "1"), 25)
    together = ln(of(a, "1") * of(b, "1"), 25)
    assert abs(apart.known - together.known) <= Decimal("2E-25")


@given(positive, decimals(-2, 2, 4), st.integers(0, 12))
def test_a_power_is_the_power_at_its_places(value: Decimal, exponent: Decimal, places: int) -> None:
    expected = half_even(WIDE.exp(WIDE.multiply(exponent, value.ln(WIDE))), places)
    assert power(of(value, "1"), of(exponent, "1"), places).known == expected


@given(decimals(0, 10**6, 6), st.integers(1, 4), st.integers(0, 12))
@example(Decimal("0.0005"), 1, 3)
def test_a_whole_power_is_repeated_multiplication(value: Decimal, exponent: int, places: int) -> None:
    expected = by_definition(Fraction(value) ** exponent, places, Rounding.HALF_EVEN)
    assert fraction(power(of(value, "1"), of(exponent, "1"), places)) == expected


def test_e_is_e() -> None:
    assert euler(12).known == Decimal("2.718281828459")
    assert euler(20).known == Decimal("2.71828182845904523536")


@pytest.mark.parametrize("value", ["0", "-1"])
def test_the_logarithm_of_nothing_or_less_is_refused(value: str) -> None:
    with pytest.raises(BadInput, match=f"the logarithm of amount = {value} does not exist"):
        ln(of(value, "1"), 5)


def test_the_power_of_a_negative_number_is_refused() -> None:
    with pytest.raises(BadInput, match="negative"):
        power(of(-1, "1"), of("0.5", "1"), 5)


def test_zero_to_a_negative_power_is_refused() -> None:
    with pytest.raises(BadInput):
        power(of(0, "1"), of(-1, "1"), 5)


def test_anything_to_the_power_of_zero_is_one() -> None:
    for value in ("0", "0.5", "1", "7"):
        assert power(of(value, "1"), of(0, "1"), 5).known == 1
