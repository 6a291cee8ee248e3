"""Words of an incident in both languages where the books have one form only: reasons, permissions, prices, ways to make good, shares.

What a person wrote stays as it was written.
"""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal

from junbikin.figures import Figure, Name, Rounding, exact
from junbikin.figures.amounts import EXACT, quotient
from junbikin.home import Home
from junbikin.incidents.incident import Incident, Taken
from junbikin.incidents.plan.document import Plan, PlanLeg
from junbikin.incidents.plan.legs import Told
from junbikin.reports.words import Lang, grouped, money

_REASONS = {
    "address-not-whitelisted": Name("address not whitelisted", "送付先アドレスが未登録"),
    "network-rejected": Name("rejected by the network", "ネットワークで不成立"),
    "withdrawn": Name("withdrawn before it was carried out", "実行前に取下げ"),
    "no reason given": Name("no reason given", "理由の記載なし"),
    "others": Name("others", "その他"),
}
_PERMISSIONS = {"confirmed: ": "事故確認済：", "exempt: ": "事故確認を要しない場合に該当："}
_PRICED = re.compile(
    r"(?P<price>\d[\d.]*) (?P<currency>[A-Z]+), last (?P<pair>\S+) of (?P<day>\S+), source (?P<source>[^;]+)"
)


def reason(word: str) -> Name:
    """Why a payment came back: a bank's code, a custodian's word, or what they wrote."""
    code = word.removeprefix("code ")
    if code != word:
        return Name(f"the bank's code {code}", f"振込結果コード{code}")
    return _REASONS.get(word, Name(word, word))


def permission(text: str) -> Name:
    """That an accident is confirmed, or need not be, and by what."""
    for start, ja in _PERMISSIONS.items():
        if text.startswith(start):
            return Name(text, ja + text.removeprefix(start))
    return Name(text, text)


def price_of(taken: Taken) -> Decimal | None:
    """The price at which it was valued, when it is one price and gives just that worth."""
    found = _PRICED.fullmatch(taken.priced)
    if found is None or taken.value is None:
        return None
    price = exact(found["price"])
    return price if EXACT.multiply(price, taken.quantity) == taken.value else None


def priced(taken: Taken) -> Name:
    """At which price it was valued, and whose."""
    found = _PRICED.fullmatch(taken.priced)
    if found is None:
        return Name(taken.priced, taken.priced)
    price, pair, day, source = exact(found["price"]), found["pair"], found["day"], found["source"]
    return Name(
        f"{money(price, found['currency'], 'en')}, last {pair} of {day}, source {source}",
        f"{money(price, found['currency'], 'ja')}（{day}の{pair}終値、出所 {source}）",
    )


def worked(of: Incident) -> Name | None:
    """The loss as quantity × price, asset by asset; None when nothing was taken or a price is not known."""
    parts = [(each, price_of(each)) for each in of.taken]
    if not parts or any(price is None for _, price in parts):
        return None
    en, ja = (
        " + ".join(
            f"{grouped(each.quantity)} {each.asset} × {money(price, of.currency, lang)}"
            for each, price in parts
            if price
        )
        for lang in _LANGS
    )
    return Name(en, ja)


_LANGS: tuple[Lang, Lang] = ("en", "ja")


def percent_of(part: Decimal, whole: Decimal) -> Name:
    """A share in per cent, to two decimals for reading."""
    shown = quotient(EXACT.multiply(part, 100), whole, 2, Rounding.HALF_UP)
    if EXACT.multiply(shown, whole) == EXACT.multiply(part, 100):
        return Name(f"{grouped(shown)}%", f"{grouped(shown)}%")
    return Name(f"about {shown:.2f}%", f"約{shown:.2f}%")


def percent(share: Figure) -> str:
    """A stated share in per cent, with every digit."""
    return f"{grouped(EXACT.multiply(share.known, 100))}%"


def made_good(leg: PlanLeg, affected: str) -> Name:
    """How a plan makes good a part of what was lost: in kind, or in money at a price."""
    told, share = leg.told, percent(leg.told.share)
    if told.price is None:
        return Name(f"{share} in {leg.asset} itself", f"{share}を{leg.asset}で返還")
    en, ja = (money(told.price.known, leg.asset, lang) for lang in _LANGS)
    return Name(
        f"{share} in {leg.asset}, at {en} for 1 {affected}", f"{share}を{leg.asset}で支払（1 {affected}＝{ja}）"
    )


def price_rule(home: Home, plan: Plan, told: Told) -> Name | None:
    """Which price a plan pays at; None where it pays in kind."""
    if told.price is None:
        return None
    [price] = [part["price"] for part in plan.body["rule"]["parts"] if part["pays"] == told.asset]
    if price["how"] != "last":
        return told.price.name
    at = datetime.fromisoformat(price["at"]).astimezone(home.time_zone).strftime("%Y-%m-%d %H:%M")
    return Name(f"the last before {at}, source {price['source']}", f"{at}までの最終価格、出所 {price['source']}")
