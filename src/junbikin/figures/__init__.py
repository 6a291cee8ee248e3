"""Figures: exact numbers that carry unit, names, source and how they were reached. Imports only errors."""

from junbikin.figures.amounts import Rounding, exact, plain
from junbikin.figures.document import all_from_table, from_table, to_table
from junbikin.figures.figure import Figure, Name, given, hole
from junbikin.figures.operations import (
    brackets,
    clamp,
    euler,
    largest,
    ln,
    power,
    ratio,
    rounded,
    smallest,
    total,
)
from junbikin.figures.source import Data, Provenance, Rule, Source, Stated
from junbikin.figures.units import RATIO, Unit, UnitMismatch

__all__ = [
    "RATIO", "Data", "Figure", "Name", "Provenance", "Rounding", "Rule", "Source", "Stated", "Unit",
    "UnitMismatch", "all_from_table", "brackets", "clamp", "euler", "exact", "from_table", "given", "hole", "largest", "ln",
    "plain", "power", "ratio", "rounded", "smallest", "to_table", "total",
]  # fmt: skip
