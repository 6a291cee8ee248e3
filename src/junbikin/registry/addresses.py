"""Networks and addresses on them: how they are written, and whether an address belongs to its network and is whole."""

from __future__ import annotations

import re

from junbikin.errors import BadInput

BITCOIN = {
    "bitcoin": "mainnet",
    "bitcoin-testnet": "testnet",
    "bitcoin-signet": "signet",
    "bitcoin-regtest": "regtest",
}
"""Our names of the Bitcoin networks, and those of the library that knows their addresses."""

ETHEREUM = re.compile(r"ethereum:([1-9][0-9]{0,18})")
"""Ethereum and what is built like it, named with the chain id: `ethereum:1`."""

NATIVE = "native"
"""Stands where a token has its contract: the coin in which the chain itself is paid."""

MOST_DECIMALS = 18
"""What a quantity of ours can hold; a finer token would have to be rounded."""


def on_network(subject: str) -> tuple[str, str]:
    """The network and what is named on it, of a subject such as `bitcoin:bc1q…` or `ethereum:1:USDC`.

    Raises `BadInput` when it names no network that is known.
    """
    network, _, name = subject.rpartition(":")
    if not name or not (network in BITCOIN or ETHEREUM.fullmatch(network)):
        raise BadInput(
            f"{subject!r} is on no network that is known",
            then=f"begin with {', '.join(f'{known}:' for known in BITCOIN)} or ethereum:CHAIN_ID:, such as ethereum:1:",
        )
    return network, name


def check_address(subject: str) -> None:
    """Raises `BadInput` unless a subject such as `bitcoin:bc1q…` is an address of its network, written in its one way."""
    network, address = on_network(subject)
    if network in BITCOIN:
        _check_bitcoin(network, address)
    else:
        check_ethereum(address)


def check_ethereum(address: str) -> None:
    """Raises `BadInput` unless this is an address with its checksum, which its capitals are (EIP-55)."""
    from eth_utils.address import is_checksum_address, is_hex_address

    if not address.startswith("0x") or not is_hex_address(address):
        raise BadInput(f"{address} is no Ethereum address", then="write 0x and 40 hexadecimal digits")
    if not is_checksum_address(address):
        raise BadInput(
            f"the checksum of {address} does not hold", then="copy the address with its capitals: they are its checksum"
        )


def check_token(subject: str) -> None:
    """Raises `BadInput` unless a subject such as `ethereum:1:USDC` names an asset of a chain that has tokens."""
    network, asset = on_network(subject)
    if network in BITCOIN:
        raise BadInput(
            f"{network} has no tokens", then="register tokens of chains like ethereum:1; bitcoin has BTC only"
        )
    if not re.fullmatch(ASSET, asset):
        raise BadInput(f"{asset!r} is no asset's code", then="write a code such as ethereum:1:USDC")


ASSET = "[A-Z0-9][A-Za-z0-9._-]{0,31}"
"""An asset's code, as facts and accounts have it."""


def _check_bitcoin(network: str, address: str) -> None:
    from btclib.b32 import is_segwit_prefixed, witness_from_address
    from btclib.b58 import h160_from_address
    from btclib.exceptions import BTClibValueError
    from btclib.network import network_from_name

    ours = network_from_name(BITCOIN[network])
    try:
        if is_segwit_prefixed(address):
            found = network_from_name(witness_from_address(address)[2])
            fits, written = found.hrp == ours.hrp, address.lower()
        else:
            kind, _, name = h160_from_address(address)
            found = network_from_name(name)
            fits, written = getattr(found, kind) == getattr(ours, kind), address.strip()
    except BTClibValueError as problem:
        raise BadInput(f"{address} is no Bitcoin address: {problem}", then="copy it again, whole") from None
    if not fits:
        raise BadInput(
            f"{address} is not an address of {network}",
            then="name the network that it is of, or copy the right address",
        )
    if written != address:
        raise BadInput(f"{address} is written in two ways", then=f"write {written}")
