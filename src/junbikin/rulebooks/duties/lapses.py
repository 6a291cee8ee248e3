"""What a duty finds: a gap below zero lapses, an unknown one is a hole, and some are cured by a day."""

from __future__ import annotations

from datetime import date

from junbikin.calendars import business_days_after
from junbikin.figures import Figure, Name, Provenance, Rule, Source
from junbikin.findings import Finding, Severity
from junbikin.rulebooks.interface import Lapse


def judged(
    gap: Figure, code: str, subject: str, what: Name, then: Name, rule: Figure, cure: Figure,
    *, severity: Severity = Severity.BREACH,
) -> list[Lapse]:  # fmt: skip
    """A lapse when the gap is below zero, or a hole when it is one."""
    if gap.value is None:
        return [unknown(gap, code, subject)]
    if gap.value >= 0:
        return []
    return [lapse(code, subject, what, then, rule.source, amount=gap, severity=severity, cure=cure)]


def lapse(
    code: str, subject: str, what: Name, then: Name, rule: Source | None, *, amount: Figure | None = None,
    severity: Severity = Severity.BREACH, cure: Figure | None = None, due: date | None = None,
) -> Lapse:  # fmt: skip
    """One lapse; `due` is a day that the rule names itself, where nothing is cured by business days."""
    cited = Name(rule.citation, rule.citation_ja) if isinstance(rule, Rule) else None
    provenance = rule.provenance if isinstance(rule, Rule) else None
    return Lapse(Finding(code, severity, what, then, cited, provenance, amount, due), subject, cure)


def unknown(figure: Figure, code: str = "", subject: str = "") -> Lapse:
    """What cannot be judged, and why."""
    why = figure.holes[0].note or figure.name
    then = Name("ingest what is missing", "不足データを取り込む")
    return Lapse(Finding(f"{code}-unknown" if code else "unknown", Severity.HOLE, why, then), subject or figure.key)


def cured_under(lapsed: Lapse) -> Provenance | None:
    """How far the number of days to cure a lapse is law; None when the regime names none."""
    source = lapsed.cure.source if lapsed.cure else None
    return source.provenance if isinstance(source, Rule) else None


def cure_by(lapsed: Lapse, since: date) -> date | None:
    """The day by which a lapse that arose on `since` must be cured; None when the regime names none."""
    if lapsed.cure is None:
        return lapsed.finding.cure_by
    return business_days_after(since, int(lapsed.cure.known))
