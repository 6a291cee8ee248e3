"""What figures rest on: the log of the facts, the statements of chain, bank and trust, the files that they came in, and proofs of control."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from junbikin.calendars import Period
from junbikin.custody.audit.files import File, Missing, copied, listed, written
from junbikin.custody.audit.reading import engine
from junbikin.custody.evidence.ingested import FOLDER, kept_of
from junbikin.errors import FactsDamaged
from junbikin.facts.datasets import DATASETS
from junbikin.facts.engine import identifier, literal, parquet
from junbikin.facts.lake import Lake
from junbikin.facts.run import Progress
from junbikin.figures import Name

LOG = "facts/log.jsonl"
STATEMENTS = "facts/statements.csv"
EVIDENCE = "evidence"
SENT = f"{EVIDENCE}/{FOLDER}"
"""Files of statements as they were sent, and ingested."""
CHALLENGES = "challenges"

_NAMED = DATASETS["statements"]


def facts(lake: Lake, period: Period, folder: Path, progress: Progress) -> Iterator[File | Missing]:
    """The whole chained log as the lake was read, and the statements of the period.

    Raises `FactsDamaged` when a file of the lake that holds statements is not the one that the log recorded.
    """
    yield written(
        folder,
        LOG,
        b"".join(entry.line + b"\n" for entry in lake.entries),
        Name("log of the facts", "事実データの記録"),
    )
    lake.check_files({"statements"})
    days = lake.days("statements", period.start, period.end)
    paths = [str(lake.home.facts / segment.file) for segments in days.values() for segment in segments]
    if not paths:
        yield Missing(
            STATEMENTS, Name("the facts have no statements of these days", "この期間の残高証明が取り込まれていない")
        )
        return
    columns = ", ".join(_column(name, kind) for name, kind in _NAMED.stored)
    key = ", ".join(identifier(name) for name in _NAMED.key)
    with engine(lake.home.memory_limit) as working:
        working.execute(
            f"COPY (SELECT {columns} FROM (SELECT * FROM {parquet(paths)} ORDER BY {key})) TO {literal(str(folder / STATEMENTS))} "
            "(FORMAT csv, HEADER, DELIMITER ',', QUOTE '\"', ESCAPE '\"')"
        )
        numbers = {number for (number,) in working.execute(f"SELECT DISTINCT file_no FROM {parquet(paths)}").fetchall()}
    yield listed(folder, STATEMENTS, Name("statements of chain, bank and trust", "残高証明"))
    yield from _sent(lake, numbers, folder)
    progress("facts", 1.0)


def _sent(lake: Lake, numbers: set[int], folder: Path) -> Iterator[File | Missing]:
    """The files that statements came in, by the numbers of the log; those that we made of what nodes said are with the evidence."""
    digests = sorted(s.sha256 for entry in lake.entries for s in entry.sources if s.number in numbers)
    lost = 0
    for sha256 in digests:
        path = kept_of(lake.home, sha256)
        if path is None:
            lost += not any((lake.home.path / EVIDENCE).glob(f"*/statements-{sha256[:16]}.csv"))
            continue
        file = copied(folder, path, f"{SENT}/{path.name}", Name("statements as they were sent", "残高証明の原本"))
        if file.sha256 != sha256:
            raise FactsDamaged(
                "this is not the file that was ingested: it was changed",
                where=str(path),
                then="restore it from a backup",
            )
        yield file
    if lost:
        yield Missing(
            SENT, Name(f"{lost} of {len(digests)} files that statements of these days came in were not kept",
                       f"この期間の残高証明の原本{len(digests)}件中{lost}件は保存されていない"),
        )  # fmt: skip


def _column(name: str, kind: str) -> str:
    if kind.startswith("DECIMAL"):
        return f"rtrim(rtrim({name}::VARCHAR, '0'), '.') AS {name}"
    if kind == "TIMESTAMPTZ":
        return f"strftime({name} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ') AS {name}"
    return identifier(name)


def evidence(home_path: Path, period: Period, folder: Path, progress: Progress) -> Iterator[File | Missing]:
    """The files of evidence of the days of the period, and every proof that an address is under the operator's control."""
    root = home_path / EVIDENCE
    paths = [path for path in sorted(root.rglob("*")) if path.is_file() and _of(path.relative_to(root), period)]
    for done, path in enumerate(paths, 1):
        yield copied(
            folder, path, f"{EVIDENCE}/{path.relative_to(root).as_posix()}", Name("file of evidence", "証跡ファイル")
        )
        progress("copying evidence", done / len(paths))
    if not paths:
        yield Missing(
            EVIDENCE, Name("no file of evidence of these days was kept", "この期間の証跡ファイルは保存されていない")
        )
    proved = home_path / CHALLENGES / "proved"
    proofs = sorted(proved.glob("*.json"))
    for path in proofs:
        yield copied(
            folder,
            path,
            f"{CHALLENGES}/proved/{path.name}",
            Name("proof of control of an address", "アドレス支配の証明"),
        )
    if not proofs:
        yield Missing(CHALLENGES, Name("control of no address was proved", "アドレス支配の証明がない"))


def _of(path: Path, period: Period) -> bool:
    day = path.parts[0]
    return (
        bool(re.fullmatch(r"\d{4}-\d{2}-\d{2}", day)) and date.fromisoformat(day) in period and path.suffix != ".half"
    )
