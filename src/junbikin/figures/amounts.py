"""Exact decimals: how a number comes in, is written, and is rounded by name. No floats."""

from __future__ import annotations

import decimal
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from junbikin.errors import BadInput

EXACT = decimal.Context(
    prec=400,
    Emin=-2000,
    Emax=2000,
    traps=[decimal.Inexact, decimal.InvalidOperation, decimal.Overflow, decimal.DivisionByZero],
)
"""The context of every sum and product: a result that does not fit is an error, never a rounding."""

_WORKING = decimal.Context(prec=60, rounding=decimal.ROUND_HALF_EVEN)


class Rounding(StrEnum):
    """The named ways to round; the value is what a figure shows."""

    DOWN = "down"
    UP = "up"
    HALF_UP = "half-up"
    HALF_EVEN = "half-even"

    @property
    def mode(self) -> str:
        """The name that `decimal` gives it."""
        return "ROUND_" + self.name


def exact(number: Decimal | int | str) -> Decimal:
    """The number as a finite decimal. Raises `BadInput` on floats, NaN, infinity and anything unreadable."""
    if isinstance(number, bool) or not isinstance(number, Decimal | int | str):
        raise BadInput(f"not an exact number: {number!r}", then="write amounts as strings, such as '0.1'")
    try:
        value = Decimal(number)
    except decimal.InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or abs(value.adjusted()) > 300:
        raise BadInput(f"not a finite number: {number!r}", then="write it with plain digits, such as '1200.5'")
    return value


def plain(number: Decimal) -> str:
    """The one way a number is written: plain digits, no exponent, no trailing zero, no minus zero."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def round_to(number: Decimal, places: int, rounding: Rounding) -> Decimal:
    """`number` at `places` decimals, rounded as named."""
    context = decimal.Context(prec=EXACT.prec, Emin=EXACT.Emin, Emax=EXACT.Emax)
    return number.quantize(Decimal(1).scaleb(-places), rounding=rounding.mode, context=context)


def quotient(over: Decimal, under: Decimal, places: int, rounding: Rounding) -> Decimal:
    """`over / under` correctly rounded at `places` decimals. Raises `BadInput` on division by zero."""
    if under == 0:
        raise BadInput("a figure was divided by zero", then="let the formula say what holds when its base is 0")
    scaled = Fraction(over) / Fraction(under) * 10**places
    whole, rest = divmod(abs(scaled.numerator), scaled.denominator)
    size = Decimal(whole)
    if rest:
        half = scaled.denominator - 2 * rest  # above 0: the rest is less than a half
        size = EXACT.add(size, Decimal("0.25" if half > 0 else "0.75" if half < 0 else "0.5"))
    return EXACT.scaleb(round_to(size.copy_sign(scaled.numerator), 0, rounding), -places)


def natural_log(number: Decimal, places: int) -> Decimal:
    """ln, worked to 60 digits, then rounded half-even at `places`."""
    return round_to(_WORKING.ln(number), places, Rounding.HALF_EVEN)


def to_the_power(number: Decimal, exponent: Decimal, places: int) -> Decimal:
    """`number ** exponent` for a number of at least 0, worked to 60 digits, rounded half-even at `places`.

    Anything to the power of 0 is 1. Raises `BadInput` on 0 to a power below 0.
    """
    if exponent == 0:
        return Decimal(1)
    if number == 0 and exponent < 0:
        raise BadInput("0 has no power below 0", then="let the formula say what holds when its base is 0")
    return round_to(_WORKING.power(number, exponent), places, Rounding.HALF_EVEN)


def euler(places: int) -> Decimal:
    """e at `places` decimals, half-even."""
    return round_to(_WORKING.exp(Decimal(1)), places, Rounding.HALF_EVEN)
