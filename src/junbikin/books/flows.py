"""The flow rules as people and programs read them. The books enforce them by themselves; this only tells beforehand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from junbikin.books.columns import Side
from junbikin.books.database import Books, telling
from junbikin.books.schema import flow_rules, owners
from junbikin.errors import BooksRefused
from junbikin.figures import Name

UNFROZEN = "unfrozen"
"""A need that no batch states: that the asset is not frozen."""

_ELSEWHERE = {
    "reverses": ("a reversal names what it undoes", "use `junbikin books reverse RECORD`"),
    "plan": ("compensation is paid by a plan alone", "ask for it with `junbikin incident ask`"),
    "permission": ("compensation is paid by a plan alone", "ask for it with `junbikin incident ask`"),
    "result": ("a payout is posted with its result", "bring it in with `junbikin incident results`"),
}
"""What is not stated with an option of its own, and where it is said instead."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One row of the rules: who may pay whom, for what, and what that needs. `approved_by` is empty when one person may do it."""

    purpose: str
    payer: str
    receiver: str
    scope: str
    made_by: tuple[str, ...]
    approved_by: tuple[str, ...]
    needs: tuple[str, ...]
    name: Name


def flows(books: Books) -> list[Flow]:
    """Every flow that the books allow, by purpose."""
    query = select(flow_rules).order_by(
        flow_rules.c.purpose, flow_rules.c.payer, flow_rules.c.receiver, flow_rules.c.scope
    )
    with telling(books.home), books.engine.connect() as connection:
        return [
            Flow(row.purpose, row.payer, row.receiver, row.scope, tuple(row.made_by), tuple(row.approved_by), tuple(row.needs), Name(row.en, row.ja))
            for row in connection.execute(query)
        ]  # fmt: skip


def owner_names(books: Books) -> dict[str, Name]:
    """Whose property accounts hold, by owner."""
    with telling(books.home), books.engine.connect() as connection:
        return {row.owner: Name(row.owner, row.ja) for row in connection.execute(select(owners))}


def used(known: Sequence[Flow], purpose: str, sides: Sequence[Side]) -> list[Flow]:
    """The flows that a batch is made of: of each asset and scope, everyone who pays to everyone who receives.

    Raises `BooksRefused` with the first pair that no rule allows.
    """
    rules = {(flow.purpose, flow.payer, flow.receiver, flow.scope): flow for flow in known}
    if purpose not in {flow.purpose for flow in known}:
        raise BooksRefused(
            f"there is no purpose {purpose!r}",
            then="choose one of " + ", ".join(sorted({flow.purpose for flow in known})),
        )
    found = []
    for payer in sides:
        for receiver in sides:
            if payer.pays and receiver.gets and (payer.asset, payer.scope) == (receiver.asset, receiver.scope):
                flow = rules.get((purpose, payer.owner, receiver.owner, payer.scope))
                if flow is None:
                    raise BooksRefused(
                        f"the flow rules do not allow {payer.owner} → {receiver.owner} ({payer.asset}, {payer.scope}) for the "
                        f"purpose {purpose}",
                        then="see `junbikin books flows` for what may be paid, by whom and to whom",
                    )
                found.append(flow)
    if not found:
        raise BooksRefused("nobody pays anybody", then="a batch balances asset by asset: what some pay others receive")
    return list(dict.fromkeys(found))


def check_grounds(made_of: Sequence[Flow], says: Mapping[str, str]) -> None:
    """Raises `BooksRefused` when a batch does not state what its flows need."""
    for flow in made_of:
        for need in flow.needs:
            if need != UNFROZEN and not says.get(need):
                if need in _ELSEWHERE:
                    what, then = _ELSEWHERE[need]
                    raise BooksRefused(what, then=then)
                raise BooksRefused(f"the purpose {flow.purpose} needs its {need}", then=f"state it with --{need}")
