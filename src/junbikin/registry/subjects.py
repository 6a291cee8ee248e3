"""What can be registered beside people: places, providers, insurers and policies, each with the fields that describe it.

Everything registered is effective from a day and never overwritten: what is said anew stands beside what was said before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any

from junbikin.errors import BadInput
from junbikin.facts.datasets import ASSET_KINDS, CAUSES, STORAGES
from junbikin.figures import Name, exact, plain


class Form(Enum):
    """How a field is written."""

    TEXT = "text"
    DAY = "a day such as 2026-04-01"
    YES_NO = "yes or no"
    COUNT = "a whole number"
    AMOUNT = "an amount such as 650000000"
    WORD = "one of"
    WORDS = "one or more, joined by |, of"


@dataclass(frozen=True, slots=True)
class Field:
    """One field. An optional one may be left out."""

    name: str
    form: Form
    words: tuple[str, ...] = ()
    optional: bool = False

    @property
    def help(self) -> str:
        """How it is written, for people."""
        form = f"{self.form.value} {', '.join(self.words)}" if self.words else self.form.value
        return f"{form} (may be left out)" if self.optional else form


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of thing that is registered."""

    name: Name
    fields: tuple[Field, ...]


KINDS: dict[str, Kind] = {
    "place": Kind(
        Name("place where assets are held", "保管先"),
        (
            Field("name", Form.TEXT),
            Field("kind", Form.WORD, ASSET_KINDS),
            Field("dedicated", Form.YES_NO),
            Field("on_trust", Form.YES_NO),
            Field("jurisdiction", Form.TEXT),
            Field("realisable_days", Form.COUNT),
            Field("provider", Form.TEXT, optional=True),
        ),
    ),
    "provider": Kind(
        Name("wallet or custody provider", "管理委託先・重要システム提供者"),
        (
            Field("name", Form.TEXT),
            Field("service", Form.WORD, ("wallet_system", "custody", "trust", "bank")),
            Field("due_diligence_on", Form.DAY),
            Field("due_diligence_until", Form.DAY),
            Field("contract", Form.TEXT),
            Field("contract_until", Form.DAY, optional=True),
            Field("fallback", Form.TEXT),
            Field("audited_on", Form.DAY, optional=True),
            Field("ended_on", Form.DAY, optional=True),
        ),
    ),
    "insurer": Kind(
        Name("insurer", "保険者"),
        (
            Field("name", Form.TEXT),
            Field("jurisdiction", Form.TEXT),
            Field("licence", Form.TEXT),
            Field("rating", Form.TEXT, optional=True),
        ),
    ),
    "policy": Kind(
        Name("insurance policy", "保険契約"),
        (
            Field("insurer", Form.TEXT),
            Field("approved_on", Form.DAY, optional=True),
            Field("effective_from", Form.DAY),
            Field("effective_to", Form.DAY),
            Field("cancelled_on", Form.DAY, optional=True),
            Field("causes", Form.WORDS, CAUSES),
            Field("storages", Form.WORDS, STORAGES),
            Field("aggregate_jpy", Form.AMOUNT),
            Field("per_event_jpy", Form.AMOUNT),
            Field("deductible_jpy", Form.AMOUNT),
        ),
    ),
}


def described(kind: str, given: Mapping[str, str]) -> dict[str, Any]:
    """What goes on record of a subject, from fields as people write them. Amounts and days stay text.

    Raises `BadInput` naming the field that is missing, unknown, or not written as it must be.
    """
    fields = {field.name: field for field in _kind(kind).fields}
    unknown = next((name for name in given if name not in fields), None)
    if unknown is not None:
        raise BadInput(f"a {kind} has no field {unknown!r}", then="its fields are " + ", ".join(fields))
    missing = next((name for name, field in fields.items() if not field.optional and not given.get(name)), None)
    if missing is not None:
        raise BadInput(f"the field {missing!r} is missing", then=f"add {missing}=…: {fields[missing].help}")
    says = {name: _read(fields[name], text) for name, text in sorted(given.items())}
    if says.get("effective_to", "9999") < says.get("effective_from", ""):
        raise BadInput("it ends before it begins", then="write effective_to on or after effective_from")
    return says


def _kind(kind: str) -> Kind:
    if kind not in KINDS:
        raise BadInput(f"nothing is registered as {kind!r}", then="register a " + ", ".join(KINDS))
    return KINDS[kind]


def _read(field: Field, text: str) -> Any:
    try:
        match field.form:
            case Form.DAY:
                return date.fromisoformat(text).isoformat()
            case Form.YES_NO:
                return {"yes": True, "no": False}[text]
            case Form.COUNT:
                return _not_negative(str(int(text)))
            case Form.AMOUNT:
                return _not_negative(plain(exact(text)))
            case Form.WORD | Form.WORDS:
                return _known(text.split("|") if field.form is Form.WORDS else [text], field.words)
            case Form.TEXT:
                return text
    except (ValueError, KeyError, BadInput):
        raise BadInput(f"{field.name} = {text!r} is not possible", then=f"write {field.help}") from None


def _not_negative(text: str) -> str:
    if text.startswith("-"):
        raise ValueError(text)
    return text


def _known(given: Sequence[str], words: Sequence[str]) -> str:
    if not given or any(word not in words for word in given):
        raise ValueError(given)
    return "|".join(given)
