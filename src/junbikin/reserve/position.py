"""The position: requirement, resources, surplus or shortfall, and findings, of one day under one rulebook."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

import rfc8785

from junbikin import __version__
from junbikin.figures import Figure, Name, Provenance, to_table
from junbikin.findings import Finding, Severity
from junbikin.reserve.resources import Item, Resources
from junbikin.rulebooks.load import Rulebook

FORMAT = "junbikin-position-1"


@dataclass(frozen=True)
class Position:
    """What one operator must hold, holds and lacks on a day. `gap` is resources less requirement."""

    operator: str
    invented: bool
    as_of: date
    rulebook: Rulebook
    head: str
    requirement: Figure
    resources: Resources
    gap: Figure
    steps: tuple[Figure, ...]
    findings: tuple[Finding, ...]
    evidence: tuple[dict[str, Any], ...]
    volumes: tuple[tuple[str, str, Decimal], ...]
    known_at: datetime | None = None  # of the books, where the reserve was read from them

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Every root figure, in reading order."""
        items = (*self.resources.assets, *self.resources.policies)
        amounts = tuple(f.amount for f in self.findings if f.amount is not None)
        roots = (self.requirement, self.resources.total, self.gap, *self.steps)
        return (*roots, *(i.worth for i in items), *(i.counted for i in items), *amounts)

    @property
    def provenances(self) -> list[Provenance]:
        """What the requirement and resources rest on, strongest first."""
        return provenances(self.gap)

    @property
    def holes(self) -> tuple[Figure, ...]:
        """What could not be known."""
        return self.gap.holes

    @property
    def verdict(self) -> Name:
        """The answer in two words."""
        return verdict(self.gap)

    @cached_property
    def body(self) -> dict[str, Any]:
        """What the digest covers: the same facts under the same rulebook give the same body on every machine."""
        return {
            "operator": self.operator,
            "invented": self.invented,
            "as_of": self.as_of.isoformat(),
            "rulebook": {"id": self.rulebook.id, "status": self.rulebook.status, "digest": self.rulebook.digest},
            "requirement": self.requirement.digest,
            "resources": self.resources.total.digest,
            "gap": self.gap.digest,
            "steps": [figure.digest for figure in self.steps],
            "assets": [_item(item) for item in self.resources.assets],
            "policies": [_item(item) for item in self.resources.policies],
            "findings": [finding.document() for finding in self.findings],
        }

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical body."""
        return hashlib.sha256(rfc8785.dumps(self.body)).hexdigest()

    @property
    def _known_at(self) -> str | None:
        return self.known_at.astimezone(UTC).isoformat() if self.known_at else None

    def document(self) -> dict[str, Any]:
        """The whole position as JSON: body, figures, and the evidence behind them. Amounts are strings."""
        return {
            "format": FORMAT,
            "made_by": f"junbikin {__version__}",
            "digest": self.digest,
            "summary": summary(self.requirement, self.resources.total, self.gap),
            "position": self.body,
            "figures": to_table(self.figures),
            "facts": {"head": self.head, "sources": list(self.evidence), "books_known_at": self._known_at},
        }


def provenances(figure: Figure) -> list[Provenance]:
    """What a figure rests on, strongest first."""
    return [provenance for provenance in Provenance if provenance in figure.provenances]


def verdict(gap: Figure) -> Name:
    """What a gap means, in two words."""
    if gap.value is None:
        return Name("undetermined", "判定不能")
    word = ("shortfall", "不足") if gap.value < 0 else ("surplus", "余剰")
    return Name(*word) if not gap.holes else Name(f"{word[0]}, incomplete", f"{word[1]}（一部不明）")


def summary(requirement: Figure, resources: Figure, gap: Figure) -> dict[str, Any]:
    """The answer in plain JSON, all of it derived from the figures; amounts are strings."""
    return {
        "requirement": requirement.node["value"],
        "resources": resources.node["value"],
        "gap": gap.node["value"],
        "currency": str(requirement.unit),
        "verdict": verdict(gap).en,
        "provenance": [str(provenance) for provenance in provenances(gap)],
        "complete": not gap.holes,
    }


def _item(item: Item) -> dict[str, Any]:
    return {
        "id": item.id,
        "kind": item.kind,
        "place": item.place,
        "worth": item.worth.digest,
        "counted": item.counted.digest,
        "refused": [why.words for why in item.refused],
        "limits": [why.words for why in item.limits],
    }


def worst(positions: Sequence[Position]) -> Severity | None:
    """The gravest severity among the findings of some positions."""
    return max((finding.severity for p in positions for finding in p.findings), default=None)
