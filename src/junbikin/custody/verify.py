"""Verify a custody day as a position is verified: believe nothing in the file, judge every day anew, name the first difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from junbikin.custody.day import FORMAT, judge
from junbikin.custody.judging import views_in
from junbikin.custody.memory import Memory
from junbikin.errors import PositionProblem
from junbikin.home import Home
from junbikin.reserve import verify as reserve
from junbikin.reserve.document import Document, reading, whole
from junbikin.reserve.verify import Path, Verification, books_known_to, known_to, verified


def verify(home: Home, content: Any) -> Verification:
    """Recomputes a position or a custody day, whichever the document is, from the facts as they were known to it.

    Raises `PositionProblem` when the file was altered, `FactsDamaged` when the facts were, or are not those.
    """
    if not is_custody_day(content):
        return reserve.verify(home, content)
    stated = read_custody_day(content)
    lake, rulebook, as_of = known_to(home, stated)
    with books_known_to(home, stated) as ledger:
        views = views_in(lake, ledger)
        day = judge(rulebook, views.on(as_of), views.new, Memory(None))
    heads = []
    for old, new in zip(stated.body["duties"], day.duties, strict=False):
        if old["key"] == new.key and len(old["steps"]) == len(new.steps):
            steps = [stated.figures[digest] for digest in old["steps"]]
            heads += [((new.key,), *pair) for pair in zip(steps, new.steps, strict=True)]
    return verified(stated, day, heads, _parts)


def is_custody_day(content: Any) -> bool:
    """Whether a document says that it is a custody day."""
    return isinstance(content, dict) and content.get("format") == FORMAT


def read_custody_day(content: Any) -> Document:
    """The custody day, if it is one of ours and every digest in it holds. Raises `PositionProblem` otherwise."""
    if not is_custody_day(content):
        raise PositionProblem("this is not a custody day", then="give a file that `junbikin custody --json` wrote")
    with reading("custody day"):
        body, figures = whole(content, "custody")
        heads = [figures[digest] for duty in body["duties"] for digest in duty["steps"]]
        findings = [*(finding for duty in body["duties"] for finding in duty["findings"]), *body["beside"]]
        amounts = [figures[finding["amount"]] for finding in findings if finding["amount"]]
        return Document(content, body, figures, heads, [*heads, *amounts])


def _parts(content: Mapping[str, Any]) -> dict[Path, Any]:
    body = content["custody"]
    parts: dict[Path, Any] = {(part,): body[part] for part in sorted(body) if part not in ("duties", "beside")}
    parts["duties",] = [duty["key"] for duty in body["duties"]]
    for duty in body["duties"]:
        parts |= _findings(duty["key"], duty["findings"])
        parts |= {(duty["key"], part): duty[part] for part in sorted(duty) if part != "findings"}
    parts |= _findings("beside", body["beside"])
    return parts | {("facts", part): content["facts"][part] for part in sorted(content["facts"])}


def _findings(under: str, findings: Sequence[Mapping[str, Any]]) -> dict[Path, Any]:
    """Each finding by its code and subject: how grave it is, then all else that it says; last, their order."""
    alike = [" ".join(filter(None, (finding["code"], finding.get("subject")))) for finding in findings]
    names = [name if alike.count(name) == 1 else f"{name} ({number})" for number, name in enumerate(alike, 1)]
    parts: dict[Path, Any] = {}
    for name, finding in zip(names, findings, strict=True):
        parts[under, name] = finding["severity"]
        parts |= {(under, name, part): finding[part] for part in sorted(finding)}
    return parts | {(under, "findings"): names}
