"""Positions and custody days of a period, as they were kept when they were made: a pack makes up no day afterwards."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import rfc8785

from junbikin.calendars import Period
from junbikin.custody import archive as custody_days
from junbikin.custody.audit.files import File, Missing, copied, plain_json
from junbikin.custody.audit.index import Said, business_days
from junbikin.custody.audit.records import OnRecord
from junbikin.custody.day import FORMAT as CUSTODY_FORMAT
from junbikin.errors import PositionProblem
from junbikin.facts.run import Progress
from junbikin.figures import Name
from junbikin.findings import Severity
from junbikin.home import Home
from junbikin.reserve.position import FORMAT as POSITION_FORMAT


@dataclass(frozen=True, slots=True)
class Sort:
    """A sort of document: its kind on record, where packs have it, its format, and the part that its digest covers."""

    kind: str
    folder: str
    format: str
    body: str
    what: Name


CUSTODY = Sort("custody", "custody", CUSTODY_FORMAT, "custody", Name("custody day", "分別管理の日次判定"))
POSITION = Sort("position", "positions", POSITION_FORMAT, "position", Name("reserve position", "責任準備金ポジション"))
SORTS = (CUSTODY, POSITION)

_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})-.+-[0-9a-f]{12}\.json")


def kept_in(home: Home, sort: Sort) -> Path:
    """Where a home keeps documents of a sort."""
    return custody_days.folder(home) if sort is CUSTODY else home.positions


def documents(
    home: Home, period: Period, records: Sequence[OnRecord] | None, folder: Path, progress: Progress
) -> Iterator[File | Missing | Said]:
    """Copies every document of the period, and names those that are on record and no longer kept, and days without one.

    `records` is None for a home without books. Raises `PositionProblem` for a document that was altered.
    """
    for sort in SORTS:
        numbers = {one.digest: one.record for one in records or () if one.kind == sort.kind}
        paths = [path for path in sorted(kept_in(home, sort).glob("*.json")) if _of(path, period)]
        days, found = set[date](), set[str]()
        for done, path in enumerate(paths, 1):
            content = _read(path, sort)
            target = f"{sort.folder}/{path.name}"
            said = _said(content, sort, target, numbers.get(content["digest"]))
            days.add(said.day)
            found.add(said.digest)
            yield copied(folder, path, target, sort.what)
            yield said
            progress(f"copying {sort.folder}", done / len(paths))
        yield from _not_kept(sort, records or (), found)
        yield from _without(sort, period, days)


def _of(path: Path, period: Period) -> bool:
    name = _NAME.fullmatch(path.name)
    return name is not None and date.fromisoformat(name[1]) in period


def _read(path: Path, sort: Sort) -> dict[str, Any]:
    try:
        content = plain_json(path)
        whole = content["format"] == sort.format and body_digest(content, sort) == content["digest"]
    except (ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        raise PositionProblem(
            "the document is not what its digest says: it was altered", where=str(path),
            then="restore it from a backup; nothing was packed",
        )  # fmt: skip
    return dict(content)


def body_digest(content: dict[str, Any], sort: Sort) -> str:
    """The digest of what a document says."""
    return hashlib.sha256(rfc8785.dumps(content[sort.body])).hexdigest()


def _said(content: dict[str, Any], sort: Sort, path: str, record: int | None) -> Said:
    return Said(day_of(content, sort), sort.kind, rulebook_of(content, sort), content["digest"], path, record, *findings_of(content, sort))  # fmt: skip


def day_of(content: dict[str, Any], sort: Sort) -> date:
    """The day of a document."""
    return date.fromisoformat(content[sort.body]["as_of"])


def rulebook_of(content: dict[str, Any], sort: Sort) -> str:
    """The rulebook of a document."""
    return str(content[sort.body]["rulebook"]["id"])


def findings_of(content: dict[str, Any], sort: Sort) -> tuple[str | None, tuple[dict[str, Any], ...]]:
    """The gravest severity of a document, and its findings as the index has them."""
    body = content[sort.body]
    groups = [duty["findings"] for duty in body["duties"]] + [body["beside"]] if sort is CUSTODY else [body["findings"]]
    found = [_finding(finding) for group in groups for finding in group]
    worst = max((Severity[finding["severity"].upper()] for finding in found), default=None)
    return worst.name.lower() if worst else None, tuple(found)


def _finding(finding: dict[str, Any]) -> dict[str, Any]:
    return {
        "code": finding["code"],
        "subject": finding.get("subject", ""),
        "severity": finding["severity"],
        "en": finding["what"]["en"],
        "ja": finding["what"]["ja"],
        "since": finding.get("since"),
        "cure_by": finding["cure_by"],
    }


def _not_kept(sort: Sort, records: Sequence[OnRecord], found: set[str]) -> Iterator[Missing]:
    for one in records:
        if one.kind == sort.kind and one.digest not in found:
            yield Missing(
                f"{sort.folder}/{one.as_of}-{one.subject}-{one.digest[:12]}.json",
                Name(
                    f"on record as {one.record}, and no longer kept in the home",
                    f"記録{one.record}にあるが、ホームに保存されていない",
                ),
            )


def _without(sort: Sort, period: Period, days: set[date]) -> Iterator[Missing]:
    business = business_days(period)
    lacking = [day for day in business if day not in days]
    if lacking:
        yield Missing(
            f"{sort.folder}: {len(lacking)} of {len(business)} business days",
            Name(
                f"nothing was kept of {_some(lacking)}; a pack makes up no day afterwards",
                f"{_some(lacking)}の記録が保存されていない（事後に作成はしない）",
            ),
        )


def _some(days: Sequence[date]) -> str:
    return ", ".join(map(str, days[:3])) + (" …" if len(days) > 3 else "")
