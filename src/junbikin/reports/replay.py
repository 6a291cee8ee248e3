"""Known cases for the terminal: the list, and one case from its arithmetic to who would have paid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from junbikin.figures import Figure, Name
from junbikin.incidents.waterfall import KINDS
from junbikin.reports.words import Lang, face, money, say

if TYPE_CHECKING:
    from rich.console import RenderableType

    from junbikin.incidents.replays.replay import Replay, Row

NONE = Name("without any rulebook", "規則集なし")
LEFT = Name("left by them", "充当後の不足")
UNPAID = Name("unpaid", "未払額")
NEEDED = Name("needed to pay the customers", "顧客への補償に必要な額")
LOST = Name("customers' loss at the prices of that day", "当日の価格による顧客の損失額")
PARTLY = Name(
    "~: a part of it rests on what is not known. –: the rulebooks have no such source.",
    "~：不明な項目を含む。–：該当する財源の定めなし。",
)


_LANGS: tuple[Lang, Lang] = ("en", "ja")


def told(figure: Figure, lang: Lang) -> str:
    """An amount, marked where a part of it rests on what is not known."""
    return ("~" if figure.value is not None and figure.holes else "") + _money(figure, lang)


def regime(row: Row) -> Name:
    """The regime's rulebooks in words."""
    if not row.rulebooks:
        return NONE
    titles = [rulebook.title for rulebook in row.rulebooks]
    return Name(" + ".join(title.en for title in titles), "＋".join(title.ja for title in titles))


def provenances(replay: Replay) -> list[str]:
    """What the replay rests on, each tag once."""
    from junbikin.incidents.replays.document import figures

    return sorted({str(tag) for figure in figures(replay) for tag in figure.provenances}, reverse=True)


def replay_list(replays: Sequence[Replay], lang: Lang) -> Table:
    """A line for each case: what the customers lost, what paying them took, and the days until they were paid."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column(_t(lang, "case", "事例"))
    table.add_column(_t(lang, "what", "名称"))
    table.add_column(_t(lang, "customers' loss", "顧客の損失額"), justify="right")
    table.add_column(_t(lang, "as published", "公表額"), justify="right")
    table.add_column(_t(lang, "needed to pay", "補償に必要な額"), justify="right")
    table.add_column(_t(lang, "days", "日数"), justify="right")
    for replay in replays:
        case = replay.case
        table.add_row(
            escape(case.id),
            escape(say(case.title, lang)),
            _money(replay.loss, lang),
            _money(case.published.total, lang),
            _money(replay.needed, lang),
            str(replay.days),
        )
    return table


def replay_parts(replay: Replay, lang: Lang) -> Iterator[RenderableType]:
    """One case: its story, what it rests on, the plan to the last yen, and the waterfall under each regime."""
    case = replay.case
    yield Text(say(case.title, lang), style="bold")
    yield Text(say(case.story, lang))
    warning = face(provenances(replay), lang)
    if warning:
        yield Text(warning, style="yellow")
    yield _plan(replay, lang)
    yield Text(say(beside_the_loss(replay), lang))
    yield Text(_agreement(replay, lang))
    yield _rows(replay, lang)
    yield Text(say(PARTLY, lang), style="dim")


def _plan(replay: Replay, lang: Lang) -> Table:
    title = _t(lang, f"The plan, paid after {replay.days} days", f"補償計画（{replay.days}日後に支払）")
    table = Table(box=None, padding=(0, 2, 0, 0), title=title, title_justify="left")
    for en, ja in (
        ("asset", "銘柄"),
        ("taken", "流出"),
        ("customers'", "うち顧客分"),
        ("paid", "支払"),
        ("worth", "円換算"),
    ):
        table.add_column(_t(lang, en, ja), justify="left" if en == "asset" else "right")
    for paid in replay.paid:
        ways = "\n".join(_money(amount, lang) for _, amount in paid.parts)
        taken = paid.taken
        table.add_row(
            taken.asset, _money(taken.taken, lang), _money(taken.customers, lang), ways, _money(paid.worth, lang)
        )
    table.add_row(_t(lang, "together", "合計"), "", "", "", _money(replay.needed, lang), style="bold")
    return table


def beside_the_loss(replay: Replay) -> Name:
    """What the plan needs beside what the customers lost at the prices of that day, and why the two differ."""
    more = replay.needed - replay.loss
    en, ja = (_money(replay.loss, lang) for lang in _LANGS)
    if more.value == 0:
        return Name(f"{LOST.en}: {en}, which is what the plan pays.", f"{LOST.ja}は{ja}で、補償に必要な額と同じ。")
    off = _money(more, "en")
    return Name(
        f"{LOST.en}: {en}. What the plan needs differs by {off}: what is paid in yen is paid at the plan's price, not at that day's.",
        f"{LOST.ja}は{ja}。補償に必要な額との差{off}は、円で支払う分が当日の価格でなく補償単価によるため。",
    )


def _agreement(replay: Replay, lang: Lang) -> str:
    published, off = _money(replay.case.published.total, lang), _money(replay.difference, lang)
    why = say(replay.case.published.explained, lang)
    if replay.agrees:
        return _t(lang, f"published {published}; differs by {off}: {why}", f"公表額{published}との差{off}：{why}")
    return _t(
        lang,
        f"published {published}; differs by {off}, which is more than explained",
        f"公表額{published}との差{off}は説明の範囲を超える",
    )


def _rows(replay: Replay, lang: Lang) -> Table:
    title = _t(
        lang,
        f"Who would have paid, under the rules as they stand on {replay.case.rules_on}",
        f"{replay.case.rules_on}現在の規則集による負担",
    )
    table = Table(box=None, padding=(0, 2, 0, 0), title=title, title_justify="left")
    table.add_column(_t(lang, "rulebooks", "規則集"), no_wrap=True)
    for name in (KINDS["guarantee"], KINDS["reserve"], LEFT, KINDS["own"], KINDS["outside"], UNPAID):
        table.add_column(say(name, lang), justify="right")
    for row in replay.rows:
        if row.stopped:
            table.add_row(row.code, Text(row.stopped, style="magenta"))
            continue
        used = {line.source.kind: line.used for line in row.lines}
        cells = [used.get("guarantee"), used.get("reserve"), row.left, used["own"], used["outside"], row.unpaid]
        table.add_row(row.code if row.rulebooks else say(NONE, lang), *(_cell(cell, lang) for cell in cells))
    return table


def _cell(figure: Figure | None, lang: Lang) -> Text:
    if figure is None:
        return Text("–", style="dim")
    return Text(told(figure, lang), style="magenta" if figure.value is None else "")


def _money(figure: Figure, lang: Lang) -> str:
    return money(figure.value, str(figure.unit), lang)


def _t(lang: Lang, en: str, ja: str) -> str:
    return ja if lang == "ja" else en
