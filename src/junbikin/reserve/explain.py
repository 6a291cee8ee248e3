"""Finding a figure by its path in the positions at hand."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

from junbikin.errors import PositionProblem
from junbikin.figures import Figure, from_table
from junbikin.reserve.verify import check_whole


def find(documents: Sequence[dict[str, Any]], path: str, rulebook: str | None) -> tuple[dict[str, Any], Figure]:
    """The document and the figure at `path`: a key, or keys joined by `/` from the outside in, or a digest's start.

    Raises `PositionProblem` when nothing, or more than one position, answers.
    """
    chosen = [d for d in documents if rulebook in (None, d["position"]["rulebook"]["id"])]
    if not chosen:
        have = ", ".join(d["position"]["rulebook"]["id"] for d in documents)
        raise PositionProblem(f"no position under {rulebook!r} here", then=f"there is one under {have}")
    answers = [(document, figure) for document in chosen if (figure := _figure(check_whole(document), path))]
    if not answers:
        keys = sorted({f.key for d in chosen for root in _roots(d) for f in root.walk() if f.key})
        near = difflib.get_close_matches(path.split("/")[-1], keys, 3) or keys[:12]
        raise PositionProblem(f"there is no figure {path!r}", then="try " + ", ".join(near))
    if len(answers) > 1:
        books = ", ".join(d["position"]["rulebook"]["id"] for d, _ in answers)
        raise PositionProblem(f"{path!r} is in several positions ({books})", then="name one with --rulebook ID")
    return answers[0]


def _roots(document: dict[str, Any]) -> list[Figure]:
    """Every root: the headline figures, the steps, and each asset's and policy's."""
    body, table = document["position"], document["figures"]
    items = [item[part] for item in (*body["assets"], *body["policies"]) for part in ("counted", "worth")]
    heads = [body["requirement"], body["resources"], body["gap"], *body["steps"]]
    return [from_table(table, digest) for digest in (*heads, *items)]


def _figure(document: dict[str, Any], path: str) -> Figure | None:
    within = _roots(document)
    figure: Figure | None = None
    for step in path.split("/"):
        every = [part for root in within for part in root.walk()]
        figure = next((part for part in every if part.key == step), None)
        if figure is None and len(step) >= 8:
            figure = next((part for part in every if part.digest.startswith(step)), None)
        if figure is None:
            return None
        within = [figure]
    return figure
