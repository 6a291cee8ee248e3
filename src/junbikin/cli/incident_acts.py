"""`incident open`, `state`, `note`, `reported`, `freeze`, `thaw`: how an incident goes, put on its timeline.

What was taken and got back is told in `incident_taken.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from junbikin.cli import times
from junbikin.cli.acting import Acting, acts
from junbikin.cli.show import AS_JSON, as_json, home_of, lang_of, progress_bar
from junbikin.errors import BadInput

if TYPE_CHECKING:
    from junbikin.books.database import Books
    from junbikin.home import Home
    from junbikin.incidents.incident import Incident
    from junbikin.reports.words import Lang

_CAUSES = ["hack", "unauthorised_outflow", "fraud", "unlawful_act", "clerical_error", "system_failure"]
_STATES = ["opened", "contained", "compensating", "closed"]
_REPORTS = ["first_notice", "follow_up", "permission_report", "final", "public_notice", "customer_notice"]
_AUDIENCES = ["authority", "public", "customers"]

ID = click.argument("incident", metavar="INC")
"""The incident's name."""


WHY = click.option("--why", help="The reason, which goes on record [default: what is stated, in words].")


def told(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that puts something on the timeline."""
    for add in (
        AS_JSON,
        acts,
        WHY,
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
        tell_on(books, incident, says, why or title, happened, who, json_, lang_of(ctx))


@click.command()
@ID
@click.argument("text")
@told
@click.pass_context
def note(
    ctx: click.Context, incident: str, text: str, at: str | None, why: str | None, who: Acting, json_: bool
) -> None:
    """Put TEXT on the timeline."""
    from junbikin.incidents.incident import note as says_note

    tell_of(ctx, incident, says_note(text), why or "noted", at, who, json_)


@click.command()
@ID
@click.argument("to", type=click.Choice(_STATES))
@click.option(
    "--despite",
    metavar="WHY",
    help="Close it although something is open still: the reason, which goes on record with what is open.",
)
@told
@click.pass_context
def state(
    ctx: click.Context, incident: str, to: str, despite: str | None, at: str | None, why: str | None, who: Acting, json_: bool
) -> None:  # fmt: skip
    """Say how far it is: contained, compensating, closed, or opened again."""
    from junbikin.books.database import open_books
    from junbikin.incidents.incident import incident_of
    from junbikin.incidents.incident import state as says_state
    from junbikin.incidents.telling import check

    if despite and (to != "closed" or why):
        raise BadInput(
            "it gives the reason to close it although something is open", where="--despite", then="leave it out, or leave out --why"
        )  # fmt: skip
    home, says = home_of(ctx), says_state(to)
    with open_books(home) as books:
        of, when = incident_of(books, incident), when_of(home, at)
        check(of, says, when)
        reason = _closes(books, of, despite) if to == "closed" else ""
        besides = f": {reason}" if reason else ""
        tell_on(
            books, incident, says, reason or why or f"the incident is {to}", when, who, json_, lang_of(ctx), besides
        )


def _closes(books: Books, of: Incident, despite: str | None) -> str:
    """The reason to close it although something is open; "" when nothing is."""
    from junbikin.incidents.closing import despite as in_spite
    from junbikin.incidents.closing import must_be_settled, open_ends

    with progress_bar() as progress:
        progress("what is still open", 0.0)
        ends = open_ends(books, of)
    if despite:
        return in_spite(ends, despite)
    must_be_settled(of, ends)
    return ""


@click.command()
@ID
@click.option("--to", "audience", required=True, type=click.Choice(_AUDIENCES), help="Who was told.")
@click.option("--what", required=True, type=click.Choice(_REPORTS), help="What they were told.")
@click.option(
    "--document",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="What they were given: it is kept, and its SHA-256 goes on record.",
)
@told
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
    tell_of(ctx, incident, says, why or f"{what} to {audience}", at, who, json_)


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
    from junbikin.facts.lake import open_lake
    from junbikin.incidents.incident import incident_of
    from junbikin.incidents.known import must_be_known
    from junbikin.incidents.telling import must_be_open

    home, ja = home_of(ctx), lang_of(ctx) == "ja"
    with open_books(home) as books:
        must_be_open(incident_of(books, incident))
        must_be_known(books, open_lake(home), asset)
        click.echo(
            f"{incident}のため{asset}を凍結します" if ja else f"will be frozen for {incident}: {asset}", err=True
        )
        actor = who.proved(books)
        number = int(books.call("freeze_asset", actor.name, actor.secret, asset, incident, why))
    if json_:
        as_json({"incident": incident, "asset": asset, "record": number})
    else:
        click.echo(f"{asset}を凍結しました（記録{number}）" if ja else f"{asset} is frozen (record {number})")


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
        ja = lang_of(ctx) == "ja"
        asks = (
            f"{asset}の凍結解除を申請します（{incident}）"
            if ja
            else f"will be asked for: {asset} is opened again ({incident})"
        )
        ask(books, "asset_status", asset, {"status": "open"}, why, who, json_, asks)


def tell_of(
    ctx: click.Context, incident: str, says: dict[str, Any], why: str, at: str | None, who: Acting, json_: bool
) -> None:
    """Puts an event on the timeline, if the incident as it stands lets it."""
    from junbikin.books.database import open_books
    from junbikin.incidents.incident import incident_of
    from junbikin.incidents.telling import check

    home = home_of(ctx)
    with open_books(home) as books:
        when = when_of(home, at)
        check(incident_of(books, incident), says, when)
        tell_on(books, incident, says, why, when, who, json_, lang_of(ctx))


def tell_on(
    books: Books, incident: str, says: dict[str, Any], why: str, at: datetime | None, who: Acting, json_: bool, lang: Lang,
    besides: str = "",
) -> None:  # fmt: skip
    """Shows what will go on record, and `besides` what it does, before the password is asked for; then puts it there."""
    from junbikin.incidents.timeline import tell
    from junbikin.reports.happenings import in_full, when

    ja = lang == "ja"
    words = in_full(books.home, says, lang) + besides
    time = f"{when(books.home, at)} " if at and says["event"] != "opened" else ""
    click.echo(
        f"{incident}の経過に記録します：{time}{words}"
        if ja
        else f"will go on the timeline of {incident}: {time}{words}",
        err=True,
    )
    number = tell(books, who.proved(books), incident, says, why, at)
    if json_:
        as_json({"incident": incident, "event": says["event"], "record": number})
    else:
        click.echo(
            f"{incident}の経過に記録しました（記録{number}）"
            if ja
            else f"on the timeline of {incident} (record {number})"
        )


def when_of(home: Home, text: str | None) -> datetime | None:
    """The instant stated with --at, which is not ahead."""
    from junbikin.incidents.incident import not_ahead

    stated = times.until(home, text, "--at")
    return not_ahead(stated, "--at") if stated else None


def _instant(home: Home, text: str, option: str) -> datetime:
    stated = times.since(home, text, option)
    assert stated is not None  # noqa: S101 - the option is required
    return stated
