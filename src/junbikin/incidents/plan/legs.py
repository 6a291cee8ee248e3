"""What a plan pays, asset by asset, as figures: how the total is reached, and how one customer's part of it is (端数は最大剰余法)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import duckdb

from junbikin.errors import BadInput
from junbikin.facts.lake import Lake
from junbikin.figures import Figure, Name, Rounding, Stated, given, plain, ratio, rounded, smallest
from junbikin.figures.amounts import EXACT
from junbikin.incidents.plan.affected import Holders
from junbikin.incidents.plan.entitlements import NUMBERED, Leg
from junbikin.incidents.plan.pricing import price_of
from junbikin.incidents.plan.rule import Part, Rule
from junbikin.incidents.plan.shares import Scale, split


@dataclass(frozen=True, slots=True)
class Payment:
    """One part of a plan: its price (None: in kind), the exact sum of all shares, and the total approved. `leg` is how it is split."""

    part: Part
    price: Figure | None
    exact: Figure
    total: Figure
    leg: Leg


def owed(rule: Rule, holders: Holders) -> Figure:
    """What the plan makes good, in the affected asset: all that is held, or what was lost when shares are pro rata."""
    if rule.shared.lost is None:
        return holders.total
    asset = rule.affected.asset
    lost = given(rule.shared.lost, asset, Name(f"{asset} lost", f"{asset}の損失"), Stated(rule.title), "plan.lost")
    return smallest(lost, holders.total).named(
        "plan.owed", f"{asset} lost, at most what was held", f"{asset}の損失（残高を上限とする）"
    )


def payments(
    lake: Lake, engine: duckdb.DuckDBPyConnection, rule: Rule, holders: Holders, whole: Figure
) -> tuple[Payment, ...]:
    """The parts of the rule worked over the table of holders. Raises `BadInput` on a missing price, or digits that are not paid."""
    prices = [price_of(lake, rule.affected.asset, part) for part in rule.parts]
    return tuple(_payment(engine, rule, holders, whole, *each) for each in zip(rule.parts, prices, strict=True))


def _payment(
    engine: duckdb.DuckDBPyConnection, rule: Rule, holders: Holders, whole: Figure, part: Part, price: Figure | None
) -> Payment:
    if price is None and part.decimals < holders.decimals:
        raise BadInput(
            f"holdings of {part.pays} have {holders.decimals} decimals, and only {part.decimals} are paid",
            where="[[parts]], decimals", then=f"write decimals = {holders.decimals}: nobody is paid more or less in kind than they held",
        )  # fmt: skip
    exact = valued(whole, part, price, rule.title).named(
        f"plan.exact.{part.pays}", f"exact sum in {part.pays}", f"{part.pays}の合計（端数処理前）"
    )
    total = rounded(exact, part.decimals, part.rounding).named(
        f"plan.total.{part.pays}", f"total in {part.pays}", f"{part.pays}の補償総額"
    )
    worth = (
        Fraction(10**part.decimals, 10**holders.unit)
        * Fraction(part.share)
        * Fraction(price.known if price else 1)
        * (Fraction(whole.known) / Fraction(holders.total.known))
    )
    units = int(EXACT.scaleb(total.known, part.decimals))
    if units >= 10 ** (18 if part.pays == "JPY" else 38):
        raise BadInput(
            f"a total of {plain(total.known)} {part.pays} does not fit",
            then="look at the rule's price and at the holdings",
        )
    shared = split(engine, NUMBERED, "units", Scale.of(worth, holders.most), units)
    return Payment(part, price, exact, total, Leg(part.pays, part.decimals, shared))


def valued(quantity: Figure, part: Part, price: Figure | None, by: str) -> Figure:
    """A quantity's share of a part, at its price."""
    share = given(part.share, "1", Name(f"share paid in {part.pays}", f"{part.pays}で支払う割合"), Stated(by))
    parted = quantity if part.share == 1 else quantity * share
    return parted if price is None else parted * price


@dataclass(frozen=True, slots=True)
class Told:
    """What a plan's document says of one part, enough to derive anybody's amount."""

    asset: str
    decimals: int
    share: Figure
    price: Figure | None
    denominator: int
    remainder: int
    number: int


def derived(holding: Figure, number: int, told: Told, whole: Figure, held: Figure) -> Figure:
    """One customer's amount: holding × share × price, pro rata where less is made good than was held, and the largest remainders' unit.

    `whole` is what the plan makes good of `held`, all that was held.
    """
    exact = holding * told.share if told.share.value != 1 else holding
    exact = exact * told.price if told.price else exact
    if whole == held:
        down = rounded(exact, told.decimals, Rounding.DOWN)
    else:
        down = ratio(exact * whole, held, told.decimals, Rounding.DOWN)
    down = down.named("", f"{told.asset}, rounded down", f"{told.asset}（切捨て）")
    one = EXACT.scaleb(Decimal(1), -told.decimals)
    more = one if _gets_more(holding, told, whole, held, number) else Decimal(0)
    words = Name("the unit more of the largest remainders", "最大剰余法による1単位の加算")
    by = Stated(
        f"remainders above {told.remainder} of {told.denominator}, and of those equal to it numbers up to {told.number}"
    )
    return (down + given(more, told.asset, words, by)).named(
        f"entitlement.{told.asset}", f"{told.asset} to be paid", f"{told.asset}の補償額"
    )


def _gets_more(holding: Figure, told: Told, whole: Figure, held: Figure, number: int) -> bool:
    """Whether the remainder is above the last that gets a unit more, or just that and the number is not too high."""
    share = Fraction(holding.known) * Fraction(told.share.known) * Fraction(told.price.known if told.price else 1)
    units = share * Fraction(whole.known) / Fraction(held.known) * 10**told.decimals
    rest = (units - units.numerator // units.denominator) * told.denominator
    return rest > told.remainder or (rest == told.remainder and number <= told.number)


def totals(payments: Sequence[Payment]) -> dict[str, Figure]:
    """Asset → the total that is paid in it."""
    return {payment.part.pays: payment.total for payment in payments}
