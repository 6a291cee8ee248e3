"""Groups of commands that load a command's module only when it runs, so that --help is immediate."""

from __future__ import annotations

import difflib
import importlib
from typing import Any

import click


class Lazy(click.Group):
    """A group told by a table: a command's name → its module, or `module:function`, and its help on one line.

    Where no function is named it is called like the command.
    """

    def __init__(self, *args: Any, table: dict[str, tuple[str, str]], **given: Any) -> None:
        super().__init__(*args, **given)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.table:
            return None
        module, _, function = self.table[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), function or cmd_name.replace("-", "_"))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.table:
            with formatter.section("Commands"):
                formatter.write_dl([(name, text) for name, (_, text) in self.table.items()])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as problem:
            near = difflib.get_close_matches(args[0], self.table, 1)
            if near:
                raise click.UsageError(f"{problem.message} Did you mean {near[0]!r}?", ctx) from None
            raise
