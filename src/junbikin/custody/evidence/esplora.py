"""Bitcoin by an Esplora-style REST service, which keeps an index of addresses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from junbikin.custody.evidence.asking import Asking, NodeError, understood
from junbikin.custody.evidence.bitcoin import check_genesis
from junbikin.custody.evidence.values import Block, Moved, Watched
from junbikin.errors import BadInput
from junbikin.facts.run import Progress

MOST_PAGES = 4_000
"""Pages of transactions of one address above the block that is read: 100,000 transactions."""

NOT_FOUND = 404

ATTEMPTS = 5
"""Times that an address is read when new blocks come in between."""


@dataclass(frozen=True, slots=True)
class Esplora:
    """An Esplora-style service, asked."""

    ask: Asking

    def check(self) -> None:
        """Refuses another network by its first block."""
        check_genesis(self.ask.source, self.ask.text("/block-height/0"))

    def tip(self) -> Block:
        """Its newest block."""
        return self._block(self.ask.text("/blocks/tip/hash"))

    def block(self, height: int) -> Block:
        """Its block at a height."""
        try:
            return self._block(self.ask.text(f"/block-height/{height}"))
        except NodeError as refusal:
            if refusal.code == NOT_FOUND:
                raise Moved(f"{self.ask.source.name} has no block {height} any more") from None
            raise

    def units(self, wanted: Sequence[Watched], at: Block, progress: Progress) -> list[int]:
        """What each address held at the end of a block."""
        found = []
        for number, watched in enumerate(wanted):
            progress(f"asking {self.ask.source.name} about {watched.place}", number / len(wanted))
            found.append(self._units(watched.address, at))
        return found

    def _block(self, digest: str) -> Block:
        stated = self.ask.json(f"/block/{digest}")
        with understood(self.ask.source, "about a block"):
            if stated["id"] != digest:
                raise ValueError("another block")
            return Block(int(stated["height"]), digest, datetime.fromtimestamp(int(stated["timestamp"]), UTC))

    def _units(self, address: str, at: Block) -> int:
        """The sums at the newest block, less what transactions above `at` changed; again if a block came in meanwhile."""
        for _ in range(ATTEMPTS):
            newest = self.ask.text("/blocks/tip/hash")
            stated = self.ask.json(f"/address/{address}")
            with understood(self.ask.source, f"about {address}"):
                if stated["address"] != address:
                    raise ValueError("another address")
                sums = stated["chain_stats"]
                held = _whole(sums["funded_txo_sum"]) - _whole(sums["spent_txo_sum"])
            since = self._since(address, at)
            if self.ask.text("/blocks/tip/hash") == newest:
                return held - since
        raise Moved(f"blocks kept coming in while {address} was read")

    def _since(self, address: str, at: Block) -> int:
        """What confirmed transactions above a block changed, from the newest down."""
        changed, after, seen = 0, "", set[str]()
        for _ in range(MOST_PAGES):
            page = self.ask.json(f"/address/{address}/txs/chain{after}")
            with understood(self.ask.source, f"about transactions of {address}"):
                for transaction in page:
                    if transaction["status"]["block_height"] <= at.height:
                        return changed
                    if transaction["txid"] in seen:
                        raise ValueError("the same transaction twice")
                    seen.add(transaction["txid"])
                    changed += _change(transaction, address)
                if not page:
                    return changed
                after = f"/{page[-1]['txid']}"
        raise BadInput(
            f"{address} has more than {MOST_PAGES * 25:,} transactions since block {at.height}",
            where=self.ask.source.where, then="observe a later day",
        )  # fmt: skip


def _change(transaction: dict[str, Any], address: str) -> int:
    spent = [entry["prevout"] for entry in transaction["vin"] if not entry["is_coinbase"]]
    return _of(transaction["vout"], address) - _of(spent, address)


def _of(outputs: Sequence[dict[str, Any]], address: str) -> int:
    return sum(_whole(output["value"]) for output in outputs if output.get("scriptpubkey_address") == address)


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value} is no amount")
    return value
