"""What a rulebook says of a day, and what nobody can say because facts of that day were refused when they were ingested."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from junbikin.custody.reconcile.moment import Moment
from junbikin.custody.reconcile.refused import WATCHED, refused
from junbikin.custody.view import CustodyView
from junbikin.facts.engine import connect
from junbikin.facts.lake import Lake
from junbikin.facts.platform import platform_of
from junbikin.figures import Name
from junbikin.findings import Finding, Severity
from junbikin.rulebooks.interface import Check, Lapse
from junbikin.rulebooks.load import Rulebook

RESTS_ON = {
    "held": ("customer_balances", "balance_changes", "holdings"),
    "hot": ("customer_balances", "balance_changes", "holdings"),
    "guarantee": ("holdings",),
    "money": ("customer_balances", "balance_changes", "holdings"),
}
"""The duties that sum rows of facts, and the datasets of those."""


def checks_of(rulebook: Rulebook, view: CustodyView) -> tuple[Check, ...]:
    """Every duty of a rulebook on a day; one that rests on facts of which rows were refused is not known to be kept."""
    checks = rulebook.checks(view)
    rows = refused_rows(view.lake, view.as_of)
    return tuple(
        replace(check, lapses=(*check.lapses, *(_lapse(name, rows[name]) for name in RESTS_ON.get(check.key, ()) if name in rows)))
        for check in checks
    )  # fmt: skip


def refused_rows(lake: Lake, as_of: date) -> dict[str, int]:
    """Dataset → how many rows that count on a day were refused and not mended since; only those that have any."""
    if not any(entry.quarantine for entry in lake.entries if entry.dataset in WATCHED):
        return {}
    end = lake.home.end_of(as_of)
    with connect(lake.home.memory_limit) as engine:
        refused(engine, lake, platform_of(lake, as_of), Moment(as_of, end, end, ()))
        found = engine.execute(
            "SELECT dataset, sum(CASE WHEN account IS NULL THEN counted ELSE 1 END)::BIGINT FROM refused GROUP BY dataset"
        ).fetchall()
    return {dataset: int(count) for dataset, count in found if count}


def _lapse(dataset: str, count: int) -> Lapse:
    return Lapse(
        Finding(
            "rows-not-counted",
            Severity.HOLE,
            Name(
                f"{count:,} row{'s' if count > 1 else ''} of {dataset} {'were' if count > 1 else 'was'} refused: what they say is not counted",
                f"{dataset}の{count:,}行を隔離しており、算入していない",
            ),
            Name(
                f"look at `junbikin facts quarantine {dataset}`, and ingest what is right",
                f"`junbikin facts quarantine {dataset}` を確認し、正しいデータを取り込む",
            ),
        ),
        dataset,
    )
