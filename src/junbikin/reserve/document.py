"""A position as a document: read back whole, with every digest in it checked, before anything in it is believed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import rfc8785

from junbikin.errors import PositionProblem
from junbikin.figures import Figure, all_from_table
from junbikin.reserve.position import FORMAT, summary


@dataclass(frozen=True, slots=True)
class Document:
    """A position document whose figures were restored and found unaltered."""

    content: Mapping[str, Any]
    figures: Mapping[str, Figure]

    @property
    def body(self) -> Mapping[str, Any]:
        """What the position's digest covers."""
        body: Mapping[str, Any] = self.content["position"]
        return body

    @property
    def rulebook(self) -> str:
        """The rulebook's id."""
        return str(self.body["rulebook"]["id"])

    @property
    def heads(self) -> list[Figure]:
        """Requirement, resources, gap, then the steps."""
        body = self.body
        return [
            self.figures[digest] for digest in (body["requirement"], body["resources"], body["gap"], *body["steps"])
        ]

    @property
    def roots(self) -> list[Figure]:
        """The heads, then every figure that hangs on an asset, a policy or a finding."""
        items = [item[part] for item in (*self.body["assets"], *self.body["policies"]) for part in ("counted", "worth")]
        amounts = [finding["amount"] for finding in self.body["findings"] if finding["amount"]]
        return [*self.heads, *(self.figures[digest] for digest in (*items, *amounts))]


def read_document(content: Any) -> Document:
    """The document, if it is one of ours and every digest in it holds. Raises `PositionProblem` otherwise."""
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise PositionProblem("this is not a position", then="give a file that `junbikin assess --json` wrote")
    try:
        digest = hashlib.sha256(rfc8785.dumps(content["position"])).hexdigest()
        if digest != content["digest"]:
            raise _altered(f"the position is not what its digest {str(content['digest'])[:12]} says")
        document = Document(content, all_from_table(content["figures"]))
        requirement, resources, gap, *_ = document.heads
        if not document.roots or content["summary"] != summary(requirement, resources, gap):
            raise _altered("the summary is not what the figures say")
        if not isinstance(content["facts"]["head"], str) or not isinstance(content["facts"]["sources"], list):
            raise TypeError("facts")
    except (KeyError, TypeError, AttributeError, ValueError) as problem:
        raise PositionProblem(f"the position is not whole: {problem}", then="ask for the original file") from None
    return document


def _altered(what: str) -> PositionProblem:
    return PositionProblem(f"{what}: it was altered", then="ask whoever gave you the file for the original")
