"""Permission (事故確認) for one incident: whether its losses may be made good without confirmation, by a rulebook that says so.

What a plan is asked with is worked out in `plan/permitted.py`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from junbikin.errors import PositionProblem
from junbikin.figures import Figure, Name, given, hole
from junbikin.figures.source import Stated
from junbikin.home import Home
from junbikin.incidents.documents import kept
from junbikin.incidents.folders import documents_folder
from junbikin.incidents.incident import Incident
from junbikin.rulebooks.interface import Case, Item, Permission
from junbikin.rulebooks.load import Rulebook

RULEBOOK = "jp-fiea-39"
"""What is asked unless another is named."""

_AMOUNTS = {
    "largest": Name("the most that one customer gets", "顧客一人への最大の支払額"),
    "per_day": Name("the most for one customer's trades of one day", "一日の取引における顧客一人への最大の額"),
    "evident": Name("the part of it that the books show", "うち帳簿書類等により明らかな額"),
}


def case_of(
    incident: Incident,
    on: date,
    grounds: Iterable[str],
    act: str = "",
    *,
    largest: Decimal | None = None,
    per_day: Decimal | None = None,
    evident: Decimal | None = None,
) -> Case:
    """What is to be made good for an incident, offered or paid on a day; amounts in yen, holes where nobody states them."""
    return Case(
        on, incident.cause, _stated("largest", largest, incident), _stated("per_day", per_day, incident),
        _stated("evident", evident, incident), act, frozenset(grounds),
    )  # fmt: skip


def _stated(key: str, value: Decimal | None, incident: Incident) -> Figure:
    name = _AMOUNTS[key]
    if value is None:
        return hole("JPY", name, Name("nobody stated it", "申告がない"), key)
    return given(value, "JPY", name, Stated(f"whoever asked about {incident.id}"), key)


def in_words(said: Permission) -> str:
    """The items by which no confirmation is needed, why, and by when it is reported; "" while it is needed or nobody can say."""
    if said.needed is not False:
        return ""
    items = "; ".join(f"{item.name.en}: {item.why.en}" for item in said.items if item.applies)
    return items + (f"; to be reported by {said.report_by}" if said.report_by else "")


def answer(rulebook: Rulebook, case: Case, said: Permission) -> dict[str, Any]:
    """What a rulebook says of a case, as JSON; amounts are strings."""
    return {
        "rulebook": rulebook.id, "digest": rulebook.digest, "on": case.on.isoformat(), "cause": case.cause, "act": said.act,
        "grounds": sorted(case.grounds), "people": str(case.people), "shown": str(case.shown), "needed": said.needed,
        "report_by": said.report_by and said.report_by.isoformat(), "accident": _item(said.accident), "scope": _item(said.scope),
        "items": [_item(item) for item in said.items], "figures": {step.key: step.node["value"] for step in said.steps},
    }  # fmt: skip


def _item(item: Item) -> dict[str, Any]:
    return {
        "key": item.key, "name": item.name.words, "applies": item.applies, "why": item.why.words,
        "provenance": str(item.rule.provenance), "citation": {"en": item.rule.citation, "ja": item.rule.citation_ja},
    }  # fmt: skip


ANSWER = "exempt: {words}; answer sha256 {digest}"
"""How a plan's permission names the rulebook's answer that it rests on, a document of the incident."""
_ANSWER = re.compile(r"exempt: .*; answer sha256 ([0-9a-f]{64})(?:,.*)?")


def report_due(home: Home, incident: str, permission: str) -> tuple[str, date] | None:
    """The rulebook by which payments without confirmation are reported, and the day by when; None where a plan's permission asks for none.

    Both come from the answer that the permission names. Raises `PositionProblem` when this home has another or none.
    """
    found = _ANSWER.fullmatch(permission)
    if found is None:
        return None
    file = kept(home, incident, found[1])
    content = file.read_bytes() if file else b""
    if hashlib.sha256(content).hexdigest() != found[1]:
        raise PositionProblem(
            f"what a plan's permission rests on is not here: {permission}", where=str(file or documents_folder(home, incident)),
            then="bring the incident's documents from the home in which the plan was asked for",
        )  # fmt: skip
    says = json.loads(content)
    return (says["rulebook"], date.fromisoformat(says["report_by"])) if says["report_by"] else None
