"""Reports of an incident to the authority (初報・続報), from the figures of its timeline, its plans and its claims.

What the public is told stands in `public_notice.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from junbikin.figures import Figure, Name
from junbikin.home import Home
from junbikin.incidents.claims import Claims, LegClaims, PlanClaims
from junbikin.incidents.deadlines import Deadline
from junbikin.incidents.happenings import Happening
from junbikin.incidents.incident import AUDIENCES, CAUSE_WORDS, REPORTS, STATES, STORAGE_WORDS, Incident, Taken
from junbikin.incidents.plan.document import Plan
from junbikin.incidents.timeline import Event
from junbikin.incidents.waterfall import KINDS
from junbikin.reports.claims import DISPUTED, ENTITLED, disputed, lasted, since, standing_rows
from junbikin.reports.happenings import happening, when
from junbikin.reports.incident_words import permission, priced, worked
from junbikin.reports.told import Grid, Line, Section, Told, joined, same
from junbikin.reports.words import amount, grouped, money

TO_THE_AUTHORITY = {
    "initial": Name("First notice of an incident", "事故報告（初報）"),
    "follow_up": Name("Follow-up report of an incident", "事故報告（続報）"),
}
_OF_LAW = ("text", "official")


@dataclass(frozen=True, slots=True)
class Known:
    """What a report is made of: the incident, what happened, its deadlines, its claims, and the files of its plans by digest."""

    home: Home
    incident: Incident
    happened: Sequence[Happening]
    due: Sequence[Deadline]
    claims: Claims
    plans: dict[str, Plan]
    at: datetime


def report(known: Known, kind: str) -> Told:
    """A report of one of `TO_THE_AUTHORITY`, in both languages."""
    sections = {"initial": _initial, "follow_up": _follow_up}[kind](known)
    return told_by(known, TO_THE_AUTHORITY[kind], sections)


def told_by(known: Known, title: Name, sections: Iterable[Section]) -> Told:
    """The document of those sections that say something, as of when it is known."""
    as_of = Name(f"as of {when(known.home, known.at)}", f"{when(known.home, known.at)}現在")
    parts = tuple(section for section in sections if not section.empty)
    return Told(known.home.operator, title, as_of, known.home.invented, parts)


def _initial(known: Known) -> Iterator[Section]:
    yield _what(known)
    yield _taken(known)
    yield _done(known)
    yield _unknown(known)
    yield _deadlines(known)


def _follow_up(known: Known) -> Iterator[Section]:
    yield _what(known)
    yield _taken(known)
    yield _recovered(known)
    yield _done(known)
    for plan in known.claims.plans:
        yield _plan(known, plan)
        yield _paid(plan)
        yield _after(known, plan)
    yield _disputes(known)
    yield _unknown(known)
    yield _deadlines(known)
    yield _timeline(known)


def _what(known: Known) -> Section:
    of = known.incident
    on_record = _record(of.opening)
    lines = (
        Line(Name("incident", "事故"), Name(f"{of.id}: {of.title}", f"{of.id}：{of.title}")),
        Line(Name("cause", "原因"), CAUSE_WORDS[of.cause], on_record),
        Line(Name("happened", "発生日時"), same(when(known.home, of.occurred_at)), on_record),
        Line(Name("found", "発見日時"), same(when(known.home, of.found_at)), on_record),
        Line(Name("state", "状況"), STATES[of.state], _record(of.states[-1][1])),
        Line(Name("since it was found", "発見からの経過"), _lasted(known)),
    )
    return Section(Name("What happened", "事故の概要"), lines)


def _lasted(known: Known) -> Name:
    span = since(known.incident, known.at)
    return Name(lasted(span, "en"), lasted(span, "ja"))


def _taken(known: Known) -> Section:
    of = known.incident
    titles = (
        Name("asset", "資産"), Name("quantity", "数量"), Name("place", "保管先"), Name("storage", "形態"), Name("provider", "委託先"),
        Name("worth", "評価額"), Name("price and source", "価格と出所"), Name("transactions", "取引"), Name("record", "記録"),
    )  # fmt: skip
    rows = tuple(
        (
            same(each.asset), same(grouped(each.quantity)), same(each.place), STORAGE_WORDS[each.storage], same(each.provider or "—"),
            _worth(of, each), priced(each), same(", ".join(each.transactions) or "—"), same(each.event.record),
        )
        for each in of.taken
    )  # fmt: skip
    grids = (Grid(titles, rows, frozenset({1, 5, 8})),) if rows else ()
    source = worked(of) or Name(
        "quantity × the price of the day of the loss, by the records below", "数量×損失日の価格（下表の記録による）"
    )
    lines = (Line(Name("loss", "損失額"), _amount(of.loss), source, main=True),)
    return Section(Name("What was taken", "被害"), lines, grids)


def _worth(of: Incident, each: Taken) -> Name:
    return Name(money(each.value, of.currency, "en"), money(each.value, of.currency, "ja"))


def _recovered(known: Known) -> Section:
    of = known.incident
    lines = [
        Line(
            Name(f"{each.asset} recovered", f"{each.asset}の回収"),
            same(f"{grouped(each.quantity)} {each.asset}"),
            Name(f"{each.reference}; {_record(each.event).en}", f"{each.reference}、{_record(each.event).ja}"),
        )
        for each in of.recovered
    ]
    if lines:
        lines.append(Line(Name("worth of it", "評価額"), _amount(of.recovery), figure=of.recovery))
    return Section(Name("What came back", "回収"), tuple(lines))


def _done(known: Known) -> Section:
    of = known.incident
    lines = [Line(Name("frozen assets", "凍結した資産"), same(", ".join(of.frozen)))] if of.frozen else []
    lines += [
        Line(STATES[state], same(when(known.home, event.at)), _record(event))
        for state, event in of.states[1:]
    ]  # fmt: skip
    lines += [
        Line(
            Name(f"{REPORTS[event.says['what']].en}, to {AUDIENCES[event.says['to']].en}", f"{REPORTS[event.says['what']].ja}（{AUDIENCES[event.says['to']].ja}）"),
            same(when(known.home, event.at)), _record(event),
        )
        for event in of.reports
    ]  # fmt: skip
    lines += [Line(same(when(known.home, event.at)), same(event.says["text"]), _record(event)) for event in of.notes]
    return Section(Name("What was done", "対応"), tuple(lines))


def _plan(known: Known, plan: PlanClaims) -> Section:
    lines = list(_plan_lines(known, plan))
    files = known.plans.get(plan.approved.plan)
    if files:
        lines += [
            Line(
                Name(f"{KINDS[line['source']].en} pays {line['asset']}", f"{KINDS[line['source']].ja}による{line['asset']}"),
                _amount(files.figure(line["used"])), same(line["id"]), figure=files.figure(line["used"]),
            )
            for line in files.body["funding"]["lines"]
            if files.figure(line["used"]).value != 0
        ]  # fmt: skip
        lines += [
            Line(
                Name(f"unpaid of {asset}", f"{asset}の未払額"),
                _amount(files.figure(digest)),
                figure=files.figure(digest),
            )
            for asset, digest in files.body["funding"]["unpaid"].items()
        ]
        outside = [
            line
            for line in files.body["funding"]["lines"]
            if line["source"] == "outside" and files.figure(line["used"]).value
        ]
        if outside:
            lines.append(
                Line(
                    Name("outside help", "外部支援"),
                    Name("used: what the reserve exists to prevent", "使用：準備金が防ぐべき事態"),
                    same(""),
                )
            )
    approved = plan.approved
    lines.append(
        Line(
            Name("accident confirmation", "事故確認"),
            permission(str(approved.content["permission"])),
            Name(f"books, record {approved.record}", f"帳簿 記録{approved.record}"),
        )
    )
    undone = (" (undone since)", "（取消済）") if approved.reversed else ("", "")
    name = plan.name or approved.plan[:12]
    return Section(Name(f"Plan {name}{undone[0]}", f"補償計画 {name}{undone[1]}"), tuple(lines))


def _plan_lines(known: Known, plan: PlanClaims) -> Iterator[Line]:
    approved, files = plan.approved, known.plans.get(plan.approved.plan)
    by = Name(
        f"asked for by {approved.asked_by}, approved by {approved.approved_by}; books, record {approved.record}, sha256 {approved.plan}",
        f"{approved.asked_by}申請・{approved.approved_by}承認、帳簿 記録{approved.record}、sha256 {approved.plan}",
    )
    yield Line(Name("approved", "承認"), same(when(known.home, approved.at)), by)
    if files:
        yield Line(Name("rule", "補償の基準"), same(files.body["rule"]["title"]))
        yield Line(Name("people affected", "対象者数"), Name(f"{files.people:,}", f"{files.people:,}名"))
        yield Line(Name("cost", "費用"), _amount(files.cost), figure=files.cost, main=True)
        yield Line(Name("payment planned for", "支払予定日"), same(files.body["pays_on"]))
        for leg in files.legs:
            yield Line(Name(f"total in {leg.asset}", f"{leg.asset}の総額"), _amount(leg.total), figure=leg.total)


def _paid(plan: PlanClaims) -> Section:
    titles = (Name("", ""), Name("people", "人数"), Name("amount", "金額"), Name("share", "割合"))
    grids = []
    for leg in plan.legs:
        grids.append(
            Grid(
                titles,
                tuple(
                    (_in(name, leg), same(f"{part.people:,}"), Name(money(part.amount, leg.asset, "en"), money(part.amount, leg.asset, "ja")), same(of_all))
                    for name, part, of_all in standing_rows(leg)
                ),
                frozenset({1, 2, 3}),
            )
        )  # fmt: skip
    return Section(Name("How far it is paid", "支払の状況"), (), tuple(grids))


def _in(name: Name, leg: LegClaims) -> Name:
    return Name(f"{name.en} ({leg.asset})", f"{name.ja}（{leg.asset}）") if name == ENTITLED else name


def _after(known: Known, plan: PlanClaims) -> Section:
    files = known.plans.get(plan.approved.plan)
    if files is None:
        return Section(Name("After payment", "支払後"))
    lines = [
        Line(
            Name(f"under {after['rulebook']}, {name.en}", f"{after['rulebook']}：{name.ja}"), _amount(figure), _not_known(figure),
            figure=figure,
        )
        for after in files.body["after"]
        for key, name in _AFTER.items()
        if after[key]
        for figure in [files.figure(after[key])]
    ]  # fmt: skip
    lines += [
        Line(Name(f"replenishment on {part['on']}", f"{part['on']}の再積立"), _amount(files.figure(part["amount"])))
        for part in files.body["replenishment"]
    ]
    return Section(Name("The reserve after payment, and how it refills", "支払後の準備金と再積立"), tuple(lines))


_AFTER = {
    "requirement": Name("requirement", "要積立額"),
    "resources": Name("resources", "充当可能財源"),
    "gap": Name("surplus or shortfall", "余剰・不足"),
}


def _not_known(figure: Figure) -> Name | None:
    """Which parts of a figure are not known; the first three by name, and how many more."""
    names = list(dict.fromkeys(hole.name for hole in figure.holes))
    if not names:
        return None
    named, more = joined(names[:3]), len(names) - 3
    rest = (f" and {more} more", f"ほか{more}件") if more > 0 else ("", "")
    return Name(f"not known: {named.en}{rest[0]}", f"不明：{named.ja}{rest[1]}")


def _disputes(known: Known) -> Section:
    if not known.claims.disputes:
        return Section(Name("Disputes", "不服申立て"))
    counts = disputed(known.claims)
    lines = tuple(Line(DISPUTED[standing], same(f"{count:,}")) for standing, count in counts.items())
    return Section(Name("Disputes", "不服申立て"), lines)


def _unknown(known: Known) -> Section:
    of = known.incident
    missing = [Name(f"the worth of {each.asset} at {each.place}: {each.priced}", f"{each.place}の{each.asset}の評価額（当日の価格がない）") for each in of.taken if each.value is None]  # fmt: skip
    if not of.taken:
        missing.append(Name("what was taken", "被害の内容"))
    if not known.claims.plans:
        missing.append(Name("who is owed what: no plan is approved yet", "補償額：承認された計画はまだない"))
    if not missing:
        return Section(Name("What is not known", "不明な事項"))
    return Section(Name("What is not known", "不明な事項"), (Line(Name("not known", "不明"), joined(missing)),))


def _deadlines(known: Known) -> Section:
    """What the law asks for by when; what the firm has set itself is its own matter, and is looked after on the incident's screen."""
    by_rule = groupby(
        (each for each in known.due if each.rule.provenance in _OF_LAW),
        lambda each: (each.rule, each.standing(known.at)),
    )
    lines = tuple(_deadline(known, list(alike)) for _, alike in by_rule)
    none = Name(
        "No law or order in the rulebooks in force here sets a term for this incident; the firm's own terms are kept by itself.",
        "適用中の規則集には、本件に期限を定める法令・命令はない（当社が自ら定めた期限は社内で管理）。",
    )
    return Section(Name("Deadlines of law", "法令上の期限"), lines, sentences=() if lines else (none,))


def _deadline(known: Known, alike: Sequence[Deadline]) -> Line:
    """Deadlines of one rule that stand alike, one after the other, on one line."""
    first, rule, words = alike[0], alike[0].rule, alike[0].standing(known.at).words
    days = ", ".join(f"{when(known.home, each.due_at)}{_kept(known, each)}" for each in alike)
    return Line(
        first.name,
        Name(f"by {days}: {words.en}", f"{days}まで：{words.ja}"),
        Name(f"{rule.rulebook}: {rule.citation}", f"{rule.rulebook}：{rule.citation_ja}"),
        rule.provenance,
    )


def _kept(known: Known, each: Deadline) -> str:
    return f" ({when(known.home, each.kept_by.at)})" if each.kept_by else ""


def _timeline(known: Known) -> Section:
    rows = tuple(
        (same(when(known.home, each.at)), Name(happening(each, "en"), happening(each, "ja")), same(each.by), same(each.record))
        for each in known.happened
    )  # fmt: skip
    titles = (Name("at", "日時"), Name("what", "出来事"), Name("told by", "記録者"), Name("record", "記録"))
    return Section(Name("Timeline", "経過"), (), (Grid(titles, rows, frozenset({3})),))


def _record(event: Event) -> Name:
    return Name(f"books, record {event.record}, by {event.by}", f"帳簿 記録{event.record}（{event.by}）")


def _amount(figure: Figure) -> Name:
    return Name(amount(figure, "en"), amount(figure, "ja"))
