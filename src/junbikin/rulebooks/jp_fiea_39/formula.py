"""Japan, FIEA 39(3): whether a loss may be made good without confirmation before, by FIB Ordinance 118 and 119."""

from datetime import date, timedelta

from junbikin.calendars import months_after
from junbikin.errors import BadInput
from junbikin.figures import Figure, Name, smallest
from junbikin.rulebooks.interface import Case, Item, Permission
from junbikin.rulebooks.parameters import Rules

ACTS = {
    "イ": Name("trading without confirming the order", "注文の内容を確認しない取引"),
    "ロ": Name("misleading solicitation", "誤認させる勧誘"),
    "ハ": Name("a clerical mistake in executing an order", "注文の執行における事務処理の誤り"),
    "ニ": Name("a system failure in executing an order", "電子情報処理組織の異常による執行の誤り"),
    "ホ": Name("another act against laws and regulations", "その他法令に違反する行為"),
}
NONE = "none"
DECIDED = ("i", "ii", "iii", "iv", "v", "vi", "vii")
JA = {
    "i": "一",
    "ii": "二",
    "iii": "三",
    "iv": "四",
    "v": "五",
    "vi": "六",
    "vii": "七",
    "viii": "八",
    "ix": "九",
    "x": "十",
    "xi": "十一",
}


def permission(case: Case, rules: Rules) -> Permission:
    """Item by item, in the order of the ordinance: the later ones only where none before them applies."""
    _known_grounds(case, rules)
    _not_below_zero(case)
    act, accident = _accident(case, rules)
    decided = [_for_everyone(_decided(key, case, rules), case, rules) for key in DECIDED]
    settled = _by_accident(_limited("viii", case, rules, "exempt.viii_writing"), accident)
    settled = _for_everyone(settled, case, rules)
    confirmed = _behind(_by_accident(_limited("ix", case, rules), accident), [*decided, settled])
    before = [*decided, settled, confirmed]
    evident = _behind(_evident(act, case, rules), before)
    counted = _counted(act, case, rules, evident)
    small = _behind(_small(act, counted, rules), before)
    covered = [item.applies for item in (*before, small)]
    whole = evident.applies and _all_of_it(case)
    needed = None if None in (*covered, whole) and not any((*covered, whole)) else not any((*covered, whole))
    items = (*before, small, evident)
    scope = Item(
        "scope",
        Name("governs crypto-assets", "暗号資産への適用"),
        None,
        Name("by analogy: written for securities", "有価証券についての規定の類推"),
        rules.choice("scope.crypto", ["analogy"])[1],
    )
    steps = (case.largest, counted, *(rules.number(f"limit.{key}") for key in ("viii", "ix", "scrivener", "x")))
    return Permission(scope, act, accident, items, needed, _report_by(case, rules, items, needed), steps)


def _known_grounds(case: Case, rules: Rules) -> None:
    keys = [*DECIDED, "viii", "viii_writing", "ix", "xi_shown"]
    known = frozenset().union(*(rules.words(f"exempt.{key}")[0] for key in keys))
    for ground in sorted(case.grounds - known):
        raise BadInput(f"{ground!r} is no ground that the rule knows", then="use " + ", ".join(sorted(known)))
    if case.act and case.act not in (*ACTS, NONE):
        raise BadInput(f"{case.act!r} is no act of the rule", then=f"use {', '.join(ACTS)}, or {NONE}")


def _not_below_zero(case: Case) -> None:
    for amount in (case.largest, case.per_day, case.evident):
        if amount.value is not None and amount.known < 0:
            raise BadInput(f"{amount.name.en} is {amount.known}", then="state an amount of 0 or more")


def _accident(case: Case, rules: Rules) -> tuple[str, Item]:
    read, rule = rules.choice(f"act.{case.cause}", [*ACTS, NONE])
    act = case.act or read
    name = Name("an accident", "事故")
    if act == NONE:
        why = Name(
            "no act of the firm's representatives or staff that 118 lists caused it: a theft from outside is not squarely an accident",
            "118条に掲げる代表者等の行為によらない。外部からの窃取は正面からは事故に当たらない",
        )
        return act, Item("118", name, False, why, rule)
    stated = (" (as stated)", "（申告による）") if case.act else (" (as the cause is read)", "（原因の読み方による）")
    what = ACTS[act]
    return act, Item(
        "118", name, True, Name(f"118(i) {act}: {what.en}{stated[0]}", f"118条1号{act}：{what.ja}{stated[1]}"), rule
    )


def _item(key: str, name: Name, applies: bool | None, why: Name, rules: Rules, parameter: str = "") -> Item:
    _, rule = rules.word(parameter or f"exempt.{key}")
    return Item(
        key, Name(f"FIB Ordinance 119(1)({key}) {name.en}", f"府令119条1項{JA[key]}号 {name.ja}"), applies, why, rule
    )


def _decided(key: str, case: Case, rules: Rules) -> Item:
    words, _ = rules.words(f"exempt.{key}")
    name = rules.parameters[f"exempt.{key}"].name
    there = bool(words & case.grounds)
    why = Name("it is there", "該当する") if there else Name("none is stated", "申告なし")
    return _item(
        key, Name(name.en.removeprefix("ground: "), name.ja.removeprefix("確認を要しない場合：")), there, why, rules
    )


def _limited(key: str, case: Case, rules: Rules, also: str = "") -> Item:
    """A settlement or a committee's word: it is stated, so is what must come with it, and the amount is within its limit."""
    words, _ = rules.words(f"exempt.{key}")
    parameter = rules.parameters[f"exempt.{key}"].name
    name = Name(parameter.en.removeprefix("ground: "), parameter.ja.removeprefix("確認を要しない場合："))
    stated = words & case.grounds
    if not stated:
        return _item(key, name, False, Name("none is stated", "申告なし"), rules)
    if also and not rules.words(also)[0] & case.grounds:
        return _item(key, name, False, Name("no written confirmation is stated", "確認の書面等の申告なし"), rules)
    by_scriveners = all("scrivener" in word for word in stated)
    limit = rules.number("limit.scrivener" if by_scriveners else f"limit.{key}")
    applies, why = _within(case.largest, limit)
    return _item(key, name, applies, why, rules)


def _for_everyone(item: Item, case: Case, rules: Rules) -> Item:
    """The item, which is one customer's alone, and so must be shown for each."""
    if item.applies is False or item.key not in rules.words("exempt.each")[0] or case.shown >= case.people:
        return item
    why = Name(
        f"it holds for the customer whose it is, and is shown for {case.shown:,} of {case.people:,}",
        f"当該顧客についてのみ当たり、{case.people:,}人中{case.shown:,}人分の書面しかない",
    )
    return Item(item.key, item.name, False, why, item.rule)


def _by_accident(item: Item, accident: Item) -> Item:
    """The item, which asks that the payment makes good a loss by an accident: (viii)(c) and (ix)(b)."""
    if item.applies is False or accident.applies:
        return item
    why = Name("it holds only for a loss by an accident", "事故による損失に限る")
    return Item(item.key, item.name, accident.applies, why, item.rule)


def _within(amount: Figure, limit: Figure) -> tuple[bool | None, Name]:
    if amount.value is None:
        return None, Name("the amount is not stated", "金額の申告がない")
    most = f"{limit.known:,}"
    if amount.known <= limit.known:
        return True, Name(f"{amount.known:,} is at most {most} yen", f"{amount.known:,}円は{most}円以下")
    return False, Name(f"{amount.known:,} is above {most} yen", f"{amount.known:,}円は{most}円を超える")


def _evident(act: str, case: Case, rules: Rules) -> Item:
    name = Name("a mistake in executing orders that the books show", "帳簿書類等により明らかな執行の誤り")
    if act not in rules.words("exempt.xi")[0]:
        return _item("xi", name, False, Name("no such act", "該当する行為でない"), rules)
    if not rules.words("exempt.xi_shown")[0] & case.grounds:
        return _item(
            "xi",
            name,
            False,
            Name("it is not stated that the books show it", "帳簿書類等により明らかとの申告なし"),
            rules,
        )
    return _item("xi", name, True, Name("the books show it", "帳簿書類等により明らか"), rules)


def _all_of_it(case: Case) -> bool:
    """Whether the books show all of it: what is evident is not stated as a part, or is the whole."""
    if case.evident.value is None:
        return True
    return case.per_day.value is not None and case.evident.known >= case.per_day.known


def _counted(act: str, case: Case, rules: Rules, evident: Item) -> Figure:
    """What counts toward the limit of one day: less what the books show, for the acts of which 119(2) says so."""
    counted = case.per_day
    if evident.applies and act in rules.words("exempt.deducted")[0] and case.evident.value is not None:
        counted = case.per_day - smallest(case.evident, case.per_day)
    return counted.named("counted", "counts toward the limit of one day", "一日の上限に算入する額")


def _small(act: str, counted: Figure, rules: Rules) -> Item:
    name = Name("a small sum for one day's trades", "一日の取引につき少額")
    if act not in rules.words("exempt.x")[0]:
        return _item("x", name, False, Name("no act of 118(i)", "118条1号の行為でない"), rules)
    applies, why = _within(counted, rules.number("limit.x"))
    return _item("x", name, applies, why, rules)


def _behind(item: Item, before: list[Item]) -> Item:
    """The item, which does not apply where one before it does."""
    earlier = next((each.key for each in before if each.applies), "")
    if not earlier or item.applies is False:
        return item
    why = Name(f"({earlier}) applies before it", f"{JA[earlier]}号が先に当たる")
    return Item(item.key, item.name, False, why, item.rule)


def _report_by(case: Case, rules: Rules, items: tuple[Item, ...], needed: bool | None) -> date | None:
    """The end of the following month, where what is paid without confirmation is paid under an item that asks for a report."""
    asked, _ = rules.words("report.items")
    if needed is not False or not any(item.applies and item.key in asked for item in items):
        return None
    following = months_after(case.on.replace(day=1), rules.integer("report.months") + 1)
    return following - timedelta(days=1)
