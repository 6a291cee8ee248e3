"""Plans side by side: what each costs, who pays, who loses what, and how long until customers are paid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from junbikin.books.database import Books
from junbikin.calendars import is_business_day
from junbikin.figures import Figure, Name, Stated, given, largest, smallest, total
from junbikin.home import Home
from junbikin.incidents.incident import Incident
from junbikin.incidents.plan.document import Plan
from junbikin.incidents.plan.elsewhere import standings
from junbikin.incidents.waterfall import KINDS


@dataclass(frozen=True, slots=True)
class Compared:
    """One plan in figures. `standing` is how far its approval is.

    `pays` is asset → total; `cost` all of it in the home's currency; `payers` (source, asset) → what it pays, `unpaid` asset →
    what nobody pays. `loses` is what was taken of what customers held and is not made good, in the affected asset, `worth` the same at the plan's own price
    (None: it has none), and `losers` how many get less than what they lost. Rounding to the last unit is no loss.
    """

    plan: Plan
    standing: Name
    pays: Mapping[str, Figure]
    cost: Figure
    payers: Mapping[tuple[str, str], Figure]
    unpaid: Mapping[str, Figure]
    loses: Figure
    worth: Figure | None
    losers: int
    paid_on: date | None
    business_days: int | None

    def document(self) -> dict[str, Any]:
        """As JSON; amounts are strings."""
        return {
            "plan": self.plan.name,
            "digest": self.plan.digest,
            "standing": self.standing.words,
            "title": self.plan.body["rule"]["title"],
            "people": self.plan.people,
            "pays": {asset: figure.node["value"] for asset, figure in self.pays.items()},
            "cost": self.cost.node["value"],
            "currency": str(self.cost.unit),
            "payers": [
                {"source": kind, "asset": asset, "pays": figure.node["value"]} for (kind, asset), figure in self.payers.items()
            ],
            "unpaid": {asset: figure.node["value"] for asset, figure in self.unpaid.items()},
            "loses": {
                "asset": str(self.loses.unit),
                "quantity": self.loses.node["value"],
                "worth": self.worth.node["value"] if self.worth else None,
                "people": self.losers,
            },
            "promised": {by: figure.node["value"] for by, figure in self.plan.promised},
            "warnings": [finding["code"] for finding in self.plan.body["findings"] if finding["severity"] != "notice"],
            "paid_on": self.paid_on.isoformat() if self.paid_on else None,
            "business_days": self.business_days,
        }  # fmt: skip


DRAFT = Name("draft: nobody was asked yet", "案（未申請）")


def side_by_side(books: Books, incident: Incident, plans: Sequence[Plan]) -> tuple[Compared, ...]:
    """Plans of one incident in figures, each with how far its approval is."""
    standing = standings(books, incident.id)
    return tuple(_compared(books.home, incident, plan, standing.get(plan.digest, DRAFT)) for plan in plans)


def _compared(home: Home, incident: Incident, plan: Plan, standing: Name) -> Compared:
    """The plan in figures. It is paid on the day that its rule names, once all of it has funding; never while some has none."""
    paid_on = date.fromisoformat(plan.body["pays_on"]) if plan.funded else None
    none = given(0, plan.held.unit, Name("nothing", "なし"), Stated("nobody loses less than nothing"))
    loses = largest(smallest(plan.held, plan.taken) - plan.owed, none).named(
        "loses", "what was taken from customers and is not made good", "補償されない損失"
    )
    priced = next((leg.told.price for leg in plan.legs if leg.told.price), None)
    return Compared(
        plan=plan,
        standing=standing,
        pays={leg.asset: leg.total for leg in plan.legs},
        cost=plan.cost,
        payers=_payers(plan),
        unpaid={asset: plan.figure(digest) for asset, digest in plan.body["funding"]["unpaid"].items()},
        loses=loses,
        worth=(loses * priced).named("loses.worth", "the same at the plan's price", "同（計画の価格で評価）") if priced else None,
        losers=plan.people if loses.value != 0 else 0,
        paid_on=paid_on,
        business_days=_business_days(home, incident.occurred_at, paid_on) if paid_on else None,
    )  # fmt: skip


def _payers(plan: Plan) -> dict[tuple[str, str], Figure]:
    """(source, asset) → what sources of the kind pay, in the order in which they pay; those that pay nothing are left out."""
    found: dict[tuple[str, str], list[Figure]] = {}
    for line in plan.body["funding"]["lines"]:
        used = plan.figure(line["used"])
        if used.value != 0:
            found.setdefault((line["source"], line["asset"]), []).append(used)
    return {
        (kind, asset): total(parts, asset).named(f"payer.{kind}.{asset}", *_words(KINDS[kind]))
        for (kind, asset), parts in found.items()
    }


def _words(name: Name) -> tuple[str, str]:
    return name.en, name.ja


def _business_days(home: Home, since: datetime, until: date) -> int:
    """Business days after the day on which it happened, up to and with `until`."""
    day, count = since.astimezone(home.time_zone).date(), 0
    while day < until:
        day += timedelta(days=1)
        count += is_business_day(day)
    return count
