"""The format once more, slowly and from the written page alone: recursive, on whole numbers and bytes, with nothing of ours."""

from __future__ import annotations

import json
from hashlib import sha256

from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

Node = tuple[bytes, int, int]
"""Digest, sum in units, number of leaves."""


def context(operator: str, day: str, asset: str) -> bytes:
    """What binds a leaf to operator, day and asset."""
    says = {"as_of": day, "asset": asset, "format": "junbikin-liabilities-1", "operator": operator}
    return sha256(json.dumps(says, separators=(",", ":"), ensure_ascii=False).encode()).digest()


def nonce(secret: bytes, within: bytes, account: str) -> bytes:
    """The nonce of an account."""
    mac = CMAC(AES(secret))
    mac.update(within + account.encode())
    return mac.finalize()


def leaf(within: bytes, salt: bytes, units: int, account: str) -> Node:
    """The leaf of an account."""
    return sha256(b"\0" + within + salt + units.to_bytes(16, "big") + account.encode()).digest(), units, 1


def parent(left: Node, right: Node) -> Node:
    """The node above two."""
    said = b"".join(d + s.to_bytes(16, "big") + n.to_bytes(8, "big") for d, s, n in (left, right))
    return sha256(b"\1" + said).digest(), left[1] + right[1], left[2] + right[2]


def root(leaves: list[Node]) -> Node:
    """The root: the left part holds the largest power of two below the number of leaves."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return parent(root(leaves[:split]), root(leaves[split:]))


def tree(secret: bytes, operator: str, day: str, asset: str, owed: dict[str, int]) -> Node:
    """The root over accounts and what they are owed in units, in the order of their nonces' first 8 bytes."""
    within = context(operator, day, asset)
    salted = sorted((nonce(secret, within, account), account) for account, units in owed.items() if units)
    return root([leaf(within, salt, owed[account], account) for salt, account in salted])
