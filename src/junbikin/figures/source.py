"""Where a figure's number came from: a rule, a dataset, or somebody's statement."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Provenance(StrEnum):
    """How far a rule's number can be trusted as law, strongest first."""

    TEXT = "text"
    OFFICIAL = "official"
    PRESS = "press"
    ASSUMPTION = "assumption"

    @property
    def ja(self) -> str:
        """The Japanese tag."""
        return {"text": "条文", "official": "公表資料", "press": "報道", "assumption": "仮定"}[self.value]


@dataclass(frozen=True, slots=True)
class Rule:
    """A parameter of a rulebook: `since` is the first day its value holds (ISO date)."""

    rulebook: str
    parameter: str
    citation: str
    citation_ja: str
    provenance: Provenance
    since: str


@dataclass(frozen=True, slots=True)
class Data:
    """A query over a dataset; `digest` is the SHA-256 of the canonical rows that it returned."""

    dataset: str
    query: str
    digest: str


@dataclass(frozen=True, slots=True)
class Stated:
    """A number that somebody states, as in a worked example."""

    by: str


Source = Rule | Data | Stated


def source_to_json(source: Source) -> dict[str, str]:
    """The source as flat text."""
    return {"kind": type(source).__name__.lower()} | {name: str(getattr(source, name)) for name in source.__slots__}


def source_from_json(node: dict[str, str]) -> Source:
    """The source that `source_to_json` wrote. Raises `KeyError`, `TypeError` or `ValueError` otherwise."""
    fields = {name: text for name, text in node.items() if name not in ("kind", "provenance")}
    if node["kind"] == "rule":
        return Rule(**fields, provenance=Provenance(node["provenance"]))
    return Data(**fields) if node["kind"] == "data" else Stated(**fields)
