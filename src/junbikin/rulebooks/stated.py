"""Facts as somebody states them in a file, for worked examples: no lake, the same formulas."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from junbikin.calendars import Period, fiscal_year
from junbikin.errors import RulebookProblem
from junbikin.figures import Figure, Name, Stated, exact, given, plain, total
from junbikin.rulebooks.interface import CustomerAsset, Grade, Outcome
from junbikin.rulebooks.load import Rulebook


@dataclass(frozen=True, slots=True)
class StatedFacts:
    """Facts of a worked example.

    `volumes` is line → fiscal year → amount; `entries` the reserve's; `assets` asset → (cold, rest);
    `losses` (day, net loss); `grades` control → grade.
    """

    as_of: date
    volumes: dict[str, dict[str, str]] = field(default_factory=dict)
    entries: tuple[tuple[str, date, str], ...] = ()
    assets: dict[str, tuple[str, str]] = field(default_factory=dict)
    losses: tuple[tuple[date, str], ...] = ()
    grades: dict[str, str] = field(default_factory=dict)
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

    def _yen(self, amount: str, en: str, ja: str) -> Figure:
        return given(amount, self.currency, Name(en, ja), Stated(self.by))


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example: its facts and, by key of figure, the values that they must give."""

    title: Name
    source: str
    facts: StatedFacts
    expected: dict[str, Decimal]
    file: Path

    def differences(self, rulebook: Rulebook) -> list[str]:
        """A line for every figure that is not as expected; empty when all are."""
        outcome: Outcome = rulebook.formula(self.facts, rulebook.on(self.facts.as_of))
        found = {figure.key: figure for root in (*outcome.steps, outcome.requirement) for figure in root.walk()}
        lines = []
        for key, value in self.expected.items():
            figure = found.get(key)
            if figure is None:
                lines.append(f"{key}: no such figure")
            elif figure.value != value:
                got = "a hole" if figure.value is None else plain(figure.value)
                lines.append(f"{key}: expected {plain(value)}, got {got}")
        return lines


_TOP = {"title", "source", "as_of", "volumes", "reserve_entries", "customer_assets", "losses", "grades", "expected"}


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
        )
        expected = {key: exact(_text(value)) for key, value in table["expected"].items()}
        return Example(Name(**table["title"]), table["source"], facts, expected, file)
    except (KeyError, TypeError, AttributeError, ValueError) as problem:
        raise RulebookProblem(
            f"the worked example is not well formed: {problem!r}", where=str(file), then="compare with a shipped one"
        ) from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not in quotes")
    return value
