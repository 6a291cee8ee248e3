"""Permission (事故確認) for one incident: whether its losses may be made good without confirmation, by a rulebook that says so."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from junbikin.figures import Figure, Name, given, hole
from junbikin.figures.source import Stated
from junbikin.incidents.incident import Incident
from junbikin.rulebooks.interface import Case, Permission
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
    amounts = {
        key: _stated(key, value, incident)
        for key, value in (("largest", largest), ("per_day", per_day), ("evident", evident))
    }
    return Case(on, incident.cause, **amounts, act=act, grounds=frozenset(grounds))


def _stated(key: str, value: Decimal | None, incident: Incident) -> Figure:
    name = _AMOUNTS[key]
    if value is None:
        return hole("JPY", name, Name("nobody stated it", "申告がない"), key)
    return given(value, "JPY", name, Stated(f"whoever asked about {incident.id}"), key)


def in_words(rulebook: Rulebook, said: Permission) -> str:
    """What goes into a plan as its permission: `exempt: …` with the items that apply; "" while confirmation is needed or nobody can say.

    What was confirmed is stated by whoever asks, as `confirmed: …` with its reference.
    """
    if said.needed is not False:
        return ""
    items = [item for item in said.items if item.applies]
    words = "; ".join(f"{item.name.en}: {item.why.en}" for item in items)
    report = f"; to be reported by {said.report_by}" if said.report_by else ""
    return f"exempt: {rulebook.id} {words}{report}"


_REPORT = re.compile(r"exempt: (\S+) .*; to be reported by ([0-9]{4}-[0-9]{2}-[0-9]{2})")


def report_due(permission: str) -> tuple[str, date] | None:
    """The rulebook by which payments without confirmation are reported, and the day by when; None where a plan's permission asks for none."""
    found = _REPORT.fullmatch(permission)
    return (found[1], date.fromisoformat(found[2])) if found else None
