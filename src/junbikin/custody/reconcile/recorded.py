"""Reconciliations on record: chained into the books, with their lists beside them in the home, by which ages are told."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from junbikin.books.database import Books, telling
from junbikin.books.schema import records
from junbikin.books.worked import put_on_record
from junbikin.custody.reconcile.listing import digest_of
from junbikin.custody.reconcile.moment import Moment
from junbikin.custody.reconcile.reconciliation import Reconciliation
from junbikin.errors import FactsDamaged
from junbikin.home import Home

KIND = "reconciliation"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A reconciliation on record: its record, its day, its digest, and that of its list of breaks."""

    record: int
    as_of: date
    at: datetime
    recorded_at: datetime
    digest: str
    list_digest: str
    breaks: int


def last_before(books: Books, moment: Moment) -> Recorded | None:
    """The last one on record of a time not after a moment's, as known at it."""
    query = _query().where(records.c.effective_at <= moment.at, records.c.recorded_at <= moment.known_at).limit(1)
    with telling(books.home), books.engine.connect() as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else _recorded(row)


def every(books: Books) -> list[Recorded]:
    """All on record, the newest first."""
    with telling(books.home), books.engine.connect() as connection:
        return [_recorded(row) for row in connection.execute(_query())]


def _query() -> Any:
    return (
        select(records.c.id, records.c.effective_at, records.c.recorded_at, records.c.content)
        .where(records.c.kind == KIND, records.c.subject == KIND)
        .order_by(records.c.effective_at.desc(), records.c.recorded_at.desc())
    )


def _recorded(row: Any) -> Recorded:
    says = json.loads(row.content)
    return Recorded(
        row.id, date.fromisoformat(says["as_of"]), row.effective_at, row.recorded_at, says["digest"], says["list"], int(says["breaks"])
    )  # fmt: skip


def folder(home: Home) -> Path:
    """Where recorded reconciliations and their lists are."""
    return home.path / "reconciliations"


def list_path(home: Home, as_of: date, list_digest: str) -> Path:
    """Where the list of breaks with this digest is kept."""
    return folder(home) / f"{as_of}-{list_digest[:16]}.csv"


def list_of(home: Home, recorded: Recorded) -> Path | None:
    """The list of a reconciliation on record, or None when this home does not have it. Raises `FactsDamaged` when it was changed."""
    path = list_path(home, recorded.as_of, recorded.list_digest)
    if not path.exists():
        return None
    if digest_of(path) != recorded.list_digest:
        raise FactsDamaged(
            f"the list of breaks is not the one of record {recorded.record}: it was changed", where=str(path),
            then="restore it from a backup",
        )  # fmt: skip
    return path


IDS_AT_MOST = 10_000
"""Breaks whose ids stand in the record itself; while there are more, none can be shown to be gone, and none is closed."""


def record(books: Books, found: Reconciliation) -> int:
    """Puts a reconciliation on record, with its list and itself kept in the home. Returns the record; the same again gives the same."""
    home = books.home
    listed = list_path(home, found.as_of, found.list_digest)
    listed.parent.mkdir(parents=True, exist_ok=True)
    if digest_of(found.listed) != found.list_digest:
        raise FactsDamaged(
            "the list of breaks was overwritten by a later run",
            where=str(found.listed),
            then="reconcile again, and record that",
        )
    if not listed.exists():
        shutil.copyfile(found.listed, fresh := listed.with_suffix(".new"))
        fresh.replace(listed)
    whole = listed.with_name(f"{found.as_of}-{found.digest[:16]}.json")
    whole.write_bytes(found.canonical)
    content = {
        "as_of": found.as_of.isoformat(),
        "digest": found.digest,
        "list": found.list_digest,
        "breaks": str(found.breaks),
        "classes": _classes(found),
        "facts": found.facts,
        "books": found.books,
        "ids": ids_of(listed) if found.breaks <= IDS_AT_MOST else None,
    }
    [number] = put_on_record(books, KIND, [(KIND, found.at, content)])
    return number


def _classes(found: Reconciliation) -> dict[str, str]:
    """Class → how many breaks are of it."""
    counted: dict[str, int] = {}
    for count in found.counts:
        counted[count.kind] = counted.get(count.kind, 0) + count.count
    return {str(kind): str(number) for kind, number in sorted(counted.items())}


def ids_of(listed: Path) -> list[str]:
    """The ids in a list, in its order."""
    with listed.open(newline="", encoding="utf-8") as stream:
        return [row["id"] for row in csv.DictReader(stream)]
