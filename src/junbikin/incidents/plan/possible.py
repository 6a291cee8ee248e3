"""Whether a rule can be carried out here: the incident is open, claimants' places are registered, coins can be sent that fine."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from junbikin.books.database import Books
from junbikin.errors import BadInput
from junbikin.incidents.incident import Incident
from junbikin.incidents.plan.affected import Holders
from junbikin.incidents.plan.rule import Rule
from junbikin.registry.log import said


def check(books: Books, incident: Incident, rule: Rule, file: Path, today: date) -> None:
    """Raises `BadInput` when the incident is closed, the day of payment past, or a place of claimants not registered."""
    if incident.closed_at is not None:
        raise BadInput(
            f"{incident.id} is closed", where=f"incident {incident.id}",
            then=f"reopen it first, with `junbikin incident state {incident.id} opened`",
        )  # fmt: skip
    if rule.pays_on < today:
        raise BadInput(
            f"the day of payment {rule.pays_on} is past", where=f"{file}, payment.on", then="write a day ahead"
        )
    places = said(books, "place")
    for asset, place in rule.funding.place.items():
        if place not in places:
            raise BadInput(
                f"{place}, where the claimants' {asset} is to be kept, is not registered", where=f"{file}, funding.place",
                then="the places are " + (", ".join(places) or "none") + "; register another with `junbikin registry set place`",
            )  # fmt: skip


def check_decimals(books: Books, rule: Rule, holders: Holders) -> None:
    """Raises `BadInput` when a part pays finer than its coins can be sent, by the tokens registered, or else by what is known of holdings."""
    registered: dict[str, int] = {}
    for subject, says in said(books, "token").items():
        asset = subject.rpartition(":")[2]
        registered[asset] = max(int(says["decimals"]), registered.get(asset, 0))
    finest = {rule.affected.asset: holders.unit} | registered
    for part in rule.parts:
        most = finest.get(part.pays, part.decimals)
        if part.decimals > most:
            raise BadInput(
                f"{part.pays} is paid in {part.decimals} decimals, and has {most}", where="[[parts]], decimals",
                then=f"write decimals = {most}: nothing finer can be sent",
            )  # fmt: skip
