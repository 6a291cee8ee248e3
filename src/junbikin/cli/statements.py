"""`books balance` and `statement`: what an account held and what moved, at any time, as known at any time."""

from __future__ import annotations

import json
from typing import Any

import click

from junbikin.cli import times
from junbikin.cli.show import AS_JSON, as_json, home_of, lang_of, print_table, stream_json
from junbikin.errors import BadInput

_KNOWN_AT = click.option("--known-at", metavar="TIME", help="As it was known then [default: now].")


@click.command()
@click.argument("account")
@click.option("--at", metavar="TIME", help=f"What it held then [default: now]: {times.HELP}.")
@_KNOWN_AT
@AS_JSON
@click.pass_context
def balance(ctx: click.Context, account: str, at: str | None, known_at: str | None, json_: bool) -> None:
    """What ACCOUNT (a code) holds, at any time, as known at any time."""
    from junbikin.books.database import open_books
    from junbikin.books.journal import account_numbers
    from junbikin.books.journal import balance as held
    from junbikin.figures import plain
    from junbikin.reports.words import grouped

    home = home_of(ctx)
    when, known = times.until(home, at, "--at"), times.until(home, known_at, "--known-at")
    with open_books(home) as books:
        [number] = account_numbers(books, [account])
        amount = held(books, number, when, known)
    asset = account.split("/")[1]
    if json_:
        as_json(
            {
                "account": account, "asset": asset, "balance": plain(amount),
                "at": when and when.isoformat(), "known_at": known and known.isoformat(),
            }
        )  # fmt: skip
        return
    click.echo(f"{grouped(amount)} {asset}")


@click.command()
@click.argument("account")
@click.option("--from", "since", metavar="TIME", help=f"The first to show: {times.HELP.replace('end', 'beginning')}.")
@click.option("--to", metavar="TIME", help=f"The last to show: {times.HELP}.")
@_KNOWN_AT
@click.option("--limit", type=click.IntRange(0), default=100, show_default=True, help="Lines to print; 0 prints all.")
@AS_JSON
@click.pass_context
def statement(
    ctx: click.Context, account: str, since: str | None, to: str | None, known_at: str | None, limit: int, json_: bool
) -> None:
    """What came into ACCOUNT (a code) and went out of it, in effective order, with what it held after each. JSON has it all."""
    from junbikin.books.database import open_books
    from junbikin.books.journal import account_numbers
    from junbikin.books.journal import statement as lines
    from junbikin.reports.words import grouped

    home = home_of(ctx)
    first, last = times.before(home, since, "--from"), times.until(home, to, "--to")
    known = times.until(home, known_at, "--known-at")
    if first and last and first >= last:
        raise BadInput("--from is after --to", then="turn them round")
    with open_books(home) as books:
        [number] = account_numbers(books, [account])
        if json_:
            stream_json({"account": account}, "lines", map(_line, lines(books, number, first, last, known)))
            return
        found = list(lines(books, number, first, last, known, limit + 1 if limit else None))
    if not found:
        click.echo("nothing came in or went out")
        return
    shown = found[: limit or None]
    titles = (
        ("effective", "効力発生"), ("record", "記録"), ("purpose", "目的"), ("amount", "増減"), ("balance", "残高"),
        ("by", "記帳者"), ("why", "理由"),
    )  # fmt: skip
    print_table(
        lang_of(ctx),
        titles,
        (
            (
                times.shown(home, line.effective_at), str(line.record), json.loads(line.content)["purpose"],
                grouped(line.amount), grouped(line.balance), line.recorded_by, line.why,
            )
            for line in shown
        ),
        right={1, 3, 4},
    )  # fmt: skip
    if len(found) > len(shown):
        click.echo("… more; --limit 0 prints all")


def _line(line: Any) -> dict[str, Any]:
    from junbikin.figures import plain

    return {
        "record": line.record, "key": line.key, "effective_at": line.effective_at.isoformat(),
        "recorded_at": line.recorded_at.isoformat(), "recorded_by": line.recorded_by, "why": line.why,
        "says": json.loads(line.content), "amount": plain(line.amount), "balance": plain(line.balance),
    }  # fmt: skip
