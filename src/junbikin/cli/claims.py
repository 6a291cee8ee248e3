"""`claims`: what the approved plans owe, and how far it is paid."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from junbikin.cli.positions import write_page
from junbikin.cli.show import AS_JSON, as_json, console, home_of, lang_of, progress_bar
from junbikin.errors import BadInput

if TYPE_CHECKING:
    from junbikin.books.database import Books
    from junbikin.incidents.incident import Incident


@click.command()
@click.argument("incident", required=False, metavar="[INC]")
@click.option("--plan", default="", help="One approved plan only, by name or digest [default: all of them].")
@click.option("--html", type=click.Path(path_type=Path), help="Write a page with charts.")
@click.option(
    "--list", "which", type=click.Choice(["paid", "out", "returned", "unclaimed", "disputed"]),
    help="Write everyone who stands so to --to.",
)  # fmt: skip
@click.option("--to", type=click.Path(path_type=Path), help="The CSV file for --list.")
@AS_JSON
@click.pass_context
def claims(
    ctx: click.Context, incident: str | None, plan: str, html: Path | None, which: str | None, to: Path | None, json_: bool
) -> None:  # fmt: skip
    """Follow the claims (請求) of approved plans: paid, out, returned, kept on trust and why, disputed, and since when."""
    from junbikin.books.database import open_books
    from junbikin.incidents.claim_lists import write_list
    from junbikin.incidents.claims import claims_of
    from junbikin.reports.claims import claims_document, claims_parts
    from junbikin.reports.claims_page import claims_page

    home, lang, at = home_of(ctx), lang_of(ctx), datetime.now(UTC)
    if (which is None) != (to is None):
        raise BadInput(
            "a list needs a file", where="--list, --to", then="state both, such as --list returned --to returned.csv"
        )
    with open_books(home) as books, progress_bar() as progress:
        of = _incident(books, incident)
        progress("claims", 0.1)
        found = claims_of(books, of.id, plan)
        if which and to:
            standing = [each.approved for each in found.plans if not each.approved.reversed]
            listed = write_list(books, standing, which, to, progress)
    if which:
        as_json({"list": which, "file": str(to), "claims": listed}) if json_ else click.echo(
            f"{listed:,} claims are in {to}"
        )
        return
    if html:
        write_page(claims_page(home, found, of, at, lang), html)
    if json_:
        as_json(claims_document(found, of, at))
        return
    out = console()
    for part in claims_parts(home, found, of, at, lang):
        out.print(part)


def _incident(books: Books, incident: str | None) -> Incident:
    """The incident named, or the only one that there is."""
    from junbikin.incidents.incident import incident_of, incidents

    if incident:
        return incident_of(books, incident)
    found = incidents(books)
    if len(found) != 1:
        names = ", ".join(each.id for each in found)
        raise BadInput(
            f"{len(found)} incidents are on record",
            then=f"name one of {names}" if names else "open one with `junbikin incident open`",
        )
    return found[0]
