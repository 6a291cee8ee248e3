"""`incident`: the group, and where each of its commands lives."""

from __future__ import annotations

import click

from junbikin.cli.lazy import Lazy

_COMMANDS: dict[str, tuple[str, str]] = {}


@click.group(cls=Lazy, table=_COMMANDS)
def incident() -> None:
    """An incident (事故・流出事案): opened, planned for, paid, reported, and kept on a timeline that only grows."""
