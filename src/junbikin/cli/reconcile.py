"""`custody reconcile`, `watch`, `breaks` and `break`: what differs, and what people do about it."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from junbikin.cli.acting import Acting, acts
from junbikin.cli.positions import DAY, SEVERITIES, day_of
from junbikin.cli.show import AS_JSON, as_json, books_of, console, home_of, lang_of, progress_bar
from junbikin.errors import BadInput

if TYPE_CHECKING:
    from junbikin.custody.reconcile.reconciliation import Reconciliation
    from junbikin.custody.reconcile.treated import Episode

_CLASSES = [
    "negative", "unknown", "missing", "excess", "timing", "disagree", "unknown_place", "not_stated", "stale", "price_hole", "refused",
]  # fmt: skip
_STATES = ["open", "assigned", "explained", "gone", "closed"]
_WINDOW = click.option(
    "--window", type=click.IntRange(0), default=10, show_default=True, metavar="MINUTES",
    help="What the other side said or says within so many minutes is a difference of timing.",
)  # fmt: skip
_LIMIT = click.option("--limit", type=click.IntRange(0), default=20, show_default=True, help="Breaks to print.")
_WHY = click.option("--why", required=True, help="The reason, which goes on record.")


@click.command()
@click.option("--as-of", type=DAY, help="The day [default: today, up to now].")
@_WINDOW
@click.option(
    "--record", "on_record", is_flag=True, help="Put it on record in the books: ages are told by what is on record."
)
@_LIMIT
@click.option("--fail-on", type=click.Choice(SEVERITIES), help="Exit with 1 when a break is at least this grave.")
@AS_JSON
@click.pass_context
def reconcile(
    ctx: click.Context,
    as_of: datetime | None,
    window: int,
    on_record: bool,
    limit: int,
    fail_on: str | None,
    json_: bool,
) -> None:
    """Books, customers' balances, and what chain, bank and trust say, held against each other."""
    from junbikin.custody.reconcile.recorded import record
    from junbikin.custody.reconcile.run import reconcile as work
    from junbikin.facts.lake import open_lake
    from junbikin.findings import Severity

    home = home_of(ctx)
    day = day_of(home, as_of)
    with books_of(home) as books, progress_bar() as tell:
        if on_record and books is None:
            raise BadInput(
                "there are no books to put it on record in",
                where=str(home.path),
                then="make them with `junbikin books migrate`",
            )
        found = work(open_lake(home), day, books, timedelta(minutes=window), tell)
        number = record(books, found) if on_record and books else None
    if json_:
        as_json(found.document() | {"digest": found.digest, "record": number})
    else:
        _show(ctx, found, limit)
        if number is not None:
            click.echo(f"on record as {number}; sha256 {found.digest[:16]}…")
    if fail_on and any(count.kind.severity >= Severity[fail_on.upper()] for count in found.counts):
        ctx.exit(1)


def _show(ctx: click.Context, found: Reconciliation, limit: int) -> None:
    from junbikin.reports.reconciliation import reconciliation_parts

    out = console()
    for part in reconciliation_parts(found, lang_of(ctx), limit):
        out.print(part)


@click.command()
@click.option(
    "--every",
    default="5s",
    show_default=True,
    metavar="SPAN",
    help="How long to wait between two looks, such as 5s or 1m.",
)
@click.option("--times", type=click.IntRange(1), help="Look so many times, then end [default: until it is stopped].")
@_WINDOW
@_LIMIT
@AS_JSON
@click.pass_context
def watch(ctx: click.Context, every: str, times: int | None, window: int, limit: int, json_: bool) -> None:
    """Reconcile again whenever facts or books have changed; only what moved is looked at."""
    from junbikin.custody.reconcile.watch import turns

    home, pause, left = home_of(ctx), _seconds(every), times

    def wait() -> bool:
        nonlocal left
        left = None if left is None else left - 1
        if left == 0:
            return False
        time.sleep(pause)
        return True

    with books_of(home) as books:
        for turn in turns(home, books, timedelta(minutes=window), wait):
            found = turn.reconciliation
            if json_:
                line: dict[str, Any] = {
                    "at": found.at.isoformat(), "changed": turn.changed, "in_full": turn.in_full, "breaks": found.breaks, "digest": found.digest,
                }  # fmt: skip
                click.echo(_line(line))
            elif turn.changed:
                _show(ctx, found, limit)
            else:
                click.echo(
                    f"unchanged: {found.breaks:,} breaks{', nothing could be reconciled' if found.blind else ''}"
                )


def _line(content: dict[str, Any]) -> str:
    import json

    return json.dumps(content, ensure_ascii=False)


def _seconds(span: str) -> int:
    found = re.fullmatch(r"([1-9][0-9]{0,5})(s|m|h)", span)
    if not found:
        raise BadInput(
            f"{span!r} is no span of time",
            where="--every",
            then="write seconds, minutes or hours, such as 5s, 1m or 1h",
        )
    return int(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]]


@click.command()
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(_STATES),
    help="One or more [default: those that stand: open, assigned, explained].",
)
@click.option("--class", "kind", type=click.Choice(_CLASSES), help="Of this class only.")
@_LIMIT
@AS_JSON
@click.pass_context
def breaks(ctx: click.Context, states: tuple[str, ...], kind: str | None, limit: int, json_: bool) -> None:
    """List the breaks on record with their age and state, the oldest first."""
    from junbikin.books.database import open_books
    from junbikin.custody.reconcile.treated import STANDING, State, episodes
    from junbikin.reports.reconciliation import episodes_table

    with open_books(home_of(ctx)) as books:
        found = episodes(books, [State(state) for state in states] or STANDING, limit, kind or "")
    if json_:
        as_json(
            {
                "as_of": found.as_of and found.as_of.isoformat(), "count": found.count, "breaks": [_episode(each) for each in found.first],
                "records_without_list": list(found.missing),
            }
        )  # fmt: skip
        return
    if found.as_of is None:
        click.echo("no reconciliation is on record; put one there with `junbikin custody reconcile --record`")
        return
    for record in found.missing:
        click.echo(f"the list of record {record} is not in this home: its breaks are not shown", err=True)
    click.echo(f"{found.count:,} {'break' if found.count == 1 else 'breaks'}, by the reconciliation of {found.as_of}")
    if found.first:
        console().print(episodes_table(found.first, lang_of(ctx)))


def _episode(each: Episode) -> dict[str, Any]:
    return {
        **each.of.document(), "last_seen": each.last_seen.isoformat(), "age_days": each.of.age_days(each.last_seen), "state": str(each.state),
        "assigned_to": each.assigned_to,
        "acts": [
            {"record": act.record, "act": act.act, "by": act.by, "at": act.at.isoformat(), "why": act.why, "to": act.to} for act in each.acts
        ],
    }  # fmt: skip


@click.group("break")
def break_() -> None:
    """What people do about a break (差異): assign, explain, close. Nothing is repaired here."""


@break_.command()
@click.argument("id_", metavar="ID")
@click.option("--to", required=True, metavar="NAME", help="Who looks at it.")
@_WHY
@acts
@AS_JSON
@click.pass_context
def assign(ctx: click.Context, id_: str, to: str, why: str, who: Acting, json_: bool) -> None:
    """Let somebody look at break ID."""
    _treat(ctx, id_, "assign", why, who, json_, to)


@break_.command()
@click.argument("id_", metavar="ID")
@_WHY
@acts
@AS_JSON
@click.pass_context
def explain(ctx: click.Context, id_: str, why: str, who: Acting, json_: bool) -> None:
    """Say why break ID is there."""
    _treat(ctx, id_, "explain", why, who, json_)


@break_.command()
@click.argument("id_", metavar="ID")
@_WHY
@acts
@AS_JSON
@click.pass_context
def close(ctx: click.Context, id_: str, why: str, who: Acting, json_: bool) -> None:
    """Close break ID: it is gone, was explained, and somebody else closes it."""
    _treat(ctx, id_, "close", why, who, json_)


def _treat(ctx: click.Context, id_: str, act: str, why: str, who: Acting, json_: bool, to: str = "") -> None:
    from junbikin.books.database import open_books
    from junbikin.custody.reconcile.treated import episode, treat
    from junbikin.reports.reconciliation import episodes_table
    from junbikin.reports.words import visible

    with open_books(home_of(ctx)) as books:
        each = episode(books, id_)
        from rich.console import Console

        Console(stderr=True, highlight=False, width=140).print(episodes_table([each], lang_of(ctx)))
        number = treat(books, who.proved(books), each.of.id, act, why, to)
    done = {"assign": f"is assigned to {to}", "explain": "is explained", "close": "is closed"}[act]
    if json_:
        as_json({"break": each.of.id, "act": act, "record": number})
    else:
        click.echo(visible(f"break {each.of.id} {done} (record {number})"))
