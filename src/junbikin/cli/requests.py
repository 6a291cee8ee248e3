"""`request`: what one person asks for and another approves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from junbikin.cli import times
from junbikin.cli.acting import Acting, acts
from junbikin.cli.show import AS_JSON, NUMBER, as_json, home_of, lang_of, print_table

if TYPE_CHECKING:
    from junbikin.books.database import Books
    from junbikin.registry.requests import Request
    from junbikin.reports.words import Lang

_WHY = click.option("--why", required=True, help="The reason, which goes on record.")


@click.group()
def request() -> None:
    """Requests and approvals (二者承認): what one person asks for, another approves or refuses."""


@request.command("list")
@click.option("--waiting", is_flag=True, help="Only those that nobody has decided yet.")
@AS_JSON
@click.pass_context
def list_(ctx: click.Context, waiting: bool, json_: bool) -> None:
    """List requests, oldest first, with what became of them."""
    from junbikin.books.database import open_books
    from junbikin.registry.requests import requests
    from junbikin.reports.requests import about

    home = home_of(ctx)
    with open_books(home) as books:
        found = [each for each in requests(books) if not (waiting and each.verdict)]
    if json_:
        as_json({"requests": [_standing(each) for each in found]})
        return
    if not found:
        click.echo("no request waits" if waiting else "no requests yet")
        return
    titles = (
        ("number", "番号"), ("asked", "申請日時"), ("by", "申請者"), ("action", "種別"), ("of", "対象"), ("why", "理由"),
        ("stands", "状態"), ("record", "記録"),
    )  # fmt: skip
    print_table(
        lang_of(ctx),
        titles,
        (
            (
                str(each.number), times.shown(home, each.asked_at), each.asked_by, each.action, about(each, lang_of(ctx)), each.why,
                _stands(each, lang_of(ctx)), str(each.effect or ""),
            )
            for each in found
        ),
        right={0, 7},
    )  # fmt: skip


def _stands(request: Request, lang: Lang) -> str:
    words = {"": ("waits", "承認待ち"), "approve": ("approved", "承認済"), "refuse": ("refused", "却下")}
    return words[request.verdict][lang == "ja"]


@request.command()
@click.argument("number", type=NUMBER)
@click.option("--limit", type=click.IntRange(0), default=20, show_default=True, help="Entries to print; 0 prints all.")
@AS_JSON
@click.pass_context
def show(ctx: click.Context, number: int, limit: int, json_: bool) -> None:
    """Show everything that request NUMBER would do, who asked, when and why, and what it needs."""
    from junbikin.books.database import open_books
    from junbikin.registry.requests import request_numbered

    with open_books(home_of(ctx)) as books:
        found = request_numbered(books, number)
        if json_:
            as_json(_whole(books, found))
            return
        for line in _told(books, found, lang_of(ctx), limit or None):
            click.echo(line)


@request.command()
@click.argument("number", type=NUMBER)
@_WHY
@acts
@AS_JSON
@click.pass_context
def approve(ctx: click.Context, number: int, why: str, who: Acting, json_: bool) -> None:
    """Approve request NUMBER: it takes effect at once, once. Nobody approves their own."""
    _decide(ctx, number, "approve", why, who, json_)


@request.command()
@click.argument("number", type=NUMBER)
@_WHY
@acts
@AS_JSON
@click.pass_context
def refuse(ctx: click.Context, number: int, why: str, who: Acting, json_: bool) -> None:
    """Refuse request NUMBER, or take back one's own."""
    _decide(ctx, number, "refuse", why, who, json_)


def _decide(ctx: click.Context, number: int, verdict: str, why: str, who: Acting, json_: bool) -> None:
    from junbikin.books.database import open_books
    from junbikin.registry.requests import decide, request_numbered

    with open_books(home_of(ctx)) as books:
        for line in _told(books, request_numbered(books, number), lang_of(ctx), 20):
            click.echo(line, err=True)
        record = decide(books, who.proved(books), number, verdict, why)
    if json_:
        as_json({"request": number, "verdict": verdict, "record": record})
    elif verdict == "refuse":
        click.echo(f"request {number} is refused")
    else:
        click.echo(f"request {number} is approved" + (f": record {record}" if record else ""))


def _told(books: Books, request: Request, lang: Lang, limit: int | None) -> list[str]:
    from junbikin.reports.requests import request_lines

    return request_lines(books, request, lang, limit)


def _standing(request: Request) -> dict[str, Any]:
    return {
        "request": request.number, "action": request.action, "of": request.subject, "why": request.why,
        "asked_by": request.asked_by, "asked_at": request.asked_at.isoformat(), "verdict": request.verdict,
        "decided_by": request.decided_by, "decided_at": request.decided_at and request.decided_at.isoformat(),
        "decided_why": request.decided_why, "record": request.effect,
    }  # fmt: skip


def _whole(books: Books, request: Request) -> dict[str, Any]:
    from junbikin.books.columns import first
    from junbikin.figures import plain
    from junbikin.registry.approving import entries, may_approve, of_request
    from junbikin.reports.requests import HIDDEN

    asked = entries(request)
    needed = of_request(books, request)
    return _standing(request) | {
        "says": {name: said for name, said in request.content.items() if name not in HIDDEN},
        "effective_at": request.effective_at,
        "entries": [{"account": code, "amount": plain(amount)} for code, amount in first(books, asked)]
        if asked
        else [],
        "digests": request.says.get("batches", {}),
        "approved_by": [list(roles) for roles in needed],
        "may_approve": may_approve(books, needed, request.asked_by),
    }
