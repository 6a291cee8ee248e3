"""`reserve fund`, `release` and the like: a command for each move in the reserve's life."""

from __future__ import annotations

from collections.abc import Callable

import click

from junbikin.cli import amounts, times
from junbikin.cli.acting import Acting, acts
from junbikin.cli.posting import Asked, move_money
from junbikin.cli.show import AS_JSON, home_of
from junbikin.reserve.moves import MOVES, Move


def commands() -> list[click.Command]:
    """The commands of all moves."""
    return [_command(name, move) for name, move in MOVES.items()]


def _command(name: str, move: Move) -> click.Command:
    """The command of one move: where from, where to, how much, and what must be said of it."""

    @click.command(name, help=f"{move.name.en[0].upper()}{move.name.en[1:]} ({move.name.ja}).")
    @click.option("--from", "payer", required=True, metavar="ACCOUNT", help="The account that pays.")
    @click.option("--to", "receiver", required=True, metavar="ACCOUNT", help="The account that receives.")
    @click.option("--amount", required=True, metavar="X", help="How much, in plain digits.")
    @click.option("--at", metavar="TIME", help=f"When it happened [default: now]: {times.HELP}.")
    @click.option("--key", help="Names the batch; the same key posts nothing twice [default: made of what it says].")
    @click.option("--reference", help="The receipt, order or ticket that it is for.")
    @click.option("--evidence", help="Where the proof is kept.")
    @click.option("--why", help="The reason, which goes on record [default: what the flow is in words].")
    @_grounds(move)
    @acts
    @AS_JSON
    @click.pass_context
    def command(
        ctx: click.Context, /, payer: str, receiver: str, amount: str, at: str | None, key: str | None, why: str | None,
        who: Acting, json_: bool, **grounds: str | None,
    ) -> None:  # fmt: skip
        from junbikin.books.columns import from_codes
        from junbikin.books.database import open_books
        from junbikin.reserve.moves import draft

        home, booked = home_of(ctx), grounds.pop("booked", None)
        when, says = times.until(home, at, "--at"), {word: text for word, text in grounds.items() if text}
        falls = amounts.stated(booked, "--booked") if booked else None
        asked = draft(move, payer, receiver, amounts.stated(amount, "--amount"), says, home.currency, falls)
        with open_books(home) as books:
            entries = from_codes(books, asked.codes, asked.amounts)
            move_money(ctx, books, Asked(asked.says, entries, when, key, why), who, json_)

    return command


_GROUNDS = {
    "position": "The digest of the year-end position on record that shows the excess.",
    "authority": "The authority's approval.",
}


def _grounds(move: Move) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The options that only some moves have."""

    def add(command: Callable[..., None]) -> Callable[..., None]:
        for word in move.says:
            if word in _GROUNDS:
                command = click.option(f"--{word}", required=True, help=_GROUNDS[word])(command)
        if move.booked:
            words = "How much the booked reserve falls by [default: the amount, when it is in the home's currency]."
            command = click.option("--booked", metavar="X", help=words)(command)
        return command

    return add
