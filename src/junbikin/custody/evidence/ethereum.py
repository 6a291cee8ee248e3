"""Ethereum and chains like it by JSON-RPC: the chain's own coin and ERC-20 tokens, at a block named by its hash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from junbikin.custody.evidence.asking import Asking, NodeError, understood
from junbikin.custody.evidence.values import Block, Coin, Moved, Watched
from junbikin.errors import BadInput
from junbikin.facts.run import Progress
from junbikin.registry.addresses import ETHEREUM, NATIVE

BALANCE_OF = "0x70a08231"
DECIMALS = "0x313ce567"
"""Selectors of the ERC-20 functions (EIP-20)."""

INVALID_PARAMETERS = -32602
"""What a node answers that does not know blocks by their hash here (EIP-1898)."""


@dataclass(frozen=True, slots=True)
class Ethereum:
    """A node, asked. For days past it keeps states so far back (an archive node)."""

    ask: Asking

    def check(self) -> None:
        """Refuses another chain id, and a node that is still catching up."""
        named = ETHEREUM.fullmatch(self.ask.source.network)
        chain = self._number(self.ask.call("eth_chainId"), "about its chain id")
        if named is None or chain != int(named[1]):
            raise BadInput(
                f"the node is on chain {chain}, not on {self.ask.source.network}",
                where=self.ask.source.where, then="name the node's chain id, or the right node",
            )  # fmt: skip
        if self.ask.call("eth_syncing") is not False:
            raise BadInput(
                "the node is still catching up with the chain", where=self.ask.source.where, then="wait until it has"
            )

    def tip(self) -> Block:
        """Its newest block."""
        return self._block("latest")

    def block(self, height: int) -> Block:
        """Its block at a height."""
        return self._block(hex(height))

    def units(self, wanted: Sequence[Watched], at: Block, progress: Progress) -> list[int]:
        """What each address held at the end of a block, of each coin."""
        for coin in {watched.coin for watched in wanted if watched.coin.contract != NATIVE}:
            self._check_decimals(coin, at)
        found = []
        for number, watched in enumerate(wanted):
            progress(f"asking {self.ask.source.name} about {watched.place}", number / len(wanted))
            found.append(self._units(watched, at))
        return found

    def _units(self, watched: Watched, at: Block) -> int:
        about = f"about {watched.coin.asset} on {watched.address}"
        if watched.coin.contract == NATIVE:
            return self._number(self._at(at, "eth_getBalance", watched.address), about)
        holder = watched.address.removeprefix("0x").lower().rjust(64, "0")
        return self._word(self._at(at, "eth_call", _asked(watched.coin, BALANCE_OF + holder)), watched.coin, about)

    def _check_decimals(self, coin: Coin, at: Block) -> None:
        """Refuses a token whose contract states other decimals than were registered: every balance would be wrong."""
        stated = self._word(self._at(at, "eth_call", _asked(coin, DECIMALS)), coin, f"about decimals of {coin.asset}")
        if stated != coin.decimals:
            raise BadInput(
                f"the contract of {coin.asset} states {stated} decimals, and it is registered with {coin.decimals}",
                where=self.ask.source.where, then="register the token with the right contract and decimals",
            )  # fmt: skip

    def _at(self, at: Block, method: str, what: Any) -> Any:
        """The result at a block: by its hash, else by its number, which whoever asks compares afterwards."""
        try:
            return self.ask.call(method, what, {"blockHash": at.hash, "requireCanonical": True})
        except NodeError as refusal:
            if self.block(at.height).hash != at.hash:
                raise Moved(f"block {at.height} of {self.ask.source.name} left the chain") from None
            if refusal.code != INVALID_PARAMETERS:
                raise
        return self.ask.call(method, what, hex(at.height))

    def _block(self, which: str) -> Block:
        stated = self.ask.call("eth_getBlockByNumber", which, False)
        if stated is None:
            raise Moved(f"{self.ask.source.name} has no block {which} any more")
        with understood(self.ask.source, "about a block"):
            time = datetime.fromtimestamp(int(stated["timestamp"], 16), UTC)
            return Block(int(stated["number"], 16), str(stated["hash"]), time)

    def _number(self, text: Any, about: str) -> int:
        with understood(self.ask.source, about):
            if not text.startswith("0x"):
                raise ValueError(text)
            return int(text, 16)

    def _word(self, text: Any, coin: Coin, about: str) -> int:
        if text == "0x":
            raise BadInput(
                f"there is no contract of {coin.asset} at {coin.contract}",
                where=self.ask.source.where, then="register the token with the right contract and network",
            )  # fmt: skip
        with understood(self.ask.source, about):
            if len(text) != 66:
                raise ValueError(text)
        return self._number(text, about)


def _asked(coin: Coin, data: str) -> dict[str, str]:
    return {"to": coin.contract, "data": data}
