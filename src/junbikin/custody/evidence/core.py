"""Bitcoin by the JSON-RPC of a Bitcoin Core node, which looks through its unspent outputs and needs no index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from junbikin.custody.evidence.asking import Asking, NodeError, understood
from junbikin.custody.evidence.bitcoin import check_genesis, script
from junbikin.custody.evidence.values import Block, Moved, Watched
from junbikin.errors import BadInput
from junbikin.facts.run import Progress

MOST_BLOCKS_BACK = 300
"""Blocks that are undone to come from the node's newest back to the one that is read: two days."""

NO_SUCH_BLOCK = (-5, -8)
"""Core's codes for a hash that it does not know, and a height that it does not have."""


@dataclass(frozen=True, slots=True)
class Core:
    """A Bitcoin Core node, asked; version 23 or newer, for what a block spends."""

    ask: Asking

    def check(self) -> None:
        """Refuses another network by its first block, and a node that is still catching up."""
        check_genesis(self.ask.source, str(self.ask.call("getblockhash", 0)))
        if self._state().get("initialblockdownload"):
            raise BadInput(
                "the node is still catching up with the chain", where=self.ask.source.where, then="wait until it has"
            )

    def tip(self) -> Block:
        """Its newest block."""
        with understood(self.ask.source, "about its state"):
            return self._block(self._state()["bestblockhash"])

    def block(self, height: int) -> Block:
        """Its block at a height."""
        return self._block(self._of_block("getblockhash", height))

    def units(self, wanted: Sequence[Watched], at: Block, progress: Progress) -> list[int]:
        """What is unspent at its newest block, and from there back: what later blocks paid is taken off, what they spent put back."""
        scripts = {script(watched.address): 0 for watched in wanted}
        progress(f"{self.ask.source.name} looks through every unspent output", 0.0)
        found = self.ask.call("scantxoutset", "start", [f"addr({watched.address})" for watched in wanted])
        with understood(self.ask.source, "about unspent outputs"):
            if found["success"] is not True:
                raise ValueError("the scan did not succeed")
            for output in found["unspents"]:
                scripts[output["scriptPubKey"]] += _satoshi(output["amount"])
            above, newest = str(found["bestblock"]), int(found["height"])
        if newest - at.height > MOST_BLOCKS_BACK:
            raise BadInput(
                f"block {at.height} lies {newest - at.height} blocks back: a Core node is read at most {MOST_BLOCKS_BACK} back",
                where=self.ask.source.where, then="ask an Esplora service about earlier days",
            )  # fmt: skip
        for height in range(newest, at.height, -1):
            progress(f"taking back block {height}", (newest - height) / (newest - at.height))
            block = self._of_block("getblock", above, 3)
            with understood(self.ask.source, "about a block"):
                if block["height"] != height:
                    raise ValueError("another block")
                for transaction in block["tx"]:
                    _undo(transaction, scripts)
                above = block["previousblockhash"]
        if above != at.hash:
            raise Moved(f"block {at.height} of {self.ask.source.name} left the chain")
        return [scripts[script(watched.address)] for watched in wanted]

    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = self.ask.call("getblockchaininfo")
        return state

    def _of_block(self, method: str, block: str | int, *more: int) -> Any:
        try:
            return self.ask.call(method, block, *more)
        except NodeError as refusal:
            if refusal.code in NO_SUCH_BLOCK:
                raise Moved(f"{self.ask.source.name} has no block {block} any more") from None
            raise

    def _block(self, digest: str) -> Block:
        stated = self._of_block("getblockheader", digest)
        with understood(self.ask.source, "about a block"):
            if stated["hash"] != digest:
                raise ValueError("another block")
            if stated["confirmations"] < 1:
                raise Moved(f"block {digest} of {self.ask.source.name} left the chain")
            return Block(int(stated["height"]), digest, datetime.fromtimestamp(int(stated["time"]), UTC))


def _undo(transaction: dict[str, Any], scripts: dict[str, int]) -> None:
    for output in transaction["vout"]:
        if output["scriptPubKey"]["hex"] in scripts:
            scripts[output["scriptPubKey"]["hex"]] -= _satoshi(output["value"])
    for entry in transaction["vin"]:
        if "coinbase" in entry:
            continue
        spent = entry["prevout"]
        if spent["scriptPubKey"]["hex"] in scripts:
            scripts[spent["scriptPubKey"]["hex"]] += _satoshi(spent["value"])


def _satoshi(bitcoin: Any) -> int:
    """Core states bitcoin with eight decimals, read by its digits."""
    if isinstance(bitcoin, bool) or not isinstance(bitcoin, int | Decimal):
        raise TypeError(f"{bitcoin} is no amount")
    units = Decimal(bitcoin).scaleb(8)
    if units != int(units) or units < 0:
        raise ValueError(f"{bitcoin} is no amount")
    return int(units)
