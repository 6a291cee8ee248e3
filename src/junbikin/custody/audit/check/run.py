"""All checks of a pack, in the order in which they rest on each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from decimal import DecimalException
from pathlib import Path

import duckdb
from cryptography.exceptions import InvalidSignature

from junbikin.books.proof.checkpoint import read_checkpoint
from junbikin.custody.audit.check import books, breaks, documents, facts, folder, proofs, samples
from junbikin.custody.audit.check.result import Checked, Outcome, Pack, differs
from junbikin.custody.audit.index import FILE, read_index
from junbikin.errors import BadInput, BooksDamaged
from junbikin.facts.run import Progress
from junbikin.figures import Name

Check = Callable[[Pack, Progress], Iterator[Checked]]
CHECKS: tuple[tuple[Name, Check], ...] = (
    (folder.SIGNATURE, folder.signature),
    (folder.FILES, folder.files),
    (documents.DAYS, documents.days),
    (documents.FIGURES, documents.documents),
    (facts.CHAIN, facts.chain),
    (facts.STATED, facts.statements),
    (facts.INGESTED, facts.ingested),
    (facts.CONTROL, facts.control),
    (books.POINT, books.checkpoint),
    (books.KEPT, books.kept),
    (books.DIGESTS, books.chain),
    (books.ON_RECORD, books.on_record),
    (books.RECONCILED, books.reconciled),
    (breaks.ENDED, breaks.ended),
    (proofs.STATEMENTS, proofs.statements),
    (proofs.CUSTOMER, proofs.of_customers),
    (samples.DRAWS, samples.customers),
    (samples.SUMS, samples.sums),
    (samples.POSTED, samples.postings),
    (samples.BROKEN, samples.broken),
)


def check(
    path: Path, signer: str = "", kept: Sequence[Path] = (), progress: Progress = lambda what, share: None
) -> Iterator[Checked]:
    """What comes of every check, one after the other; a difference stops no other check.

    `signer` is the fingerprint that an auditor holds, `kept` are the checkpoints that they were given before.
    Raises `BadInput` when there is no pack in the folder, and when one of `kept` is no checkpoint.
    """
    for file in kept:
        with suppress(BooksDamaged):  # altered, or by another key: that is a difference
            read_checkpoint(file)
    pack = Pack(path, read_index(path), signer, tuple(kept))
    return (checked for title, work in CHECKS for checked in _made(title, work, pack, progress))


def differing(found: Iterable[Checked]) -> list[Checked]:
    """Those that differ."""
    return [checked for checked in found if checked.outcome is Outcome.DIFFERS]


_UNREADABLE = (
    BadInput, KeyError, TypeError, ValueError, AttributeError, IndexError, OSError, DecimalException, InvalidSignature, duckdb.Error,
)  # fmt: skip


def _made(title: Name, work: Check, pack: Pack, progress: Progress) -> Iterator[Checked]:
    """A check; what cannot be read as what it must be differs."""
    try:
        yield from work(pack, progress)
    except _UNREADABLE as problem:
        where, told = _told(problem)
        yield differs(title, where.removeprefix(f"{pack.folder}/") or FILE, told.en, told.ja)


def _told(problem: Exception) -> tuple[str, Name]:
    """Where something cannot be read, and what is told of it."""
    match problem:
        case FileNotFoundError():
            return str(problem.filename or ""), Name("the file is missing", "ファイルがない")
        case OSError():
            return str(problem.filename or ""), Name(
                f"the file cannot be read: {problem.strerror}", f"ファイルを読み取れない：{problem.strerror}"
            )
        case BadInput():
            where, what = problem.where, problem.what
        case _:
            where, what = "", f"{type(problem).__name__} {problem}".splitlines()[0]
    return where, Name(f"something cannot be read as what it must be: {what}", f"読み取れない：{what}")
