"""The funding waterfall (充当順位): in which order money pays for a loss, and what each source leaves unpaid.

Where the money lies is not known here: whoever runs it states what each source has.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from junbikin.errors import BadInput
from junbikin.figures import Figure, Name, plain, smallest
from junbikin.figures.figure import same_unit

KINDS = MappingProxyType(
    {
        "guarantee": Name("guarantee crypto-assets", "履行保証暗号資産"),
        "insurance": Name("insurance", "保険"),
        "reserve": Name("reserve", "責任準備金"),
        "own": Name("own funds", "自己資金"),
        "outside": Name("outside help", "外部支援"),
    }
)
"""Every kind of source; `outside` is what the reserve exists to prevent."""

PROMISED = ("insurance", "outside")
"""Those that pay by a promise: what they have is in no account of the operator yet."""


@dataclass(frozen=True, slots=True)
class Source:
    """Money or coins that may pay: its kind, the account or policy (or ""), and what it has."""

    kind: str
    id: str
    available: Figure

    @property
    def name(self) -> Name:
        """The kind's name, and which one of them it is."""
        kind = KINDS[self.kind]
        return Name(f"{kind.en} {self.id}", f"{kind.ja} {self.id}") if self.id else kind

    @property
    def code(self) -> str:
        """What keys of its figures end with."""
        return f"{self.kind}.{self.id}" if self.id else self.kind


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the waterfall: what the source has, what it pays, and what is unpaid after it."""

    source: Source
    available: Figure
    used: Figure
    unpaid_after: Figure


def run(needed: Figure, sources: Sequence[Source]) -> tuple[Line, ...]:
    """A line for each source, in the order in which they are given; all in the unit of `needed`.

    Nobody pays more than is still unpaid. What is not known stays so: a source without a value pays an unknown part, and
    every line after it is a hole, unless nothing was unpaid any more. Raises `BadInput` on amounts below 0, on a kind
    that is none and on a source that is given twice; `UnitMismatch` on another unit.
    """
    _stated(needed, sources)
    return tuple(_lines(needed, sources))


def _lines(needed: Figure, sources: Sequence[Source]) -> Iterator[Line]:
    unpaid = needed
    for source in sources:
        used = _lesser(source.available, unpaid).named(
            f"used.{source.code}", f"paid by {source.name.en}", f"{source.name.ja}からの充当額"
        )
        unpaid = (unpaid - used if used.value != 0 else unpaid).named(
            f"unpaid_after.{source.code}", f"unpaid after {source.name.en}", f"{source.name.ja}充当後の未払額"
        )
        yield Line(source, source.available, used, unpaid)


def _lesser(available: Figure, unpaid: Figure) -> Figure:
    """The lesser of both: nothing when either is nothing, whatever the other may be."""
    for one in (unpaid, available):
        if one.value == 0:
            return one
    return smallest(available, unpaid)


def _stated(needed: Figure, sources: Sequence[Source]) -> None:
    same_unit(needed, *(source.available for source in sources))
    for figure in (needed, *(source.available for source in sources)):
        if figure.value is not None and figure.value < 0:
            raise BadInput(
                f"{figure.name.en} is below 0: {plain(figure.value)} {figure.unit}",
                then="a source that owes money pays nothing: state 0",
            )
    seen: set[str] = set()
    for source in sources:
        if source.kind not in KINDS:
            raise BadInput(f"{source.kind!r} is no kind of source", then="use one of " + ", ".join(KINDS))
        if source.code in seen:
            raise BadInput(f"the source {source.code} is given twice", then="state it once, with all that it has")
        seen.add(source.code)
