"""The first pass: balances are read, made into leaves, and written in sorted runs, a slice of a file at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import nanoarrow
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from junbikin.custody.liabilities.columns import AT_ONCE, NODE, Bytes, Numbers, digests
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


Leaves = tuple[Places, Numbers, Bytes]
"""Asset, key and node of each."""


def write_runs(ground: Ground, part: Slice) -> list[list[int]]:
    """Writes the leaves of a slice in runs, each by asset and then by key; of each run, how many leaves each asset has."""
    return [_written(ground, part.run(number), leaves) for number, leaves in enumerate(_leaves(ground, part))]


def _written(ground: Ground, run: Path, leaves: Leaves) -> list[int]:
    places, keys, nodes = leaves
    order = np.argsort(keys)
    order = order[np.argsort(places[order], kind="stable")]
    keys[order].astype(KEY).tofile(run.with_suffix(".keys"))
    nodes.view(f"V{NODE}").ravel()[order].tofile(run.with_suffix(".nodes"))
    return [int(count) for count in np.bincount(places, minlength=len(ground.assets))]


def _leaves(ground: Ground, part: Slice) -> Iterator[Leaves]:
    """The leaves of a slice, as many at a time as are sorted at once."""
    waiting: list[Leaves] = []
    for batch in _batches(ground, part):
        waiting += _hashed(ground, batch)
        if sum(len(places) for places, _, _ in waiting) >= RUN:
            yield _joined(waiting)
            waiting = []
    if waiting:
        yield _joined(waiting)


def _joined(parts: Sequence[Leaves]) -> Leaves:
    places, keys, nodes = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return places, keys, nodes


def _hashed(ground: Ground, batch: Batch) -> Iterator[Leaves]:
    """The leaves of a batch, those of accounts whose ids are equally long together."""
    contexts = np.frombuffer(ground.contexts, np.uint8).reshape(-1, DIGEST)
    lengths = np.diff(batch.starts)
    for length in np.unique(lengths):
        windows = sliding_window_view(batch.accounts, int(length))
        every = np.flatnonzero(lengths == length)
        for chosen in (every[first : first + AT_ONCE] for first in range(0, len(every), AT_ONCE)):
            places, units, accounts = batch.places[chosen], batch.units[chosen], windows[batch.starts[chosen]]
            nonce = nonces(ground.secret, contexts, places, accounts)
            message = np.empty((len(places), _TAIL + length), np.uint8)
            message[:, 0] = 0
            message[:, 1 : 1 + DIGEST] = contexts[places]
            message[:, 1 + DIGEST : _TAIL - SUM] = nonce
            message[:, _TAIL - SUM : _TAIL] = units
            message[:, _TAIL:] = accounts
            nodes = np.empty((len(places), NODE), np.uint8)
            digests(message, nodes[:, :DIGEST])
            nodes[:, DIGEST:] = units
            yield places, nonce[:, : KEY.itemsize].copy().view(">u8").ravel().astype(np.uint64), nodes


def _batches(ground: Ground, part: Slice) -> Iterator[Batch]:
    """The rows of a slice that something is owed by; each batch can be used until the next is asked for.

    Arrow gives a stored decimal as it is, a whole number of units in 16 bytes: nothing is converted.
    """
    query = f"""
      SELECT enum_code(asset::of_the_day)::USMALLINT, account_id, quantity FROM read_parquet({file(str(part.path))})
      WHERE quantity > 0 AND file_row_number BETWEEN {part.first} AND {part.last}
    """
    with connect(ground.memory_limit) as engine:
        engine.execute(
            f"SET threads = 1; SET enable_progress_bar = false; CREATE TYPE of_the_day AS ENUM ({', '.join(map(literal, ground.assets))})"
        )
        with nanoarrow.c_array_stream(engine.sql(query).__arrow_c_stream__()) as stream:
            for array in stream:
                if array.length:
                    codes, accounts, quantities = (array.view().child(column) for column in range(3))
                    starts = np.frombuffer(accounts.buffer(1), np.int32)
                    units = np.frombuffer(quantities.buffer(1), np.uint8).reshape(-1, SUM)[:, ::-1]
                    yield Batch(
                        np.frombuffer(codes.buffer(1), np.uint16),
                        np.frombuffer(accounts.buffer(2), np.uint8),
                        starts,
                        units,
                    )
