"""`people`: who may act, and in which roles."""

from __future__ import annotations

from pathlib import Path

import click

from junbikin.cli.acting import Acting, acts
from junbikin.cli.filed import ask
from junbikin.cli.passwords import new_password
from junbikin.cli.show import as_json, home_of, lang_of, print_table
from junbikin.errors import BadInput

_ROLES = ("reserve_officer", "approver", "incident_commander", "auditor", "supervisor", "administrator")
_JSON = click.option("--json", "json_", is_flag=True, help="Print as JSON.")
_NEW = click.option(
    "--new-password-file", type=click.Path(path_type=Path),
    help="Read the new password from the first line of a file (else JUNBIKIN_NEW_PASSWORD, else it is asked for twice).",
)  # fmt: skip


@click.group(invoke_without_command=True)
@_JSON
@click.pass_context
def people(ctx: click.Context, json_: bool) -> None:
    """People and their roles (担当者と役割)."""
    if ctx.invoked_subcommand is None:
        _list(ctx, json_)


@people.command("list")
@_JSON
@click.pass_context
def list_(ctx: click.Context, json_: bool) -> None:
    """List people with their roles."""
    _list(ctx, json_)


def _list(ctx: click.Context, json_: bool) -> None:
    from junbikin.books.database import open_books
    from junbikin.registry.people import ROLES
    from junbikin.registry.people import people as everyone

    with open_books(home_of(ctx)) as books:
        found = everyone(books)
    if json_:
        as_json({"people": [{"name": p.name, "roles": list(p.roles), "active": p.active} for p in found]})
        return
    if not found:
        click.echo(
            "nobody yet\nnext: junbikin people add NAME --role ROLE; the first two people need nobody's approval"
        )
        return
    ja = lang_of(ctx) == "ja"
    print_table(
        lang_of(ctx),
        (("name", "氏名"), ("roles", "役割"), ("active", "有効")),
        (
            (p.name, ", ".join(ROLES[role] if ja else role for role in p.roles), ("yes", "有効")[ja] if p.active else ("no", "無効")[ja])
            for p in found
        ),
    )  # fmt: skip


@people.command()
@click.argument("name")
@click.option(
    "--role", "roles", multiple=True, required=True, type=click.Choice(_ROLES), help="A role; may be given again."
)
@click.option("--why", default="joins", show_default=True, help="The reason, which goes on record.")
@_NEW
@acts
@_JSON
@click.pass_context
def add(
    ctx: click.Context, name: str, roles: tuple[str, ...], why: str, new_password_file: Path | None, who: Acting, json_: bool
) -> None:  # fmt: skip
    """Add NAME with one or more roles. The first two people are added at once, everyone after them by request (--as).

    Whoever is added types their own password, twice; only what proves it goes on record.
    """
    from junbikin.books.database import open_books
    from junbikin.registry.people import described, found
    from junbikin.registry.people import people as everyone

    with open_books(home_of(ctx)) as books:
        there = everyone(books)
        if any(person.name == name for person in there):
            raise BadInput(
                f"{name} is on record already", then=f"ask for a change with `junbikin people change {name}`"
            )
        if len(there) >= 2:
            says = described(name, roles, _new_password(name, new_password_file, who))
            ask(books, "person", name, says, why, who, json_)
            return
        record = found(books, name, roles, new_password(name, new_password_file), why)
    if json_:
        as_json({"name": name, "roles": sorted(set(roles)), "record": record})
    else:
        click.echo(f"{name} is added (record {record})")


@people.command()
@click.argument("name")
@click.option(
    "--role", "roles", multiple=True, type=click.Choice(_ROLES), help="The roles from now on [default: as they are]."
)
@click.option("--active/--inactive", default=None, help="Whether they may act at all [default: as it is].")
@click.option("--reset-password", is_flag=True, help="Also a new password, for whoever forgot theirs.")
@click.option("--why", required=True, help="The reason, which goes on record.")
@_NEW
@acts
@_JSON
@click.pass_context
def change(
    ctx: click.Context, name: str, roles: tuple[str, ...], active: bool | None, reset_password: bool, why: str,
    new_password_file: Path | None, who: Acting, json_: bool,
) -> None:  # fmt: skip
    """Ask for other roles of NAME, or for them to act no more."""
    from junbikin.books.database import open_books
    from junbikin.registry.log import latest
    from junbikin.registry.people import described

    if not roles and active is None and not reset_password:
        raise BadInput("nothing is to change", then="give --role, --inactive, --active or --reset-password")
    with open_books(home_of(ctx)) as books:
        says = latest(books, "person", name)
        if says is None:
            raise BadInput(f"there is no person {name}", then="see `junbikin people`")
        if reset_password:
            says = described(name, says["roles"], _new_password(name, new_password_file, who), active=says["active"])
        says |= {"roles": sorted(set(roles))} if roles else {}
        says |= {} if active is None else {"active": active}
        ask(books, "person", name, says, why, who, json_)


def _new_password(name: str, file: Path | None, who: Acting) -> str:
    """Asked for only once it is clear who asks for it."""
    return new_password(name, file) if who.name else ""


@people.command()
@click.option("--why", default="a new password", show_default=True, help="The reason, which goes on record.")
@_NEW
@acts
@_JSON
@click.pass_context
def password(ctx: click.Context, why: str, new_password_file: Path | None, who: Acting, json_: bool) -> None:
    """Change one's own password: the old one is asked for, then the new one twice."""
    from junbikin.books.database import open_books
    from junbikin.registry.people import change_password

    with open_books(home_of(ctx)) as books:
        person = who.proved(books)
        record = change_password(books, person, new_password(who.name, new_password_file), why)
    if json_:
        as_json({"name": who.name, "record": record})
    else:
        click.echo(f"{who.name} has a new password (record {record})")
