"""What every way of asking about Bitcoin shares: which network a first block is of, which script pays to an address."""

from __future__ import annotations

from junbikin.custody.evidence.sources import Source
from junbikin.custody.evidence.values import Coin
from junbikin.errors import BadInput
from junbikin.registry.addresses import BITCOIN, NATIVE

BTC = Coin("BTC", NATIVE, 8)


def check_genesis(source: Source, digest: str) -> None:
    """Raises `BadInput` unless this is the hash of the first block of the source's network."""
    from btclib.network import network_from_name

    genesis = {network: network_from_name(name).genesis_block.hex() for network, name in BITCOIN.items()}
    if genesis[source.network] != digest:
        other = next((network for network, known in genesis.items() if known == digest), "a network that is not known")
        raise BadInput(
            f"the node is on {other}, not on {source.network}",
            where=source.where, then="name the node's network, or the right node",
        )  # fmt: skip


def script(address: str) -> str:
    """The output script that pays to an address, in hexadecimal."""
    from btclib.script.script_pub_key import ScriptPubKey

    return ScriptPubKey.from_address(address).script.hex()
