"""How duties of custody stand, in words: for the screen and for the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from junbikin.figures import RATIO, Name, Provenance
from junbikin.reports.words import Lang, amount, percent, say

if TYPE_CHECKING:
    from junbikin.custody.day import CustodyDay, Duty
    from junbikin.figures import Figure
    from junbikin.findings import Finding

WORDS = {
    "breach": Name("in breach", "違反"),
    "unknown": Name("not known", "不明"),
    "warning": Name("to be looked at", "注意"),
}
"""Verdicts other than kept, the gravest first."""


def worst(day: CustodyDay) -> str:
    """The gravest verdict of the day, in a word."""
    verdicts = {duty.verdict.en for duty in day.duties}
    return next((word for word in WORDS if word in verdicts), "kept")


def answer(day: CustodyDay) -> Name:
    """How many duties are not kept, not known or to be looked at; or that all are kept."""
    verdicts = [duty.verdict.en for duty in day.duties]
    parts = [(verdicts.count(word), name) for word, name in WORDS.items() if word in verdicts]
    whole, kept = len(verdicts), verdicts.count("kept")
    if not parts:
        return Name(f"all {whole} duties are kept", f"{whole}の義務すべて適正")
    en = ", ".join(f"{number} {name.en}" for number, name in parts)
    ja = "、".join(f"{name.ja}{number}" for number, name in parts)
    return Name(f"{kept} of {whole} duties kept, {en}", f"{whole}の義務のうち適正{kept}、{ja}")


def stands(duty: Duty, lang: Lang) -> str:
    """How a duty stands in a line: the worst figure, what it is held against, and how many more there are."""
    if not duty.told:
        return say(duty.looked_at, lang) if duty.looked_at else ""
    worst, *others = duty.told
    text = _tagged(worst, lang)
    if duty.against is not None:
        text += f" ({_tagged(duty.against, lang)})"
    if others:
        lapsed = {lapse.subject for lapse in duty.lapses}  # such as BTC, of which a figure is held_gap.BTC
        failing = sum(figure.value is None or figure.key.partition(".")[2] in lapsed for figure in others)
        more = Name(
            f"; and {len(others)} more, {f'{failing} of them not kept' if failing else 'all kept'}",
            f"、ほか{len(others)}件（{f'うち{failing}件不適' if failing else 'すべて適正'}）",
        )
        text += say(more, lang)
    return text


def _tagged(figure: Figure, lang: Lang) -> str:
    """A figure with its name, and with the tag of what it rests on besides law."""
    tags = "".join(f" [{tag.ja if lang == 'ja' else tag}]" for tag in weak([figure]))
    return f"{say(figure.name, lang)} {shown(figure, lang)}{tags}"


def of_days(day: CustodyDay) -> Name:
    """Of which days the balances and holdings are, and how long before."""
    parts = [
        (en, ja, found, (day.as_of - found).days if found else 0)
        for en, ja, found in (("balances", "残高", day.balances_of), ("holdings", "保有残高", day.holdings_of))
    ]
    en = ", ".join(
        f"{en} of {found}{f', {age} days before' if age else ''}" if found else f"no {en}"
        for en, _, found, age in parts
    )
    ja = "、".join(
        f"{ja}は{found}{f'（{age}日前）' if age else ''}" if found else f"{ja}なし" for _, ja, found, age in parts
    )
    return Name(en, ja)


def is_old(day: CustodyDay) -> bool:
    """Whether the facts are not of the day itself."""
    return {day.balances_of, day.holdings_of} != {day.as_of}


def shown(figure: Figure, lang: Lang) -> str:
    """An amount for reading; a share in per cent."""
    return percent(figure, lang) if figure.unit == RATIO else amount(figure, lang)


def by_date(findings: Sequence[Finding]) -> list[Finding]:
    """What must be done, by the day by which it must be; then what has no such day, the gravest first."""
    return sorted(findings, key=lambda finding: (finding.cure_by or date.max, -finding.severity))


def once(findings: Sequence[Finding]) -> list[tuple[Finding, int]]:
    """Findings that say the same and are due on the same day, once each with how many they are."""
    told: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        told.setdefault((finding.severity, finding.what, finding.then, finding.cure_by), []).append(finding)
    return [(same[0], len(same)) for same in told.values()]


def weak(figures: Iterable[Figure]) -> list[Provenance]:
    """What some figures rest on besides law."""
    found = {tag for figure in figures for tag in figure.provenances}
    return [tag for tag in (Provenance.PRESS, Provenance.ASSUMPTION) if tag in found]
