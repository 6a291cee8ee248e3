"""Who acts: a name, and a password that is never on the command line and never has a default."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from junbikin.cli.passwords import password
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

        of = f"password of {self.name}"
        return actor(books, self.name, password(of, "JUNBIKIN_PASSWORD", self.file, "--password-file"))


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
