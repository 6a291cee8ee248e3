"""Who acts: a name, and a password that is never on the command line and never has a default."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from junbikin.errors import BadInput

if TYPE_CHECKING:
    from junbikin.books.database import Books
    from junbikin.books.journal import Actor


@dataclass(frozen=True, slots=True)
class Acting:
    """Whoever was named with `--as`; the password is asked for only when `proved`, after they saw what they are about to do."""

    stated: str | None
    file: Path | None

    @property
    def name(self) -> str:
        """Raises `BadInput` when nobody is named."""
        if not self.stated:
            raise BadInput(
                "nobody is named as the one who acts", then="name yourself with --as NAME, or set JUNBIKIN_PERSON"
            )
        return self.stated

    def proved(self, books: Books) -> Actor:
        """The person, ready to act."""
        from junbikin.registry.people import actor

        password = stated_password("JUNBIKIN_PASSWORD", self.file, "--password-file")
        return actor(books, self.name, password or _asked(f"password of {self.name}", "JUNBIKIN_PASSWORD", twice=False))


def acts(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the options of whoever acts; it takes them as `who`."""

    @click.option("--as", "stated", metavar="NAME", envvar="JUNBIKIN_PERSON", help="Who acts (else JUNBIKIN_PERSON).")
    @click.option(
        "--password-file", type=click.Path(path_type=Path),
        help="Read the password from the first line of a file (else JUNBIKIN_PASSWORD, else it is asked for).",
    )  # fmt: skip
    @functools.wraps(command)
    def acting(*args: Any, stated: str | None, password_file: Path | None, **given: Any) -> Any:
        return command(*args, who=Acting(stated, password_file), **given)

    return acting


def new_password(name: str, file: Path | None) -> str:
    """A new password: from a file, from JUNBIKIN_NEW_PASSWORD, else asked for twice."""
    stated = stated_password("JUNBIKIN_NEW_PASSWORD", file, "--new-password-file")
    return stated or _asked(f"new password of {name}", "JUNBIKIN_NEW_PASSWORD", twice=True)


def stated_password(variable: str, file: Path | None, option: str) -> str:
    """The password that a file or a variable of the environment states, or ""."""
    if file is None:
        return os.environ.get(variable, "")
    try:
        password = file.read_text(encoding="utf-8").split("\n", 1)[0].removesuffix("\r")
    except (OSError, UnicodeDecodeError) as problem:
        raise BadInput(
            f"the password cannot be read: {getattr(problem, 'strerror', None) or problem}", where=f"{option} {file}",
            then="name a text file whose first line is the password",
        ) from None  # fmt: skip
    if not password:
        raise BadInput("the file's first line is empty", where=f"{option} {file}", then="write the password there")
    return password


def _asked(words: str, variable: str, *, twice: bool) -> str:
    if not sys.stdin.isatty():
        raise BadInput(
            f"there is no terminal to ask for the {words}", then=f"run it in a terminal, name a file, or set {variable}"
        )
    password: str = click.prompt(words, hide_input=True, confirmation_prompt=twice, err=True)
    return password
