"""The notice to one customer (利用者への通知): what they are owed, how that is reached, how it is paid, and how to dispute it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from junbikin.figures import Name
from junbikin.home import Home
from junbikin.incidents.disputes import Dispute
from junbikin.incidents.incident import CAUSE_WORDS
from junbikin.incidents.notices import Notice, Owed
from junbikin.incidents.pay.statuses import Status
from junbikin.incidents.standing import Standing
from junbikin.reports.happenings import when
from junbikin.reports.incident_words import percent, percent_of, price_rule, reason
from junbikin.reports.told import BLANK, Line, Section, Told, same
from junbikin.reports.words import amount, exact_amount, grouped, money

_WAYS = {
    "bank": Name("to your bank account", "銀行口座へ振込"),
    "account": Name("to your account with us", "当社の口座へ入金"),
    "address": Name("to your address", "ご指定のアドレスへ送付"),
}
_CHANNELS = {"zengin": "bank", "iso20022": "bank", "account": "account", "custodian": "address"}
_STANDINGS = {
    Standing.SETTLED: Name("paid", "お支払い済みです"),
    Standing.OUT: Name("on its way", "お支払いの手続中です"),
    Standing.RETURNED: Name(
        "it came back to us, and is kept for you", "お支払いができず、当社で分別して保管しています"
    ),
    Standing.UNPAID: Name("not sent yet; it is kept for you", "お支払い前です。当社で分別して保管しています"),
}
DISPUTE = Name(
    "If you hold this to be wrong, tell us what you are owed instead and what shows it. It goes on record; two people decide it, and you are told why.",
    "金額に異議がある場合は、正しいと考える金額と根拠となる資料をお知らせください。申立ては記録し、二名の担当者が審査のうえ、結果と理由をお知らせします。",
)  # fmt: skip
SORRY = Name(
    "[the firm's words to its customers on what happened, and its apology: to be filled in]",
    "［経緯のご説明とお詫び：事業者記入欄］",
)
CONTACT = Section(
    Name("Whom to ask", "お問い合わせ窓口"),
    (Line(Name("telephone, address, hours", "電話番号・連絡先・受付時間"), BLANK),),
)


def notice_told(home: Home, notice: Notice, at: datetime) -> Told:
    """The notice in both languages, as of an instant."""
    of = notice.incident
    sections = [_of(home, each, notice) for each in notice.owed]
    about = (
        Line(Name("account", "口座"), same(notice.account)),
        Line(Name("what happened", "事故の内容"), CAUSE_WORDS[of.cause], same(of.title)),
        Line(Name("when", "発生日時"), same(when(home, of.occurred_at))),
        Line(
            Name("plan", "補償計画"),
            Name(f"approved by two people on {when(home, notice.approved.at)}", f"{when(home, notice.approved.at)} 二者承認"),
            Name(f"{notice.plan.body['rule']['title']}; sha256 {notice.plan.digest}", f"{notice.plan.body['rule']['title']}、sha256 {notice.plan.digest}"),
        ),
    )  # fmt: skip
    sections.append(Section(Name("What this is about", "この通知について"), about, sentences=(SORRY,)))
    disputes = tuple(_dispute(home, each) for each in notice.disputes)
    sections.append(Section(Name("If you disagree", "異議の申立て"), disputes, sentences=(DISPUTE,)))
    sections.append(CONTACT)
    title = Name("Notice of compensation", "補償のお知らせ")
    as_of = Name(f"as of {when(home, at)}", f"{when(home, at)}現在")
    return Told(home.operator, title, as_of, home.invented, tuple(sections))


def _of(home: Home, owed: Owed, notice: Notice) -> Section:
    title = Name("You are owed", "補償額")
    if len(notice.owed) > 1:
        title = Name(f"You are owed, in {owed.leg.asset}", f"補償額（{owed.leg.asset}）")
    lines = (
        Line(Name("amount", "金額"), Name(amount(owed.amount, "en"), amount(owed.amount, "ja")), main=True),
        Line(Name("how it is reached", "計算"), _worked(owed)),
        Line(Name("how it stands", "状況"), _standing(owed)),
        *_payment(home, owed, notice),
    )
    return Section(title, lines, digits=tuple(_digits(home, owed, notice)))


def _worked(owed: Owed) -> Name:
    """The arithmetic on one line, shares in per cent for reading."""
    reached, unit = owed.reached, owed.leg.asset
    parts = [same(exact_amount(reached.held))]
    if not reached.whole:
        lost = percent_of(reached.made_good.known, reached.held_by_all.known)
        parts.append(Name(f"{lost.en} (lost)", f"{lost.ja}（損失の割合）"))
    if reached.share.value != 1:
        share = percent(reached.share)
        parts.append(Name(f"{share} (paid in {unit})", f"{share}（{unit}で支払う割合）"))
    if reached.price is not None:
        parts.append(Name(money(reached.price.known, unit, "en"), money(reached.price.known, unit, "ja")))
    return Name(" × ".join(part.en for part in parts), " × ".join(part.ja for part in parts))


def _digits(home: Home, owed: Owed, notice: Notice) -> Iterator[Line]:
    reached, affected = owed.reached, notice.plan.held.unit
    yield Line(
        Name(f"your {affected}", f"対象となる{affected}"), same(exact_amount(reached.held)), _counted(home, notice)
    )
    if not reached.whole:
        lost = Name("what was lost ÷ what all customers held", "損失の割合（損失÷全利用者の残高）")
        yield Line(lost, same(f"{exact_amount(reached.made_good)} ÷ {exact_amount(reached.held_by_all)}"))
    if reached.share.value != 1:
        yield Line(
            Name(f"share paid in {owed.leg.asset}", f"{owed.leg.asset}で支払う割合"), same(exact_amount(reached.share))
        )
    if reached.price is not None:
        price = same(f"{money(reached.price.known, owed.leg.asset, 'en')} = 1 {affected}")
        yield Line(Name("price", "価格"), price, price_rule(home, notice.plan, owed.leg.told))
    yield Line(Name("multiplied, rounded down", "積（端数切捨て）"), same(exact_amount(reached.down)))
    cut = owed.leg.told
    yield Line(
        Name("what rounding left of the total, a unit each to the largest remainders", "端数調整（総額との差を端数の大きい順に1単位ずつ加算）"),
        same(exact_amount(reached.more)),
        Name(
            f"your remainder is {grouped(reached.remainder)} of a unit; from {grouped(reached.least)} on there is one more "
            f"({cut.remainder} ÷ {cut.denominator}; of equals, numbers up to {cut.number})",
            f"お客様の端数は1単位の{grouped(reached.remainder)}、加算は{grouped(reached.least)}以上"
            f"（{cut.remainder}÷{cut.denominator}、同順位は番号{cut.number}まで）",
        ),
    )  # fmt: skip


def _counted(home: Home, notice: Notice) -> Name:
    """Of when and of what a customer's holding was counted."""
    affected = notice.plan.body["rule"]["affected"]
    if affected["who"] != "holders":
        return Name(f"as stated in the plan ({affected['who']})", "補償計画の対象者一覧による")
    at = when(home, datetime.fromisoformat(affected["at"]))
    return Name(f"your balance at {at}, by our records", f"{at}時点の残高（当社の記録による）")


def _payment(home: Home, owed: Owed, notice: Notice) -> Iterator[Line]:
    """How it is or was paid, and on which day."""
    if owed.amount.value == 0:
        return
    sent, payee = owed.sent, owed.payee
    if sent is None or owed.standing is Standing.RETURNED:
        yield Line(Name("how it is paid", "お支払い方法"), _way(owed))
        if payee is None or payee.status is Status.OK:
            yield Line(Name("planned for", "お支払い予定日"), same(notice.plan.body["pays_on"]))
        return
    kind = _CHANNELS[sent.channel]
    to = payee.to if payee is not None and payee.channel == kind else ""
    yield Line(Name("how it is paid", "お支払い方法"), Name(f"{_WAYS[kind].en} {to}".rstrip(), f"{_WAYS[kind].ja} {to}".rstrip()))  # fmt: skip
    day = sent.says["value_on"] or sent.at.astimezone(home.time_zone).date()
    yield Line(
        Name("value date" if sent.says["value_on"] else "sent on", "振込日" if kind == "bank" else "手続日"), same(day)
    )


def _way(owed: Owed) -> Name:
    payee = owed.payee
    if payee is None:
        return Name("as you instruct us", "ご指定の方法によります")
    if payee.status is not Status.OK:
        return Name(
            f"please tell us anew where to pay it: {payee.status.says.en}",
            f"お支払い先を改めてお知らせください（{payee.status.says.ja}）",
        )
    way = _WAYS[payee.channel]
    return Name(f"{way.en} {payee.to}".rstrip(), f"{way.ja} {payee.to}".rstrip())


def _standing(owed: Owed) -> Name:
    if owed.amount.value == 0:
        return Name("nothing is paid: your share rounds to nothing", "端数処理の結果0となるため、お支払いはありません")
    name = _STANDINGS[owed.standing]
    if not owed.reason:
        return name
    why = reason(owed.reason)
    return Name(f"{name.en}: {why.en}", f"{name.ja}（{why.ja}）")


def _dispute(home: Home, dispute: Dispute) -> Line:
    words = dispute.standing.words
    value = (
        words
        if dispute.decision is None or dispute.decision.adjustment == 0
        else Name(f"{words.en}: {grouped(dispute.decision.adjustment)} {dispute.asset} besides", f"{words.ja}：{grouped(dispute.decision.adjustment)} {dispute.asset}を加算")
    )  # fmt: skip
    filed = when(home, dispute.at)
    return Line(Name(f"your dispute of {filed}", f"{filed}の申立て"), value, same(dispute.claims))
