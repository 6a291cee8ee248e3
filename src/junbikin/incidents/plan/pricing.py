"""What an asset is worth under a rule, as a figure: a fixed price, the last of a source, or a volume-weighted average."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from junbikin.errors import BadInput
from junbikin.facts.engine import identifier, literal, parquet
from junbikin.facts.lake import Lake
from junbikin.facts.platform import moment
from junbikin.figures import Figure, Name, Stated, Unit, given, plain, ratio, total
from junbikin.figures.amounts import EXACT
from junbikin.incidents.plan.rule import Fixed, Last, Part, Vwap
from junbikin.reserve.sources import data_source

OWN = "own"
"""The source that is the operator's own trades, on its spot lines."""

_AT = identifier("at")
SPOT = "line IN ('spot_principal', 'spot_brokered', 'spot_venue')"
"""SQL of the operator's trades that are spot trades."""


@dataclass(frozen=True, slots=True)
class _Market:
    """An asset in the money that it is priced in."""

    lake: Lake
    asset: str
    quote: str

    @property
    def unit(self) -> Unit:
        return Unit.parse(self.quote) / Unit.parse(self.asset)

    @property
    def pair(self) -> str:
        return f"{self.asset}/{self.quote}"

    def missing(self, what: str, then: str) -> BadInput:
        """The refusal of a plan whose price is not there."""
        return BadInput(f"there is no price of {self.asset} in {self.quote}: {what}", then=then)


def price_of(lake: Lake, asset: str, part: Part) -> Figure | None:
    """The price of `asset` in what a part pays; None when it pays in kind.

    Raises `BadInput`, naming asset, time and the sources looked at, when there is none.
    """
    if part.price is None:
        return None
    market = _Market(lake, asset, part.pays)
    match part.price:
        case Fixed(value, source):
            found = given(
                value, market.unit, Name(f"price of {asset}, fixed", f"{asset}の価格（固定）"), Stated(source)
            )
        case Last():
            found = _last(market, part.price)
        case Vwap():
            found = _vwap(market, part.price)
    return found.named(f"plan.price.{part.pays}", found.name.en, found.name.ja)


def _last(market: _Market, rule: Last) -> Figure:
    home = market.lake.home
    day, oldest = _day(market.lake, rule.at), rule.at - timedelta(days=home.price_max_age_days)
    segments = market.lake.days("prices", _day(market.lake, oldest), day)
    paths = [str(home.facts / segment.file) for found in segments.values() for segment in found]
    rows = paths and market.lake.ask(
        f"SELECT epoch_us({_AT}), price FROM {parquet(paths)} WHERE asset = {literal(market.asset)} "
        f"AND quote = {literal(market.quote)} AND source = {literal(rule.source)} AND {_AT} <= {moment(rule.at)} "
        f"AND {_AT} >= {moment(oldest)} ORDER BY {_AT} DESC LIMIT 1"
    )
    if not rows:
        raise market.missing(
            f"none of the source {rule.source!r} at {rule.at.isoformat()} or in the {home.price_max_age_days} days before",
            "ingest the prices, or state another source or time in the rule",
        )
    [(microseconds, price)] = rows
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(microseconds))
    query = f"last {market.pair} by {rule.at.isoformat()}, source {rule.source}: of {at.isoformat()}"
    name = Name(f"price of {market.asset} at {rule.at.isoformat()}", f"{rule.at.isoformat()}の{market.asset}価格")
    return given(price, market.unit, name, data_source("prices", query, [[at, price]]))


def _vwap(market: _Market, rule: Vwap) -> Figure:
    """Σ price × quantity ÷ Σ quantity over the window, each sum exact, rounded once as the rule names."""
    span = f"{rule.since.isoformat()} … {rule.until.isoformat()}"
    sums = [_traded(market, rule, source, span) for source in rule.sources]
    value = total([notional for notional, _ in sums], market.quote).named(
        "plan.vwap.notional", f"price × quantity of {market.pair}, {span}", f"{market.pair}の約定代金（{span}）"
    )
    quantity = total([traded for _, traded in sums], market.asset).named(
        "plan.vwap.quantity", f"quantity of {market.pair}, {span}", f"{market.pair}の約定数量（{span}）"
    )
    return ratio(value, quantity, rule.decimals, rule.rounding).named(
        "", f"volume-weighted price of {market.asset}, {span}", f"{market.asset}の売買高加重平均価格（{span}）"
    )


def _traded(market: _Market, rule: Vwap, source: str, span: str) -> tuple[Figure, Figure]:
    dataset, only = ("trades", SPOT) if source == OWN else ("market_trades", f"source = {literal(source)}")
    segments = market.lake.days(dataset, _day(market.lake, rule.since), _day(market.lake, rule.until))
    paths = [str(market.lake.home.facts / segment.file) for found in segments.values() for segment in found]
    # The types are given: the engine would narrow the product. What is beyond 8 decimals is summed apart.
    rows = paths and market.lake.ask(
        "SELECT count(*), sum(quantity)::VARCHAR, sum(price::DECIMAL(38,8) * quantity::DECIMAL(38,8))::VARCHAR, "
        "sum(quantity_fine)::VARCHAR, "
        "coalesce(sum(price::DECIMAL(38,8) * quantity_fine::DECIMAL(38,18)) FILTER (WHERE quantity_fine <> 0), 0)::VARCHAR "
        f"FROM {parquet(paths)} WHERE {only} AND asset = {literal(market.asset)} AND quote = {literal(market.quote)} "
        f"AND executed_at >= {moment(rule.since)} AND executed_at < {moment(rule.until)}"
    )
    if not rows or not rows[0][0]:
        known = ", ".join(_sources(paths, market, dataset)) or "none"
        raise market.missing(
            f"the source {source!r} has no trade in {span} ({dataset}); sources with trades on those days: {known}",
            f"ingest {dataset} of those days, or name other sources or another window in the rule",
        )
    count, *sums = rows[0]
    quantity, notional, fine, fine_notional = (Decimal(number) for number in sums)
    traded, value = EXACT.add(quantity, fine), EXACT.add(notional, fine_notional)
    query = f"{market.pair} of {source}, {span}: {count} trades"
    where = data_source(dataset, query, [[source, count, plain(traded), plain(value)]])
    return (
        given(value, market.quote, Name(f"price × quantity on {source}", f"{source}の約定代金"), where),
        given(traded, market.asset, Name(f"quantity on {source}", f"{source}の約定数量"), where),
    )


def _sources(paths: list[str], market: _Market, dataset: str) -> list[str]:
    if dataset != "market_trades" or not paths:
        return []
    return [
        str(source)
        for (source,) in market.lake.ask(
            f"SELECT DISTINCT source FROM {parquet(paths)} WHERE asset = {literal(market.asset)} AND quote = {literal(market.quote)}"
        )
    ]


def _day(lake: Lake, at: datetime) -> date:
    return at.astimezone(lake.home.time_zone).date()
