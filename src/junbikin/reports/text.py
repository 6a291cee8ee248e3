"""Positions for the terminal: the answer first, then its make-up, then what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from junbikin.figures import Data, Figure, Rule, Stated
from junbikin.findings import Finding
from junbikin.reports.words import Lang, amount, exact_amount, face, operation, say

if TYPE_CHECKING:
    from rich.console import RenderableType

    from junbikin.reserve.position import Position

_COLOURS = {"BREACH": "bold red", "HOLE": "magenta", "WARNING": "yellow", "NOTICE": "dim"}


def _t(lang: Lang, en: str, ja: str) -> str:
    return ja if lang == "ja" else en


def position_parts(position: Position, lang: Lang) -> Iterator[RenderableType]:
    """One position, from its answer to its findings."""
    book = position.rulebook
    status = {"enacted": ("enacted", "施行中"), "precedent": ("precedent", "先例"), "candidate": ("candidate", "試案")}
    head = Table.grid(padding=(0, 2))
    head.add_column()
    head.add_column(justify="right")
    head.add_row(_t(lang, "Requirement", "要積立額"), amount(position.requirement, lang))
    head.add_row(_t(lang, "Resources", "充当可能財源"), amount(position.resources.total, lang))
    style = "bold red" if position.gap.value is None or position.gap.value < 0 else "bold green"
    head.add_row(Text(say(position.verdict, lang), style=style), Text(amount(position.gap, lang), style=style))
    warning = face([str(p) for p in position.provenances], lang)
    title = f"{position.operator} · {position.as_of} · {book.id} ({_t(lang, *status[book.status])})"
    yield Panel(head, title=escape(title), expand=False)
    if warning:
        yield Text(warning, style="yellow")
    yield _steps(position, lang)
    yield from _items(position, lang)
    yield findings_table(position.findings, lang)


def _steps(position: Position, lang: Lang) -> Table:
    table = Table(box=None, padding=(0, 2), title=_t(lang, "How it was reached", "算定の経過"), title_justify="left")
    table.add_column(_t(lang, "figure", "算定値"))
    table.add_column(_t(lang, "amount", "金額"), justify="right")
    table.add_column(_t(lang, "explain", "内訳の指定"), style="dim")
    for figure in (*position.steps, position.requirement):
        table.add_row(escape(say(figure.name, lang)), amount(figure, lang), escape(figure.key))
    return table


def _items(position: Position, lang: Lang) -> Iterator[Table]:
    held = position.resources
    for title, items, together in (
        (_t(lang, "Reserve assets", "準備金資産"), held.assets, held.reserve_assets),
        (_t(lang, "Insurance", "保険"), held.policies, held.insurance),
    ):
        if items:
            table = Table(box=None, padding=(0, 2), title=title, title_justify="left")
            table.add_column(_t(lang, "item", "項目"))
            table.add_column(_t(lang, "worth", "評価額"), justify="right")
            table.add_column(_t(lang, "counts", "算入額"), justify="right")
            table.add_column(_t(lang, "why not more", "算入しない理由"))
            for item in items:
                why = "; ".join(say(reason, lang) for reason in (*item.refused, *item.limits))
                table.add_row(escape(item.id), amount(item.worth, lang), amount(item.counted, lang), escape(why))
            table.add_row(
                _t(lang, "together, within limits", "合計（上限適用後）"), "", amount(together, lang), "", style="bold"
            )
            yield table


def findings_table(findings: Sequence[Finding], lang: Lang) -> RenderableType:
    """What somebody must look at, why, since when, and what to do by when."""
    if not findings:
        return Text(_t(lang, "No findings.", "指摘事項なし。"), style="green")
    table = Table(box=None, padding=(0, 2), title=_t(lang, "Findings", "指摘事項"), title_justify="left")
    table.add_column("")
    table.add_column(_t(lang, "what", "内容"), ratio=3)
    table.add_column(_t(lang, "what to do", "対応"), ratio=2)
    table.add_column(_t(lang, "by", "期限"), no_wrap=True)
    for finding in findings:
        word = finding.severity.ja if lang == "ja" else finding.severity.name.lower()
        what = say(finding.what, lang)
        if finding.amount is not None:
            what += f" ({amount(finding.amount, lang)})"
        if finding.citation:
            what += f" [{say(finding.citation, lang)}]"
        if finding.since:
            what += _t(lang, f", since {finding.since}", f"（{finding.since}から）")
        table.add_row(
            Text(word, style=_COLOURS[finding.severity.name]),
            escape(what),
            escape(say(finding.then, lang)),
            _by(finding, lang),
        )
    return table


def _by(finding: Finding, lang: Lang) -> str:
    """The day by which it must be cured, and the tag of the number of days where that is weaker than the law's text."""
    weak = finding.cure_provenance
    tag = f" ({weak.ja if lang == 'ja' else weak})" if weak and weak != "text" else ""
    return f"{finding.cure_by or ''}{tag}"


def explanation(figure: Figure, lang: Lang, depth: int) -> Tree:
    """A figure opened down to its sources, `depth` levels; lines at zero are folded into a count."""
    tree = Tree(_label(figure, lang))
    _branch(tree, figure, lang, depth)
    return tree


def _branch(tree: Tree, figure: Figure, lang: Lang, depth: int) -> None:
    if figure.inputs and depth == 0:
        tree.add(Text(_t(lang, f"… {len(figure.inputs)} inputs", f"… 内訳{len(figure.inputs)}件"), style="dim"))
        return
    zero = [part for part in figure.inputs if figure.op == "total" and part.value == 0]
    for part in figure.inputs:
        if part not in zero or len(zero) < 2:
            _branch(tree.add(_label(part, lang)), part, lang, 0 if part.value == 0 else depth - 1)
    if len(zero) >= 2:
        names = ", ".join(part.key or say(part.name, lang) for part in zero)
        tree.add(Text(_t(lang, f"{len(zero)} lines at 0: ", f"0の項目{len(zero)}件：") + names, style="dim"))


def _label(figure: Figure, lang: Lang) -> Text:
    label = Text(say(figure.name, lang))
    label.append(f"  {exact_amount(figure, lang)}", style="bold")
    if figure.holes:
        label.append(_t(lang, "  incomplete", "  一部不明"), style="magenta")
    if figure.inputs:
        label.append(f"  = {operation(figure, lang)}", style="cyan")
    if figure.key:
        label.append(f"  [{figure.key}]", style="dim")
    if figure.note:
        label.append(f"\n{say(figure.note, lang)}", style="magenta")
    source = figure.source
    if isinstance(source, Rule):
        colour = "yellow" if source.provenance in ("press", "assumption") else "green"
        tag = source.provenance.ja if lang == "ja" else str(source.provenance)
        label.append(f"\n{tag}", style=colour)
        citation = source.citation_ja if lang == "ja" else source.citation
        label.append(f"  {citation}  ({source.rulebook}: {source.parameter}, {source.since}–)", style="dim")
    elif isinstance(source, Data):
        label.append(f"\n{_t(lang, 'facts', '事実データ')}", style="blue")
        label.append(f"  {source.dataset}: {source.query}  sha256 {source.digest[:16]}…", style="dim")
    elif isinstance(source, Stated):
        label.append(f"\n{source.by}", style="dim")
    return label


def comparison(positions: Sequence[Position], lang: Lang) -> Table:
    """Rulebooks side by side on the same facts."""
    title = f"{positions[0].operator} · {positions[0].as_of}" if positions else None
    table = Table(title=escape(title) if title else None, title_justify="left")
    table.add_column(_t(lang, "rulebook", "規則集"))
    for en, ja in (("requirement", "要積立額"), ("resources", "充当可能財源"), ("surplus / shortfall", "余剰／不足")):
        table.add_column(_t(lang, en, ja), justify="right")
    table.add_column(_t(lang, "rests on", "根拠"))
    for position in positions:
        negative = position.gap.value is None or position.gap.value < 0
        tags = ", ".join(p.ja if lang == "ja" else str(p) for p in position.provenances)
        table.add_row(
            position.rulebook.id,
            amount(position.requirement, lang),
            amount(position.resources.total, lang),
            Text(amount(position.gap, lang), style="red" if negative else "green"),
            tags,
        )
    return table
