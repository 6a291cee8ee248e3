"""Nonces in columns: AES-CMAC (NIST SP 800-38B) of many accounts at once, a block of all of them at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from junbikin.custody.liabilities.columns import Bytes
from junbikin.custody.liabilities.sums import NONCE

_BLOCK = NONCE
Permutation = Callable[[Bytes], Bytes]


def nonces(secret: bytes, contexts: Bytes, places: np.typing.NDArray[np.uint16], accounts: Bytes) -> Bytes:
    """The nonces of accounts whose ids are equally long; each in the context at its place among `contexts`.

    What comes before the account is the same for all leaves of a tree, and is worked once for it.
    """
    encrypt = _encryption(secret)
    state = encrypt(encrypt(contexts[:, :_BLOCK]) ^ contexts[:, _BLOCK:])[places]
    whole = accounts.shape[1] // _BLOCK * _BLOCK
    last_is_whole = whole == accounts.shape[1]
    for start in range(0, whole - _BLOCK if last_is_whole else whole, _BLOCK):
        state = encrypt(state ^ accounts[:, start : start + _BLOCK])
    once = _doubled(encrypt(np.zeros((1, _BLOCK), np.uint8)).tobytes())
    if last_is_whole:
        return encrypt(state ^ accounts[:, -_BLOCK:] ^ np.frombuffer(once, np.uint8))
    rest = accounts.shape[1] - whole
    state[:, :rest] ^= accounts[:, whole:]
    state[:, rest] ^= 0x80
    return encrypt(state ^ np.frombuffer(_doubled(once), np.uint8))


def _encryption(secret: bytes) -> Permutation:
    """The bare cipher on many blocks: CMAC chains them itself."""

    def encrypt(blocks: Bytes) -> Bytes:
        cipher = Cipher(AES(secret), ECB()).encryptor()  # noqa: S305 - the primitive that CMAC is made of
        return np.frombuffer(cipher.update(np.ascontiguousarray(blocks).data), np.uint8).reshape(-1, _BLOCK).copy()

    return encrypt


def _doubled(block: bytes) -> bytes:
    """Twice a block in the field that CMAC's subkeys are taken from."""
    number = int.from_bytes(block, "big") << 1
    if number >> 128:
        number = (number ^ 0x87) & ((1 << 128) - 1)
    return number.to_bytes(_BLOCK, "big")
