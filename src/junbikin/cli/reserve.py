"""`reserve`: the group; here is what is booked and what stands behind it, and how it went over time."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from junbikin.cli import accruals, moves
from junbikin.cli.show import AS_JSON, as_json, console, home_of, lang_of, print_table
from junbikin.errors import BadInput

if TYPE_CHECKING:
    from junbikin.figures import Figure
    from junbikin.reports.words import Lang
    from junbikin.reserve.history import Point

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def reserve() -> None:
    """The reserve's life (責任準備金): fund, accrue, release, replenish; what is booked and what is held."""


@reserve.command("show")
@click.option("--as-of", type=_DAY, help="The day [default: today].")
@AS_JSON
@click.pass_context
def show_(ctx: click.Context, as_of: datetime | None, json_: bool) -> None:
    """Show the booked reserve and the assets behind it: two figures that must agree."""
    from junbikin.books.database import open_books
    from junbikin.books.journal import known_now
    from junbikin.facts.lake import open_lake
    from junbikin.figures import plain
    from junbikin.reserve.agreement import behind, booked
    from junbikin.reserve.ledger import Ledger
    from junbikin.reserve.view import FactsView

    home, lang = home_of(ctx), lang_of(ctx)
    day = as_of.date() if as_of else home.today()
    with open_books(home) as books:
        ledger = Ledger(books, day, known_now(books))
        items, assets = behind(FactsView(open_lake(home), day, ledger))
        set_aside, entries = booked(ledger), ledger.reserve_entries
    if not json_:
        _print_assets(items, lang)
        _print_entries(entries, home.currency, lang)
        _print_sums(set_aside, assets, lang)
        return
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


def _print_assets(items: list[tuple[dict[str, Any], Figure]], lang: Lang) -> None:
    from junbikin.reports.words import amount, grouped

    titles = (("asset", "資産"), ("quantity", "数量"), ("worth", "評価額"), ("held at", "保管先"))
    rows = (
        (row["asset_id"], f"{grouped(row['quantity'])} {row['asset']}", amount(worth, lang), row["held_at"])
        for row, worth in items
    )
    print_table(lang, titles, rows, right={1, 2})


def _print_entries(entries: list[dict[str, Any]], currency: str, lang: Lang) -> None:
    from junbikin.reports.words import money

    titles = (("booked on", "計上日"), ("entry", "区分"), ("amount", "金額"), ("key", "キー"))
    rows = (
        (str(row["effective_on"]), row["kind"], money(row["amount_jpy"], currency, lang), row["entry_id"])
        for row in entries
    )
    print_table(lang, titles, rows, right={2})


def _print_sums(set_aside: Figure, assets: Figure, lang: Lang) -> None:
    from junbikin.reports.words import amount

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


@reserve.command("history")
@click.option("--rulebook", default="", metavar="ID", help="Only this rulebook's positions.")
@click.option("--every", is_flag=True, help="Of a day assessed more than once, show every position, not only the last.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write a page with charts to this file.")
@AS_JSON
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
        of = f" under {rulebook}" if rulebook else ""
        raise BadInput(f"no position{of} is on record yet", where=str(home.path), then="run `junbikin assess`")
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


def _point(point: Point) -> dict[str, Any]:
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


for command in (accruals.accrue, *moves.commands()):
    reserve.add_command(command)
