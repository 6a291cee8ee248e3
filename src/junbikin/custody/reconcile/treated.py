"""What people do about breaks: assign, explain, close; and every break on record with what became of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import duckdb
import rfc8785
from sqlalchemy import select

from junbikin.books.database import Books, telling
from junbikin.books.journal import Actor
from junbikin.books.schema import records
from junbikin.custody.reconcile.breaks import Break, Compared, Kind
from junbikin.custody.reconcile.listing import NO_ROW, read
from junbikin.custody.reconcile.recorded import Recorded, every, list_of
from junbikin.errors import BooksRefused
from junbikin.facts.engine import connect, literal
from junbikin.figures import Name


class State(StrEnum):
    """How far a break is. OPEN, ASSIGNED and EXPLAINED are in the newest reconciliation on record; GONE and CLOSED are not."""

    OPEN = "open"
    ASSIGNED = "assigned"
    EXPLAINED = "explained"
    GONE = "gone"
    CLOSED = "closed"

    @property
    def words(self) -> Name:
        """What it is called."""
        ja = {"open": "未対応", "assigned": "担当者あり", "explained": "説明済", "gone": "解消", "closed": "完了"}
        return Name(self.value, ja[self.value])


STANDING = (State.OPEN, State.ASSIGNED, State.EXPLAINED)


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that somebody did about a break: assign (to somebody), explain or close, and the reason given."""

    record: int
    act: str
    by: str
    at: datetime
    why: str
    to: str


@dataclass(frozen=True, slots=True)
class Episode:
    """A break from the day it appeared to the last on which it was seen on record, with what was done about it, oldest first."""

    of: Break
    last_seen: date
    state: State
    acts: tuple[Act, ...]

    @property
    def assigned_to(self) -> str:
        """Who looks at it, or ""."""
        return next((act.to for act in reversed(self.acts) if act.act == "assign"), "")

    @property
    def explanation(self) -> str:
        """Why it is there, as last said, or ""."""
        return next((act.why for act in reversed(self.acts) if act.act == "explain"), "")


@dataclass(frozen=True, slots=True)
class Episodes:
    """Breaks on record: how many there are of those asked for, and the first of them, those standing first and oldest first.

    `as_of` is the day of the newest reconciliation on record (None: there is none), `missing` the records whose list is not in
    this home.
    """

    as_of: date | None
    count: int
    first: tuple[Episode, ...]
    missing: tuple[int, ...]


def treat(books: Books, who: Actor, break_id: str, act: str, why: str, to: str = "") -> int:
    """Puts on record what somebody does about a break. Returns the record. Raises `BooksRefused` in the books' own words."""
    of = episode(books, break_id).of
    content = {"act": act, "since": of.since.isoformat()} | ({"to": to} if act == "assign" else {})
    return int(books.call("treat_break", who.name, who.secret, of.id, why, rfc8785.dumps(content).decode()))


def episode(books: Books, break_id: str) -> Episode:
    """The newest episode of a break. Raises `BooksRefused` when there is no such break on record, `BadInput` when an id is cut short
    so that several begin like it."""
    found = episodes(books, tuple(State), limit=2, only=break_id).first
    if not found:
        raise BooksRefused(f"there is no break {break_id} on record", then="see `junbikin custody breaks`")
    if len({each.of.id for each in found}) > 1:
        raise BooksRefused(
            f"several breaks begin with {break_id}", then="give more of its id, as `junbikin custody breaks` shows it"
        )
    return found[0]


def episodes(
    books: Books,
    states: Sequence[State] = STANDING,
    limit: int | None = None,
    kind: str = "",
    only: str = "",
    start: date = date.min,
) -> Episodes:
    """Breaks on record in some states, of one class when one is named, with ids that begin with `only`, last seen since `start`."""
    recorded = _newest_of_days(every(books))
    if not recorded:
        return Episodes(None, 0, (), ())
    needed = recorded if set(states) & {State.GONE, State.CLOSED} else recorded[:1]
    lists = [(each, list_of(books.home, each)) for each in needed]
    acts = _acts(books)
    engine = connect(books.home.memory_limit)
    try:
        _seen(engine, [(each.as_of, path) for each, path in lists if path], recorded[0].as_of, acts)
        among = ", ".join(literal(state) for state in states)
        where = (
            f"WHERE state IN ({among}) AND starts_with(id, {literal(only)}) AND last_seen >= DATE {literal(start.isoformat())}"
            + (f" AND class = {literal(kind)}" if kind else "")
        )
        [(count,)] = engine.execute(f"SELECT count(*) FROM seen {where}").fetchall()
        rows = engine.execute(
            'SELECT compared, class, "of", asset, source, expected, found, since, last_seen, state FROM seen '
            f"{where} ORDER BY last_seen DESC, since, id" + (f" LIMIT {limit}" if limit is not None else "")
        ).fetchall()
    finally:
        engine.close()
    found = []
    for compared, of_kind, *rest, last_seen, state in rows:
        each = Break(Compared(compared), Kind(of_kind), *rest)
        found.append(Episode(each, last_seen, State(state), tuple(acts.get((each.id, each.since), ()))))
    return Episodes(recorded[0].as_of, count, tuple(found), tuple(each.record for each, path in lists if path is None))


def _newest_of_days(recorded: Sequence[Recorded]) -> list[Recorded]:
    """Of each day the one that is newest, the newest day first."""
    found: dict[date, Recorded] = {}
    for each in recorded:
        found.setdefault(each.as_of, each)
    return list(found.values())


def _seen(
    engine: duckdb.DuckDBPyConnection,
    lists: Sequence[tuple[date, Path]],
    newest: date,
    acts: dict[tuple[str, date], list[Act]],
) -> None:
    """Table `seen`: every break of some lists as it was last seen, with its state."""
    parts = [f"SELECT *, DATE {literal(day.isoformat())} AS day FROM ({read(path)})" for day, path in lists]
    parts.append(f"SELECT {NO_ROW}, NULL::DATE AS day WHERE false")
    engine.execute("CREATE TEMP TABLE done (id VARCHAR, since DATE, act VARCHAR, closed BOOLEAN)")
    if acts:
        engine.executemany(
            "INSERT INTO done VALUES ($1, $2, $3, $4)",
            [
                [id_, since, said[-1].act, any(act.act == "close" for act in said)]
                for (id_, since), said in acts.items()
            ],
        )
    every_row = " UNION ALL ".join(parts)
    engine.execute(
        f"CREATE TEMP TABLE seen AS SELECT l.*, l.day AS last_seen, CASE WHEN l.day = DATE {literal(newest.isoformat())} "
        "THEN CASE d.act WHEN 'assign' THEN 'assigned' WHEN 'explain' THEN 'explained' ELSE 'open' END "
        "WHEN d.closed THEN 'closed' ELSE 'gone' END AS state "
        f"FROM (SELECT * FROM ({every_row}) QUALIFY row_number() OVER (PARTITION BY id, since ORDER BY day DESC) = 1) l LEFT JOIN done d USING (id, since)"
    )


def _acts(books: Books) -> dict[tuple[str, date], list[Act]]:
    """(break, since) → what was done about it, oldest first."""
    query = (
        select(
            records.c.id,
            records.c.subject,
            records.c.recorded_by,
            records.c.recorded_at,
            records.c.why,
            records.c.content,
        )
        .where(records.c.kind == "break")
        .order_by(records.c.recorded_at)
    )
    found: dict[tuple[str, date], list[Act]] = {}
    with telling(books.home), books.engine.connect() as connection:
        for row in connection.execute(query):
            says: dict[str, Any] = json.loads(row.content)
            act = Act(row.id, says["act"], row.recorded_by, row.recorded_at, row.why, says.get("to", ""))
            found.setdefault((row.subject, date.fromisoformat(says["since"])), []).append(act)
    return found
