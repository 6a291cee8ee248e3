"""`books accounts`, `open`, `freeze`, `reopen`, `close`."""

from __future__ import annotations

from pathlib import Path

import click

from junbikin.cli.acting import Acting, acts
from junbikin.cli.filed import ask
from junbikin.cli.show import AS_JSON, as_json, home_of, lang_of, print_table, progress_bar
from junbikin.errors import BadInput, SourceRefused

_STATUS = {"open": ("open", "利用中"), "frozen": ("frozen", "凍結"), "closed": ("closed", "閉鎖")}
_WHY = click.option("--why", required=True, help="The reason, which goes on record.")


@click.command()
@click.option("--owner", default="", help="Only accounts of this owner, such as reserve.")
@click.option("--asset", default="", help="Only accounts in this asset, such as JPY.")
@click.option(
    "--limit", type=click.IntRange(0), default=100, show_default=True, help="Accounts to print; 0 prints all."
)
@AS_JSON
@click.pass_context
def accounts(ctx: click.Context, owner: str, asset: str, limit: int, json_: bool) -> None:
    """List accounts by code, with status and what they hold now. JSON lists them all."""
    from junbikin.books.accounts import accounts as listed
    from junbikin.books.database import open_books
    from junbikin.figures import plain
    from junbikin.reports.words import grouped

    every = json_ or not limit
    with open_books(home_of(ctx)) as books:
        found = listed(books, owner, asset, None if every else limit + 1)
    if json_:
        names = ("code", "owner", "asset", "place", "holder", "status")
        as_json({"accounts": [{n: getattr(a, n) for n in names} | {"balance": plain(a.balance)} for a in found]})
        return
    if not found:
        click.echo("no such accounts yet\nnext: junbikin books open OWNER/ASSET/PLACE --why REASON")
        return
    titles = (("account", "口座"), ("status", "状態"), ("balance", "残高"), ("asset", "資産"))
    shown = found if every else found[:limit]
    ja = lang_of(ctx) == "ja"
    rows = ((a.code, _STATUS[a.status][ja], grouped(a.balance), a.asset) for a in shown)
    print_table(lang_of(ctx), titles, rows, right={2})
    if len(found) > len(shown):
        click.echo("… more; --limit 0 prints all")


@click.command("open")
@click.argument("codes", nargs=-1, metavar="CODE…")
@click.option(
    "--file", type=click.Path(path_type=Path), help="A text file with a code a line; a first line `code` is a header."
)
@_WHY
@acts
@AS_JSON
@click.pass_context
def open_(ctx: click.Context, codes: tuple[str, ...], file: Path | None, why: str, who: Acting, json_: bool) -> None:
    """Open accounts. Those that are there already are left alone.

    A CODE is OWNER/ASSET/PLACE or OWNER/ASSET/PLACE/HOLDER, such as customer/JPY/trust-1/c-17. The place of a reserve or
    guarantee account must be registered; the place `booked` is where the booked reserve stands.
    """
    from junbikin.books.accounts import open_accounts
    from junbikin.books.database import open_books

    asked = [*codes, *(_listed(file) if file else [])]
    if not asked:
        raise BadInput("no account is named", then="name codes, or a file of codes with --file")
    with open_books(home_of(ctx)) as books:
        opened, person = 0, who.proved(books)
        with progress_bar() as progress:
            for done, fresh in open_accounts(books, person, asked, why):
                opened += fresh
                progress("opening accounts", done / len(asked))
    there = len(set(asked)) - opened
    if json_:
        as_json({"opened": opened, "there_already": there})
        return
    click.echo(f"opened {opened:,} accounts" + (f"; {there:,} were there already" if there else ""))


def _listed(file: Path) -> list[str]:
    try:
        lines = [line.strip() for line in file.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as problem:
        raise SourceRefused(
            f"this cannot be read: {getattr(problem, 'strerror', None) or problem}", where=str(file),
            then="name a text file with an account's code a line",
        ) from None  # fmt: skip
    return [line for line in lines[lines[:1] == ["code"] :] if line]


@click.command()
@click.argument("code")
@_WHY
@acts
@AS_JSON
@click.pass_context
def freeze(ctx: click.Context, code: str, why: str, who: Acting, json_: bool) -> None:
    """Freeze an account at once: nothing goes in or out. Opening it again takes two people."""
    from junbikin.books.accounts import freeze as now
    from junbikin.books.database import open_books

    with open_books(home_of(ctx)) as books:
        click.echo(f"freezes {code}", err=True)
        record = now(books, who.proved(books), code, why)
    if json_:
        as_json({"account": code, "status": "frozen", "record": record})
        return
    click.echo(f"{code} is frozen (record {record})\nto open it again: junbikin books reopen {code} --why REASON")


@click.command()
@click.argument("code")
@_WHY
@acts
@AS_JSON
@click.pass_context
def reopen(ctx: click.Context, code: str, why: str, who: Acting, json_: bool) -> None:
    """Ask for a frozen or closed account to be opened again."""
    _ask_for(ctx, code, "open", why, who, json_)


@click.command()
@click.argument("code")
@_WHY
@acts
@AS_JSON
@click.pass_context
def close(ctx: click.Context, code: str, why: str, who: Acting, json_: bool) -> None:
    """Ask for an account to be closed."""
    _ask_for(ctx, code, "closed", why, who, json_)


def _ask_for(ctx: click.Context, code: str, status: str, why: str, who: Acting, json_: bool) -> None:
    from junbikin.books.database import open_books

    with open_books(home_of(ctx)) as books:
        ask(books, "account_status", code, {"status": status}, why, who, json_)
