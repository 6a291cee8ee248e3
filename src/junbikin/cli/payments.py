"""`incident payees`, `pay` and `results`: who can be paid, the files that pay, and what banks and custodians answer."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from junbikin.cli import times
from junbikin.cli.acting import Acting, acts
from junbikin.cli.positions import DAY
from junbikin.cli.show import AS_JSON, as_json, home_of, lang_of, print_table, progress_bar
from junbikin.errors import BadInput

if TYPE_CHECKING:
    from junbikin.books.claims import Approved
    from junbikin.books.database import Books
    from junbikin.incidents.answers.taking import Taken
    from junbikin.incidents.pay.channels import Channel
    from junbikin.incidents.pay.order import Order
    from junbikin.incidents.pay.payees import Payees
    from junbikin.incidents.pay.run import Run
    from junbikin.incidents.plan.document import Plan

_BANKS = ("zengin", "iso20022")
_CHANNELS = [*_BANKS, "account", "custodian"]
_FORMS = ["zengin", "pain002", "custodian"]

INCIDENT = click.argument("incident", metavar="INC")
PLAN = click.argument("name", metavar="PLAN")


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
    from junbikin.incidents.plan.document import read_plan

    home = home_of(ctx)
    plan = read_plan(home, incident, name)
    above = payees_folder(home, incident, plan.digest)
    with progress_bar() as progress:
        judged = prepare(home, open_lake(home), plan.entitlements, above, progress)
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
    from junbikin.incidents.pay.run import Payer, leg_of
    from junbikin.incidents.pay.run import pay as paid
    from junbikin.incidents.plan.document import read_plan

    home = home_of(ctx)
    _check_options(channel, bank, value_on, place, everyone)
    plan = read_plan(home, incident, name)
    with open_books(home) as books:
        approval = _approved(books, plan)
        leg = leg_of(approval, asset or _only(approval), plan.entitlements)
        above = payees_folder(home, incident, plan.digest)
        judged = "" if everyone else newest(above, f"junbikin incident payees {incident} {name}")
        day = value_on.date().isoformat() if value_on else ""
        asked = Order(incident, plan.digest, leg.asset, channel, bank or "", day, place or "", judged)
        _check_order(books, asked)
        click.echo(f"pays {leg.asset} of the plan {name} ({plan.digest[:12]}) by {channel}", err=True)
        by = Payer(books, who.proved(books), why or f"plan {name} by {channel}")
        with progress_bar() as progress:
            run = paid(by, leg, asked, lambda order: _channel(books, approval, order, above), progress)
    if json_:
        as_json(_run(run))
    else:
        _print_run(run)


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


def _approved(books: Books, plan: Plan) -> Approved:
    from junbikin.books.claims import approved

    found = approved(books, plan.digest)
    if found is None:
        raise BadInput(
            f"the plan {plan.name} is not approved: nothing of it can be paid", where=str(plan.folder),
            then=f"ask with `junbikin incident ask {plan.incident} {plan.name}`, and let someone else approve it",
        )  # fmt: skip
    return found


def _only(approval: Approved) -> str:
    legs = [str(leg["asset"]) for leg in approval.content["legs"]]
    if len(legs) > 1:
        raise BadInput(f"the plan pays {', '.join(legs)}", then="say which with --asset")
    return legs[0]


def _check_order(books: Books, order: Order) -> None:
    """Refuses what the bank or the calendar would refuse, before anything is kept."""
    from junbikin.incidents.pay.paying_bank import check_value_day, paying_bank

    if order.channel in _BANKS:
        check_value_day(order.day)
        paying_bank(books, order.bank)


def _channel(books: Books, approval: Approved, order: Order, above: Path) -> tuple[Channel, Payees | None]:
    from junbikin.incidents.pay.channels import Accounts, Custodian, Iso20022, Zengin
    from junbikin.incidents.pay.payees import open_payees
    from junbikin.incidents.pay.paying_bank import paying_bank

    judged = open_payees(above, order.payees) if order.payees else None
    if order.channel == "account":
        return Accounts(approval.claimants[order.asset], order.place), judged
    if judged is None:
        raise BadInput(
            "nobody is known to be paid so", then="judge the instructions first with `junbikin incident payees`"
        )
    if order.channel == "custodian":
        return Custodian(judged), judged
    bank = paying_bank(books, order.bank)
    return (Zengin if order.channel == "zengin" else Iso20022)(bank, judged), judged


def _run(run: Run) -> dict[str, Any]:
    from junbikin.figures import plain

    return {
        "run": str(run.order.run),
        "order": f"{run.order.code:010d}",
        "asset": run.order.asset,
        "channel": run.order.channel,
        "people": str(run.people),
        "total": plain(run.total),
        "folder": str(run.folder) if run.people else None,
        "files": [file.path.name for file in run.files],
    }


def _print_run(run: Run) -> None:
    from junbikin.reports.words import grouped

    if not run.people:
        click.echo("nobody is left whom this could pay: see `junbikin claims`")
        return
    order = run.order
    click.echo(
        f"run {order.run} (order {order.code:010d}) pays {run.people:,} people {grouped(run.total)} {order.asset} by {order.channel}"
    )
    click.echo(f"{len(run.files)} files in {run.folder}")


@click.command()
@INCIDENT
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--form", required=True, type=click.Choice(_FORMS), help="What the files are.")
@click.option("--bank", help="The registered paying bank that answers; for zengin.")
@click.option(
    "--at", metavar="TIME", help=f"When it was settled or came back [default: when it is recorded]: {times.HELP}."
)
@click.option("--why", help="The reason, which goes on record [default: the files' names].")
@acts
@AS_JSON
@click.pass_context
def results(
    ctx: click.Context, incident: str, files: tuple[Path, ...], form: str, bank: str | None, at: str | None, why: str | None,
    who: Acting, json_: bool,
) -> None:  # fmt: skip
    """Take in what a bank or custodian answers in FILES about payments of the incident INC: settled, or returned and why."""
    from junbikin.books.claims import plans_of
    from junbikin.books.database import open_books
    from junbikin.incidents.answers.taking import Source, take_in
    from junbikin.incidents.pay.paying_bank import paying_bank
    from junbikin.incidents.pay.run import Payer
    from junbikin.incidents.plan.document import plan_with

    home = home_of(ctx)
    if (bank is not None) != (form == "zengin"):
        raise BadInput(
            "--bank names the bank whose result list it is: with --form zengin, and only there", then="state or leave out --bank"
        )  # fmt: skip
    with open_books(home) as books:
        when = times.until(home, at, "--at")
        answering = paying_bank(books, bank) if bank else None
        plans = [(plan, plan_with(home, incident, plan.plan).entitlements) for plan in plans_of(books, incident)]
        if not plans:
            raise BadInput(f"no plan of {incident} was approved: nothing was paid", then="see `junbikin incident list`")
        by = Payer(books, who.proved(books), why or f"answers in {', '.join(file.name for file in files)[:900]}")
        with progress_bar() as progress:
            found = take_in(by, plans, files, Source(form, answering, when), progress)
    if json_:
        as_json({"files": [{"file": file.name} | _taken(taken) for file, taken in zip(files, found, strict=True)]})
        return
    for file, taken in zip(files, found, strict=True):
        click.echo(f"{file.name}:")
        _print_taken(taken)


def _taken(taken: Taken) -> dict[str, Any]:
    from junbikin.figures import plain

    counts = {name: str(getattr(taken, name)) for name in ("read", "settled", "returned", "duplicates", "refused")}
    totals = {asset: {"settled": plain(s), "returned": plain(r)} for asset, (s, r) in taken.totals.items()}
    reasons = {reason: str(count) for reason, count in taken.reasons.items()}
    return counts | {"totals": totals, "reasons": reasons, "refusals": str(taken.refusals) if taken.refusals else None}


def _print_taken(taken: Taken) -> None:
    from junbikin.reports.words import grouped

    click.echo(
        f"{taken.read:,} answers: {taken.settled:,} settled, {taken.returned:,} returned, {taken.duplicates:,} known already, "
        f"{taken.refused:,} refused"
    )
    for asset, (settled, returned) in taken.totals.items():
        click.echo(f"{asset}: {grouped(settled)} settled, {grouped(returned)} returned")
    for reason, count in taken.reasons.items():
        click.echo(f"  returned with {reason}: {count:,}")
    if taken.refusals:
        click.echo(f"refused, each with why: {taken.refusals}", err=True)
