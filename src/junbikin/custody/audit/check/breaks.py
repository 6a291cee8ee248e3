"""Breaks: how each ended, worked again from the lists and from what people put on record."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory

from junbikin.custody.audit.breaks import BREAKS, COLUMNS, write_breaks
from junbikin.custody.audit.check.result import Checked, Pack, agrees, differs, unchecked
from junbikin.custody.audit.reading import engine, rows
from junbikin.custody.audit.records import RECORDS
from junbikin.facts.run import Progress
from junbikin.figures import Name

ENDED = Name("breaks and how they ended", "差異とその顛末")
CLOSED = Name("closed breaks", "完了した差異")


def ended(pack: Pack, progress: Progress) -> Iterator[Checked]:
    """Whether the list says what lists and records give, and nothing was closed against the rules."""
    if not pack.has(BREAKS) or not pack.has(RECORDS):
        yield unchecked(ENDED, "the pack has no breaks", "差異が含まれていない")
        return
    with engine() as working, TemporaryDirectory(prefix="junbikin-") as scratch:
        again = Path(scratch) / "breaks.csv"
        count = write_breaks(working, pack.folder, again)
        different = first_difference(pack.folder / BREAKS, again)
        if different:
            yield differs(
                ENDED,
                BREAKS,
                f"lists and records give another line than {different}",
                f"一覧と記録から再計算した結果と異なる：{different}",
            )
            return
        yield agrees(ENDED, count)
        wrong = working.execute(
            f"SELECT id FROM {rows(again, COLUMNS)} WHERE closed_record <> '' AND (gone_on = '' OR explained_by = '' OR explained_by = closed_by) LIMIT 1"
        ).fetchall()
        [(closed,)] = working.execute(f"SELECT count(*) FROM {rows(again, COLUMNS)} WHERE state = 'closed'").fetchall()
    if wrong:
        yield differs(
            CLOSED, BREAKS, f"{wrong[0][0]} was closed while it was there, without an explanation, or by who explained it",
            f"{wrong[0][0]}は、解消前・説明なし・説明者本人のいずれかで完了とされている",
        )  # fmt: skip
    else:
        yield agrees(CLOSED, closed)


def first_difference(one: Path, other: Path) -> str:
    """The first line of a file that is not the other's, shortened; "" when they are the same."""
    with one.open(encoding="utf-8", errors="replace") as ours, other.open(encoding="utf-8") as theirs:
        for line, again in zip_longest(ours, theirs, fillvalue=""):
            if line != again:
                return repr(line.rstrip("\n")[:200] or f"(no line) where {again.rstrip()[:200]} belongs")
    return ""
