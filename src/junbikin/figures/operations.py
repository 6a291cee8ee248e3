"""What formulas do with figures beyond + - ×. Each gives a figure that shows its inputs and its operation."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

from junbikin.errors import BadInput
from junbikin.figures import amounts
from junbikin.figures.amounts import EXACT, Rounding, plain, quotient, round_to
from junbikin.figures.figure import Figure, Name, same_unit
from junbikin.figures.units import RATIO, Unit


def total(figures: Sequence[Figure], unit: Unit | str) -> Figure:
    """The sum over lines: of what is known, when some lines are holes; a hole itself when all are."""
    figures = tuple(figures)
    unit = Unit.parse(unit) if isinstance(unit, str) else unit
    if figures and same_unit(*figures) != unit:
        raise BadInput(
            f"a total in {unit} was given lines in {figures[0].unit}", then="convert the lines with a price first"
        )
    known = [figure.value for figure in figures if figure.value is not None]
    value: Decimal | None = Decimal(0)
    for number in known:
        value = EXACT.add(value, number)  # type: ignore[arg-type]
    if figures and not known:
        value = None
    return Figure(value, unit, Name("total", "合計"), "total", figures)


def largest(*figures: Figure) -> Figure:
    """The greatest of the known; a hole when none is known."""
    known = [figure.value for figure in figures if figure.value is not None]
    return Figure(max(known, default=None), same_unit(*figures), Name("largest", "最大"), "largest", tuple(figures))


def smallest(*figures: Figure) -> Figure:
    """The least; a hole when any is unknown, since the unknown one might be less."""
    values = [figure.value for figure in figures]
    known = [value for value in values if value is not None]
    value = min(known) if len(known) == len(values) else None
    return Figure(value, same_unit(*figures), Name("smallest", "最小"), "smallest", tuple(figures))


def clamp(figure: Figure, floor: Figure, ceiling: Figure) -> Figure:
    """`figure`, but at least `floor` and at most `ceiling`. Raises `BadInput` when they cross."""
    unit = same_unit(figure, floor, ceiling)
    if floor.known > ceiling.known:
        raise BadInput(
            f"the floor {floor.name.en} is above the ceiling {ceiling.name.en}", then="correct the two parameters"
        )
    inputs = (figure, floor, ceiling)
    if figure.value is None:
        return Figure(None, unit, Name("clamp", "上下限"), "clamp", inputs)
    value = min(max(figure.value, floor.known), ceiling.known)
    note = None
    if figure.value < floor.known:
        note = Name("raised to the floor", "下限まで引上げ")
    elif figure.value > ceiling.known:
        note = Name("cut to the ceiling", "上限まで引下げ")
    return Figure(value, unit, Name("clamp", "上下限"), "clamp", inputs, note=note)


def rounded(figure: Figure, places: int, rounding: Rounding) -> Figure:
    """`figure` at `places` decimals, rounded as named; the operation shows both."""
    value = None if figure.value is None else round_to(figure.value, places, rounding)
    return Figure(value, figure.unit, figure.name, f"round({places}, {rounding})", (figure,), key=figure.key)


def ratio(over: Figure, under: Figure, places: int, rounding: Rounding) -> Figure:
    """`over / under`, correctly rounded as named. Raises `BadInput` when `under` is 0."""
    value = None
    if over.value is not None and under.value is not None:
        value = quotient(over.value, under.value, places, rounding)
    name = Name(f"{over.name.en} ÷ {under.name.en}", f"{over.name.ja} ÷ {under.name.ja}")
    return Figure(value, over.unit / under.unit, name, f"÷({places}, {rounding})", (over, under))


def ln(figure: Figure, places: int) -> Figure:
    """The natural logarithm of a ratio above 0, half-even at `places`."""
    _needs_ratio(figure, "ln")
    if figure.value is not None and figure.value <= 0:
        raise BadInput(
            f"the logarithm of {figure.name.en} = {plain(figure.value)} does not exist",
            then="let the formula say what holds when it is 0 or less",
        )
    value = None if figure.value is None else amounts.natural_log(figure.value, places)
    return Figure(value, RATIO, Name(f"ln({figure.name.en})", f"ln({figure.name.ja})"), f"ln({places})", (figure,))


def power(figure: Figure, exponent: Figure, places: int) -> Figure:
    """A ratio of at least 0 to the power of another, half-even at `places`."""
    _needs_ratio(figure, "a power")
    _needs_ratio(exponent, "an exponent")
    if figure.value is not None and figure.value < 0:
        raise BadInput(
            f"{figure.name.en} is negative: it has no real power", then="let the formula say what holds below 0"
        )
    value = None
    if figure.value is not None and exponent.value is not None:
        value = amounts.to_the_power(figure.value, exponent.value, places)
    name = Name(f"({figure.name.en})^{exponent.name.en}", f"({figure.name.ja})^{exponent.name.ja}")
    return Figure(value, RATIO, name, f"power({places})", (figure, exponent))


def euler(places: int) -> Figure:
    """e, half-even at `places`: a mathematical constant, so its operation is its source."""
    return Figure(amounts.euler(places), RATIO, Name("e", "e"), f"e({places})")


def brackets(figure: Figure, schedule: Sequence[tuple[Figure, Figure]]) -> Figure:
    """A marginal schedule: each (threshold, rate) applies to the part above its threshold and up to the next.

    Thresholds rise from the first, which is normally 0. Raises `BadInput` when they do not rise.
    """
    unit = same_unit(figure, *(threshold for threshold, _ in schedule))
    thresholds = [threshold.known for threshold, _ in schedule]
    if not thresholds or any(a >= b for a, b in pairwise(thresholds)):
        raise BadInput(
            "a bracket schedule needs thresholds that rise from one line to the next", then="put them in order"
        )
    inputs = (figure, *(part for line in schedule for part in line))
    if figure.value is None:
        return Figure(None, unit, Name("brackets", "段階計算"), "brackets", inputs)
    value = Decimal(0)
    for (_, rate), low, high in zip(schedule, thresholds, [*thresholds[1:], None], strict=True):
        top = figure.value if high is None else min(figure.value, high)
        if top > low:
            value = EXACT.add(value, EXACT.multiply(EXACT.subtract(top, low), rate.known))
    return Figure(value, unit * same_unit(*(r for _, r in schedule)), Name("brackets", "段階計算"), "brackets", inputs)


def _needs_ratio(figure: Figure, what: str) -> None:
    if figure.unit != RATIO:
        raise BadInput(
            f"{what} needs a plain ratio, but {figure.name.en} is in {figure.unit}", then="divide by its unit first"
        )
