"""Verify: believe nothing in a position file, recompute it from the facts, and name the first difference."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Any

import rfc8785

from junbikin.errors import PositionProblem
from junbikin.facts.lake import open_lake
from junbikin.figures import Figure, from_table
from junbikin.home import Home
from junbikin.reserve.position import FORMAT, Position, assess
from junbikin.rulebooks.load import load_rulebook


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place at which the file and the facts part: `path` of figures down to it, and both values."""

    path: tuple[str, ...]
    stated: str
    recomputed: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of it; `difference` is None when every digest agrees."""

    document: dict[str, Any]
    position: Position
    rulebook_changed: bool
    difference: Difference | None


def check_whole(document: Any) -> dict[str, Any]:
    """The document, if it is one of ours and every digest in it holds. Raises `PositionProblem` otherwise."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise PositionProblem("this is not a position", then="give a file that `junbikin assess --json` wrote")
    try:
        digest = hashlib.sha256(rfc8785.dumps(document["position"])).hexdigest()
        if digest != document["digest"]:
            raise PositionProblem(
                f"the position is not what its digest {document['digest'][:12]} says: it was altered",
                then="ask whoever gave you the file for the original",
            )
        roots(document)
        summary = {"requirement": "requirement", "resources": "resources", "gap": "gap"}
        for name, part in summary.items():
            if document["summary"][name] != document["figures"][document["position"][part]]["value"]:
                raise PositionProblem(f"the summary's {name} is not the figure's", then="ask for the original")
    except (KeyError, TypeError) as problem:
        raise PositionProblem(f"the position lacks {problem}", then="ask for the whole file") from None
    return document


def roots(document: dict[str, Any]) -> list[Figure]:
    """The root figures of a document: requirement, resources, gap, then the steps."""
    body, table = document["position"], document["figures"]
    return [
        from_table(table, digest) for digest in (body["requirement"], body["resources"], body["gap"], *body["steps"])
    ]


def verify(home: Home, document: Any) -> Verification:
    """Recomputes a position from the facts as they were known to it, believing no sum kept since.

    Raises `PositionProblem` when the file was altered, `FactsDamaged` when the facts were, or are not those.
    """
    stated = check_whole(document)
    body = stated["position"]
    lake = open_lake(home, head=stated["facts"]["head"], fresh=True)
    lake.check_files({entry.dataset for entry in lake.entries})
    rulebook = load_rulebook(body["rulebook"]["id"], home.path)
    position = assess(lake, rulebook, date.fromisoformat(body["as_of"]))
    difference = None if position.digest == stated["digest"] else _difference(stated, position)
    return Verification(stated, position, rulebook.digest != body["rulebook"]["digest"], difference)


def _difference(stated: dict[str, Any], position: Position) -> Difference:
    now = (position.requirement, position.resources.total, position.gap, *position.steps)
    for old, new in zip(roots(stated), now, strict=False):
        if old.digest != new.digest:
            return first_difference(old, new)
    for part in sorted(set(stated["position"]) | set(position.body)):
        old_part, new_part = stated["position"].get(part), position.body.get(part)
        if old_part != new_part:
            return Difference((part,), _short(old_part), _short(new_part))
    raise AssertionError("digests differ but nothing else does")


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
