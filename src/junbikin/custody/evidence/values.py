"""What is asked of a chain and what it answers: blocks, coins, addresses under watch, observations and their differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from junbikin.facts.run import Progress
from junbikin.figures.amounts import EXACT


@dataclass(frozen=True, slots=True)
class Block:
    """A block; `time` is what its header states."""

    height: int
    hash: str
    time: datetime

    @property
    def reference(self) -> str:
        """How a statement names it."""
        return f"block {self.height} {self.hash}"


@dataclass(frozen=True, slots=True)
class Coin:
    """An asset on a network: its contract, or `native`, and how many decimals its smallest unit has."""

    asset: str
    contract: str
    decimals: int

    def quantity(self, units: int) -> Decimal:
        """Smallest units as a quantity, to the last digit."""
        return Decimal((units < 0, tuple(map(int, str(abs(units)))), -self.decimals))


@dataclass(frozen=True, slots=True)
class Watched:
    """One coin on one address of a registered place."""

    network: str
    address: str
    place: str
    coin: Coin


@dataclass(frozen=True, slots=True)
class Reading:
    """What a source says of one coin on one address at its block, in smallest units."""

    of: Watched
    units: int


@dataclass(frozen=True, slots=True)
class Observation:
    """What a source says that a place holds of an asset, as it becomes a statement (残高証明)."""

    as_of: date
    place: str
    asset: str
    quantity: Decimal
    source: str
    reference: str
    stated_at: datetime


@dataclass(frozen=True, slots=True)
class Difference:
    """Sources that say different things of one place at the same block: source → quantity, and the widest gap."""

    place: str
    asset: str
    reference: str
    stated: dict[str, Decimal]

    @property
    def gap(self) -> Decimal:
        """The largest quantity less the smallest."""
        return EXACT.subtract(max(self.stated.values()), min(self.stated.values()))


class Chain(Protocol):
    """A node, asked; every call asks anew."""

    def check(self) -> None:
        """Raises `BadInput` when the node is on another network, or is still catching up."""

    def tip(self) -> Block:
        """Its newest block."""

    def block(self, height: int) -> Block:
        """Its block at a height. Raises `Moved` when it has none there any more."""

    def units(self, wanted: Sequence[Watched], at: Block, progress: Progress) -> list[int]:
        """What each holds at the end of that block, in smallest units. Raises `Moved` when the block left the chain."""


class Moved(Exception):
    """The chain was reorganised, or grew, while it was read: what was read belongs to no one block. It says how; read again."""
