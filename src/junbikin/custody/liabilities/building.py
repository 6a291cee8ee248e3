"""The trees of one day, from its balances to the roots: read and hashed in slices, merged, built in blocks, on every core."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar

import numpy as np

from junbikin.custody.liabilities.balances import Snapshot, named_twice
from junbikin.custody.liabilities.columns import NODE, stored_node
from junbikin.custody.liabilities.pool import Each
from junbikin.custody.liabilities.runs import KEY, Ground, Slice, write_runs
from junbikin.custody.liabilities.sums import Node, context
from junbikin.custody.liabilities.trees import Built, Runs, Shelf, Tree, blocks, build, crown, laid_out, merge, pieces
from junbikin.errors import BadInput, FactsDamaged, JunbikinError
from junbikin.facts.run import Progress

R = TypeVar("R")

SLICE = 500_000
"""Rows that are read at once."""
TOGETHER = 8
"""Pieces that are sorted one after the other in the same memory."""


@dataclass(frozen=True, slots=True)
class Grown:
    """The tree of an asset as it was built: its root, and the fences of its keys."""

    asset: str
    tree: Tree
    root: Node
    fences: tuple[tuple[int, str], ...]


def grow(
    snapshot: Snapshot, operator: str, secret: bytes, memory_limit: str, folder: Path, each: Each, progress: Progress
) -> list[Grown]:
    """Builds the trees of a day in a folder, which holds their files afterwards and nothing else.

    Raises `BadInput` when the disk is too small, `FactsDamaged` when an account has two balances of an asset.
    """
    owed = [of_asset for of_asset in snapshot.owed if of_asset.customers]
    assets = tuple(of_asset.asset for of_asset in owed)
    contexts = b"".join(context(operator, snapshot.as_of, asset) for asset in assets)
    ground, shelf = Ground(assets, contexts, secret, memory_limit), Shelf(folder)
    trees = laid_out([of_asset.customers for of_asset in owed])
    _room_for(sum(tree.leaves for tree in trees), folder)
    _lay(snapshot, ground, trees, shelf, each, progress)
    with ThreadPoolExecutor(1) as disk:  # puts the leaves on disk while the trees are built
        disk.map(sync, (shelf.keys, shelf.leaves))
        work = list(blocks(trees))
        built = _told("building trees", each(partial(build, shelf), work), len(work), progress)
        return [_grown(shelf, assets[tree.place], tree, list(islice(built, tree.blocks))) for tree in trees]


def _grown(shelf: Shelf, asset: str, tree: Tree, parts: list[Built]) -> Grown:
    root = stored_node(crown(shelf, tree, [part.node for part in parts]), tree.leaves)
    return Grown(asset, tree, root, tuple(fence for part in parts for fence in part.fences))


def _lay(snapshot: Snapshot, ground: Ground, trees: list[Tree], shelf: Shelf, each: Each, progress: Progress) -> None:
    """Puts every leaf where it belongs: in sorted runs first, which are merged then."""
    runs = shelf.folder / "runs"
    runs.mkdir()
    slices = list(_slices(snapshot, runs))
    written = list(_told("making leaves", each(partial(write_runs, ground), slices), len(slices), progress))
    counts = [count for runs_of_slice in written for count in runs_of_slice]
    if [sum(column) for column in zip(*counts, strict=True)] != [tree.leaves for tree in trees]:
        raise JunbikinError(
            "other balances were read than were counted",
            where=str(snapshot.paths[0].parent),
            then="prove the day again",
        )
    sorted_runs = Runs(
        tuple(part.run(n) for part, some in zip(slices, written, strict=True) for n in range(len(some))),
        runs / "starts.npy",
    )
    np.save(sorted_runs.starts, np.cumsum([[0, *count] for count in counts], axis=1, dtype=np.int64))
    for file in (shelf.keys, shelf.leaves, shelf.nodes):
        file.touch()
    work = list(pieces(trees))
    shares = [work[first : first + TOGETHER] for first in range(0, len(work), TOGETHER)]
    ties = _told("sorting leaves", each(partial(merge, shelf, sorted_runs), shares), len(shares), progress)
    for piece, tied in zip(work, chain.from_iterable(ties), strict=True):
        asset = ground.assets[piece.tree.place]
        twice = named_twice(snapshot, ground.memory_limit, asset) if tied else None
        if twice is not None:
            raise FactsDamaged(
                f"the account {twice} has two balances of {asset} on {snapshot.as_of}", where=str(snapshot.paths[0].parent),
                then="ingest the sources into a new home: an ingest lets in one balance of an account and asset",
            )  # fmt: skip
    shutil.rmtree(runs)


def _slices(snapshot: Snapshot, runs: Path) -> Iterator[Slice]:
    number = 0
    for segment, path in zip(snapshot.segments, snapshot.paths, strict=True):
        for first in range(0, segment.rows, SLICE):
            yield Slice(path, first, first + SLICE - 1, runs / str(number))
            number += 1


def _told(what: str, results: Iterable[R], count: int, progress: Progress) -> Iterator[R]:
    progress(what, 0.0)
    for done, result in enumerate(results, 1):
        progress(what, done / count)
        yield result


def _room_for(leaves: int, folder: Path) -> None:
    needed = leaves * (2 * (NODE + KEY.itemsize) + NODE // 16)  # runs and what is merged from them, side by side
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise BadInput(
            f"the proof of {leaves:,} balances needs {needed / 1e9:.1f} GB of disk, and {free / 1e9:.1f} GB are free",
            where=str(folder), then="make room there: older proofs may be moved elsewhere",
        )  # fmt: skip


def sync(path: Path) -> None:
    """Waits until a file or folder is on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
