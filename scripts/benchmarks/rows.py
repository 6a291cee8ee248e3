"""What a bench finds: a line for each thing measured, beside what it shall be."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
WORK = ROOT / "bench-data"
"""Where a bench works; removed when it ends."""


@dataclass(frozen=True)
class Row:
    """What was measured, in `unit`, and the bound that it shall keep; with no bound it is for information."""

    work: str
    measured: float
    unit: str
    detail: str = ""
    at_most: float | None = None
    at_least: float | None = None

    @property
    def missed(self) -> bool:
        """Whether a bound is not kept."""
        return (self.at_most is not None and self.measured > self.at_most) or (
            self.at_least is not None and self.measured < self.at_least
        )

    def __str__(self) -> str:
        bound = f"at most {self.at_most:g}" if self.at_most is not None else ""
        bound = f"at least {self.at_least:g}" if self.at_least is not None else bound
        verdict = ("MISSED" if self.missed else "ok") if bound else ""
        return f"{self.work:48} {self.measured:9.2f} {self.unit:5} {bound:16} {verdict:7} {self.detail}"
