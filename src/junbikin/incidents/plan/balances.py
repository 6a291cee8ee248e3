"""Who held an asset at an instant, by customers' balances and what changed since."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from junbikin.errors import BadInput
from junbikin.facts.engine import literal
from junbikin.facts.lake import Lake
from junbikin.facts.platform import Platform, changed, platform_of, stated
from junbikin.figures import Data, Name
from junbikin.findings import Finding, Severity
from junbikin.incidents.plan.found import Found


def balances(lake: Lake, asset: str, at: datetime) -> Found:
    """Every customer who held the asset. Raises `BadInput` when what they held is not known."""
    platform = _platform(lake, at)
    if not platform.known:
        raise BadInput(
            f"what customers held at {at.isoformat()} is not known: no customer_balances of a day before it, and no balance_changes",
            then="ingest the customer_balances of the day, or of an earlier one with the balance_changes since",
        )
    lake.check_segments((*platform.snapshot, *platform.changes))
    rows = (
        f"WITH later AS ({changed(platform, at)}), stood AS ({stated(platform)}) SELECT account AS account_id, quantity AS holding "
        "FROM (SELECT * FROM stood ANTI JOIN later USING (account, asset) UNION ALL SELECT * FROM later) "
        f"WHERE asset = {literal(asset)} AND quantity > 0"
    )
    query = f"{asset} by account at {at.isoformat()}: balances of {platform.day} and changes since"
    name = Name(f"{asset} held by customers at {at.isoformat()}", f"{at.isoformat()}の利用者の{asset}残高")
    return Found(rows, Data("customer_balances", query, platform.digest), name, _doubts(lake, platform, at))


def _platform(lake: Lake, at: datetime) -> Platform:
    """What is known of balances at an instant. Balances of a day are those of its end, so the day itself counts from its last second on."""
    day = at.astimezone(lake.home.time_zone).date()
    if at >= lake.home.end_of(day).replace(microsecond=0):
        return platform_of(lake, day)
    stood = platform_of(lake, day - timedelta(days=1))
    today = [segment for found in lake.days("balance_changes", day, day).values() for segment in found]
    return replace(stood, changes=(*stood.changes, *today))


def _doubts(lake: Lake, platform: Platform, at: datetime) -> tuple[Finding, ...]:
    found = []
    day = at.astimezone(lake.home.time_zone).date()
    if platform.day is None or (not platform.changes and (day - platform.day).days > lake.home.snapshot_max_age_days):
        what = Name(
            f"balances are of {platform.day or 'no day'}, and {'no change' if platform.day else 'only changes'} since is known",
            f"残高は{platform.day or '—'}時点で、その後の変動の記録が{'ない' if platform.day else 'あるのみ'}",
        )
        then = Name("ingest the balances of the day before", "前日の残高を取り込む")
        found.append(Finding("balances-old", Severity.WARNING, what, then))
    datasets = ("customer_balances", "balance_changes")
    refused = sum(s.quarantined for e in lake.entries if e.dataset in datasets for s in e.sources)
    if refused:
        found.append(
            Finding(
                "rows-refused",
                Severity.WARNING,
                Name(
                    f"{refused:,} rows of balances were refused: whoever stands in them may be missing",
                    f"残高の{refused:,}行を隔離している：対象者が漏れている可能性がある",
                ),
                Name("look at `junbikin facts quarantine` and ingest a corrected file", "`junbikin facts quarantine` を確認する"),
            )
        )  # fmt: skip
    return tuple(found)
