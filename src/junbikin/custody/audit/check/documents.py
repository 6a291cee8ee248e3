"""Positions and custody days: every figure's digest worked out again, and what they rest on found in the pack."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from junbikin.calendars import Period
from junbikin.custody.audit.check.facts import Known, known
from junbikin.custody.audit.check.result import Checked, Pack, agrees, differs, unchecked
from junbikin.custody.audit.documents import CUSTODY, SORTS, Sort, body_digest, day_of, findings_of, rulebook_of
from junbikin.custody.audit.files import plain_json
from junbikin.custody.audit.index import FILE, business_days
from junbikin.errors import BadInput
from junbikin.facts.run import Progress
from junbikin.figures import Name, all_from_table
from junbikin.reserve.document import read_document

DAYS = Name("every business day is told of", "全営業日の記載")
FIGURES = Name("documents: every figure", "文書：すべての算定値")
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
            DAYS, f"of {empty} of {len(told)} days the pack has no custody day: what stood then cannot be checked",
            f"{len(told)}日中{empty}日は判定がなく、検証できない", len(told),
        )  # fmt: skip
    else:
        yield agrees(DAYS, len(told))


@dataclass(slots=True)
class _Seen:
    """What was met on the way."""

    documents: int = 0
    figures: int = 0
    astray: list[tuple[str, Name]] = field(default_factory=list)


def documents(pack: Pack, progress: Progress) -> Iterator[Checked]:
    """Reads every document whole: its figures, what the index says of it, and what it says that it rests on."""
    log, seen = known(pack), _Seen()
    told = [(day["day"], one) for day in pack.index["days"] for one in day["documents"]]
    for done, (day, one) in enumerate(told, 1):
        try:
            wrong = _document(pack, day, one, log, seen)
        except BadInput as problem:
            wrong = Name(problem.what, problem.what)
        if wrong is not None:
            yield differs(FIGURES, one["path"], wrong.en, wrong.ja, done - 1)
            return
        progress("documents", done / len(told))
    if not told:
        yield unchecked(FIGURES, "the pack has no documents", "文書が含まれていない")
        return
    yield agrees(FIGURES, seen.figures, Name(f"in {seen.documents} documents", f"{seen.documents}文書"))
    if log is None:
        yield unchecked(FACTS, "the log of the facts is broken", "事実データの記録が壊れている")
    elif seen.astray:
        where, what = seen.astray[0]
        yield differs(FACTS, where, what.en, what.ja)
    else:
        yield agrees(FACTS, seen.documents)


def _document(pack: Pack, day: str, one: dict[str, Any], log: Known | None, seen: _Seen) -> Name | None:
    """What is wrong with a document, or None."""
    sort = next(sort for sort in SORTS if sort.kind == one["kind"])
    content = plain_json(pack.folder / one["path"])
    if content["format"] != sort.format or body_digest(content, sort) != content["digest"]:
        return Name("it is not what its digest says: it was altered", "要約値と一致しない：改変されている")
    worst, findings = findings_of(content, sort)
    says = {
        "kind": sort.kind, "rulebook": rulebook_of(content, sort), "digest": content["digest"], "path": one["path"], "record": one["record"],
        "worst": worst, "findings": list(findings),
    }  # fmt: skip
    if says != one or day_of(content, sort).isoformat() != day:
        return Name("the index says something else of it", "目次の記載と一致しない")
    if content[sort.body]["operator"] != pack.index["operator"]:
        return Name("it is of another operator", "別の事業者の文書である")
    seen.figures += _figures(content, sort)
    seen.documents += 1
    if log is not None and not seen.astray:
        seen.astray += ((one["path"], what) for what in _astray(content, log))
    return None


def _figures(content: dict[str, Any], sort: Sort) -> int:
    """How many figures a document has, each restored and held against its digest. Raises `PositionProblem` when one does not hold."""
    if sort is not CUSTODY:
        return len(read_document(content).figures)
    figures = all_from_table(content["figures"])
    lost = sorted(set(_named(content[sort.body])) - figures.keys())
    if lost:
        raise BadInput(f"the figure {lost[0][:12]} is missing", then="ask for the whole document")
    return len(figures)


def _named(body: dict[str, Any]) -> Iterator[str]:
    """The figures that a custody day names by digest."""
    for duty in body["duties"]:
        yield from duty["steps"]
    for finding in (
        finding for group in (*(duty["findings"] for duty in body["duties"]), body["beside"]) for finding in group
    ):
        if finding["amount"] is not None:
            yield finding["amount"]


def _astray(content: dict[str, Any], log: Known) -> Iterator[Name]:
    head = content["facts"]["head"]
    if head not in log.heads:
        yield Name(
            f"it rests on facts of the head {head}, which the log never had", f"記録にない末尾{head}に基づいている"
        )
    for source in content["facts"]["sources"]:
        if (
            not re.fullmatch(r"[0-9a-f]{64}", source["sha256"])
            or (source["dataset"], source["sha256"]) not in log.sources
        ):
            yield Name(
                f"it rests on {source['file']}, which the log never took in",
                f"記録にない{source['file']}に基づいている",
            )
