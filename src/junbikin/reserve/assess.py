"""Assess: from facts and a rulebook to a position with its findings and evidence."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from junbikin.calendars import business_days_after
from junbikin.facts.lake import Lake
from junbikin.figures import Data, Figure, Name, Rule
from junbikin.findings import Finding, Severity
from junbikin.reserve.agreement import agreement, not_read, policies_ending, registry_gaps
from junbikin.reserve.health import findings_on
from junbikin.reserve.position import Position
from junbikin.reserve.resources import Resources, resources
from junbikin.reserve.view import FactsView
from junbikin.rulebooks.load import Rulebook
from junbikin.rulebooks.parameters import Rules

if TYPE_CHECKING:
    from junbikin.reserve.ledger import Ledger


def assess(lake: Lake, rulebook: Rulebook, as_of: date, view: FactsView | None = None) -> Position:
    """The position of a day. Raises `ParameterMissing` when the rulebook lacks a number it needs.

    `view` may be shared between rulebooks, so that facts are read once.
    """
    view = view or FactsView(lake, as_of)
    rules = rulebook.on(as_of)
    outcome = rulebook.outcome(view)
    held = resources(view, rules, outcome.requirement)
    gap = (held.total - outcome.requirement).named("gap", "surplus or shortfall", "余剰・不足")
    roots = (outcome.requirement, held.total, gap, *outcome.steps)
    used = {f.source.dataset for root in roots for f in root.walk() if isinstance(f.source, Data)}
    used |= {"reserve_assets"} if held.assets else set()
    used |= {"policies"} if held.policies else set()
    years = [view.fiscal_year(back) for back in range(3)]
    found = [
        *_shortfall(view, rules, gap),
        *_holes(gap),
        *outcome.findings,
        *_refusals(held),
        *policies_ending(view, rules),
        *(_of_books(view, view.ledger) if view.ledger else ()),
        *findings_on(view, used, years),
    ]
    found.sort(key=lambda finding: -finding.severity)
    return Position(
        operator=lake.home.operator,
        invented=lake.home.invented,
        as_of=as_of,
        rulebook=rulebook,
        head=lake.head,
        requirement=outcome.requirement,
        resources=held,
        gap=gap,
        steps=outcome.steps,
        findings=tuple(found),
        evidence=evidence(lake, used - set(view.ledger.datasets if view.ledger else ())),
        known_at=view.ledger.known_at if view.ledger else None,
        volumes=_volumes(view),
    )


def _of_books(view: FactsView, ledger: Ledger) -> list[Finding]:
    return agreement(view, ledger) + registry_gaps(ledger) + not_read(view, ledger)


def _shortfall(view: FactsView, rules: Rules, gap: Figure) -> list[Finding]:
    if gap.value is None or gap.value >= 0:
        return []
    cure = rules.number("cure_business_days")
    source = cure.source
    return [
        Finding(
            "shortfall",
            Severity.BREACH,
            Name("resources are below the requirement", "充当可能財源が要積立額を下回っている"),
            Name("add eligible reserve assets or approved insurance", "適格な準備金資産または承認済み保険を追加する"),
            Name(source.citation, source.citation_ja) if isinstance(source, Rule) else None,
            source.provenance if isinstance(source, Rule) else None,
            amount=gap,
            cure_by=business_days_after(view.as_of, rules.integer("cure_business_days")),
        )
    ]


def _holes(gap: Figure) -> list[Finding]:
    return [
        Finding(
            "unknown",
            Severity.HOLE,
            figure.note or figure.name,
            Name(
                "ingest what is missing; the position counts only what is known",
                "不足データを取り込む（判明分のみ算入）",
            ),
        )
        for figure in gap.holes
    ]


def _refusals(held: Resources) -> list[Finding]:
    return [
        Finding(
            "asset-refused" if item in held.assets else "policy-refused",
            Severity.WARNING,
            Name(
                f"{item.id} does not count: {'; '.join(why.en for why in item.refused)}",
                f"{item.id}は算入しない：{'、'.join(why.ja for why in item.refused)}",
            ),
            Name("cure it, or replace it", "是正するか、差し替える"),
            amount=item.worth,
        )
        for item in (*held.assets, *held.policies)
        if item.refused
    ]


def evidence(lake: Lake, used: set[str]) -> tuple[dict[str, Any], ...]:
    """The files behind the datasets used, by name and digest, in order of name so that the order of ingest shows nowhere."""
    found = {
        (entry.dataset, source.sha256): {
            "dataset": entry.dataset,
            "file": source.name,
            "sha256": source.sha256,
            "mapping": entry.mapping,
            "read": source.read,
            "accepted": source.accepted,
            "duplicate": source.duplicate,
            "quarantined": source.quarantined,
        }
        for entry in reversed(lake.entries)
        if entry.dataset in used
        for source in entry.sources
    }
    return tuple(sorted(found.values(), key=lambda file: (file["dataset"], file["file"], file["sha256"])))


def _volumes(view: FactsView) -> tuple[tuple[str, str, Decimal], ...]:
    """(day, line, volume) of trades quoted in the home's currency, for the chart."""
    return tuple((v.day, v.line, v.notional) for v in view.day_volumes if v.quote == view.currency)
