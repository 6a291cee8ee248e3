"""`books post` and `books reverse`: money moves at once when one person may move it, else a second is asked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from junbikin.cli import amounts, times
from junbikin.cli.acting import Acting, acts
from junbikin.cli.filed import tell
from junbikin.cli.show import AS_JSON, NUMBER, as_json, home_of, lang_of
from junbikin.errors import BadInput

if TYPE_CHECKING:
    from datetime import datetime

    from junbikin.books.batch import Entries
    from junbikin.books.database import Books


@click.command()
@click.argument("purpose")
@click.option("--from", "payer", metavar="ACCOUNT", help="The account that pays.")
@click.option("--to", "receiver", metavar="ACCOUNT", help="The account that receives.")
@click.option("--amount", metavar="X", help="How much, in plain digits.")
@click.option(
    "--entries",
    type=click.Path(path_type=Path),
    metavar="CSV",
    help="Instead: a file with the columns account,amount; below 0 pays.",
)
@click.option("--at", metavar="TIME", help=f"When it happened [default: now]: {times.HELP}.")
@click.option("--key", help="Names the batch; the same key posts nothing twice [default: made of what the batch says].")
@click.option("--reference", help="The order, trade, receipt or ticket that it is for.")
@click.option("--evidence", help="Where the proof is kept.")
@click.option("--position", metavar="DIGEST", help="The recorded position that it rests on.")
@click.option("--authority", help="The authority's approval.")
@click.option("--why", help="The reason, which goes on record [default: what the flow is in words].")
@acts
@AS_JSON
@click.pass_context
def post(
    ctx: click.Context, /, purpose: str, payer: str | None, receiver: str | None, amount: str | None, entries: Path | None,
    at: str | None, key: str | None, why: str | None, who: Acting, json_: bool, **grounds: str | None,
) -> None:  # fmt: skip
    """Move money or coins for PURPOSE, as one batch that balances asset by asset.

    What it would do is shown before the password is asked for. When the flow rules (junbikin books flows) need a second
    person it becomes a request; otherwise it is posted at once. The same command again posts nothing twice: two batches
    that say the same need different references or keys.
    """
    from junbikin.books.columns import between, from_csv
    from junbikin.books.database import open_books

    home = home_of(ctx)
    when = times.until(home, at, "--at")
    says = {"purpose": purpose} | {name: text for name, text in grounds.items() if text}
    with open_books(home) as books:
        if entries is not None and not (payer or receiver or amount):
            asked = from_csv(books, entries)
        elif entries is None and payer and receiver and amount:
            asked = between(books, payer, receiver, amounts.stated(amount, "--amount"))
        else:
            raise BadInput("it is not said what moves", then="give --from, --to and --amount, or --entries alone")
        move_money(ctx, books, Asked(says, asked, when, key, why), who, json_)


@click.command()
@click.argument("record", type=NUMBER)
@click.option("--at", metavar="TIME", help=f"When it is undone [default: now]: {times.HELP}.")
@click.option("--authority", help="The authority's approval, when what is undone needed it.")
@click.option("--why", required=True, help="The reason, which goes on record.")
@acts
@AS_JSON
@click.pass_context
def reverse(
    ctx: click.Context, record: int, at: str | None, authority: str | None, why: str, who: Acting, json_: bool
) -> None:
    """Ask for batch RECORD to be undone: the same accounts, opposite amounts, once. Nothing is rewritten."""
    from junbikin.books.columns import opposite
    from junbikin.books.database import open_books

    home = home_of(ctx)
    when = times.until(home, at, "--at")
    says = {"purpose": "reversal", "reverses": str(record)} | ({"authority": authority} if authority else {})
    with open_books(home) as books:
        move_money(ctx, books, Asked(says, opposite(books, record), when, f"reversal:{record}", why), who, json_)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to move, as it was asked for: a key and a reason are made up where none was stated."""

    says: dict[str, str]
    entries: Entries
    at: datetime | None
    key: str | None
    why: str | None


def move_money(ctx: click.Context, books: Books, asked: Asked, who: Acting, json_: bool) -> None:
    """Posts a batch, or asks for it when its flows need a second person; shows it before the password is asked for."""
    from junbikin.books.batch import Batch, key_of, saying
    from junbikin.books.columns import sides
    from junbikin.books.flows import check_grounds, flows, used
    from junbikin.books.journal import post, posted
    from junbikin.registry.approving import of_flows
    from junbikin.registry.requests import ask_to_post
    from junbikin.reports.moves import moves

    says, entries = asked.says, asked.entries
    made_of = used(flows(books), says["purpose"], sides(books, entries))
    check_grounds(made_of, says)
    needed = of_flows(made_of)
    if needed and not asked.why:
        raise BadInput("whoever approves this must know why", then="say it with --why")
    key = asked.key or key_of(says, entries, asked.at)
    for line in moves(books, says, entries, asked.at, lang_of(ctx)):
        click.echo(line, err=True)
    click.echo(f"  key: {key}", err=True)
    known = posted(books, key)
    batch = Batch(key, saying(says), entries, asked.why or made_of[0].name.en, asked.at)
    if needed and known is None:
        tell(books, ask_to_post(books, who.proved(books), batch), json_)
        return
    record = post(books, who.proved(books), batch)
    if json_:
        as_json({"record": record, "key": key, "posted_before": known is not None})
    else:
        click.echo(
            f"record {record} was there already: nothing was posted twice" if known else f"posted as record {record}"
        )
