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
from junbikin.custody.reconcile.platform import Platform, changed, moment, stated
from junbikin.facts.engine import literal, parquet


def compare(
    engine: duckdb.DuckDBPyConnection, platform: Platform, at: Moment, named: Sequence[str], booked: Booked | None
) -> bool:
    """Makes the totals and `kept.differing` those of a moment, within the caller's transaction. Returns whether it was done in full.

    `named` are the assets that the books keep account by account; `booked` None means that there are no books.
    """
    now = _compared(engine, platform, at, named, booked)
    again = _moved(engine, platform, at, said(engine, "compared"), now, booked)
    if not again:
        _in_full(engine, platform, at, named)
    say(engine, "compared", now)
    return not again


def _compared(
    engine: duckdb.DuckDBPyConnection, platform: Platform, at: Moment, named: Sequence[str], booked: Booked | None
) -> dict[str, Any]:
    """What a comparison was of: kept to know whether the next can start from it."""
    return {
        "snapshot": [segment.sha256 for segment in platform.snapshot],
        "changes": [segment.sha256 for segment in platform.changes],
        "at": at.at.isoformat(),
        "named": list(named),
        "booked": said(engine, "booked") if booked else None,
    }


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


def _moved(
    engine: duckdb.DuckDBPyConnection,
    platform: Platform,
    at: Moment,
    was: dict[str, Any] | None,
    now: dict[str, Any],
    booked: Booked | None,
) -> bool:
    """Brings the last comparison up to date; False when it cannot be started from, or too much moved."""
    if was is None or booked is None or booked.extracted:
        return False
    if any(was[name] != now[name] for name in ("snapshot", "named")) or was["booked"] != booked.was or at.at < _at(was):
        return False
    known = set(was["changes"])
    if not known <= set(now["changes"]):
        return False
    _touch(engine, platform, at, was, known)
    [(count, strange)] = engine.execute(
        f"SELECT count(*), count(*) FILTER (asset NOT IN ({_list([*now['named'], ''])})) FROM touched"
    ).fetchall()
    [(accounts,)] = engine.execute("SELECT coalesce(sum(accounts), 0) FROM kept.platform_totals").fetchall()
    if strange or (count > FEW and count * 20 > accounts):
        return False
    _bring(engine, platform, at)
    return True


def _at(was: dict[str, Any]) -> datetime:
    """The instant that a comparison was of."""
    return datetime.fromisoformat(was["at"])


def _touch(
    engine: duckdb.DuckDBPyConnection, platform: Platform, at: Moment, was: dict[str, Any], known: set[str]
) -> None:
    """Table `touched`: accounts whose balance on the platform may be another than the last time."""
    fresh = [segment for segment in platform.changes if segment.sha256 not in known]
    seen = [segment for segment in platform.changes if segment.sha256 in known]
    parts = ["SELECT NULL::VARCHAR AS account, NULL::VARCHAR AS asset WHERE false"]
    for segments, since in ((fresh, None), (seen, _at(was))):
        if segments and not (since and since >= at.at):
            later = f" AND changed_at > {moment(since)}" if since else ""
            parts.append(
                f"SELECT account_id, asset FROM {parquet(platform.paths(segments))} WHERE changed_at <= {moment(at.at)}{later}"
            )
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE touched AS SELECT DISTINCT account, asset FROM ({' UNION ALL '.join(parts)})"
    )


def _bring(engine: duckdb.DuckDBPyConnection, platform: Platform, at: Moment) -> None:
    engine.execute(
        "CREATE OR REPLACE TEMP TABLE keys AS SELECT coalesce(t.account, m.holder) AS account, coalesce(t.asset, m.asset) AS asset, "
        "coalesce(m.change, 0) AS change, hash(coalesce(t.account, m.holder), coalesce(t.asset, m.asset)) AS h "
        "FROM touched t FULL JOIN moved m ON m.holder = t.account AND m.asset = t.asset"
    )
    # Of an account that did not differ, the platform said the last time what the books said.
    engine.execute(
        "CREATE OR REPLACE TEMP TABLE moving AS SELECT k.account, k.asset, coalesce(p.quantity, k.platform_was) AS platform, k.platform_was, "
        "k.booked, k.booked_was FROM ("
        "SELECT k.account, k.asset, coalesce(o.quantity, b.quantity, 0) AS booked, coalesce(o.quantity, b.quantity, 0) - k.change AS booked_was, "
        "coalesce(d.platform, coalesce(o.quantity, b.quantity, 0) - k.change) AS platform_was FROM keys k "
        "LEFT JOIN kept.overlay o ON o.holder = k.account AND o.asset = k.asset "
        "LEFT JOIN (SELECT holder, asset, quantity, h FROM kept.base WHERE h IN (SELECT h FROM keys)) b "
        "ON b.h = k.h AND b.holder = k.account AND b.asset = k.asset "
        "LEFT JOIN kept.differing d ON d.account = k.account AND d.asset = k.asset) k "
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
        "DELETE FROM kept.differing d USING keys k WHERE d.account = k.account AND d.asset = k.asset; "
        "INSERT INTO kept.differing SELECT account, asset, platform, booked FROM moving WHERE platform <> booked"
    )
