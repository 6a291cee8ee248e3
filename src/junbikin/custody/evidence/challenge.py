"""Proof that the operator controls an address: a text made here for the day, signed with the address's key, taken once.

Open challenges lie in the home's `challenges/open/`, proofs in `challenges/proved/`, each named by its nonce.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from junbikin.custody.evidence.signatures import signed
from junbikin.errors import BadInput
from junbikin.home import Home
from junbikin.registry.addresses import check_address, on_network

FORMAT = "junbikin-challenge-1"
NONCE = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Challenge:
    """What is to be signed: by whom, for which address, on which day, until when, and a nonce that occurs once."""

    operator: str
    network: str
    address: str
    on: date
    until: datetime
    nonce: str

    @property
    def subject(self) -> str:
        """The address as the registry names it."""
        return f"{self.network}:{self.address}"

    @property
    def text(self) -> str:
        """The text to sign: one line, so that no program on the way changes its line ends. The free part comes last."""
        return (
            f"Proof of control | network {self.network} | address {self.address} | date {self.on} | "
            f"until {self.until.isoformat()} | nonce {self.nonce} | operator {self.operator}"
        )

    def document(self) -> dict[str, str]:
        """As a file holds it, for the signature to be put in."""
        return {
            "format": FORMAT, "operator": self.operator, "network": self.network, "address": self.address,
            "date": self.on.isoformat(), "until": self.until.isoformat(), "nonce": self.nonce, "text": self.text, "signature": "",
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Proof:
    """A challenge that was answered; `digest` is of the file that is kept, and `holds` whether its signature does, verified anew."""

    challenge: Challenge
    file: Path
    digest: str
    holds: bool

    @property
    def reference(self) -> str:
        """How a record names it."""
        return f"challenges/proved/{self.file.name} sha256:{self.digest}"


def new(home: Home, subject: str, now: datetime, hours: int) -> Challenge:
    """Makes a challenge for an address such as `bitcoin:bc1q…`, open for some hours, and keeps it."""
    check_address(subject)
    if not home.operator.isprintable():
        raise BadInput(
            "the operator's name has characters that cannot be signed", then="mend operator in junbikin.toml"
        )
    network, address = on_network(subject)
    local = now.astimezone(home.time_zone).replace(microsecond=0)
    challenge = Challenge(
        home.operator, network, address, local.date(), local + timedelta(hours=hours), secrets.token_hex(16)
    )
    _written(_open(home, challenge.nonce), challenge.document())
    return challenge


def take(home: Home, answer: Mapping[str, Any], now: datetime, where: str = "") -> Proof:
    """Takes a signed challenge, once, and keeps it as proof.

    Raises `BadInput` on one that is unsigned, was not made here, was used before, says anything else than was made,
    has expired, or is not signed with the key of its address.
    """
    document = {key: answer.get(key) for key in ("text", "nonce", "signature")}
    if not all(isinstance(value, str) for value in document.values()):
        raise BadInput(
            "this is no challenge: text, nonce and signature are missing or no texts",
            where=where, then="make one with `junbikin custody challenge new`",
        )  # fmt: skip
    if not document["signature"]:
        raise BadInput("the challenge is not signed", where=where, then="sign its text, and put the signature in")
    challenge = _outstanding(home, answer, where)
    if now > challenge.until:
        raise BadInput(
            f"the challenge expired at {challenge.until.isoformat()}",
            where=where, then="make a new one with `junbikin custody challenge new`",
        )  # fmt: skip
    signature = answer["signature"].strip()
    if not signed(challenge.network, challenge.address, challenge.text, signature):
        raise BadInput(
            f"the signature is not one of this text with the key of {challenge.address}",
            where=where, then="sign the text exactly as it stands, with the key of that address",
        )  # fmt: skip
    kept = {**challenge.document(), "signature": signature, "proved_at": now.astimezone(home.time_zone).isoformat()}
    try:
        _written(_proved(home, challenge.nonce), kept)
    except FileExistsError:
        raise _used(home, challenge.nonce, where) from None
    _open(home, challenge.nonce).unlink(missing_ok=True)
    return proof(home, challenge.nonce)


def proof(home: Home, nonce: str) -> Proof:
    """A proof that is kept, its signature verified anew. Raises `BadInput` when there is none of this nonce."""
    file = _proved(home, nonce) if NONCE.fullmatch(nonce) else None
    if file is None or not file.is_file():
        raise BadInput(f"there is no proof {nonce}", then="see `junbikin custody challenge list`")
    kept = file.read_bytes()
    stated = _read(kept, str(file))
    challenge = _challenge(stated, str(file))
    holds = stated["text"] == challenge.text and signed(
        challenge.network, challenge.address, challenge.text, stated["signature"]
    )
    return Proof(challenge, file, hashlib.sha256(kept).hexdigest(), holds)


def proofs(home: Home) -> list[Proof]:
    """Every proof that is kept, the oldest first."""
    found = [proof(home, file.stem) for file in _folder(home, "proved").glob("*.json")]
    return sorted(found, key=lambda each: (each.challenge.on, each.challenge.nonce))


def outstanding(home: Home) -> list[Challenge]:
    """Every challenge that nobody has answered, the oldest first."""
    found = [
        _challenge(_read(file.read_bytes(), str(file)), str(file)) for file in _folder(home, "open").glob("*.json")
    ]
    return sorted(found, key=lambda each: (each.until, each.nonce))


def read(file: Path) -> dict[str, Any]:
    """A challenge as it came back, in a file."""
    try:
        return _read(file.read_bytes(), str(file))
    except OSError as problem:
        raise BadInput(
            f"the file cannot be read: {problem.strerror}", where=str(file), then="name the signed file"
        ) from None


def _outstanding(home: Home, answer: Mapping[str, Any], where: str) -> Challenge:
    """The open challenge that an answer is to, which it repeats in every part."""
    nonce = answer["nonce"]
    if answer.get("operator", home.operator) != home.operator:
        raise BadInput(
            f"the challenge names the operator {answer['operator']!r}, and this is the home of {home.operator!r}",
            where=where, then="check it in the home that made it",
        )  # fmt: skip
    if not NONCE.fullmatch(nonce):
        raise BadInput("the nonce is none of ours", where=where, then="sign the challenge that was made here")
    file = _open(home, nonce)
    try:
        made = file.read_bytes()
    except FileNotFoundError:
        if _proved(home, nonce).exists():
            raise _used(home, nonce, where) from None
        raise BadInput(
            "this challenge was not made in this home",
            where=where, then="make one with `junbikin custody challenge new`",
        ) from None  # fmt: skip
    challenge = _challenge(_read(made, str(file)), str(file))
    for name, ours in challenge.document().items():
        if name != "signature" and answer.get(name, ours) != ours:
            raise BadInput(
                f"the challenge says another {name} than was made: {answer[name]!r}, not {ours!r}",
                where=where, then="sign the challenge as it was made, or make a new one",
            )  # fmt: skip
    if challenge.operator != home.operator:
        raise BadInput("the operator has another name now", where=where, then="make a new challenge")
    return challenge


def _used(home: Home, nonce: str, where: str) -> BadInput:
    stated = _read(_proved(home, nonce).read_bytes(), nonce)
    return BadInput(
        f"this challenge was used already, at {stated.get('proved_at')}: a signature proves control once",
        where=where, then="make a new challenge with `junbikin custody challenge new`",
    )  # fmt: skip


def _challenge(stated: Mapping[str, Any], where: str) -> Challenge:
    try:
        return Challenge(
            stated["operator"], stated["network"], stated["address"], date.fromisoformat(stated["date"]),
            datetime.fromisoformat(stated["until"]), stated["nonce"],
        )  # fmt: skip
    except (KeyError, TypeError, ValueError):
        raise BadInput("the challenge is not whole", where=where, then="make a new one") from None


def _read(content: bytes, where: str) -> dict[str, Any]:
    try:
        stated = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        stated = None
    if not isinstance(stated, dict):
        raise BadInput(
            "this is no challenge in JSON",
            where=where,
            then="give the file that `challenge new` made, with its signature",
        )
    return stated


def _written(file: Path, document: dict[str, str]) -> None:
    """A new file, whole or not there. Raises `FileExistsError` when there is one: whoever comes second has nothing."""
    file.parent.mkdir(parents=True, exist_ok=True)
    half = file.with_suffix(f".{secrets.token_hex(8)}")
    try:
        with half.open("x", encoding="utf-8") as stream:
            stream.write(json.dumps(document, ensure_ascii=False, indent=1) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        file.hardlink_to(half)
    finally:
        half.unlink(missing_ok=True)


def _folder(home: Home, name: str) -> Path:
    return home.path / "challenges" / name


def _open(home: Home, nonce: str) -> Path:
    return _folder(home, "open") / f"{nonce}.json"


def _proved(home: Home, nonce: str) -> Path:
    return _folder(home, "proved") / f"{nonce}.json"
