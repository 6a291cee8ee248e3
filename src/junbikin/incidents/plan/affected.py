"""Who is affected and with how much, as a table of holders in the order of their accounts; from facts, books, a file or disputes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import duckdb

from junbikin.errors import BadInput
from junbikin.figures import Figure, given
from junbikin.figures.amounts import EXACT
from junbikin.findings import Finding
from junbikin.incidents.plan.balances import balances
from junbikin.incidents.plan.booked import at_place, disputed
from junbikin.incidents.plan.entitlements import HOLDERS
from junbikin.incidents.plan.found import Found, Scene
from junbikin.incidents.plan.listed import listed
from junbikin.incidents.plan.rule import Disputed, HoldersAt, HoldersAtPlace, ListedIn, Rule

_ONE = 10**18


@dataclass(frozen=True, slots=True)
class Holders:
    """Who holds the asset: how many, how much in all, and the most that one of them has.

    A holding is `unit` decimals fine as a whole number in the table, and has at most `decimals` that are not 0.
    """

    people: int
    total: Figure
    most: int
    unit: int
    decimals: int
    findings: tuple[Finding, ...]
    disputes: tuple[int, ...] = ()


def gather(scene: Scene, rule: Rule) -> Holders:
    """Makes the table of holders. Raises `BadInput` when it is not known who holds what, or nobody holds anything."""
    found = _found(scene, rule)
    unit, decimals = _tabled(scene.engine, found.rows)
    [(people, most, units)] = scene.engine.execute(f"SELECT count(*), max(units), sum(units) FROM {HOLDERS}").fetchall()
    if not people:
        raise BadInput(
            f"nobody is affected: there is no {found.name.en}", then="look at the rule's asset and time, and ingest the balances of that time"
        )  # fmt: skip
    whole = EXACT.scaleb(Decimal(units), -unit)
    figure = given(whole, rule.affected.asset, found.name, found.source, "plan.holdings")
    return Holders(int(people), figure, int(most), unit, decimals, found.findings, found.disputes)


def _found(scene: Scene, rule: Rule) -> Found:
    match rule.affected:
        case HoldersAt(asset, at):
            return balances(scene.lake, asset, at)
        case ListedIn():
            return listed(scene, rule.affected, rule.shared.how)
        case HoldersAtPlace():
            return at_place(scene, rule.affected)
        case Disputed():
            return disputed(scene, rule.affected)


def _tabled(engine: duckdb.DuckDBPyConnection, rows: str) -> tuple[int, int]:
    """Makes the table, with each holding as a whole number of the finest unit that somebody holds; gives its decimals, and those in use."""
    coarse = "(holding::DECIMAL(28,8) * 100000000::DECIMAL(9,0))::HUGEINT"
    fine = (
        f"floor(holding)::HUGEINT * {_ONE}::HUGEINT "
        f"+ ((holding - floor(holding))::DECIMAL(19,18) * {_ONE}::DECIMAL(19,0))::HUGEINT"
    )
    unit = 8
    _made(engine, rows, coarse)
    [(beyond,)] = engine.execute(f"SELECT count(*) FROM {HOLDERS} WHERE holding::DECIMAL(28,8) <> holding").fetchall()
    if beyond:
        unit = 18
        _made(engine, rows, fine)
    decimals = unit
    while decimals and not _uses(engine, 10 ** (unit - decimals + 1)):
        decimals -= 1
    return unit, decimals


def _made(engine: duckdb.DuckDBPyConnection, rows: str, units: str) -> None:
    engine.execute(
        f"CREATE OR REPLACE TABLE {HOLDERS} AS SELECT account_id, holding, {units} AS units FROM ({rows}) ORDER BY account_id"
    )


def _uses(engine: duckdb.DuckDBPyConnection, step: int) -> bool:
    """Whether some holding is no multiple of so many units; the search ends with the first."""
    return bool(engine.execute(f"SELECT 1 FROM {HOLDERS} WHERE units % {step}::HUGEINT <> 0 LIMIT 1").fetchall())
