"""What the books and the registry add to a position's findings: figures that must agree, gaps, and policies that end."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from junbikin.figures import Figure, Name, Rule, given, total
from junbikin.findings import Finding, Severity
from junbikin.reserve.resources import worth
from junbikin.reserve.sources import data_source
from junbikin.reserve.view import FactsView
from junbikin.rulebooks.parameters import Rules

if TYPE_CHECKING:
    from junbikin.reserve.ledger import Ledger


def booked(ledger: Ledger) -> Figure:
    """The booked reserve (責任準備金計上額): set aside, less what was used and released."""
    source = data_source("reserve_entries", f"booked reserve, as of {ledger.as_of}", [ledger.booked])
    name = Name("booked reserve", "責任準備金計上額")
    return given(ledger.booked, ledger.books.home.currency, name, source, "booked")


def behind(view: FactsView) -> tuple[list[tuple[dict[str, Any], Figure]], Figure]:
    """The assets behind it, each row with its worth, and their sum, before any haircut."""
    snapshot = view.snapshot("reserve_assets")
    items = [(row, worth(view, snapshot, row)) for row in snapshot.rows]
    whole = total([figure for _, figure in items], view.currency)
    return items, whole.named("assets", "worth of the reserve assets", "準備金資産の評価額")


def agreement(view: FactsView, ledger: Ledger) -> list[Finding]:
    """The booked reserve and the assets behind it must be the same amount: a finding when they are not."""
    _, assets = behind(view)
    difference = (assets - booked(ledger)).named(
        "assets_less_booked", "reserve assets less booked reserve", "準備金資産−計上額"
    )
    if difference.value is None or difference.value == 0:
        return []
    more = difference.value > 0
    return [
        Finding(
            "booked-differs",
            Severity.NOTICE if more else Severity.WARNING,
            Name(
                "the reserve assets are worth more than the booked reserve"
                if more
                else "the reserve assets are worth less than the booked reserve",
                f"準備金資産の評価額が計上額を{'上回って' if more else '下回って'}いる",
            ),
            Name(
                "book the accrual with `junbikin reserve accrue`, if it is not booked yet" if more else "fund the reserve, or revalue its assets",
                "未計上の積立額があれば `junbikin reserve accrue` で計上する" if more else "準備金を拠出するか、資産を再評価する",
            ),
            Name("FIEA 46-5, 49-5: assets are held for what is set aside", "金商法46条の5・49条の5：積立額に対応する資産を保有する"),
            amount=difference,
        )
    ]  # fmt: skip


def registry_gaps(ledger: Ledger) -> list[Finding]:
    """What the registry lacks beside the books: places not registered then, and claims beyond a policy's aggregate."""
    found = [
        Finding(
            "place-unknown",
            Severity.WARNING,
            Name(
                f"{place} was not registered as a place on {ledger.as_of}: what is held there does not count",
                f"{place}は{ledger.as_of}時点で保管先として登録されておらず、保有分を算入していない",
            ),
            Name(
                "register it from the day since when it is used: junbikin registry set place … --from DAY",
                "使用開始日から保管先を登録する：junbikin registry set place … --from DAY",
            ),
        )
        for place in ledger.unplaced
    ]
    for policy, beyond in ledger.overpaid.items():
        source = data_source("policies", f"paid beyond the aggregate of {policy}, as of {ledger.as_of}", [beyond])
        found.append(
            Finding(
                "policy-overpaid",
                Severity.WARNING,
                Name(f"more was paid out of {policy} than its aggregate", f"{policy}の支払額が限度額を超えている"),
                Name(
                    "undo the wrong claim, or register the policy as it is", "誤った請求を取り消すか、契約を登録し直す"
                ),
                amount=given(beyond, "JPY", Name("paid beyond the aggregate", "限度額超過の支払額"), source),
            )
        )
    return found


def not_read(view: FactsView, ledger: Ledger) -> list[Finding]:
    """Facts ingested from files that are not counted, since the books say the same things."""
    names = [dataset for dataset in ledger.datasets if view.lake.days(dataset, end=view.as_of)]
    if not names:
        return []
    return [
        Finding(
            "facts-not-read",
            Severity.NOTICE,
            Name(
                f"{', '.join(names)}: the books are read; what was ingested from files is not counted",
                f"{'、'.join(names)}：帳簿から算入し、取り込んだファイルは算入していない",
            ),
            Name("post or register what the books still lack", "帳簿にないものを記帳または登録する"),
        )
    ]


def policies_ending(view: FactsView, rules: Rules) -> list[Finding]:
    """Policies that end within the days of notice that the rulebook asks for, or were cancelled."""
    if not rules.has("insurance.notice_days"):
        return []
    notice = rules.integer("insurance.notice_days")
    last = view.as_of + timedelta(days=notice)
    return [
        _ending(row, rules.number("insurance.notice_days"), (row["effective_to"] - view.as_of).days)
        for row in view.snapshot("policies").rows
        if view.as_of <= row["effective_to"] <= last
    ]


def _ending(row: dict[str, Any], notice: Figure, days: int) -> Finding:
    source = notice.source
    return Finding(
        "policy-ends",
        Severity.WARNING,
        Name(
            f"{row['policy_id']} ends on {row['effective_to']}, in {days} days",
            f"{row['policy_id']}は{row['effective_to']}に終了する（残り{days}日）",
        ),
        Name("renew or replace it, and have it approved", "更新するか差し替え、承認を得る"),
        Name(source.citation, source.citation_ja) if isinstance(source, Rule) else None,
        source.provenance if isinstance(source, Rule) else None,
        cure_by=row["effective_to"],
    )
