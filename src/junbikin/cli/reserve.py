"""`reserve`: its life, from funding to release; what is booked and what stands behind it; how it went over time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from junbikin.cli import times
from junbikin.cli.acting import Acting, acts
from junbikin.cli.positions import ledger_of
from junbikin.cli.posting import move_money
from junbikin.cli.show import as_json, console, home_of, lang_of, print_table
from junbikin.errors import BadInput, BooksRefused
from junbikin.reserve.moves import MOVES, Move

if TYPE_CHECKING:
    from junbikin.books.columns import Entries
    from junbikin.books.database import Books
    from junbikin.home import Home
    from junbikin.reserve.moves import Draft
    from junbikin.rulebooks.load import Rulebook

_DAY = click.DateTime(["%Y-%m-%d"])
_JSON = click.option("--json", "json_", is_flag=True, help="Print as JSON.")


@click.group()
def reserve() -> None:
    """The reserve's life (責任準備金): fund, accrue, draw, release, replenish; what is booked and what is held."""


@reserve.command("show")
@click.option("--as-of", type=_DAY, help="The day [default: today].")
@_JSON
@click.pass_context
def show_(ctx: click.Context, as_of: datetime | None, json_: bool) -> None:
    """Show the booked reserve and the assets behind it: two figures that must agree."""
    from junbikin.facts.lake import open_lake
    from junbikin.figures import plain
    from junbikin.reports.words import amount, grouped, money
    from junbikin.reserve.agreement import behind, booked
    from junbikin.reserve.view import FactsView

    home, lang = home_of(ctx), lang_of(ctx)
    day = as_of.date() if as_of else home.today()
    with ledger_of(home, day) as ledger:
        if ledger is None:
            raise _no_books(home)
        view = FactsView(open_lake(home), day, ledger)
        items, assets = behind(view)
        set_aside = booked(ledger)
        entries = ledger.reserve_entries
    if json_:
        as_json(
            {
                "as_of": day.isoformat(),
                "booked": set_aside.node["value"],
                "assets": assets.node["value"],
                "difference": (assets - set_aside).node["value"],
                "currency": home.currency,
                "items": [
                    {"id": row["asset_id"], "asset": row["asset"], "quantity": plain(row["quantity"]), "worth": worth.node["value"]}
                    for row, worth in items
                ],
                "entries": [_entry(row) for row in entries],
            }
        )  # fmt: skip
        return
    titles = (("asset", "資産"), ("quantity", "数量"), ("worth", "評価額"), ("held at", "保管先"))
    print_table(
        lang,
        titles,
        (
            (row["asset_id"], f"{grouped(row['quantity'])} {row['asset']}", amount(worth, lang), row["held_at"])
            for row, worth in items
        ),
        right={1, 2},
    )
    titles = (("booked on", "計上日"), ("entry", "区分"), ("amount", "金額"), ("key", "キー"))
    rows = (
        (str(r["effective_on"]), r["kind"], money(r["amount_jpy"], home.currency, lang), r["entry_id"]) for r in entries
    )
    print_table(lang, titles, rows, right={2})
    words = (
        ("booked reserve", "責任準備金計上額"),
        ("reserve assets", "準備金資産"),
        ("assets − booked", "資産−計上額"),
    )
    for (en, ja), figure in zip(words, (set_aside, assets, assets - set_aside), strict=True):
        click.echo(f"{ja if lang == 'ja' else en}: {amount(figure, lang)}")


def _entry(row: dict[str, Any]) -> dict[str, str]:
    from junbikin.figures import plain

    return {
        "key": row["entry_id"],
        "on": row["effective_on"].isoformat(),
        "kind": row["kind"],
        "amount": plain(row["amount_jpy"]),
    }


def _no_books(home: Home) -> BadInput:
    return BadInput("this home has no books yet", where=str(home.path), then="make them with `junbikin books migrate`")


@reserve.command("history")
@click.option("--rulebook", default="", metavar="ID", help="Only this rulebook's positions.")
@click.option("--every", is_flag=True, help="Of a day assessed more than once, show every position, not only the last.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write a page with charts to this file.")
@_JSON
@click.pass_context
def history_(ctx: click.Context, rulebook: str, every: bool, html: Path | None, json_: bool) -> None:
    """Print and plot the requirement and the resources of every position on record."""
    from junbikin.books.database import open_books
    from junbikin.reports.history import history_page, history_tables
    from junbikin.reserve.history import history

    home, lang = home_of(ctx), lang_of(ctx)
    with open_books(home) as books:
        points = history(books, rulebook, every=every)
    if not points:
        raise BadInput("no position is on record yet", where=str(home.path), then="run `junbikin assess`")
    if json_:
        as_json({"positions": [_point(point) for point in points]})
    else:
        for table in history_tables(points, lang):
            console().print(table)
    if html is not None:
        try:
            html.write_text(history_page(home.operator, points, lang), encoding="utf-8")
        except OSError as problem:
            raise BadInput(
                f"the page cannot be written: {problem.strerror}", where=str(html), then="name a file in a folder"
            ) from None
        click.echo(f"page: {html}", err=True)


def _point(point: Any) -> dict[str, Any]:
    from junbikin.figures import plain

    amounts = {name: getattr(point, name) for name in ("requirement", "resources", "gap")}
    return {
        "rulebook": point.rulebook,
        "as_of": point.as_of.isoformat(),
        "record": point.record,
        "recorded_at": point.recorded_at.isoformat(),
        "digest": point.digest,
        "currency": point.currency,
    } | {name: None if value is None else plain(value) for name, value in amounts.items()}


@reserve.command()
@click.option("--as-of", type=_DAY, help="The last day of a fiscal year [default: of the last one that ended].")
@click.option(
    "--rulebook", "rulebook_id", metavar="ID", help="Which rulebook computes it [default: the home's only one]."
)
@click.option("--why", default="year-end accrual", show_default=True, help="The reason, which goes on record.")
@acts
@_JSON
@click.pass_context
def accrue(
    ctx: click.Context, as_of: datetime | None, rulebook_id: str | None, why: str, who: Acting, json_: bool
) -> None:
    """Ask for the year-end accrual (積立額) to be booked, as the rulebook computes it; once for each year and rulebook.

    The rulebook's own accrual where it computes one, else what the requirement leaves over the booked reserve; in whole
    units of the currency, rounded up.
    """
    from junbikin.calendars import fiscal_year
    from junbikin.cli.positions import assessed
    from junbikin.facts.lake import open_lake
    from junbikin.reserve.accruals import accrual, accrual_draft, accrual_key
    from junbikin.reserve.agreement import booked
    from junbikin.reserve.history import record
    from junbikin.reserve.ledger import end_of

    home = home_of(ctx)
    this_year = fiscal_year(home.today(), home.fiscal_year_starts)
    day = as_of.date() if as_of else this_year.start - timedelta(days=1)
    year = fiscal_year(day, home.fiscal_year_starts)
    if day != year.end or day >= home.today():
        raise BadInput(
            f"{day} is not the last day of a fiscal year that has ended",
            where="--as-of",
            then="name such a day, or leave it out",
        )
    rulebook = _only(home, rulebook_id)
    with ledger_of(home, day) as ledger:
        if ledger is None:
            raise _no_books(home)
        [position], _ = assessed(open_lake(home), day, [rulebook], ledger)
        record(ledger.books, [position])
        owed = accrual(position, booked(ledger))
        if owed.value is None or position.requirement.holes:
            raise BooksRefused(
                f"the accrual of {year.name} under {rulebook.id} is not known: {position.holes[0].note.en if position.holes and position.holes[0].note else 'something is missing'}",
                then=f"ingest what is missing: junbikin assess --as-of {day} --rulebook {rulebook.id}",
            )
        if owed.value <= 0:
            click.echo(f"nothing to accrue for {year.name} under {rulebook.id}")
            return
        asked = accrual_draft(owed.value, home.currency, position.digest, year.name, rulebook.id)
        key, booked_as = accrual_key(ledger.books, rulebook.id, year.name)
        if booked_as is not None:
            raise BooksRefused(
                f"the accrual of {year.name} under {rulebook.id} is booked already", where=f"record {booked_as}",
                then=f"if late facts changed it, undo it with `junbikin books reverse {booked_as}`, then accrue again",
            )  # fmt: skip
        move_money(
            ctx, ledger.books, asked.says, _entries(ledger.books, asked), end_of(day, home), key, why, who, json_
        )


def _only(home: Home, rulebook_id: str | None) -> Rulebook:
    from junbikin.rulebooks.load import load_rulebook

    if rulebook_id is None and len(home.rulebooks) != 1:
        raise BadInput(
            "it is not said which rulebook computes the accrual",
            then="name one with --rulebook: " + ", ".join(home.rulebooks),
        )
    return load_rulebook(rulebook_id or home.rulebooks[0], home.path)


def _entries(books: Books, asked: Draft) -> Entries:
    from junbikin.books.columns import Entries
    from junbikin.books.journal import account_numbers
    from junbikin.figures import plain

    numbers = account_numbers(books, asked.codes)
    return Entries("{" + ",".join(map(str, numbers)) + "}", "{" + ",".join(plain(a) for a in asked.amounts) + "}")


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
    @_JSON
    @click.pass_context
    def command(
        ctx: click.Context, /, payer: str, receiver: str, amount: str, at: str | None, key: str | None, why: str | None,
        who: Acting, json_: bool, **grounds: str | None,
    ) -> None:  # fmt: skip
        from junbikin.books.database import open_books
        from junbikin.figures import exact
        from junbikin.reserve.moves import draft

        home, booked = home_of(ctx), grounds.pop("booked", None)
        when, says = times.until(home, at, "--at"), {word: text for word, text in grounds.items() if text}
        asked = draft(move, payer, receiver, exact(amount), says, home.currency, exact(booked) if booked else None)
        with open_books(home) as books:
            move_money(ctx, books, asked.says, _entries(books, asked), when, key, why, who, json_)

    return command


_GROUNDS = {
    "plan": "The approved compensation plan.",
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


for _name, _move in MOVES.items():
    reserve.add_command(_command(_name, _move))
