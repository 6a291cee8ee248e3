"""`incident results`: what banks and custodians answer about payments."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from junbikin.cli import times
from junbikin.cli.acting import Acting, acts
from junbikin.cli.payments import INCIDENT
from junbikin.cli.show import AS_JSON, as_json, home_of, progress_bar
from junbikin.errors import BadInput

if TYPE_CHECKING:
    from junbikin.incidents.answers.taking import Taken

_FORMS = ["zengin", "pain002", "custodian"]


@click.command()
@INCIDENT
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--form", required=True, type=click.Choice(_FORMS), help="What the files are.")
@click.option("--bank", help="The registered paying bank that answers; for zengin.")
@click.option(
    "--at", metavar="TIME", help=f"When it was settled or came back [default: when it is recorded]: {times.HELP}."
)
@click.option("--why", help="The reason, which goes on record [default: the files' names].")
@acts
@AS_JSON
@click.pass_context
def results(
    ctx: click.Context, incident: str, files: tuple[Path, ...], form: str, bank: str | None, at: str | None, why: str | None,
    who: Acting, json_: bool,
) -> None:  # fmt: skip
    """Take in what a bank or custodian answers in FILES about payments of the incident INC: settled, or returned and why.

    Exits with 1 when an answer was refused.
    """
    from junbikin.books.claims import plans_of
    from junbikin.books.database import open_books
    from junbikin.incidents.answers.bundles import Source
    from junbikin.incidents.answers.taking import take_in
    from junbikin.incidents.incident import incident_of
    from junbikin.incidents.pay.payer import Payer
    from junbikin.incidents.pay.paying_bank import paying_bank
    from junbikin.incidents.plan.document import plan_with

    home = home_of(ctx)
    if (bank is not None) != (form == "zengin"):
        raise BadInput(
            "--bank names the bank whose result list it is: with --form zengin, and only there", then="state or leave out --bank"
        )  # fmt: skip
    with open_books(home) as books:
        incident_of(books, incident)
        when = times.until(home, at, "--at")
        answering = paying_bank(books, bank) if bank else None
        plans = [(plan, plan_with(home, incident, plan.plan).entitlements) for plan in plans_of(books, incident)]
        if not plans:
            raise BadInput(f"no plan of {incident} was approved: nothing was paid", then="see `junbikin incident list`")
        by = Payer(books, who.proved(books), why or f"answers in {', '.join(file.name for file in files)[:900]}")
        with progress_bar() as progress:
            taken = take_in(by, plans, files, Source(form, answering, when), progress)
    if json_:
        as_json({"files": [file.name for file in files]} | _taken(taken))
    else:
        _print_taken(taken, len(files))
    if taken.refused:
        ctx.exit(1)


def _taken(taken: Taken) -> dict[str, Any]:
    from junbikin.figures import plain

    counts = {name: str(getattr(taken, name)) for name in ("read", "settled", "returned", "duplicates", "refused")}
    totals = {asset: {"settled": plain(s), "returned": plain(r)} for asset, (s, r) in taken.totals.items()}
    reasons = {reason: str(count) for reason, count in taken.reasons.items()}
    return counts | {"totals": totals, "reasons": reasons, "refusals": str(taken.refusals) if taken.refusals else None}


def _print_taken(taken: Taken, files: int) -> None:
    from junbikin.reports.words import grouped

    click.echo(
        f"{taken.read:,} answers in {files} file{'s' if files > 1 else ''}: {taken.settled:,} settled, {taken.returned:,} returned, {taken.duplicates:,} known already, "
        f"{taken.refused:,} refused"
    )
    for asset, (settled, returned) in taken.totals.items():
        click.echo(f"{asset}: {grouped(settled)} settled, {grouped(returned)} returned")
    for reason, count in taken.reasons.items():
        click.echo(f"  returned with {reason}: {count:,}")
    if taken.refusals:
        click.echo(f"refused, each with why: {taken.refusals}", err=True)
