"""The notice to one customer (利用者への通知): what they are owed, how that is reached, how it is paid, and how to dispute it."""

from __future__ import annotations

from collections.abc import Iterator

from junbikin.figures import Data, Figure, Name, Rule
from junbikin.home import Home
from junbikin.incidents.claims import STANDINGS
from junbikin.incidents.disputes import Dispute
from junbikin.incidents.incident import CAUSE_WORDS
from junbikin.incidents.notices import Notice, Owed
from junbikin.incidents.pay.statuses import Status
from junbikin.reports.incident import when
from junbikin.reports.told import Line, Section, Told, same
from junbikin.reports.words import amount, exact_amount, grouped, operation

_CHANNELS = {
    "bank": Name("to your bank account", "銀行口座へ振込"),
    "account": Name("to your account with us", "当社の口座へ入金"),
    "address": Name("to your address", "ご指定のアドレスへ送付"),
}
DISPUTE = Name(
    "If you hold this to be wrong, tell us what you are owed instead and what shows it. It goes on record; two people decide it, and you are told why.",
    "金額に異議がある場合は、正しいと考える金額と根拠となる資料をお知らせください。申立ては記録され、二名が裁定し、理由をお伝えします。",
)  # fmt: skip


def notice_told(home: Home, notice: Notice) -> Told:
    """The notice in both languages."""
    of = notice.incident
    head = (
        Line(Name("account", "口座"), same(notice.account)),
        Line(Name("what happened", "出来事"), same(of.title), Name(CAUSE_WORDS[of.cause].en, CAUSE_WORDS[of.cause].ja)),
        Line(Name("when", "発生日時"), same(when(home, of.occurred_at))),
        Line(
            Name("plan", "補償計画"),
            same(notice.plan.body["rule"]["title"]),
            Name(f"approved by two people on {when(home, notice.approved.at)}, sha256 {notice.plan.digest}", f"{when(home, notice.approved.at)} 二者承認、sha256 {notice.plan.digest}"),
        ),
    )  # fmt: skip
    sections = [Section(Name("Notice", "通知"), head)]
    sections += [_of(each, notice) for each in notice.owed]
    disputes = tuple(_dispute(home, each) for each in notice.disputes)
    sections.append(Section(Name("If you disagree", "異議の申立て"), (Line(Name("how", "方法"), DISPUTE), *disputes)))
    title = Name("Notice of compensation", "補償のお知らせ")
    return Told(home.operator, title, same(when(home, notice.approved.at)), home.invented, tuple(sections))


def _of(owed: Owed, notice: Notice) -> Section:
    asset = str(owed.amount.unit)
    lines = [
        Line(Name("you are owed", "補償額"), _amount(owed.amount)),
        *(_derived(figure) for figure in steps(owed.amount)),
        Line(Name("how it is paid", "支払方法"), _way(owed)),
        Line(Name("to be paid on", "支払予定日"), same(notice.plan.body["pays_on"])),
        Line(Name("how it stands", "状況"), _standing(owed)),
    ]
    return Section(same(asset), tuple(lines))


def steps(figure: Figure) -> Iterator[Figure]:
    """What an amount is made of, from what was held on; sums over everybody are not opened further."""
    for part in figure.inputs:
        if not part.key.startswith("plan."):
            yield from steps(part)
        yield part


def _derived(figure: Figure) -> Line:
    value = Name(exact_amount(figure, "en"), exact_amount(figure, "ja"))
    if figure.op == "×":
        return Line(figure.name, value)  # its name says of what
    if figure.inputs and not figure.key.startswith("plan."):
        en, ja = (operation(figure, lang) for lang in ("en", "ja"))
        parts = Name(f"{en}: {' · '.join(each.name.en for each in figure.inputs)}", f"{ja}：{'・'.join(each.name.ja for each in figure.inputs)}")  # fmt: skip
        return Line(figure.name, value, parts)
    source = figure.source
    if isinstance(source, Rule):
        return Line(figure.name, value, Name(source.citation, source.citation_ja), source.provenance)
    if isinstance(source, Data):
        return Line(figure.name, value, same(f"{source.dataset}: {source.query}"))
    return Line(figure.name, value, same(source.by) if source else None)


def _amount(figure: Figure) -> Name:
    return Name(amount(figure, "en"), amount(figure, "ja"))


def _way(owed: Owed) -> Name:
    payee = owed.payee
    if payee is None:
        return Name("as you instruct us", "ご指図の方法による")
    if payee.status is not Status.OK:
        return Name(
            f"it is kept for you on trust: {payee.status.says.en}; {payee.status.then.en}",
            f"信託で保管中：{payee.status.says.ja}（{payee.status.then.ja}）",
        )
    way = _CHANNELS[payee.channel]
    return Name(f"{way.en} {payee.to}".rstrip(), f"{way.ja} {payee.to}".rstrip())


def _standing(owed: Owed) -> Name:
    if owed.amount.value == 0:
        return Name("nothing is paid: your share rounds to nothing", "端数処理により0のため支払なし")
    name = STANDINGS[owed.standing]
    why = (f": {owed.reason}", f"：{owed.reason}") if owed.reason else ("", "")
    run = (f", run {owed.run}", f"（第{owed.run}回）") if owed.run else ("", "")
    return Name(f"{name.en}{run[0]}{why[0]}", f"{name.ja}{run[1]}{why[1]}")


def _dispute(home: Home, dispute: Dispute) -> Line:
    words = dispute.standing.words
    value = (
        Name(words.en, words.ja)
        if dispute.decision is None or dispute.decision.adjustment == 0
        else Name(f"{words.en}: {grouped(dispute.decision.adjustment)} {dispute.asset} besides", f"{words.ja}：加算{grouped(dispute.decision.adjustment)} {dispute.asset}")
    )  # fmt: skip
    filed = when(home, dispute.at)
    return Line(Name(f"your dispute of {filed}", f"{filed}の申立て"), value, same(dispute.claims))
