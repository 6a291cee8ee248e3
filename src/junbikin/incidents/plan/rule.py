"""A plan's rule: who is affected, how the loss is shared and valued, and who pays, as a TOML file states it. Nothing is assumed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import reduce
from pathlib import Path
from typing import Any

from junbikin.calendars import business_days_after, is_business_day
from junbikin.figures import Rounding, plain
from junbikin.figures.amounts import EXACT
from junbikin.incidents.plan.stated import Table, read_toml
from junbikin.incidents.waterfall import KINDS

WHO = {"holders": ("at",), "accounts": ("file", "at"), "place": ("place", "at"), "disputes": ()}
"""Who may be affected, and what a rule says of each beside the asset."""

HOW = {"whole": (), "pro_rata": ("lost",), "specific": ()}
"""How the loss may be shared, and what a rule says of each."""

PRICED = {
    "fixed": ("value", "source"),
    "last": ("at", "source"),
    "vwap": ("from", "to", "sources", "decimals", "rounding"),
}
"""How an asset may be valued, and what a rule says of each."""

MOST_DECIMALS = 18
ALL = "all"
"""Every account that a source has of the asset."""


@dataclass(frozen=True, slots=True)
class HoldersAt:
    """Every customer who held the asset at an instant."""

    asset: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ListedIn:
    """The accounts in a CSV file beside the rule: with the quantities that it states, or with their balances at an instant."""

    asset: str
    file: Path
    at: datetime | None


@dataclass(frozen=True, slots=True)
class HoldersAtPlace:
    """The customers for whom the books had the asset at one place at an instant."""

    asset: str
    place: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Disputed:
    """Those whose dispute was upheld and whom no approved plan has covered, with what they were given."""

    asset: str


Affected = HoldersAt | ListedIn | HoldersAtPlace | Disputed


@dataclass(frozen=True, slots=True)
class Shared:
    """How the loss is shared: `how` is one of HOW; `lost` is what pro-rata shares divide, None elsewhere."""

    how: str
    lost: Decimal | None


@dataclass(frozen=True, slots=True)
class Fixed:
    """A price that somebody states, with its source."""

    value: Decimal
    source: str


@dataclass(frozen=True, slots=True)
class Last:
    """The last price of a source in the facts, at an instant."""

    at: datetime
    source: str


@dataclass(frozen=True, slots=True)
class Vwap:
    """The volume-weighted average price over a window (its end left out) of named sources; `own` is the operator's own trades."""

    since: datetime
    until: datetime
    sources: tuple[str, ...]
    decimals: int
    rounding: Rounding


Price = Fixed | Last | Vwap


@dataclass(frozen=True, slots=True)
class Part:
    """A share of the loss, paid in one asset: in kind (`price` None), or at a price. `rounding` is of the total approved."""

    share: Decimal
    pays: str
    decimals: int
    rounding: Rounding
    price: Price | None


@dataclass(frozen=True, slots=True)
class Help:
    """Outside help that somebody promised: the account that it comes from, how much, and by whom."""

    account: str
    amount: Decimal
    by: str


@dataclass(frozen=True, slots=True)
class Funding:
    """In which `order` money pays, from which `accounts` of each source (ALL: every one of the asset), into which place of each asset.

    `insurance` is policy → `advance` (pays now), `receivable` (pays later) or `unused`.
    """

    order: tuple[str, ...]
    place: dict[str, str]
    accounts: dict[str, tuple[str, ...]]
    insurance: dict[str, str]
    outside: tuple[Help, ...]


@dataclass(frozen=True, slots=True)
class Replenishment:
    """How the reserve is refilled: monthly instalments from an account of own funds, the first on a day."""

    payer: str
    receiver: str
    first: date
    instalments: int


@dataclass(frozen=True, slots=True)
class Rule:
    """A whole rule; `content` is what the file says, as JSON."""

    title: str
    affected: Affected
    shared: Shared
    parts: tuple[Part, ...]
    funding: Funding
    replenishment: Replenishment
    pays_on: date
    content: dict[str, Any]


def read_rule(path: Path) -> Rule:
    """The rule in a file. Raises `BadInput` naming what is missing, unknown or impossible, and what to write."""
    top = read_toml(path)
    top.knows("title", "affected", "shared", "parts", "funding", "replenishment", "payment")
    affected = _affected(top.table("affected"), path.parent)
    shared = _shared(top.table("shared"), affected)
    parts = tuple(_part(table, affected.asset) for table in top.tables("parts"))
    _together(top, parts)
    pays_on, refill = _payment(top.table("payment")), _replenishment(top.table("replenishment"))
    if refill.first < pays_on:
        raise top.wrong(
            "replenishment.first", f"the reserve would be refilled on {refill.first}, before it is used on {pays_on} (payment.on)",
            f"write {pays_on} or a later day, or correct the day of payment",
        )  # fmt: skip
    return Rule(
        title=top.text("title"),
        affected=affected,
        shared=shared,
        parts=parts,
        funding=_funding(top.table("funding"), [part.pays for part in parts]),
        replenishment=refill,
        pays_on=pays_on,
        content=_as_json(top.content),
    )


def _affected(table: Table, beside: Path) -> Affected:
    who = table.choice("who", WHO)
    table.knows("who", "asset", *WHO[who], when=f'who = "{who}"')
    asset = table.symbol("asset")
    match who:
        case "holders":
            return HoldersAt(asset, table.instant("at"))
        case "accounts":
            return ListedIn(asset, beside / table.text("file"), table.instant("at") if table.has("at") else None)
        case "place":
            return HoldersAtPlace(asset, table.text("place"), table.instant("at"))
        case _:
            return Disputed(asset)


def _shared(table: Table, affected: Affected) -> Shared:
    how = table.choice("how", HOW)
    table.knows("how", *HOW[how], when=f'how = "{how}"')
    if isinstance(affected, Disputed) and how != "specific":
        raise table.wrong("how", "what disputes were upheld for is specific", 'write how = "specific"')
    if how == "specific" and isinstance(affected, HoldersAt | HoldersAtPlace):
        raise table.wrong(
            "how",
            "a balance at a time is not specific",
            'write "whole" or "pro_rata", or name accounts with quantities',
        )
    return Shared(how, table.above_zero("lost") if how == "pro_rata" else None)


def _part(table: Table, asset: str) -> Part:
    table.knows("share", "pays", "decimals", "rounding", "price")
    pays = table.symbol("pays")
    if pays == asset and table.has("price"):
        raise table.wrong("price", f"{asset} for {asset} is in kind and has no price", "leave the price out")
    if pays == "JPY" and table.has("decimals") and table.count("decimals", MOST_DECIMALS):
        raise table.wrong("decimals", "nothing is paid in parts of a yen", "write decimals = 0")
    if pays != asset and not table.has("price"):
        raise table.wrong(
            "price", f"price is not stated, and {pays} for {asset} is not in kind",
            f'write [parts.price] below the part, or pays = "{asset}" to pay in kind',
        )  # fmt: skip
    return Part(
        table.above_zero("share"),
        pays,
        table.count("decimals", MOST_DECIMALS),
        table.rounding("rounding"),
        None if pays == asset else _price(table.table("price")),
    )


def _price(table: Table) -> Price:
    how = table.choice("how", PRICED)
    table.knows("how", *PRICED[how], when=f'how = "{how}"')
    if how == "fixed":
        return Fixed(table.above_zero("value"), table.text("source"))
    if how == "last":
        return Last(table.instant("at"), table.text("source"))
    since, until = table.instant("from"), table.instant("to")
    if until <= since:
        raise table.wrong("to", "the window ends before it begins", "write a time after from")
    sources = table.texts("sources")
    return Vwap(since, until, sources, table.count("decimals", MOST_DECIMALS), table.rounding("rounding"))


def _together(top: Table, parts: tuple[Part, ...]) -> None:
    shares = reduce(EXACT.add, (part.share for part in parts), Decimal(0))
    if shares != 1:
        raise top.wrong("parts", f"the shares come to {plain(shares)}", "let them come to exactly 1")
    assets = [part.pays for part in parts]
    twice = next((asset for asset in assets if assets.count(asset) > 1), None)
    if twice is not None:
        raise top.wrong("parts", f"two parts pay {twice}", "state one part for each asset that is paid")


def _funding(table: Table, pays: list[str]) -> Funding:
    order = table.texts("order")
    for kind in order:
        if kind not in KINDS:
            raise table.wrong("order", f"{kind!r} is no source of money", "the sources are " + ", ".join(KINDS))
    if len(set(order)) < len(order):
        raise table.wrong("order", "a source is named twice", "name each once")
    beside = [kind for kind in order if kind in ("insurance", "outside")]
    table.knows("order", "place", "accounts", *beside, when="insurance and outside are stated when they are in order")
    place, accounts = table.table("place"), table.table("accounts")
    place.knows(*pays)
    with_accounts = [kind for kind in order if kind not in ("insurance", "outside")]
    accounts.knows(*with_accounts, when="those are the sources in order that have accounts of their own")
    policies = table.table("insurance") if "insurance" in order else None
    return Funding(
        order,
        {asset: place.text(asset) for asset in pays},
        {kind: _accounts(accounts, kind) for kind in with_accounts},
        {policy: policies.choice(policy, ("advance", "receivable", "unused")) for policy in policies.content}
        if policies
        else {},
        tuple(_help(promise) for promise in table.tables("outside", least=0)) if "outside" in order else (),
    )


def _accounts(table: Table, kind: str) -> tuple[str, ...]:
    if table.content.get(kind) == ALL:
        return (ALL,)
    codes = table.texts(kind)
    other = next((code for code in codes if code.split("/")[0] != kind or code.count("/") < 2), None)
    if other is not None:
        raise table.wrong(kind, f"{other!r} is no account of {kind}", f'write {kind}/ASSET/PLACE, or "{ALL}"')
    return codes


def _help(table: Table) -> Help:
    table.knows("account", "amount", "by")
    account = table.text("account")
    if not re.fullmatch(r"outside/[^/]+/[^/]+(/[^/]+)?", account):
        raise table.wrong("account", f"{account!r} is no account of outside", "write outside/ASSET/PLACE")
    return Help(account, table.above_zero("amount"), table.text("by"))


def _replenishment(table: Table) -> Replenishment:
    table.knows("from", "to", "first", "instalments")
    payer, receiver = table.text("from"), table.text("to")
    for key, code, owner in (("from", payer, "own"), ("to", receiver, "reserve")):
        if not re.fullmatch(rf"{owner}/[^/]+/[^/]+(/[^/]+)?", code):
            raise table.wrong(key, f"{code!r} is no account of {owner}", f"write {owner}/ASSET/PLACE")
    instalments = table.count("instalments", 600)
    if instalments == 0:
        raise table.wrong("instalments", "no instalment refills nothing", "write 1 or more")
    return Replenishment(payer, receiver, table.day("first"), instalments)


def _payment(table: Table) -> date:
    table.knows("on")
    day = table.day("on")
    if not is_business_day(day):
        raise table.wrong(
            "on", f"{day} is no business day: banks pay nobody", f"write {business_days_after(day, 1)}, the next one"
        )
    return day


def _as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value
