"""What a formula is given and what it returns: the contract between rulebooks and the facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from junbikin.calendars import Period
from junbikin.figures import Figure, Source
from junbikin.findings import Finding


@dataclass(frozen=True, slots=True)
class CustomerAsset:
    """What customers are owed of one crypto-asset, in the home's currency: `cold` + `rest` = `owed`.

    `cold` is the part that customers' coins in cold storage cover; `rest` is everything else, whether it lies
    hot or is not found at all.
    """

    asset: str
    owed: Figure
    cold: Figure
    rest: Figure


@dataclass(frozen=True, slots=True)
class Grade:
    """How a control was graded, and by which facts."""

    grade: str
    source: Source


class Facts(Protocol):
    """Facts as formulas see them: figures with their sources, known on `as_of`."""

    @property
    def as_of(self) -> date:
        """The day of the position."""

    @property
    def currency(self) -> str:
        """What every yen-like figure is in."""

    def fiscal_year(self, back: int = 0) -> Period:
        """The fiscal year of `as_of`, or one before it."""

    def volume(self, line: str, period: Period) -> Figure:
        """What was traded on a line within a period, up to `as_of`."""

    def reserve_booked(self, kind: str, until: date, since: date = date.min) -> Figure:
        """The sum of the reserve's entries of a kind between two days, both included."""

    def customer_assets(self) -> tuple[CustomerAsset, ...]:
        """What customers are owed, asset by asset; holes where it is not known."""

    def net_losses(self, period: Period) -> Figure:
        """Losses from incidents less what was recovered."""

    def grade(self, control: str) -> Grade | None:
        """The newest grade of a control, or None when it was never graded."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a formula says: the requirement, and the figures in the order in which a reader meets them."""

    requirement: Figure
    steps: tuple[Figure, ...]
    findings: tuple[Finding, ...] = ()
