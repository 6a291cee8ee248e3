"""The proofs that a home keeps: one folder for each, named by what it commits to; nothing in it is ever written again.

proofs/2026-03-31/3f9a…/statement.json, checkpoint.json    for everyone
proofs/2026-03-31/3f9a…/private/                           trees and manifest: what customers' proofs are made from
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from junbikin.custody.liabilities.building import Grown
from junbikin.custody.liabilities.columns import NODE, stored_node
from junbikin.custody.liabilities.proof import Balance, Proof, fault
from junbikin.custody.liabilities.runs import KEY
from junbikin.custody.liabilities.secret import mark_of, nonce, secret_of
from junbikin.custody.liabilities.statement import Statement, read_statement
from junbikin.custody.liabilities.sums import Node, context, joined, leaf, leaves_under, way_up
from junbikin.custody.liabilities.trees import FENCED, LOWEST, Shelf, Tree
from junbikin.errors import BadInput
from junbikin.home import Home

FORMAT = "junbikin-liability-trees-1"
STATEMENT, CHECKPOINT, POSITION = "statement.json", "checkpoint.json", "position.json"
PRIVATE, MANIFEST = "private", "manifest.json"


@dataclass(frozen=True, slots=True)
class Planted:
    """Where the tree of an asset lies, and the fences of its keys: the first of each stretch, and the stretch's digest."""

    asset: str
    tree: Tree
    fences: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """A proof of a home: its folder, its statement and its trees, and the mark of the secret that it was made with."""

    folder: Path
    statement: Statement
    trees: tuple[Planted, ...]
    mark: str

    @property
    def shelf(self) -> Shelf:
        """The files of the trees."""
        return Shelf(self.folder / PRIVATE)


def folder_of(home: Home) -> Path:
    """Where a home keeps its proofs."""
    return home.path / "proofs"


def write_manifest(folder: Path, grown: Sequence[Grown], secret: bytes, sources: Sequence[str]) -> None:
    """Notes where each tree lies, by what its keys are known, and the files of the lake (by SHA-256) it was made from."""
    content: dict[str, Any] = {
        "format": FORMAT,
        "secret": mark_of(secret),
        "sources": list(sources),
        "trees": [
            {
                "asset": each.asset,
                "leaves": each.tree.leaves,
                "first_leaf": each.tree.first_leaf,
                "first_node": each.tree.first_node,
                "fences": [[f"{key:016x}", digest] for key, digest in each.fences],
            }
            for each in grown
        ],
    }
    content["digest"] = _digest(content)
    (folder / PRIVATE / MANIFEST).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def _digest(manifest: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()  # made and read by Python alone


def proofs(home: Home, as_of: date | None = None) -> Iterator[Path]:
    """The folders of the proofs of a day, or of every day, by day and by when they were made."""
    days = sorted(folder_of(home).glob("????-??-??")) if as_of is None else [folder_of(home) / as_of.isoformat()]
    for day in days:
        folders = [file.parent for file in day.glob(f"*/{STATEMENT}")]
        yield from sorted(folders, key=lambda folder: read_statement(folder / STATEMENT).made_at)


def proof_named(home: Home, as_of: date, name: str = "") -> Path:
    """The folder of the proof of a day whose name starts so; without a name, of the one made last.

    Raises `BadInput` when there is none, or more than one of such a name.
    """
    found = [folder for folder in proofs(home, as_of) if folder.name.startswith(name)]
    if not found:
        raise BadInput(
            f"there is no proof of {as_of}{f' named {name}' if name else ''}", where=str(folder_of(home)),
            then=f"make one: junbikin prove --as-of {as_of}; those there are: junbikin prove list",
        )  # fmt: skip
    if name and len(found) > 1:
        raise BadInput(
            f"{len(found)} proofs of {as_of} have names that start with {name}", then="give more of its name"
        )
    return found[-1]


def breaks_of(folder: Path, statement: Statement) -> int | None:
    """How many breaks the position has that a proof is tied to; None when it is tied to none. Raises `BadInput` when the position's
    file is not the one that was signed."""
    if not statement.position:
        return None
    path = folder / POSITION
    content = path.read_bytes() if path.exists() else b""
    if hashlib.sha256(content).hexdigest() != statement.position:
        raise BadInput("the position of a proof is missing or was altered", where=str(path), then=_AGAIN)
    return int(json.loads(content)["breaks"]["count"])


def open_kept(folder: Path) -> Kept:
    """A kept proof. Raises `BadInput` when its statement or manifest is missing or was altered."""
    statement, path = read_statement(folder / STATEMENT), folder / PRIVATE / MANIFEST
    wrong = statement.fault()
    if wrong:
        raise BadInput(wrong.en, where=str(folder / STATEMENT), then=_AGAIN)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        digest = content.pop("digest")
        if content["format"] != FORMAT or _digest(content) != digest:
            raise ValueError("its digest is another")
        trees = tuple(
            Planted(
                each["asset"], Tree(place, each["leaves"], each["first_leaf"], each["first_node"]),
                tuple((int(key, 16), fence) for key, fence in each["fences"]),
            )
            for place, each in enumerate(content["trees"])
        )  # fmt: skip
        return Kept(folder, statement, trees, content["secret"])
    except (OSError, KeyError, TypeError, ValueError) as problem:
        raise BadInput(f"the manifest of a proof is damaged: {problem}", where=str(path), then=_AGAIN) from None


_AGAIN = "restore the folder from a backup, or move it away and prove that day again"


def customers_proof(home: Home, kept: Kept, account: str) -> Proof:
    """The proof of an account, checked before it is handed out.

    Raises `BadInput` when the account is in no tree of that day, when the home's secret is another than the proof was
    made with, and when the trees are damaged.
    """
    secret = secret_of(home)
    if mark_of(secret) != kept.mark:
        raise BadInput(
            "the home's secret is another than this proof was made with", where=str(home.keys),
            then="put the secret back from a backup: without it no customer's proof of that day can be made",
        )  # fmt: skip
    with _files(kept) as files:
        balances = tuple(_balances(files, secret, account))
    if not balances:
        raise BadInput(
            f"the account {account!r} is in no tree of this proof of {kept.statement.as_of}, which says nothing of what is owed to it",
            where=str(kept.folder),
            then="name the account as the customer balances have it; a balance of 0 is in no tree, nor is one that was refused: "
            "junbikin facts quarantine customer_balances",
        )  # fmt: skip
    proof = Proof(kept.statement, account, balances)
    wrong = fault(proof)
    if wrong:
        raise _damaged(kept, wrong.en)
    return proof


@dataclass(frozen=True, slots=True)
class _Files:
    """The files of a proof's trees, open."""

    kept: Kept
    keys: BinaryIO
    leaves: BinaryIO
    nodes: BinaryIO

    def read(self, file: BinaryIO, first: int, size: int) -> bytes:
        """Some bytes of a file, all of them."""
        file.seek(first)
        found = file.read(size)
        if len(found) != size:
            raise _damaged(self.kept, f"{Path(file.name).name} was cut")
        return found


@contextmanager
def _files(kept: Kept) -> Iterator[_Files]:
    shelf = kept.shelf
    with ExitStack() as stack:
        try:
            keys, leaves, nodes = (
                stack.enter_context(file.open("rb", buffering=0)) for file in (shelf.keys, shelf.leaves, shelf.nodes)
            )
        except OSError as problem:
            raise _damaged(kept, f"a file cannot be read: {problem.strerror}") from None
        yield _Files(kept, keys, leaves, nodes)


def _damaged(kept: Kept, what: str) -> BadInput:
    return BadInput(f"the trees of this proof are damaged: {what}", where=str(kept.folder / PRIVATE), then=_AGAIN)


def _balances(files: _Files, secret: bytes, account: str) -> Iterator[Balance]:
    statement = files.kept.statement
    for planted in files.kept.trees:
        within = context(statement.operator, statement.as_of, planted.asset)
        salt = nonce(secret, within, account)
        places = _places(files, planted, int.from_bytes(salt[: KEY.itemsize], "big"))
        for index in places:
            [found] = _nodes(files, files.leaves, planted.tree.first_leaf, 0, index, 1, planted.tree.leaves)
            if leaf(within, salt, found.sum, account) == found:
                yield Balance(planted.asset, found.sum, salt, index, _siblings(files, planted.tree, index))
                break
        else:
            if places:
                raise _damaged(files.kept, f"the leaf {places[0]:,} of {planted.asset} is not what it was")


def _places(files: _Files, planted: Planted, key: int) -> list[int]:
    """Where leaves with a key stand. The stretches of keys that are looked through are held against their digests."""
    tree, fences = planted.tree, [first for first, _ in planted.fences]
    found: list[int] = []
    for stretch in range(max(bisect_left(fences, key) - 1, 0), max(bisect_right(fences, key), 1)):
        first = stretch * FENCED
        count = min(FENCED, tree.leaves - first)
        stored = files.read(files.keys, (tree.first_leaf + first) * KEY.itemsize, count * KEY.itemsize)
        if hashlib.sha256(stored).hexdigest() != planted.fences[stretch][1]:
            raise _damaged(files.kept, f"the keys of {planted.asset} from {first:,} on are not what they were")
        keys = np.frombuffer(stored, KEY)
        low, high = (int(np.searchsorted(keys, np.uint64(key), side)) for side in ("left", "right"))
        found += range(first + low, first + high)
    return found


def _siblings(files: _Files, tree: Tree, index: int) -> tuple[Node, ...]:
    """The nodes beside a leaf's way up. Those below the lowest stored level are worked out from the leaves there."""
    first = index >> LOWEST << LOWEST
    level = _nodes(files, files.leaves, tree.first_leaf, 0, first, min(1 << LOWEST, tree.leaves - first), tree.leaves)
    below = [level]
    for _ in range(LOWEST):
        level = joined(level)
        below.append(level)
    return tuple(
        below[step.level][step.place - (first >> step.level)] if step.level < LOWEST
        else _nodes(files, files.nodes, tree.stored_at(step.level), step.level, step.place, 1, tree.leaves)[0]
        for step in way_up(index, tree.leaves)
    )  # fmt: skip


def _nodes(files: _Files, file: BinaryIO, start: int, level: int, place: int, count: int, leaves: int) -> list[Node]:
    """Some nodes of a level, which starts at `start` in a file."""
    stored = files.read(file, NODE * (start + place), NODE * count)
    return [
        stored_node(stored[NODE * i : NODE * (i + 1)], leaves_under(level, place + i, leaves)) for i in range(count)
    ]
