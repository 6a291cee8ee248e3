"""Asking every source of a network about the same block, and saying where they differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from junbikin.custody.evidence.asking import Asking, connected
from junbikin.custody.evidence.core import Core
from junbikin.custody.evidence.esplora import Esplora
from junbikin.custody.evidence.ethereum import Ethereum
from junbikin.custody.evidence.sources import Source
from junbikin.custody.evidence.values import Block, Chain, Difference, Moved, Observation, Reading, Watched
from junbikin.errors import BadInput
from junbikin.facts.run import Progress
from junbikin.figures.amounts import EXACT

ATTEMPTS = 5
"""Times that a network is read when its chain changes meanwhile."""

_CHAINS: dict[str, Callable[[Asking], Chain]] = {"esplora": Esplora, "core": Core, "ethereum": Ethereum}
_Node = tuple[Source, Chain]


@dataclass(frozen=True, slots=True)
class Seen:
    """What one source said: its newest block, the block that was read, and every reading there."""

    source: Source
    newest: Block
    block: Block
    readings: tuple[Reading, ...]

    def observations(self, as_of: date) -> list[Observation]:
        """What each place holds: the sum over its addresses."""
        sums: dict[tuple[str, str], Decimal] = {}
        for reading in self.readings:
            key = (reading.of.place, reading.of.coin.asset)
            sums[key] = EXACT.add(sums.get(key, Decimal()), reading.of.coin.quantity(reading.units))
        return [
            Observation(as_of, place, asset, quantity, self.source.name, self.block.reference, self.block.time)
            for (place, asset), quantity in sorted(sums.items())
        ]


def look(
    sources: Sequence[Source],
    wanted: Sequence[Watched],
    until: datetime,
    progress: Progress = lambda what, share: None,
) -> list[Seen]:
    """What every source says of all that is wanted on its network, at one block for all sources of a network.

    The block is the newest one with the confirmations that each source asks for whose time is not after `until`.
    Raises `BadInput` when a source fails, lags, is on another network, or the chain does not stand still.
    """
    with ExitStack() as stack:
        seen: list[Seen] = []
        asked = sorted({source.network for source in sources} & {each.network for each in wanted})
        for network in asked:
            progress(f"asking about {network}", 0.0)
            nodes = [
                (source, _CHAINS[source.kind](stack.enter_context(connected(source))))
                for source in sources
                if source.network == network
            ]
            seen += _network(nodes, [each for each in wanted if each.network == network], until, progress)
        return seen


def differences(seen: Sequence[Seen], as_of: date) -> list[Difference]:
    """Where sources of one network say different things of one place."""
    stated: dict[tuple[str, str, str], dict[str, Decimal]] = {}
    for each in seen:
        for one in each.observations(as_of):
            stated.setdefault((one.place, one.asset, one.reference), {})[one.source] = one.quantity
    return [Difference(*key, said) for key, said in sorted(stated.items()) if len(set(said.values())) > 1]


def _network(nodes: Sequence[_Node], wanted: Sequence[Watched], until: datetime, progress: Progress) -> list[Seen]:
    for _, chain in nodes:
        chain.check()
    why = ""
    for _ in range(ATTEMPTS):
        try:
            return _once(nodes, wanted, until, progress)
        except Moved as moved:
            why = str(moved)
    raise BadInput(
        f"the chain did not stand still: read {ATTEMPTS} times, and at last {why}",
        where=nodes[0][0].network, then="observe again later; ask for more confirmations if it happens often",
    )  # fmt: skip


def _once(nodes: Sequence[_Node], wanted: Sequence[Watched], until: datetime, progress: Progress) -> list[Seen]:
    newest = [chain.tip() for _, chain in nodes]
    _check_pace([source for source, _ in nodes], newest)
    block = _block(nodes, newest, until)
    seen = [
        Seen(source, tip, block, tuple(map(Reading, wanted, chain.units(wanted, block, progress))))
        for (source, chain), tip in zip(nodes, newest, strict=True)
    ]
    _check_stands(nodes, block)
    return seen


def _check_pace(sources: Sequence[Source], newest: Sequence[Block]) -> None:
    """Refuses a source that lags: behind the clock, or behind another."""
    highest = max(tip.height for tip in newest)
    for source, tip in zip(sources, newest, strict=True):
        age = datetime.now(UTC) - tip.time
        if age > timedelta(minutes=source.newest_block_minutes):
            raise BadInput(
                f"the node lags: its newest block {tip.height} is of {tip.time.isoformat()}, "
                f"{age // timedelta(minutes=1)} minutes ago; at most {source.newest_block_minutes} are allowed",
                where=source.where, then="look whether the node is connected, or leave it out with --source",
            )  # fmt: skip
        if highest - tip.height > source.behind_blocks:
            raise BadInput(
                f"the node lags: its newest block is {tip.height}, another source has {highest}; "
                f"at most {source.behind_blocks} behind are allowed",
                where=source.where, then="look whether the node is connected, or leave it out with --source",
            )  # fmt: skip


def _block(nodes: Sequence[_Node], newest: Sequence[Block], until: datetime) -> Block:
    """The block that every source is asked about."""
    heights = [tip.height - source.confirmations + 1 for (source, _), tip in zip(nodes, newest, strict=True)]
    if min(heights) < 0:
        source, _ = nodes[heights.index(min(heights))]
        raise BadInput(
            f"no block has {source.confirmations} confirmations yet", where=source.where, then="wait, or ask for fewer"
        )
    first = nodes[0][1]
    block = first.block(min(heights))
    if block.time > until:
        block = _last_before(first, until, block.height)
    _check_stands(nodes, block)
    return block


def _last_before(chain: Chain, until: datetime, above: int) -> Block:
    """A block not after `until` whose next is: from `above` down in steps that double, since nodes may lack what is long past."""
    high, step = above, 1
    low = chain.block(max(above - step, 0))
    while low.time > until:
        if low.height == 0:
            raise BadInput(f"the chain begins after {until.isoformat()}", then="observe a later day")
        high, step = low.height, step * 2
        low = chain.block(max(above - step, 0))
    while high - low.height > 1:
        middle = chain.block((low.height + high) // 2)
        if middle.time > until:
            high = middle.height
        else:
            low = middle
    return low


def _check_stands(nodes: Sequence[_Node], block: Block) -> None:
    """Raises `Moved` unless every source has just this block in its chain."""
    for source, chain in nodes:
        found = chain.block(block.height)
        if found.hash != block.hash:
            raise Moved(f"{source.name} had block {found.hash} at height {block.height} where {block.hash} was read")
