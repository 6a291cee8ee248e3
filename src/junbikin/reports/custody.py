"""The custody day for the terminal: the answer to each duty on one screen, then what must be done by when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from junbikin.reports.text import findings_table
from junbikin.reports.words import Lang, amount, say

if TYPE_CHECKING:
    from rich.console import RenderableType

    from junbikin.custody.day import CustodyDay, Duty

_STYLES = {"kept": "green", "warning": "yellow", "unknown": "magenta", "breach": "bold red"}
_SHOWN = 3
"""How many of a duty's figures stand on the screen: the last ones, at which it is judged; the page has all of them."""


def custody_parts(day: CustodyDay, lang: Lang) -> Iterator[RenderableType]:
    """One custody day, from its answers to its findings."""
    title = f"{day.operator} · {day.as_of} · {day.rulebook.id}"
    table = Table(box=None, padding=(0, 2), title=escape(title), title_justify="left")
    for en, ja in (("duty", "義務"), ("", ""), ("figures", "算定値"), ("explain", "内訳の指定")):
        table.add_column(ja if lang == "ja" else en)
    for duty in day.duties:
        table.add_row(*_row(duty, lang))
    yield table
    yield findings_table(day.findings, lang)


def _row(duty: Duty, lang: Lang) -> tuple[RenderableType, ...]:
    verdict = Text(say(duty.verdict, lang), style=_STYLES[duty.verdict.en])
    steps = sorted(duty.steps, key=lambda step: (step.value is not None, step.value or 0))[:_SHOWN]
    told = "\n".join(f"{say(step.name, lang)}  {amount(step, lang)}" for step in steps)
    return escape(say(duty.name, lang)), verdict, escape(told), Text("\n".join(step.key for step in steps), style="dim")
