"""`incident show` and `list`: an incident with its deadlines and its timeline."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from junbikin.cli import times
from junbikin.cli.incident_acts import ID
from junbikin.cli.show import AS_JSON, as_json, console, home_of, lang_of, print_table


@click.command()
@ID
@click.option("--known-at", metavar="TIME", help=f"As it was known then [default: now]: {times.HELP}.")
@AS_JSON
@click.pass_context
def show(ctx: click.Context, incident: str, known_at: str | None, json_: bool) -> None:
    """Show the incident INC: what was taken, how far it is, deadlines kept and missed, and its timeline."""
    from junbikin.books.claims import plans_of
    from junbikin.books.database import open_books
    from junbikin.incidents.deadlines import deadlines
    from junbikin.incidents.happenings import happenings
    from junbikin.incidents.incident import incident_of
    from junbikin.reports.incident import incident_document, incident_parts

    home = home_of(ctx)
    known = times.until(home, known_at, "--known-at")
    at = known or datetime.now(UTC)
    with open_books(home) as books:
        found = incident_of(books, incident, known)
        permissions = [str(plan.content["permission"]) for plan in plans_of(books, incident) if not plan.reversed]
        told = happenings(books, found, known)
    due = deadlines(home, found, permissions, at)
    if json_:
        as_json(incident_document(found, due, told, at))
        return
    out = console()
    for part in incident_parts(home, found, due, told, at, lang_of(ctx)):
        out.print(part)


@click.command()
@AS_JSON
@click.pass_context
def list_(ctx: click.Context, json_: bool) -> None:
    """List the incidents, the first opened first."""
    from junbikin.books.database import open_books
    from junbikin.incidents.incident import CAUSE_WORDS, STATES, incidents
    from junbikin.reports.words import amount, say

    home, lang = home_of(ctx), lang_of(ctx)
    with open_books(home) as books:
        found = incidents(books)
    if json_:
        as_json(
            {
                "incidents": [
                    {
                        "incident": each.id, "title": each.title, "cause": each.cause, "state": each.state,
                        "occurred_at": each.occurred_at.isoformat(), "found_at": each.found_at.isoformat(),
                        "loss": each.loss.node["value"], "recovered": each.recovery.node["value"], "currency": each.currency,
                    }
                    for each in found
                ]
            }
        )  # fmt: skip
        return
    if not found:
        click.echo("事故の記録なし" if lang == "ja" else "no incident yet")
        return
    print_table(
        lang,
        [
            ("incident", "事故"), ("found", "発見"), ("cause", "原因"), ("state", "状態"), ("loss", "損失"), ("recovered", "回収"),
            ("title", "概要"),
        ],
        (
            (
                each.id, times.shown(home, each.found_at), say(CAUSE_WORDS[each.cause], lang), say(STATES[each.state], lang),
                amount(each.loss, lang), amount(each.recovery, lang), each.title,
            )
            for each in found
        ),
        right={4, 5},
    )  # fmt: skip
