"""The index of an audit pack for people: what it holds and lacks, each day's findings, breaks and how they ended, how to check it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from junbikin.custody.audit.breaks import BREAKS, COLUMNS
from junbikin.custody.audit.reading import engine, rows
from junbikin.custody.reconcile.breaks import Kind
from junbikin.custody.reconcile.treated import State
from junbikin.figures import Name
from junbikin.findings import Severity
from junbikin.reports.html import pages

SORTS = {"custody": Name("custody day", "分別管理"), "position": Name("reserve position", "準備金")}
KINDS = {str(kind): kind.words for kind in Kind}
STATES = {str(state): state.words for state in State}
SEVERITIES = {severity.name.lower(): Name(severity.name.lower(), severity.ja) for severity in Severity}


def page_of(index: Mapping[str, Any], folder: Path, limit: int) -> str:
    """The page of a pack that lies in a folder, with the first of its breaks: those standing first, the oldest first."""
    if not (folder / BREAKS).exists():
        return audit_page(index, [], 0)
    standing = "state IN ('open', 'assigned', 'explained')"
    with engine() as working:
        [(count,)] = working.execute(f"SELECT count(*) FROM {rows(folder / BREAKS, COLUMNS)}").fetchall()
        found = working.execute(
            f"SELECT * FROM {rows(folder / BREAKS, COLUMNS)} ORDER BY {standing} DESC, since, id LIMIT {limit}"
        ).fetchall()
    return audit_page(index, [dict(zip(COLUMNS, row, strict=True)) for row in found], count)


def audit_page(index: Mapping[str, Any], breaks: Sequence[Mapping[str, str]], count: int) -> str:
    """The page; `breaks` are the first of `count`, those standing first. It needs no network."""
    files = [(what, list(of)) for what, of in groupby(sorted(index["files"], key=_what), key=_what)]
    days = index["days"]
    return (
        pages()
        .get_template("audit.html.j2")
        .render(
            index=index, files=files, breaks=breaks, count=count, sorts=SORTS, severities=SEVERITIES, lang="en",
            severe={name: _days_with(days, name) for name in reversed(SEVERITIES)}, classes=KINDS, states=STATES,
            empty=[day["day"] for day in days if day["business_day"] and not any(d["kind"] == "custody" for d in day["documents"])],
        )
    )  # fmt: skip


def _days_with(days: Sequence[Mapping[str, Any]], severity: str) -> int:
    """On how many days something so grave was found."""
    return sum(
        any(finding["severity"] == severity for one in day["documents"] for finding in one["findings"]) for day in days
    )


def _what(file: Mapping[str, Any]) -> tuple[str, str]:
    return file["en"], file["ja"]
