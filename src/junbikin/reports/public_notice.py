"""The notice of an incident to the public (公表): what happened, what is made good and how far, and what customers are to do.

It names no person, place or provider, and prints no words that were written for the firm's own use, such as an incident's title.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from junbikin.figures import Name
from junbikin.figures.amounts import EXACT
from junbikin.incidents.claims import LegClaims, Part, PlanClaims
from junbikin.incidents.incident import CAUSE_WORDS
from junbikin.incidents.plan.document import Plan
from junbikin.incidents.standing import Standing
from junbikin.reports.claims import paid_share
from junbikin.reports.happenings import when
from junbikin.reports.incident_report import Known, told_by
from junbikin.reports.incident_words import made_good
from junbikin.reports.notice import CONTACT, DISPUTE
from junbikin.reports.told import Grid, Line, Section, Told, same
from junbikin.reports.words import amount, grouped, money

TITLE = Name("Notice of an incident and of its compensation", "お知らせ：事故の発生と補償について")
_SORRY = Name(
    "[what happened in the firm's own words, its apology, and what it does that it does not happen again: to be filled in]",
    "［経緯のご説明・お詫び・再発防止策：事業者記入欄］",
)
_STATES = {
    "opened": Name("being dealt with", "対応中"),
    "contained": Name("no further loss can occur in this way", "被害の拡大を防止済み"),
    "compensating": Name("customers are being compensated", "補償を実施中"),
    "closed": Name("closed", "対応終了"),
}


def public_notice(known: Known) -> Told:
    """The notice in both languages."""
    return told_by(known, TITLE, _sections(known))


def _sections(known: Known) -> Iterator[Section]:
    yield _what(known)
    yield _taken(known)
    yield _frozen(known)
    for plan in known.claims.plans:
        if not plan.approved.reversed:
            yield _plan(plan, known.plans.get(plan.approved.plan))
    yield _asked(known)
    yield Section(Name("If you disagree with what you are owed", "補償額に異議がある場合"), sentences=(DISPUTE,))
    yield CONTACT


def _what(known: Known) -> Section:
    of = known.incident
    lines = (
        Line(Name("cause", "原因"), CAUSE_WORDS[of.cause]),
        Line(Name("happened", "発生日時"), same(when(known.home, of.occurred_at))),
        Line(Name("found", "発見日時"), same(when(known.home, of.found_at))),
        Line(Name("state", "状況"), _STATES[of.state]),
    )
    return Section(Name("What happened", "事故の概要"), lines, sentences=(_SORRY,))


def _taken(known: Known) -> Section:
    of, sums = known.incident, dict[str, Decimal]()
    for each in of.taken:
        sums[each.asset] = EXACT.add(sums.get(each.asset, Decimal(0)), each.quantity)
    lost = tuple(Line(same(asset), same(f"{grouped(quantity)} {asset}")) for asset, quantity in sorted(sums.items()))
    source = Name("at the prices of the day of the loss", "損失日の価格による")
    worth = Name(amount(of.loss, "en"), amount(of.loss, "ja"))
    return Section(Name("What was lost", "被害"), (Line(Name("worth", "被害額"), worth, source, main=True), *lost))


def _frozen(known: Known) -> Section:
    frozen = known.incident.frozen
    title = Name("What stands still", "お取扱いの停止")
    if not frozen:
        return Section(title)
    words = Name(
        f"There is no deposit, withdrawal or trade in {', '.join(frozen)} until further notice.",
        f"{'、'.join(frozen)}の入出庫・売買を停止しています。再開は改めてお知らせします。",
    )
    return Section(title, sentences=(words,))


def _plan(plan: PlanClaims, files: Plan | None) -> Section:
    lines = []
    if files:
        lines = [
            Line(Name("for", "対象"), _customers(files.people)),
            *(Line(Name("how", "補償の方法"), made_good(leg, str(files.owed.unit))) for leg in files.legs),
            Line(Name("payment planned for", "お支払い予定日"), same(files.body["pays_on"])),
        ]
    titles = (
        Name("", ""), Name("customers", "人数"), Name("amount", "金額"), Name("paid", "支払済"), Name("being sent", "支払手続中"), Name("not paid yet", "未払"), Name("share paid", "支払済の割合"),
    )  # fmt: skip
    rows = tuple(_row(leg) for leg in plan.legs)
    upheld = files is not None and files.body["rule"]["affected"]["who"] == "disputes"
    title = (
        Name("Compensation by disputes that were upheld", "異議の認容による補償")
        if upheld
        else Name("Compensation", "補償")
    )
    return Section(title, tuple(lines), (Grid(titles, rows, frozenset(range(1, 7))),))


def _customers(people: int) -> Name:
    return Name(f"{people:,} customer{'' if people == 1 else 's'}", f"{people:,}名のお客様")


def _row(leg: LegClaims) -> tuple[Name, ...]:
    kept = leg.parts[Standing.RETURNED] + leg.parts[Standing.UNPAID]
    paid, sent = leg.parts[Standing.SETTLED], leg.parts[Standing.OUT]
    amounts = (_money(leg, part) for part in (leg.entitled, paid, sent, kept))
    return (same(leg.asset), same(f"{leg.entitled.people:,}"), *amounts, same(paid_share(leg)))


def _money(leg: LegClaims, part: Part) -> Name:
    return Name(money(part.amount, leg.asset, "en"), money(part.amount, leg.asset, "ja"))


def _asked(known: Known) -> Section:
    """What customers who cannot be paid yet are asked to do."""
    title = Name("What we ask of you", "お客様へのお願い")
    waiting = [
        Name(f"{_customers(people).en} in {leg.asset}", f"{leg.asset} {people:,}名")
        for plan in known.claims.plans
        if not plan.approved.reversed
        for leg in plan.legs
        if (people := _cannot_be_paid(leg))
    ]
    if not waiting:
        return Section(title)
    words = Name(
        "Some payments cannot be made, since we do not know where to send them or they came back to us: "
        f"{', '.join(each.en for each in waiting)}. If you have not been paid, please tell us where to pay you. "
        "What you are owed is set apart for you until then.",
        f"お支払い先のお届けがない、またはお届けの内容ではお支払いできないお客様がいらっしゃいます（{'、'.join(each.ja for each in waiting)}）。"
        "お支払いがお済みでない場合は、お支払い先をお知らせください。それまでお客様の補償額は分別して保管します。",
    )
    return Section(title, sentences=(words,))


def _cannot_be_paid(leg: LegClaims) -> int:
    judged = sum(part.people for status, part in leg.kept_for.items() if status.word != "ok")
    return judged + leg.parts[Standing.RETURNED].people
