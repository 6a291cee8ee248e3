"""An operator who lies: signs whatever it likes with its own key, and hands out proofs of trees that nobody checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from junbikin.custody.liabilities.proof import Balance, Proof
from junbikin.custody.liabilities.statement import Statement, Total
from junbikin.custody.liabilities.sums import Node, context, leaf

from .scene import DAY, KEY

OPERATOR = "Example 取引所"
NONCE = b"sixteen bytes ok"
ONE = 10**18
"""One of an asset, in units."""


def leaf_of(account: str, units: int, asset: str = "BTC", operator: str = OPERATOR, day: date = DAY) -> Node:
    """An honest leaf."""
    return leaf(context(operator, day, asset), NONCE, units, account)


def unchecked(left: Node, right: Node) -> Node:
    """The node above two, whatever their sum comes to: as 16 bytes hold it."""
    total = (left.sum + right.sum) % 2**128
    return Node(sha256(b"\1" + left.bound + right.bound).digest(), total, left.count + right.count)


def stated(root: Node, key: Ed25519PrivateKey = KEY, asset: str = "BTC") -> Statement:
    """A signed statement of one asset with any root."""
    public = key.public_key().public_bytes_raw()
    made_at = "2025-04-01T00:00:00.000000Z"
    return Statement(OPERATOR, DAY, made_at, (Total(asset, root),), "", "", public, invented=False).signed(key)


def shown(statement: Statement, account: str, units: int, index: int, *path: Node) -> Proof:
    """A proof of one balance, as the operator hands it out."""
    return Proof(statement, account, (Balance("BTC", units, NONCE, index, path),))


def changed(statement: Statement, key: Ed25519PrivateKey = KEY, **fields: object) -> Statement:
    """A statement that says something else, signed again."""
    return replace(statement, **fields).signed(key)  # type: ignore[arg-type]


def climbed(leaf: bytes, path: Sequence[tuple[bytes, bool]], combine: Callable[[bytes, bytes], bytes]) -> bytes:
    """The root of a naive tree, given siblings and whether each stands to the left."""
    for sibling, left in path:
        leaf = combine(sibling, leaf) if left else combine(leaf, sibling)
    return leaf
