"""On which side of zero a gap lies whatever the prices are that nobody knows: none is below zero, any may be huge."""

from __future__ import annotations

from decimal import Decimal

from junbikin.figures import Figure
from junbikin.figures.amounts import EXACT

_Line = tuple[Decimal, dict[Figure, Decimal]]
"""A gap where every hole is nothing, and by how much it rises with each."""


def below_zero(gap: Figure) -> bool | None:
    """Whether a gap is below zero; None when that depends on what is not known.

    Of a hole other than a price, such as net assets, nothing is taken for granted, not even its sign.
    """
    at_nothing, rises = _line(gap)
    moving = {part: by for part, by in rises.items() if by}
    if not all(_is_price(part) for part in moving):
        return None
    if at_nothing < 0 and all(by < 0 for by in moving.values()):
        return True
    if at_nothing >= 0 and all(by > 0 for by in moving.values()):
        return False
    return None


def _is_price(part: Figure) -> bool:
    return part.op == "hole" and bool(part.unit.under)


def _line(figure: Figure) -> _Line:
    """A figure as a sum over its holes. One that is none, such as the least of two, stands for itself as a whole."""
    if figure.value is not None and not figure.holes:
        return figure.value, {}
    match figure.op:
        case "+" | "total":
            return _sum([_line(part) for part in figure.inputs])
        case "-":
            left, right = figure.inputs
            return _sum([_line(left), _times(_line(right), Decimal(-1))])
        case "×":
            known = [part for part in figure.inputs if part.value is not None and not part.holes]
            if known:
                (other,) = (part for part in figure.inputs if part is not known[0])
                return _times(_line(other), known[0].known)
    return Decimal(0), {figure: Decimal(1)}


def _sum(lines: list[_Line]) -> _Line:
    at_nothing, rises = Decimal(0), dict[Figure, Decimal]()
    for known, by in lines:
        at_nothing = EXACT.add(at_nothing, known)
        for part, rise in by.items():
            rises[part] = EXACT.add(rises.get(part, Decimal(0)), rise)
    return at_nothing, rises


def _times(line: _Line, factor: Decimal) -> _Line:
    at_nothing, rises = line
    return EXACT.multiply(at_nothing, factor), {part: EXACT.multiply(by, factor) for part, by in rises.items()}
