"""Positions and custody days: every figure's digest worked out again, and what they rest on found in the pack."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from junbikin.calendars import Period
from junbikin.custody.audit.check.facts import Known, known
from junbikin.custody.audit.check.result import Checked, Pack, agrees, differs, unchecked
from junbikin.custody.audit.documents import CUSTODY, POSITION, SORTS, day_of, findings_of
from junbikin.custody.audit.files import plain_json
from junbikin.custody.audit.index import FILE, business_days
from junbikin.custody.verify import read_custody_day
from junbikin.errors import BadInput
from junbikin.facts.run import Progress
from junbikin.figures import Name
from junbikin.reserve.document import read_document

DAYS = Name("every business day is told of", "全営業日の記載")
FIGURES = Name("documents: every figure", "文書：すべての算定値")
WORTH_PROCESSES = 40
"""Documents that take about as long as processes take to start."""
MOST_PROCESSES = 8
FACTS = Name("documents: the facts that they name", "文書：基礎となる事実データ")


def days(pack: Pack, progress: Progress) -> Iterator[Checked]:
    """Whether the index tells of every business day of its period, and of every document in the pack, once."""
    period = Period("", *(date.fromisoformat(pack.index["period"][part]) for part in ("start", "end")))
    told = [date.fromisoformat(day["day"]) for day in pack.index["days"]]
    lacking = sorted(set(business_days(period)) - set(told))
    if lacking:
        yield differs(DAYS, FILE, f"the index does not tell of {lacking[0]}", f"{lacking[0]}の記載がない")
        return
    if told != sorted(set(told)) or any(day not in period for day in told):
        yield differs(DAYS, FILE, "its days are not in order, or not of the period", "日付の順序または期間が不正")
        return
    named = [document["path"] for day in pack.index["days"] for document in day["documents"]]
    there = [path for sort in SORTS for path in pack.below(sort.folder)]
    if sorted(named) != sorted(there):
        [first, *_] = sorted(set(named) ^ set(there)) or named
        yield differs(
            DAYS, first, "the days of the index and the documents are not the same", "目次の日付と文書が一致しない"
        )
        return
    empty = sum(not any(one["kind"] == CUSTODY.kind for one in day["documents"]) for day in pack.index["days"] if day["business_day"])  # fmt: skip
    if empty:
        yield unchecked(
            DAYS, f"{empty} of {len(told)} business days have no custody day: what stood then cannot be checked",
            f"{len(told)}日中{empty}日は判定がなく、検証できない", len(told),
        )  # fmt: skip
    else:
        yield agrees(DAYS, len(told))


@dataclass(frozen=True, slots=True)
class _Read:
    """What came of reading a document: what is wrong with it, how many figures it has, and which facts it rests on."""

    path: str
    wrong: Name | None
    figures: int = 0
    head: str = ""
    sources: tuple[tuple[str, str, str], ...] = ()
    """Dataset, SHA-256 and name of each file."""


@dataclass(frozen=True, slots=True)
class _Told:
    """What the index tells of a document."""

    folder: Path
    operator: str
    day: str
    says: dict[str, Any]


def documents(pack: Pack, progress: Progress) -> Iterator[Checked]:
    """Reads every document whole: its figures, what the index says of it, and what it says that it rests on."""
    told = [
        _Told(pack.folder, pack.index["operator"], day["day"], one)
        for day in pack.index["days"]
        for one in day["documents"]
    ]
    if not told:
        yield unchecked(FIGURES, "the pack has no documents", "文書が含まれていない")
        return
    log, figures = known(pack), 0
    astray: tuple[str, Name] | None = None
    with _workers(len(told)) as each:
        for done, read in enumerate(each(_read, told), 1):
            if read.wrong is not None:
                yield differs(FIGURES, read.path, read.wrong.en, read.wrong.ja, done - 1)
                return
            figures += read.figures
            if log is not None and astray is None:
                astray = next(((read.path, what) for what in _astray(read, log)), None)
            progress("documents", done / len(told))
    yield agrees(FIGURES, figures, Name(f"in {len(told)} documents", f"{len(told)}文書"))
    if log is None:
        yield unchecked(FACTS, "the log of the facts is broken", "事実データの記録が壊れている")
    elif astray is not None:
        yield differs(FACTS, astray[0], astray[1].en, astray[1].ja)
    else:
        yield agrees(FACTS, len(told))


@contextmanager
def _workers(count: int) -> Iterator[Callable[[Callable[[_Told], _Read], list[_Told]], Iterable[_Read]]]:
    """Works over documents in order: on every core when they are many."""
    processes = min(os.cpu_count() or 1, MOST_PROCESSES)
    if count < WORTH_PROCESSES or processes < 2:
        yield map
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        try:
            yield lambda work, items: pool.map(work, items, chunksize=4)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _read(told: _Told) -> _Read:
    path = told.says["path"]
    try:
        return _found(told)
    except BadInput as problem:
        return _Read(path, Name(problem.what, problem.what))


def _found(told: _Told) -> _Read:
    one = told.says
    sort = next(sort for sort in SORTS if sort.kind == one["kind"])
    content = plain_json(told.folder / one["path"])
    document = _READERS[sort.kind](content)
    worst, findings = findings_of(content, sort)
    says = {
        "kind": sort.kind, "rulebook": document.rulebook, "digest": content["digest"], "path": one["path"], "record": one["record"],
        "worst": worst, "findings": list(findings),
    }  # fmt: skip
    if says != one or day_of(content, sort).isoformat() != told.day:
        return _Read(one["path"], Name("the index says something else of it", "目次の記載と一致しない"))
    if document.body["operator"] != told.operator:
        return _Read(one["path"], Name("it is of another operator", "別の事業者の文書である"))
    sources = tuple((source["dataset"], source["sha256"], source["file"]) for source in content["facts"]["sources"])
    return _Read(one["path"], None, len(document.figures), content["facts"]["head"], sources)


_READERS = {CUSTODY.kind: read_custody_day, POSITION.kind: read_document}


def _astray(read: _Read, log: Known) -> Iterator[Name]:
    if read.head not in log.heads:
        yield Name(
            f"it rests on facts of the head {read.head}, which the log never had",
            f"記録にない末尾{read.head}に基づいている",
        )
    for dataset, sha256, file in read.sources:
        if (dataset, sha256) not in log.sources:
            yield Name(f"it rests on {file}, which the log never took in", f"記録にない{file}に基づいている")
