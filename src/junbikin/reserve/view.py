"""Facts as formulas see them: sums and snapshots of the lake as figures, with a hole where something is unknown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property, reduce
from typing import TYPE_CHECKING, Any

from junbikin.calendars import Period, fiscal_year
from junbikin.facts.lake import Lake
from junbikin.facts.rollups import DayVolume, day_volumes
from junbikin.figures import Figure, Name, given, hole, plain, smallest, total
from junbikin.figures.amounts import EXACT
from junbikin.reserve.prices import Daily, Prices, daily_prices, mean_price
from junbikin.reserve.property import Property, read_property
from junbikin.reserve.sources import Snapshot, data_source
from junbikin.rulebooks.interface import CustomerAsset, Grade, Kept

if TYPE_CHECKING:
    from junbikin.reserve.ledger import Ledger


@dataclass(frozen=True)
class FactsView:
    """The facts of a lake on one day, as `junbikin.rulebooks.interface.Facts` asks for them.

    Figures are in the home's currency; prices older than the home allows are not used. Nothing later than
    `as_of` is seen. Where there is a `ledger`, reserve assets, entries and policies come from it, not from files.
    """

    lake: Lake
    as_of: date
    ledger: Ledger | None = None

    @property
    def currency(self) -> str:
        """What positions are stated in."""
        return self.lake.home.currency

    def fiscal_year(self, back: int = 0) -> Period:
        """The operator's fiscal year that holds `as_of`, or one before it."""
        return fiscal_year(self.as_of, self.lake.home.fiscal_year_starts, back)

    # Volume

    @cached_property
    def day_volumes(self) -> list[DayVolume]:
        """Every day's sums up to `as_of`."""
        return day_volumes(self.lake, date.min, self.as_of)

    def volume(self, line: str, period: Period) -> Figure:
        """What was traded on a line in a period: from trades, and what was declared without them."""
        traded = [v for v in self.day_volumes if v.line == line and date.fromisoformat(v.day) in period]
        parts = [
            self._traded(line, period, quote, [v for v in traded if v.quote == quote]) for quote in _quotes(traded)
        ]
        parts += self._declared(line, period)
        name = Name(f"volume of {line} in {period.name}", f"{period.name}の{line}取引高")
        key = f"volume.{line}.{period.name}"
        if not parts:
            source = data_source("trades", _volume_query(line, period, self.currency), [])
            return given(0, self.currency, name, source, key)
        return (parts[0] if len(parts) == 1 else total(parts, self.currency)).named(key, name.en, name.ja)

    def _traded(self, line: str, period: Period, quote: str, days: list[DayVolume]) -> Figure:
        if quote == self.currency:
            return self._notional(line, period, quote, days)
        by_day: dict[str, list[DayVolume]] = {}
        for volume in days:
            by_day.setdefault(volume.day, []).append(volume)
        lines = [
            self._notional(line, _one_day(day), quote, volumes) * self.price(quote, date.fromisoformat(day))
            for day, volumes in by_day.items()
        ]
        return total(lines, self.currency).named(
            "", f"{line} quoted in {quote}, at each day's price", f"{line}（{quote}建て、日々の価格で換算）"
        )

    def _notional(self, line: str, period: Period, quote: str, days: list[DayVolume]) -> Figure:
        rows = [[v.day, v.asset, v.trades, plain(v.quantity), plain(v.notional)] for v in days]
        amount = total_of(v.notional for v in days)
        source = data_source("trades", _volume_query(line, period, quote), rows)
        name = Name(f"{line} quoted in {quote}, {period.name}", f"{line}（{quote}建て）{period.name}")
        return given(amount, quote, name, source)

    def _declared(self, line: str, period: Period) -> list[Figure]:
        return [
            given(
                row["amount_jpy"],
                "JPY",
                Name(
                    f"declared volume of {line}, to {row['period_end']}",
                    f"{line}の申告取引高（{row['period_end']}まで）",
                ),
                data_source("declared_volumes", f"line = {line}, {row['period_start']}…{row['period_end']}", [row]),
            )
            for row in self.declared
            if row["line"] == line and row["period_start"] in period and row["period_end"] in period
        ]

    @cached_property
    def declared(self) -> list[dict[str, Any]]:
        """Every declared volume up to `as_of`."""
        return self.lake.rows("declared_volumes", self.lake.days("declared_volumes", end=self.as_of))

    # Prices

    @cached_property
    def _prices(self) -> Prices:
        """Prices of the days at which something is valued: `as_of`, and days of trades in other currencies."""
        traded = (date.fromisoformat(v.day) for v in self.day_volumes if v.quote != self.currency)
        return Prices(self.lake, frozenset({self.as_of, *traded}))

    def price(self, asset: str, day: date | None = None) -> Figure:
        """An asset's price in the home's currency on a day (None: `as_of`); a hole where there is none."""
        return self._prices.of(asset, day or self.as_of)

    def average_price(self, asset: str, period: Period) -> Figure:
        """The mean of an asset's last prices of each day of a period, over the days that have one."""
        if period not in self._daily:
            self._daily[period] = daily_prices(self.lake, period)
        return mean_price(self._daily[period], asset, self.currency, period)

    @cached_property
    def _daily(self) -> dict[Period, Daily]:
        return {}

    def valued(self, amount: Figure, asset: str) -> Figure:
        """An amount of an asset in the home's currency, at the day's price."""
        return amount if asset == self.currency else amount * self.price(asset)

    # Snapshots

    def snapshot(self, dataset: str) -> Snapshot:
        """The newest rows of a small dataset on or before `as_of`."""
        if self.ledger and dataset in self.ledger.datasets:
            return Snapshot(dataset, self.as_of, self.ledger.rows(dataset))
        day, days = self.lake.newest(dataset, self.as_of)
        return Snapshot(dataset, day, self.lake.rows(dataset, days))

    def snapshot_day(self, dataset: str) -> date | None:
        """The day of the newest snapshot on or before `as_of`."""
        return (
            self.as_of if self.ledger and dataset in self.ledger.datasets else self.lake.newest(dataset, self.as_of)[0]
        )

    def kept(self) -> tuple[Kept, ...]:
        """Every crypto-asset that customers are owed or that is kept for them, by name; holes where it is not known."""
        return self.property.kept

    def unknown(self) -> tuple[Figure, ...]:
        """A hole for each dataset of customers' property of which nothing is known."""
        return self.property.unknown

    def customer_assets(self) -> tuple[CustomerAsset, ...]:
        """What customers are owed of each crypto-asset, and how much of it cold storage covers.

        Money in the home's currency is not counted: it is held on trust under its own rule.
        """
        return self._customer_assets

    @cached_property
    def property(self) -> Property:
        """What customers are owed and what is kept, from the newest balances and holdings."""
        return read_property(self.lake, self.as_of)

    @cached_property
    def _customer_assets(self) -> tuple[CustomerAsset, ...]:
        unknown = self.unknown()
        if unknown:
            return (CustomerAsset("", unknown[0], unknown[0], unknown[0]),)
        return tuple(self._customer_asset(kept) for kept in self.kept())

    def _customer_asset(self, kept: Kept) -> CustomerAsset:
        asset, owed = kept.asset, kept.owed
        covered = smallest(kept.cold, owed).named(
            f"covered.{asset}", f"{asset} owed and in cold", f"{asset}債務のコールド分"
        )
        return CustomerAsset(
            asset,
            self.valued(owed, asset).named(f"owed_value.{asset}", f"{asset} owed, in money", f"{asset}債務の評価額"),
            self.valued(covered, asset).named(f"cold.{asset}", f"{asset} in cold storage", f"{asset}（コールド）"),
            self.valued(owed - covered, asset).named(f"rest.{asset}", f"{asset} elsewhere", f"{asset}（その他）"),
        )

    # Reserve entries, incidents, controls

    def reserve_booked(self, kind: str, until: date, since: date = date.min) -> Figure:
        """The sum of the reserve's entries of a kind between two days, both included."""
        last = min(until, self.as_of)
        if self.ledger:
            rows, currency = self.ledger.reserve_entries, self.currency
            rows = [row for row in rows if since <= row["effective_on"] <= last]
        else:
            rows = self.lake.rows("reserve_entries", self.lake.days("reserve_entries", since, last))
            currency = "JPY"
        mine = [row for row in rows if row["kind"] == kind]
        query = f"sum of {kind} until {until}" if since == date.min else f"sum of {kind}, {since}…{until}"
        source = data_source("reserve_entries", query, mine)
        ja = {"accrual": "積立", "use": "使用", "release": "取崩"}[kind]
        name = Name(f"{kind} until {until}", f"{until}までの{ja}")
        return given(total_of(row["amount_jpy"] for row in mine), currency, name, source, f"booked.{kind}")

    def net_losses(self, period: Period) -> Figure:
        """Losses of the period's incidents less what was recovered of each; a hole for each part that is not known.

        Incidents come from files and from the books; where both have one of the same id, the books say what it took.
        """
        parts = [
            (self._lost(row, "loss", by) - self._lost(row, "recovered", by)).named(
                f"loss.{row['incident_id']}", f"net loss of {row['incident_id']}", f"{row['incident_id']}の純損失"
            )
            for row, by in self._incidents(Period(period.name, period.start, min(period.end, self.as_of)))
        ]
        if not parts:
            source = data_source("incidents", f"incidents {period.start}…{period.end}", [])
            return given(
                0, self.currency, Name("net losses: no incident known", "純損失：事故の記録なし"), source, "net_losses"
            )
        return total(parts, self.currency).named(
            "net_losses", f"net losses, {period.start} to {period.end}", f"純損失（{period.start}〜{period.end}）"
        )

    def _incidents(self, period: Period) -> list[tuple[dict[str, Any], str]]:
        """The incidents of a period, those of files first, each with what its source is called."""
        on_record = {row["incident_id"]: row for row in self.ledger.incidents} if self.ledger else {}
        ingested = self.lake.rows("incidents", self.lake.days("incidents", period.start, period.end))
        instead = {row["incident_id"] for row in ingested} & on_record.keys()
        found = [(row, "") for row in ingested if row["incident_id"] not in on_record]
        return found + [
            (row, ", by the books instead of the file" if id in instead else ", by the books")
            for id, row in on_record.items()
            if row["occurred_on"] in period
        ]

    def _lost(self, row: dict[str, Any], part: str, by: str) -> Figure:
        of, amount = row["incident_id"], row[f"{part}_jpy"]
        ja = {"loss": "損失", "recovered": "回収"}[part]
        name = Name(f"{part} of {of}", f"{of}の{ja}")
        unit = self.currency if by else "JPY"
        if amount is None:
            why = Name(
                f"the {part} of {of} is not known: state it with `junbikin incident`",
                f"{of}の{ja}が不明：`junbikin incident` で入力する",
            )
            return hole(unit, name, why)
        return given(amount, unit, name, data_source("incidents", f"{part} of {of}{by}", [row]))

    @cached_property
    def _controls(self) -> dict[str, dict[str, Any]]:
        rows = self.lake.rows("controls", self.lake.days("controls", end=self.as_of))
        return {row["control"]: row for row in sorted(rows, key=lambda row: str(row["as_of"]))}

    def grade(self, control: str) -> Grade | None:
        """The newest grade of a control on or before `as_of`."""
        row = self._controls.get(control)
        if row is None:
            return None
        return Grade(row["grade"], data_source("controls", f"{control}, as of {row['as_of']}", [row]))


def total_of(numbers: Iterable[Decimal]) -> Decimal:
    """The exact sum of decimals."""
    return reduce(EXACT.add, numbers, Decimal(0))


def _quotes(volumes: list[DayVolume]) -> list[str]:
    return sorted({volume.quote for volume in volumes})


def _one_day(day: str) -> Period:
    return Period(day, date.fromisoformat(day), date.fromisoformat(day))


def _volume_query(line: str, period: Period, quote: str) -> str:
    return f"sum of price × quantity, line = {line}, quote = {quote}, days {period.start}…{period.end}"
