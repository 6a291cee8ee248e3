"""Parameters of a rulebook: dated values with a citation and a provenance, read by formulas as figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from junbikin.errors import ParameterMissing, RulebookProblem
from junbikin.figures import Figure, Name, Provenance, Rule, given


@dataclass(frozen=True, slots=True)
class DatedValue:
    """A value from a day until the next one begins or `until` has passed; `unknown` says why there is none."""

    since: date
    until: date | None
    value: str | None
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number or word that a formula reads. `unit` is empty for a word."""

    key: str
    name: Name
    unit: str
    provenance: Provenance
    citation: Name
    values: tuple[DatedValue, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """A rulebook's parameters as they stand on one day. Every reading names what is missing."""

    rulebook: str
    day: date
    parameters: Mapping[str, Parameter]

    def number(self, key: str) -> Figure:
        """The parameter as a figure. Raises `ParameterMissing` when it is unknown or not yet in force."""
        parameter, dated = self._find(key)
        if not parameter.unit:
            raise self._wrong(key, f"is the word {dated.value!r}, where the formula needs a number")
        return given(dated.value or "", parameter.unit, parameter.name, self._source(parameter, dated), key)

    def integer(self, key: str, least: int = 0) -> int:
        """The parameter as a whole number of at least `least`, such as a count of days."""
        value: Decimal = self.number(key).known
        if value != int(value) or value < least:
            raise self._wrong(key, f"must be a whole number of at least {least}")
        return int(value)

    def choice(self, key: str, choices: list[str]) -> tuple[str, Rule]:
        """The parameter as one of some words, with its source."""
        word, source = self.word(key)
        if word not in choices:
            raise self._wrong(key, f"is {word!r}, which is none of {', '.join(choices)}")
        return word, source

    def _wrong(self, key: str, what: str) -> RulebookProblem:
        return RulebookProblem(f"{self.rulebook}: {key} {what}", then="correct rulebook.toml")

    def word(self, key: str) -> tuple[str, Rule]:
        """The parameter as a word, with its source."""
        parameter, dated = self._find(key)
        return dated.value or "", self._source(parameter, dated)

    def words(self, key: str) -> tuple[frozenset[str], Rule]:
        """The parameter as a set of words joined by `|`, with its source."""
        text, source = self.word(key)
        return frozenset(text.split("|")), source

    def under(self, prefix: str) -> list[str]:
        """The last parts of the keys that start with `prefix.`, in the order of the rulebook."""
        return [key.removeprefix(f"{prefix}.") for key in self.parameters if key.startswith(f"{prefix}.")]

    def has(self, key: str) -> bool:
        """Whether the rulebook has the parameter at all."""
        return key in self.parameters

    def _find(self, key: str) -> tuple[Parameter, DatedValue]:
        parameter = self.parameters.get(key)
        if parameter is None:
            raise ParameterMissing(
                f"the rulebook {self.rulebook} has no parameter {key!r}", then="add it to rulebook.toml with a citation"
            )
        current = [v for v in parameter.values if v.since <= self.day and (v.until is None or self.day <= v.until)]
        if not current:
            spans = "; ".join(f"{v.since} to {v.until or 'now'}" for v in parameter.values)
            raise ParameterMissing(
                f"{self.rulebook}: {key} has no value on {self.day}",
                where=f"its values hold {spans}",
                then="assess a day within, or add the value that was in force with its citation",
            )
        if current[-1].value is None:
            raise ParameterMissing(
                f"{self.rulebook}: {key} is not known on {self.day} ({current[-1].unknown})",
                where=parameter.citation.en,
                then="give it a value with a citation in a rulebook of your own, or leave this rulebook out",
            )
        return parameter, current[-1]

    def _source(self, parameter: Parameter, dated: DatedValue) -> Rule:
        return Rule(
            self.rulebook,
            parameter.key,
            parameter.citation.en,
            parameter.citation.ja,
            parameter.provenance,
            dated.since.isoformat(),
        )
