"""What can be registered beside people: places, addresses, tokens, providers, insurers, policies and paying banks.

Everything registered is effective from a day and never overwritten: what is said anew stands beside what was said before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any

from junbikin.errors import BadInput
from junbikin.facts.datasets import ASSET_KINDS, CAUSES, STORAGES
from junbikin.figures import Name, exact, plain
from junbikin.registry.addresses import ASSET, MOST_DECIMALS, NATIVE, check_address, check_ethereum, check_token


class Form(Enum):
    """How a field is written."""

    TEXT = "text"
    DAY = "a day such as 2026-04-01"
    YES_NO = "yes or no"
    COUNT = "a whole number"
    AMOUNT = "an amount such as 650000000"
    WORD = "one of"
    WORDS = "one or more, joined by |, of"
    ASSETS = "one or more assets, joined by |, such as ETH|USDC"
    CONTRACT = f"{NATIVE}, or the address of the token's contract, with its capitals"
    DECIMALS = f"a whole number up to {MOST_DECIMALS}"
    DIGITS = "digits, zeros in front included, of which there are"
    CODES = "one or more single characters, joined by |, such as 0|1"


@dataclass(frozen=True, slots=True)
class Field:
    """One field. An optional one may be left out; one that names something registered `refers` to its kind."""

    name: str
    form: Form
    words: tuple[str, ...] = ()
    optional: bool = False
    refers: str = ""

    @property
    def help(self) -> str:
        """How it is written, for people."""
        form = f"{self.form.value} {', '.join(self.words)}" if self.words else self.form.value
        return f"{form} (may be left out)" if self.optional else form


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of thing that is registered; `check` refuses a subject that cannot be one."""

    name: Name
    fields: tuple[Field, ...]
    check: Callable[[str], None] = lambda subject: None


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
            Field("storage", Form.WORD, STORAGES, optional=True),
            Field("provider", Form.TEXT, optional=True),
        ),
    ),
    "address": Kind(
        Name("address on a chain, named NETWORK:ADDRESS", "アドレス"),
        (
            Field("place", Form.TEXT, refers="place"),
            Field("assets", Form.ASSETS),
            Field("control_proven_on", Form.DAY, optional=True),
            Field("proof", Form.TEXT, optional=True),
            Field("ended_on", Form.DAY, optional=True),
        ),
        check_address,
    ),
    "token": Kind(
        Name("coin or token of a chain, named NETWORK:ASSET", "トークン"),
        (Field("contract", Form.CONTRACT), Field("decimals", Form.DECIMALS)),
        check_token,
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
            Field("insurer", Form.TEXT, refers="insurer"),
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
    "paying_bank": Kind(
        Name("bank that pays customers, and what its files are like", "仕向銀行"),
        (
            Field("name", Form.TEXT),
            Field("place", Form.TEXT, refers="place"),
            Field("originator_code", Form.DIGITS, ("10",)),
            Field("originator_name", Form.TEXT),
            Field("bank_code", Form.DIGITS, ("4",)),
            Field("branch_code", Form.DIGITS, ("3",)),
            Field("account_type", Form.WORD, ("1", "2", "9")),
            Field("account_number", Form.DIGITS, ("7",)),
            Field("record_limit", Form.COUNT),
            Field("line_end", Form.WORD, ("CRLF", "LF", "CR", "NONE")),
            Field("result_at", Form.COUNT),
            Field("settled_codes", Form.CODES),
            Field("returned_codes", Form.CODES),
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


def check_subject(kind: str, subject: str) -> None:
    """Raises `BadInput` when nothing of this kind can be named so."""
    _kind(kind).check(subject)


def referred(kind: str, says: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The kind and name of everything registered that a record names."""
    return [(field.refers, says[field.name]) for field in _kind(kind).fields if field.refers and field.name in says]


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
            case Form.ASSETS:
                return _assets(text)
            case Form.CONTRACT:
                return text if text == NATIVE else _contract(text)
            case Form.DECIMALS:
                return _known([str(int(text))], [str(count) for count in range(MOST_DECIMALS + 1)])
            case Form.DIGITS:
                return _matched(text, f"[0-9]{{{field.words[0]}}}")
            case Form.CODES:
                return _matched(text, r"[A-Z0-9](\|[A-Z0-9])*")
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


def _assets(text: str) -> str:
    assets = text.split("|")
    if len(set(assets)) < len(assets) or not all(re.fullmatch(ASSET, asset) for asset in assets):
        raise ValueError(text)
    return text


def _matched(text: str, pattern: str) -> str:
    if not re.fullmatch(pattern, text):
        raise ValueError(text)
    return text


def _contract(text: str) -> str:
    check_ethereum(text)
    return text
