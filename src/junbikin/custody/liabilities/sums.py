"""The Merkle sum tree (docs/proof-of-liabilities.md), node by node: digests, sums that cannot be forged, and a leaf's way up.

This is the format's plain reading, which verification uses. Whole trees are built in columns by `building`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import rfc8785

from junbikin.figures import plain
from junbikin.figures.amounts import EXACT

FORMAT = "junbikin-liabilities-1"
DECIMALS = 18
"""A unit of every asset is 10^-18: what facts are stored in, so that no day and no asset needs a rule of its own."""
LIMIT = 1 << 127
"""Sums stay below it: nothing wraps round, in whatever arithmetic somebody checks them."""
NONCE, DIGEST, SUM, COUNT = 16, 32, 16, 8
"""Bytes of a nonce, and of a node's parts."""


@dataclass(frozen=True, slots=True)
class Node:
    """A leaf or what is above some: its digest, what its leaves are owed in units, and how many they are."""

    digest: bytes
    sum: int
    count: int

    @property
    def bound(self) -> bytes:
        """What a parent's digest covers of it: digest, sum and count, each by itself."""
        return self.digest + self.sum.to_bytes(SUM, "big") + self.count.to_bytes(COUNT, "big")


def context(operator: str, as_of: date, asset: str) -> bytes:
    """What binds a leaf to one operator, day and asset: no leaf fits into another tree."""
    says = {"format": FORMAT, "operator": operator, "as_of": as_of.isoformat(), "asset": asset}
    return hashlib.sha256(rfc8785.dumps(says)).digest()


def leaf(within: bytes, nonce: bytes, units: int, account: str) -> Node:
    """The leaf of an account, which no other account can be shown as its own."""
    content = b"\x00" + within + nonce + units.to_bytes(SUM, "big") + account.encode()
    return Node(hashlib.sha256(content).digest(), units, 1)


def join(left: Node, right: Node) -> Node:
    """The node above two. Raises `OverflowError` when their sum reaches the limit."""
    total = left.sum + right.sum
    if total >= LIMIT:
        raise OverflowError("a sum reaches 2^127")
    digest = hashlib.sha256(b"\x01" + left.bound + right.bound).digest()
    return Node(digest, total, left.count + right.count)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a leaf's way up: where its sibling stands on that level, and how many leaves are under the sibling."""

    level: int
    place: int
    count: int

    @property
    def left(self) -> bool:
        """Whether the sibling stands to the left."""
        return self.place % 2 == 0


def way_up(index: int, count: int) -> Iterator[Step]:
    """The steps from leaf `index` of `count` to the root. Where a node has no sibling it is its own parent, without a step."""
    level, last = 0, count - 1
    while last > 0:
        sibling = index ^ 1
        if sibling <= last:
            yield Step(level, sibling, leaves_under(level, sibling, count))
        level, index, last = level + 1, index // 2, last // 2


def leaves_under(level: int, place: int, count: int) -> int:
    """How many of `count` leaves are under a node."""
    return min(1 << level, count - (place << level))


def climb(node: Node, steps: Iterable[Step], siblings: Sequence[Node]) -> Node:
    """The root that a leaf and its siblings lead to, by the steps of `way_up`, one for each sibling."""
    for step, sibling in zip(steps, siblings, strict=True):
        node = join(sibling, node) if step.left else join(node, sibling)
    return node


def joined(nodes: Sequence[Node]) -> list[Node]:
    """The level above a level; a last node without a sibling stands there as it is."""
    pairs = [join(nodes[i], nodes[i + 1]) for i in range(0, len(nodes) - 1, 2)]
    return [*pairs, *nodes[2 * len(pairs) :]]


def root(leaves: Sequence[Node]) -> Node:
    """The root over at least one leaf, level by level: slow and plain."""
    level = list(leaves)
    while len(level) > 1:
        level = joined(level)
    return level[0]


def quantity(units: int) -> Decimal:
    """Units as a quantity of the asset."""
    return EXACT.scaleb(Decimal(units), -DECIMALS)


def amount(units: int) -> str:
    """Units as a plain amount of the asset, as it stands in files."""
    return plain(quantity(units))


def units_of(amount: Decimal) -> int:
    """A quantity in units. Raises `decimal.Inexact` when it is finer than one."""
    return int(EXACT.quantize(EXACT.scaleb(amount, DECIMALS), Decimal(1)))
