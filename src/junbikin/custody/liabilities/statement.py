"""The statement (債務証明書): what all customers are owed, asset by asset, with the roots that every proof must lead to, signed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from junbikin.custody.liabilities.sums import DECIMALS, DIGEST, FORMAT, Node, amount
from junbikin.errors import BadInput
from junbikin.figures import Name

_AMOUNT = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]{0,17}[1-9])?")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z", re.ASCII)
_MOST_LEAVES = 1 << 53  # what every reader of JSON takes exactly


@dataclass(frozen=True, slots=True)
class Total:
    """What customers are owed of an asset: the root of its tree."""

    asset: str
    root: Node


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Balances of the day that were refused when they were ingested and are in no tree: how many rows, and why it was signed all the same."""

    rows: int
    why: str

    @property
    def words(self) -> Name:
        """How a reader is told."""
        many = "row" if self.rows == 1 else "rows"
        en = f"{self.rows:,} {many} of customer balances could not be read or were in dispute, and are not in this proof: {self.why}"
        return Name(en, f"利用者残高のうち{self.rows:,}行は取込時に拒否され、この証明に含まれていない：{self.why}")


@dataclass(frozen=True, slots=True)
class Statement:
    """What an operator commits itself to for a day. `position` and `checkpoint` are digests in hex; "" says: none. `left_out` is None when
    no balance of the day was left out."""

    operator: str
    as_of: date
    made_at: str
    totals: tuple[Total, ...]
    position: str
    checkpoint: str
    public_key: bytes
    invented: bool
    signature: bytes = b""
    left_out: LeftOut | None = None

    @property
    def content(self) -> dict[str, Any]:
        """All of it as JSON; amounts are strings."""
        return self._signed | {"signature": self.signature.hex()}

    @property
    def _signed(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "operator": self.operator,
            "invented": self.invented,
            "as_of": self.as_of.isoformat(),
            "made_at": self.made_at,
            "decimals": DECIMALS,
            "assets": [
                {"asset": t.asset, "count": t.root.count, "total": amount(t.root.sum), "root": t.root.digest.hex()}
                for t in self.totals
            ],
            "position": self.position or None,
            "checkpoint": self.checkpoint or None,
            "public_key": self.public_key.hex(),
            **({"left_out": {"rows": self.left_out.rows, "why": self.left_out.why}} if self.left_out else {}),
        }

    @property
    def signer(self) -> str:
        """The fingerprint of the key that signed it: SHA-256 of the public key, in hex."""
        return sha256(self.public_key).hexdigest()

    @property
    def digest(self) -> str:
        """By which customers tell that all of them were given the same statement."""
        return sha256(rfc8785.dumps(self.content)).hexdigest()

    @property
    def name(self) -> str:
        """A digest of what it commits to, whenever it was made: the same facts and key give the same name, tied or untied."""
        lasting = {name: value for name, value in self._signed.items() if name not in ("made_at", "checkpoint")}
        return sha256(rfc8785.dumps(lasting | {"position": bool(self.position)})).hexdigest()

    @property
    def face(self) -> tuple[Name, ...]:
        """What everybody who reads it must see."""
        found = []
        if self.invented:
            found.append(Name("an invented example", "架空の例"))
        if self.left_out:
            found.append(self.left_out.words)
        if not self.position:
            found.append(Name("not tied to a reconciled position", "照合済みの残高と結び付けられていない"))
        if not self.checkpoint:
            found.append(Name("without a checkpoint: there were no books", "帳簿がないため検証点はない"))
        return tuple(found)

    def signed(self, key: Ed25519PrivateKey) -> Statement:
        """The statement with its signature."""
        return replace(self, signature=key.sign(rfc8785.dumps(self._signed)))

    def fault(self, signer: str = "") -> Name | None:
        """Why it cannot be relied on, or None: its key signed it, which must be that of the fingerprint `signer`, if given."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(self.signature, rfc8785.dumps(self._signed))
        except (InvalidSignature, ValueError):
            return Name(
                "the statement's signature does not fit: it was altered, or never signed",
                "証明書の署名が一致しません。改変されたか、署名されていません",
            )
        if signer and signer.lower() != self.signer:
            return Name(
                f"the statement was signed by another key, {self.signer}",
                f"証明書は別の鍵（{self.signer}）で署名されています",
            )
        return None


def statement_of(content: Any) -> Statement:
    """A statement from its JSON, of just this form. Raises `ValueError`, `TypeError` or `KeyError` when it is not."""
    statement = Statement(
        text(content["operator"]),
        date.fromisoformat(content["as_of"]),
        matched(_INSTANT, content["made_at"]),
        tuple(_total(item) for item in content["assets"]),
        content["position"] and _digest(content["position"]).hex(),
        content["checkpoint"] and _digest(content["checkpoint"]).hex(),
        binary(content["public_key"], 32),
        content["invented"] is True,
        binary(content["signature"], 64),
        _left_out(content["left_out"]) if "left_out" in content else None,
    )
    statement = replace(statement, position=statement.position or "", checkpoint=statement.checkpoint or "")
    assets = [total.asset for total in statement.totals]
    if not same(statement.content, content) or assets != sorted(set(assets)):
        raise ValueError("it contradicts itself")
    return statement


def _left_out(item: Any) -> LeftOut:
    fields(item, "rows", "why")
    return LeftOut(whole(item["rows"]), text(item["why"]))


def _total(item: Any) -> Total:
    return Total(text(item["asset"]), Node(_digest(item["root"]), units(item["total"]), whole(item["count"])))


def read_statement(path: Path) -> Statement:
    """The statement in a file. Raises `BadInput` when it is none."""
    content = read_json(path, "statement", FORMAT)
    try:
        return statement_of(content)
    except (KeyError, TypeError, ValueError) as problem:
        raise BadInput(
            f"this statement is not whole: {problem!r}", where=str(path), then="use the file as it was handed out"
        ) from None


def read_json(path: Path, what: str, form: str) -> Any:
    """The JSON of a file that claims to be of a form. Raises `BadInput` when it is not."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"), parse_float=_no_float, parse_constant=_no_float)
    except OSError as problem:
        raise BadInput(
            f"the {what} cannot be read: {problem.strerror}", where=str(path), then="name a file that can be read"
        ) from None
    except (ValueError, RecursionError):
        raise BadInput(f"this is no {what}", where=str(path), then="name the file as it was handed out") from None
    found = content.get("format") if isinstance(content, dict) else None
    if found != form:
        raise BadInput(
            f"this is no {what} of the format {form}, but {found or 'of none'}", where=str(path),
            then="name the file as it was handed out, or use a newer junbikin",
        )  # fmt: skip
    return content


def same(one: Any, other: Any) -> bool:
    """Whether two documents are the same JSON: to Python, 1 is also 1.0 and true."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _no_float(number: str) -> Any:
    raise ValueError(f"a bare number: {number}")


def text(value: Any) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value:
        raise ValueError("a text is missing")
    value.encode()  # no half of a character
    return value


def matched(form: re.Pattern[str], value: Any) -> str:
    """A text of a form."""
    if not form.fullmatch(text(value)):
        raise ValueError(f"not as it is written: {value[:40]!r}")
    return str(value)


def binary(value: Any, size: int) -> bytes:
    """Bytes from hex in small letters."""
    found = bytes.fromhex(value)
    if found.hex() != value:
        raise ValueError(f"not hex in small letters: {value[:40]!r}")
    if len(found) != size:
        raise ValueError(f"{len(found)} bytes where {size} belong")
    return found


def _digest(value: Any) -> bytes:
    return binary(value, DIGEST)


def whole(value: Any) -> int:
    """A number of leaves."""
    if type(value) is not int or not 0 < value <= _MOST_LEAVES:
        raise ValueError(f"not a number of leaves: {value!r:.40}")
    return value


def units(value: Any) -> int:
    """A plain amount in units: never negative, written in one way only."""
    if not isinstance(value, str) or len(value) > 60 or not _AMOUNT.fullmatch(value):
        raise ValueError(f"not a plain amount: {value!r:.40}")
    before, _, after = value.partition(".")
    return int(before + after.ljust(DECIMALS, "0"))


def fields(value: Any, *names: str) -> Any:
    """An object with just these fields."""
    if not isinstance(value, dict) or value.keys() != set(names):
        raise ValueError(f"other fields than {', '.join(names)}")
    return value
