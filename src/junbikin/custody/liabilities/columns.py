"""Hashing and adding up in columns: many rows of one width at a time, and no Python for each of them."""

from __future__ import annotations

from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from junbikin.custody.liabilities.sums import COUNT, DIGEST, LIMIT, SUM, Node

Bytes = NDArray[np.uint8]
Numbers = NDArray[np.uint64]

NODE = DIGEST + SUM
"""Bytes of a stored node: its count follows from where it stands."""
AT_ONCE = 4096
"""Rows that are put together at once: few enough to stay in the processor's cache."""
_HASHED = 512
_DIGEST = type(sha256()).digest


def digests(rows: Bytes, into: Bytes) -> None:
    """Puts the digest of each row, which lie one after the other in memory, into a row."""
    records = rows.view(f"V{rows.shape[1]}").ravel()  # as bytes: nothing of them is cut off
    for first in range(0, len(rows), _HASHED):
        some = records[first : first + _HASHED].tolist()
        joined = b"".join(map(_DIGEST, map(sha256, some)))
        into[first : first + len(some)] = np.frombuffer(joined, np.uint8).reshape(-1, DIGEST)


def parents(nodes: Bytes, counts: Numbers) -> Bytes:
    """The level above a level of stored nodes; a last one without a sibling stands there as it is.

    Raises `OverflowError` when a sum reaches the limit.
    """
    pairs = len(nodes) // 2
    above = np.empty((pairs + len(nodes) % 2, NODE), np.uint8)
    above[pairs:] = nodes[2 * pairs :]
    both, under = nodes[: 2 * pairs].reshape(pairs, 2, NODE), counts[: 2 * pairs].reshape(pairs, 2)
    for first in range(0, pairs, AT_ONCE):
        _join(both[first : first + AT_ONCE], under[first : first + AT_ONCE], above[first : min(first + AT_ONCE, pairs)])
    return above


def _join(both: Bytes, counts: Numbers, above: Bytes) -> None:
    pairs = len(both)
    message = np.empty((pairs, 1 + 2 * (NODE + COUNT)), np.uint8)
    message[:, 0] = 1
    children = message[:, 1:].reshape(pairs, 2, NODE + COUNT)
    children[:, :, :NODE] = both
    children[:, :, NODE:] = counts.astype(">u8").view(np.uint8).reshape(pairs, 2, COUNT)
    digests(message, above[:, :DIGEST])
    above[:, DIGEST:] = _added(both[:, 0, DIGEST:], both[:, 1, DIGEST:])


def _added(left: Bytes, right: Bytes) -> Bytes:
    """Sums of numbers of 16 bytes, which are below 2^127 each."""
    one, other = _words(left), _words(right)
    low = one[:, 1] + other[:, 1]
    high = one[:, 0] + other[:, 0] + (low < one[:, 1])
    if np.any(high >= np.uint64(LIMIT >> 64)):
        raise OverflowError("a sum reaches 2^127")
    return np.stack([high, low], axis=1).astype(">u8").view(np.uint8)


def _words(numbers: Bytes) -> Numbers:
    return numbers.view(">u8").astype(np.uint64)


def reordered(nodes: Bytes, order: NDArray[np.intp], into: Bytes) -> NDArray[np.void]:
    """Stored nodes in another order, put into other memory."""
    found = into[: len(order)].view(f"V{NODE}").ravel()
    return np.take(
        nodes.view(f"V{NODE}").ravel(), order, out=found, mode="clip"
    )  # any other mode makes a copy of its own


def counts_of(level: int, first: int, nodes: int, leaves: int) -> Numbers:
    """How many of the tree's leaves are under each of the `nodes` of a level from the node `first` on."""
    places = np.arange(first, first + nodes, dtype=np.uint64)
    whole = np.uint64(1 << level)
    under: Numbers = np.minimum(whole, np.uint64(leaves) - places * whole)
    return under


def stored_node(stored: bytes, count: int) -> Node:
    """A stored node with the number of its leaves."""
    return Node(stored[:DIGEST], int.from_bytes(stored[DIGEST:], "big"), count)
