"""Banks and branches of Japan with their codes and names in kana, as `zengin-code` lists them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from junbikin.errors import JunbikinError
from junbikin.incidents.pay import kana

NAME_WIDTH = 15
"""Bytes of the field of a bank's or a branch's name."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch of a bank; names as files have them, in half-width kana."""

    bank_code: str
    bank: str
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Directory:
    """Every branch by the codes of its bank and its own; `edition` says which list it is."""

    edition: str
    branches: Mapping[tuple[str, str], Branch]


@lru_cache(1)
def directory() -> Directory:
    """The whole list of the installed `zengin-code`."""
    banks = _read(_data() / "banks.json")
    branches = {(code, branch): found for code in sorted(banks) for branch, found in _branches_of(banks[code]).items()}
    return Directory(f"zengin-code {version('zengin-code')}", branches)


def branch_of(bank_code: str, code: str) -> Branch | None:
    """One branch of the list; None when there is none of these codes."""
    bank = _read(_data() / "banks.json").get(bank_code)
    return _branches_of(bank).get(code) if bank else None


def _branches_of(bank: Mapping[str, str]) -> dict[str, Branch]:
    code, name = bank["code"], field_name(bank["kana"])
    listed = _read(_data() / "branches" / f"{code}.json")
    return {branch: Branch(code, name, branch, field_name(listed[branch]["kana"])) for branch in sorted(listed)}


def _data() -> Path:
    """The files of the list, which are read here: importing it would make an object of every branch."""
    spec = find_spec("zengin_code")
    if spec is None or not spec.submodule_search_locations:
        raise JunbikinError("the list of banks is not installed", then="install junbikin again: it brings zengin-code")
    return Path(spec.submodule_search_locations[0]) / "source-data" / "data"


def _read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_bytes()))


def field_name(name: str) -> str:
    """A bank's or branch's name as its field has it: its first 15 bytes, never a kana without its mark; empty when it has other characters.

    The codes say who is paid. Banks take the names as a comment on them, which may be left out (任意).
    """
    half = kana.one(name) or ""
    cut = half[:NAME_WIDTH]
    return cut[:-1] if half[NAME_WIDTH : NAME_WIDTH + 1] in ("ﾞ", "ﾟ") else cut
