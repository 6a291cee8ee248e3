"""`incident taken` and `recovered`: what was taken, and what was got back of it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from junbikin.cli import amounts, times
from junbikin.cli.acting import Acting, acts
from junbikin.cli.incident_acts import ID, WHY, tell_on, told, when_of
from junbikin.cli.show import AS_JSON, home_of, lang_of
from junbikin.errors import BadInput

if TYPE_CHECKING:
    from junbikin.facts.lake import Lake
    from junbikin.incidents.incident import Incident
    from junbikin.reports.words import Lang


@click.command()
@ID
@click.option("--asset", required=True, help="The asset.")
@click.option("--quantity", required=True, metavar="X", help="How much, in plain digits; 0 takes back what was told.")
@click.option("--place", required=True, help="The place that it was taken from.")
@click.option(
    "--storage", type=click.Choice(["hot", "cold", "trust", "bank"]),
    help="How it was kept there [default: as the place is registered].",
)  # fmt: skip
@click.option("--provider", help="Who kept it or supplied the system [default: as the place is registered].")
@click.option(
    "--transaction", "transactions", multiple=True, metavar="ID", help="A transaction that took it; may be repeated."
)
@click.option(
    "--value",
    metavar="X",
    help="What it was worth in the home's currency [default: at the price of the day of the loss].",
)
@click.option("--priced", metavar="WORDS", help="By which price and source --value is.")
@click.option("--at", metavar="TIME", help=f"When it was taken [default: when the incident happened]: {times.HELP}.")
@WHY
@acts
@AS_JSON
@click.pass_context
def taken(
    ctx: click.Context, incident: str, asset: str, quantity: str, place: str, storage: str | None, provider: str | None,
    transactions: tuple[str, ...], value: str | None, priced: str | None, at: str | None, why: str | None, who: Acting, json_: bool,
) -> None:  # fmt: skip
    """State what was taken of one asset at one place; told again, the last counts."""
    from junbikin.books.database import open_books
    from junbikin.facts.lake import open_lake
    from junbikin.incidents import known
    from junbikin.incidents.incident import incident_of
    from junbikin.incidents.incident import taken as says_taken
    from junbikin.incidents.telling import check
    from junbikin.registry.log import latest

    home, much = home_of(ctx), amounts.stated(quantity, "--quantity")
    lake = open_lake(home)
    with open_books(home) as books:
        of = incident_of(books, incident)
        known.must_be_known(books, lake, asset)
        known.fits(books, asset, much)
        registered = latest(books, "place", place) or {}
        kept = storage or str(registered.get("storage", ""))
        if not kept:
            raise BadInput(
                f"the place {place} is not registered, so how it keeps {asset} is not known",
                where="--place",
                then="write it as `junbikin registry list place` does, or state --storage hot, cold, trust or bank",
            )
        day = of.occurred_at.astimezone(home.time_zone).date()
        worth = _worth(lake, asset, much, day, (value, priced)) if much else _nothing(of, asset, place)
        if much:
            _warned(lake, asset, much, worth)
        by = provider if provider is not None else str(registered.get("provider", ""))
        says = says_taken(asset, much, place, kept, by, transactions, worth)
        when = when_of(home, at) or of.occurred_at
        check(of, says, when)
        besides = _besides(of, asset, place, lang_of(ctx))
        tell_on(
            books,
            incident,
            says,
            why or f"{quantity} {asset} taken at {place}",
            when,
            who,
            json_,
            lang_of(ctx),
            besides,
        )


def _nothing(of: Incident, asset: str, place: str) -> tuple[str, str]:
    """What it is worth that nothing was taken. Raises `BadInput` when nobody had said that something was."""
    from junbikin.incidents.telling import replaced

    if replaced(of, asset, place) is None:
        raise BadInput(
            f"nothing is on record as taken of {asset} at {place}", where="--quantity", then="state a quantity above 0"
        )
    return "0", "taken back"


def _besides(of: Incident, asset: str, place: str, lang: Lang) -> str:
    """What telling it does to what was told before."""
    from junbikin.incidents.telling import replaced
    from junbikin.reports.words import grouped

    before = replaced(of, asset, place)
    if before is None:
        return ""
    was, record = grouped(before.quantity), before.event.record
    return (
        f"（{was} {asset}、記録{record}を置き換え）" if lang == "ja" else f"; replaces {was} {asset} (record {record})"
    )


def _warned(lake: Lake, asset: str, quantity: Decimal, worth: tuple[str | None, str]) -> None:
    """Warns of what may be a slip of the pen, and of a price that is missing."""
    from junbikin.figures import plain
    from junbikin.incidents.known import owned

    customers = owned(lake, lake.home.today()).get(asset)
    if customers is not None and quantity > customers and asset != lake.home.currency:
        click.echo(f"warning: this is more than the {plain(customers)} {asset} that customers own", err=True)
    if worth[0] is None:
        click.echo(
            f"its worth is not known ({worth[1]}): the loss has a hole until --value and --priced state it", err=True
        )


def _worth(
    lake: Lake, asset: str, quantity: Decimal, day: date, stated: tuple[str | None, str | None]
) -> tuple[str | None, str]:
    """What is stated, or what the facts' prices of the day give."""
    from junbikin.figures import plain
    from junbikin.incidents.valued import valued

    value, priced = stated
    if (value is None) != (priced is None):
        raise BadInput(
            "a value needs the price that it is by", where="--value, --priced", then="state both, or neither"
        )
    if value is not None and priced is not None:
        return plain(amounts.stated(value, "--value")), priced
    return valued(lake, asset, quantity, day)


@click.command()
@ID
@click.option("--asset", required=True, help="What was got back.")
@click.option("--quantity", required=True, metavar="X", help="How much, in plain digits.")
@click.option("--value", metavar="X", help="What it was worth in the home's currency, if that is known.")
@click.option("--reference", required=True, help="What shows it: a transaction, a claim on an insurer, a judgment.")
@told
@click.pass_context
def recovered(
    ctx: click.Context, incident: str, asset: str, quantity: str, value: str | None, reference: str, at: str | None,
    why: str | None, who: Acting, json_: bool,
) -> None:  # fmt: skip
    """State what was got back (回収)."""
    from junbikin.books.database import open_books
    from junbikin.figures import plain
    from junbikin.incidents.incident import incident_of
    from junbikin.incidents.incident import recovered as says_recovered
    from junbikin.incidents.known import fits
    from junbikin.incidents.telling import check

    home, much = home_of(ctx), amounts.stated(quantity, "--quantity")
    worth = quantity if asset == home.currency and value is None else value
    says = says_recovered(asset, much, plain(amounts.stated(worth, "--value")) if worth else None, reference)
    with open_books(home) as books:
        fits(books, asset, much)
        when = when_of(home, at)
        check(incident_of(books, incident), says, when)
        tell_on(books, incident, says, why or f"{quantity} {asset} recovered", when, who, json_, lang_of(ctx))
