"""A known case's facts as the formulas of rulebooks ask for them: what is not stated is nothing, what is stated as unknown a hole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from junbikin.calendars import Period, fiscal_year
from junbikin.figures import Figure, Name, Provenance, Rounding, Rule, Unit, given, hole, ratio, total
from junbikin.incidents.replays.case import JPY, OTHER, Case
from junbikin.rulebooks.interface import CustomerAsset, Grade, Kept

PRICE_PLACES = 8


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """The operator of a case on a day, before anything was taken. Implements `rulebooks.interface.Facts`.

    `set_aside` is what it had put into its reserve, by day. What it kept is told of the day of the loss only; no earlier incidents
    are told.
    """

    case: Case
    as_of: date
    set_aside: tuple[tuple[date, Figure], ...] = ()
    year_starts: tuple[int, int] = (4, 1)

    @property
    def currency(self) -> str:
        """Yen."""
        return JPY

    def fiscal_year(self, back: int = 0) -> Period:
        """See `Facts`."""
        return fiscal_year(self.as_of, self.year_starts, back)

    def volume(self, line: str, period: Period) -> Figure:
        """See `Facts`."""
        stated = self.case.size.volumes
        return total(
            [one.amount for one in stated if one.line == line and one.start in period and one.end in period], JPY
        )

    def reserve_booked(self, kind: str, until: date, since: date = date.min) -> Figure:
        """See `Facts`."""
        lines = [amount for day, amount in self.set_aside if kind == "accrual" and since <= day <= until]
        return total(lines, JPY)

    def customer_assets(self) -> tuple[CustomerAsset, ...]:
        """See `Facts`."""
        found = []
        for held in self.case.size.held:
            cold, rest = held.cold, held.rest
            if held.asset != OTHER:
                price = self.price(held.asset)
                cold, rest = cold * price, rest * price
            found.append(CustomerAsset(held.asset, cold + rest, cold, rest))
        return tuple(found)

    def price(self, asset: str) -> Figure:
        """See `Facts`."""
        stated = {taken.asset: taken.worth for taken in self.case.assets} | dict(self.case.size.prices)
        return stated[asset] if asset in stated else self._no_price(asset)

    def average_price(self, asset: str, period: Period) -> Figure:
        """See `Facts`."""
        average = self.case.size.averages.get(asset)
        if average is None or average.over != f"{period.start}…{period.end}":
            return self._no_price(asset)
        # The count of days stands among its inputs, where regimes look for it.
        return ratio(average.price * average.days, average.days, PRICE_PLACES, Rounding.HALF_EVEN)

    def kept(self) -> tuple[Kept, ...]:
        """See `Facts`."""
        return tuple(
            Kept(
                held.asset,
                total([held.cold, held.rest], held.asset),
                held.cold,
                held.rest,
                *(total([], held.asset) for _ in range(2)),
            )
            for held in self.case.size.held
            if held.asset != OTHER
        )

    def unknown(self) -> tuple[Figure, ...]:
        """See `Facts`: what is kept besides is not told coin by coin."""
        if not any(held.asset == OTHER for held in self.case.size.held):
            return ()
        name = Name("other assets, coin by coin", "その他の銘柄（銘柄別）")
        return (hole(JPY, name, Name("they are not told coin by coin", "銘柄別の内訳がない")),)

    def net_losses(self, period: Period) -> Figure:
        """See `Facts`."""
        words = Name(
            f"net losses of earlier incidents, {period.start} to {period.end}",
            f"過去の事故の純損失（{period.start}〜{period.end}）",
        )
        source = Rule(
            self.case.id, "net_losses", "our assumption: the case tells of no earlier incident, and none is counted",
            "当社の仮定：事例に過去の事故の記載がないため0とする", Provenance.ASSUMPTION, self.case.happened_on.isoformat(),
        )  # fmt: skip
        return given(0, JPY, words, source, "net_losses")

    def grade(self, control: str) -> Grade | None:
        """See `Facts`."""
        return self.case.size.grades.get(control)

    def _no_price(self, asset: str) -> Figure:
        named = Name(f"price of {asset}", f"{asset}の価格")
        return hole(
            Unit.parse(f"{JPY}/{asset}"),
            named,
            Name(f"no such price of {asset} is stated", f"{asset}の当該価格の記載がない"),
        )
