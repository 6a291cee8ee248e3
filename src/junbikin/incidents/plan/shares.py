"""Exact shares by largest remainder (最大剰余法), worked as sets: whole units that sum to the total, however many people there are.

A person with `u` units of holding is owed u × numerator ÷ denominator units of payment. Everyone gets the whole part of
it; what the total has more goes, a unit each, to those with the largest remainders, and among equals to the lowest number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import duckdb

from junbikin.errors import BadInput

BUCKETS = 65_536
"""Ranges of remainders that are counted to find the one in which the last unit more is given: nothing is sorted but that range."""

_BITS = {"BIGINT": 63, "HUGEINT": 127}
"""Bits that the engine's whole numbers hold; it stops rather than pass them."""


@dataclass(frozen=True, slots=True)
class Scale:
    """What a unit of holding is worth in units of payment, and the most units that anybody holds."""

    numerator: int
    denominator: int
    most: int

    @classmethod
    def of(cls, worth: Fraction, most: int) -> Scale:
        """The scale in lowest terms. Raises `BadInput` when its numbers are too long to be worked exactly."""
        scale = cls(worth.numerator, worth.denominator, most)
        largest = most * worth.numerator // worth.denominator
        if max(largest, worth.denominator + most).bit_length() >= _BITS["HUGEINT"]:
            raise BadInput(
                f"a share of {worth.numerator} / {worth.denominator} of {most} units has too many digits to be worked exactly",
                then="state the price, the shares or the amount lost with fewer decimals",
            )
        return scale

    def at_once(self, kind: str) -> bool:
        """Whether every product fits a type of the engine."""
        limit = 1 << _BITS[kind]
        return max(self.most * self.numerator, self.denominator, self.numerator) < limit

    @property
    def kind(self) -> str:
        """The type in which the shares are worked."""
        return "BIGINT" if self.at_once("BIGINT") else "HUGEINT"

    @property
    def step(self) -> int:
        """By how much the numerator may grow from one limb to the next: a power of 2, at least 2."""
        room = (1 << _BITS["HUGEINT"]) // (self.denominator + self.most)
        return 1 << (room.bit_length() - 1)

    def limbs(self) -> Iterator[int]:
        """The numerator to the base of `step`, highest first."""
        digits, rest = [], self.numerator
        while rest:
            rest, digit = divmod(rest, self.step)
            digits.append(digit)
        return reversed(digits)

    def worked(self, rows: str, units: str, whole: str, rest: str) -> str:
        """SQL of `rows`, which have the column `units`, with the columns `whole` and `rest`: quotient and remainder of each share."""
        if self.at_once(self.kind):
            product = f"{_number(self.numerator, self.kind)} * {units}::{self.kind}"
            under = _number(self.denominator, self.kind)
            quotient = f"SELECT *, ({product}) // {under} AS {whole} FROM ({rows})"
            return f"SELECT *, {product} - {whole} * {under} AS {rest} FROM ({quotient})"
        done = f"SELECT *, 0::HUGEINT AS {whole}, 0::HUGEINT AS {rest} FROM ({rows})"
        step, under = _number(self.step, "HUGEINT"), _number(self.denominator, "HUGEINT")
        for limb in self.limbs():  # Horner's way: each step's numerator stays below 2^127
            over = f"({rest} * {step} + {_number(limb, 'HUGEINT')} * {units}::HUGEINT)"
            done = (
                f"SELECT * REPLACE ({whole} * {step} + {over} // {under} AS {whole}, {over} % {under} AS {rest}) "
                f"FROM ({done})"
            )
        return done


@dataclass(frozen=True, slots=True)
class Split:
    """How a total is split: those above `remainder`, and of those with just that remainder the numbers up to `number`, get one unit more."""

    scale: Scale
    total: int
    remainder: int
    number: int

    def worked(self, rows: str, units: str, amount: str) -> str:
        """SQL of `rows`, which have the columns `number` and `units`, with the column `amount`: what each is owed, in units of payment."""
        rest = _number(self.remainder, self.scale.kind)
        more = f"(rest > {rest} OR (rest = {rest} AND number <= {self.number}))::{self.scale.kind}"
        return (
            f"SELECT * EXCLUDE (whole, rest), whole + {more} AS {amount} "
            f"FROM ({self.scale.worked(rows, units, 'whole', 'rest')})"
        )


def split(engine: duckdb.DuckDBPyConnection, rows: str, units: str, scale: Scale, total: int) -> Split:
    """How `total` units are split over `rows` (SQL with the columns `number` and `units`).

    `total` is the exact sum of all shares rounded to a whole unit, either way.
    """
    shares = scale.worked(rows, units, "whole", "rest")
    width = _number(scale.denominator // BUCKETS + 1, scale.kind)
    counted = engine.execute(
        f"SELECT (rest // {width})::INTEGER AS bucket, count(*), sum(whole) FROM ({shares}) GROUP BY bucket ORDER BY bucket DESC"
    ).fetchall()
    more = total - sum(int(whole) for _, _, whole in counted)
    if more == 0:
        return Split(scale, total, scale.denominator, 0)
    bucket, before = _range_of(more, [(bucket, people) for bucket, people, _ in counted])
    [(remainder, number)] = engine.execute(
        f"SELECT rest, number FROM (SELECT number, rest FROM ({shares}) WHERE rest // {width} = {bucket}) "
        f"ORDER BY rest DESC, number LIMIT 1 OFFSET {more - before - 1}"
    ).fetchall()
    return Split(scale, total, int(remainder), int(number))


def _range_of(rank: int, counted: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Which range of remainders, the highest first, holds the one of a rank, and how many people are in those above it."""
    before = 0
    for bucket, people in counted:
        if before < rank <= before + people:
            return bucket, before
        before += people
    raise ValueError(f"{rank} units more cannot be given to {before} people, one each")


def _number(value: int, kind: str) -> str:
    return f"{value}::{kind}"
