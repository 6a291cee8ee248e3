"""A small exchange after a theft: four customers with BTC, a reserve, guarantee coins, own funds, an insurer, and rules for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from books.cast import Cast
from custody.conftest import bring
from junbikin.home import Home
from junbikin.incidents import incident as events
from junbikin.incidents.plan.document import Plan
from junbikin.incidents.plan.making import make
from junbikin.incidents.timeline import tell
from junbikin.registry.requests import ask_to_post, decide

TODAY = date(2026, 4, 1)
OCCURRED = datetime(2026, 3, 10, 3, tzinfo=UTC)
BEFORE = datetime(2026, 3, 1, tzinfo=UTC)
INCIDENT = "inc-1"

BALANCES = [
    "2026-03-09,c1,BTC,1.5", "2026-03-09,c2,BTC,0.25000001", "2026-03-09,c3,BTC,3", "2026-03-09,c4,ETH,7",
    "2026-03-09,c5,BTC,0.00000003",
]  # fmt: skip
RULE = """
title = "the test's rule"
[affected]
{affected}
[shared]
{shared}
{parts}
[funding]
order = {order}
outside = {outside}
[funding.place]
{place}
[funding.accounts]
guarantee = "all"
reserve = "all"
own = ["own/JPY/bank"]
[funding.insurance]
{insurance}
[replenishment]
from = "own/JPY/bank"
to = "reserve/JPY/kaede"
first = 2026-05-03
instalments = {instalments}
[payment]
on = {on}
"""
IN_KIND = '[[parts]]\nshare = "1"\npays = "BTC"\ndecimals = 8\nrounding = "half_up"'
YEN = '[[parts]]\nshare = "1"\npays = "JPY"\ndecimals = 0\nrounding = "half_up"\nprice = {{ {price} }}'
USUAL = {
    "affected": 'who = "holders"\nasset = "BTC"\nat = 2026-03-10T12:00:00+09:00',
    "shared": 'how = "whole"',
    "parts": YEN.format(price='how = "fixed", value = "10000000", source = "the board"'),
    "order": '["guarantee", "reserve", "own"]',
    "outside": "[]",
    "place": 'JPY = "kaede"\nBTC = "vault"',
    "insurance": "",
    "instalments": "7",
    "on": "2026-04-03",
}


def rule_text(**parts: str) -> str:
    """A rule; what is not stated is as usual, and places and sources fit what it pays and in which order."""
    stated = USUAL | parts
    pays = [asset for asset in ("JPY", "BTC") if f'pays = "{asset}"' in stated["parts"]]
    if "place" not in parts:
        stated["place"] = "\n".join(f'{asset} = "{ {"JPY": "kaede", "BTC": "vault"}[asset] }"' for asset in pays)
    text = RULE.format(**stated)
    for kind, line in (
        ("guarantee", 'guarantee = "all"\n'),
        ("reserve", 'reserve = "all"\n'),
        ("own", 'own = ["own/JPY/bank"]\n'),
    ):
        text = text if kind in stated["order"] else text.replace(line, "")
    if "insurance" not in stated["order"]:
        text = text.replace("[funding.insurance]\n\n", "")
    return text if "outside" in stated["order"] else text.replace("outside = []\n", "")


@dataclass(frozen=True)
class Scene:
    """The exchange, its cast, and where its rules are written."""

    cast: Cast
    folder: Path
    today: date = TODAY

    @property
    def home(self) -> Home:
        return self.cast.books.home

    def rule(self, **parts: str) -> Path:
        """A rule's file."""
        return self.written(rule_text(**parts))

    def written(self, text: str) -> Path:
        file = self.folder / "rule.toml"
        file.write_text(text, encoding="utf-8")
        return file

    def plan(self, name: str = "p", **parts: str) -> Plan:
        """A plan by a rule."""
        return make(self.cast.books, INCIDENT, name, self.rule(**parts), self.today, lambda what, share: None)

    def incident(self) -> events.Incident:
        return events.incident_of(self.cast.books, INCIDENT)


def built(cast: Cast, folder: Path, balances: list[str] = BALANCES) -> Scene:
    """The exchange on new books: ¥20m in the reserve, half of it booked as 12m, 2 BTC of guarantee, ¥90m own."""
    books = cast.books
    if balances:
        bring(books.home, "customer_balances", balances)
    bring(
        books.home,
        "prices",
        ["BTC,JPY,2026-03-31T00:00:00Z,9000000,ours", "BTC,JPY,2026-03-10T02:00:00Z,11000000,ours"],
    )
    moved = (
        ("own", "income", {"outside/JPY/world": "-110000000", "own/JPY/bank": "110000000"}),
        ("fund", "fund", {"own/JPY/bank": "-20000000", "reserve/JPY/kaede": "20000000"}),
        ("coins", "income", {"outside/BTC/world": "-2", "own/BTC/vault": "2"}),
        ("guard", "guarantee", {"own/BTC/vault": "-2", "guarantee/BTC/vault": "2"}),
    )  # fmt: skip
    for key, purpose, entries in moved:
        cast.post(key, purpose, entries, BEFORE, reference="r")
    booked = {"own/JPY/booked": "-12000000", "reserve/JPY/booked": "12000000"}
    accrual = cast.batch("accrual", "accrual", booked, BEFORE, position=cast.position())
    decide(books, cast.ben, ask_to_post(books, cast.ada, accrual), "approve", "seen")
    opened = events.opened(books, INCIDENT, "hack", OCCURRED, OCCURRED, "the hot wallet was emptied")
    taken = events.taken("BTC", Decimal("4.75000004"), "vault", "hot", "", [], ("52250000.44", "11000000 JPY"))
    for says in (opened, taken):
        tell(books, cast.cem, INCIDENT, says, "as seen", OCCURRED)
    return Scene(cast, folder)


def approved(scene: Scene, number: int) -> int | None:
    """Ben approves a request."""
    return decide(scene.cast.books, scene.cast.ben, number, "approve", "seen")


__all__ = ["INCIDENT", "OCCURRED", "TODAY", "Scene", "approved", "ask_to_post", "built", "rule_text"]
