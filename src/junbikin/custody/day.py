"""The custody day: every duty of a rulebook on one day, what lapsed, since when, and by when it must be cured."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

import rfc8785

from junbikin import __version__
from junbikin.custody.memory import Memory
from junbikin.custody.view import CustodyView
from junbikin.errors import ParameterMissing
from junbikin.figures import Data, Figure, Name, to_table
from junbikin.findings import Finding, Severity
from junbikin.reserve.assess import evidence
from junbikin.reserve.health import findings_on
from junbikin.rulebooks.duties import cure_by, cured_under
from junbikin.rulebooks.interface import Check
from junbikin.rulebooks.load import Rulebook

FORMAT = "junbikin-custody-1"


@dataclass(frozen=True, slots=True)
class Duty:
    """One duty as it was kept on the day: its figures in reading order, and its findings, gravest first.

    `told`, `against` and `looked_at` are those of its `Check`: how it stands in a figure or two.
    """

    key: str
    name: Name
    steps: tuple[Figure, ...]
    findings: tuple[Finding, ...]
    told: tuple[Figure, ...] = ()
    against: Figure | None = None
    looked_at: Name | None = None

    @property
    def verdict(self) -> Name:
        """The answer in a word."""
        worst = max((finding.severity for finding in self.findings), default=Severity.NOTICE)
        return {Severity.BREACH: Name("breach", "違反"), Severity.HOLE: Name("unknown", "不明"), Severity.WARNING: Name("warning", "注意")}.get(
            worst, Name("kept", "適正")
        )  # fmt: skip


@dataclass(frozen=True)
class CustodyDay:
    """Every duty of one operator on one day under one rulebook. `known_at` is of the books, where there are any.
    `beside` are findings on the facts themselves.
    """

    operator: str
    invented: bool
    as_of: date
    rulebook: Rulebook
    head: str
    duties: tuple[Duty, ...]
    beside: tuple[Finding, ...]
    evidence: tuple[dict[str, Any], ...]
    known_at: datetime | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding, gravest first, then by the day by which it must be cured."""
        found = [finding for duty in self.duties for finding in duty.findings] + list(self.beside)
        return tuple(sorted(found, key=lambda finding: (-finding.severity, finding.cure_by or date.max)))

    @property
    def worst(self) -> Severity | None:
        """The gravest; None when there is nothing to find."""
        return max((finding.severity for finding in self.findings), default=None)

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Every root figure, in reading order."""
        steps = [step for duty in self.duties for step in duty.steps]
        return (*steps, *(finding.amount for finding in self.findings if finding.amount is not None))

    def figure(self, key: str) -> Figure | None:
        """The figure of that code name, or None."""
        return next((figure for root in self.figures for figure in root.walk() if figure.key == key), None)

    @cached_property
    def body(self) -> dict[str, Any]:
        """What the digest covers: the same facts under the same rulebook give the same body on every machine."""
        return {
            "operator": self.operator,
            "invented": self.invented,
            "as_of": self.as_of.isoformat(),
            "rulebook": {"id": self.rulebook.id, "status": self.rulebook.status, "digest": self.rulebook.digest},
            "duties": [
                {
                    "key": duty.key,
                    "name": _words(duty.name),
                    "verdict": duty.verdict.en,
                    "steps": [step.digest for step in duty.steps],
                    "findings": [_finding(finding) for finding in duty.findings],
                }
                for duty in self.duties
            ],
            "beside": [_finding(finding) for finding in self.beside],
        }

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical body."""
        return hashlib.sha256(rfc8785.dumps(self.body)).hexdigest()

    def document(self) -> dict[str, Any]:
        """The whole day as JSON: body, figures, and the evidence behind them. Amounts are strings."""
        known_at = self.known_at.astimezone(UTC).isoformat() if self.known_at else None
        return {
            "format": FORMAT,
            "made_by": f"junbikin {__version__}",
            "digest": self.digest,
            "custody": self.body,
            "figures": to_table(self.figures),
            "facts": {"head": self.head, "sources": list(self.evidence), "books_known_at": known_at},
        }


def _words(name: Name) -> dict[str, str]:
    return {"en": name.en, "ja": name.ja}


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity.name.lower(),
        "what": _words(finding.what),
        "then": _words(finding.then),
        "citation": _words(finding.citation) if finding.citation else None,
        "provenance": str(finding.provenance) if finding.provenance else None,
        "amount": finding.amount.digest if finding.amount else None,
        "since": finding.since.isoformat() if finding.since else None,
        "cure_by": finding.cure_by.isoformat() if finding.cure_by else None,
        "cure_provenance": str(finding.cure_provenance) if finding.cure_provenance else None,
    }


def judge(rulebook: Rulebook, view_on: Callable[[date], CustodyView], as_of: date, memory: Memory) -> CustodyDay:
    """The custody day of `as_of`. Raises `ParameterMissing` when the rulebook lacks a number it needs."""
    view = view_on(as_of)
    checks = rulebook.checks(view)
    since = _since(rulebook, view_on, as_of, checks, memory)
    duties = tuple(_duty(check, since) for check in checks)
    used = {
        f.source.dataset for duty in duties for root in duty.steps for f in root.walk() if isinstance(f.source, Data)
    }
    return CustodyDay(
        operator=view.lake.home.operator,
        invented=view.lake.home.invented,
        as_of=as_of,
        rulebook=rulebook,
        head=view.lake.head,
        duties=duties,
        beside=tuple(findings_on(view, used - {"trades"}, [])),
        evidence=evidence(view.lake, used),
        known_at=view.ledger.known_at if view.ledger else None,
    )


def _duty(check: Check, since: dict[tuple[str, str], date]) -> Duty:
    findings = [
        replace(lapse.finding, since=arose, cure_by=cure_by(lapse, arose), cure_provenance=cured_under(lapse))
        for lapse in check.lapses
        for arose in (since[lapse.finding.code, lapse.subject],)
    ]
    gravest_first = tuple(sorted(findings, key=lambda finding: -finding.severity))
    return Duty(check.key, check.name, check.steps, gravest_first, check.told, check.against, check.looked_at)


def _since(
    rulebook: Rulebook, view_on: Callable[[date], CustodyView], as_of: date, checks: tuple[Check, ...], memory: Memory
) -> dict[tuple[str, str], date]:
    """(code, subject) → the first day of the row of days, without a gap up to `as_of`, on which it was so.

    Days without balances or holdings of their own are passed over: nothing says that it was otherwise on them.
    """
    since = {(lapse.finding.code, lapse.subject): as_of for check in checks for lapse in check.lapses}
    open_ones = set(since)
    for day in days_before(view_on(as_of)):
        if not open_ones:
            break
        try:
            then = memory.lapses(rulebook, view_on(day))
        except ParameterMissing:  # the regime was not in force yet
            break
        open_ones &= then
        since |= dict.fromkeys(open_ones, day)
    return since


def days_before(view: CustodyView) -> Iterator[date]:
    """Earlier days of which balances or holdings are known, latest first."""
    days = {day for name in ("customer_balances", "holdings") for day in view.lake.days(name, end=view.as_of)}
    return (day for day in sorted(map(date.fromisoformat, days), reverse=True) if day < view.as_of)
