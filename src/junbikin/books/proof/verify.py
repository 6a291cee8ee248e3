"""Verify the books: recompute everything that they say, believing nothing, and name the first difference."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial

import psycopg

from junbikin.books.database import Books
from junbikin.books.proof import approvals, breaks, chain, derived, entries, incidents, releases
from junbikin.books.proof.checkpoint import Checkpoint, against
from junbikin.books.proof.claims import check_claims
from junbikin.books.proof.cut import Cut, Part, cut
from junbikin.books.proof.digests import heads_digest
from junbikin.books.proof.eras import read_eras
from junbikin.books.proof.rules import check_rules, read_rules
from junbikin.books.proof.tables import check_guards, check_tables
from junbikin.books.proof.verdict import Difference, Verdict

Progress = Callable[[str, float], None]
"""Told what is being checked, and which share of it is done (0 to 1)."""


def _silent(what: str, share: float) -> None:
    pass


@dataclass(slots=True)
class _Counts:
    """What was counted on the way."""

    records: int = 0
    batches: int = 0
    entries: int = 0
    made: int = 0
    """Rows that the batches must have put into `balances`."""
    there: int = 0
    """Rows that are there."""


def verify(books: Books, checkpoint: Checkpoint | None = None, progress: Progress = _silent) -> Verdict:
    """What the books are found to be, recomputed from the log; with a checkpoint, also whether they still contain it.

    Memory does not grow with the journal. Raises `BooksDamaged` when the checkpoint is of other books, `BooksProblem`
    when the database fails meanwhile.
    """
    counts = _Counts()
    with cut(books) as view:
        try:
            with closing(_differences(view, checkpoint, progress, counts)) as found:
                difference = next(found, None)
        except psycopg.errors.DataError as problem:
            what = f"something cannot be read as what it must be: {problem.diag.message_primary or problem}"
            difference = Difference("unreadable", what, "books.records")
            heads = ""
        else:
            heads = heads_digest(chain.heads(view.main))
    return Verdict(counts.records, counts.batches, counts.entries, heads, difference)


def _differences(
    view: Cut, checkpoint: Checkpoint | None, progress: Progress, counts: _Counts
) -> Generator[Difference, None, None]:
    """Every difference that one step finds before the next is taken: the log first, then what follows from it."""
    yield from _some(check_tables(view.main))
    parts = view.parts()
    counts.records, counts.batches = sum(part.records for part in parts), sum(part.batches for part in parts)
    for done, difference in enumerate(view.at_once(chain.check_part, parts), 1):
        yield from _some(difference)
        progress("chain", done / len(parts))
    yield from _some(chain.check_ends(view.main, parts))
    if checkpoint is not None:
        yield from _some(against(view.main, checkpoint))

    rules = read_rules(view.main)
    yield from _some(check_rules(view.main, rules))
    yield from _some(derived.check_accounts(view.main, rules))
    progress("accounts", 1.0)
    eras = read_eras(view.main, rules)
    yield from _batches(view, parts, partial(entries.check_part, eras=eras), progress, counts)
    spans = derived.spans(view.main)
    for done, (rows, difference) in enumerate(view.at_once(derived.check_span, spans), 1):
        yield from _some(difference)
        counts.there += rows
        progress("balances", done / len(spans))
    yield from _some(derived.extra_balance(view.main, counts.made, counts.there))
    for difference in view.at_once(partial(approvals.check_part, eras=eras), parts):
        yield from _some(difference)
    yield from _some(releases.check_releases(view.main))
    yield from _some(breaks.check_breaks(view.main, eras))
    yield from _some(incidents.check_incidents(view.main, eras))
    yield from _some(incidents.check_frozen(view.main, eras))
    yield from _some(incidents.check_disputes(view.main))
    progress("approvals", 1.0)
    yield from check_claims(view, eras)
    progress("claims", 1.0)
    yield from _some(check_guards(view.main))


def _batches(
    view: Cut, parts: list[Part], check: Callable[..., entries.Work], progress: Progress, counts: _Counts
) -> Iterator[Difference]:
    for done, work in enumerate(view.at_once(check, parts), 1):
        yield from _some(work.difference)
        counts.entries += work.entries
        counts.made += work.balances
        progress("batches", done / len(parts))


def _some(difference: Difference | None) -> Iterator[Difference]:
    if difference is not None:
        yield difference
