"""`incident permission`: whether the loss may be made good without confirmation, item by item."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from junbikin.cli import amounts
from junbikin.cli.incident_acts import ID
from junbikin.cli.positions import DAY
from junbikin.cli.show import AS_JSON, as_json, console, home_of, lang_of

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal


GROUNDS = click.option(
    "--ground", "grounds", multiple=True,
    help="What there is to show for it, such as judgment, lawyer_settlement, committee or books_show_it; may be repeated.",
)  # fmt: skip
ACT = click.option(
    "--act", default="",
    help="The act of the firm's people that caused it: イ, ロ, ハ, ニ, ホ or none [default: as the rulebook reads the cause].",
)  # fmt: skip
RULEBOOK = click.option(
    "--rulebook", "rulebook_id", default="jp-fiea-39", show_default=True, metavar="ID", help="The rulebook, by id or folder."
)  # fmt: skip


@click.command()
@ID
@GROUNDS
@ACT
@click.option(
    "--plan",
    "plan_name",
    metavar="NAME",
    help="The plan whose amounts and day of payment they are, instead of stated ones.",
)
@click.option(
    "--shown",
    type=click.IntRange(0),
    default=0,
    help="With --plan: for how many customers there is a document of a ground.",
)
@click.option("--largest", metavar="X", help="The most that one customer gets, in yen.")
@click.option("--per-day", metavar="X", help="The most for one customer's trades of one day, in yen.")
@click.option(
    "--evident",
    metavar="X",
    help="The part of it that the books show by themselves, in yen [default: all, where they show it].",
)
@click.option("--on", type=DAY, help="The day of the offer, promise or payment [default: today].")
@RULEBOOK
@AS_JSON
@click.pass_context
def permission(
    ctx: click.Context, incident: str, grounds: tuple[str, ...], act: str, plan_name: str | None, shown: int,
    largest: str | None, per_day: str | None, evident: str | None, on: datetime | None, rulebook_id: str, json_: bool,
) -> None:  # fmt: skip
    """Whether the loss may be made good without confirmation before (事故確認): which items apply, which do not, and why."""
    from junbikin.books.database import open_books
    from junbikin.errors import BadInput
    from junbikin.incidents.incident import incident_of
    from junbikin.incidents.permission import answer, case_of, in_words
    from junbikin.incidents.plan.document import read_plan
    from junbikin.incidents.plan.permitted import planned
    from junbikin.reports.permission import permission_parts
    from junbikin.rulebooks.load import load_rulebook

    home = home_of(ctx)
    with open_books(home) as books:
        of = incident_of(books, incident)
    if plan_name is not None:
        if largest or per_day or evident or on:
            raise BadInput(
                "the plan says the amounts and the day",
                where="--plan",
                then="leave out --largest, --per-day, --evident and --on",
            )
        case = planned(home, of, read_plan(home, incident, plan_name), grounds, act, shown)
    else:
        case = case_of(
            of, on.date() if on else home.today(), grounds, act, largest=_amount(largest, "--largest"),
            per_day=_amount(per_day, "--per-day"), evident=_amount(evident, "--evident"),
        )  # fmt: skip
    book = load_rulebook(rulebook_id, home.path)
    said = book.permitted(case)
    if json_:
        as_json(answer(book, case, said) | {"permission": in_words(said)})
        return
    out = console()
    for part in permission_parts(said, lang_of(ctx)):
        out.print(part)
    stated = "".join(f" --ground {ground}" for ground in grounds) + (f" --act {act}" if act else "")
    by = "--confirmed REFERENCE --evidence FILE" if said.needed is not False else f"{stated} --evidence FILE".strip()
    click.echo(f"next: junbikin incident ask {incident} {plan_name or 'NAME'} {by} --why REASON --as NAME")


def _amount(text: str | None, option: str) -> Decimal | None:
    return amounts.stated(text, option) if text is not None else None
