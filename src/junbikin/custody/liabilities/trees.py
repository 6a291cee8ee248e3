"""The second pass: sorted runs become the leaves of all trees, in order, and then the trees are built, a block at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from junbikin.custody.liabilities.columns import NODE, counts_of, parents
from junbikin.custody.liabilities.runs import KEY

LOWEST = 6
"""The lowest level that is stored: what is below is worked out again from 64 leaves."""
BLOCK = 16
"""The level whose nodes are built at once, each from the leaves under it."""
PIECE = 1 << 19
"""Leaves that are sorted at once, about."""
FENCED = 1 << 14
"""Keys that are held against one digest, so that what is not found is known not to be there."""


@dataclass(frozen=True, slots=True)
class Tree:
    """Where the tree of an asset lies in the files: its leaves, and its stored nodes, level by level from the lowest."""

    place: int
    """Of the asset among all."""
    leaves: int
    first_leaf: int
    first_node: int

    @property
    def top(self) -> int:
        """The root's level."""
        return (self.leaves - 1).bit_length()

    def nodes_on(self, level: int) -> int:
        """How many nodes a level has."""
        return -(-self.leaves >> level)

    def stored_at(self, level: int) -> int:
        """Where the nodes of a level start in the file of nodes."""
        return self.first_node + sum(self.nodes_on(below) for below in range(LOWEST, level))


def laid_out(counts: Sequence[int]) -> list[Tree]:
    """The trees of assets with so many leaves, one after the other."""
    trees: list[Tree] = []
    leaf = node = 0
    for place, leaves in enumerate(counts):
        tree = Tree(place, leaves, leaf, node)
        trees.append(tree)
        leaf, node = leaf + leaves, tree.stored_at(tree.top + 1)
    return trees


@dataclass(frozen=True, slots=True)
class Shelf:
    """The files of all trees: keys, leaves and nodes of fixed width."""

    folder: Path

    @property
    def keys(self) -> Path:
        """The key of every leaf, ascending within a tree."""
        return self.folder / "keys.bin"

    @property
    def leaves(self) -> Path:
        """Every leaf: digest and units."""
        return self.folder / "leaves.bin"

    @property
    def nodes(self) -> Path:
        """Every stored node: digest and sum."""
        return self.folder / "nodes.bin"


@dataclass(frozen=True, slots=True)
class Piece:
    """Leaves of a tree whose keys lie from `low` to `high`, both included."""

    tree: Tree
    low: int
    high: int


def pieces(trees: Sequence[Tree]) -> Iterator[Piece]:
    """All leaves in pieces that can be sorted at once: keys are spread evenly."""
    for tree in trees:
        parts = -(-tree.leaves // PIECE)
        bounds = [(part << 64) // parts for part in range(parts + 1)]
        for low, high in pairwise(bounds):
            yield Piece(tree, low, high - 1)


@dataclass(frozen=True, slots=True)
class Runs:
    """Sorted runs, and the file that says where in each the leaves of each asset start."""

    paths: tuple[Path, ...]
    starts: Path


def merge(shelf: Shelf, runs: Runs, piece: Piece) -> bool:
    """Puts a piece in order and where it belongs. Says whether two leaves have the same key."""
    starts = np.load(runs.starts, mmap_mode="r")
    place, before, keys, nodes = piece.tree.first_leaf, 0, [], []
    for path, start in zip(runs.paths, starts, strict=True):
        first, last = int(start[piece.tree.place]), int(start[piece.tree.place + 1])
        if first == last:
            continue
        all_keys = np.memmap(path.with_suffix(".keys"), KEY, "r")[first:last]
        low = int(np.searchsorted(all_keys, np.uint64(piece.low), "left"))
        high = int(np.searchsorted(all_keys, np.uint64(piece.high), "right"))
        before += low
        keys.append(all_keys[low:high])
        nodes.append(np.fromfile(path.with_suffix(".nodes"), f"V{NODE}", high - low, offset=(first + low) * NODE))
    key, node = np.concatenate(keys), np.concatenate(nodes)
    order = np.argsort(key)
    key = key[order]
    tied = bool(np.any(key[1:] == key[:-1]))
    if tied:  # by their digests: the same facts give the same roots, however they are cut into files
        words = node.view(np.uint8).reshape(-1, NODE)[:, :32].copy().view(">u8")
        order = np.lexsort((words[:, 3], words[:, 2], words[:, 1], words[:, 0], np.concatenate(keys)))
    _put(shelf.keys, key, place + before)
    _put(shelf.leaves, node[order], place + before)
    return tied


def _put(file: Path, rows: np.typing.NDArray[np.generic], first: int) -> None:
    with file.open("r+b") as stream:
        stream.seek(first * rows.itemsize)
        rows.tofile(stream)


@dataclass(frozen=True, slots=True)
class Block:
    """A node of a tree's level `BLOCK`, by its place: what is under it is built at once."""

    tree: Tree
    place: int

    @property
    def level(self) -> int:
        """The level of the block's highest node."""
        return min(BLOCK, self.tree.top)


def blocks(trees: Sequence[Tree]) -> Iterator[Block]:
    """Every tree's blocks."""
    for tree in trees:
        for place in range(tree.nodes_on(min(BLOCK, tree.top))):
            yield Block(tree, place)


@dataclass(frozen=True, slots=True)
class Built:
    """What a block came to: its highest node, and the first key and digest of each stretch of its keys."""

    node: bytes
    fences: tuple[tuple[int, str], ...]


def build(shelf: Shelf, block: Block) -> Built:
    """Builds what is under a node and stores the levels that are kept. Raises `OverflowError` when a sum is too large."""
    tree, first = block.tree, block.place << block.level
    count = min(1 << block.level, tree.leaves - first)
    leaves = np.fromfile(shelf.leaves, np.uint8, count * NODE, offset=(tree.first_leaf + first) * NODE)
    level = leaves.reshape(-1, NODE)
    for height in range(block.level + 1):
        if height:
            level = parents(level, counts_of(height - 1, first >> (height - 1), len(level), tree.leaves))
        if height >= LOWEST:
            _put(shelf.nodes, level.view(f"V{NODE}"), tree.stored_at(height) + (first >> height))
    return Built(level.tobytes(), tuple(_fences(shelf, tree.first_leaf + first, count)))


def _fences(shelf: Shelf, first: int, count: int) -> Iterator[tuple[int, str]]:
    keys = np.fromfile(shelf.keys, KEY, count, offset=first * KEY.itemsize)
    for start in range(0, count, FENCED):
        some = keys[start : start + FENCED]
        yield int(some[0]), hashlib.sha256(some.tobytes()).hexdigest()


def crown(shelf: Shelf, tree: Tree, tops: Sequence[bytes]) -> bytes:
    """Builds what is above a tree's blocks, and returns its root as a stored node."""
    level = np.frombuffer(b"".join(tops), np.uint8).reshape(-1, NODE)
    for height in range(min(BLOCK, tree.top) + 1, tree.top + 1):
        level = parents(level, counts_of(height - 1, 0, len(level), tree.leaves))
        _put(shelf.nodes, level.view(f"V{NODE}"), tree.stored_at(height))
    [root] = level
    return root.tobytes()
