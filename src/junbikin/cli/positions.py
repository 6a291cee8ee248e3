"""`assess`, `explain`, `compare` and `verify`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from junbikin.cli.show import AS_JSON, as_json, books_of, console, home_of, lang_of, progress_bar
from junbikin.errors import BadInput

if TYPE_CHECKING:
    from junbikin.errors import ParameterMissing
    from junbikin.facts.lake import Lake
    from junbikin.home import Home
    from junbikin.reports.custody_page import Shown
    from junbikin.reports.words import Lang
    from junbikin.reserve.ledger import Ledger
    from junbikin.reserve.position import Position
    from junbikin.rulebooks.load import Rulebook

DAY = click.DateTime(["%Y-%m-%d"])
SEVERITIES = ["notice", "warning", "hole", "breach"]


@contextmanager
def ledger_of(home: Home, as_of: date, known_on: date | None = None) -> Iterator[Ledger | None]:
    """The reserve as the home's books have it, now or as known at the end of a day; None for a home without books."""
    with books_of(home) as books:
        if books is None:
            yield None
            return
        from junbikin.books.journal import known_now
        from junbikin.reserve.ledger import Ledger

        yield Ledger(books, as_of, home.end_of(known_on) if known_on else known_now(books))


def assessed(
    lake: Lake, as_of: date, books: list[Rulebook], ledger: Ledger | None = None
) -> tuple[list[Position], list[str]]:
    """The positions under each rulebook, and what stopped the others: one stops nobody else."""
    from junbikin.errors import ParameterMissing
    from junbikin.reserve.assess import assess as work
    from junbikin.reserve.view import FactsView

    view = FactsView(lake, as_of, ledger)
    positions, stopped = [], []
    for rulebook in books:
        try:
            positions.append(work(lake, rulebook, as_of, view))
        except ParameterMissing as problem:
            stopped.append(problem)
    if stopped and not positions:
        raise stopped[0]
    return positions, [str(problem) for problem in stopped]


def _books(home: Home, ids: tuple[str, ...]) -> list[Rulebook]:
    """The rulebooks asked for, folders from where the person stands; else the home's, folders from the home."""
    from junbikin.rulebooks.load import load_rulebook

    return [load_rulebook(name) for name in ids] or [load_rulebook(name, home.path) for name in home.rulebooks]


def show(positions: list[Position], lang: Lang) -> None:
    """Prints positions for people."""
    from junbikin.reports.text import position_parts

    out = console()
    for position in positions:
        for part in position_parts(position, lang):
            out.print(part)
        out.print()


def write_report(positions: list[Position], html: Path | None, lang: Lang, custody: Sequence[Shown] = ()) -> None:
    """Writes the report, if one was asked for."""
    if html is not None:
        from junbikin.reports.report import report

        write_page(report(positions, lang, custody), html)


def custody_beside(lake: Lake, as_of: date, ledger: Ledger | None) -> tuple[list[Shown], list[ParameterMissing]]:
    """The custody days for the report under the home's rulebooks, and what stopped others; none without facts on customers' property."""
    from junbikin.custody.judging import judged_or_stopped, views_in
    from junbikin.reports.custody_page import shown_of

    if not any(lake.days(name, end=as_of) for name in ("customer_balances", "holdings")):
        return [], []
    views = views_in(lake, ledger)
    with progress_bar() as progress:
        days, stopped = judged_or_stopped(views, lake.home.custody, lake.home.path, as_of, progress)
        return shown_of(views, days, progress), stopped


def write_page(page: str, file: Path) -> None:
    """Writes a page, and says where. Raises `BadInput` when that cannot be."""
    try:
        file.write_text(page, encoding="utf-8")
    except OSError as problem:
        raise BadInput(
            f"the report cannot be written: {problem.strerror}", where=str(file), then="name a file in a folder"
        ) from None
    click.echo(f"report: {file}", err=True)


def tell_stopped(stopped: Iterable[object]) -> None:
    """Says of each rulebook that could not be judged why not."""
    for message in stopped:
        click.echo(f"not assessed: {message}", err=True)


def day_of(home: Home, as_of: datetime | None) -> date:
    day = as_of.date() if as_of else home.today()
    if day > home.today():
        raise BadInput(
            f"{day} has not come yet: nothing is known of it", where="--as-of", then="name a day until today"
        )
    return day


@click.command()
@click.option("--as-of", type=DAY, help="The day of the position [default: today].")
@click.option(
    "--rulebook", "ids", multiple=True, metavar="ID", help="One or more, by id or folder [default: those in force]."
)
@click.option("--json", "json_", is_flag=True, help="Print the whole position, with every figure, as JSON.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write the report to this file.")
@click.option("--known-on", type=DAY, help="With the facts as they were known at the end of this day [default: now].")
@click.option("--fail-on", type=click.Choice(SEVERITIES), help="Exit with 1 when a finding is at least this grave.")
@click.pass_context
def assess(
    ctx: click.Context,
    as_of: datetime | None,
    ids: tuple[str, ...],
    json_: bool,
    html: Path | None,
    known_on: datetime | None,
    fail_on: str | None,
) -> None:
    """Say what must be held, what is held, what is missing and why, on a day."""
    from junbikin.facts.lake import open_lake
    from junbikin.findings import Severity
    from junbikin.reserve.archive import keep
    from junbikin.reserve.position import worst

    home = home_of(ctx)
    day, known = day_of(home, as_of), known_on.date() if known_on else None
    with ledger_of(home, day, known) as ledger:
        lake = open_lake(home, known_on=known)
        positions, stopped = assessed(lake, day, _books(home, ids), ledger)
        keep(home, positions)
        if ledger:
            from junbikin.reserve.history import record

            record(ledger.books, positions)
        custody, halted = custody_beside(lake, day, ledger) if html else ([], [])
    if json_:
        as_json({"positions": [position.document() for position in positions]})
    else:
        show(positions, lang_of(ctx))
    tell_stopped([*stopped, *halted])
    write_report(positions, html, lang_of(ctx), custody)
    # A rulebook that could not be assessed is something unknown: as grave as a hole.
    gravest = max([worst(positions) or 0, Severity.HOLE if stopped else 0])
    if fail_on and gravest >= Severity[fail_on.upper()]:
        ctx.exit(1)


@click.command()
@click.argument("path")
@click.option("--position", type=click.Path(path_type=Path), help="A position file [default: what was assessed last].")
@click.option("--rulebook", "rulebook_id", metavar="ID", help="Which of the positions, when there are several.")
@click.option("--depth", default=12, show_default=True, help="Levels to open; 0 opens all.")
@click.option("--json", "json_", is_flag=True, help="Print the figure and everything under it as JSON.")
@click.pass_context
def explain(
    ctx: click.Context, path: str, position: Path | None, rulebook_id: str | None, depth: int, json_: bool
) -> None:
    """Open the figure PATH (such as requirement, cap or capped.イ) down to its rule and its facts."""
    from junbikin.figures import Data, to_table
    from junbikin.reports.text import explanation
    from junbikin.reserve.archive import last, read
    from junbikin.reserve.explain import find

    documents = read(position) if position else last(home_of(ctx))
    document, figure = find(documents, path, rulebook_id)
    if json_:
        as_json({"root": figure.digest, "figures": to_table([figure])})
        return
    body = document.body
    out = console()
    out.print(f"{body['operator']} · {body['as_of']} · {body['rulebook']['id']}", markup=False)
    out.print(explanation(figure, lang_of(ctx), depth or 10**6))
    used = {part.source.dataset for part in figure.walk() if isinstance(part.source, Data)}
    files = [source for source in document.content["facts"]["sources"] if source["dataset"] in used]
    if files:
        out.print("\nIngested files / 取込ファイル", markup=False)
        for source in files:
            out.print(
                f"  {source['dataset']}  {source['file']}  sha256 {source['sha256'][:16]}…  rows read {source['read']:,}",
                markup=False,
                soft_wrap=True,
            )


@click.command()
@click.option("--as-of", type=DAY, help="The day [default: today].")
@click.option("--rulebook", "ids", multiple=True, metavar="ID", help="Compare these [default: every known one].")
@AS_JSON
@click.pass_context
def compare(ctx: click.Context, as_of: datetime | None, ids: tuple[str, ...], json_: bool) -> None:
    """All rulebooks side by side on the same facts."""
    from junbikin.facts.lake import open_lake
    from junbikin.reports.text import comparison
    from junbikin.rulebooks.load import known_rulebooks, load_rulebook

    home = home_of(ctx)
    books = _books(home, ids)
    if not ids:
        have = {book.id for book in books}
        known = [load_rulebook(name) for name in known_rulebooks() if name not in have]
        books += [book for book in known if book.assess]
    with ledger_of(home, day_of(home, as_of)) as ledger:
        positions, stopped = assessed(open_lake(home), day_of(home, as_of), books, ledger)
    if json_:
        as_json({"as_of": day_of(home, as_of).isoformat(), "positions": [_line(position) for position in positions]})
    else:
        console().print(comparison(positions, lang_of(ctx)))
    tell_stopped(stopped)


def _line(position: Position) -> dict[str, Any]:
    summary: dict[str, Any] = position.document()["summary"]
    return {"rulebook": position.rulebook.id, "digest": position.digest} | summary


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@AS_JSON
@click.pass_context
def verify(ctx: click.Context, file: Path, json_: bool) -> None:
    """Recompute the position or custody day in FILE from the facts, believing nothing in it, and name the first difference.

    Exit code 1 when it differs, 2 when the file or the facts were altered.
    """
    from junbikin.custody.verify import verify as work
    from junbikin.reserve.archive import read

    home = home_of(ctx)
    results = [work(home, document) for document in read(file)]
    if json_:
        as_json({"positions": [_verified(result) for result in results]})
    else:
        for result in results:
            for line in _verdict(result):
                click.echo(line)
    if any(result.difference for result in results):
        ctx.exit(1)


def _verified(result: Any) -> dict[str, Any]:
    return {
        "rulebook": result.recomputed.rulebook.id,
        "stated": result.document.content["digest"],
        "recomputed": result.recomputed.digest,
        "rulebook_changed": result.rulebook_changed,
        "first_difference": result.difference
        and {
            "path": list(result.difference.path),
            "stated": result.difference.stated,
            "recomputed": result.difference.recomputed,
        },
    }


def _verdict(result: Any) -> list[str]:
    name = f"{result.recomputed.rulebook.id}, {result.recomputed.as_of}"
    if result.difference is None:
        return [f"{name}: verified; every figure was recomputed and agrees (sha256 {result.recomputed.digest[:16]}…)"]
    lines = [f"{name}: DIFFERS at {' > '.join(result.difference.path)}"]
    lines += [f"  stated:     {result.difference.stated}", f"  recomputed: {result.difference.recomputed}"]
    if result.rulebook_changed:
        lines.append("  the rulebook's files are not those that the position was made with")
    return lines
