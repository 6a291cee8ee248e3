"""`incident payees`, `pay`, `files` and `withdraw`: who can be paid, the files that pay, and taking back what was never handed in."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from junbikin.cli.acting import Acting, acts
from junbikin.cli.positions import DAY
from junbikin.cli.show import AS_JSON, as_json, home_of, lang_of, print_table, progress_bar
from junbikin.errors import BadInput

if TYPE_CHECKING:
    from junbikin.books.claims import Approved
    from junbikin.books.database import Books
    from junbikin.incidents.pay.order import Order
    from junbikin.incidents.pay.payees import Payees
    from junbikin.incidents.pay.run import Run
    from junbikin.incidents.plan.document import Plan

_BANKS = ("zengin", "iso20022")
_CHANNELS = [*_BANKS, "account", "custodian"]

INCIDENT = click.argument("incident", metavar="INC")
PLAN = click.argument("name", metavar="PLAN")
RUN = click.argument("run", type=click.IntRange(1, 999))


@click.command()
@INCIDENT
@PLAN
@AS_JSON
@click.pass_context
def payees(ctx: click.Context, incident: str, name: str, json_: bool) -> None:
    """Judge the payout instructions of everyone whom PLAN of the incident INC pays: who can be paid how, and who not, why."""
    from junbikin.facts.lake import open_lake
    from junbikin.incidents.folders import payees_folder
    from junbikin.incidents.pay.judge import prepare
    from junbikin.incidents.pay.newest import keep_as_newest
    from junbikin.incidents.plan.document import check_files, read_plan

    home = home_of(ctx)
    plan = read_plan(home, incident, name)
    above = payees_folder(home, incident, plan.digest)
    with progress_bar() as progress:
        check_files(home, plan, progress)
        judged = prepare(home, open_lake(home), plan.digest, plan.entitlements, above, progress)
    keep_as_newest(above, judged.digest)
    if json_:
        as_json(
            {
                "payees": judged.digest,
                "people": str(judged.people),
                "counts": judged.counts,
                "folder": str(judged.folder),
            }
        )
        return
    _print_payees(ctx, judged)


def _print_payees(ctx: click.Context, judged: Payees) -> None:
    from junbikin.incidents.pay.statuses import Status

    lang = lang_of(ctx)
    rows = []
    for asset, counts in judged.counts.items():
        for status in Status:
            count = counts.get(status.word, 0)
            if count:
                says, then = (words.ja if lang == "ja" else words.en for words in (status.says, status.then))
                rows.append((asset, says, f"{count:,}", then))
    titles = (("asset", "資産"), ("instruction", "払出先の指図"), ("people", "人数"), ("next", "対応"))
    print_table(lang, titles, rows, right={2})
    click.echo(f"payees: {judged.digest[:12]}", err=True)


@click.command()
@INCIDENT
@PLAN
@click.option("--channel", required=True, type=click.Choice(_CHANNELS), help="How to pay.")
@click.option("--asset", help="What to pay of the plan [default: the one that it pays].")
@click.option("--bank", help="The registered paying bank; for zengin and iso20022.")
@click.option("--value-on", type=DAY, help="The business day on which the bank shall pay; for zengin and iso20022.")
@click.option("--place", help="The place of customers' accounts here; for account.")
@click.option("--everyone", is_flag=True, help="Pay also those who gave no such instruction; for account.")
@click.option("--why", help="The reason, which goes on record [default: the plan and the channel].")
@acts
@AS_JSON
@click.pass_context
def pay(
    ctx: click.Context, incident: str, name: str, channel: str, asset: str | None, bank: str | None, value_on: datetime | None,
    place: str | None, everyone: bool, why: str | None, who: Acting, json_: bool,
) -> None:  # fmt: skip
    """Pay the approved PLAN of the incident INC to everyone who can be paid by a channel and is not yet.

    A run that failed half-way is finished by the same command.
    """
    from junbikin.books.database import open_books
    from junbikin.incidents.folders import payees_folder
    from junbikin.incidents.pay.newest import newest
    from junbikin.incidents.pay.order import Order
    from junbikin.incidents.pay.payer import Payer
    from junbikin.incidents.pay.run import leg_of
    from junbikin.incidents.pay.run import pay as paid
    from junbikin.incidents.pay.ways import check, way
    from junbikin.incidents.plan.document import read_plan

    home = home_of(ctx)
    _check_options(channel, bank, value_on, place, everyone)
    with open_books(home) as books:
        _check_open(books, incident)
        plan = read_plan(home, incident, name)
        approval = _approved(books, plan)
        leg = leg_of(approval, asset or _only(approval), plan.entitlements)
        above = payees_folder(home, incident, plan.digest)
        judged = "" if everyone else newest(above, f"junbikin incident payees {incident} {name}")
        day = value_on.date().isoformat() if value_on else ""
        asked = Order(incident, plan.digest, leg.asset, channel, bank or "", day, place or "", judged)
        click.echo(f"pays {leg.asset} of the plan {name} ({plan.digest[:12]}) by {channel}", err=True)
        by = Payer(books, who.proved(books), why or f"plan {name} by {channel}")
        check(by, asked)
        with progress_bar() as progress:
            run = paid(by, leg, asked, way(by, approval), progress)
    if json_:
        as_json(_run(run))
    else:
        _print_run(ctx, run)


def _check_options(
    channel: str, bank: str | None, value_on: datetime | None, place: str | None, everyone: bool
) -> None:
    by_bank, here = channel in _BANKS, channel == "account"
    needed = {"--bank": (bank, by_bank), "--value-on": (value_on, by_bank), "--place": (place, here)}
    for option, (given, wanted) in needed.items():
        if wanted and given is None:
            raise BadInput(f"{channel} needs {option}", then=f"state it with {option}")
        if given is not None and not wanted:
            raise BadInput(f"{option} says nothing to {channel}", then="leave it out")
    if everyone and not here:
        raise BadInput(f"--everyone says nothing to {channel}: it pays whom instructions name", then="leave it out")


def _check_open(books: Books, incident: str) -> None:
    from junbikin.incidents.incident import incident_of

    if incident_of(books, incident).state == "closed":
        raise BadInput(
            f"{incident} is closed: nothing of it is paid", where=f"incident {incident}",
            then=f"open it again: junbikin incident state {incident} opened --why REASON",
        )  # fmt: skip


def _approved(books: Books, plan: Plan) -> Approved:
    from junbikin.books.claims import approved
    from junbikin.incidents.plan.making import compensation_key
    from junbikin.registry.requests import requests

    found = approved(books, plan.digest)
    if found is not None:
        return found
    key = compensation_key(plan.digest)
    waiting = [one.number for one in requests(books) if not one.verdict and one.action == "post" and one.subject == key]
    if waiting:
        raise BadInput(
            f"the plan {plan.name} is not approved yet", where=f"request {waiting[0]}",
            then=f"let somebody else approve it: junbikin request approve {waiting[0]}",
        )  # fmt: skip
    raise BadInput(
        f"the plan {plan.name} is not approved: nothing of it can be paid", where=str(plan.folder),
        then=f"ask with `junbikin incident ask {plan.incident} {plan.name}`, and let someone else approve it",
    )  # fmt: skip


def _only(approval: Approved) -> str:
    legs = [str(leg["asset"]) for leg in approval.content["legs"]]
    if len(legs) > 1:
        raise BadInput(f"the plan pays {', '.join(legs)}", then="say which with --asset")
    return legs[0]


def _run(run: Run) -> dict[str, Any]:
    from junbikin.figures import plain

    return {
        "run": str(run.order.run),
        "order": f"{run.order.code:010d}",
        "asset": run.order.asset,
        "channel": run.order.channel,
        "people": str(run.people),
        "total": plain(run.total),
        "unfit": str(run.unfit),
        "folder": str(run.folder) if run.people else None,
        "files": [file.path.name for file in run.files],
    }


def _print_run(ctx: click.Context, run: Run) -> None:
    from junbikin.reports.words import grouped

    order = run.order
    if run.people:
        click.echo(
            f"run {order.run} (order {order.code:010d}) pays {run.people:,} people {grouped(run.total)} {order.asset} by {order.channel}"
        )
        click.echo(f"{len(run.files)} files in {run.folder}")
    elif not run.unfit:
        click.echo("nobody is left whom this could pay: see `junbikin claims`")
    if run.unfit:
        click.echo(f"{run.unfit:,} are left out: {run.unfit_as.ja if lang_of(ctx) == 'ja' else run.unfit_as.en}")


@click.command()
@INCIDENT
@PLAN
@RUN
@acts
@AS_JSON
@click.pass_context
def files(ctx: click.Context, incident: str, name: str, run: int, who: Acting, json_: bool) -> None:
    """Write the files of a RUN of PLAN again, when one was lost: the same, byte for byte. Nobody is paid by that."""
    from junbikin.books.database import open_books
    from junbikin.incidents.pay.payer import Payer
    from junbikin.incidents.pay.run import files_again, leg_of
    from junbikin.incidents.pay.ways import way
    from junbikin.incidents.plan.document import read_plan

    home = home_of(ctx)
    with open_books(home) as books:
        plan = read_plan(home, incident, name)
        approval, order = _approved(books, plan), _order(ctx, plan, run)
        leg = leg_of(approval, order.asset, plan.entitlements)
        by = Payer(books, who.proved(books), f"files of run {run} again")
        with progress_bar() as progress:
            written = files_again(by, leg, order, way(by, approval), progress)
    if json_:
        as_json(_run(written))
    else:
        click.echo(f"{len(written.files)} files in {written.folder}, as they were")


def _order(ctx: click.Context, plan: Plan, run: int) -> Order:
    from junbikin.incidents.folders import runs_folder
    from junbikin.incidents.pay.order import order_in

    folder = runs_folder(home_of(ctx), plan.incident, plan.digest) / f"run-{run:03d}"
    if not folder.is_dir():
        raise BadInput(
            f"there was no run {run} of the plan {plan.name}", where=str(folder), then="see `junbikin claims`"
        )
    return order_in(folder)


@click.command()
@INCIDENT
@PLAN
@RUN
@click.option("--why", required=True, help="Why the files were never handed in; it goes on record.")
@acts
@AS_JSON
@click.pass_context
def withdraw(ctx: click.Context, incident: str, name: str, run: int, why: str, who: Acting, json_: bool) -> None:
    """Take back a RUN of PLAN whose files were never handed in. Two people say so; then its payments are unpaid again.

    The first time it files the request; once that is approved, the same command takes the run back.
    """
    from junbikin.books.database import open_books
    from junbikin.incidents.pay import withdrawal
    from junbikin.incidents.pay.payer import Payer
    from junbikin.incidents.pay.run import leg_of
    from junbikin.incidents.plan.document import read_plan

    home = home_of(ctx)
    with open_books(home) as books:
        plan = read_plan(home, incident, name)
        approval = _approved(books, plan)
        leg = leg_of(approval, _order(ctx, plan, run).asset, plan.entitlements)
        by = Payer(books, who.proved(books), why)
        said = withdrawal.allowed(books, approval, leg, run)
        if said is None:
            asked = withdrawal.ask(by, approval, leg, run)
            if json_:
                as_json({"request": asked})
            else:
                click.echo(f"request {asked} waits: whoever approves it says that no file of run {run} was handed in")
                click.echo(f"next: junbikin request approve {asked}, then this command again", err=True)
            return
        people = withdrawal.withdraw(by, approval, leg, run, said)
    if json_:
        as_json({"run": str(run), "people": str(people)})
    else:
        click.echo(f"run {run} is withdrawn: {people:,} people are unpaid again; destroy its files")
