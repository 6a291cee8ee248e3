"""What a batch would do, in words: for whoever is about to ask for it, and for whoever is about to approve it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from junbikin.books.batch import Entries
from junbikin.books.columns import Side, first, sides
from junbikin.books.database import Books
from junbikin.books.flows import flows, owner_names
from junbikin.figures import Name
from junbikin.home import Home
from junbikin.reports.words import Lang, grouped, say, visible

_WORDS = {
    "purpose": Name("purpose", "目的"),
    "effective": Name("effective", "効力発生"),
    "recorded": Name("when it is recorded", "記帳の時"),
    "reference": Name("reference", "参照"),
    "evidence": Name("evidence", "証憑"),
    "incident": Name("incident", "事故"),
    "name": Name("plan", "補償計画"),
    "plan": Name("digest of the plan", "補償計画のダイジェスト"),
    "permission": Name("permission", "補償の許容"),
    "affected": Name("asset taken", "流出資産"),
    "who": Name("affected", "対象者"),
    "at": Name("who held it at", "残高の基準時"),
    "also": Name("PAID BY OTHER PLANS AS WELL", "他の補償計画でも支払われる者"),
    "besides": Name("why they are owed both", "重ねて支払う理由"),
    "promised": Name("rests on a promise, not come in yet", "未入金の約束に基づく財源"),
    "receivable": Name("expected of insurers later", "未収保険金"),
    "disputes": Name("disputes, by record", "不服申立て（記録）"),
    "legs": Name("is for", "内訳"),
    "position": Name("position", "ポジション"),
    "authority": Name("authority", "当局の承認"),
    "reverses": Name("undoes record", "取消対象の記録"),
    "pays": Name("pays", "支払"),
    "gets": Name("receives", "受取"),
}


def word(key: str, lang: Lang) -> str:
    """The word for something that a batch states."""
    return say(_WORDS[key], lang) if key in _WORDS else key


def moves(
    books: Books, says: Mapping[str, Any], entries: Entries, effective_at: datetime | None, lang: Lang, limit: int | None = 20
) -> list[str]:  # fmt: skip
    """The lines that say it: purpose, time, grounds, and the first `limit` entries (None: all); beyond them, sums by owner."""
    summed = sides(books, entries)
    at = effective_at and effective_at.astimezone(books.home.time_zone).isoformat(sep=" ", timespec="seconds")
    stated = [
        (word("purpose", lang), f"{says['purpose']} ({_meaning(books, says['purpose'], summed, lang)})"),
        (word("effective", lang), at or word("recorded", lang)),
        *(
            (word(name, lang), _stated(name, value, lang, books.home))
            for name, value in says.items()
            if name != "purpose"
        ),
    ]
    lines = [f"  {name}: {visible(text)}" for name, text in stated]
    shown = first(books, entries, limit)
    lines += [
        f"  {code}  {_direction(amount, lang)} {grouped(amount.copy_abs())} {code.split('/')[1]}"
        for code, amount in shown
    ]
    rest = entries.amounts.count(",") + 1 - len(shown)
    if rest:
        lines.append(f"  … ほか{rest:,}件。合計：" if lang == "ja" else f"  … and {rest:,} more entries; in all:")
        owners = owner_names(books)
        lines += [line for side in summed for line in _sum(side, say(owners[side.owner], lang), lang)]
    return lines


def _stated(name: str, value: Any, lang: Lang, home: Home) -> str:
    """What a batch states as people read it; of each leg of a plan its sum and for how many, since the plan's digest covers the rest."""
    if name == "at":
        return datetime.fromisoformat(value).astimezone(home.time_zone).isoformat(sep=" ", timespec="seconds")
    if not isinstance(value, list):
        return str(value)
    people = "{total} {asset}（{people}名）" if lang == "ja" else "{total} {asset} for {people} customers"
    return ("、" if lang == "ja" else "; ").join(
        people.format(total=grouped(Decimal(leg["total"])), asset=leg["asset"], people=f"{int(leg['people']):,}")
        for leg in value
    )


def _meaning(books: Books, purpose: str, summed: Sequence[Side], lang: Lang) -> str:
    payers, receivers = {side.owner for side in summed if side.pays}, {side.owner for side in summed if side.gets}
    names = [
        say(flow.name, lang)
        for flow in flows(books)
        if flow.purpose == purpose and flow.payer in payers and flow.receiver in receivers
    ]
    return ("、" if lang == "ja" else "; ").join(dict.fromkeys(names))


def _direction(amount: Decimal, lang: Lang) -> str:
    return word("pays" if amount < 0 else "gets", lang)


def _sum(side: Side, owner: str, lang: Lang) -> list[str]:
    count = f"{side.accounts:,}口座" if lang == "ja" else f"{side.accounts:,} accounts"
    scope = " (booked)" if side.scope == "booked" else ""
    return [
        f"  {owner}{scope}  {word(key, lang)} {grouped(amount)} {side.asset}  ({count})"
        for key, amount in (("pays", side.pays), ("gets", side.gets))
        if amount
    ]
