"""`reserve accrue`: the year-end accrual, computed by a rulebook and asked for as a batch."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from junbikin.cli.acting import Acting, acts
from junbikin.cli.posting import Asked, move_money
from junbikin.cli.show import AS_JSON, as_json, home_of
from junbikin.errors import BadInput, BooksRefused

if TYPE_CHECKING:
    from junbikin.calendars import Period
    from junbikin.home import Home
    from junbikin.reserve.position import Position
    from junbikin.rulebooks.load import Rulebook


@click.command()
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The last day of a fiscal year [default: of the last one that ended].",
)
@click.option(
    "--rulebook", "rulebook_id", metavar="ID", help="Which rulebook computes it [default: the home's only one]."
)
@click.option("--why", default="year-end accrual", show_default=True, help="The reason, which goes on record.")
@acts
@AS_JSON
@click.pass_context
def accrue(
    ctx: click.Context, as_of: datetime | None, rulebook_id: str | None, why: str, who: Acting, json_: bool
) -> None:
    """Ask for the year-end accrual (積立額) to be booked, as the rulebook computes it; once for each year and rulebook.

    The rulebook's own accrual where it computes one, else what the requirement leaves over the booked reserve; in whole
    units of the currency, rounded up.
    """
    from junbikin.books.columns import from_codes
    from junbikin.books.database import open_books
    from junbikin.books.journal import known_now
    from junbikin.cli.positions import assessed
    from junbikin.facts.lake import open_lake
    from junbikin.reserve.accruals import accrual, accrual_draft, accrual_key
    from junbikin.reserve.agreement import booked
    from junbikin.reserve.history import record
    from junbikin.reserve.ledger import Ledger

    home = home_of(ctx)
    year = _ended(home, as_of)
    rulebook = _only(home, rulebook_id)
    with open_books(home) as books:
        ledger = Ledger(books, year.end, known_now(books))
        [position], _ = assessed(open_lake(home), year.end, [rulebook], ledger)
        record(books, [position])
        owed = accrual(position, booked(ledger))
        if owed.value is None or position.requirement.holes:
            raise BooksRefused(
                f"the accrual of {year.name} under {rulebook.id} is not known: {_why_unknown(position)}",
                then=f"ingest what is missing: junbikin assess --as-of {year.end} --rulebook {rulebook.id}",
            )
        if owed.value <= 0:
            if json_:
                as_json({"year": year.name, "rulebook": rulebook.id, "accrual": "0"})
            else:
                click.echo(f"nothing to accrue for {year.name} under {rulebook.id}")
            return
        asked = accrual_draft(owed.value, home.currency, position.digest, year.name, rulebook.id)
        key, booked_as = accrual_key(books, rulebook.id, year.name)
        if booked_as is not None:
            raise BooksRefused(
                f"the accrual of {year.name} under {rulebook.id} is booked already", where=f"record {booked_as}",
                then=f"if late facts changed it, undo it with `junbikin books reverse {booked_as}`, then accrue again",
            )  # fmt: skip
        entries = from_codes(books, asked.codes, asked.amounts)
        move_money(ctx, books, Asked(asked.says, entries, home.end_of(year.end), key, why), who, json_)


def _ended(home: Home, as_of: datetime | None) -> Period:
    """The fiscal year that ended on the day asked, or the last one that ended."""
    from junbikin.calendars import fiscal_year

    today, starts = home.today(), home.fiscal_year_starts
    if as_of is None:
        return fiscal_year(today, starts, 1)
    year = fiscal_year(as_of.date(), starts)
    if as_of.date() != year.end or year.end >= today:
        raise BadInput(
            f"{as_of.date()} is not the last day of a fiscal year that has ended", where="--as-of",
            then="name such a day, or leave it out",
        )  # fmt: skip
    return year


def _why_unknown(position: Position) -> str:
    note = position.holes[0].note if position.holes else None
    return note.en if note else "something is missing"


def _only(home: Home, rulebook_id: str | None) -> Rulebook:
    from junbikin.rulebooks.load import load_rulebook

    if rulebook_id is None and len(home.rulebooks) != 1:
        raise BadInput(
            "it is not said which rulebook computes the accrual",
            then="name one with --rulebook: " + ", ".join(home.rulebooks),
        )
    return load_rulebook(rulebook_id or home.rulebooks[0], home.path)
