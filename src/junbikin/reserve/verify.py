"""Verify: believe nothing in a position file, recompute it from the facts, and name the first difference."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from junbikin.facts.lake import open_lake
from junbikin.figures import Figure
from junbikin.home import Home
from junbikin.reserve.assess import assess
from junbikin.reserve.document import Document, read_document
from junbikin.reserve.position import Position
from junbikin.rulebooks.load import Rulebook, load_rulebook


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place at which the file and the facts part: `path` of figures down to it, and both values."""

    path: tuple[str, ...]
    stated: str
    recomputed: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of it; `difference` is None when every digest agrees."""

    document: Document
    position: Position
    rulebook_changed: bool
    difference: Difference | None


def verify(home: Home, content: Any) -> Verification:
    """Recomputes a position from the facts as they were known to it, believing no sum kept since.

    Raises `PositionProblem` when the file was altered, `FactsDamaged` when the facts were, or are not those.
    """
    stated = read_document(content)
    lake = open_lake(home, head=stated.content["facts"]["head"], fresh=True)
    lake.check_files({entry.dataset for entry in lake.entries})
    rulebook = _rulebook(home, stated.rulebook)
    position = assess(lake, rulebook, date.fromisoformat(stated.body["as_of"]))
    return Verification(
        stated, position, rulebook.digest != stated.body["rulebook"]["digest"], _difference(stated, position)
    )


def _rulebook(home: Home, name: str) -> Rulebook:
    """The rulebook of that id: the home's own when it has one, else the known one."""
    for own in home.rulebooks:
        book = load_rulebook(own, home.path)
        if book.id == name:
            return book
    return load_rulebook(name, home.path)


def _difference(stated: Document, position: Position) -> Difference | None:
    now = (position.requirement, position.resources.total, position.gap, *position.steps)
    for old, new in zip(stated.heads, now, strict=False):
        if old.digest != new.digest:
            return first_difference(old, new)
    fresh = position.document()
    for whole in ("position", "summary", "facts"):
        for part in sorted(set(stated.content[whole]) | set(fresh[whole])):
            old_part, new_part = stated.content[whole].get(part), fresh[whole].get(part)
            if old_part != new_part:
                return Difference((part,) if whole == "position" else (whole, part), _short(old_part), _short(new_part))
    return None


def first_difference(old: Figure, new: Figure, above: tuple[str, ...] = ()) -> Difference:
    """Walks two trees down to the first figure that differs although its inputs agree, or that has other inputs."""
    path = (*above, old.key or old.name.en)
    if len(old.inputs) == len(new.inputs):
        for one, other in zip(old.inputs, new.inputs, strict=True):
            if one.digest != other.digest:
                return first_difference(one, other, path)
    return Difference(path, _short(old.node), _short(new.node))


def _short(value: Any) -> str:
    if isinstance(value, dict) and "op" in value:
        kept = {key: value[key] for key in ("value", "unit", "op", "source", "name") if value.get(key)}
        kept["inputs"] = f"{len(value['inputs'])} inputs"
        return str(kept)
    text = str(value)
    return text if len(text) < 400 else text[:400] + "…"
