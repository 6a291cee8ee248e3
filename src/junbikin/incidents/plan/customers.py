"""Which accounts are customers', by all the balances and changes that are known, and by the books."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
from sqlalchemy import select

from junbikin.books.database import telling
from junbikin.books.schema import accounts
from junbikin.facts.engine import parquet
from junbikin.incidents.plan.found import Scene

_DATASETS = ("customer_balances", "balance_changes")
_AT_A_TIME = 10_000


@dataclass(frozen=True, slots=True)
class Strangers:
    """Accounts that are no customer's: the first of them, and how many there are."""

    first: str
    count: int


def strangers(scene: Scene, table: str, order: str) -> Strangers | None:
    """Those of the accounts in a table (column `account_id`, in the `order` of another) that no balance, change or account in the books names.

    None when there is none of them, or when no balance is known at all.
    """
    newest, before = _files(scene)
    if not newest:
        return None
    scene.engine.execute(f"CREATE OR REPLACE TABLE work.stranger AS SELECT {order} AS place, account_id FROM {table}")
    for files in (newest, before):
        if files and _left(scene.engine):
            scene.engine.execute(
                "CREATE OR REPLACE TABLE work.met AS SELECT DISTINCT account_id "
                f"FROM {parquet(files)} SEMI JOIN work.stranger USING (account_id)"
            )
            scene.engine.execute("DELETE FROM work.stranger WHERE account_id IN (SELECT account_id FROM work.met)")
    if _left(scene.engine):
        _without_booked(scene)
    return _left(scene.engine)


def _left(engine: duckdb.DuckDBPyConnection) -> Strangers | None:
    [(count, first)] = engine.execute("SELECT count(*), arg_min(account_id, place) FROM work.stranger").fetchall()
    return Strangers(str(first), int(count)) if count else None


def _without_booked(scene: Scene) -> None:
    """Takes those out for whom the books have an account, so many at a time."""
    booked = select(accounts.c.holder).where(accounts.c.owner == "customer")
    looked_at = scene.engine.cursor().execute("SELECT account_id FROM work.stranger ORDER BY place")
    while rows := looked_at.fetchmany(_AT_A_TIME):
        query = booked.where(accounts.c.holder.in_([account for (account,) in rows])).distinct()
        with telling(scene.books.home), scene.books.engine.connect() as connection:
            there = list(connection.scalars(query))
        scene.engine.execute("DELETE FROM work.stranger WHERE account_id IN (SELECT unnest(?::VARCHAR[]))", [there])


def known_at_all(scene: Scene) -> bool:
    """Whether any balance or change is known."""
    return bool(_files(scene)[0])


def _files(scene: Scene) -> tuple[list[str], list[str]]:
    """The files of the newest day of each dataset, which name nearly everybody, and those of the days before."""
    newest: list[str] = []
    before: list[str] = []
    for dataset in _DATASETS:
        days = sorted(scene.lake.days(dataset).items(), reverse=True)
        for place, (_, segments) in enumerate(days):
            (before if place else newest).extend(str(scene.lake.home.facts / segment.file) for segment in segments)
    return newest, before
