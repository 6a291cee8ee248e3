"""Whether a text was signed with the key, or under the script, of an address: Bitcoin (BIP-137, Electrum, BIP-322), Ethereum (ERC-191)."""

from __future__ import annotations

import base64
import binascii

from junbikin.registry.addresses import BITCOIN

COMPACT_BYTES = 65
"""A signature from which the key is recovered; a witness of BIP-322 never has this length."""


def signed(network: str, address: str, text: str, signature: str) -> bool:
    """Whether this is a signature of the text for the address; False for whatever is no signature at all.

    Bitcoin: a compact signature (P2PKH, P2WPKH, P2WPKH in P2SH), or one of BIP-322, which covers P2WSH with several
    keys and P2TR too. Ethereum: `personal_sign` of an account with a key; a contract's account has none.
    """
    return (_bitcoin if network in BITCOIN else _ethereum)(address, text, signature)


def _bitcoin(address: str, text: str, signature: str) -> bool:
    from btclib.ecc import bms
    from btclib.exceptions import BTClibTypeError
    from btclib_wallet import bip322

    try:
        compact = len(base64.b64decode(signature, validate=True)) == COMPACT_BYTES
    except (binascii.Error, ValueError):
        compact = False  # the prefixes of BIP-322 are no base64
    try:
        if compact:
            return bms.verify(text.encode(), address, signature)
        return bip322.verify(text.encode(), address, signature)
    except (ValueError, RuntimeError, BTClibTypeError):
        return False


def _ethereum(address: str, text: str, signature: str) -> bool:
    # Not by eth-account, which is this and much more: importing it lets Python recurse so deep that nested JSON ends the process.
    from eth_keys.datatypes import Signature
    from eth_keys.exceptions import BadSignature
    from eth_utils.crypto import keccak
    from eth_utils.exceptions import ValidationError

    message = text.encode()
    envelope = b"\x19Ethereum Signed Message:\n" + str(len(message)).encode() + message
    try:
        raw = bytes.fromhex(signature.removeprefix("0x"))
        if len(raw) != COMPACT_BYTES or raw[-1] not in (0, 1, 27, 28):
            return False
        found = Signature(raw[:-1] + bytes([raw[-1] % 27])).recover_public_key_from_msg_hash(keccak(envelope))
    except (ValueError, BadSignature, ValidationError):
        return False
    return bool(found.to_checksum_address() == address)
