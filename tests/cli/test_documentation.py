"""The documentation names everything that there is: commands, options, settings."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from junbikin.cli import root
from junbikin.home import TEMPLATE

DOCS = Path(__file__).parents[2] / "docs"


def walked(command: click.Command, name: str, above: click.Context | None = None) -> Iterator[click.Context]:
    """The context of every command under one, itself included."""
    context = click.Context(command, parent=above, info_name=name, **command.context_settings)
    yield context
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            assert found is not None
            yield from walked(found, below, context)


COMMANDS = {context.command_path: context for context in walked(root, "junbikin")}
OPTIONS = sorted(
    (words, option)
    for words, context in COMMANDS.items()
    for parameter in context.command.get_params(context)
    if isinstance(parameter, click.Option)
    for option in (*parameter.opts, *parameter.secondary_opts)
)
SETTINGS = [*tomllib.loads(TEMPLATE.format(operator="''")), "invented"]


def page(name: str) -> str:
    file = DOCS / name
    assert file.is_file(), f"docs/{name} is not written"
    return file.read_text(encoding="utf-8")


def test_the_tree_is_walked_to_its_leaves() -> None:
    assert {"junbikin assess", "junbikin facts quarantine", "junbikin rulebooks check"} <= set(COMMANDS)
    assert ("junbikin assess", "--fail-on") in OPTIONS
    assert "price_max_age_days" in SETTINGS


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_is_documented(words: str) -> None:
    assert re.search(rf"{re.escape(words)}\b", page("cli.md"))


def section(words: str) -> str:
    """Where the page tells of a command: its own lines, what its section says of them all, and the head, for what all share."""
    head, *sections = re.split(r"(?m)^## ", page("cli.md"))
    command = words.split()[1:2]
    if not command:
        return head
    [own] = [part for part in sections if part.splitlines()[0] == command[0]]
    others = [other for other in COMMANDS if other.startswith(f"junbikin {command[0]} ") and other != words]
    items = re.split(r"\n(?=- |\n|\|)", own)
    return head + "\n".join(
        item for item in items if not any(re.search(rf"`{re.escape(o)}\b", item) for o in others) or f"`{words}" in item
    )


@pytest.mark.parametrize(("words", "option"), OPTIONS)
def test_every_option_is_documented_where_its_command_is(words: str, option: str) -> None:
    assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", section(words)), words


@pytest.mark.parametrize("setting", SETTINGS)
def test_every_setting_of_a_home_is_documented(setting: str) -> None:
    assert re.search(rf"(?<!\w){setting}(?!\w)", page("home.md"))
