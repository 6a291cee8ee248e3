"""What a duty finds: a gap below zero lapses, one that may or may not be is a hole, and some are cured by a day."""

from __future__ import annotations

from datetime import date

from junbikin.calendars import business_days_after
from junbikin.figures import Figure, Name, Provenance, Rule, Source
from junbikin.findings import Finding, Severity
from junbikin.rulebooks.duties.bounds import below_zero
from junbikin.rulebooks.interface import Facts, Lapse


def judged(
    gap: Figure, code: str, subject: str, what: Name, then: Name, rule: Figure, cure: Figure,
    *, severity: Severity = Severity.BREACH,
) -> list[Lapse]:  # fmt: skip
    """A lapse when the gap is below zero whatever the prices are that are not known; a hole when that depends on them."""
    below = below_zero(gap)
    if below is None:
        return [unknown(gap, code, subject)]
    if not below:
        return []
    amount = gap if gap.value is not None else None
    return [lapse(code, subject, what, then, rule.source, amount=amount, severity=severity, cure=cure)]


def lapse(
    code: str, subject: str, what: Name, then: Name, rule: Source | None, *, amount: Figure | None = None,
    severity: Severity = Severity.BREACH, cure: Figure | None = None, due: date | None = None,
) -> Lapse:  # fmt: skip
    """One lapse; `due` is a day that the rule names itself, where nothing is cured by business days."""
    cited = Name(rule.citation, rule.citation_ja) if isinstance(rule, Rule) else None
    provenance = rule.provenance if isinstance(rule, Rule) else None
    return Lapse(Finding(code, severity, what, then, cited, provenance, amount, due), subject, cure)


def unknown(figure: Figure, code: str, subject: str) -> Lapse:
    """What cannot be judged, and why: the code says of which lapse nobody can tell whether it is there."""
    why = figure.holes[0].note or figure.holes[0].name
    what = Name(f"{figure.name.en}: {why.en}", f"{figure.name.ja}：{why.ja}")
    return Lapse(Finding(f"{code}{UNKNOWN}", Severity.HOLE, what, _INGEST), subject)


def nothing_known(facts: Facts, *datasets: str) -> list[Lapse]:
    """A hole for each of these datasets of customers' property of which nothing is known."""
    return [
        Lapse(Finding("unknown", Severity.HOLE, figure.note or figure.name, _INGEST), dataset)
        for dataset in datasets
        for figure in holes_in(facts, dataset)
    ]


def holes_in(facts: Facts, *datasets: str) -> list[Figure]:
    """The holes that stand in a total for datasets of which nothing is known."""
    return [figure for figure in facts.unknown() if figure.key.removeprefix("unknown.") in datasets]


UNKNOWN = "-unknown"
"""What a code ends with when nobody can tell whether the lapse of that code is there."""

_INGEST = Name("ingest what is missing", "不足データを取り込む")


def cured_under(lapsed: Lapse) -> Provenance | None:
    """How far the number of days to cure a lapse is law; None when the regime names none."""
    source = lapsed.cure.source if lapsed.cure else None
    return source.provenance if isinstance(source, Rule) else None


def cure_by(lapsed: Lapse, since: date) -> date | None:
    """The day by which a lapse that arose on `since` must be cured; None when the regime names none."""
    if lapsed.cure is None:
        return lapsed.finding.cure_by
    return business_days_after(since, int(lapsed.cure.known))
