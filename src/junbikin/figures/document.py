"""Figures as JSON and back without loss: a table of nodes by digest, each part stored once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from junbikin.errors import PositionProblem
from junbikin.figures.amounts import exact
from junbikin.figures.figure import Figure, Name
from junbikin.figures.source import source_from_json
from junbikin.figures.units import Unit


def to_table(figures: Iterable[Figure]) -> dict[str, Any]:
    """Every figure under those given: digest → node (see `Figure.node`); amounts are strings."""
    return {part.digest: part.node for figure in figures for part in figure.walk()}


def from_table(table: Mapping[str, Any], root: str) -> Figure:
    """The figure `root` of a table. Raises `PositionProblem` when a part is missing or was altered."""
    done: dict[str, Figure] = {}
    waiting = [root]
    open_parts: set[str] = set()
    while waiting:
        digest = waiting[-1]
        if digest in done:
            waiting.pop()
            continue
        node = table.get(digest)
        if node is None:
            raise PositionProblem(f"the figure {digest[:12]} is missing", then="ask for the whole document")
        missing = [part for part in _inputs(node, digest) if part not in done]
        if missing:
            if digest in open_parts:
                raise PositionProblem(f"the figure {digest[:12]} stands under itself", then="ask for the original")
            open_parts.add(digest)
            waiting.extend(missing)
            continue
        done[digest] = _figure(node, digest, done)
        waiting.pop()
    return done[root]


def _inputs(node: Any, digest: str) -> list[str]:
    if not isinstance(node, dict) or not isinstance(node.get("inputs"), list):
        raise _altered(digest)
    return [str(part) for part in node["inputs"]]


def _figure(node: dict[str, Any], digest: str, done: Mapping[str, Figure]) -> Figure:
    try:
        value: Decimal | None = None if node["value"] is None else exact(node["value"])
        figure = Figure(
            value,
            Unit.parse(node["unit"]),
            Name(**node["name"]),
            node["op"],
            tuple(done[part] for part in node["inputs"]),
            source_from_json(node["source"]) if node["source"] else None,
            node["key"],
            Name(**node["note"]) if node["note"] else None,
        )
    except (KeyError, TypeError, ValueError) as problem:
        raise _altered(digest) from problem
    if figure.digest != digest or figure.node != node:
        raise _altered(digest, figure)
    return figure


def _altered(digest: str, figure: Figure | None = None) -> PositionProblem:
    name = f" ({figure.name.en} = {figure.node['value']})" if figure else ""
    return PositionProblem(
        f"the figure {digest[:12]}{name} is not what its digest says: it was altered",
        then="ask whoever gave you the file for the original",
    )
