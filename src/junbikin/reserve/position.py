"""The position: requirement, resources, surplus or shortfall, and findings, of one day under one rulebook."""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

import rfc8785

from junbikin import __version__
from junbikin.calendars import business_days_after
from junbikin.errors import RulebookProblem
from junbikin.facts.lake import Lake
from junbikin.figures import Data, Figure, Name, Provenance, Rule, to_table
from junbikin.findings import Finding, Severity
from junbikin.reserve.health import findings_on
from junbikin.reserve.resources import Item, Resources, resources
from junbikin.reserve.view import FactsView
from junbikin.rulebooks.interface import Outcome
from junbikin.rulebooks.load import Rulebook
from junbikin.rulebooks.parameters import Rules

FORMAT = "junbikin-position-1"


@dataclass(frozen=True)
class Position:
    """What one operator must hold, holds and lacks on a day. `gap` is resources less requirement."""

    operator: str
    invented: bool
    as_of: date
    rulebook: Rulebook
    head: str
    requirement: Figure
    resources: Resources
    gap: Figure
    steps: tuple[Figure, ...]
    findings: tuple[Finding, ...]
    evidence: tuple[dict[str, Any], ...]
    volumes: tuple[tuple[str, str, Decimal], ...]

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Every root figure, in reading order."""
        items = (*self.resources.assets, *self.resources.policies)
        amounts = tuple(f.amount for f in self.findings if f.amount is not None)
        roots = (self.requirement, self.resources.total, self.gap, *self.steps)
        return (*roots, *(i.worth for i in items), *(i.counted for i in items), *amounts)

    @property
    def provenances(self) -> list[Provenance]:
        """What the requirement and resources rest on, strongest first."""
        return provenances(self.gap)

    @property
    def holes(self) -> tuple[Figure, ...]:
        """What could not be known."""
        return self.gap.holes

    @property
    def verdict(self) -> Name:
        """The answer in two words."""
        return verdict(self.gap)

    @cached_property
    def body(self) -> dict[str, Any]:
        """What the digest covers: the same facts under the same rulebook give the same body on every machine."""
        return {
            "operator": self.operator,
            "invented": self.invented,
            "as_of": self.as_of.isoformat(),
            "rulebook": {"id": self.rulebook.id, "status": self.rulebook.status, "digest": self.rulebook.digest},
            "requirement": self.requirement.digest,
            "resources": self.resources.total.digest,
            "gap": self.gap.digest,
            "steps": [figure.digest for figure in self.steps],
            "assets": [_item(item) for item in self.resources.assets],
            "policies": [_item(item) for item in self.resources.policies],
            "findings": [_finding(finding) for finding in self.findings],
        }

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical body."""
        return hashlib.sha256(rfc8785.dumps(self.body)).hexdigest()

    def document(self) -> dict[str, Any]:
        """The whole position as JSON: body, figures, and the evidence behind them. Amounts are strings."""
        return {
            "format": FORMAT,
            "made_by": f"junbikin {__version__}",
            "digest": self.digest,
            "summary": summary(self.requirement, self.resources.total, self.gap),
            "position": self.body,
            "figures": to_table(self.figures),
            "facts": {"head": self.head, "sources": list(self.evidence)},
        }


def provenances(figure: Figure) -> list[Provenance]:
    """What a figure rests on, strongest first."""
    return [provenance for provenance in Provenance if provenance in figure.provenances]


def verdict(gap: Figure) -> Name:
    """What a gap means, in two words."""
    if gap.value is None:
        return Name("undetermined", "判定不能")
    word = ("shortfall", "不足") if gap.value < 0 else ("surplus", "余剰")
    return Name(*word) if not gap.holes else Name(f"{word[0]}, incomplete", f"{word[1]}（一部不明）")


def summary(requirement: Figure, resources: Figure, gap: Figure) -> dict[str, Any]:
    """The answer in plain JSON, all of it derived from the figures; amounts are strings."""
    return {
        "requirement": requirement.node["value"],
        "resources": resources.node["value"],
        "gap": gap.node["value"],
        "currency": str(requirement.unit),
        "verdict": verdict(gap).en,
        "provenance": [str(provenance) for provenance in provenances(gap)],
        "complete": not gap.holes,
    }


def _item(item: Item) -> dict[str, Any]:
    return {
        "id": item.id,
        "kind": item.kind,
        "place": item.place,
        "worth": item.worth.digest,
        "counted": item.counted.digest,
        "refused": [_words(why) for why in item.refused],
        "limits": [_words(why) for why in item.limits],
    }


def _words(name: Name) -> dict[str, str]:
    return {"en": name.en, "ja": name.ja}


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity.name.lower(),
        "what": _words(finding.what),
        "next": _words(finding.then),
        "citation": _words(finding.citation) if finding.citation else None,
        "provenance": str(finding.provenance) if finding.provenance else None,
        "amount": finding.amount.digest if finding.amount else None,
        "cure_by": finding.cure_by.isoformat() if finding.cure_by else None,
    }


def assess(lake: Lake, rulebook: Rulebook, as_of: date, view: FactsView | None = None) -> Position:
    """The position of a day. Raises `ParameterMissing` when the rulebook lacks a number it needs.

    `view` may be shared between rulebooks, so that facts are read once.
    """
    view = view or FactsView(lake, as_of)
    rules = rulebook.on(as_of)
    outcome = _outcome(rulebook, view, rules)
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
        evidence=_evidence(lake, used),
        volumes=_volumes(view),
    )


def _outcome(rulebook: Rulebook, view: FactsView, rules: Rules) -> Outcome:
    """What the formula says; what goes wrong inside a formula is told with its line, as the rulebook's problem."""
    try:
        return rulebook.formula(view, rules)
    except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as problem:
        last = traceback.extract_tb(problem.__traceback__)[-1]
        raise RulebookProblem(
            f"{rulebook.id}: the formula failed: {type(problem).__name__}: {problem}",
            where=f"{last.filename}, line {last.lineno}",
            then="correct the formula",
        ) from problem


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


def _evidence(lake: Lake, used: set[str]) -> tuple[dict[str, Any], ...]:
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


def worst(positions: Sequence[Position]) -> Severity | None:
    """The gravest severity among the findings of some positions."""
    return max((finding.severity for p in positions for finding in p.findings), default=None)
