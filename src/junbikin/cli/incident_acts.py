"""`incident open`, `taken`, `state` and the like: what people put on the timeline of an incident."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from junbikin.cli import amounts, times
from junbikin.cli.acting import Acting, acts
from junbikin.cli.show import AS_JSON, as_json, home_of
from junbikin.errors import BadInput

if TYPE_CHECKING:
    from junbikin.books.database import Books
    from junbikin.home import Home

_CAUSES = ["hack", "unauthorised_outflow", "fraud", "unlawful_act", "clerical_error", "system_failure"]
_STORAGES = ["hot", "cold", "trust", "bank"]
_STATES = ["opened", "contained", "compensating", "closed"]
_REPORTS = ["first_notice", "follow_up", "permission_report", "final", "public_notice", "customer_notice"]
_AUDIENCES = ["authority", "public", "customers"]

ID = click.argument("incident", metavar="INC")
"""The incident's name."""


_WHY = click.option("--why", help="The reason, which goes on record [default: what is stated, in words].")


def _told(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that puts something on the timeline."""
    for add in (
        AS_JSON,
        acts,
        _WHY,
        click.option("--at", metavar="TIME", help=f"When it was so [default: now]: {times.HELP}."),
    ):
        command = add(command)
    return command


@click.command()
@ID
@click.option("--cause", required=True, type=click.Choice(_CAUSES), help="What caused it.")
@click.option("--occurred", required=True, metavar="TIME", help=f"When it happened: {times.HELP}.")
@click.option("--found", required=True, metavar="TIME", help="When it was found: deadlines count from then.")
@click.option("--title", required=True, help="What happened, in a few words.")
@click.option("--why", help="The reason, which goes on record [default: the title].")
@acts
@AS_JSON
@click.pass_context
def open_(
    ctx: click.Context, incident: str, cause: str, occurred: str, found: str, title: str, why: str | None, who: Acting,
    json_: bool,
) -> None:  # fmt: skip
    """Open the incident INC (事故・流出事案)."""
    from junbikin.books.database import open_books
    from junbikin.incidents.incident import opened

    home = home_of(ctx)
    happened, found_at = _instant(home, occurred, "--occurred"), _instant(home, found, "--found")
    with open_books(home) as books:
        says = opened(books, incident, cause, happened, found_at, title)
        _tell(books, incident, says, why or title, happened, who, json_)


@click.command()
@ID
@click.option("--asset", required=True, help="The asset.")
@click.option("--quantity", required=True, metavar="X", help="How much, in plain digits.")
@click.option("--place", required=True, help="The place that it was taken from.")
@click.option(
    "--storage", type=click.Choice(_STORAGES), help="How it was kept there [default: as the place is registered]."
)
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
@_WHY
@acts
@AS_JSON
@click.pass_context
def taken(
    ctx: click.Context, incident: str, asset: str, quantity: str, place: str, storage: str | None, provider: str | None,
    transactions: tuple[str, ...], value: str | None, priced: str | None, at: str | None, why: str | None, who: Acting, json_: bool,
) -> None:  # fmt: skip
    """State what was taken of one asset at one place; told again, the last counts."""
    from junbikin.books.database import open_books
    from junbikin.incidents.incident import incident_of
    from junbikin.incidents.incident import taken as says_taken
    from junbikin.registry.log import latest

    home, much = home_of(ctx), amounts.stated(quantity, "--quantity")
    with open_books(home) as books:
        of = incident_of(books, incident)
        registered = latest(books, "place", place) or {}
        kept = storage or str(registered.get("storage", ""))
        if not kept:
            raise BadInput(
                f"how {place} keeps it is not registered",
                where="--storage",
                then="state --storage hot, cold, trust or bank",
            )
        worth = _worth(home, asset, much, of.occurred_at, value, priced)
        if worth[0] is None:
            click.echo(
                f"its worth is not known ({worth[1]}): the loss has a hole until --value and --priced state it",
                err=True,
            )
        by = provider if provider is not None else str(registered.get("provider", ""))
        says = says_taken(asset, much, place, kept, by, transactions, worth)
        when = _when(home, at) or of.occurred_at
        _tell(books, incident, says, why or f"{quantity} {asset} taken at {place}", when, who, json_)


def _worth(
    home: Home, asset: str, quantity: Any, occurred_at: datetime, value: str | None, priced: str | None
) -> tuple[str | None, str]:
    """What is stated, or what the facts' prices of the day give."""
    from junbikin.facts.lake import open_lake
    from junbikin.figures import plain
    from junbikin.incidents.valued import valued

    if (value is None) != (priced is None):
        raise BadInput(
            "a value needs the price that it is by", where="--value, --priced", then="state both, or neither"
        )
    if value is not None and priced is not None:
        return plain(amounts.stated(value, "--value")), priced
    return valued(open_lake(home), asset, quantity, occurred_at.astimezone(home.time_zone).date())


@click.command()
@ID
@click.argument("text")
@_told
@click.pass_context
def note(
    ctx: click.Context, incident: str, text: str, at: str | None, why: str | None, who: Acting, json_: bool
) -> None:
    """Put TEXT on the timeline."""
    from junbikin.incidents.incident import note as says_note

    _tell_of(ctx, incident, says_note(text), why or "noted", at, who, json_)


@click.command()
@ID
@click.argument("to", type=click.Choice(_STATES))
@_told
@click.pass_context
def state(
    ctx: click.Context, incident: str, to: str, at: str | None, why: str | None, who: Acting, json_: bool
) -> None:
    """Say how far it is: contained, compensating, closed, or opened again."""
    from junbikin.incidents.incident import state as says_state

    _tell_of(ctx, incident, says_state(to), why or f"the incident is {to}", at, who, json_)


@click.command()
@ID
@click.option("--to", "audience", required=True, type=click.Choice(_AUDIENCES), help="Who was told.")
@click.option("--what", required=True, type=click.Choice(_REPORTS), help="What they were told.")
@click.option(
    "--document",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="What they were given: it is kept, and its SHA-256 goes on record.",
)
@_told
@click.pass_context
def reported(
    ctx: click.Context, incident: str, audience: str, what: str, document: Path | None, at: str | None, why: str | None,
    who: Acting, json_: bool,
) -> None:  # fmt: skip
    """State what was told to the authority, the public or customers: this keeps a deadline."""
    from junbikin.incidents.documents import keep
    from junbikin.incidents.incident import reported as says_reported
    from junbikin.incidents.timeline import named

    says = says_reported(audience, what, keep(home_of(ctx), named(incident), document) if document else "")
    _tell_of(ctx, incident, says, why or f"{what} to {audience}", at, who, json_)


@click.command()
@ID
@click.option("--asset", required=True, help="What was got back.")
@click.option("--quantity", required=True, metavar="X", help="How much, in plain digits.")
@click.option("--value", metavar="X", help="What it was worth in the home's currency, if that is known.")
@click.option("--reference", required=True, help="What shows it: a transaction, a claim on an insurer, a judgment.")
@_told
@click.pass_context
def recovered(
    ctx: click.Context, incident: str, asset: str, quantity: str, value: str | None, reference: str, at: str | None,
    why: str | None, who: Acting, json_: bool,
) -> None:  # fmt: skip
    """State what was got back (回収)."""
    from junbikin.figures import plain
    from junbikin.incidents.incident import recovered as says_recovered

    much = amounts.stated(quantity, "--quantity")
    worth = quantity if asset == home_of(ctx).currency and value is None else value
    says = says_recovered(asset, much, plain(amounts.stated(worth, "--value")) if worth else None, reference)
    _tell_of(ctx, incident, says, why or f"{quantity} {asset} recovered", at, who, json_)


@click.command()
@ID
@click.option("--asset", required=True, help="The asset.")
@click.option("--why", required=True, help="The reason, which goes on record.")
@acts
@AS_JSON
@click.pass_context
def freeze(ctx: click.Context, incident: str, asset: str, why: str, who: Acting, json_: bool) -> None:
    """Freeze an asset at once: until two people open it, no deposit, withdrawal or trade in it is posted."""
    from junbikin.books.database import open_books
    from junbikin.incidents.incident import incident_of

    with open_books(home_of(ctx)) as books:
        incident_of(books, incident)
        click.echo(f"freezes {asset} for {incident}", err=True)
        actor = who.proved(books)
        number = int(books.call("freeze_asset", actor.name, actor.secret, asset, incident, why))
    if json_:
        as_json({"incident": incident, "asset": asset, "record": number})
    else:
        click.echo(f"{asset} is frozen (record {number})")


@click.command()
@ID
@click.option("--asset", required=True, help="The asset.")
@click.option("--why", required=True, help="The reason, which goes on record.")
@acts
@AS_JSON
@click.pass_context
def thaw(ctx: click.Context, incident: str, asset: str, why: str, who: Acting, json_: bool) -> None:
    """Ask for a frozen asset to be opened again: two people do."""
    from junbikin.books.database import open_books
    from junbikin.cli.filed import ask
    from junbikin.incidents.incident import incident_of

    with open_books(home_of(ctx)) as books:
        if asset not in incident_of(books, incident).frozen:
            raise BadInput(f"{asset} is not frozen for {incident}", then="see `junbikin incident show`")
        ask(books, "asset_status", asset, {"status": "open"}, why, who, json_)


def _tell_of(
    ctx: click.Context, incident: str, says: dict[str, Any], why: str, at: str | None, who: Acting, json_: bool
) -> None:
    from junbikin.books.database import open_books
    from junbikin.incidents.incident import incident_of

    home = home_of(ctx)
    with open_books(home) as books:
        incident_of(books, incident)
        _tell(books, incident, says, why, _when(home, at), who, json_)


def _tell(
    books: Books, incident: str, says: dict[str, Any], why: str, at: datetime | None, who: Acting, json_: bool
) -> None:
    """Shows the event, then puts it on record."""
    from junbikin.cli.filed import told
    from junbikin.incidents.timeline import tell

    click.echo(f"incident {incident}: {told(says)}", err=True)
    number = tell(books, who.proved(books), incident, says, why, at)
    if json_:
        as_json({"incident": incident, "event": says["event"], "record": number})
    else:
        click.echo(f"on the timeline of {incident} (record {number})")


def _when(home: Home, text: str | None) -> datetime | None:
    from junbikin.incidents.incident import not_ahead

    stated = times.until(home, text, "--at")
    return not_ahead(stated, "--at") if stated else None


def _instant(home: Home, text: str, option: str) -> datetime:
    stated = times.since(home, text, option)
    assert stated is not None  # noqa: S101 - the option is required
    return stated
