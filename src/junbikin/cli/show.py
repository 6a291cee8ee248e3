"""What commands share: the home asked for and its books, printing for people or programs, and progress on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

    from junbikin.books.database import Books
    from junbikin.facts.run import Progress
    from junbikin.home import Home
    from junbikin.reports.words import Lang

NUMBER = click.IntRange(1, 2**63 - 1)
"""The number of a record."""

AS_JSON = click.option("--json", "json_", is_flag=True, help="Print as JSON.")
"""The option of commands that also answer programs."""


def home_of(ctx: click.Context) -> Home:
    """The home that the command is for."""
    from junbikin.home import find_home

    return find_home(ctx.find_root().obj["home"])


@contextmanager
def books_of(home: Home) -> Iterator[Books | None]:
    """The home's books, or None when it has none."""
    if not home.has_books:
        yield None
        return
    from junbikin.books.database import open_books

    with open_books(home) as books:
        yield books


def lang_of(ctx: click.Context) -> Lang:
    """The language asked for."""
    lang: Lang = ctx.find_root().obj["lang"]
    return lang


def console() -> Console:
    """Standard output, as wide as the terminal, or wide enough for tables when there is none."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else 140, soft_wrap=False)


def print_table(
    lang: Lang, titles: Sequence[tuple[str, str]], rows: Iterable[Sequence[str]], right: Container[int] = ()
) -> None:
    """Prints rows under titles in English or Japanese; the columns counted in `right` are set to the right."""
    from rich.table import Table
    from rich.text import Text

    from junbikin.reports.words import visible

    table = Table(box=None, padding=(0, 2, 0, 0))
    for place, title in enumerate(titles):
        table.add_column(title[lang == "ja"], justify="right" if place in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(visible(cell)) for cell in row))
    console().print(table)


def as_json(content: Any) -> None:
    """Prints JSON with stable keys; amounts in it are strings."""
    click.echo(json.dumps(content, ensure_ascii=False, indent=1))


def stream_json(head: dict[str, Any], name: str, items: Iterable[Any]) -> None:
    """Prints JSON whose last key is a list of any length: memory does not grow with it."""
    start = json.dumps(head | {name: []}, ensure_ascii=False, indent=1).removesuffix("]\n}")
    click.echo(start, nl=False)
    for number, item in enumerate(items):
        click.echo((",\n  " if number else "\n  ") + json.dumps(item, ensure_ascii=False), nl=False)
    click.echo("\n ]\n}")


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar on standard error with what is being done, how far it is and for how long; silent when not a terminal."""
    if not sys.stderr.isatty():
        yield lambda what, share: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=1.0)

        def tell(what: str, share: float) -> None:
            bar.update(task, description=what, completed=share)

        yield tell
