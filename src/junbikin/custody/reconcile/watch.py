"""Reconciling again and again: only when something changed, and then only what moved."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import text

from junbikin.books.database import Books, telling
from junbikin.custody.reconcile.moment import moment_of
from junbikin.custody.reconcile.reconciliation import Reconciliation
from junbikin.custody.reconcile.run import reconciled
from junbikin.facts.lake import open_lake
from junbikin.home import Home

_ENDS = text("SELECT strand, length FROM books.strands ORDER BY strand")


@dataclass(frozen=True, slots=True)
class Turn:
    """One look: the reconciliation as it is now, whether anything changed since the look before, whether it was worked in full, and
    the seconds it took."""

    reconciliation: Reconciliation
    changed: bool
    in_full: bool
    seconds: float


def turns(home: Home, books: Books | None, window: timedelta, wait: Callable[[], bool]) -> Iterator[Turn]:
    """Looks for as long as `wait`, called between two looks, says so."""
    seen: Any = None
    last: Reconciliation | None = None
    while True:
        start = time.perf_counter()
        as_of = home.today()
        now = _signs(home, books, as_of)
        if last is not None and now == seen:
            yield Turn(last, changed=False, in_full=False, seconds=time.perf_counter() - start)
        else:
            outcome = reconciled(open_lake(home), moment_of(home, as_of, books), books, window)
            seen, last = now, outcome.reconciliation
            yield Turn(last, changed=True, in_full=outcome.in_full, seconds=time.perf_counter() - start)
        if not wait():
            return


def _signs(home: Home, books: Books | None, as_of: date) -> tuple[Any, ...]:
    """What is another whenever facts, books or the day are. The log of the facts and the books are only added to."""
    log = home.facts / "log.jsonl"
    facts = log.stat().st_size if log.exists() else 0
    if books is None:
        return as_of, facts
    with telling(home), books.engine.connect() as connection:
        return as_of, facts, tuple(tuple(row) for row in connection.execute(_ENDS))
