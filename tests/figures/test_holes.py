"""Holes: what is not known spreads where it must, and shows wherever it stands."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from junbikin.figures import (
    Figure,
    Name,
    Rounding,
    Stated,
    brackets,
    clamp,
    largest,
    ln,
    power,
    ratio,
    rounded,
    smallest,
    total,
)

from .parts import fraction, of, trees, unknown


@pytest.mark.parametrize(
    "worked",
    [
        lambda x: x + of(1, "1"),
        lambda x: of(1, "1") + x,
        lambda x: x - of(1, "1"),
        lambda x: of(1, "1") - x,
        lambda x: x * of(0, "1"),
        lambda x: of(0, "1") * x,
        lambda x: smallest(of(-5, "1"), x),
        lambda x: clamp(x, of(0, "1"), of(1, "1")),
        lambda x: rounded(x, 0, Rounding.DOWN),
        lambda x: ratio(x, of(2, "1"), 2, Rounding.DOWN),
        lambda x: ratio(of(2, "1"), x, 2, Rounding.DOWN),
        lambda x: ln(x, 5),
        lambda x: power(x, of(1, "1"), 5),
        lambda x: power(of(2, "1"), x, 5),
        lambda x: brackets(x, [(of(0, "1"), of(1, "1"))]),
        lambda x: total([x], "1"),
        lambda x: largest(x, x),
        lambda x: x.taken_as(Name("as", "として"), Stated("a test")),
    ],
)
def test_what_needs_an_unknown_is_unknown(worked: Callable[[Figure], Figure]) -> None:
    gap = unknown("1")
    assert worked(gap).value is None
    assert worked(gap).holes == (gap,)


def test_a_total_keeps_what_is_known_and_lists_what_is_not() -> None:
    gap = unknown(name="deposits")
    whole = total([of(3), gap, of(4)], "JPY")
    assert whole.known == 7
    assert whole.holes == (gap,)


def test_a_total_of_nothing_is_zero_and_complete() -> None:
    assert total([], "JPY").known == 0
    assert not total([], "JPY").holes


def test_largest_is_of_the_known_and_shows_the_unknown() -> None:
    gap = unknown()
    assert largest(of(2), gap, of(5)).known == 5
    assert largest(of(2), gap).holes == (gap,)


@given(st.lists(trees, min_size=1, max_size=5))
def test_a_total_is_a_hole_only_when_every_line_is(lines: list[Figure]) -> None:
    whole = total(lines, "JPY")
    known = [fraction(line) for line in lines if line.value is not None]
    assert (fraction(whole) if known else whole.value) == (sum(known) if known else None)
    assert set(whole.holes) == {gap for line in lines for gap in line.holes}


@given(trees)
def test_an_unknown_figure_always_shows_a_hole_and_each_hole_once(figure: Figure) -> None:
    if figure.value is None:
        assert figure.holes
    assert len(set(figure.holes)) == len(figure.holes)


def test_asking_a_hole_for_its_value_tells_why_there_is_none() -> None:
    with pytest.raises(ValueError, match="deposits is not known: the bank did not answer"):
        _ = unknown(name="deposits", why="the bank did not answer").known
