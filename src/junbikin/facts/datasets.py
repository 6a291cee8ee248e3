"""The datasets: which columns each has, of what type, within which limits, and what makes a row unique."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from junbikin.errors import BadInput
from junbikin.facts.engine import identifier


class Kind(Enum):
    """What a column holds."""

    TEXT = "text"
    SYMBOL = "symbol"  # an asset's or currency's code
    CHOICE = "choice"
    CHOICES = "choices"  # several of a choice, joined by |
    NUMBER = "number"
    INSTANT = "instant"
    DATE = "date"
    BOOLEAN = "boolean"


class Sign(Enum):
    """Which numbers are possible."""

    ABOVE_ZERO = "above zero"
    NOT_NEGATIVE = "zero or above"
    ANY = "any number"


@dataclass(frozen=True, slots=True)
class Column:
    """One column. A NUMBER has at most `whole` digits before the point and `decimals` after it.

    A `fine` number is stored in two columns, `name` cut to 8 decimals and `name_fine` with the rest, so
    that the usual product stays in fast 128-bit arithmetic and the unusual one stays exact: the number is
    their sum.
    """

    name: str
    kind: Kind
    optional: bool = False
    choices: tuple[str, ...] = ()
    whole: int = 0
    decimals: int = 0
    sign: Sign = Sign.NOT_NEGATIVE
    fine: bool = False
    future: bool = False  # a date that may lie ahead, such as a policy's end

    @property
    def sql_type(self) -> str:
        """The DuckDB type that it is stored in (of the coarse part, for a fine number)."""
        if self.kind is Kind.NUMBER:
            decimals = COARSE_DECIMALS if self.fine else self.decimals
            return f"DECIMAL({self.whole + decimals},{decimals})"
        return {Kind.INSTANT: "TIMESTAMPTZ", Kind.DATE: "DATE", Kind.BOOLEAN: "BOOLEAN"}.get(self.kind, "VARCHAR")


COARSE_DECIMALS = 8
FINE_DECIMALS = 18
FINE_TYPE = f"DECIMAL({FINE_DECIMALS},{FINE_DECIMALS})"


@dataclass(frozen=True, slots=True)
class Dataset:
    """A table of facts: `key` columns make a row unique, `day` is the column whose day it is stored under."""

    name: str
    ja: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    day: str
    max_notional: int = 0  # of price × quantity, so that a day's sum always fits 38 digits

    def column(self, name: str) -> Column:
        """The column of that name. Raises `StopIteration` when there is none."""
        return next(column for column in self.columns if column.name == name)

    @property
    def stored(self) -> tuple[tuple[str, str], ...]:
        """Name and DuckDB type of each stored column, in order."""
        pairs: list[tuple[str, str]] = []
        for column in self.columns:
            pairs.append((column.name, column.sql_type))
            if column.fine:
                pairs.append((f"{column.name}_fine", FINE_TYPE))
        return tuple(pairs)

    @property
    def columns_sql(self) -> str:
        """The stored columns as an SQL list: quoted, since `at` is a keyword."""
        return ", ".join(identifier(name) for name, _ in self.stored)

    @property
    def key_within_day(self) -> bool:
        """Whether equal keys always fall on the same day, so that other days need no look."""
        return self.day in self.key


LINES = ("spot_principal", "spot_brokered", "spot_venue", "margin", "derivative")
OWNERS = ("customer", "guarantee", "reserve", "own")
STORAGES = ("hot", "cold", "trust", "bank")
CAUSES = ("hack", "unauthorised_outflow", "fraud", "unlawful_act", "clerical_error", "system_failure")
ASSET_KINDS = ("deposit", "government_bond", "crypto", "other")
ENTRY_KINDS = ("accrual", "use", "release")
FINANCIALS = ("net_assets", "fixed_overheads")
AUDITS = ("segregation", "guarantee")
PAYOUT_CHANNELS = ("bank", "account", "address")


def _text(name: str, *, optional: bool = False) -> Column:
    return Column(name, Kind.TEXT, optional)


def _symbol(name: str) -> Column:
    return Column(name, Kind.SYMBOL)


def _choice(name: str, choices: tuple[str, ...], *, optional: bool = False) -> Column:
    return Column(name, Kind.CHOICE, optional, choices)


def _amount(name: str, sign: Sign = Sign.NOT_NEGATIVE, *, optional: bool = False) -> Column:
    return Column(name, Kind.NUMBER, optional, whole=20, decimals=18, sign=sign)


def _date(name: str, *, optional: bool = False, future: bool = False) -> Column:
    return Column(name, Kind.DATE, optional, future=future)


def _flag(name: str) -> Column:
    return Column(name, Kind.BOOLEAN)


DATASETS: dict[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        Dataset(
            "trades", "約定",
            (
                _text("trade_id"),
                Column("executed_at", Kind.INSTANT),
                _symbol("asset"),
                _symbol("quote"),
                _choice("side", ("buy", "sell"), optional=True),
                Column("price", Kind.NUMBER, whole=10, decimals=8, sign=Sign.ABOVE_ZERO),
                Column("quantity", Kind.NUMBER, whole=12, decimals=FINE_DECIMALS, sign=Sign.ABOVE_ZERO, fine=True),
                _choice("line", LINES),
                _text("account_id", optional=True),
            ),
            key=("trade_id",), day="executed_at", max_notional=10**18,
        ),
        Dataset(
            "market_trades", "市場約定",
            (
                _text("source"),
                _text("trade_id"),
                Column("executed_at", Kind.INSTANT),
                _symbol("asset"),
                _symbol("quote"),
                Column("price", Kind.NUMBER, whole=10, decimals=8, sign=Sign.ABOVE_ZERO),
                Column("quantity", Kind.NUMBER, whole=12, decimals=FINE_DECIMALS, sign=Sign.ABOVE_ZERO, fine=True),
            ),
            key=("source", "trade_id"), day="executed_at", max_notional=10**18,
        ),
        Dataset(
            "customer_balances", "利用者残高",
            (_date("as_of"), _text("account_id"), _symbol("asset"), _amount("quantity")),
            key=("as_of", "account_id", "asset"), day="as_of",
        ),
        Dataset(
            "holdings", "保有残高",
            (
                _date("as_of"), _text("location_id"), _symbol("asset"), _amount("quantity"),
                _choice("owner", OWNERS), _choice("storage", STORAGES),
                _text("provider_id", optional=True), _text("evidence", optional=True),
            ),
            key=("as_of", "location_id", "asset", "owner"), day="as_of",
        ),
        Dataset(
            "balance_changes", "利用者残高の変動",
            (Column("changed_at", Kind.INSTANT), _text("account_id"), _symbol("asset"), _amount("quantity")),
            key=("changed_at", "account_id", "asset"), day="changed_at",
        ),
        Dataset(
            "statements", "残高証明",
            (
                _date("as_of"), _text("location_id"), _symbol("asset"), _amount("quantity"), _text("source"),
                _text("reference", optional=True), Column("stated_at", Kind.INSTANT, optional=True),
                _text("evidence", optional=True),
            ),
            key=("as_of", "location_id", "asset", "source"), day="as_of",
        ),
        Dataset(
            "prices", "価格",
            (
                _symbol("asset"), _symbol("quote"), Column("at", Kind.INSTANT),
                _amount("price", Sign.ABOVE_ZERO), _text("source"),
            ),
            key=("asset", "quote", "at", "source"), day="at",
        ),
        Dataset(
            "incidents", "事故・流出事案",
            (
                _text("incident_id"), _date("occurred_on"), _choice("cause", CAUSES),
                _choice("storage", STORAGES, optional=True), _amount("loss_jpy"), _amount("recovered_jpy"),
                _text("evidence", optional=True),
            ),
            key=("incident_id",), day="occurred_on",
        ),
        Dataset(
            "reserve_assets", "準備金資産",
            (
                _date("as_of"), _text("asset_id"), _choice("kind", ASSET_KINDS), _symbol("asset"),
                _amount("quantity"), _text("held_at"), _flag("dedicated"), _flag("on_trust"),
                _text("jurisdiction"), Column("realisable_days", Kind.NUMBER, whole=5),
                _text("evidence", optional=True),
            ),
            key=("as_of", "asset_id"), day="as_of",
        ),
        Dataset(
            "policies", "保険契約",
            (
                _date("as_of"), _text("policy_id"), _text("insurer"),
                _date("approved_on", optional=True), _date("effective_from", future=True),
                _date("effective_to", future=True), Column("causes", Kind.CHOICES, choices=CAUSES),
                Column("storages", Kind.CHOICES, choices=STORAGES), _amount("remaining_jpy"),
                _amount("deductible_jpy"), _text("evidence", optional=True),
            ),
            key=("as_of", "policy_id"), day="as_of",
        ),
        Dataset(
            "controls", "管理態勢の評価",
            (_date("as_of"), _text("control"), _text("grade"), _text("evidence", optional=True)),
            key=("as_of", "control"), day="as_of",
        ),
        Dataset(
            "reserve_entries", "準備金の増減",
            (
                _text("entry_id"), _date("effective_on"), _choice("kind", ENTRY_KINDS),
                _amount("amount_jpy", Sign.ABOVE_ZERO), _text("evidence", optional=True),
            ),
            key=("entry_id",), day="effective_on",
        ),
        Dataset(
            "financials", "財務数値",
            (_date("as_of"), _choice("item", FINANCIALS), _amount("amount_jpy", Sign.ANY), _text("evidence", optional=True)),
            key=("as_of", "item"), day="as_of",
        ),
        Dataset(
            "audits", "分別管理監査",
            (
                _date("audited_on"), _choice("kind", AUDITS), _text("auditor"), _date("period_end"),
                _text("evidence", optional=True),
            ),
            key=("audited_on", "kind"), day="audited_on",
        ),
        Dataset(
            "declared_volumes", "申告取引高",
            (
                _text("line"), _date("period_start"), _date("period_end"), _amount("amount_jpy"),
                _text("evidence", optional=True),
            ),
            key=("line", "period_start", "period_end"), day="period_end",
        ),
        Dataset(
            "payout_instructions", "払出先の指図",
            (
                _text("account_id"), Column("given_at", Kind.INSTANT), _choice("channel", PAYOUT_CHANNELS),
                _text("bank_code", optional=True), _text("branch_code", optional=True), _text("account_type", optional=True),
                _text("account_number", optional=True), _text("payee", optional=True), Column("asset", Kind.SYMBOL, optional=True),
                _text("network", optional=True), _text("address", optional=True),
            ),
            key=("account_id", "given_at", "asset"), day="given_at",
        ),
    )
}  # fmt: skip


def dataset_named(name: str) -> Dataset:
    """The dataset. Raises `BadInput` that lists the names there are."""
    if name not in DATASETS:
        raise BadInput(f"there is no dataset {name!r}", then="choose one of " + ", ".join(DATASETS))
    return DATASETS[name]
