"""Figures as JSON and back without loss: a table of nodes by digest, each part stored once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from junbikin.errors import BadInput, PositionProblem
from junbikin.figures.amounts import exact
from junbikin.figures.figure import Figure, Name
from junbikin.figures.source import source_from_json
from junbikin.figures.units import Unit


def to_table(figures: Iterable[Figure]) -> dict[str, Any]:
    """Every figure under those given: digest → node (see `Figure.node`); amounts are strings."""
    return {part.digest: part.node for figure in figures for part in figure.walk()}


def from_table(table: Mapping[str, Any], root: str) -> Figure:
    """The figure `root` of a table. Raises `PositionProblem` when a part is missing or was altered."""
    figures = all_from_table(table)
    if root not in figures:
        raise _missing(root)
    return figures[root]


def all_from_table(table: Mapping[str, Any]) -> dict[str, Figure]:
    """Every figure of a table by digest, each checked against its digest.

    Raises `PositionProblem` when a part is missing, was altered, or stands under itself.
    """
    done: dict[str, Figure] = {}
    for start in table:
        waiting, opened = [start], set[str]()
        while waiting:
            digest = waiting[-1]
            if digest in done:
                waiting.pop()
                continue
            if digest not in table:
                raise _missing(digest)
            missing = [part for part in _inputs(table[digest], digest) if part not in done]
            if not missing:
                done[digest] = _figure(table[digest], digest, done)
            elif digest in opened:
                raise PositionProblem(f"the figure {digest[:12]} stands under itself", then="ask for the original")
            opened.add(digest)
            waiting.extend(missing)
    return done


def _inputs(node: Any, digest: str) -> list[str]:
    inputs = node.get("inputs") if isinstance(node, dict) else None
    if not isinstance(inputs, list) or not all(isinstance(part, str) for part in inputs):
        raise _altered(digest)
    return inputs


def _figure(node: dict[str, Any], digest: str, done: Mapping[str, Figure]) -> Figure:
    try:
        figure = Figure(
            None if node["value"] is None else exact(node["value"]),
            Unit.parse(node["unit"]),
            Name(**node["name"]),
            node["op"],
            tuple(done[part] for part in node["inputs"]),
            source_from_json(node["source"]) if node["source"] else None,
            node["key"],
            Name(**node["note"]) if node["note"] else None,
        )
        whole = figure.digest == digest and figure.node == node
    except (KeyError, TypeError, ValueError, AttributeError, BadInput) as problem:
        raise _altered(digest) from problem
    if not whole:
        raise _altered(digest, f" ({figure.name.en} = {node['value']})")
    return figure


def _missing(digest: str) -> PositionProblem:
    return PositionProblem(f"the figure {digest[:12]} is missing", then="ask for the whole document")


def _altered(digest: str, what: str = "") -> PositionProblem:
    return PositionProblem(
        f"the figure {digest[:12]}{what} is not what its digest says: it was altered",
        then="ask whoever gave you the file for the original",
    )
