"""How a duty stands, told in a figure or two: shares, and which of many things is the worst. Verdicts do not rest on it."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from junbikin.figures import Figure, Name, Rounding, ratio
from junbikin.findings import Severity
from junbikin.rulebooks.interface import Lapse

SHARE_PLACES = 6
"""Decimals of a share that is shown beside a verdict; the verdict itself divides nothing."""


def share_of(part: Figure, whole: Figure, key: str, en: str, ja: str) -> tuple[Figure, ...]:
    """The share, for showing; none of nothing, nor where a part is not known: a share of the rest would pass for it."""
    if not whole.value or part.holes or whole.holes:
        return ()
    return (ratio(part, whole, SHARE_PLACES, Rounding.HALF_UP).named(key, en, ja),)


def margin(gap: Figure, of: Figure) -> Fraction | None:
    """How large a gap is beside what it is a gap of, to tell the worst; None when either is not known whole."""
    if gap.value is None or of.value is None or gap.holes or of.holes:
        return None
    return Fraction(gap.value) / Fraction(of.value) if of.value else Fraction(gap.value)


def worst_first(told: Iterable[tuple[Figure, Fraction | None]]) -> tuple[Figure, ...]:
    """Figures by their margins: what is unknown, then from the least up."""
    return tuple(figure for figure, of in sorted(told, key=lambda pair: (pair[1] is not None, pair[1] or 0)))


def looked_at(lapses: Iterable[Lapse], none: Name) -> Name:
    """What a duty without figures looked at: that there is none of it, or why nobody can tell."""
    why = [lapse.finding.what for lapse in lapses if lapse.finding.severity is Severity.HOLE] or [none]
    return Name("; ".join(name.en for name in why), "、".join(name.ja for name in why))
