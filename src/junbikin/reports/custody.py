"""The custody day for the terminal, on one screen: each duty in a line, what must be done by when, and what does not match."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from junbikin.findings import Severity
from junbikin.reports.breaks import breaks_table
from junbikin.reports.duties import answer, by_date, is_old, of_days, once, stands, worst
from junbikin.reports.words import Lang, amount, say

if TYPE_CHECKING:
    from rich.console import RenderableType

    from junbikin.custody.aged import Aged
    from junbikin.custody.day import CustodyDay
    from junbikin.findings import Finding

STYLES = {"kept": "green", "warning": "yellow", "unknown": "magenta", "breach": "bold red"}
MOST_FINDINGS = 12
"""How many findings stand on the screen, the gravest and the most urgent; how many more there are is said."""


def custody_parts(day: CustodyDay, lang: Lang, found: Aged | None = None) -> Iterator[RenderableType]:
    """One custody day, from its answer to its findings; and the breaks of the last reconciliation on record, where there is one."""
    yield Text(f"{day.operator} · {day.as_of} · {day.rulebook.id}", style="bold")
    yield _answer(day, lang)
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for en, ja in (("duty", "義務"), ("", ""), ("how it stands", "状況"), ("explain", "内訳の指定")):
        table.add_column(ja if lang == "ja" else en, overflow="fold", max_width=32 if en == "explain" else None)
    for duty in day.duties:
        verdict = Text(say(duty.verdict, lang), style=STYLES[duty.verdict.en])
        key = duty.told[0].key if duty.told else ""
        table.add_row(escape(say(duty.name, lang)), verdict, Text(stands(duty, lang)), Text(key, style="dim"))
    yield table
    yield _to_do(day.findings, lang)
    if found is not None:
        yield breaks_table(found, lang)


def _answer(day: CustodyDay, lang: Lang) -> Text:
    told = Text(say(answer(day), lang), style=STYLES[worst(day)])
    return told.append(f"  {say(of_days(day), lang)}", style="bold yellow" if is_old(day) else "dim")


def _to_do(findings: Sequence[Finding], lang: Lang) -> RenderableType:
    if not findings:
        return Text("なすべきことはない。" if lang == "ja" else "Nothing must be done.", style="green")
    ja = lang == "ja"
    gravest = sorted(once(findings), key=lambda pair: (-pair[0].severity, pair[0].cure_by or date.max))
    shown = by_date([finding for finding, _ in gravest[:MOST_FINDINGS]])
    count = {id(finding): number for finding, number in gravest}
    table = Table(
        box=None,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        title="なすべきことと期限" if ja else "What must be done, by when",
    )
    table.title_justify = "left"
    table.add_column("期限" if ja else "by", no_wrap=True)
    table.add_column("")
    table.add_column("内容" if ja else "what", ratio=3)
    table.add_column("対応" if ja else "what to do", ratio=2)
    for finding in shown:
        word = finding.severity.ja if ja else finding.severity.name.lower()
        what = _what(finding, lang) + (f" ×{count[id(finding)]}" if count[id(finding)] > 1 else "")
        table.add_row(
            due(finding, lang),
            Text(word, style=_COLOURS[finding.severity]),
            escape(what),
            escape(say(finding.then, lang)),
        )
    if len(gravest) > MOST_FINDINGS:
        more = len(gravest) - MOST_FINDINGS
        table.add_row(
            "",
            "",
            f"ほか{more}件：--json、--html で全件" if ja else f"and {more} more: --json and --html have all of them",
        )
    return table


_COLOURS = {Severity.BREACH: "bold red", Severity.HOLE: "magenta", Severity.WARNING: "yellow", Severity.NOTICE: "dim"}


def _what(finding: Finding, lang: Lang) -> str:
    what = say(finding.what, lang)
    if finding.amount is not None and finding.amount.value is not None:
        what += f" ({amount(finding.amount, lang)})"
    if finding.since and finding.cure_by:
        what += f"（{finding.since}から）" if lang == "ja" else f", since {finding.since}"
    return what


def due(finding: Finding, lang: Lang) -> str:
    """The day by which it must be cured; marked where the number of days is not law."""
    weak = finding.cure_provenance
    tag = f" ({weak.ja if lang == 'ja' else weak})" if weak and weak != "text" else ""
    return f"{finding.cure_by or ''}{tag}"
