"""Compensation plans for the terminal: what is paid and by which price, who pays, what is left behind, and plans side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from junbikin.figures import Figure, total
from junbikin.findings import Severity
from junbikin.incidents.plan.asking import moved
from junbikin.incidents.plan.compare import Compared
from junbikin.incidents.plan.document import Plan
from junbikin.incidents.waterfall import KINDS
from junbikin.reports.words import Lang, amount, exact_amount, grouped, say, visible

if TYPE_CHECKING:
    from rich.console import RenderableType


def _t(lang: Lang, en: str, ja: str) -> str:
    return ja if lang == "ja" else en


def plan_parts(plan: Plan, lang: Lang) -> Iterator[RenderableType]:
    """One plan: what is paid, who pays it, the reserve afterwards, how it is refilled, and what somebody must look at."""
    title = plan.body["rule"]["title"]
    yield Text(f"{plan.name}: {visible(title)}", style="bold")
    yield Text(
        _t(lang, f"{plan.people:,} customers held {exact_amount(plan.held)}", f"対象者{plan.people:,}人、残高{exact_amount(plan.held)}")
    )  # fmt: skip
    yield _paid(plan, lang)
    yield _waterfall(plan, lang)
    yield from _receivable(plan, lang)
    yield _left(plan, lang)
    yield from _in_accounts(plan, lang)
    yield from _unknown(plan, lang)
    yield from _refill(plan, lang)
    yield from _findings(plan, lang)
    yield Text(_t(lang, f"digest {plan.digest}", f"ダイジェスト {plan.digest}"), style="dim")


def _table(title: str, *columns: tuple[str, str]) -> Table:
    table = Table(box=None, padding=(0, 2), title=title, title_justify="left")
    for name, justify in columns:
        table.add_column(name, justify="right" if justify == "right" else "left", overflow="fold")
    return table


def _paid(plan: Plan, lang: Lang) -> Table:
    table = _table(
        _t(lang, "What is paid", "補償額"), (_t(lang, "in", "通貨・資産"), ""), (_t(lang, "share", "割合"), "right"),
        (_t(lang, "price", "価格"), "right"), (_t(lang, "total", "総額"), "right"),
    )  # fmt: skip
    for leg in plan.legs:
        price = exact_amount(leg.told.price, lang) if leg.told.price else _t(lang, "in kind", "現物")
        table.add_row(leg.asset, exact_amount(leg.told.share, lang), price, amount(leg.total, lang))
    table.add_row(_t(lang, "cost", "費用"), "", "", amount(plan.cost, lang), style="bold")
    return table


def _waterfall(plan: Plan, lang: Lang) -> Table:
    table = _table(
        _t(lang, "Who pays", "充当順位"), (_t(lang, "source", "財源"), ""), (_t(lang, "account or policy", "口座・契約"), ""),
        (_t(lang, "has", "残高"), "right"), (_t(lang, "pays", "充当額"), "right"), (_t(lang, "unpaid after it", "充当後の未払額"), "right"),
    )  # fmt: skip
    for line in plan.body["funding"]["lines"]:
        cells = (amount(plan.figure(line[part]), lang) for part in ("available", "used", "unpaid_after"))
        table.add_row(say(KINDS[line["source"]], lang), escape(line["id"]), *cells)
    for asset, digest in plan.body["funding"]["unpaid"].items():
        unpaid = plan.figure(digest)
        style = "bold red" if unpaid.value != 0 else "green"
        table.add_row(_t(lang, f"{asset} unpaid", f"{asset}の未払額"), "", "", "", amount(unpaid, lang), style=style)
    return table


def _receivable(plan: Plan, lang: Lang) -> Iterator[Text]:
    for cover in plan.body["funding"]["receivable"]:
        figure = plan.figure(cover["amount"])
        yield Text(
            _t(lang, f"expected of {cover['policy']} later: {amount(figure, lang)}", f"{cover['policy']}の保険金（未収）：{amount(figure, lang)}")
        )  # fmt: skip


def _left(plan: Plan, lang: Lang) -> Table:
    table = _table(
        _t(lang, "The reserve after payment", "支払後の責任準備金"), (_t(lang, "rulebook", "規則集"), ""),
        (_t(lang, "requirement", "要積立額"), "right"), (_t(lang, "resources left", "充当可能財源"), "right"),
        (_t(lang, "surplus / shortfall", "余剰／不足"), "right"),
    )  # fmt: skip
    for after in plan.body["after"]:
        if after["stopped"]:
            table.add_row(escape(after["rulebook"]), escape(after["stopped"]), "", "")
        else:
            cells = (amount(plan.figure(after[part]), lang) for part in ("requirement", "resources", "gap"))
            table.add_row(escape(after["rulebook"]), *cells)
    return table


def _in_accounts(plan: Plan, lang: Lang) -> Iterator[Text]:
    """What the reserve's accounts that the rule names hold once they have paid: a rulebook may count less of it."""
    lines = [line for line in plan.body["funding"]["lines"] if line["source"] == "reserve"]
    for asset in dict.fromkeys(line["asset"] for line in lines):
        held = [plan.figure(line["available"]) - plan.figure(line["used"]) for line in lines if line["asset"] == asset]
        left = amount(total(held, asset), lang)
        yield Text(
            _t(
                lang,
                f"the reserve's accounts then hold {left}, of which a rulebook counts what its rules admit, such as no more than was booked",
                f"支払後の準備金口座の残高は{left}。規則集は、計上額の範囲など、その規則が認める部分だけを充当可能財源とする",
            ),
            style="dim",
        )


def _unknown(plan: Plan, lang: Lang) -> Iterator[Text]:
    """What is not known of requirement and resources, each thing once, and under which rulebooks."""
    found: dict[str, list[str]] = {}
    for after in plan.body["after"]:
        figures = [plan.figure(after[part]) for part in ("requirement", "resources") if after[part]]
        for words in dict.fromkeys(_hole(hole, lang) for figure in figures for hole in figure.holes):
            found.setdefault(words, []).append(after["rulebook"])
    for words, rulebooks in found.items():
        yield Text(
            _t(lang, f"not known: {words} [{', '.join(rulebooks)}]", f"不明：{words}（{'、'.join(rulebooks)}）"),
            style="magenta",
        )


def _hole(hole: Figure, lang: Lang) -> str:
    why = say(hole.note, lang) if hole.note else ""
    return visible(": ".join(filter(None, (say(hole.name, lang), why))))


def _refill(plan: Plan, lang: Lang) -> Iterator[Table]:
    instalments = plan.body["replenishment"]
    if instalments:
        table = _table(
            _t(lang, "Replenishment", "再積立"), (_t(lang, "on", "日"), ""), (_t(lang, "amount", "金額"), "right")
        )
        for part in instalments:
            table.add_row(part["on"], amount(plan.figure(part["amount"]), lang))
        yield table


def _findings(plan: Plan, lang: Lang) -> Iterator[Text]:
    for finding in plan.body["findings"]:
        style = {"breach": "bold red", "hole": "magenta", "warning": "yellow"}.get(finding["severity"], "dim")
        grave = _t(lang, finding["severity"], Severity[finding["severity"].upper()].ja)
        yield Text(f"{grave}: {_what(plan, finding, lang)} — {finding['next'][lang]}", style=style)


def _what(plan: Plan, finding: Mapping[str, Any], lang: Lang) -> str:
    """What was found, with its amount."""
    told = f": {amount(plan.figure(finding['amount']), lang)}" if finding["amount"] else ""
    return f"{finding['what'][lang]}{told}"


def asked_for(plan: Plan, permission: str, currency: str, lang: Lang) -> list[str]:
    """What an approval would do, line by line, for whoever is about to ask for it."""
    lines = [
        _t(lang, f"asks for plan {plan.name} of {plan.incident}: {plan.people:,} customers", f"{plan.incident}の補償計画{plan.name}：{plan.people:,}人"),
        f"  {_t(lang, 'digest', 'ダイジェスト')}: {plan.digest}",
        f"  {_t(lang, 'permission', '事故確認')}: {visible(permission)}",
    ]  # fmt: skip
    for code, value in moved(plan, currency).items():
        verb = _t(lang, "pays", "支払") if value < 0 else _t(lang, "receives", "受取")
        lines.append(f"  {visible(code)}  {verb} {grouped(value.copy_abs())} {code.split('/')[1]}")
    return lines


def comparison(sides: Sequence[Compared], lang: Lang) -> Table:
    """Plans side by side."""
    table = Table(title=_t(lang, "Plans side by side", "補償計画の比較"), title_justify="left")
    table.add_column("")
    for side in sides:
        table.add_column(escape(visible(side.plan.name)), justify="right", overflow="fold")
    rows = (
        (("approval", "承認"), [say(side.standing, lang) for side in sides]),
        (("customers", "対象者"), [f"{side.plan.people:,}" for side in sides]),
        (("paid", "補償額"), [_lines(amount(figure, lang) for figure in side.pays.values()) for side in sides]),
        (("cost", "費用"), [amount(side.cost, lang) for side in sides]),
        (("who pays", "財源"), [_lines(_payers(side, lang)) for side in sides]),
        (("unpaid", "未払額"), [_lines(amount(figure, lang) for figure in side.unpaid.values()) for side in sides]),
        (("rests on a promise", "約束に基づく財源"), [_lines(_promises(side, lang)) for side in sides]),
        (("customers lose", "補償されない損失"), [_loss(side, lang) for side in sides]),
        (("paid on", "支払日"), [_when(side, lang) for side in sides]),
        (("look at", "要確認"), [_lines(_warnings(side, lang)) for side in sides]),
    )  # fmt: skip
    for (en, ja), cells in rows:
        table.add_row(_t(lang, en, ja), *cells)
    return table


def _lines(parts: Iterator[str]) -> str:
    return "\n".join(parts)


def _payers(side: Compared, lang: Lang) -> Iterator[str]:
    for (kind, _), figure in side.payers.items():
        yield f"{say(KINDS[kind], lang)} {amount(figure, lang)}"


def _promises(side: Compared, lang: Lang) -> Iterator[str]:
    for by, figure in side.plan.promised:
        yield f"{escape(visible(by))} {amount(figure, lang)}"


def _warnings(side: Compared, lang: Lang) -> Iterator[str]:
    """What somebody must look at, as far as no other row says it."""
    for finding in side.plan.body["findings"]:
        if finding["severity"] != "notice" and finding["code"] not in ("unfunded", "rests-on-a-promise"):
            yield escape(visible(_what(side.plan, finding, lang)))


def _loss(side: Compared, lang: Lang) -> str:
    if not side.losers:
        return _t(lang, "nothing", "なし")
    worth = f" ({amount(side.worth, lang)})" if side.worth else ""
    people = _t(lang, f"{side.losers:,} customers", f"{side.losers:,}人")
    return f"{exact_amount(side.loses, lang)}{worth}\n{people}"


def _when(side: Compared, lang: Lang) -> str:
    if side.paid_on is None:
        return _t(lang, "not while a part is unpaid", "財源が決まるまで未定")
    days = _t(lang, f"{side.business_days} business days after the loss", f"発生から{side.business_days}営業日")
    return f"{side.paid_on}\n{days}"
