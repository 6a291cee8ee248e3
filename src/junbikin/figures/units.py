"""Units: currencies and assets, multiplied and divided; `1` is a plain ratio."""

from __future__ import annotations

import re
from dataclasses import dataclass

from junbikin.errors import BadInput

_SYMBOL = re.compile(r"[A-Z0-9][A-Za-z0-9._-]*\Z")


class UnitMismatch(BadInput):
    """Two figures of different units were added or compared."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Symbols above and below one stroke, each sorted: `JPY`, `JPY/BTC`, `1`."""

    over: tuple[str, ...] = ()
    under: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Unit:
        """The unit that `str()` wrote. Raises `BadInput` on anything else."""
        over, stroke, under = text.partition("/")
        above = () if over == "1" else tuple(over.split("*"))
        below = tuple(under.split("*")) if stroke else ()
        if not all(_SYMBOL.match(symbol) and symbol != "1" for symbol in above + below):
            raise BadInput(f"not a unit: {text!r}", then="write a symbol, a quotient such as JPY/BTC, or 1")
        return cls._cancel(above, below)

    @classmethod
    def _cancel(cls, over: tuple[str, ...], under: tuple[str, ...]) -> Unit:
        above, below = list(over), list(under)
        for symbol in under:
            if symbol in above:
                above.remove(symbol)
                below.remove(symbol)
        return cls(tuple(sorted(above)), tuple(sorted(below)))

    def __mul__(self, other: Unit) -> Unit:
        return self._cancel(self.over + other.over, self.under + other.under)

    def __truediv__(self, other: Unit) -> Unit:
        return self._cancel(self.over + other.under, self.under + other.over)

    def __str__(self) -> str:
        over = "*".join(self.over) or "1"
        return f"{over}/{'*'.join(self.under)}" if self.under else over


RATIO = Unit()
