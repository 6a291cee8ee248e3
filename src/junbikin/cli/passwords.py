"""Passwords: from a file, from the environment, else asked for without echo. Never on the command line, never a default."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from junbikin.errors import BadInput


def password(of: str, variable: str, file: Path | None, option: str, *, twice: bool = False) -> str:
    """The password `of` somebody or something: from the first line of `file`, else from `variable`, else asked for."""
    return stated(variable, file, option) or _asked(of, variable, twice=twice)


def new_password(name: str, file: Path | None) -> str:
    """The new password of a person; asked for twice."""
    return password(f"new password of {name}", "JUNBIKIN_NEW_PASSWORD", file, "--new-password-file", twice=True)


def stated(variable: str, file: Path | None, option: str) -> str:
    """The password that a file or a variable of the environment states, or ""."""
    if file is None:
        return os.environ.get(variable, "")
    try:
        first = file.read_text(encoding="utf-8").split("\n", 1)[0].removesuffix("\r")
    except (OSError, UnicodeDecodeError) as problem:
        raise BadInput(
            f"the password cannot be read: {getattr(problem, 'strerror', None) or problem}", where=f"{option} {file}",
            then="name a text file whose first line is the password",
        ) from None  # fmt: skip
    if not first:
        raise BadInput("the file's first line is empty", where=f"{option} {file}", then="write the password there")
    return first


def _asked(of: str, variable: str, *, twice: bool) -> str:
    if not sys.stdin.isatty():
        raise BadInput(
            f"there is no terminal to ask for the {of}", then=f"run it in a terminal, name a file, or set {variable}"
        )
    typed: str = click.prompt(of, hide_input=True, confirmation_prompt=twice, err=True)
    return typed
