"""A reconciliation for the terminal: each asset on every side, what differs by class, the first breaks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from junbikin.reports.words import Lang, grouped, say, visible

if TYPE_CHECKING:
    from rich.console import RenderableType

    from junbikin.custody.reconcile.breaks import Break
    from junbikin.custody.reconcile.reconciliation import Reconciliation
    from junbikin.custody.reconcile.treated import Episode

_COLOURS = {"BREACH": "bold red", "HOLE": "magenta", "WARNING": "yellow", "NOTICE": "dim"}


def _t(lang: Lang, en: str, ja: str) -> str:
    return ja if lang == "ja" else en


def _amount(value: Decimal | None) -> str:
    return "" if value is None else grouped(value)


def _cell(text: str) -> Text:
    """Somebody else's words: on one line, and never markup of ours."""
    return Text(visible(text))


def _table(title: str, columns: Sequence[tuple[str, bool]]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), title=escape(title), title_justify="left")
    for name, right in columns:
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    return table


def reconciliation_parts(found: Reconciliation, lang: Lang, limit: int) -> Iterator[RenderableType]:
    """The whole, from its answer to its first `limit` breaks."""
    head = f"{visible(found.operator)} · {found.as_of}"
    if found.breaks:
        many = "" if found.breaks == 1 else "s"
        yield Text(
            f"{head} · {_t(lang, f'{found.breaks:,} break{many}', f'差異 {found.breaks:,}件')}", style="bold red"
        )
    else:
        yield Text(f"{head} · {_t(lang, 'no breaks', '差異なし')}", style="bold green")
    if found.blind:
        blind = _t(
            lang,
            "nothing could be reconciled: bring in customer balances and holdings with `junbikin ingest`, or name a day that has them",
            "照合できるものがない：利用者残高と保有残高を取り込む（`junbikin ingest`）か、それらのある日を指定する",
        )
        yield Text(blind, style="bold red")
    totals = _table(
        _t(lang, "Assets", "資産"),
        [
            (_t(lang, "asset", "資産"), False), (_t(lang, "accounts", "口座数"), True), (_t(lang, "customers are told", "利用者残高"), True),
            (_t(lang, "books", "帳簿"), True), (_t(lang, "held at places", "保管先"), True), (_t(lang, "stated", "残高証明"), True),
        ],
    )  # fmt: skip
    for total in found.totals:
        totals.add_row(
            _cell(total.asset), f"{total.accounts:,}", _amount(total.platform), _amount(total.booked), _amount(total.held), _amount(total.stated)
        )  # fmt: skip
    yield totals
    if found.counts:
        classes = _table(
            _t(lang, "Breaks by class", "差異の分類"),
            [
                (_t(lang, "class", "分類"), False), (_t(lang, "of", "対象"), False), (_t(lang, "asset", "資産"), False),
                (_t(lang, "count", "件数"), True), (_t(lang, "amount", "差額"), True),
            ],
        )  # fmt: skip
        for count in found.counts:
            word = Text(say(count.kind.words, lang), style=_COLOURS[count.kind.severity.name])
            classes.add_row(
                word, say(count.compared.words, lang), _cell(count.asset), f"{count.count:,}", _amount(count.amount)
            )
        yield classes
        yield breaks_table(found.first[:limit], found.as_of, lang)
        if found.breaks > limit:
            yield Text(
                _t(lang, f"… and {found.breaks - limit:,} more", f"…ほか{found.breaks - limit:,}件"), style="dim"
            )
    for notice in found.notices:
        yield Text(f"{_t(lang, 'note', '注記')}: {say(notice, lang)}", style="dim")


def breaks_table(breaks: Sequence[Break], as_of: date, lang: Lang) -> Table:
    """Breaks, a line each."""
    table = _table(
        _t(lang, "Breaks", "差異"),
        [
            (_t(lang, "id", "番号"), False), (_t(lang, "class", "分類"), False), (_t(lang, "of", "対象"), False),
            (_t(lang, "asset", "資産"), False), (_t(lang, "by", "出所"), False), (_t(lang, "expected", "あるべき額"), True),
            (_t(lang, "found", "実際"), True), (_t(lang, "days", "経過日数"), True),
        ],
    )  # fmt: skip
    for each in breaks:
        table.add_row(
            each.id, Text(say(each.kind.words, lang), style=_COLOURS[each.kind.severity.name]),
            _cell(each.of or say(each.compared.words, lang)), _cell(each.asset), _cell(each.source), _amount(each.expected),
            _amount(each.found), str(each.age_days(as_of)),
        )  # fmt: skip
    return table


def episodes_table(episodes: Sequence[Episode], lang: Lang) -> Table:
    """Breaks on record with their age and state, a line each."""
    table = _table(
        "",
        [
            (_t(lang, "id", "番号"), False), (_t(lang, "class", "分類"), False), (_t(lang, "of", "対象"), False),
            (_t(lang, "asset", "資産"), False), (_t(lang, "amount", "差額"), True), (_t(lang, "since", "発生日"), False),
            (_t(lang, "days", "日数"), True), (_t(lang, "state", "状態"), False), (_t(lang, "looked at by", "担当"), False),
            (_t(lang, "explained", "説明"), False),
        ],
    )  # fmt: skip
    for episode in episodes:
        each = episode.of
        table.add_row(
            each.id, Text(say(each.kind.words, lang), style=_COLOURS[each.kind.severity.name]),
            _cell(each.of or say(each.compared.words, lang)), _cell(each.asset), _amount(each.amount), each.since.isoformat(),
            str(each.age_days(episode.last_seen)), say(episode.state.words, lang), _cell(episode.assigned_to), _cell(episode.explanation),
        )  # fmt: skip
    return table
