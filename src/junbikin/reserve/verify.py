"""Verify: believe nothing in a position file, recompute it from the facts, and name the first difference."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from junbikin.facts.lake import open_lake
from junbikin.figures import Figure
from junbikin.home import Home
from junbikin.reserve.assess import assess
from junbikin.reserve.document import Document, read_document
from junbikin.reserve.position import Position
from junbikin.reserve.view import FactsView
from junbikin.rulebooks.load import Rulebook, load_rulebook

if TYPE_CHECKING:
    from junbikin.reserve.ledger import Ledger


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
    as_of, known_at = date.fromisoformat(stated.body["as_of"]), stated.content["facts"].get("books_known_at")
    with _ledger(home, as_of, known_at) as ledger:
        position = assess(lake, rulebook, as_of, FactsView(lake, as_of, ledger))
    return Verification(
        stated, position, rulebook.digest != stated.body["rulebook"]["digest"], _difference(stated, position)
    )


@contextmanager
def _ledger(home: Home, as_of: date, known_at: str | None) -> Iterator[Ledger | None]:
    """The books as they were known to the position; None when it was made without books."""
    if known_at is None:
        yield None
        return
    from junbikin.books.database import open_books
    from junbikin.reserve.ledger import Ledger

    with open_books(home) as books:
        yield Ledger(books, as_of, datetime.fromisoformat(known_at))


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
