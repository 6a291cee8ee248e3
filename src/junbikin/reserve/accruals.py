"""The year-end accrual (積立額): how much, as entries, and booked once for each year and rulebook."""

from __future__ import annotations

from decimal import Decimal
from itertools import count

from junbikin.books.database import Books
from junbikin.books.journal import posted
from junbikin.figures import Figure, Rounding, rounded
from junbikin.figures.amounts import EXACT
from junbikin.reserve.moves import Draft, booked_account
from junbikin.reserve.position import Position


def accrual(position: Position, booked: Figure) -> Figure:
    """What must still be booked: the rulebook's accrual where it computes one, else what the requirement leaves.

    In whole units of the currency, up: the reserve is never booked below what the rule says. A hole stays a hole.
    """
    by_rule = next((step for step in position.steps if step.key == "accrual"), None)
    if by_rule is not None:
        return rounded(by_rule, 0, Rounding.UP)
    left = (position.requirement - booked).named("accrual", "requirement less booked reserve", "要積立額−計上額")
    return rounded(left, 0, Rounding.UP)


def accrual_draft(amount: Decimal, currency: str, position: str, year: str, rulebook: str) -> Draft:
    """The year-end accrual as entries: no money moves; the booked reserve rises."""
    codes = [booked_account("own", currency), booked_account("reserve", currency)]
    says = {"purpose": "accrual", "position": position, "rulebook": rulebook, "year": year}
    return Draft(codes, [EXACT.minus(amount), amount], says)


def accrual_key(books: Books, rulebook: str, year: str) -> tuple[str, int | None]:
    """The key under which a year's accrual is booked, and its record if it is booked and was not undone since."""
    for turn in count(1):
        key = f"accrual:{rulebook}:{year}" + (f":{turn}" if turn > 1 else "")
        record = posted(books, key)
        if record is None or posted(books, f"reversal:{record}") is None:
            return key, record
    raise AssertionError("a year's accruals have no end")
