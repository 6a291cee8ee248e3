"""A position as a document: read back whole, with every digest in it checked, before anything in it is believed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import rfc8785

from junbikin.errors import PositionProblem
from junbikin.figures import Figure, all_from_table
from junbikin.reserve.position import FORMAT, summary


@dataclass(frozen=True, slots=True)
class Document:
    """A document of ours whose figures were restored and found unaltered.

    `body` is what its digest covers; `heads` are the figures that it is about, `roots` those and every other that hangs on
    something in the body.
    """

    content: Mapping[str, Any]
    body: Mapping[str, Any]
    figures: Mapping[str, Figure]
    heads: list[Figure]
    roots: list[Figure]

    @property
    def rulebook(self) -> str:
        """The rulebook's id."""
        return str(self.body["rulebook"]["id"])


def read_document(content: Any) -> Document:
    """The position, if it is one of ours and every digest in it holds. Raises `PositionProblem` otherwise."""
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise PositionProblem(
            "this is not a position",
            then="name a file of the home's `positions/` or `custody/`, or one that `junbikin assess --json` wrote",
        )
    with reading("position"):
        body, figures = whole(content, "position")
        heads = [figures[digest] for digest in (body["requirement"], body["resources"], body["gap"], *body["steps"])]
        items = [item[part] for item in (*body["assets"], *body["policies"]) for part in ("counted", "worth")]
        amounts = [finding["amount"] for finding in body["findings"] if finding["amount"]]
        document = Document(
            content, body, figures, heads, [*heads, *(figures[digest] for digest in (*items, *amounts))]
        )
        requirement, resources, gap, *_ = heads
        if content["summary"] != summary(requirement, resources, gap):
            raise altered("the summary is not what the figures say")
    return document


@contextmanager
def reading(what: str) -> Iterator[None]:
    """A document is read inside; what is missing in it, or of another kind than it should be, is told as a problem of it."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError) as problem:
        raise PositionProblem(f"the {what} is not whole: {problem}", then="ask for the original file") from None


def whole(content: Mapping[str, Any], part: str) -> tuple[Mapping[str, Any], Mapping[str, Figure]]:
    """The body of a document, named `part`, and its figures. Raises `PositionProblem` unless every digest holds."""
    body: Mapping[str, Any] = content[part]
    if hashlib.sha256(rfc8785.dumps(body)).hexdigest() != content["digest"]:
        raise altered(f"the {part} is not what its digest {str(content['digest'])[:12]} says")
    if not isinstance(content["facts"]["head"], str) or not isinstance(content["facts"]["sources"], list):
        raise TypeError("facts")
    return body, all_from_table(content["figures"])


def altered(what: str) -> PositionProblem:
    """The refusal of a document that says two things."""
    return PositionProblem(f"{what}: it was altered", then="ask whoever gave you the file for the original")
