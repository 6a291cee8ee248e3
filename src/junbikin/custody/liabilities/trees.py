"""The second pass: sorted runs become the leaves of all trees, in order, and then the trees are built, a block at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from junbikin.custody.liabilities.columns import NODE, counts_of, parents, reordered
from junbikin.custody.liabilities.runs import KEY
from junbikin.custody.liabilities.sums import DIGEST

LOWEST = 6
"""The lowest level that is stored: what is below is worked out again from 64 leaves."""
BLOCK = 16
"""The level whose nodes are built at once, each from the leaves under it."""
PIECE = 1 << 18
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

    @property
    def blocks(self) -> int:
        """How many blocks it is built in."""
        return self.nodes_on(min(BLOCK, self.top))

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


def merge(shelf: Shelf, runs: Runs, some: Sequence[Piece]) -> list[bool]:
    """Puts pieces in order and where they belong. Says of each whether two leaves in it have the same key."""
    starts = np.load(runs.starts, mmap_mode="r")
    found, room = (
        list[bool](),
        np.empty((2, 2 * PIECE, NODE), np.uint8),
    )  # made once: new memory costs as much as sorting
    for piece in some:
        spans = [span for run, start in zip(runs.paths, starts, strict=True) for span in _span(run, start, piece)]
        count = sum(len(span.keys) for span in spans)
        if count > room.shape[1]:
            room = np.empty((2, count, NODE), np.uint8)
        nodes, filled = room[0, :count], 0
        for span in spans:
            with span.run.with_suffix(".nodes").open("rb") as stream:
                stream.seek(span.first * NODE)
                filled += stream.readinto(nodes[filled : filled + len(span.keys)].data) // NODE
        keys = np.concatenate([span.keys for span in spans])
        order = np.argsort(keys)
        tied = keys[order]
        found.append(bool(np.any(tied[1:] == tied[:-1])))
        if found[-1]:  # by their digests: the same facts give the same roots, however they are cut into files
            words = nodes[:, :DIGEST].copy().view(">u8")
            order = np.lexsort((words[:, 3], words[:, 2], words[:, 1], words[:, 0], keys))
        place = piece.tree.first_leaf + sum(span.before for span in spans)
        _put(shelf.keys, keys[order], place)
        _put(shelf.leaves, reordered(nodes, order, room[1]), place)
    return found


@dataclass(frozen=True, slots=True)
class _Span:
    """What a run has of a piece: the keys, where they start in the run, and how many of the tree's come before them."""

    run: Path
    keys: NDArray[np.uint64]
    first: int
    before: int


def _span(run: Path, starts: NDArray[np.int64], piece: Piece) -> Iterator[_Span]:
    first, last = int(starts[piece.tree.place]), int(starts[piece.tree.place + 1])
    if first < last:
        keys = np.memmap(run.with_suffix(".keys"), KEY, "r")[first:last]
        low = int(np.searchsorted(keys, np.uint64(piece.low), "left"))
        high = int(np.searchsorted(keys, np.uint64(piece.high), "right"))
        yield _Span(run, keys[low:high], first + low, low)


def _put(file: Path, rows: NDArray[Any], first: int) -> None:
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
        for place in range(tree.blocks):
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
