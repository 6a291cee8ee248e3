"""Accounts on both sides: totals by asset, and every account whose two balances differ. In full, or only what moved.

Sums are plain scans, so that the one join carries no more than what differs out of it. What moved is worked from what is known of
the last time: an account that did not differ then had one balance on both sides, which the books' side has.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import duckdb

from junbikin.custody.reconcile.booked import BOOKED, FEW, Booked
from junbikin.custody.reconcile.kept import QUANTITY, said, say
from junbikin.custody.reconcile.moment import Moment
from junbikin.facts.engine import literal, parquet
from junbikin.facts.platform import Platform, changed, moment, stated


def touch(engine: duckdb.DuckDBPyConnection, platform: Platform, at: Moment) -> None:
    """Table `touched` (account, asset): accounts whose balance on the platform may be another than the last time; empty when that
    cannot be told."""
    engine.execute("CREATE OR REPLACE TEMP TABLE touched (account VARCHAR, asset VARCHAR)")
    was = said(engine, "compared")
    if was is None or not _follows(was, platform, at):
        return
    known, before = set(was["changes"]), datetime.fromisoformat(was["at"])
    fresh = [segment for segment in platform.changes if segment.sha256 not in known]
    seen = [segment for segment in platform.changes if segment.sha256 in known and before < at.at]
    parts = [
        f"SELECT account_id AS account, asset FROM {parquet(platform.paths(segments))} WHERE changed_at <= {moment(at.at)}{later}"
        for segments, later in ((fresh, ""), (seen, f" AND changed_at > {moment(before)}"))
        if segments
    ]
    if parts:
        engine.execute(f"INSERT INTO touched SELECT DISTINCT account, asset FROM ({' UNION ALL '.join(parts)})")


def _follows(was: dict[str, Any], platform: Platform, at: Moment) -> bool:
    """Whether the platform's side is what it was the last time and what changed since."""
    snapshot, changes = _files(platform)
    return (
        bool(was["snapshot"] == snapshot)
        and set(was["changes"]) <= set(changes)
        and datetime.fromisoformat(was["at"]) <= at.at
    )


def _files(platform: Platform) -> tuple[list[str], list[str]]:
    return [segment.sha256 for segment in platform.snapshot], [segment.sha256 for segment in platform.changes]


def compare(
    engine: duckdb.DuckDBPyConnection, platform: Platform, at: Moment, named: Sequence[str], booked: Booked | None
) -> bool:
    """Makes the totals and `kept.differing` those of a moment, within the caller's transaction. Returns whether it was done in full.

    `named` are the assets that the books keep account by account; `booked` None means that there are no books. `touch` and
    `bring_up` have been called.
    """
    was = said(engine, "compared")
    again = (
        was is not None
        and booked is not None
        and booked.was is not None
        and booked.was == was["booked"]
        and was["named"] == list(named)
        and _follows(was, platform, at)
        and _few(engine, named)
    )
    if again:
        _bring(engine, platform, at, named)
    else:
        _in_full(engine, platform, at, named)
    snapshot, changes = _files(platform)
    now = said(engine, "booked") if booked else None
    say(
        engine,
        "compared",
        {"snapshot": snapshot, "changes": changes, "at": at.at.isoformat(), "named": list(named), "booked": now},
    )
    return not again


def _few(engine: duckdb.DuckDBPyConnection, named: Sequence[str]) -> bool:
    """Whether what moved is little enough to be looked at account by account, and of assets that are compared so."""
    [(count, strange)] = engine.execute(
        f"SELECT count(*), count(*) FILTER (asset NOT IN ({_list([*named, ''])})) FROM touched"
    ).fetchall()
    [(accounts,)] = engine.execute("SELECT coalesce(sum(accounts), 0) FROM kept.platform_totals").fetchall()
    return not strange and not (count > FEW and count * 20 > accounts)


def _in_full(engine: duckdb.DuckDBPyConnection, platform: Platform, at: Moment, named: Sequence[str]) -> None:
    engine.execute(f"CREATE OR REPLACE TEMP TABLE latest AS {changed(platform, at.at)}")
    [(overlaid,)] = engine.execute("SELECT count(*) FROM latest").fetchall()
    told = stated(platform)
    if overlaid:
        told = f"SELECT * FROM ({told}) ANTI JOIN latest USING (account, asset) UNION ALL BY NAME SELECT * FROM latest"
    totals = "SELECT asset, count(*) FILTER (quantity <> 0), sum(quantity) FROM ({}) GROUP BY asset"
    engine.execute(f"CREATE OR REPLACE TEMP VIEW told AS {told}")
    engine.execute(f"CREATE OR REPLACE TEMP VIEW owed AS {_owed(engine)}")
    engine.execute(f"DELETE FROM kept.platform_totals; INSERT INTO kept.platform_totals {totals.format('FROM told')}")
    engine.execute(f"DELETE FROM kept.booked_totals; INSERT INTO kept.booked_totals {totals.format('FROM owed')}")
    engine.execute("DELETE FROM kept.differing")
    if not named:
        return
    [(all_named,)] = engine.execute(
        f"SELECT count(*) = 0 FROM kept.platform_totals WHERE asset NOT IN ({_list(named)})"
    ).fetchall()
    only = "" if all_named else f" WHERE asset IN ({_list(named)})"
    engine.execute(
        "INSERT INTO kept.differing SELECT account, asset, coalesce(p.quantity, 0), coalesce(b.quantity, 0) "
        f"FROM (FROM told{only}) p FULL JOIN owed b USING (account, asset) WHERE coalesce(p.quantity, 0) <> coalesce(b.quantity, 0)"
    )


def _owed(engine: duckdb.DuckDBPyConnection) -> str:
    [(laid,)] = engine.execute("SELECT count(*) FROM kept.overlay").fetchall()
    return BOOKED if laid else "SELECT holder AS account, asset, quantity FROM kept.base"


def _list(words: Sequence[str]) -> str:
    return ", ".join(literal(word) for word in words)


def _bring(engine: duckdb.DuckDBPyConnection, platform: Platform, at: Moment, named: Sequence[str]) -> None:
    # Of an account that did not differ, the platform said the last time what the books said.
    engine.execute(
        "CREATE OR REPLACE TEMP TABLE moving AS SELECT k.account, k.asset, coalesce(p.quantity, k.platform_was) AS platform, k.platform_was, "
        "k.booked, k.booked_was FROM (SELECT s.holder AS account, s.asset, s.quantity AS booked, s.quantity - s.change AS booked_was, "
        "coalesce(d.platform, s.quantity - s.change) AS platform_was FROM standing s "
        "LEFT JOIN kept.differing d ON d.account = s.holder AND d.asset = s.asset) k "
        f"LEFT JOIN ({changed(platform, at.at, 'touched')}) p ON p.account = k.account AND p.asset = k.asset"
    )
    for table, count, side in (("platform_totals", "accounts", "platform"), ("booked_totals", "holders", "booked")):
        engine.execute(
            f"CREATE OR REPLACE TEMP TABLE summed AS SELECT asset, sum({count}) AS {count}, sum(quantity)::{QUANTITY} AS quantity FROM ("
            f"SELECT asset, {count}, quantity FROM kept.{table} UNION ALL "
            f"SELECT asset, ({side} <> 0)::INTEGER - ({side}_was <> 0)::INTEGER, {side} - {side}_was FROM moving) GROUP BY asset; "
            f"DELETE FROM kept.{table}; INSERT INTO kept.{table} SELECT asset, {count}, quantity FROM summed"
        )
    engine.execute(
        "DELETE FROM kept.differing d USING moving m WHERE d.account = m.account AND d.asset = m.asset; "
        "INSERT INTO kept.differing SELECT account, asset, platform, booked FROM moving WHERE platform <> booked "
        f"AND asset IN ({_list([*named, ''])})"
    )
