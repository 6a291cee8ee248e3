"""Filing a request, and saying who may approve it: what every command does that needs a second person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from junbikin.cli.acting import Acting
from junbikin.cli.show import as_json, lang_of
from junbikin.errors import BooksRefused

if TYPE_CHECKING:
    from junbikin.books.database import Books


def ask(
    books: Books, action: str, subject: str, says: dict[str, Any], why: str, who: Acting, json_: bool, words: str = ""
) -> None:  # fmt: skip
    """Asks for something to be put on record of a subject, and shows it, in `words` if there are any, before the password is asked for."""
    from junbikin.registry.requests import ask_to_record

    click.echo(words or f"asks for {action} {subject}: {told(says)}", err=True)
    tell(books, ask_to_record(books, who.proved(books), action, subject, says, why), json_)


def told(content: dict[str, Any]) -> str:
    """What is said of a subject, on one line."""
    from junbikin.reports.requests import HIDDEN, in_words
    from junbikin.reports.words import visible

    return visible(", ".join(f"{name} {in_words(value)}" for name, value in content.items() if name not in HIDDEN))


def tell(books: Books, number: int, json_: bool) -> None:
    """Says how a request stands: who may approve it, or what became of it."""
    from junbikin.registry.approving import may_approve, of_request
    from junbikin.registry.requests import request_numbered
    from junbikin.reports.words import visible

    ja = lang_of(click.get_current_context()) == "ja"
    request = request_numbered(books, number)
    if request.verdict == "refuse":
        raise BooksRefused(
            f"request {number}, just this, was refused by {request.decided_by}: {visible(request.decided_why)}",
            then="ask for something else; what is the same but for its reason needs another reference or key",
        )
    needed = of_request(books, request)
    able = [] if request.verdict else may_approve(books, needed, request.asked_by)
    if json_:
        as_json({"request": number, "verdict": request.verdict, "record": request.effect, "may_approve": able})
        return
    if request.verdict == "approve":
        by, record = request.decided_by, request.effect
        click.echo(
            f"申請{number}は{by}が承認済みです（記録{record}）" if ja else f"request {number} was approved already by {by}: record {record}"
        )  # fmt: skip
    elif ja:
        roles = "かつ".join("または".join(group) for group in needed)
        click.echo(f"申請{number}は{'または'.join(able) or f'{roles}（該当者なし）'}の承認待ちです")
        click.echo(f"申請者：{request.asked_by}（{visible(request.why)}）")
        click.echo(f"次：junbikin request approve {number} --as NAME --why REASON")
    else:
        roles = " and ".join(" or ".join(group) for group in needed)
        whom = " or ".join(able) or f"another {roles}, and there is none yet"
        click.echo(f"request {number} waits for the approval of {whom}")
        click.echo(f"asked for by {request.asked_by}: {visible(request.why)}")
        click.echo(f"next: junbikin request approve {number} --as NAME --why REASON")
