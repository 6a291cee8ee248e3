"""Reconciliations of a period, and every break with how it ended: worked from the records and lists that are in the pack."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from junbikin.calendars import Period
from junbikin.custody.audit.files import File, Missing, copied
from junbikin.custody.audit.index import business_days
from junbikin.custody.audit.reading import records
from junbikin.custody.audit.records import RECORDS, OnRecord
from junbikin.custody.reconcile import listing, recorded
from junbikin.facts.engine import literal
from junbikin.figures import Name
from junbikin.home import Home

FOLDER = "reconciliations"
BREAKS = "breaks.csv"
COLUMNS = (
    "id", "since", "compared", "class", "of", "asset", "source", "expected", "found", "amount", "age_days", "state",
    "last_seen", "last_record", "gone_on", "gone_record",
    "assigned_to", "assigned_by", "assigned_record", "explanation", "explained_by", "explained_record",
    "closed_why", "closed_by", "closed_record",
)  # fmt: skip


def reconciliations(home: Home, period: Period, on_record: list[OnRecord], folder: Path) -> Iterator[File | Missing]:
    """Copies every reconciliation on record of the period, with its list of breaks."""
    for one in on_record:
        if one.kind == recorded.KIND:
            for name, what in (
                (f"{one.as_of}-{one.digest[:16]}.json", Name("reconciliation", "照合")),
                (f"{one.as_of}-{one.list_digest[:16]}.csv", Name("list of breaks", "差異一覧")),
            ):
                source = recorded.folder(home) / name
                if not (folder / FOLDER / name).exists():
                    yield copied(folder, source, f"{FOLDER}/{name}", what) if source.exists() else _not_kept(one, name)
    business = business_days(period)
    there = {one.as_of for one in on_record if one.kind == recorded.KIND}
    lacking = [day for day in business if day not in there]
    if lacking:
        yield Missing(
            f"{FOLDER}: {len(lacking)} of {len(business)} business days",
            Name(
                "no reconciliation of them is on record (`junbikin custody reconcile --record`)",
                "照合の記録がない（`junbikin custody reconcile --record`）",
            ),
        )


def _not_kept(one: OnRecord, name: str) -> Missing:
    return Missing(
        f"{FOLDER}/{name}",
        Name(
            f"record {one.record} names it, and the home no longer has it",
            f"記録{one.record}にあるが、ホームに保存されていない",
        ),
    )


@dataclass(frozen=True, slots=True)
class Listed:
    """The newest reconciliation on record of a day, and its list of breaks in the pack."""

    record: int
    as_of: date
    path: Path


def lists(engine: duckdb.DuckDBPyConnection, folder: Path) -> list[Listed]:
    """The lists of a pack by day, as far as they are in it; a day's newest counts."""
    newest = engine.execute(
        f"SELECT id::BIGINT, (content::JSON->>'as_of')::DATE AS as_of, content::JSON->>'list' FROM {records(folder / RECORDS)} "
        "WHERE kind = 'reconciliation' QUALIFY row_number() OVER (PARTITION BY content::JSON->>'as_of' ORDER BY effective_at DESC, recorded_at DESC) = 1 "
        "ORDER BY as_of"
    ).fetchall()
    paths = ((record, as_of, folder / FOLDER / f"{as_of}-{digest[:16]}.csv") for record, as_of, digest in newest)
    return [Listed(record, as_of, path) for record, as_of, path in paths if path.exists()]


def write_breaks(engine: duckdb.DuckDBPyConnection, folder: Path, target: Path) -> int:
    """Writes each break of a pack, from its first day to its last, with what people did about it. Returns how many there are.

    A break is one from the day `since` on: what is gone and comes again is another. What was done about it counts whenever it
    was done, also after the period.
    """
    found = lists(engine, folder)
    parts = [f"SELECT {number} AS n, * FROM ({listing.read(one.path)})" for number, one in enumerate(found)]
    days = ", ".join(f"({number}, {one.record}, DATE '{one.as_of}')" for number, one in enumerate(found))
    if not found:
        target.write_text(",".join(COLUMNS) + "\n", encoding="utf-8")
        return 0
    amounts = ", ".join(
        f"rtrim(rtrim({name}::VARCHAR, '0'), '.') AS {name}" for name in ("expected", "found", "amount")
    )
    acts = f"""
      SELECT subject AS id, (content::JSON->>'since')::DATE AS since, content::JSON->>'act' AS act, content::JSON->>'to' AS told,
        id AS record, recorded_by, recorded_at, why FROM {records(folder / RECORDS)} WHERE kind = 'break'"""
    by_act = "\n".join(
        f"""LEFT JOIN (SELECT id, since, max_by(told, recorded_at) AS told, max_by(recorded_by, recorded_at) AS person, max_by(why, recorded_at) AS why,
          max_by(record, recorded_at) AS record FROM acts WHERE act = '{act}' GROUP BY ALL) {act} ON {act}.id = l.id AND {act}.since = l.since"""
        for act in ("assign", "explain", "close")
    )
    [(count,)] = engine.execute(f"""
      COPY (
        WITH days(n, record, day) AS (VALUES {days}), acts AS ({acts}),
        last AS (SELECT * FROM ({" UNION ALL ".join(parts)}) QUALIFY row_number() OVER (PARTITION BY id, since ORDER BY n DESC) = 1),
        latest AS (SELECT id, since, max_by(act, recorded_at) AS act FROM acts GROUP BY ALL)
        SELECT l.id, l.since, compared, class, "of", asset, source, {amounts}, d.day - l.since AS age_days,
          CASE WHEN l.n = {len(found) - 1} THEN CASE latest.act WHEN 'assign' THEN 'assigned' WHEN 'explain' THEN 'explained' ELSE 'open' END
            WHEN close.record IS NOT NULL THEN 'closed' ELSE 'gone' END AS state,
          d.day AS last_seen, d.record AS last_record, g.day AS gone_on, g.record AS gone_record,
          assign.told AS assigned_to, assign.person AS assigned_by, assign.record AS assigned_record,
          explain.why AS explanation, explain.person AS explained_by, explain.record AS explained_record,
          close.why AS closed_why, close.person AS closed_by, close.record AS closed_record
        FROM last l JOIN days d ON d.n = l.n LEFT JOIN days g ON g.n = l.n + 1
        LEFT JOIN latest ON latest.id = l.id AND latest.since = l.since
        {by_act}
        ORDER BY l.id, l.since
      ) TO {literal(str(target))} (FORMAT csv, HEADER, DELIMITER ',', QUOTE '"', ESCAPE '"')""").fetchall()
    return int(count)
