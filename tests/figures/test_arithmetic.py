"""Arithmetic: exact to the last digit, against fractions; and what is no exact number is refused."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from junbikin.errors import BadInput
from junbikin.figures import brackets, clamp, exact, largest, plain, smallest, total

from .parts import decimals, fraction, of


@given(decimals(), decimals())
def test_sum_difference_and_product_are_exact(a: Decimal, b: Decimal) -> None:
    one, other = Fraction(a), Fraction(b)
    assert fraction(of(a) + of(b)) == one + other
    assert fraction(of(a) - of(b)) == one - other
    assert fraction(of(a) * of(b, "1")) == one * other


@given(st.lists(decimals(), max_size=12))
def test_a_total_is_the_sum_of_its_lines_whatever_their_order(amounts: list[Decimal]) -> None:
    whole = total([of(amount) for amount in amounts], "JPY")
    assert fraction(whole) == sum(map(Fraction, amounts))
    assert total([of(amount) for amount in reversed(amounts)], "JPY").known == whole.known
    assert [line.known for line in whole.inputs] == amounts


@given(st.lists(decimals(), min_size=1, max_size=8))
def test_largest_and_smallest_are_the_ends_of_the_sorted_list(amounts: list[Decimal]) -> None:
    in_order = sorted(map(Fraction, amounts))
    figures = [of(amount) for amount in amounts]
    assert fraction(largest(*figures)) == in_order[-1]
    assert fraction(smallest(*figures)) == in_order[0]


@given(decimals(), decimals(), decimals())
def test_clamp_is_the_middle_of_three(value: Decimal, one: Decimal, other: Decimal) -> None:
    low, high = min(one, other), max(one, other)
    kept = clamp(of(value), of(low), of(high))
    assert kept.known == sorted([value, low, high])[1]
    assert (kept.note is None) == (kept.known == value)


def test_clamp_says_which_bound_it_met() -> None:
    assert "floor" in str(clamp(of(1), of(2), of(3)).note)
    assert "ceiling" in str(clamp(of(4), of(2), of(3)).note)


def test_a_floor_above_the_ceiling_is_refused() -> None:
    with pytest.raises(BadInput, match="the floor least is above the ceiling most"):
        clamp(of(1), of(3, name="least"), of(2, name="most"))


@given(
    decimals(-(10**6), 10**12),
    st.lists(decimals(0, 10**12, 2), max_size=4, unique_by=lambda x: x.normalize()),
    st.data(),
)
def test_brackets_equal_the_sum_of_rate_steps_above_each_threshold(
    amount: Decimal, above: list[Decimal], data: st.DataObject
) -> None:
    thresholds = sorted({Decimal(0), *above})
    rates = [data.draw(decimals(0, 1, 6)) for _ in thresholds]
    schedule = [(of(threshold), of(rate, "1")) for threshold, rate in zip(thresholds, rates, strict=True)]
    # The oracle is another formula: each step up in the rate is charged on all that lies above its threshold.
    steps = [Fraction(rate) - Fraction(before) for rate, before in zip(rates, [Decimal(0), *rates], strict=False)]
    expected = sum(
        step * max(Fraction(0), Fraction(amount) - Fraction(threshold))
        for step, threshold in zip(steps, thresholds, strict=True)
    )
    assert fraction(brackets(of(amount), schedule)) == expected


@pytest.mark.parametrize("thresholds", [[], [0, 0], [5, 3]])
def test_a_bracket_schedule_must_rise(thresholds: list[int]) -> None:
    with pytest.raises(BadInput, match="thresholds that rise"):
        brackets(of(1), [(of(threshold), of("0.1", "1")) for threshold in thresholds])


def test_a_result_that_does_not_fit_is_an_error_and_never_a_rounding() -> None:
    with pytest.raises((ArithmeticError, BadInput)):
        of("1e250") + of("1e-250")


@pytest.mark.parametrize(
    "value",
    [0.1, 1.0, float("nan"), float("inf"), True, None, "NaN", "sNaN", "Infinity", "-inf", "1e400", "1e-400", "", "ten",
     "1,000", "0x10", Decimal("NaN"), Decimal("Infinity"), Decimal("1e400"), 10**400],
    ids=lambda value: f"{type(value).__name__} {str(value)[:9]}",
)  # fmt: skip
def test_what_is_no_exact_number_is_refused(value: object) -> None:
    with pytest.raises(BadInput) as caught:
        of(value)  # type: ignore[arg-type]
    assert caught.value.then


@given(decimals())
def test_a_number_is_written_in_one_way_and_read_back(value: Decimal) -> None:
    text = plain(value)
    assert re.fullmatch(r"0|-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?", text)
    assert text != "-0"
    assert exact(text) == value


@given(decimals(places=6), st.integers(0, 6))
def test_trailing_zeros_change_neither_text_nor_figure(value: Decimal, zeros: int) -> None:
    assume(value == value.to_integral_value() or "." in str(value))
    longer = Decimal(f"{value:f}" + ("" if "." in f"{value:f}" else ".") + "0" * zeros)
    assert plain(longer) == plain(value)
    assert of(longer) == of(value)
