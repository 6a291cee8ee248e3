"""The first pass: balances are read, made into leaves, and written in sorted runs, a slice of a file at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import duckdb
import nanoarrow
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from junbikin.custody.liabilities.columns import AT_ONCE, NODE, Bytes, Numbers, digests, reordered
from junbikin.custody.liabilities.nonces import nonces
from junbikin.custody.liabilities.sums import DIGEST, NONCE, SUM
from junbikin.facts.engine import connect, file, literal

Places = NDArray[np.uint16]
"""Of assets, among all of the day."""
KEY = np.dtype("<u8")
"""Leaves stand in the order of their keys, the first 8 bytes of their nonces: it says nothing of who they are."""


RUN = 1 << 18
"""Leaves that are sorted at once, about."""
_TAIL = 1 + DIGEST + NONCE + SUM  # where the account's id starts in a leaf


@dataclass(frozen=True, slots=True)
class Ground:
    """What every slice needs: the assets in order, the context of each, and the secret."""

    assets: tuple[str, ...]
    contexts: bytes
    secret: bytes
    memory_limit: str


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows `first` to `last` of a file of the lake, and what their runs are called."""

    path: Path
    first: int
    last: int
    name: Path

    def run(self, number: int) -> Path:
        """A run of the slice: its files are `.keys` and `.nodes`."""
        return self.name.with_name(f"{self.name.name}-{number}")


@dataclass(frozen=True, slots=True)
class Batch:
    """Balances in columns: asset, accounts one after the other, where each starts and the last ends, quantity in units."""

    places: Places
    accounts: Bytes
    starts: NDArray[np.int32]
    units: Bytes


def write_runs(ground: Ground, part: Slice) -> list[list[int]]:
    """Writes the leaves of a slice in runs, each by asset and then by key; of each run, how many leaves each asset has."""
    some, counts, filled = _Leaves.room_for(RUN), list[list[int]](), 0
    for rows in _of_one_length(_batches(ground, part)):
        if filled + len(rows.places) > RUN:
            counts.append(_write(ground, part.run(len(counts)), some.part(0, filled)))
            filled = 0
        _make(ground, rows, some.part(filled, filled + len(rows.places)))
        filled += len(rows.places)
    if filled:
        counts.append(_write(ground, part.run(len(counts)), some.part(0, filled)))
    return counts


@dataclass(frozen=True, slots=True)
class _Leaves:
    """Asset, key and node of some leaves, and room to put the nodes in order: made once, since new memory costs as much as hashing."""

    places: Places
    keys: Numbers
    nodes: Bytes
    ordered: Bytes

    @staticmethod
    def room_for(count: int) -> _Leaves:
        nodes, ordered = (np.empty((count, NODE), np.uint8) for _ in range(2))
        return _Leaves(np.empty(count, np.uint16), np.empty(count, np.uint64), nodes, ordered)

    def part(self, first: int, last: int) -> _Leaves:
        some = slice(first, last)
        return _Leaves(self.places[some], self.keys[some], self.nodes[some], self.ordered[some])


def _write(ground: Ground, run: Path, some: _Leaves) -> list[int]:
    order = np.argsort(some.keys)
    order = order[np.argsort(some.places[order], kind="stable")]
    some.keys[order].astype(KEY).tofile(run.with_suffix(".keys"))
    reordered(some.nodes, order, some.ordered).tofile(run.with_suffix(".nodes"))
    return [int(count) for count in np.bincount(some.places, minlength=len(ground.assets))]


def _make(ground: Ground, rows: _Rows, into: _Leaves) -> None:
    """Makes the leaves of some balances."""
    contexts = np.frombuffer(ground.contexts, np.uint8).reshape(-1, DIGEST)
    nonce = nonces(ground.secret, contexts, rows.places, rows.accounts)
    message = np.empty((len(rows.places), _TAIL + rows.accounts.shape[1]), np.uint8)
    message[:, 0] = 0
    message[:, 1 : 1 + DIGEST] = contexts[rows.places]
    message[:, 1 + DIGEST : _TAIL - SUM] = nonce
    message[:, _TAIL - SUM : _TAIL] = rows.units
    message[:, _TAIL:] = rows.accounts
    digests(message, into.nodes[:, :DIGEST])
    into.nodes[:, DIGEST:] = rows.units
    into.keys[:] = nonce.view(">u8")[:, 0]
    into.places[:] = rows.places


@dataclass(frozen=True, slots=True)
class _Rows:
    """Balances of accounts whose ids are equally long: asset, account, quantity in units."""

    places: Places
    accounts: Bytes
    units: Bytes


def _of_one_length(batches: Iterable[Batch]) -> Iterator[_Rows]:
    """The balances of batches, as many at a time as fit into the processor's cache."""
    together = min(AT_ONCE, RUN)
    for batch in batches:
        lengths = np.diff(batch.starts)
        different = np.unique(lengths)
        for length in map(int, different):
            every = np.flatnonzero(lengths == length) if len(different) > 1 else None
            windows = sliding_window_view(batch.accounts, length)
            for first in range(0, len(lengths) if every is None else len(every), together):
                rows = slice(first, first + together) if every is None else every[first : first + together]
                yield _Rows(batch.places[rows], windows[batch.starts[:-1][rows]], batch.units[rows])


def _batches(ground: Ground, part: Slice) -> Iterator[Batch]:
    """The rows of a slice that something is owed by; each batch can be used until the next is asked for.

    Arrow gives a stored decimal as it is, a whole number of units in 16 bytes: nothing is converted.
    """
    query = f"""
      SELECT enum_code(asset::of_the_day)::USMALLINT, account_id, quantity FROM read_parquet({file(str(part.path))})
      WHERE quantity > 0 AND file_row_number BETWEEN {part.first} AND {part.last}
    """
    engine = _engine(ground.assets, ground.memory_limit)
    with nanoarrow.c_array_stream(engine.sql(query).__arrow_c_stream__()) as stream:
        for array in stream:
            if array.length:
                places, accounts, quantities = (array.view().child(column) for column in range(3))
                yield Batch(
                    np.frombuffer(places.buffer(1), np.uint16),
                    np.frombuffer(accounts.buffer(2), np.uint8),
                    np.frombuffer(accounts.buffer(1), np.int32),
                    np.frombuffer(quantities.buffer(1), np.uint8).reshape(-1, SUM)[:, ::-1],
                )


@lru_cache(1)
def _engine(assets: tuple[str, ...], memory_limit: str) -> duckdb.DuckDBPyConnection:
    """This process's engine, for every slice that it works: making one takes a twentieth of a slice's time."""
    engine = connect(memory_limit)
    listed = ", ".join(map(literal, assets))
    engine.execute(f"SET threads = 1; SET enable_progress_bar = false; CREATE TYPE of_the_day AS ENUM ({listed})")
    return engine
