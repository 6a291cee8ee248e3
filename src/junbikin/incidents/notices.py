"""Notices to customers (利用者への通知): what one is owed, how that is reached, how and whether it is paid; and all of them as one file.

How a notice looks is told elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import duckdb
import numpy as np

from junbikin.books.claims import Approved, acts, approved
from junbikin.books.database import Books
from junbikin.errors import BadInput
from junbikin.facts.engine import connect, identifier, literal
from junbikin.facts.engine import file as one_file
from junbikin.facts.run import Progress
from junbikin.figures import Figure, Rounding, plain
from junbikin.figures.amounts import EXACT, quotient
from junbikin.incidents.claims import Reasons, followed, payees_of
from junbikin.incidents.disputes import Dispute, disputes
from junbikin.incidents.incident import Incident, incident_of
from junbikin.incidents.pay.payees import Payees
from junbikin.incidents.pay.statuses import Status
from junbikin.incidents.plan.document import Plan, PlanLeg, check_files, derivation, read_plan
from junbikin.incidents.plan.shares import Scale
from junbikin.incidents.standing import Chunk, Sent, Standing, within


@dataclass(frozen=True, slots=True)
class Payee:
    """How somebody asked to be paid, as it was judged: of an account only the last three digits."""

    status: Status
    channel: str
    to: str


@dataclass(frozen=True, slots=True)
class Reached:
    """How an amount is reached: what was held, its share and price (None: in kind), what is made good of what all held (equal: all of
    it), that rounded down, the unit more of the largest remainders, the customer's remainder and the least that gets one, in units."""

    held: Figure
    share: Figure
    price: Figure | None
    made_good: Figure
    held_by_all: Figure
    down: Figure
    more: Figure
    remainder: Decimal
    least: Decimal

    @property
    def whole(self) -> bool:
        """Whether all that was held is made good."""
        return self.made_good == self.held_by_all


@dataclass(frozen=True, slots=True)
class Owed:
    """What one customer is owed in one asset: how it is reached, how it stands, how it was last sent (None: it was not), why it came
    back ("": it did not), and how they asked to be paid (None: nobody has judged it yet)."""

    leg: PlanLeg
    amount: Figure
    reached: Reached
    standing: Standing
    sent: Sent | None
    reason: str
    payee: Payee | None


@dataclass(frozen=True, slots=True)
class Notice:
    """Everything that one customer is told of one approved plan."""

    incident: Incident
    plan: Plan
    approved: Approved
    account: str
    owed: tuple[Owed, ...]
    disputes: tuple[Dispute, ...]


def approved_plan(books: Books, incident: str, name: str) -> tuple[Plan, Approved]:
    """The plan of this name with its approval. Raises `BadInput` when there is none, or it is not approved or was undone."""
    plan = read_plan(books.home, incident, name)
    found = approved(books, plan.digest)
    if found is None or found.reversed:
        raise BadInput(
            f"the plan {name} is not approved" if found is None else f"the plan {name} was undone",
            where=str(plan.folder), then="nobody is told of amounts that two people have not approved: `junbikin incident ask`",
        )  # fmt: skip
    return plan, found


def notice(books: Books, incident: str, name: str, account: str) -> Notice:
    """What one customer is told. Raises `BadInput` when the plan does not concern the account."""
    plan, approval = approved_plan(books, incident, name)
    amounts = derivation(books.home, plan, account)
    number = _number(books, plan, account)
    told = acts(books, plan.digest)
    chunks, _ = followed(told)
    payees = payees_of(books.home, approval)
    owed = []
    for leg, amount in zip(plan.legs, amounts, strict=True):
        reasons = Reasons([act for act in told if act.asset == leg.asset])
        payee, stands = _payee(books, payees, leg.asset, number), _stands(_chunk(chunks, leg, number), reasons, number)
        owed.append(Owed(leg, amount, _reached(plan, leg, amount), *stands, payee))
    mine = tuple(each for each in disputes(books, incident) if each.account == account)
    return Notice(incident_of(books, incident), plan, approval, account, tuple(owed), mine)


def _number(books: Books, plan: Plan, account: str) -> int:
    query = f"SELECT number FROM read_parquet({one_file(str(plan.entitlements))}) WHERE account_id = {literal(account)}"
    [(number,)] = connect(books.home.memory_limit).execute(query).fetchall()
    return int(number)


def _chunk(chunks: Mapping[tuple[str, int], Chunk], leg: PlanLeg, number: int) -> Chunk | None:
    return chunks.get((leg.asset, (number - 1) // leg.size + 1))


def _stands(chunk: Chunk | None, reasons: Reasons, number: int) -> tuple[Standing, Sent | None, str]:
    """How one payment stands, its last sending, and why it came back."""
    if chunk is None:
        return Standing.UNPAID, None, ""
    place = number - chunk.first
    standing = Standing(int(chunk.status[place]))
    reason = reasons.words[int(reasons.of(chunk)[place])] if standing is Standing.RETURNED else ""
    if standing is Standing.UNPAID:
        return standing, None, reason
    run = int(chunk.run[place])
    in_run = (sent for sent in chunk.sent if sent.run == run)
    mine = next(sent for sent in in_run if within(str(sent.says["numbers"]), chunk.first, chunk.people)[place])
    return standing, mine, reason


def _reached(plan: Plan, leg: PlanLeg, amount: Figure) -> Reached:
    down, more = amount.inputs
    held = down
    while held.inputs:
        held = held.inputs[0]
    told = leg.told
    worth = Fraction(held.known) * Fraction(told.share.known) * Fraction(told.price.known if told.price else 1)
    rest = worth * Fraction(plan.owed.known) / Fraction(plan.held.known) * 10**told.decimals % 1
    return Reached(
        held, told.share, told.price, plan.owed, plan.held, down, more,
        _decimal(rest), _decimal(Fraction(told.remainder, told.denominator)),
    )  # fmt: skip


def _decimal(part: Fraction) -> Decimal:
    """A part of a unit to eight decimals, rounded down."""
    return quotient(Decimal(part.numerator), Decimal(part.denominator), 8, Rounding.DOWN)


def _payee(books: Books, payees: Payees | None, asset: str, number: int) -> Payee | None:
    if payees is None or asset not in payees.counts:
        return None
    [(status, channel, to)] = (
        connect(books.home.memory_limit)
        .execute(f"SELECT status, coalesce(channel, ''), {_TO} FROM {payees.table(asset)} WHERE number = {number}")
        .fetchall()
    )
    return Payee(Status[str(status).upper()], str(channel), str(to))


_TO = (
    "CASE channel WHEN 'bank' THEN concat_ws('-', bank_code, branch_code, '…' || right(account_number, 3)) "
    "WHEN 'address' THEN concat_ws(' ', network, address) ELSE '' END"
)
"""Where a payee is paid: enough that they know it, and nobody else can use it."""

COLUMNS = (
    "incident, plan, account_id, number, asset, holding, holding_asset, share, price, made_good, held_by_all, rounded_down, unit_more, "
    "amount, standing, run, reason, channel, paid_to, payee"
)
"""Of the file of all notices. amount = rounded_down + unit_more, and rounded_down is
holding × share × price × made_good ÷ held_by_all, rounded down to the asset's unit."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a file of notices has: so many customers, each in each of the assets."""

    customers: int
    assets: tuple[str, ...]

    @property
    def rows(self) -> int:
        """One for each customer and asset."""
        return self.customers * len(self.assets)


def write_notices(books: Books, incident: str, name: str, to: Path, progress: Progress) -> Written:
    """Writes every number of everybody's derivation, by asset and payment number.

    Raises `BadInput` when the plan is not approved, or `to` is there already; `PositionProblem` when its files were altered.
    """
    if to.exists():
        raise BadInput("it is there already", where=str(to), then="name another file")
    plan, approval = approved_plan(books, incident, name)
    check_files(books.home, plan, progress)
    told = acts(books, plan.digest)
    chunks, _ = followed(told)
    payees = payees_of(books.home, approval)
    half = to.with_name(f".{to.name}.{os.getpid()}")
    engine = connect(books.home.memory_limit)
    try:
        parts = []
        for place, leg in enumerate(plan.legs):
            progress(f"notices of {leg.asset}", place / len(plan.legs))
            reasons = Reasons([act for act in told if act.asset == leg.asset])
            mine = [chunk for (asset, _), chunk in sorted(chunks.items()) if asset == leg.asset]
            register_standing(engine, f"stands_{place}", mine, reasons, leg.people)
            parts.append(_rows(engine, plan, leg, place, reasons, payees))
        engine.execute(
            f"COPY (SELECT {COLUMNS} FROM ({' UNION ALL '.join(parts)}) ORDER BY leg, number) "
            f"TO {literal(str(half))} (FORMAT csv, HEADER)"
        )
    finally:
        engine.close()
    half.replace(to)
    return Written(plan.people, tuple(leg.asset for leg in plan.legs))


def register_standing(
    engine: duckdb.DuckDBPyConnection, table: str, chunks: list[Chunk], reasons: Reasons, people: int
) -> None:
    """A table of every payment number with its standing, run and reason; those of chunks not recorded yet are not sent."""
    status, run, reason = np.zeros(people, np.uint8), np.zeros(people, np.int16), np.zeros(people, np.uint8)
    for chunk in chunks:
        some = slice(chunk.first - 1, chunk.first - 1 + chunk.people)
        status[some], run[some], reason[some] = chunk.status, chunk.run, reasons.of(chunk)
    numbers = np.arange(1, people + 1, dtype=np.int64)
    engine.register(table, {"number": numbers, "status": status, "run": run, "reason": reason})


def reason_words(reasons: Reasons) -> str:
    """SQL of the reason for which a payment of a registered standing came back, "" where it did not."""
    words = "".join(f" WHEN {code} THEN {literal(word)}" for code, word in enumerate(reasons.words))
    return f"CASE WHEN s.status = {int(Standing.RETURNED)} THEN CASE s.reason{words} END ELSE '' END" if words else "''"


def plainly(column: str, decimals: int) -> str:
    """SQL of a decimal column in plain digits without trailing zeros."""
    return f"rtrim(rtrim({column}::VARCHAR, '0'), '.')" if decimals else f"{column}::VARCHAR"


def _rows(
    engine: duckdb.DuckDBPyConnection, plan: Plan, leg: PlanLeg, place: int, reasons: Reasons, payees: Payees | None
) -> str:
    """SQL of one asset's rows: what the shares are before the largest remainders' unit is worked as the plan worked it."""
    source = f"read_parquet({one_file(str(plan.entitlements))})"
    digits = "rtrim(split_part(holding::VARCHAR, '.', 2), '0')"
    [(unit, most)] = engine.execute(f"SELECT max(length({digits})), max(holding) FROM {source}").fetchall()
    price = leg.told.price
    worth = (
        Fraction(10**leg.decimals, 10**unit) * Fraction(leg.told.share.known) * Fraction(price.known if price else 1)
        * Fraction(plan.owed.known) / Fraction(plan.held.known)
    )  # fmt: skip
    units = f"replace(holding::VARCHAR, '.', '')::HUGEINT // 1{'0' * (18 - unit)}::HUGEINT"
    owed = identifier(leg.asset)
    paid = f"replace({owed}::VARCHAR, '.', '')::HUGEINT"
    held = f"SELECT number, account_id, holding, {owed} AS amount, {units} AS units, {paid} AS paid FROM {source}"
    shares = Scale.of(worth, int(EXACT.scaleb(most, unit))).worked(held, "units", "whole", "rest")
    one = plain(Decimal(1).scaleb(-leg.decimals))
    more = f"CASE WHEN paid > whole THEN {one} ELSE 0 END"
    standing = "".join(f" WHEN {int(each)} THEN {literal(each.name.lower())}" for each in Standing)
    judged, payee = _judged(payees, leg.asset)
    values = {
        "leg": str(place), "incident": literal(plan.incident), "plan": literal(plan.digest), "account_id": "account_id", "number": "e.number",
        "asset": literal(leg.asset), "holding": plainly("holding", 18), "holding_asset": literal(str(plan.held.unit)),
        "share": literal(plain(leg.told.share.known)), "price": literal(plain(price.known) if price else "1"),
        "made_good": literal(plain(plan.owed.known)), "held_by_all": literal(plain(plan.held.known)),
        "rounded_down": plainly(f"(amount - {more})", leg.decimals), "unit_more": f"CASE WHEN paid > whole THEN {literal(one)} ELSE '0' END",
        "amount": plainly("amount", leg.decimals),
        "standing": f"CASE s.status{standing} END", "run": "s.run", "reason": reason_words(reasons), **payee,
    }  # fmt: skip
    return f"SELECT {', '.join(f'{sql} AS {name}' for name, sql in values.items())} FROM ({shares}) e JOIN stands_{place} s USING (number){judged}"


def _judged(payees: Payees | None, asset: str) -> tuple[str, dict[str, str]]:
    if payees is None or asset not in payees.counts:
        return "", {"channel": "''", "paid_to": "''", "payee": "''"}
    table = f" LEFT JOIN (SELECT number, status AS judged, channel, {_TO} AS paid_to FROM {payees.table(asset)}) j USING (number)"
    return table, {"channel": "coalesce(channel, '')", "paid_to": "paid_to", "payee": "judged"}
