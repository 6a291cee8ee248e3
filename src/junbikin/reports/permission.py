"""What a rulebook says of making good a loss, for the terminal: each item, whether it applies, and why."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from junbikin.figures import Name
from junbikin.reports.words import Lang, say, visible
from junbikin.rulebooks.interface import Item, Permission

_APPLIES = {True: Name("applies", "該当"), False: Name("no", "非該当"), None: Name("not known", "不明")}
_NEEDED = {
    True: Name("Confirmation is needed before anything is paid or promised.", "支払・約束の前に事故確認を要する。"),
    False: Name("No confirmation is needed.", "事故確認を要しない。"),
    None: Name("Nobody can say yet whether confirmation is needed: state what is not known.", "事故確認の要否はまだ判断できない（不明な事項を申告する）。"),
}  # fmt: skip


def verdict(said: Permission) -> Name:
    """Whether confirmation is needed, in a sentence."""
    if said.report_by is None:
        return _NEEDED[said.needed]
    en, ja = _NEEDED[said.needed].en, _NEEDED[said.needed].ja
    return Name(f"{en} It is reported by {said.report_by}.", f"{ja}{said.report_by}までに報告する。")


def permission_parts(said: Permission, lang: Lang) -> Iterator[Text | Table]:
    """The answer as the terminal shows it."""
    ja = lang == "ja"
    yield Text(say(verdict(said), lang), style="bold")
    yield Text(f"{'事故' if ja else 'accident'}: {say(said.accident.why, lang)} [{_tag(said.accident, lang)}]")
    yield Text(f"{'適用' if ja else 'scope'}: {say(said.scope.why, lang)} [{_tag(said.scope, lang)}]")
    yield Text(visible(f"  {_citation(said.scope, lang)}"), style="dim")
    table = Table(box=None, padding=(0, 2, 0, 0))
    for en, title in (("item", "号"), ("applies", "該当"), ("why", "理由"), ("rests on", "根拠")):
        table.add_column(title if ja else en, overflow="fold")
    for item in said.items:
        style = {True: "green", False: "dim", None: "yellow"}[item.applies]
        table.add_row(
            Text(say(item.name, lang)),
            Text(say(_APPLIES[item.applies], lang), style=style),
            Text(say(item.why, lang)),
            Text(_tag(item, lang)),
        )
    yield table


def _tag(item: Item, lang: Lang) -> str:
    return item.rule.provenance.ja if lang == "ja" else str(item.rule.provenance)


def _citation(item: Item, lang: Lang) -> str:
    return item.rule.citation_ja if lang == "ja" else item.rule.citation
