"""Facts as somebody states them in a file, for worked examples: no lake, the same formulas."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from junbikin.calendars import Period, fiscal_year
from junbikin.errors import RulebookProblem
from junbikin.figures import Figure, Name, Rounding, Stated, Unit, exact, given, hole, plain, ratio, total
from junbikin.rulebooks.duties import cure_by
from junbikin.rulebooks.interface import (
    Case,
    Check,
    CustomerAsset,
    Grade,
    Kept,
    Money,
    Outcome,
    Permission,
    Place,
    Provider,
)
from junbikin.rulebooks.load import Rulebook

_STORAGES = ("hot", "cold", "trust", "bank")


@dataclass(frozen=True, slots=True)
class StatedFacts:
    """Facts of a worked example.

    `volumes` is line → fiscal year → amount; `entries` the reserve's; `assets` asset → (cold, rest);
    `losses` (day, net loss); `grades` control → grade. Of custody: `coins` asset → quantity owed, cold, warm,
    guarantee, guarantee_warm (what is not stated is 0); `prices` and `averages` asset → price (over the days `averaged_over`, if that is said,
    and of as many as `averaged_days` says); `cash` owed, trust,
    bank and the day it was counted on; `kept_at` the places; `equity` net assets; `audited` kind → day.
    """

    as_of: date
    volumes: dict[str, dict[str, str]] = field(default_factory=dict)
    entries: tuple[tuple[str, date, str], ...] = ()
    assets: dict[str, tuple[str, str]] = field(default_factory=dict)
    losses: tuple[tuple[date, str], ...] = ()
    grades: dict[str, str] = field(default_factory=dict)
    coins: dict[str, dict[str, str]] = field(default_factory=dict)
    prices: dict[str, str] = field(default_factory=dict)
    averages: dict[str, str] = field(default_factory=dict)
    averaged_over: str | None = None
    averaged_days: dict[str, int] = field(default_factory=dict)
    cash: dict[str, Any] = field(default_factory=dict)
    kept_at: tuple[dict[str, Any], ...] = ()
    equity: str | None = None
    audited: dict[str, date] = field(default_factory=dict)
    by: str = "the worked example"
    currency: str = "JPY"
    year_starts: tuple[int, int] = (4, 1)

    def fiscal_year(self, back: int = 0) -> Period:
        """See `Facts`."""
        return fiscal_year(self.as_of, self.year_starts, back)

    def volume(self, line: str, period: Period) -> Figure:
        """See `Facts`."""
        amount = self.volumes.get(line, {}).get(period.name, "0")
        return self._yen(amount, f"volume of {line} in {period.name}", f"{period.name}の{line}取引高")

    def reserve_booked(self, kind: str, until: date, since: date = date.min) -> Figure:
        """See `Facts`."""
        lines = [
            self._yen(amount, f"{kind} on {day}", f"{day}の{kind}")
            for what, day, amount in self.entries
            if what == kind and since <= day <= until
        ]
        return total(lines, self.currency)

    def customer_assets(self) -> tuple[CustomerAsset, ...]:
        """See `Facts`."""
        found = []
        for asset, (cold_text, rest_text) in self.assets.items():
            cold = self._yen(cold_text, f"{asset} in cold storage", f"{asset}（コールド）")
            rest = self._yen(rest_text, f"{asset} elsewhere", f"{asset}（その他）")
            found.append(CustomerAsset(asset, cold + rest, cold, rest))
        return tuple(found)

    def net_losses(self, period: Period) -> Figure:
        """See `Facts`."""
        lines = [self._yen(loss, f"net loss of {day}", f"{day}の純損失") for day, loss in self.losses if day in period]
        return total(lines, self.currency)

    def grade(self, control: str) -> Grade | None:
        """See `Facts`."""
        return Grade(self.grades[control], Stated(self.by)) if control in self.grades else None

    def price(self, asset: str) -> Figure:
        """See `Facts`."""
        return self._priced(asset, self.prices, f"price of {asset}", f"{asset}の価格")

    def average_price(self, asset: str, period: Period) -> Figure:
        """See `Facts`."""
        known = self.averages if self.averaged_over in (None, f"{period.start}…{period.end}") else {}
        mean = self._priced(asset, known, f"average price of {asset}, {period.name}", f"{asset}の平均価格")
        if asset not in self.averaged_days:
            return mean
        counted = Name(f"days with a price of {asset}", f"{asset}の価格のある日数")
        days = given(self.averaged_days[asset], "1", counted, Stated(self.by), f"days_priced.{asset}")
        return ratio(mean * days, days, 8, Rounding.HALF_EVEN)

    def _priced(self, asset: str, prices: dict[str, str], en: str, ja: str) -> Figure:
        unit = Unit.parse(self.currency) / Unit.parse(asset)
        if asset not in prices:
            return hole(unit, Name(en, ja), Name(f"no price of {asset} is stated", f"{asset}の価格の記載がない"))
        return given(prices[asset], unit, Name(en, ja), Stated(self.by))

    def kept(self) -> tuple[Kept, ...]:
        """See `Facts`."""
        return tuple(
            Kept(
                asset,
                *(self._coins(asset, stated, part) for part in ("owed", "cold", "warm", "guarantee", "guarantee_warm")),
            )
            for asset, stated in self.coins.items()
        )

    def _coins(self, asset: str, stated: dict[str, str], part: str) -> Figure:
        return given(stated.get(part, "0"), asset, Name(f"{asset}, {part}", f"{asset}（{part}）"), Stated(self.by))

    def unknown(self) -> tuple[Figure, ...]:
        """See `Facts`."""
        return ()

    def money(self) -> Money:
        """See `CustodyFacts`."""
        stored = {
            name: self._yen(self.cash.get(name, "0"), f"customers' money ({name})", f"利用者の金銭（{name}）")
            for name in _STORAGES
        }
        owed = self._yen(self.cash.get("owed", "0"), "customers' money", "利用者の金銭")
        return Money(owed, stored, self.cash.get("counted_on", self.as_of))

    def places(self) -> tuple[Place, ...]:
        """See `CustodyFacts`."""
        return tuple(
            Place(
                id=stated["id"],
                owners=frozenset(stated["owners"]),
                worth=self._yen(stated["worth"], f"worth at {stated['id']}", f"{stated['id']}の評価額"),
                registered=stated.get("registered"),
                provider=Provider(**{"checked_until": None, **stated["provider"]}) if "provider" in stated else None,
            )
            for stated in self.kept_at
        )

    def net_assets(self) -> Figure:
        """See `CustodyFacts`."""
        name = Name("net assets", "純資産額")
        if self.equity is None:
            return hole(self.currency, name, Name("no net assets are stated", "純資産額の記載がない"))
        return given(self.equity, self.currency, name, Stated(self.by))

    def last_audit(self, kind: str) -> date | None:
        """See `CustodyFacts`."""
        return self.audited.get(kind)

    def _yen(self, amount: str, en: str, ja: str) -> Figure:
        return given(amount, self.currency, Name(en, ja), Stated(self.by))


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example: its facts and, by key of figure, the values that they must give.

    `findings` are all that the reserve's formula must find: code → amount. `lapses` are all that custody must find: code
    and subject → the day by which it is cured, if the regime names one. None: any. `case` is what is to be made good, and
    `permission` what the rulebook must say of it: the act, the items that apply, whether confirmation is needed, the report's day.
    """

    title: Name
    source: str
    facts: StatedFacts
    expected: dict[str, Decimal]
    findings: dict[str, str] | None
    lapses: dict[str, date | None] | None
    case: Case | None
    permission: dict[str, object] | None
    file: Path

    def differences(self, rulebook: Rulebook) -> list[str]:
        """A line for every figure that is not as expected; empty when all are."""
        roots: list[Figure] = []
        lines: list[str] = []
        if rulebook.assess:
            outcome: Outcome = rulebook.outcome(self.facts)
            roots += [*outcome.steps, outcome.requirement]
            lines += _different("finding", self.findings, _amounts(outcome))
        if rulebook.custody and (self.lapses is not None or not rulebook.assess):
            checks = rulebook.checks(self.facts)
            roots += [step for check in checks for step in check.steps]
            lines += _different("lapse", self.lapses, self._cures(checks))
        if rulebook.permission and self.case:
            permission = rulebook.permitted(self.case)
            roots += permission.steps
            lines += _different("permission", self.permission, _permission(permission))
        found = {figure.key: figure for root in roots for figure in root.walk()}
        for key, value in self.expected.items():
            figure = found.get(key)
            if figure is None:
                lines.append(f"{key}: no such figure")
            elif figure.value != value:
                got = "a hole" if figure.value is None else plain(figure.value)
                lines.append(f"{key}: expected {plain(value)}, got {got}")
        return lines

    def _cures(self, checks: tuple[Check, ...]) -> dict[str, date | None]:
        """Each lapse, by code and subject, with the day by which it is cured if it arose on the example's day."""
        lapses = [lapse for check in checks for lapse in check.lapses]
        return {f"{lapse.finding.code} {lapse.subject}".strip(): cure_by(lapse, self.facts.as_of) for lapse in lapses}


def _amounts(outcome: Outcome) -> dict[str, str | None]:
    return {f.code: plain(f.amount.known) if f.amount else None for f in outcome.findings}


def _permission(said: Permission) -> dict[str, object]:
    words = {True: "yes", False: "no", None: "unknown"}
    items = {item.key: words[item.applies] for item in said.items if item.applies is not False}
    return (
        items
        | {"act": said.act}
        | {"needed": words[said.needed]}
        | ({"report_by": said.report_by} if said.report_by else {})
    )


def stated_case(day: date, stated: dict[str, Any], by: str = "the worked example") -> Case:
    """A case as somebody states it; an amount that they do not state is a hole. Raises `TypeError` on an unknown key."""
    unknown = set(stated) - {"cause", "act", "grounds", "largest", "per_day", "evident", "people", "shown"}
    if unknown:
        raise TypeError(f"unknown key {min(unknown)!r} in case")
    names = {
        "largest": Name("largest payment to one customer", "顧客一人への最大の支払額"),
        "per_day": Name("largest for one customer's trades of one day", "一日の取引における顧客一人への最大の額"),
        "evident": Name("of it evident from the books", "うち帳簿書類等により明らかな額"),
    }
    amounts = {
        key: given(stated[key], "JPY", name, Stated(by), key)
        if key in stated
        else hole("JPY", name, Name("not stated", "記載なし"), key)
        for key, name in names.items()
    }
    return Case(
        day, stated["cause"], **amounts, act=stated.get("act", ""), grounds=frozenset(stated.get("grounds", [])),
        people=int(stated.get("people", 1)), shown=int(stated.get("shown", 1)),
    )  # fmt: skip


def _different(what: str, expected: Mapping[str, object] | None, got: Mapping[str, object]) -> list[str]:
    """A line for everything that was expected and is not there, or is otherwise, or was not expected."""
    if expected is None:
        return []
    names = [*expected, *(name for name in got if name not in expected)]
    return [
        f"{what} {name}: expected {expected.get(name, 'nothing')}, got {got.get(name, 'nothing')}"
        for name in names
        if name not in got or name not in expected or expected[name] != got[name]
    ]


_TOP = {
    "title", "source", "as_of", "volumes", "reserve_entries", "customer_assets", "losses", "grades", "currency", "coins", "prices",
    "averages", "averaged_over", "averaged_days", "cash", "places", "net_assets", "audits", "expected", "findings", "lapses", "case",
    "permission",
}  # fmt: skip


def load_examples(rulebook: Rulebook) -> list[Example]:
    """The worked examples of a rulebook. Raises `RulebookProblem` on one that is not well formed."""
    return [_example(file) for file in sorted((rulebook.folder / "examples").glob("*.toml"))]


def _example(file: Path) -> Example:
    try:
        table: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        unknown = set(table) - _TOP
        if unknown:
            raise RulebookProblem(f"unknown key {min(unknown)!r}", where=str(file), then=", ".join(sorted(_TOP)))
        if isinstance(table["as_of"], datetime) or not isinstance(table["as_of"], date):
            raise TypeError("as_of is not a day")
        facts = StatedFacts(
            as_of=table["as_of"],
            volumes=table.get("volumes", {}),
            entries=tuple((e["kind"], e["on"], e["amount"]) for e in table.get("reserve_entries", [])),
            assets={asset: (a["cold"], a["rest"]) for asset, a in table.get("customer_assets", {}).items()},
            losses=tuple((loss["on"], loss["net"]) for loss in table.get("losses", [])),
            grades=table.get("grades", {}),
            currency=table.get("currency", "JPY"),
            coins=table.get("coins", {}),
            prices=table.get("prices", {}),
            averages=table.get("averages", {}),
            averaged_over=table.get("averaged_over"),
            averaged_days=table.get("averaged_days", {}),
            cash=table.get("cash", {}),
            kept_at=tuple(table.get("places", [])),
            equity=table.get("net_assets"),
            audited=table.get("audits", {}),
        )
        expected = {key: exact(_text(value)) for key, value in table["expected"].items()}
        findings = table.get("findings")
        lapses = {name: day or None for name, day in table["lapses"].items()} if "lapses" in table else None
        case = stated_case(facts.as_of, table["case"]) if "case" in table else None
        return Example(
            Name(**table["title"]),
            table["source"],
            facts,
            expected,
            findings,
            lapses,
            case,
            table.get("permission"),
            file,
        )
    except (KeyError, TypeError, AttributeError, ValueError) as problem:
        raise RulebookProblem(
            f"the worked example is not well formed: {problem!r}", where=str(file), then="compare with a shipped one"
        ) from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not in quotes")
    return value
