"""Making a pack: every part in turn, each file with its digest and each gap with its reason; whole or not at all."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from junbikin.books.database import Books, open_books
from junbikin.books.journal import known_now
from junbikin.books.proof.digests import instant
from junbikin.calendars import Period
from junbikin.custody.audit import breaks, evidence, proofs, samples
from junbikin.custody.audit.documents import documents
from junbikin.custody.audit.files import File, Missing, listed, written
from junbikin.custody.audit.index import FILE, PAGE, Said, Sampling, content, signed
from junbikin.custody.audit.reading import engine
from junbikin.custody.audit.records import OF_DAYS, RECORDS, Standing, checkpoint, on_record, standing, write_records
from junbikin.errors import BadInput
from junbikin.facts.lake import Lake, open_lake
from junbikin.facts.run import Progress
from junbikin.figures import Name
from junbikin.home import Home

Part = File | Missing | Said
Page = Callable[[dict[str, Any], Path], str]
"""Makes the index for people, from the index and the folder."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for: of which days, with which samples, signed with which key, with every record of the books or not."""

    home: Home
    period: Period
    sampling: Sampling | None
    key: Ed25519PrivateKey | None
    whole_log: bool


def pack(order: Order, target: Path, page: Page, progress: Progress = lambda what, share: None) -> dict[str, Any]:
    """Makes a pack as a new folder, and returns its index.

    Raises `BadInput` when something of the name is there already or cannot be made, and what is raised when facts, documents or
    books are found altered: then there is no folder.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise BadInput("there is something of this name already", where=str(target), then="name a new folder")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    except OSError as problem:
        raise BadInput(
            f"the folder cannot be made: {problem.strerror}", where=str(target), then="name a folder that can be written"
        ) from None  # fmt: skip
    try:
        index = _packed(order, folder, page, progress)
        if target.exists():
            target.rmdir()
        folder.rename(target)
    except OSError as problem:
        shutil.rmtree(folder, ignore_errors=True)
        raise BadInput(
            f"the pack cannot be written: {problem.strerror}", where=problem.filename or str(target), then="make room there, or name another folder",
        ) from problem  # fmt: skip
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return index


def _packed(order: Order, folder: Path, page: Page, progress: Progress) -> dict[str, Any]:
    made_at = instant(datetime.now(UTC))
    parts: list[Part] = []
    if order.home.has_books:
        with open_books(order.home) as books:
            stands, lake = _with_books(order, books, folder, parts, progress)
    else:
        stands, lake = None, _without_books(order, folder, parts, progress)
    if order.key is None:
        parts.append(
            Missing(
                "signature",
                Name("there is no signing key (`junbikin books key`)", "署名鍵がない（`junbikin books key`）"),
            )
        )
    says = stands.document(whole=order.whole_log) if stands else None
    unsigned = content(order.home, order.period, made_at, order.sampling, lake.head, says, parts)
    parts.append(written(folder, PAGE, page(unsigned, folder).encode(), Name("the index for people", "目次（閲覧用）")))
    index = signed(content(order.home, order.period, made_at, order.sampling, lake.head, says, parts), order.key)
    (folder / FILE).write_text(json.dumps(index, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return index


def _with_books(
    order: Order, books: Books, folder: Path, parts: list[Part], progress: Progress
) -> tuple[Standing, Lake]:
    """The books as they stand now, whatever is recorded meanwhile; the log of the facts after the documents that name its heads."""
    home, period = order.home, order.period
    progress("reading the books", 0.0)
    known_at, stands = known_now(books), standing(books, order.key, folder)
    parts.append(checkpoint(folder))
    said = on_record(books, stands, OF_DAYS, period)
    parts += documents(home, period, said, folder, progress)
    parts += breaks.reconciliations(home, period, said, folder)
    lake = open_lake(home)
    parts += _evidence(order, lake, folder, progress)
    progress("reading the books", 0.5)
    parts += write_records(books, stands, period, folder, whole=order.whole_log)
    parts += _breaks(order, folder)
    if order.sampling is None:
        parts.append(samples.no_seed())
        return stands, lake
    progress("drawing samples", 0.0)
    for part in samples.customers(lake, period, order.sampling, folder):
        if not isinstance(part, samples.Drawn):
            parts.append(part)
            continue
        parts += samples.booked(books, period, known_at, part, folder)
        parts += proofs.of_customers(home, part, folder, progress)
    parts += samples.postings(books, stands, period, order.sampling, folder)
    return stands, lake


def _without_books(order: Order, folder: Path, parts: list[Part], progress: Progress) -> Lake:
    parts += documents(order.home, order.period, None, folder, progress)
    lake = open_lake(order.home)
    parts += _evidence(order, lake, folder, progress)
    why = Name("this home has no books", "このホームには帳簿がない")
    parts += [Missing(part, why) for part in (RECORDS, breaks.FOLDER, breaks.BREAKS)]
    if order.sampling is None:
        parts.append(samples.no_seed())
        return lake
    for part in samples.customers(lake, order.period, order.sampling, folder):
        parts += proofs.of_customers(order.home, part, folder, progress) if isinstance(part, samples.Drawn) else [part]
    parts += [Missing(part, why) for part in (samples.BOOKED, samples.POSTINGS)]
    return lake


def _evidence(order: Order, lake: Lake, folder: Path, progress: Progress) -> Iterator[Part]:
    yield from evidence.facts(lake, order.period, folder, progress)
    yield from evidence.evidence(order.home.path, order.period, folder, progress)
    yield from proofs.statements(order.home, order.period, folder)


def _breaks(order: Order, folder: Path) -> Iterator[Part]:
    with engine(order.home.memory_limit) as working:
        count = breaks.write_breaks(working, folder, folder / breaks.BREAKS)
        yield listed(folder, breaks.BREAKS, Name("breaks and how they ended", "差異とその顛末"))
        if order.sampling is None:
            return
        if not count:
            yield Missing(samples.BREAKS, Name("there was no break in the period", "期中の差異はない"))
            return
        samples.write_breaks(working, folder, order.sampling, folder / samples.BREAKS)
        yield listed(folder, samples.BREAKS, Name("breaks drawn", "抽出した差異"))
