"""Rules to begin with: in kind, yen at the moment, and a volume-weighted price of a day, with this home's accounts filled in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property, reduce
from pathlib import Path

from junbikin.books.accounts import Account, accounts
from junbikin.books.database import Books
from junbikin.calendars import business_days_after, months_after
from junbikin.errors import BadInput
from junbikin.facts.engine import identifier, literal, parquet
from junbikin.facts.lake import Lake, open_lake
from junbikin.facts.platform import moment
from junbikin.figures import plain
from junbikin.figures.amounts import EXACT
from junbikin.incidents.incident import Incident
from junbikin.incidents.plan.balances import balances
from junbikin.incidents.plan.pricing import OWN, SPOT
from junbikin.registry.log import said
from junbikin.reserve.moves import BOOKED


@dataclass(frozen=True, slots=True)
class Draft:
    """A rule's file before it is written."""

    name: str
    text: str


def drafted(books: Books, incident: Incident, today: date) -> tuple[Draft, ...]:
    """Three rules for each asset that was taken, named after it when there are several.

    Raises `BadInput` when it is not stated yet what was taken.
    """
    assets = sorted({taken.asset for taken in incident.taken})
    if not assets:
        raise BadInput(
            "it is not stated yet what was taken", where=f"incident {incident.id}", then="state it with `junbikin incident taken`"
        )  # fmt: skip
    return tuple(draft for asset in assets for draft in _of(books, incident, asset, today, many=len(assets) > 1))


def put(drafts: tuple[Draft, ...], folder: Path) -> list[Path]:
    """Writes the drafts into a folder and returns the files. Raises `BadInput` rather than write over one that is there."""
    files = [folder / f"{draft.name}.toml" for draft in drafts]
    there = next((file for file in files if file.exists()), None)
    if there is not None:
        raise BadInput("this file is there already", where=str(there), then="name another folder, or move it away")
    folder.mkdir(parents=True, exist_ok=True)
    for file, draft in zip(files, drafts, strict=True):
        file.write_text(draft.text, encoding="utf-8")
    return files


def _of(books: Books, incident: Incident, asset: str, today: date, *, many: bool) -> Iterator[Draft]:
    home, before = books.home, f"{asset}-" if many else ""
    known = _Known(open_lake(home), asset, home.currency, incident.occurred_at.astimezone(home.time_zone))
    money, at = home.currency, known.at
    taken = reduce(EXACT.add, (one.quantity for one in incident.taken if one.asset == asset), Decimal(0))
    rules = (
        ("in-kind", f"{asset} in kind", asset, _part(asset, known.decimals, "")),
        ("yen", f"{asset} in {money} at the moment", money, _part(money, 0, _at_the_moment(known))),
        ("vwap", f"{asset} in {money} at the average of 24 hours", money, _part(money, 0, _averaged(known))),
    )
    for name, title, pays, parts in rules:
        head = _HEAD.format(
            title=_toml(title), asset=asset, at=at.isoformat(), incident=incident.id, shared=_shared(known, taken)
        )
        yield Draft(before + name, head + parts + _funding(books, pays, today))


@dataclass(frozen=True)
class _Known:
    """What the facts have of an asset at the time of the loss, `NAME` where they have nothing."""

    lake: Lake
    asset: str
    money: str
    at: datetime

    @cached_property
    def _held(self) -> tuple[int | None, Decimal | None]:
        """The decimals of customers' holdings, and their sum."""
        try:
            held = balances(self.lake, self.asset, self.at)
        except BadInput:
            return None, None
        [(most, whole)] = self.lake.ask(
            f"SELECT max(length(split_part(rtrim(holding::VARCHAR, '0'), '.', 2))), sum(holding) FROM ({held.rows})"
        )
        return most, whole

    @property
    def decimals(self) -> int:
        """How fine customers' holdings are."""
        return 8 if self._held[0] is None else self._held[0]

    @property
    def held(self) -> Decimal:
        """What customers held."""
        return self._held[1] or Decimal(0)

    @property
    def price_source(self) -> str:
        """The source of the last price."""
        found = self._sources("prices", self.at - timedelta(days=self.lake.home.price_max_age_days), self.at, "at")
        return found[-1] if found else UNKNOWN

    @cached_property
    def markets(self) -> list[str]:
        """The sources with trades in the 24 hours, our own among them where no other has any; none when nobody traded."""
        until = self.at + timedelta(days=1)
        return sorted(self._sources("market_trades", self.at, until, "executed_at")) or self._own(until)

    def _own(self, until: datetime) -> list[str]:
        zone = self.lake.home.time_zone
        days = self.lake.days("trades", self.at.astimezone(zone).date(), until.astimezone(zone).date())
        paths = [str(self.lake.home.facts / segment.file) for found in days.values() for segment in found]
        traded = paths and self.lake.ask(
            f"SELECT 1 FROM {parquet(paths)} WHERE {SPOT} AND asset = {literal(self.asset)} AND quote = {literal(self.money)} "
            f"AND executed_at >= {moment(self.at)} AND executed_at < {moment(until)} LIMIT 1"
        )
        return [OWN] if traded else []

    def _sources(self, dataset: str, since: datetime, until: datetime, column: str) -> list[str]:
        """The sources of a dataset between two instants, the one heard last at the end."""
        zone = self.lake.home.time_zone
        days = self.lake.days(dataset, since.astimezone(zone).date(), until.astimezone(zone).date())
        paths = [str(self.lake.home.facts / segment.file) for found in days.values() for segment in found]
        if not paths:
            return []
        rows = self.lake.ask(
            f"SELECT epoch_us(max({identifier(column)})), source FROM {parquet(paths)} WHERE asset = {literal(self.asset)} "
            f"AND quote = {literal(self.money)} AND {identifier(column)} BETWEEN {moment(since)} AND {moment(until)} GROUP BY source"
        )
        return [source for _, source in sorted(rows)]


UNKNOWN = "NAME"
"""What a person must fill in."""


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a JSON string is a TOML string


_HEAD = """\
# A rule for the incident {incident}. Every line is meant to be looked at; docs/incident-plans.md says what else may stand here.
title = {title}

[affected]                      # who: "holders" of the asset at a time, "accounts" in a CSV file, a "place", or "disputes"
who = "holders"
asset = "{asset}"
at = {at}     # just then, by customers' balances and their changes

[shared]                        # how: "whole", "pro_rata" (lost = "…" is divided), or "specific" (quantities in the file)
{shared}

"""


def _shared(known: _Known, taken: Decimal) -> str:
    """Everybody is made whole where all was taken; else they bear what was taken by what they held."""
    if taken >= known.held:
        return 'how = "whole"'
    return (
        f'how = "pro_rata"\nlost = "{plain(taken)}"               # what was taken; customers held {plain(known.held)}'
    )


def _part(pays: str, decimals: int, price: str) -> str:
    return f"""\
[[parts]]                       # the shares of all parts come to exactly 1
share = "1"
pays = {_toml(pays)}
decimals = {decimals}
rounding = "half_up"            # of the total; everyone's part of it is by largest remainder

{price}"""


def _at_the_moment(known: _Known) -> str:
    return f"""\
[parts.price]                   # how: "last" of a source in the dataset prices, "vwap", or "fixed" (value, source)
how = "last"
at = {known.at.isoformat()}
source = {_toml(known.price_source)}

"""


def _averaged(known: _Known) -> str:
    nobody = (
        ""
        if known.markets
        else f"""\
# The facts have no trade of {known.asset} in {known.money} in these 24 hours, so no plan can be made by this rule yet:
# ingest market_trades or trades of them, or write another window.
"""
    )
    return f"""\
[parts.price]                   # Σ price × quantity ÷ Σ quantity of the trades from a time on, until before another
{nobody}how = "vwap"
from = {known.at.isoformat()}
to = {(known.at + timedelta(days=1)).isoformat()}
sources = {json.dumps(known.markets or [OWN], ensure_ascii=False)}   # of the dataset market_trades; "own" is our own spot trades
decimals = 3
rounding = "half_up"

"""


def _funding(books: Books, pays: str, today: date) -> str:
    """Who pays, with what the books and the registry have; what is not there is left as NAME, and asked for by the plan."""
    money = books.home.currency
    policies = sorted(said(books, "policy"))
    held = {kind: _usable(accounts(books, kind, money)) for kind in ("reserve", "own")}
    registered = said(books, "place")
    places = [
        one.place
        for kind in ("guarantee", "reserve", "own")
        for one in _usable(accounts(books, kind, pays))
        if one.place in registered
    ]
    payment = business_days_after(today, 2)
    receiver = next((one.code for one in held["reserve"]), f"reserve/{money}/{UNKNOWN}")
    payer = next((one.code for one in held["own"]), f"own/{money}/{UNKNOWN}")
    insurance = "".join(
        f'{_toml(policy)} = "receivable"   # "advance" when it pays now, or "unused"\n' for policy in policies
    )
    return f"""\
[funding]                       # in this order: "guarantee", "insurance", "reserve", "own", "outside"
order = ["guarantee", "insurance", "reserve", "own", "outside"]
outside = []                    # or [[funding.outside]] with account, amount and by: who promised it

[funding.place]                 # where what is set apart for the claimants is kept: a registered place, best one on trust
{_toml(pays)} = {_toml(next(iter(places), UNKNOWN))}

[funding.accounts]              # "all" of a source, or ["own/{money}/bank", …]
guarantee = "all"
reserve = "all"
own = "all"

[funding.insurance]
{insurance}
[replenishment]                 # how the reserve is refilled, monthly
from = "{payer}"
to = "{receiver}"
first = {months_after(payment, 1)}
instalments = 12

[payment]
on = {payment}                # a business day
"""


def _usable(found: list[Account]) -> list[Account]:
    return [one for one in found if one.place != BOOKED and one.status == "open"]
