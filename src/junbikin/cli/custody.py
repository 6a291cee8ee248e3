"""`custody`: the day's state on one screen, and the commands on segregation, reconciliation, evidence and proof."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from junbikin.cli import evidence, reconcile
from junbikin.cli.positions import DAY, SEVERITIES, day_of, ledger_of, tell_stopped, write_page
from junbikin.cli.show import AS_JSON, as_json, console, home_of, lang_of, progress_bar
from junbikin.errors import BadInput

if TYPE_CHECKING:
    from junbikin.custody.day import CustodyDay
    from junbikin.custody.judging import Views
    from junbikin.errors import ParameterMissing
    from junbikin.home import Home


@contextmanager
def custody_days(
    home: Home, as_of: date, ids: tuple[str, ...], known_on: date | None = None
) -> Iterator[tuple[Views, list[CustodyDay], list[ParameterMissing]]]:
    """The facts, the custody day under each rulebook named, else under those of the home, and what stopped the others."""
    from junbikin.custody.judging import judged_or_stopped, views_in
    from junbikin.facts.lake import open_lake
    from junbikin.home import CONFIG

    if not ids and not home.custody:
        raise BadInput(
            "no rulebook of custody is in force here", where=str(home.path / CONFIG), then='write custody = ["jp-psa"]'
        )
    with ledger_of(home, as_of, known_on) as ledger:
        views = views_in(open_lake(home, known_on=known_on), ledger)
        with progress_bar() as progress:
            days, stopped = judged_or_stopped(views, ids or home.custody, None if ids else home.path, as_of, progress)
        if stopped and not days:
            raise stopped[0]
        yield views, days, stopped


def _nothing_given(ctx: click.Context, below: str) -> None:
    """Refuses an option before a command below, where it would say nothing."""
    for parameter in ctx.command.params:
        if ctx.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE:
            raise BadInput(
                f"{parameter.opts[0]} before {below!r} says nothing to it",
                where="junbikin custody",
                then=f"write it behind: junbikin custody {below} {parameter.opts[0]} …",
            )


@click.group(invoke_without_command=True)
@click.option("--as-of", type=DAY, help="The day [default: today].")
@click.option(
    "--rulebook", "ids", multiple=True, metavar="ID", help="One or more, by id or folder [default: the home's]."
)
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write the custody page to this file.")
@click.option("--known-on", type=DAY, help="With the facts as they were known at the end of this day [default: now].")
@click.option("--fail-on", type=click.Choice(SEVERITIES), help="Exit with 1 when a finding is at least this grave.")
@AS_JSON
@click.pass_context
def custody(
    ctx: click.Context,
    as_of: datetime | None,
    ids: tuple[str, ...],
    html: Path | None,
    known_on: datetime | None,
    fail_on: str | None,
    json_: bool,
) -> None:
    """Is every customer's asset there, apart, mostly cold, matched in kind; what is missing, since when, by when cured."""
    if ctx.invoked_subcommand is not None:
        _nothing_given(ctx, ctx.invoked_subcommand)
        return
    from junbikin.custody.archive import keep
    from junbikin.custody.onrecord import record
    from junbikin.findings import Severity
    from junbikin.reports.custody import custody_parts
    from junbikin.reports.custody_page import breaks_on, custody_page, shown_of

    home = home_of(ctx)
    known = known_on.date() if known_on else None
    with custody_days(home, day_of(home, as_of), ids, known) as (views, days, stopped):
        keep(home, days)
        if views.ledger:
            record(views.ledger.books, days)
        if json_:
            as_json({"days": [day.document() for day in days]})
        else:
            out = console()
            for day in days:
                found = breaks_on(views.ledger, day.as_of) if views.ledger else None
                for part in custody_parts(day, lang_of(ctx), found):
                    out.print(part)
        if html is not None:
            with progress_bar() as progress:
                shown = shown_of(views, days, progress)
            write_page(custody_page(shown, lang_of(ctx)), html)
    tell_stopped(stopped)
    # A rulebook that could not be judged is something unknown: as grave as a hole.
    gravest = max([day.worst or 0 for day in days] + [Severity.HOLE] * len(stopped))
    if fail_on and gravest >= Severity[fail_on.upper()]:
        ctx.exit(1)


@custody.command()
@click.argument("path")
@click.option("--as-of", type=DAY, help="The day [default: today].")
@click.option("--rulebook", "ids", multiple=True, metavar="ID", help="Which rulebook [default: the home's first].")
@click.option("--depth", default=12, show_default=True, help="Levels to open; 0 opens all.")
@AS_JSON
@click.pass_context
def explain(
    ctx: click.Context, path: str, as_of: datetime | None, ids: tuple[str, ...], depth: int, json_: bool
) -> None:
    """Open the figure PATH of the day (such as hot_share or held_gap.BTC) down to its rule and its facts."""
    import difflib

    from junbikin.figures import to_table
    from junbikin.reports.text import explanation

    home = home_of(ctx)
    with custody_days(home, day_of(home, as_of), ids) as (_, days, _stopped):
        day = days[0]
    figure = day.figure(path)
    if figure is None:
        keys = sorted({part.key for root in day.figures for part in root.walk() if part.key})
        near = difflib.get_close_matches(path, keys, 1)
        more = f" and {len(keys) - 20} more" if len(keys) > 20 else ""
        then = f"did you mean {near[0]!r}?" if near else "the figures are " + ", ".join(keys[:20]) + more
        raise BadInput(
            f"the day has no figure {path!r}",
            where=f"{day.rulebook.id} on {day.as_of}",
            then=f"{then} (--as-of names another day)",
        )
    if json_:
        as_json({"root": figure.digest, "figures": to_table([figure])})
        return
    out = console()
    out.print(f"{day.operator} · {day.as_of} · {day.rulebook.id}", markup=False)
    out.print(explanation(figure, lang_of(ctx), depth or 10**6))


for command in (
    evidence.observe, evidence.challenge, reconcile.reconcile, reconcile.watch, reconcile.breaks, reconcile.break_,
):  # fmt: skip
    custody.add_command(command)
