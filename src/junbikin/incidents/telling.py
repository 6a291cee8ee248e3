"""Whether something can be told of an incident as it stands: its state, the times, and what was told before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from junbikin.errors import BadInput
from junbikin.figures import exact, plain
from junbikin.figures.amounts import EXACT
from junbikin.incidents.incident import Incident, Taken

_THEN: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"opened": ("contained",), "contained": ("compensating", "closed"), "compensating": ("closed",), "closed": ("opened",)}
)  # fmt: skip
"""State → the states that may follow it."""


def check(of: Incident, says: Mapping[str, Any], at: datetime | None) -> None:
    """Raises `BadInput` when the event cannot be told of the incident, effective at an instant (None: now)."""
    event = says["event"]
    if event == "state":
        _follows(of, says["to"])
    if event in ("taken", "recovered"):
        must_be_open(of)
    if event == "recovered":
        _was_taken(of, says)
    if at is not None:
        _after(of, event, at)


def must_be_open(of: Incident) -> None:
    """Raises `BadInput` when the incident is closed."""
    if of.state == "closed":
        raise BadInput(
            "the incident is closed", where=f"incident {of.id}", then=f"open it again first: `junbikin incident state {of.id} opened`"
        )  # fmt: skip


def replaced(of: Incident, asset: str, place: str) -> Taken | None:
    """What was told before of the same asset at the same place, and no longer counts once it is told anew."""
    return next((each for each in of.taken if (each.asset, each.place) == (asset, place)), None)


def _follows(of: Incident, to: str) -> None:
    may = _THEN[of.state]
    if to == of.state:
        raise BadInput(f"the incident is {to} already", where=f"incident {of.id}", then="there is nothing to be said")
    if to not in may:
        raise BadInput(
            f"the incident does not go from {of.state} to {to}",
            where=f"incident {of.id}",
            then=" or ".join(f"`junbikin incident state {of.id} {each}`" for each in may) + " comes first",
        )


def _was_taken(of: Incident, says: Mapping[str, Any]) -> None:
    asset, quantity = says["asset"], exact(says["quantity"])
    lost, back = of.lost(asset), of.got_back(asset)
    if asset == of.currency and not lost:
        return  # money in place of coins: from an insurer, a court, or whoever took them
    if EXACT.add(back, quantity) > lost:
        stated = f"{plain(lost)} {asset} was taken" if lost else f"no {asset} was taken"
        raise BadInput(
            f"{stated}" + (f", and {plain(back)} was got back before" if back else "") + f": {plain(quantity)} more cannot be got back",
            where="--asset, --quantity",
            then="see `junbikin incident show`; state first what was taken with `junbikin incident taken`",
        )  # fmt: skip


def _after(of: Incident, event: str, at: datetime) -> None:
    """Nothing is told of before it happened; no state and no report before it was found, nor a state before the last one."""
    first, what = of.occurred_at, "it happened"
    if event in ("state", "reported"):
        first, what = of.found_at, "it was found"
    if event == "state" and len(of.states) > 1 and of.states[-1][1].at > first:
        first, what = of.states[-1][1].at, f"it was {of.state}"
    if at < first:
        raise BadInput(
            f"{at.isoformat()} is before {what} ({first.astimezone(at.tzinfo).isoformat()})",
            where="--at",
            then="state when it was",
        )
