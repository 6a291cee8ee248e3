"""`incident draft`, `plan`, `compare` and `ask`: from rules to a plan whose approval is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from junbikin.cli.acting import Acting, acts
from junbikin.cli.filed import tell
from junbikin.cli.incident_acts import ID
from junbikin.cli.permission import ACT, GROUNDS, RULEBOOK
from junbikin.cli.show import AS_JSON, as_json, console, home_of, lang_of, progress_bar

if TYPE_CHECKING:
    from junbikin.incidents.plan.document import Plan
    from junbikin.reports.words import Lang


@click.command()
@ID
@click.argument("folder", type=click.Path(path_type=Path))
@click.pass_context
def draft(ctx: click.Context, incident: str, folder: Path) -> None:
    """Write rules to begin with into FOLDER: in kind, yen at the moment, the average of 24 hours."""
    from junbikin.books.database import open_books
    from junbikin.incidents.incident import incident_of
    from junbikin.incidents.plan.drafting import drafted, put

    home = home_of(ctx)
    with open_books(home) as books:
        files = put(drafted(books, incident_of(books, incident), home.today()), folder)
    for file in files:
        click.echo(f"wrote {file}")
    click.echo(f"next: junbikin incident plan {incident} NAME {files[0]}")


@click.command()
@ID
@click.argument("name")
@click.argument("rule", type=click.Path(path_type=Path))
@AS_JSON
@click.pass_context
def plan(ctx: click.Context, incident: str, name: str, rule: Path, json_: bool) -> None:
    """Make the plan NAME (補償計画) by RULE: everyone's amount, who pays, what stays unpaid, and its digest."""
    from junbikin.books.database import open_books
    from junbikin.incidents.incident import incident_of
    from junbikin.incidents.plan.compare import side_by_side
    from junbikin.incidents.plan.making import make

    home = home_of(ctx)
    with open_books(home) as books:
        with progress_bar() as progress:
            made = make(books, incident, name, rule, home.today(), progress)
        [answer] = side_by_side(books, incident_of(books, incident), [made])
    if json_:
        as_json(answer.document() | {"findings": made.body["findings"], "folder": str(made.folder)})
        return
    _show(made, lang_of(ctx))
    if made.funded:
        click.echo(f"next: junbikin incident permission {incident} --plan {name}")


@click.command()
@ID
@click.argument("names", nargs=-1, metavar="[NAME]...")
@AS_JSON
@click.pass_context
def compare(ctx: click.Context, incident: str, names: tuple[str, ...], json_: bool) -> None:
    """Compare plans, all of the incident or those named: cost, who pays, who loses what, days until paid."""
    from junbikin.books.database import open_books
    from junbikin.errors import BadInput
    from junbikin.incidents.incident import incident_of
    from junbikin.incidents.plan.compare import side_by_side
    from junbikin.incidents.plan.document import plans, read_plan
    from junbikin.reports.plans import comparison

    home = home_of(ctx)
    with open_books(home) as books:
        happened = incident_of(books, incident)
        found = [read_plan(home, incident, name) for name in names] or plans(home, incident)
        if not found:
            raise BadInput(
                "there is no plan to compare",
                where=f"incident {incident}",
                then="make one with `junbikin incident plan`",
            )
        sides = side_by_side(books, happened, found)
    if json_:
        as_json({"plans": [side.document() for side in sides]})
    else:
        console().print(comparison(sides, lang_of(ctx)))


@click.command()
@ID
@click.argument("name")
@click.option(
    "--confirmed", metavar="REFERENCE", help="Who confirmed that the loss is by an accident (事故確認), and as what."
)
@GROUNDS
@ACT
@click.option(
    "--evidence", multiple=True, metavar="FILE", type=click.Path(path_type=Path),
    help="A document that shows the confirmation or the ground; kept in the home by its SHA-256; may be repeated.",
)  # fmt: skip
@RULEBOOK
@click.option("--besides", default="", metavar="WHY", help="Why people whom another plan pays as well are owed both.")
@click.option("--why", required=True, help="The reason, which goes on record.")
@acts
@AS_JSON
@click.pass_context
def ask(
    ctx: click.Context, incident: str, name: str, confirmed: str | None, grounds: tuple[str, ...], act: str,
    evidence: tuple[Path, ...], rulebook_id: str, besides: str, why: str, who: Acting, json_: bool,
) -> None:  # fmt: skip
    """Ask for the plan NAME to be approved: its money is set apart, and just its amounts can be paid.

    The loss was --confirmed before, or the rulebook says by grounds, act and the plan's amounts that no confirmation is needed.
    """
    from junbikin.books.database import open_books
    from junbikin.errors import BadInput
    from junbikin.incidents.incident import incident_of
    from junbikin.incidents.plan import permitted
    from junbikin.incidents.plan.asking import ask as file
    from junbikin.incidents.plan.document import read_plan
    from junbikin.reports.plans import asked_for
    from junbikin.rulebooks.load import load_rulebook

    if confirmed is not None and (grounds or act):
        raise BadInput(
            "what was confirmed needs no ground",
            where="--confirmed",
            then="leave out --ground and --act, or --confirmed",
        )
    home = home_of(ctx)
    found = read_plan(home, incident, name)
    with open_books(home) as books:
        if confirmed is not None:
            permission = permitted.confirmed(home, found, confirmed, evidence)
        else:
            book, of = load_rulebook(rulebook_id, home.path), incident_of(books, incident)
            permission = permitted.exempt(home, of, found, book, grounds, act, evidence)
        for line in asked_for(found, permission, home.currency, lang_of(ctx)):
            click.echo(line, err=True)
        actor = who.proved(books)
        with progress_bar() as progress:
            number = file(books, actor, found, permission, why, progress, besides)
        tell(books, number, json_)


def _show(made: Plan, lang: Lang) -> None:
    from junbikin.reports.plans import plan_parts

    for part in plan_parts(made, lang):
        console().print(part)
