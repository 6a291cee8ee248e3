"""People: who they are, which roles they have, and how a password becomes the secret that the books ask for."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import rfc8785
from argon2 import Type
from argon2.low_level import hash_secret_raw

from junbikin.books.database import Books
from junbikin.books.journal import Actor
from junbikin.errors import BadInput
from junbikin.registry.log import latest, said

ROLES = {
    "reserve_officer": "準備金責任者",
    "approver": "承認者",
    "incident_commander": "事故対応責任者",
    "auditor": "監査人（閲覧のみ）",
    "supervisor": "監督当局（閲覧のみ）",
    "administrator": "管財人・独立管理者",
}
"""The roles and their Japanese names; what each may do stands in `books/flow_rules.csv` and `books/actions.csv`."""

LEAST_LENGTH = 12
"""Characters that a password has at least (NIST SP 800-63B asks for 8; these move reserves)."""

_COST = {"time_cost": 3, "memory_cost": 65536, "parallelism": 4}
"""RFC 9106's second recommended option, 64 MiB."""


@dataclass(frozen=True, slots=True)
class Person:
    """A person as last put on record."""

    name: str
    roles: tuple[str, ...]
    active: bool


def card(name: str, password: str) -> dict[str, Any]:
    """What proves a person's password without giving it away: they make it themselves, and hand it to whoever adds them.

    Raises `BadInput` on a password that is too short.
    """
    if len(password) < LEAST_LENGTH:
        raise BadInput(
            f"a password has at least {LEAST_LENGTH} characters", then="choose a longer one, such as four words"
        )
    argon2 = {"salt": os.urandom(16).hex(), **_COST}
    return {"name": name, "argon2": argon2, "verifier": hashlib.sha256(_secret(password, argon2)).hexdigest()}


def described(card: Mapping[str, Any], roles: Sequence[str], *, active: bool = True) -> dict[str, Any]:
    """What goes on record of a person whose card this is."""
    return {**card, "roles": sorted(set(roles)), "active": active}


def _secret(password: str, argon2: dict[str, Any]) -> bytes:
    return hash_secret_raw(
        password.encode(), bytes.fromhex(argon2["salt"]), argon2["time_cost"], argon2["memory_cost"], argon2["parallelism"],
        32, Type.ID,
    )  # fmt: skip


def actor(books: Books, name: str, password: str) -> Actor:
    """Someone ready to act. Whether the password is right the books say when they act; an unknown name looks the same."""
    known = latest(books, "person", name)
    argon2 = known["argon2"] if known else {"salt": "00" * 16, **_COST}
    return Actor(name, _secret(password, argon2))


def found(books: Books, name: str, roles: Sequence[str], password: str, why: str) -> int:
    """Adds one of the first two people, who need nobody's approval. Returns the record."""
    content = rfc8785.dumps(described(card(name, password), roles)).decode()
    return int(books.call("found_person", name, why, content))


def change_password(books: Books, who: Actor, password: str, why: str) -> int:
    """A new password for oneself. Returns the record."""
    known = latest(books, "person", who.name) or {"roles": [], "active": False}
    content = rfc8785.dumps(described(card(who.name, password), known["roles"], active=known["active"])).decode()
    return int(books.call("change_secret", who.name, who.secret, why, content))


def people(books: Books) -> list[Person]:
    """Everyone on record, by name."""
    return [Person(says["name"], tuple(says["roles"]), says["active"]) for says in said(books, "person").values()]
