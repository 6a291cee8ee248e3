"""Finding a figure by its path in the positions at hand."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

from junbikin.errors import PositionProblem
from junbikin.figures import Figure
from junbikin.reserve.document import Document, read_document


def find(contents: Sequence[Any], path: str, rulebook: str | None) -> tuple[Document, Figure]:
    """The document and the figure at `path`: a key, or keys joined by `/` from the outside in, or a digest's start.

    Raises `PositionProblem` when nothing, or more than one position, answers, or a document was altered.
    """
    documents = [read_document(content) for content in contents]
    chosen = [document for document in documents if rulebook in (None, document.rulebook)]
    if not chosen:
        have = ", ".join(document.rulebook for document in documents)
        raise PositionProblem(f"no position under {rulebook!r} here", then=f"there is one under {have}")
    answers = [(document, figure) for document in chosen if (figure := _figure(document, path))]
    if not answers:
        raise _no_figure(chosen, path)
    if len(answers) > 1:
        books = ", ".join(document.rulebook for document, _ in answers)
        raise PositionProblem(f"{path!r} is in several positions ({books})", then="name one with --rulebook ID")
    return answers[0]


def _no_figure(documents: Sequence[Document], path: str) -> PositionProblem:
    keys = sorted({figure.key for document in documents for figure in document.figures.values() if figure.key})
    heads = [figure.key for document in documents for figure in document.heads]
    near = difflib.get_close_matches(path.split("/")[-1], keys, 3) or list(dict.fromkeys(heads))
    searched = "; ".join(f"{document.rulebook} of {document.body['as_of']}" for document in documents)
    return PositionProblem(f"there is no figure {path!r}", where=searched, then="try " + ", ".join(near))


def _figure(document: Document, path: str) -> Figure | None:
    within = document.roots
    figure: Figure | None = None
    for step in path.split("/"):
        every = [part for root in within for part in root.walk()]
        figure = next((part for part in every if step and part.key == step), None)
        if figure is None and len(step) >= 8:
            figure = next((part for part in every if part.digest.startswith(step)), None)
        if figure is None:
            return None
        within = [figure]
    return figure
