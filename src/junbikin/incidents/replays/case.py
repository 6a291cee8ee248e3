"""The nouns of a known case. Every number is a figure with its source; what is not known is a hole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from junbikin.figures import Figure, Name
from junbikin.rulebooks.interface import Grade

JPY = "JPY"
OTHER = "OTHER"
"""What is kept besides the assets that are told one by one, as one amount in yen."""


@dataclass(frozen=True, slots=True)
class Part:
    """A share of an asset's loss that is made good in the asset itself, or in yen at a price."""

    pays: str
    share: Figure
    price: Figure | None


@dataclass(frozen=True, slots=True)
class Taken:
    """One asset: what was taken, the customers' part of it, which share of that lay hot, its price then, and how it was made good."""

    asset: str
    taken: Figure
    customers: Figure
    hot: Figure
    worth: Figure
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Published:
    """The customers' loss in yen as published, and how far arithmetic may be from it for a reason that is known."""

    total: Figure
    within: Figure
    explained: Name


@dataclass(frozen=True, slots=True)
class Volume:
    """What was traded on a line between two days, both included, in yen."""

    line: str
    start: date
    end: date
    amount: Figure


@dataclass(frozen=True, slots=True)
class Held:
    """What was kept of an asset for customers, cold and otherwise: in the asset itself, or in yen for what is not told by asset."""

    asset: str
    cold: Figure
    rest: Figure


@dataclass(frozen=True, slots=True)
class Average:
    """The mean of an asset's daily prices over a span of days, of which so many have one."""

    over: str
    price: Figure
    days: Figure


@dataclass(frozen=True, slots=True)
class Size:
    """How large the firm was: what formulas of a reserve ask for."""

    volumes: tuple[Volume, ...]
    held: tuple[Held, ...]
    prices: Mapping[str, Figure]
    averages: Mapping[str, Average]
    grades: Mapping[str, Grade]


@dataclass(frozen=True, slots=True)
class Case:
    """A known case. `rules_on` is the day whose rulebooks it is held against."""

    id: str
    title: Name
    story: Name
    cause: str
    happened_on: date
    paid_on: date
    rules_on: date
    people: Figure
    assets: tuple[Taken, ...]
    published: Published
    size: Size
    funds: Mapping[str, Figure]
