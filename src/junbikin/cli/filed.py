"""Filing a request, and saying who may approve it: what every command does that needs a second person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from junbikin.cli.acting import Acting
from junbikin.cli.show import as_json

if TYPE_CHECKING:
    from junbikin.books.database import Books


def ask(books: Books, action: str, subject: str, says: dict[str, Any], why: str, who: Acting, json_: bool) -> None:
    """Asks for something to be put on record of a subject, and shows it before the password is asked for."""
    from junbikin.registry.requests import ask_to_record

    click.echo(f"asks for {action} {subject}: {told(says)}", err=True)
    tell(books, ask_to_record(books, who.proved(books), action, subject, says, why), json_)


def told(content: dict[str, Any]) -> str:
    """What is said of a subject, on one line, without what only a machine reads."""
    return ", ".join(
        f"{name} {', '.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in content.items()
        if name not in ("argon2", "verifier", "name")
    )


def tell(books: Books, number: int, json_: bool) -> None:
    """Says how a request stands: who may approve it, or what became of it."""
    from junbikin.registry.approving import may_approve, of_request
    from junbikin.registry.requests import request_numbered

    request = request_numbered(books, number)
    able = [] if request.verdict else may_approve(books, of_request(books, request), request.asked_by)
    if json_:
        as_json({"request": number, "verdict": request.verdict, "record": request.effect, "may_approve": able})
    elif request.verdict == "approve":
        click.echo(f"request {number} was approved already by {request.decided_by}: record {request.effect}")
    elif request.verdict == "refuse":
        click.echo(f"request {number} was refused by {request.decided_by}: {request.decided_why}")
    else:
        click.echo(
            f"request {number} waits for the approval of {' or '.join(able) or 'somebody else: nobody has the role yet'}"
        )
        click.echo(f"next: junbikin request approve {number} --as NAME --why REASON")
