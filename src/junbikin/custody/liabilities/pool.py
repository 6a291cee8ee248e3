"""Work over many items on every core, in processes of their own; in this process when it is too little for that."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Protocol, TypeVar

T = TypeVar("T")
R = TypeVar("R")

WORTH_A_PROCESS = 250_000
"""Leaves that take about as long as a process takes to start."""
MOST_PROCESSES = 8
"""Each may take some hundred MB."""


class Each(Protocol):
    """Does a piece of work for each item; the results come in the items' order."""

    def __call__(self, work: Callable[[T], R], items: Sequence[T], /) -> Iterable[R]: ...


@contextmanager
def workers(leaves: int) -> Iterator[Each]:
    """What works over the pieces of so many leaves. Processes are spawned: nothing of this one is copied into them."""
    count = min(os.cpu_count() or 1, leaves // WORTH_A_PROCESS, MOST_PROCESSES)
    if count < 2:
        yield map
        return
    alone = signal.SIGINT, signal.SIG_IGN  # whoever interrupts, interrupts this process; the others end with it
    with ProcessPoolExecutor(count, get_context("spawn"), signal.signal, alone) as pool:
        try:
            yield pool.map
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
