"""Findings (指摘事項): what somebody must look at, how grave it is, under which rule, and by when it is cured."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import Any

from junbikin.figures import Figure, Name, Provenance


class Severity(IntEnum):
    """How grave, in rising order. A HOLE is something unknown, which may hide a breach."""

    NOTICE = 1
    WARNING = 2
    HOLE = 3
    BREACH = 4

    @property
    def ja(self) -> str:
        """The Japanese word."""
        return {1: "注記", 2: "注意", 3: "不明", 4: "違反"}[self.value]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. `code` is stable for programs; `what` and `then` are for people.

    `since` is the day on which it arose, where that is followed from day to day; `cure_provenance` says how far the number
    of days to cure it is law, which may be less than the rule itself.
    """

    code: str
    severity: Severity
    what: Name
    then: Name
    citation: Name | None = None
    provenance: Provenance | None = None
    amount: Figure | None = None
    cure_by: date | None = None
    since: date | None = None
    cure_provenance: Provenance | None = None

    def document(self) -> dict[str, Any]:
        """As JSON; the amount is named by its figure's digest. What is followed from day to day says since when."""
        followed = {
            "since": self.since.isoformat() if self.since else None,
            "cure_provenance": str(self.cure_provenance) if self.cure_provenance else None,
        }
        return (followed if self.since else {}) | {
            "code": self.code,
            "severity": self.severity.name.lower(),
            "what": self.what.words,
            "next": self.then.words,
            "citation": self.citation.words if self.citation else None,
            "provenance": str(self.provenance) if self.provenance else None,
            "amount": self.amount.digest if self.amount else None,
            "cure_by": self.cure_by.isoformat() if self.cure_by else None,
        }
