"""Shares by largest remainder: exact sums, whatever the order, equal to a slow and obvious worker in fractions."""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from junbikin.errors import BadInput
from junbikin.incidents.plan.shares import Scale, split


def slow(units: Sequence[int], worth: Fraction, total: int) -> list[int]:
    """Whole parts, then a unit each by falling remainder and rising number."""
    exact = [unit * worth for unit in units]
    whole = [share.numerator // share.denominator for share in exact]
    order = sorted(range(len(units)), key=lambda one: (whole[one] - exact[one], one))
    for one in order[: total - sum(whole)]:
        whole[one] += 1
    return whole


def worked(units: Sequence[int], worth: Fraction, total: int) -> list[int]:
    scale = Scale.of(worth, max(units))
    with duckdb.connect() as engine:
        engine.execute("CREATE TABLE held (number BIGINT, units HUGEINT)")
        engine.execute(
            "INSERT INTO held VALUES " + ", ".join(f"({number}, {unit})" for number, unit in enumerate(units, 1))
        )
        found = split(engine, "FROM held", "units", scale, total)
        rows = engine.execute(f"SELECT owed FROM ({found.worked('FROM held', 'units', 'owed')}) ORDER BY number")
        return [int(owed) for (owed,) in rows.fetchall()]


def exact_total(units: Sequence[int], worth: Fraction, up: bool) -> int:
    whole, rest = divmod(sum(units) * worth.numerator, worth.denominator)
    return whole + (up and rest > 0)


WORTHS = st.builds(Fraction, st.integers(1, 2**60), st.integers(1, 2**40))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 2**60), min_size=1, max_size=40), WORTHS, st.booleans())
def test_shares_sum_to_the_total_and_are_those_of_the_slow_worker(units: list[int], worth: Fraction, up: bool) -> None:
    total = exact_total(units, worth, up)
    found = worked(units, worth, total)
    assert sum(found) == total
    assert found == slow(units, worth, total)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from([1, 2, 3, 10]), min_size=1, max_size=40), st.integers(1, 97), st.booleans())
def test_equal_holdings_are_told_apart_by_number_alone(units: list[int], under: int, up: bool) -> None:
    worth = Fraction(7, under)
    total = exact_total(units, worth, up)
    found = worked(units, worth, total)
    assert found == slow(units, worth, total)
    for unit in set(units):
        theirs = [amount for amount, held in zip(found, units, strict=True) if held == unit]
        assert theirs == sorted(theirs, reverse=True)
        assert theirs[0] - theirs[-1] <= 1


@pytest.mark.parametrize(
    ("most", "numerator", "denominator", "kind", "limbs"),
    [
        (10**9, 10**6, 10**9, "BIGINT", False),
        (10**18, 10**15 + 1, 10**18, "HUGEINT", False),
        (10**30, 10**27 + 1, 10**30, "HUGEINT", True),
        (10**36, 3**60, 10**37 - 1, "HUGEINT", True),
    ],
)
def test_numbers_of_every_length_are_worked_exactly(
    most: int, numerator: int, denominator: int, kind: str, limbs: bool
) -> None:
    chance = random.Random(most)  # noqa: S311
    units = [most, *(chance.randrange(1, most) for _ in range(50))]
    worth = Fraction(numerator, denominator)
    scale = Scale.of(worth, most)
    assert (scale.kind, not scale.at_once(scale.kind)) == (kind, limbs)
    for up in (False, True):
        total = exact_total(units, worth, up)
        assert worked(units, worth, total) == slow(units, worth, total)


def test_a_range_with_many_equal_remainders_is_cut_at_just_the_right_number() -> None:
    units = [3] * 1000 + [1] * 1000
    worth = Fraction(1, 7)
    total = exact_total(units, worth, True)
    assert worked(units, worth, total) == slow(units, worth, total)


def test_numbers_that_cannot_be_worked_exactly_are_refused_beforehand() -> None:
    with pytest.raises(BadInput, match="too many digits"):
        Scale.of(Fraction(1, 2**127), 5)
    with pytest.raises(BadInput, match="too many digits"):
        Scale.of(Fraction(2**100), 2**30)


def test_a_total_that_is_no_rounding_of_the_shares_is_a_fault() -> None:
    with pytest.raises(ValueError, match="units more"):
        worked([1, 1], Fraction(1, 2), 5)
