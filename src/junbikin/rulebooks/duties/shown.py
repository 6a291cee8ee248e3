"""How a duty stands, told in a figure or two: shares, and which of many things is the worst. Verdicts do not rest on it."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from junbikin.figures import Figure, Rounding, ratio

SHARE_PLACES = 6
"""Decimals of a share that is shown beside a verdict; the verdict itself divides nothing."""


def share_of(part: Figure, whole: Figure, key: str, en: str, ja: str) -> tuple[Figure, ...]:
    """The share, for showing; none of nothing."""
    if not whole.value:
        return ()
    return (ratio(part, whole, SHARE_PLACES, Rounding.HALF_UP).named(key, en, ja),)


def margin(gap: Figure, of: Figure) -> Fraction | None:
    """How large a gap is beside what it is a gap of, to tell the worst; None when either is unknown."""
    if gap.value is None or of.value is None:
        return None
    return Fraction(gap.value) / Fraction(of.value) if of.value else Fraction(gap.value)


def worst_first(told: Iterable[tuple[Figure, Fraction | None]]) -> tuple[Figure, ...]:
    """Figures by their margins: what is unknown, then from the least up."""
    return tuple(figure for figure, of in sorted(told, key=lambda pair: (pair[1] is not None, pair[1] or 0)))
