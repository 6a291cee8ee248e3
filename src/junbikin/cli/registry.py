"""`registry`: places, addresses, tokens, providers, insurers, policies and paying banks; what is said of each, since when, approved by whom."""

from __future__ import annotations

from typing import Any

import click

from junbikin.cli import times
from junbikin.cli.acting import Acting, acts
from junbikin.cli.filed import tell, told
from junbikin.cli.show import AS_JSON, as_json, home_of, lang_of, print_table
from junbikin.errors import BadInput
from junbikin.registry.subjects import KINDS, Form, check_subject, described, referred

_KIND = click.Choice(list(KINDS))


@click.group()
def registry() -> None:
    """The registry (登録簿): places, addresses, tokens, providers, insurers, policies and paying banks. Nothing in it is overwritten."""


@registry.command("set")
@click.argument("kind", type=_KIND)
@click.argument("subject")
@click.argument("fields", nargs=-1, required=True, metavar="FIELD=VALUE…")
@click.option(
    "--from",
    "since",
    metavar="TIME",
    help=f"In force from then [default: from its approval]: {times.HELP.replace('end', 'beginning')}.",
)
@click.option("--why", required=True, help="The reason, which goes on record.")
@acts
@AS_JSON
@click.pass_context
def set_(
    ctx: click.Context, kind: str, subject: str, fields: tuple[str, ...], since: str | None, why: str, who: Acting, json_: bool
) -> None:  # fmt: skip
    """Ask for something to be put on record of SUBJECT, whole: what is left out of it is no longer said.

    The fields of each kind are shown by `junbikin registry fields`. It takes effect when someone else approves it.
    """
    from junbikin.books.database import open_books
    from junbikin.registry.log import latest
    from junbikin.registry.requests import ask_to_record

    home = home_of(ctx)
    unread = next((field for field in fields if "=" not in field), None)
    if unread is not None:
        raise BadInput(f"{unread!r} is no field", then="write FIELD=VALUE, such as jurisdiction=JP")
    given = {name: text for name, _, text in (field.partition("=") for field in fields)}
    check_subject(kind, subject)
    says, when = described(kind, given), times.since(home, since, "--from")
    with open_books(home) as books:
        for needed, name in referred(kind, says):
            if latest(books, needed, name) is None:
                raise BadInput(
                    f"the {needed} {name} is not registered", then=f"register it first: junbikin registry set {needed}"
                )
        click.echo(f"asks for {kind} {subject}: {told(says)}", err=True)
        tell(books, ask_to_record(books, who.proved(books), kind, subject, says, why, when), json_)


@registry.command("list")
@click.argument("kind", type=_KIND)
@click.option("--at", metavar="TIME", help=f"As it was in force then [default: now]: {times.HELP}.")
@click.option("--known-at", metavar="TIME", help="As it was known then [default: now].")
@AS_JSON
@click.pass_context
def list_(ctx: click.Context, kind: str, at: str | None, known_at: str | None, json_: bool) -> None:
    """List what is registered of a KIND, as in force at a time, as known at a time."""
    from junbikin.books.database import open_books
    from junbikin.registry.log import said
    from junbikin.reports.words import visible

    home = home_of(ctx)
    with open_books(home) as books:
        found = said(books, kind, times.until(home, at, "--at"), times.until(home, known_at, "--known-at"))
    if json_:
        as_json({kind: found})
        return
    if not found:
        click.echo(f"no {kind} is registered\nnext: junbikin registry set {kind} NAME FIELD=VALUE… --why REASON")
        return
    for subject, says in found.items():
        click.echo(visible(subject))
        for field in KINDS[kind].fields:
            if field.name in says:
                click.echo(f"  {field.name}: {visible(_cell(says[field.name], field.form))}")


def _cell(value: Any, form: Form) -> str:
    from decimal import Decimal

    from junbikin.reports.words import grouped

    if isinstance(value, bool):
        return "yes" if value else "no"
    return grouped(Decimal(value)) if form is Form.AMOUNT else str(value).replace("|", ", ")


@registry.command("fields")
@AS_JSON
@click.pass_context
def fields_(ctx: click.Context, json_: bool) -> None:
    """Show the kinds of things that are registered, and the fields of each."""
    if json_:
        as_json({kind: {field.name: field.help for field in of.fields} for kind, of in KINDS.items()})
        return
    titles = (("kind", "種類"), ("field", "項目"), ("written as", "書き方"))
    rows = ((kind, field.name, field.help) for kind, of in KINDS.items() for field in of.fields)
    print_table(lang_of(ctx), titles, rows)
