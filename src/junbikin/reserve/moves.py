"""The reserve's life as entries: funding, income, revaluation, moving, release, replenishment.

What of it needs a second person, and whose, the flow rules of the books say, not this file.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from junbikin.errors import BadInput
from junbikin.figures import Name
from junbikin.figures.amounts import EXACT

BOOKED = "booked"
"""The place of accounts that hold no money but say how much of the reserve is set aside."""


@dataclass(frozen=True, slots=True)
class Move:
    """A way in which the reserve changes: its purpose in the flow rules, and what must be said of it.

    With `booked` the booked reserve changes too: the first owner's booked account pays the second's.
    """

    purpose: str
    name: Name
    says: tuple[str, ...]
    booked: tuple[str, str] | None = None


MOVES: dict[str, Move] = {
    "fund": Move("fund", Name("own funds become reserve assets", "準備金を拠出する"), ()),
    "replenish": Move("replenishment", Name("refill the reserve after use", "再積立をする"), ("reference",)),
    "income": Move("income", Name("income of reserve assets comes in", "運用収益を受け入れる"), ("reference",)),
    "revalue": Move("revaluation", Name("reserve assets are worth more, or less", "評価替えをする"), ("reference",)),
    "move": Move("relocation", Name("reserve assets change their place", "保管先を変える"), ("reference",)),
    "release": Move(
        "release",
        Name("give back a year-end excess over the cap, with the authority's approval", "限度超過額を取り崩す"),
        ("position", "authority"),
        ("reserve", "own"),
    ),
}


@dataclass(frozen=True, slots=True)
class Draft:
    """A batch before it is filed: account codes, what each receives, and what it says."""

    codes: list[str]
    amounts: list[Decimal]
    says: dict[str, str]


def booked_account(owner: str, currency: str) -> str:
    """The code of an owner's booked account."""
    return f"{owner}/{currency}/{BOOKED}"


def draft(
    move: Move, payer: str, receiver: str, amount: Decimal, says: dict[str, str], currency: str, booked: Decimal | None
) -> Draft:
    """A move of `amount` from `payer` to `receiver`; `booked` is what the booked reserve falls by, if not the amount itself.

    Raises `BadInput` when something that the move needs is not said.
    """
    missing = next((word for word in move.says if not says.get(word)), None)
    if missing is not None:
        raise BadInput(f"this needs its {missing}", then=f"state it with --{missing}")
    if payer == receiver:
        raise BadInput(f"{payer} would pay itself", then="name two accounts")
    codes, amounts = [payer, receiver], [EXACT.minus(amount), amount]
    if move.booked:
        if booked is None and payer.split("/")[1:2] != [currency]:
            raise BadInput(
                f"what the booked reserve falls by is not known: {payer} is not in {currency}",
                then="state it with --booked",
            )
        falls = amount if booked is None else booked
        codes += [booked_account(owner, currency) for owner in move.booked]
        amounts += [EXACT.minus(falls), falls]
    return Draft(codes, amounts, {"purpose": move.purpose} | {word: text for word, text in says.items() if text})
