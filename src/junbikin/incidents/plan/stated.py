"""Reading what a person states in a TOML file: each value has its form, and a key that nobody knows is refused with a guess."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from junbikin.errors import BadInput
from junbikin.figures import Rounding, exact

_SYMBOL = re.compile(r"[A-Z0-9][A-Za-z0-9._-]{0,31}")
_COLUMNS = ("number", "account_id", "holding")
"""Names that an asset cannot have where each asset is a column."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the file; `part` names it, and is "" for the whole."""

    file: Path
    part: str
    content: dict[str, Any]

    def knows(self, *keys: str, when: str = "") -> None:
        """Raises `BadInput` on a key that is not one of these."""
        for key in self.content:
            if key not in keys:
                near = difflib.get_close_matches(key, keys, 1)
                then = f"did you mean {near[0]!r}?" if near else "the keys are " + (", ".join(keys) or "none")
                raise self.wrong(key, f"unknown key {key!r}" + (f" ({when})" if when else ""), then)

    def wrong(self, key: str, what: str, then: str) -> BadInput:
        """The refusal of one key's value."""
        where = ".".join(filter(None, (self.part, key)))
        return BadInput(what, where=f"{self.file}, {where}", then=then)

    def has(self, key: str) -> bool:
        """Whether the key is stated."""
        return key in self.content

    def _stated(self, key: str, form: str) -> Any:
        if key not in self.content:
            raise self.wrong(key, f"{key} is not stated", f"write {form}")
        return self.content[key]

    def _not_possible(self, key: str, form: str) -> BadInput:
        return self.wrong(key, f"{key} = {_as_written(self.content[key])} is not possible", f"write {form}")

    def table(self, key: str) -> Table:
        """A table under this one."""
        name = re.sub(
            " [0-9]+", "", ".".join(filter(None, (self.part, key)))
        )  # a list's tables are numbered for people only
        form = f"a part [{name}]"
        found = self._stated(key, form)
        if not isinstance(found, dict):
            raise self._not_possible(key, form)
        return Table(self.file, ".".join(filter(None, (self.part, key))), found)

    def tables(self, key: str, least: int = 1) -> list[Table]:
        """A list of tables, at least so many of them."""
        name = ".".join(filter(None, (self.part, key)))
        form = f"parts [[{name}]]" + ("" if least else f", or {key} = [] for none")
        found = self._stated(key, form)
        if not isinstance(found, list) or len(found) < least or not all(isinstance(item, dict) for item in found):
            raise self._not_possible(key, form)
        return [Table(self.file, f"{name} {number}", item) for number, item in enumerate(found, 1)]

    def text(self, key: str) -> str:
        """A text that is not empty."""
        form = f'{key} = "…", a text in quotes'
        found = self._stated(key, form)
        if not isinstance(found, str) or not found.strip():
            raise self._not_possible(key, form)
        return found

    def texts(self, key: str) -> tuple[str, ...]:
        """One or more texts."""
        form = f'{key} = ["…"], texts in quotes'
        found = self._stated(key, form)
        if not isinstance(found, list) or not found or not all(isinstance(item, str) and item for item in found):
            raise self._not_possible(key, form)
        return tuple(found)

    def symbol(self, key: str) -> str:
        """An asset's or currency's code."""
        form = f'{key} = "BTC", the code of an asset'
        found = self._stated(key, form)
        if not isinstance(found, str) or not _SYMBOL.fullmatch(found) or found.lower() in _COLUMNS:
            raise self._not_possible(key, form)
        return found

    def choice(self, key: str, choices: Iterable[str]) -> str:
        """One of some words."""
        found = self.text(key)
        words = list(choices)
        if found not in words:
            near = difflib.get_close_matches(found, words, 1)
            raise self.wrong(
                key, f"{key} = {_as_written(found)} is not possible", (f"did you mean {near[0]!r}? " if near else "") + "the words are " + ", ".join(words)
            )  # fmt: skip
        return found

    def above_zero(self, key: str) -> Decimal:
        """An exact number above zero, written as a text."""
        form = f'{key} = "4502.9", a number above 0 in quotes'
        found = self._stated(key, form)
        try:
            number = exact(found) if isinstance(found, str) else Decimal(0)
        except BadInput:
            number = Decimal(0)
        if number <= 0 or number.as_tuple().exponent < -40 or number.adjusted() > 30:  # type: ignore[operator]
            raise self._not_possible(key, form)
        return number

    def count(self, key: str, most: int) -> int:
        """A whole number from 0 to `most`."""
        form = f"{key} = 8, a whole number from 0 to {most}"
        found = self._stated(key, form)
        if type(found) is not int or not 0 <= found <= most:
            raise self._not_possible(key, form)
        return found

    def rounding(self, key: str) -> Rounding:
        """A named way to round."""
        words = {mode.value.replace("-", "_"): mode for mode in Rounding}
        return words[self.choice(key, words)]

    def instant(self, key: str) -> datetime:
        """A time with its zone."""
        form = f"{key} = 2026-03-31T23:59:59+09:00, a time with its zone"
        found = self._stated(key, form)
        try:
            at = datetime.fromisoformat(found) if isinstance(found, str) else found
        except ValueError:
            at = None
        if not isinstance(at, datetime) or at.tzinfo is None:
            raise self._not_possible(key, form)
        return at

    def day(self, key: str) -> date:
        """A day."""
        form = f"{key} = 2026-04-03, a day"
        found = self._stated(key, form)
        try:
            day = date.fromisoformat(found) if isinstance(found, str) else found
        except ValueError:
            day = None
        if not isinstance(day, date) or isinstance(day, datetime):
            raise self._not_possible(key, form)
        return day


def _as_written(value: Any) -> str:
    """A value as TOML writes it, near enough to be found in the file."""
    return value.isoformat() if isinstance(value, date | time) else json.dumps(value, ensure_ascii=False, default=str)


def read_toml(path: Path) -> Table:
    """The whole file. Raises `BadInput` when it is not there or is no TOML."""
    try:
        return Table(path, "", tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except OSError as problem:
        raise BadInput(
            f"this cannot be read: {problem.strerror}", where=str(path),
            then="name a rule's file; `junbikin incident draft` writes some to begin with",
        ) from None  # fmt: skip
    except UnicodeDecodeError:
        raise BadInput("the rule is not UTF-8", where=str(path), then="save it as UTF-8") from None
    except tomllib.TOMLDecodeError as problem:
        raise BadInput(f"the rule is not TOML: {problem}", where=str(path), then="mend that line") from None
