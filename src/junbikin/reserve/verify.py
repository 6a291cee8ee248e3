"""Verify: believe nothing in a position file, recompute it from the facts, and name the first difference.

What holds for every document that is worked from facts under a rulebook is here too, for others to verify theirs with.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Protocol

from junbikin.facts.lake import Lake, open_lake
from junbikin.figures import Figure
from junbikin.home import Home
from junbikin.reserve.assess import assess
from junbikin.reserve.document import Document, read_document
from junbikin.reserve.view import FactsView
from junbikin.rulebooks.load import Rulebook, load_rulebook

if TYPE_CHECKING:
    from junbikin.reserve.ledger import Ledger

Path = tuple[str, ...]
"""Keys from the outside in."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place at which the file and the facts part: `path` of figures down to it, and both values."""

    path: Path
    stated: str
    recomputed: str


class Recomputed(Protocol):
    """What was worked again: a position, or another day judged under a rulebook."""

    @property
    def rulebook(self) -> Rulebook:
        """Under which."""

    @property
    def as_of(self) -> date:
        """Of which day."""

    @property
    def digest(self) -> str:
        """Of all of it."""

    def document(self) -> dict[str, Any]:
        """All of it."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of it; `difference` is None when every digest agrees."""

    document: Document
    recomputed: Recomputed
    rulebook_changed: bool
    difference: Difference | None


def verify(home: Home, content: Any) -> Verification:
    """Recomputes a position from the facts as they were known to it, believing no sum kept since.

    Raises `PositionProblem` when the file was altered, `FactsDamaged` when the facts were, or are not those.
    """
    stated = read_document(content)
    lake, rulebook, as_of = known_to(home, stated)
    with books_known_to(home, stated) as ledger:
        position = assess(lake, rulebook, as_of, FactsView(lake, as_of, ledger))
    now = (position.requirement, position.resources.total, position.gap, *position.steps)
    heads = [((), *pair) for pair in zip(stated.heads, now, strict=False)]
    return verified(stated, position, heads, _parts)


def known_to(home: Home, stated: Document) -> tuple[Lake, Rulebook, date]:
    """The facts as a document knew them, each file of them checked; the rulebook of its name as it is now; its day."""
    lake = open_lake(home, head=stated.content["facts"]["head"], fresh=True)
    lake.check_files({entry.dataset for entry in lake.entries})
    return lake, _rulebook(home, stated.rulebook), date.fromisoformat(stated.body["as_of"])


@contextmanager
def books_known_to(home: Home, stated: Document) -> Iterator[Ledger | None]:
    """The books as they were known to a document; None when it was made without books."""
    known_at = stated.content["facts"].get("books_known_at")
    if known_at is None:
        yield None
        return
    from junbikin.books.database import open_books
    from junbikin.reserve.ledger import Ledger

    with open_books(home) as books:
        yield Ledger(books, date.fromisoformat(stated.body["as_of"]), datetime.fromisoformat(known_at))


def _rulebook(home: Home, name: str) -> Rulebook:
    """The rulebook of that id: the home's own when it has one, else the known one."""
    for own in (*home.rulebooks, *home.custody):
        book = load_rulebook(own, home.path)
        if book.id == name:
            return book
    return load_rulebook(name, home.path)


def verified(
    stated: Document, again: Recomputed, heads: Iterable[tuple[Path, Figure, Figure]], parts: Parts
) -> Verification:
    """What comes of holding a document against what was worked again.

    `heads` are pairs of figures, each with the path to it; they are compared before the parts.
    """
    changed = again.rulebook.digest != stated.body["rulebook"]["digest"]
    for above, old, new in heads:
        if old.digest != new.digest:
            return Verification(stated, again, changed, first_difference(old, new, above))
    old_parts, new_parts = parts(stated.content), parts(again.document())
    for path in [*old_parts, *(path for path in new_parts if path not in old_parts)]:
        old_part, new_part = old_parts.get(path), new_parts.get(path)
        if old_part != new_part:
            return Verification(stated, again, changed, Difference(path, _short(old_part), _short(new_part)))
    if stated.content["digest"] != again.digest:  # a part that nobody told apart
        return Verification(stated, again, changed, Difference(("digest",), stated.content["digest"], again.digest))
    return Verification(stated, again, changed, None)


class Parts(Protocol):
    """Tells the parts of a document, in reading order, by the path to each."""

    def __call__(self, content: Mapping[str, Any], /) -> dict[Path, Any]:
        """Every part, so that two documents with equal parts say the same."""


def _parts(content: Mapping[str, Any]) -> dict[Path, Any]:
    parts: dict[Path, Any] = {(part,): content["position"][part] for part in sorted(content["position"])}
    for whole in ("summary", "facts"):
        parts |= {(whole, part): content[whole][part] for part in sorted(content[whole])}
    return parts


def first_difference(old: Figure, new: Figure, above: Path = ()) -> Difference:
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
