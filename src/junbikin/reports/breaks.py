"""Breaks (差異) on the screen: how many of each class, how old, and what they come to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from junbikin.custody.aged import AGES
from junbikin.figures import Name
from junbikin.reports.words import Lang, grouped, say

if TYPE_CHECKING:
    from rich.console import RenderableType

    from junbikin.custody.aged import Aged, Class

MOST_AMOUNTS = 3
"""How many assets' amounts of a class stand on the screen."""


def title(found: Aged) -> Name:
    """Which reconciliation it is, and how many breaks there are."""
    when, number = found.recorded.as_of, found.recorded.breaks
    return Name(
        f"Breaks: {number:,} in the reconciliation of {when} (record {found.recorded.record})",
        f"差異：{when}の照合で{number:,}件（記録{found.recorded.record}）",
    )


NOT_ON_RECORD = Name(
    "No reconciliation is on record up to this day: `junbikin custody reconcile --record` makes one.",
    "この日までに記録された照合はない：`junbikin custody reconcile --record` で記録する。",
)
NOT_HERE = Name("the list of breaks of that record is not in this home", "その記録の差異一覧はこのホームにない")


def breaks_table(found: Aged, lang: Lang) -> RenderableType:
    """Classes down, ages across."""
    head = say(title(found), lang)
    if not found.recorded.breaks:
        return Text(head, style="green")
    if found.classes is None:
        return Text(f"{head}\n{say(NOT_HERE, lang)}", style="magenta")
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, title=head, title_justify="left")
    table.add_column("分類" if lang == "ja" else "class")
    for _, words in AGES:
        table.add_column(say(words, lang), justify="right")
    table.add_column("最古" if lang == "ja" else "since")
    table.add_column("相手方−帳簿" if lang == "ja" else "other side, less ours", overflow="fold")
    for each in found.classes:
        counts = [f"{count:,}" if count else "" for count in each.counts]
        table.add_row(say(each.kind.words, lang), *counts, str(each.oldest), amounts(each, lang))
    return table


def amounts(each: Class, lang: Lang) -> str:
    """What the breaks of a class come to in each asset, the first few."""
    told = [f"{grouped(amount)} {asset}" for asset, amount in each.amounts]
    more = len(told) - MOST_AMOUNTS
    if more > 0:
        told = [*told[:MOST_AMOUNTS], f"ほか{more}資産" if lang == "ja" else f"and {more} more assets"]
    return ("、" if lang == "ja" else ", ").join(told)
