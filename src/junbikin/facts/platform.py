"""What customers are told they have: the newest balances of a day on or before `as_of`, and what changed after that day."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from junbikin.facts.engine import literal, parquet
from junbikin.facts.lake import Lake
from junbikin.facts.log import Segment


@dataclass(frozen=True, slots=True)
class Platform:
    """The files that say it. A change is of a day after the `snapshot`'s; what is stated of a day is meant as of its end."""

    facts: Path
    day: date | None
    snapshot: tuple[Segment, ...]
    changes: tuple[Segment, ...]

    @property
    def known(self) -> bool:
        """Whether there is anything."""
        return bool(self.snapshot or self.changes)

    @property
    def digest(self) -> str:
        """SHA-256 of the digests of the files, a line each in order."""
        lines = sorted(segment.sha256 for segment in (*self.snapshot, *self.changes))
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def paths(self, segments: Sequence[Segment]) -> list[str]:
        """Where segments are."""
        return [str(self.facts / segment.file) for segment in segments]


def platform_of(lake: Lake, as_of: date) -> Platform:
    """The platform's side on a day."""
    snapshots = lake.days("customer_balances", end=as_of)
    newest = max(snapshots, default=None)
    changes = [
        segment
        for day, segments in lake.days("balance_changes", end=as_of).items()
        if newest is None or day > newest
        for segment in segments
    ]
    return Platform(
        lake.home.facts,
        date.fromisoformat(newest) if newest else None,
        tuple(snapshots[newest]) if newest else (),
        tuple(changes),
    )


def totals(lake: Lake, as_of: date, at: datetime) -> tuple[date | None, list[tuple[Any, ...]]]:
    """The newest day of which balances or changes are known, and by `at` of each asset how many rows there are and their sum."""
    platform = platform_of(lake, as_of)
    if not platform.changes:
        day = platform.day
        return day, lake.run("balances", lake.days("customer_balances", day, day)) if day else []
    rows = lake.ask(
        f"WITH later AS ({changed(platform, at)}), stood AS ({stated(platform)}) SELECT asset, count(*), sum(quantity) FROM "
        "(SELECT * FROM stood ANTI JOIN later USING (account, asset) UNION ALL SELECT * FROM later) GROUP BY asset"
    )
    newest = max(lake.days("balance_changes", end=as_of))
    return max(platform.day or date.min, date.fromisoformat(newest)), rows


NOTHING = "SELECT NULL::VARCHAR AS account, NULL::VARCHAR AS asset, 0::DECIMAL(38,18) AS quantity WHERE false"


def stated(platform: Platform) -> str:
    """SQL of the balances of the snapshot's day."""
    if not platform.snapshot:
        return NOTHING
    return f"SELECT account_id AS account, asset, quantity FROM {parquet(platform.paths(platform.snapshot))}"


def changed(platform: Platform, at: datetime, keys: str = "") -> str:
    """SQL of the last balance of each account and asset that changed by `at`; of the `keys` of a table only, when one is named."""
    if not platform.changes:
        return NOTHING
    only = f" AND (account_id, asset) IN (SELECT account, asset FROM {keys})" if keys else ""
    return (
        "SELECT account_id AS account, asset, arg_max(quantity, changed_at) AS quantity "
        f"FROM {parquet(platform.paths(platform.changes))} WHERE changed_at <= {moment(at)}{only} GROUP BY ALL"
    )


def moment(at: datetime) -> str:
    """An instant as SQL."""
    return f"TIMESTAMPTZ {literal(at.isoformat())}"
