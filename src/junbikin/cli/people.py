"""`people`: who may act, and in which roles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from junbikin.cli.acting import Acting, acts
from junbikin.cli.filed import ask
from junbikin.cli.passwords import new_password
from junbikin.cli.show import AS_JSON, as_json, home_of, lang_of, print_table
from junbikin.errors import BadInput

_ROLES = ("reserve_officer", "approver", "incident_commander", "auditor", "supervisor", "administrator")
_NEW = click.option(
    "--new-password-file", type=click.Path(path_type=Path),
    help="Read the new password from the first line of a file (else JUNBIKIN_NEW_PASSWORD, else it is asked for twice).",
)  # fmt: skip

_CARD = click.option(
    "--card",
    "card_file",
    type=click.Path(path_type=Path),
    help="The card that they made, in place of typing a password here.",
)


@click.group(invoke_without_command=True)
@AS_JSON
@click.pass_context
def people(ctx: click.Context, json_: bool) -> None:
    """People and their roles (担当者と役割)."""
    if ctx.invoked_subcommand is None:
        _list(ctx, json_)


@people.command("list")
@AS_JSON
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
@_CARD
@click.option("--why", default="joins", show_default=True, help="The reason, which goes on record.")
@_NEW
@acts
@AS_JSON
@click.pass_context
def add(
    ctx: click.Context, name: str, roles: tuple[str, ...], card_file: Path | None, why: str, new_password_file: Path | None,
    who: Acting, json_: bool,
) -> None:  # fmt: skip
    """Add NAME with one or more roles. The first two people are added at once, everyone after them by request (--as).

    Whoever is added types their own password, twice, or hands over the card that they made with `junbikin people card`; only
    what proves it goes on record.
    """
    from junbikin.books.database import open_books
    from junbikin.registry.people import card, described, found
    from junbikin.registry.people import people as everyone

    with open_books(home_of(ctx)) as books:
        there = everyone(books)
        if any(person.name == name for person in there):
            raise BadInput(
                f"{name} is on record already", then=f"ask for a change with `junbikin people change {name}`"
            )
        if len(there) >= 2:
            made = _card(name, card_file) if card_file else card(name, _new_password(name, new_password_file, who))
            ask(books, "person", name, described(made, roles), why, who, json_)
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
@_CARD
@click.option("--why", required=True, help="The reason, which goes on record.")
@acts
@AS_JSON
@click.pass_context
def change(
    ctx: click.Context, name: str, roles: tuple[str, ...], active: bool | None, card_file: Path | None, why: str, who: Acting,
    json_: bool,
) -> None:  # fmt: skip
    """Ask for other roles of NAME, for them to act no more, or for another password for whoever forgot theirs (--card).

    What is not named stays as it is when the request is approved.
    """
    from junbikin.books.database import open_books
    from junbikin.registry.log import latest

    if not roles and active is None and card_file is None:
        raise BadInput("nothing is to change", then="give --role, --inactive, --active or --card")
    with open_books(home_of(ctx)) as books:
        says = latest(books, "person", name)
        if says is None:
            raise BadInput(f"there is no person {name}", then="see `junbikin people`")
        kept = {"name": name, "roles": says["roles"], "active": says["active"]}
        kept |= {"roles": sorted(set(roles))} if roles else {}
        kept |= {} if active is None else {"active": active}
        ask(books, "person", name, kept | (_card(name, card_file) if card_file else {}), why, who, json_)


@people.command("card")
@click.argument("name")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Where to write it [default: NAME.card.json]."
)
@_NEW
@AS_JSON
def card_(name: str, out: Path | None, new_password_file: Path | None, json_: bool) -> None:
    """Make a card for yourself: it proves your password without giving it away. Needs no home and no books.

    Hand it to whoever adds you, and tell its mark to whoever approves, by another way.
    """
    from junbikin.registry.people import card

    file = out or Path(f"{name}.card.json")
    if file.exists():
        raise BadInput("there is a file already", where=str(file), then="name another with --out")
    made = card(name, new_password(name, new_password_file))
    try:
        file.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    except OSError as problem:
        raise BadInput(
            f"it cannot be written: {problem.strerror}", where=str(file), then="name a file in a folder"
        ) from None
    if json_:
        as_json({"card": str(file), "mark": made["verifier"][:16]})
    else:
        click.echo(f"made {file}; its mark is {made['verifier'][:16]}")


def _card(name: str, file: Path) -> dict[str, Any]:
    try:
        made = json.loads(file.read_text(encoding="utf-8"))
    except OSError as problem:
        raise BadInput(
            f"the card cannot be read: {problem.strerror}", where=str(file), then="name a file that can be read"
        ) from None
    except ValueError:
        made = None
    if not isinstance(made, dict) or set(made) != {"name", "argon2", "verifier"} or made["name"] != name:
        raise BadInput(
            f"this is no card of {name}", where=str(file), then="let them make one with `junbikin people card`"
        )
    return made


def _new_password(name: str, file: Path | None, who: Acting) -> str:
    """Asked for only once it is clear who asks for it."""
    return new_password(name, file) if who.name else ""


@people.command()
@click.option("--why", default="a new password", show_default=True, help="The reason, which goes on record.")
@_NEW
@acts
@AS_JSON
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
