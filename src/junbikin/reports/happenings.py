"""What happened of an incident, each thing on one line, and what is about to be told of it; for the terminal. No arithmetic here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from junbikin.figures import Name, exact
from junbikin.home import Home
from junbikin.incidents.happenings import Happening
from junbikin.incidents.incident import AUDIENCES, CAUSE_WORDS, REOPENED, REPORTS, STATES, STORAGE_WORDS
from junbikin.reports.words import Lang, money, say, visible

_CHANNELS: Mapping[str, Name] = {
    "zengin": Name("zengin", "総合振込"),
    "iso20022": Name("iso20022", "ISO 20022"),
    "account": Name("account", "口座入金"),
    "custodian": Name("custodian", "暗号資産送付"),
}


def happening(of: Happening, lang: Lang) -> str:
    """One thing that happened."""
    words = happening_words(of.kind, of.says, lang)
    usual = of.kind == "state" and of.why == f"the incident is {of.says['to']}"
    reasoned = of.kind in ("state", "frozen", "thawed", "asked", "refused", "undone") and not usual
    return words + visible(f"{'：' if lang == 'ja' else ': '}{of.why}" if reasoned else "")


def happening_words(kind: str, says: Mapping[str, Any], lang: Lang) -> str:
    """What happened, without why, by its kind and what it is about."""
    return visible(_WORDS[kind](says, lang == "ja"))


def event_words(says: Mapping[str, Any], lang: Lang) -> str:
    """What an event of the timeline says, on one line."""
    return happening_words("happened" if says["event"] == "opened" else says["event"], says, lang)


def in_full(home: Home, says: Mapping[str, Any], lang: Lang) -> str:
    """The same with everything that goes on record, as it is shown to whoever is about to tell it."""
    ja = lang == "ja"
    details = _DETAILS.get(says["event"], _nothing)(home, says, lang)
    words = str(says["title"]) if says["event"] == "opened" else event_words(says, lang)
    return visible(words + "".join(f"{'、' if ja else ', '}{detail}" for detail in details))


def when(home: Home, at: datetime) -> str:
    """An instant for people, in the home's time zone."""
    return at.astimezone(home.time_zone).strftime("%Y-%m-%d %H:%M")


def _much(quantity: str, asset: str, lang: Lang) -> str:
    return money(exact(quantity), asset, lang)


def _people(count: int, *, ja: bool) -> str:
    return f"{count:,}名" if ja else f"{count:,} {'customer' if count == 1 else 'customers'}"


def _plan(says: Mapping[str, Any], *, ja: bool) -> str:
    name = says["name"] or says["plan"][:12]
    return f"補償計画{name}" if ja else f"plan {name}"


def _taken(says: Mapping[str, Any], ja: bool) -> str:
    if says["quantity"] == "0":
        return (
            f"取消：{says['place']}の{says['asset']}に被害なし"
            if ja
            else f"taken back: no {says['asset']} was taken at {says['place']}"
        )
    much = _much(says["quantity"], says["asset"], "ja" if ja else "en")
    return f"流出：{much}（{says['place']}）" if ja else f"taken: {much} at {says['place']}"


def _recovered(says: Mapping[str, Any], ja: bool) -> str:
    much = _much(says["quantity"], says["asset"], "ja" if ja else "en")
    return f"回収：{much}（{says['reference']}）" if ja else f"recovered: {much} ({says['reference']})"


def _state(says: Mapping[str, Any], ja: bool) -> str:
    return say(REOPENED if says["to"] == "opened" else STATES[says["to"]], "ja" if ja else "en")


def _reported(says: Mapping[str, Any], ja: bool) -> str:
    lang: Lang = "ja" if ja else "en"
    what, to = say(REPORTS[says["what"]], lang), say(AUDIENCES[says["to"]], lang)
    return f"{what}（{to}）" if ja else f"{what}, to {to}"


def _sent(says: Mapping[str, Any], ja: bool) -> str:
    lang: Lang = "ja" if ja else "en"
    much, people = _much(says["total"], says["asset"], lang), _people(says["people"], ja=ja)
    by = say(_CHANNELS[says["channel"]], lang)
    day = says["value_on"] and (f"、振込指定日{says['value_on']}" if ja else f", value date {says['value_on']}")
    if ja:
        return f"{_plan(says, ja=ja)} 支払処理{says['run']}：{people} {much}（{by}{day or ''}）"
    return f"{_plan(says, ja=ja)}, run {says['run']}: {much} for {people} by {by}{day or ''}"


def _answered(says: Mapping[str, Any], ja: bool) -> str:
    lang: Lang = "ja" if ja else "en"
    parts = []
    for key, en, japanese in (("settled", "paid", "支払済"), ("returned", "returned", "振込不能")):
        if says[key]:
            much, people = _much(says[f"{key}_total"], says["asset"], lang), _people(says[key], ja=ja)
            parts.append(f"{japanese} {people} {much}" if ja else f"{much} {en} to {people}" if key == "settled" else f"{much} of {people} {en}")  # fmt: skip
    if ja:
        return f"{_plan(says, ja=ja)} 支払処理{says['run']}の結果：{'、'.join(parts)}"
    return f"{_plan(says, ja=ja)}, answers to run {says['run']}: {', '.join(parts)}"


def _withdrawn(says: Mapping[str, Any], ja: bool) -> str:
    much, people = _much(says["returned_total"], says["asset"], "ja" if ja else "en"), _people(says["returned"], ja=ja)
    if ja:
        return f"{_plan(says, ja=ja)} 支払処理{says['run']}の取下げ：{people} {much}"
    return f"{_plan(says, ja=ja)}, run {says['run']} withdrawn: {much} for {people}"


def _decided(says: Mapping[str, Any], ja: bool) -> str:
    upheld = says["verdict"] == "upheld"
    much = _much(says["adjustment"], says["asset"], "ja" if ja else "en")
    if ja:
        return f"不服申立て{says['dispute']}（口座{says['account']}）：" + (f"認容 {much}" if upheld else "棄却")
    return f"dispute {says['dispute']} of {says['account']}: " + (f"upheld, {much} more" if upheld else "rejected")


def _asked(en: str, japanese: str) -> Callable[[Mapping[str, Any], bool], str]:
    def words(says: Mapping[str, Any], ja: bool) -> str:
        if ja:
            return f"{_plan(says, ja=ja)} {japanese}（申請{says['request']}）"
        return f"{_plan(says, ja=ja)} {en} (request {says['request']})"

    return words


_WORDS: Mapping[str, Callable[[Mapping[str, Any], bool], str]] = {
    "happened": lambda says, ja: f"{'発生：' if ja else 'happened: '}{says['title']}",
    "found": lambda says, ja: "発見" if ja else "found",
    "opened": lambda says, ja: f"事故として登録（{CAUSE_WORDS[says['cause']].ja}）" if ja else f"opened: {CAUSE_WORDS[says['cause']].en}",
    "taken": _taken,
    "recovered": _recovered,
    "state": _state,
    "note": lambda says, ja: " ".join(str(says["text"]).split()),
    "reported": _reported,
    "frozen": lambda says, ja: f"{says['asset']}を凍結" if ja else f"{says['asset']} frozen",
    "thawed": lambda says, ja: f"{says['asset']}の凍結を解除" if ja else f"{says['asset']} opened again",
    "asked": _asked("asked for", "承認申請"),
    "refused": _asked("refused", "却下"),
    "approved": lambda says, ja: f"{_plan(says, ja=ja)} {'承認' if ja else 'approved'}",
    "undone": lambda says, ja: f"{_plan(says, ja=ja)} {'承認取消' if ja else 'undone'}",
    "sent": _sent,
    "answered": _answered,
    "withdrawn": _withdrawn,
    "disputed": lambda says, ja: (
        f"不服申立て{says['dispute']}：口座{says['account']}、{says['asset']}" if ja
        else f"dispute {says['dispute']} of {says['account']}: {says['asset']}"
    ),
    "decided": _decided,
}  # fmt: skip


def _nothing(home: Home, says: Mapping[str, Any], lang: Lang) -> tuple[str, ...]:
    return ()


def _of_opened(home: Home, says: Mapping[str, Any], lang: Lang) -> tuple[str, ...]:
    happened, found = (when(home, datetime.fromisoformat(says[key])) for key in ("occurred_at", "found_at"))
    cause = say(CAUSE_WORDS[says["cause"]], lang)
    return (
        (f"原因 {cause}", f"発生 {happened}", f"発見 {found}")
        if lang == "ja"
        else (cause, f"happened {happened}", f"found {found}")
    )


def _of_taken(home: Home, says: Mapping[str, Any], lang: Lang) -> tuple[str, ...]:
    if says["quantity"] == "0":
        return ()
    storage = say(STORAGE_WORDS[says["storage"]], lang)
    return (
        storage,
        *([f"{'委託先' if lang == 'ja' else 'by'} {says['provider']}"] if says["provider"] else []),
        *([f"{'取引' if lang == 'ja' else 'transactions'} {' '.join(says['transactions'])}"] if says["transactions"] else []),
        _worth(home, says["value"], says["priced"], lang),
    )  # fmt: skip


def _of_recovered(home: Home, says: Mapping[str, Any], lang: Lang) -> tuple[str, ...]:
    return (_worth(home, says["value"], "", lang),)


def _of_reported(home: Home, says: Mapping[str, Any], lang: Lang) -> tuple[str, ...]:
    return (f"{'文書' if lang == 'ja' else 'document'} sha256 {says['document']}",) if says["document"] else ()


def _worth(home: Home, value: str | None, priced: str, lang: Lang) -> str:
    worth = money(None if value is None else exact(value), home.currency, lang)
    by = priced and (f"（{priced}）" if lang == "ja" else f" ({priced})")
    return f"{'評価額' if lang == 'ja' else 'worth'} {worth}{by}"


_DETAILS: Mapping[str, Callable[[Home, Mapping[str, Any], Lang], tuple[str, ...]]] = {
    "opened": _of_opened,
    "taken": _of_taken,
    "recovered": _of_recovered,
    "reported": _of_reported,
}
