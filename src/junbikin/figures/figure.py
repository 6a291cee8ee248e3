"""A figure: a number that carries its unit, its names, how it was reached and where it came from.

Ordinary arithmetic on figures builds the explanation. A figure without a value is a hole: something that
could not be known. A hole makes every product and difference a hole; a `total` keeps the known part, and the
hole stays among its inputs, so that it is shown as incomplete wherever it appears.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property

import rfc8785

from junbikin.figures.amounts import EXACT, exact, plain
from junbikin.figures.source import Provenance, Rule, Source, source_to_json
from junbikin.figures.units import Unit, UnitMismatch


@dataclass(frozen=True, slots=True)
class Name:
    """The same words in English and Japanese."""

    en: str
    ja: str

    @property
    def words(self) -> dict[str, str]:
        """Both, as JSON has them."""
        return {"en": self.en, "ja": self.ja}


@dataclass(frozen=True, eq=False)
class Figure:
    """An immutable number with its explanation; two figures are equal when their digests are.

    `key` is the code name by which `explain` finds it (empty for an intermediate step). `op` says how it was
    reached from `inputs`: `given`, `hole`, `+`, `-`, `×`, `total`, `largest`, `smallest`, `round(0, down)`,
    and so on. `note` says what a reader must know: why a hole is a hole, what a cap did.
    """

    value: Decimal | None
    unit: Unit
    name: Name
    op: str = "given"
    inputs: tuple[Figure, ...] = ()
    source: Source | None = None
    key: str = ""
    note: Name | None = None

    def named(self, key: str, en: str, ja: str, note: Name | None = None) -> Figure:
        """The same figure under a code name, its names in both languages, and a note if there is one."""
        return replace(self, key=key, name=Name(en, ja), note=note or self.note)

    def taken_as(self, name: Name, source: Source) -> Figure:
        """The same value, put to use by a word of a rule or of the facts, which becomes part of its explanation."""
        return Figure(self.value, self.unit, name, "taken as", (self,), source)

    @property
    def known(self) -> Decimal:
        """The value. Raises `ValueError` on a hole: ask `value` first where there may be one."""
        if self.value is None:
            raise ValueError(f"{self.name.en} is not known: {self.note.en if self.note else 'no reason given'}")
        return self.value

    @cached_property
    def node(self) -> dict[str, object]:
        """What the digest covers; inputs stand in it by their digests, so equal parts are stored once."""
        return {
            "value": None if self.value is None else plain(self.value),
            "unit": str(self.unit),
            "name": {"en": self.name.en, "ja": self.name.ja},
            "op": self.op,
            "inputs": [figure.digest for figure in self.inputs],
            "source": source_to_json(self.source) if self.source else None,
            "key": self.key,
            "note": {"en": self.note.en, "ja": self.note.ja} if self.note else None,
        }

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the RFC 8785 canonical JSON of `node`, in hex: the same on every machine."""
        waiting = [self]
        while waiting:  # from the leaves up, without recursion: a chain of figures may be long
            figure = waiting[-1]
            open_inputs = [part for part in figure.inputs if "digest" not in part.__dict__]
            waiting.extend(open_inputs)
            if not open_inputs:
                figure.__dict__["digest"] = hashlib.sha256(rfc8785.dumps(figure.node)).hexdigest()  # type: ignore[arg-type]
                waiting.pop()
        return str(self.__dict__["digest"])

    @cached_property
    def holes(self) -> tuple[Figure, ...]:
        """Every hole under this figure, itself included, each once, in reading order."""
        return tuple(figure for figure in self.walk() if figure.op == "hole")

    @cached_property
    def provenances(self) -> frozenset[Provenance]:
        """The provenance of every rule number under this figure."""
        return frozenset(f.source.provenance for f in self.walk() if isinstance(f.source, Rule))

    def walk(self) -> Iterator[Figure]:
        """This figure and everything under it, each distinct figure once, inputs in order."""
        seen: set[str] = set()
        waiting = [self]
        while waiting:
            figure = waiting.pop()
            if figure.digest not in seen:
                seen.add(figure.digest)
                yield figure
                waiting.extend(reversed(figure.inputs))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Figure) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __add__(self, other: Figure) -> Figure:
        return self._with("+", other, same_unit(self, other), EXACT.add)

    def __sub__(self, other: Figure) -> Figure:
        return self._with("-", other, same_unit(self, other), EXACT.subtract)

    def __mul__(self, other: Figure) -> Figure:
        return self._with("×", other, self.unit * other.unit, EXACT.multiply)

    def _with(self, op: str, other: Figure, unit: Unit, work: Callable[[Decimal, Decimal], Decimal]) -> Figure:
        value = None if self.value is None or other.value is None else work(self.value, other.value)
        return Figure(value, unit, _joined(op, self, other), op, (self, other))


def _joined(op: str, left: Figure, right: Figure) -> Name:
    return Name(f"{left.name.en} {op} {right.name.en}", f"{left.name.ja} {op} {right.name.ja}")


def same_unit(*figures: Figure) -> Unit:
    """The unit that all share. Raises `UnitMismatch`, naming the first two that differ."""
    first = figures[0]
    for other in figures[1:]:
        if other.unit != first.unit:
            raise UnitMismatch(
                f"{first.name.en} is in {first.unit}, {other.name.en} in {other.unit}",
                then="convert one with a price before they are added or compared",
            )
    return first.unit


def given(value: Decimal | int | str, unit: Unit | str, name: Name, source: Source, key: str = "") -> Figure:
    """A leaf: a number as its source gives it. Raises `BadInput` unless it is finite and exact."""
    return Figure(exact(value), _unit(unit), name, source=source, key=key)


def hole(unit: Unit | str, name: Name, why: Name, key: str = "") -> Figure:
    """A figure that could not be known, and why."""
    return Figure(None, _unit(unit), name, "hole", key=key, note=why)


def _unit(unit: Unit | str) -> Unit:
    return unit if isinstance(unit, Unit) else Unit.parse(unit)
