"""What a verification of the books says: that all is as it was written, or the first thing that is not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """The first thing that is not as it was written: what happened, where, and both values (each may be "")."""

    kind: str
    """One word for machines: `altered`, `deleted`, `inserted`, `reordered`, `rewritten`, `cut`, or the part that differs."""
    what: str
    where: str
    expected: str = ""
    found: str = ""

    @property
    def sentence(self) -> str:
        """All of it in one sentence."""
        values = f": expected {self.expected or 'nothing'}, found {self.found or 'nothing'}"
        return f"{self.where}: {self.what}{values if self.expected or self.found else ''}."


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was recomputed, the digest over all heads (hex), and the first difference; None: the books are as written."""

    records: int
    batches: int
    entries: int
    heads: str
    difference: Difference | None
