"""`incident report`, `notice` and `notices`: what the authority, the public and customers are told."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from junbikin.cli.incident_acts import ID
from junbikin.cli.positions import write_page
from junbikin.cli.show import AS_JSON, as_json, home_of, lang_of, progress_bar

if TYPE_CHECKING:
    from junbikin.reports.told import Told

_HTML = click.option("--html", type=click.Path(path_type=Path), help="Write a page, in both languages.")
_MARKDOWN = click.option("--markdown", type=click.Path(path_type=Path), help="Write Markdown [default: print it].")


@click.command()
@ID
@click.option(
    "--kind",
    required=True,
    type=click.Choice(["initial", "follow_up", "public"]),
    help="To the authority at first or later, or to the public.",
)
@_HTML
@_MARKDOWN
@click.pass_context
def report(ctx: click.Context, incident: str, kind: str, html: Path | None, markdown: Path | None) -> None:
    """The first notice (初報) or follow-up (続報) to the authority, or the public notice (公表), from the same figures."""
    from junbikin.books.database import open_books
    from junbikin.incidents.claims import claims_of, files_of
    from junbikin.incidents.deadlines import deadlines
    from junbikin.incidents.happenings import happenings
    from junbikin.incidents.incident import incident_of
    from junbikin.reports.incident_report import Known
    from junbikin.reports.incident_report import report as told
    from junbikin.reports.public_notice import public_notice

    home, at = home_of(ctx), datetime.now(UTC)
    with open_books(home) as books, progress_bar() as progress:
        of = incident_of(books, incident)
        progress("claims", 0.1)
        claims = claims_of(books, incident)
        progress("plans", 0.4)
        happened = happenings(books, of)
        files = [files_of(home, each.approved) for each in claims.plans]
        progress("the document", 0.7)
    standing = [each.approved for each in claims.plans if not each.approved.reversed]
    due = deadlines(home, of, [str(each.content["permission"]) for each in standing], at)
    known = Known(home, of, happened, due, claims, {plan.digest: plan for plan in files if plan}, at)
    _write(ctx, public_notice(known) if kind == "public" else told(known, kind), html, markdown)


@click.command()
@ID
@click.argument("name", metavar="PLAN")
@click.argument("account")
@_HTML
@_MARKDOWN
@click.pass_context
def notice(
    ctx: click.Context, incident: str, name: str, account: str, html: Path | None, markdown: Path | None
) -> None:
    """What one customer is told: what PLAN owes them, how that is reached, how it is paid, and how to dispute it."""
    from junbikin.books.database import open_books
    from junbikin.incidents.notices import notice as of_account
    from junbikin.reports.notice import notice_told

    home, at = home_of(ctx), datetime.now(UTC)
    with open_books(home) as books:
        found = of_account(books, incident, name, account)
    _write(ctx, notice_told(home, found, at), html, markdown)


@click.command()
@ID
@click.argument("name", metavar="PLAN")
@click.option("--to", required=True, type=click.Path(path_type=Path), help="The CSV file to write.")
@AS_JSON
@click.pass_context
def notices(ctx: click.Context, incident: str, name: str, to: Path, json_: bool) -> None:
    """Write everybody's notice under PLAN as one file, with every number of each derivation: for whoever sends them."""
    from junbikin.books.database import open_books
    from junbikin.incidents.notices import write_notices

    with open_books(home_of(ctx)) as books, progress_bar() as progress:
        found = write_notices(books, incident, name, to, progress)
    if json_:
        as_json({"incident": incident, "plan": name, "file": str(to), "customers": found.customers, "rows": found.rows})
    else:
        customers = f"{found.customers:,} customer{'' if found.customers == 1 else 's'}"
        click.echo(
            f"notices to {customers} are in {to}: {found.rows:,} rows, one for each in {' and '.join(found.assets)}"
        )


def _write(ctx: click.Context, told: Told, html: Path | None, markdown: Path | None) -> None:
    from junbikin.reports.told import markdown as as_markdown
    from junbikin.reports.told_page import told_page

    lang = lang_of(ctx)
    if html:
        write_page(told_page(told, lang), html)
    if markdown:
        write_page(as_markdown(told, lang), markdown)
    if not html and not markdown:
        click.echo(as_markdown(told, lang), nl=False)
