"""An incident (事故・流出事案) as its timeline has it: cause, what was taken, how far it is, what was told to whom.

Deadlines are judged in `deadlines.py`; who is owed what is a plan's matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import reduce
from types import MappingProxyType
from typing import Any

from junbikin.books.database import Books
from junbikin.errors import BadInput
from junbikin.facts.datasets import CAUSES, STORAGES
from junbikin.figures import Figure, Name, exact, given, hole, plain, total
from junbikin.figures.amounts import EXACT
from junbikin.incidents.timeline import Event, alike, events, must_be_there, named, timelines
from junbikin.registry.log import said
from junbikin.reserve.sources import data_source

CAUSE_WORDS = MappingProxyType(
    {
        "hack": Name("hack", "不正アクセス"),
        "unauthorised_outflow": Name("unauthorised outflow", "不正流出"),
        "fraud": Name("fraud", "詐欺"),
        "unlawful_act": Name("unlawful act", "違法行為"),
        "clerical_error": Name("clerical error", "事務処理の誤り"),
        "system_failure": Name("system failure", "システム障害"),
    }
)

STATES = MappingProxyType(
    {
        "opened": Name("opened", "発生"),
        "contained": Name("contained", "被害拡大防止措置完了"),
        "compensating": Name("compensating", "補償実施中"),
        "closed": Name("closed", "終了"),
    }
)
"""How far an incident is. It may be opened again after closing."""

REOPENED = Name("reopened", "再開")
"""What the state `opened` is called when it follows `closed`."""

STORAGE_WORDS = MappingProxyType(
    {
        "hot": Name("hot", "ホットウォレット"),
        "cold": Name("cold", "コールドウォレット"),
        "trust": Name("trust", "信託"),
        "bank": Name("bank", "銀行"),
    }
)

AUDIENCES = MappingProxyType(
    {
        "authority": Name("authority", "当局"),
        "public": Name("public", "公衆"),
        "customers": Name("customers", "利用者"),
    }
)

REPORTS = MappingProxyType(
    {
        "first_notice": Name("first notice", "初報"),
        "follow_up": Name("follow-up report", "続報"),
        "permission_report": Name("report of payments made without confirmation", "確認を要しない補填の報告"),
        "final": Name("final report", "最終報告"),
        "public_notice": Name("public notice", "公表"),
        "customer_notice": Name("notice to customers", "利用者への通知"),
    }
)
"""What is told."""

TOLD_TO = MappingProxyType(
    {
        "authority": ("first_notice", "follow_up", "permission_report", "final"),
        "public": ("public_notice",),
        "customers": ("customer_notice",),
    }
)
"""Audience → what it is told. Only so does a report keep a deadline."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken of one asset at one place, as last told. `value` is in the home's currency, None where no price is known."""

    asset: str
    quantity: Decimal
    place: str
    storage: str
    provider: str
    transactions: tuple[str, ...]
    value: Decimal | None
    priced: str
    event: Event


@dataclass(frozen=True, slots=True)
class Recovered:
    """Coins or money got back (回収), and where that is shown."""

    asset: str
    quantity: Decimal
    value: Decimal | None
    reference: str
    event: Event


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident as known at an instant. `events` is its whole timeline, in the order in which it was told."""

    id: str
    currency: str
    events: tuple[Event, ...]
    frozen: tuple[str, ...]

    @property
    def opening(self) -> Event:
        """The event that opened it."""
        return self.events[0]

    @property
    def cause(self) -> str:
        """One of `facts.datasets.CAUSES`."""
        return str(self.opening.says["cause"])

    @property
    def title(self) -> str:
        """What it is called."""
        return str(self.opening.says["title"])

    @property
    def occurred_at(self) -> datetime:
        """When it happened."""
        return datetime.fromisoformat(self.opening.says["occurred_at"])

    @property
    def found_at(self) -> datetime:
        """When it was found: from then on time counts."""
        return datetime.fromisoformat(self.opening.says["found_at"])

    @property
    def states(self) -> tuple[tuple[str, Event], ...]:
        """Each state that it came into, and the event."""
        return (("opened", self.opening), *((str(event.says["to"]), event) for event in self._of("state")))

    @property
    def state(self) -> str:
        """How far it is."""
        return self.states[-1][0]

    @property
    def closed_at(self) -> datetime | None:
        """When it was closed, if it is."""
        name, event = self.states[-1]
        return event.at if name == "closed" else None

    @property
    def taken(self) -> tuple[Taken, ...]:
        """What was taken, by asset and place: of each what was told last; one of which nothing was taken after all is left out."""
        last = {(event.says["asset"], event.says["place"]): event for event in self._of("taken")}
        told = (_taken(event) for _, event in sorted(last.items(), key=lambda item: item[0]))
        return tuple(each for each in told if each.quantity)

    @property
    def recovered(self) -> tuple[Recovered, ...]:
        """What was got back, in the order in which it was told."""
        return tuple(_recovered(event) for event in self._of("recovered"))

    def lost(self, asset: str) -> Decimal:
        """How much was taken of an asset, at all places."""
        return reduce(EXACT.add, (each.quantity for each in self.taken if each.asset == asset), Decimal(0))

    def got_back(self, asset: str) -> Decimal:
        """How much was got back of an asset."""
        return reduce(EXACT.add, (each.quantity for each in self.recovered if each.asset == asset), Decimal(0))

    @property
    def notes(self) -> tuple[Event, ...]:
        """What people noted."""
        return self._of("note")

    @property
    def reports(self) -> tuple[Event, ...]:
        """What was told to the authority, the public and customers."""
        return self._of("reported")

    @property
    def loss(self) -> Figure:
        """What was taken, in the home's currency; a hole when none of it is known, a known part when some is."""
        parts = [
            _worth(self, each.event, each.value, Name(f"{each.asset} taken at {each.place}", f"{each.place}の{each.asset}"))
            for each in self.taken
        ]  # fmt: skip
        if not parts:
            unknown = Name("what was taken is not stated yet", "被害の内容は未入力")
            parts = [hole(self.currency, Name("what was taken", "流出した財産"), unknown)]
        return total(parts, self.currency).named(f"incident.{self.id}.loss", f"loss of {self.id}", f"{self.id}の損失")

    @property
    def recovery(self) -> Figure:
        """What was got back, in the home's currency."""
        parts = [
            _worth(self, each.event, each.value, Name(f"{each.asset} recovered", f"回収した{each.asset}"))
            for each in self.recovered
        ]
        name = Name(f"recovered of {self.id}", f"{self.id}の回収")
        if not parts:
            return given(0, self.currency, name, data_source("incidents", f"recovered of {self.id}", []))
        return total(parts, self.currency).named(f"incident.{self.id}.recovered", name.en, name.ja)

    def _of(self, kind: str) -> tuple[Event, ...]:
        return tuple(event for event in self.events if event.kind == kind)


def incident_of(books: Books, incident: str, known_at: datetime | None = None) -> Incident:
    """The incident as known at an instant (None: now). Raises `BooksRefused` when there is none of that name."""
    told = must_be_there(incident, events(books, incident, known_at))
    return Incident(incident, books.home.currency, told, _frozen(books, known_at).get(incident, ()))


def incidents(books: Books, known_at: datetime | None = None) -> tuple[Incident, ...]:
    """Every incident, in the order in which they were opened."""
    frozen = _frozen(books, known_at)
    return tuple(
        Incident(id, books.home.currency, told, frozen.get(id, ())) for id, told in timelines(books, known_at).items()
    )


def _frozen(books: Books, known_at: datetime | None) -> dict[str, tuple[str, ...]]:
    """Incident → the assets that are frozen for it."""
    found: dict[str, tuple[str, ...]] = {}
    for asset, says in said(books, "asset_status", None, known_at).items():
        if says.get("status") == "frozen":
            found[says.get("incident", "")] = (*found.get(says.get("incident", ""), ()), asset)
    return found


def _worth(incident: Incident, event: Event, value: Decimal | None, name: Name) -> Figure:
    source = data_source("incidents", f"{incident.id}, record {event.record}", [dict(event.says)])
    if value is not None:
        return given(value, incident.currency, name, source)
    return hole(incident.currency, name, Name("no price of the day is known", "当日の価格がない"))


def _taken(event: Event) -> Taken:
    says = event.says
    return Taken(
        says["asset"], exact(says["quantity"]), says["place"], says["storage"], says["provider"], tuple(says["transactions"]),
        _amount(says["value"]), says["priced"], event,
    )  # fmt: skip


def _recovered(event: Event) -> Recovered:
    says = event.says
    return Recovered(says["asset"], exact(says["quantity"]), _amount(says["value"]), says["reference"], event)


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else exact(text)


# What may be told


def opened(
    books: Books, incident: str, cause: str, occurred_at: datetime, found_at: datetime, title: str
) -> dict[str, Any]:
    """The first event. Raises `BadInput` when the name is taken, the cause is none, or the times cannot be."""
    if others := alike(books, named(incident)):
        raise BadInput(
            f"there is an incident {others[0]} already"
            + ("" if incident in others else f", which differs from {incident} only in capitals"),
            where=f"incident {incident}",
            then="give this one another name, or go on with that one: an incident closed too early is opened again with `junbikin incident state`",
        )
    _one_of(cause, CAUSES, "--cause")
    if occurred_at > found_at:
        raise BadInput(
            f"it was found ({found_at.isoformat()}) before it happened ({occurred_at.isoformat()})",
            where="--occurred, --found",
            then="swap them",
        )
    not_ahead(found_at, "--found")
    if not title.strip():
        raise BadInput("it has no title", where="--title", then="say in a few words what happened")
    at = {"occurred_at": _instant(occurred_at), "found_at": _instant(found_at)}
    return {"event": "opened", "cause": cause, "title": title, **at}


def taken(
    asset: str,
    quantity: Decimal,
    place: str,
    storage: str,
    provider: str,
    transactions: Sequence[str],
    value: tuple[str | None, str],
) -> dict[str, Any]:
    """What was taken of an asset at a place; `value` is what it was worth in the home's currency, and by which price.

    A quantity of 0, worth "0", takes back what was told of it before.
    """
    _one_of(storage, STORAGES, "--storage")
    worth, priced = value
    return {
        "event": "taken", "asset": asset, "quantity": plain(quantity), "place": place, "storage": storage, "provider": provider,
        "transactions": list(transactions), "value": worth, "priced": priced,
    }  # fmt: skip


def recovered(asset: str, quantity: Decimal, value: str | None, reference: str) -> dict[str, Any]:
    """What was got back of an asset, and what shows it."""
    if quantity <= 0:
        raise BadInput("nothing was got back", where="--quantity", then="state a quantity above 0")
    quantity_text = plain(quantity)
    return {"event": "recovered", "asset": asset, "quantity": quantity_text, "value": value, "reference": reference}


def reported(to: str, what: str, document: str) -> dict[str, Any]:
    """What was told to whom; `document` is the SHA-256 of what they were given, or ""."""
    _one_of(to, list(AUDIENCES), "--to")
    if what not in TOLD_TO[to]:
        raise BadInput(
            f"{what} to {to} is no report: it would keep no deadline",
            where="--to, --what",
            then=f"what {to} {'are' if to == 'customers' else 'is'} told is one of {', '.join(TOLD_TO[to])}",
        )
    return {"event": "reported", "to": to, "what": what, "document": document}


def state(to: str) -> dict[str, Any]:
    """The incident comes into a state; the books say whether it can."""
    _one_of(to, list(STATES), "--to")
    return {"event": "state", "to": to}


def note(text: str) -> dict[str, Any]:
    """Something that is worth keeping."""
    if not text.strip():
        raise BadInput("the note is empty", then="say what is worth keeping")
    return {"event": "note", "text": text}


def not_ahead(at: datetime, option: str) -> datetime:
    """The instant, if it is not ahead. Raises `BadInput` otherwise."""
    if at > datetime.now(UTC):
        raise BadInput(f"{at.isoformat()} is ahead", where=option, then="state when it was, not when it will be")
    return at


def _one_of(word: str, words: Sequence[str], option: str) -> None:
    if word not in words:
        raise BadInput(f"{word!r} is none of them", where=option, then="use one of " + ", ".join(words))


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
