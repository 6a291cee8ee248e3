"""Making a plan: the rule is read, everyone's amount worked, who pays found; all of it is written aside and then takes its name."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from sqlalchemy import select

from junbikin.books.database import Books, telling
from junbikin.books.journal import known_now
from junbikin.books.schema import records
from junbikin.errors import BadInput, PositionProblem
from junbikin.facts.engine import connect, literal
from junbikin.facts.lake import Lake, open_lake
from junbikin.facts.run import Progress
from junbikin.figures import Figure, Name, given, plain, total
from junbikin.findings import Finding, Severity
from junbikin.home import Home
from junbikin.incidents.folders import plan_folder
from junbikin.incidents.incident import Incident, incident_of
from junbikin.incidents.plan.affected import gather
from junbikin.incidents.plan.document import DOCUMENT, NAME, Plan, read_folder, read_plan
from junbikin.incidents.plan.entitlements import CHUNK, FILE, chunks, write
from junbikin.incidents.plan.found import Scene
from junbikin.incidents.plan.funding import fund
from junbikin.incidents.plan.legs import Payment, owed, payments, totals
from junbikin.incidents.plan.possible import check, check_decimals
from junbikin.incidents.plan.refill import instalments, positions_after
from junbikin.incidents.plan.rule import ListedIn, read_rule
from junbikin.incidents.plan.written import Made, written
from junbikin.registry.requests import requests
from junbikin.reserve.ledger import Ledger
from junbikin.reserve.prices import Prices
from junbikin.reserve.sources import data_source

RULE = "rule.toml"


def make(
    books: Books, incident: str, name: str, file: Path, today: date, progress: Progress, size: int = CHUNK
) -> Plan:
    """The plan `name` of an incident by the rule in a file, as of `today`; the same facts, books and day give the same digest.

    Its payments go into the books `size` at a time.

    Raises `BadInput` when the incident is closed, the rule or what it needs is not right, or another plan of this name was asked for already.
    """
    if not NAME.fullmatch(name):
        raise BadInput(f"{name!r} cannot name a plan", then="use letters, digits, dot, dash and underscore, at most 64")
    happened, rule = incident_of(books, incident), read_rule(file)
    check(books, happened, rule, file, today)
    folder = plan_folder(books.home, incident, name)
    with _aside(folder) as aside:
        engine = connect(books.home.memory_limit, aside / "spill")
        engine.execute(f"ATTACH {literal(str(aside / 'work.duckdb'))} AS work")
        scene = Scene(open_lake(books.home), books, incident, engine, aside)
        progress("who is affected", 0.05)
        holders = gather(scene, rule)
        check_decimals(books, rule, holders)
        progress("shares", 0.5)
        whole = owed(rule, holders)
        paid, coarse = _paying(payments(scene.lake, engine, rule, holders, whole))
        progress("entitlements", 0.6)
        write(engine, [payment.leg for payment in paid], aside / FILE)
        digested = chunks(
            engine, aside / FILE, list(totals(paid)), size, lambda what, share: progress(what, 0.7 + share * 0.2)
        )
        engine.close()
        progress("who pays", 0.9)
        ledger = Ledger(books, today, known_now(books))
        taken = _taken(happened, rule.affected.asset)
        worth = _worth(scene.lake, (today, day_of(books.home, happened)), totals(paid))
        funded = fund(books, ledger, happened, rule.affected.asset, rule.funding, totals(paid), worth)
        made = Made(
            operator=books.home.operator,
            invented=books.home.invented,
            incident=incident,
            name=name,
            made_on=today,
            rule=rule,
            holders=holders,
            owed=whole,
            payments=paid,
            chunks=digested,
            size=size,
            cost=_cost(totals(paid), worth, books.home.currency),
            taken=taken,
            beyond=(*_beyond(taken, whole), *coarse),
            funded=funded,
            after=positions_after(scene.lake, ledger, funded),
            instalments=instalments(funded, rule.replenishment, books.home.currency),
        )
        (aside / DOCUMENT).write_text(written(made, scene.lake.head), encoding="utf-8")
        (aside / RULE).write_bytes(file.read_bytes())
        if isinstance(rule.affected, ListedIn):
            shutil.copyfile(rule.affected.file, aside / rule.affected.file.name)
        _named(books, name, aside, folder)
    return read_plan(books.home, incident, name)


def _worth(lake: Lake, days: tuple[date, date], legs: Mapping[str, Figure]) -> dict[str, Figure]:
    """What coins are worth in the home's currency, asset by asset: on the first day, or on the second where that has no price."""
    prices = Prices(lake, frozenset(days))
    now, then = ({asset: prices.of(asset, day) for asset in legs if asset != lake.home.currency} for day in days)
    return {asset: then[asset] if price.value is None else price for asset, price in now.items()}


def _cost(legs: Mapping[str, Figure], worth: Mapping[str, Figure], currency: str) -> Figure:
    """What the plan costs in the home's currency."""
    parts = [figure * worth[asset] if asset in worth else figure for asset, figure in legs.items()]
    return total(parts, currency).named("plan.cost", "cost of the plan", "補償計画の費用")


def day_of(home: Home, incident: Incident) -> date:
    """The day on which it happened, for the operator."""
    return incident.occurred_at.astimezone(home.time_zone).date()


def _taken(incident: Incident, asset: str) -> Figure:
    """What is stated to be taken of an asset."""
    parts = [
        given(
            one.quantity,
            asset,
            Name(f"{asset} taken at {one.place}", f"{one.place}の{asset}流出額"),
            data_source("incidents", f"{incident.id}, record {one.event.record}", [dict(one.event.says)]),
        )
        for one in incident.taken
        if one.asset == asset
    ]
    return total(parts, asset).named("plan.taken", f"{asset} taken", f"{asset}の流出額")


def _paying(worked: Sequence[Payment]) -> tuple[tuple[Payment, ...], tuple[Finding, ...]]:
    """The parts that pay something, and a notice of each that does not. Raises `BadInput` when none does."""
    paid = tuple(payment for payment in worked if payment.total.value != 0)
    if not paid:
        sums = ", ".join(f"{plain(payment.exact.known)} {payment.part.pays}" for payment in worked)
        raise BadInput(
            f"the plan pays nothing: its totals, {sums}, round to 0",
            where="[[parts]]", then="look at price, decimals and rounding, and at what was lost",
        )  # fmt: skip
    return paid, tuple(_rounds_to_nothing(payment) for payment in worked if payment.total.value == 0)


def _rounds_to_nothing(payment: Payment) -> Finding:
    pays = payment.part.pays
    return Finding(
        "part-rounds-to-nothing",
        Severity.NOTICE,
        Name(f"nothing is paid in {pays}: its total rounds to 0", f"{pays}での支払はない：総額を丸めると0になる"),
        Name("look at decimals and rounding of the part", "当該部分の桁数と端数処理を確認する"),
        amount=payment.exact,
    )


def _beyond(taken: Figure, owed: Figure) -> tuple[Finding, ...]:
    """A warning when the plan makes good more than is stated to be taken of the asset."""
    if owed.known <= taken.known:
        return ()
    words = f"{plain(taken.known)} {taken.unit}"
    return (
        Finding(
            "more-than-taken",
            Severity.WARNING,
            Name(f"the plan makes good more than is stated to be taken ({words})", f"流出額（{words}）を超えて補償する計画である"),
            Name(
                'share what was taken: how = "pro_rata", lost = …; or state what was taken',
                '流出額を按分する（how = "pro_rata"、lost = …）か、流出額を入力する',
            ),
            amount=owed,
        ),
    )  # fmt: skip


@contextmanager
def _aside(folder: Path) -> Iterator[Path]:
    """A folder beside the plan's, gone in the end unless it took the plan's name."""
    aside = folder.parent / f".{folder.name}-{uuid.uuid4().hex}"
    aside.mkdir(parents=True)
    try:
        yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _named(books: Books, name: str, aside: Path, folder: Path) -> None:
    """Gives what was made its name; what stood there must be the same, or a draft that nobody was asked to approve."""
    for working in (aside / "work.duckdb", aside / "at-place.csv"):
        working.unlink(missing_ok=True)
    shutil.rmtree(aside / "spill", ignore_errors=True)
    if folder.exists():
        before, made = _whole(folder), read_folder(aside)
        if before is None:
            _not_lost(books, made, folder)
        elif asked_for(books, before):
            if before == made.digest:
                return
            raise BadInput(
                f"the plan {name} was asked for already, and this one is another", where=str(folder), then="give this one another name"
            )  # fmt: skip
        shutil.rmtree(folder)
    aside.rename(folder)


def _whole(folder: Path) -> str | None:
    """The digest of the plan in a folder; None when its document is not whole."""
    try:
        return read_folder(folder).digest
    except PositionProblem:
        return None


def _not_lost(books: Books, made: Plan, folder: Path) -> None:
    """Raises `BadInput` when a folder whose document is not whole may hold a plan that was asked for, other than the one made now."""
    here = {made.digest, *(_whole(other) for other in folder.parent.iterdir() if NAME.fullmatch(other.name))}
    for request in requests(books):
        says = request.content if request.action == "post" and request.verdict != "refuse" else {}
        of_plan = (says.get("purpose"), says.get("incident")) == ("compensation", made.incident)
        if of_plan and says["plan"] not in here:
            raise BadInput(
                f"the plan that stands here is not whole, and may be {says['plan'][:12]}, which was asked for by request {request.number}",
                where=str(folder), then="restore the folder from a backup, or give the new plan another name",
            )  # fmt: skip


def asked_for(books: Books, plan: str) -> bool:
    """Whether somebody asked for the approval of the plan with this digest."""
    query = select(records.c.id).where(records.c.kind == "request", records.c.key == f"post:{compensation_key(plan)}")
    with telling(books.home), books.engine.connect() as connection:
        return connection.scalar(query) is not None


def compensation_key(plan: str) -> str:
    """The key of the batch that sets a plan's money apart."""
    return f"compensation:{plan[:24]}"
