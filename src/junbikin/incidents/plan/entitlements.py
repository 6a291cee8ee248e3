"""Entitlements (補償額): what each affected customer is owed, as one file in the order of payment numbers, and the digests of its chunks."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb
import rfc8785

from junbikin.errors import PositionProblem
from junbikin.facts.engine import file as one_file
from junbikin.facts.engine import identifier, literal
from junbikin.facts.run import Progress
from junbikin.incidents.plan.shares import Split

CHUNK = 250_000
"""Payments that go into the books as one record."""

FILE = "entitlements.parquet"


@dataclass(frozen=True, slots=True)
class Leg:
    """What is paid in one asset: how its total, in units of `decimals`, is split over the holders."""

    asset: str
    decimals: int
    split: Split


@dataclass(frozen=True, slots=True)
class Chunks:
    """A leg as the books accept it: its sum, and the digest of each chunk of it, from the first."""

    asset: str
    total: Decimal
    people: int
    digests: tuple[str, ...]


def sql_type(asset: str, decimals: int) -> str:
    """The type of an asset's column."""
    return "DECIMAL(18,0)" if asset == "JPY" else f"DECIMAL(38,{decimals})"


HOLDERS = "work.holders"
"""The table of holders while a plan is made: `account_id`, `holding` and `units`, the holding as a whole number; in the order of the accounts."""

NUMBERED = f"SELECT rowid + 1 AS number, * FROM {HOLDERS}"
"""SQL of the holders with their payment numbers."""


def write(engine: duckdb.DuckDBPyConnection, legs: Sequence[Leg], to: Path) -> None:
    """Writes what each of the holders is owed."""
    columns = "".join(f", {_amount(f'owed_{place}', leg)} AS {identifier(leg.asset)}" for place, leg in enumerate(legs))
    rows = NUMBERED
    for place, leg in enumerate(legs):
        rows = leg.split.worked(rows, "units", f"owed_{place}")
    engine.execute(
        f"COPY (SELECT number, account_id, holding{columns} FROM ({rows})) TO {literal(str(to))} (FORMAT parquet)"
    )


def _amount(units: str, leg: Leg) -> str:
    """SQL of whole units of an asset as its amount."""
    kind = sql_type(leg.asset, leg.decimals)
    if leg.decimals == 0:
        return f"{units}::{kind}"
    one = f"{literal(format(Decimal(1).scaleb(-leg.decimals), 'f'))}::DECIMAL({leg.decimals},{leg.decimals})"
    if leg.split.total < 10 ** (38 - leg.decimals):
        return f"({units}::DECIMAL({38 - leg.decimals},0) * {one})::{kind}"
    under = f"{10**leg.decimals}::HUGEINT"
    return f"({units} // {under})::{kind} + (({units} % {under})::DECIMAL({leg.decimals},0) * {one})::{kind}"


def chunks(
    engine: duckdb.DuckDBPyConnection, entitlements: Path, assets: Sequence[str], size: int, progress: Progress
) -> tuple[Chunks, ...]:
    """The sum and the chunks' digests of each asset's column."""
    sums = ", ".join(f"sum({identifier(asset)})" for asset in assets)
    [(people, *totals)] = engine.execute(f"SELECT count(*), {sums} FROM {_in(entitlements)}").fetchall()
    firsts = range(1, people + 1, size)
    found: dict[str, list[str]] = {asset: [] for asset in assets}
    for chunk, first in enumerate(firsts, 1):
        progress("digests of the chunks", chunk / len(firsts))
        last = min(first + size - 1, people)
        for asset in assets:
            accounts, amounts = chunk_columns(engine, entitlements, asset, first, last)
            says = chunk_says(asset, chunk, first, last - first + 1, accounts)
            found[asset].append(digest_of(says, amounts))
    return tuple(
        Chunks(asset, Decimal(total or 0), people, tuple(found[asset]))
        for asset, total in zip(assets, totals, strict=True)
    )


def chunk_columns(
    engine: duckdb.DuckDBPyConnection, entitlements: Path, asset: str, first: int, last: int
) -> tuple[str, str]:
    """Of the payments `first` to `last`: the SHA-256 of their accounts, and their amounts as a literal of `numeric[]`.

    Amounts are plain digits without trailing zeros. What was looked at stays in the engine as the table `chunk` (number, account_id,
    amount). Raises `PositionProblem` when the file cannot be read or does not have just these payments.
    """
    try:
        engine.execute(
            f"CREATE OR REPLACE TEMP TABLE chunk AS SELECT number, account_id, {identifier(asset)} AS amount "
            f"FROM {_in(entitlements)} WHERE number BETWEEN {first} AND {last} ORDER BY number"
        )
    except duckdb.Error as problem:
        raise _not_whole(entitlements, str(problem).splitlines()[0]) from None
    [(kind,)] = engine.execute("SELECT typeof(amount) FROM chunk LIMIT 1").fetchall() or [("",)]
    written = "amount::VARCHAR" if kind.endswith(",0)") else "rtrim(rtrim(amount::VARCHAR, '0'), '.')"
    [(people, accounts, amounts)] = engine.execute(
        "SELECT count(DISTINCT number), sha256(string_agg(account_id, chr(10) ORDER BY number)), "
        f"string_agg({written}, ',' ORDER BY number) FROM chunk"
    ).fetchall()
    if people != last - first + 1:
        raise _not_whole(entitlements, f"of the payments {first} to {last} there are {people}")
    return str(accounts), "{" + str(amounts) + "}"


def _not_whole(entitlements: Path, what: str) -> PositionProblem:
    return PositionProblem(
        f"the file of everyone's amounts is not whole: {what}", where=str(entitlements),
        then="restore it from a backup; while nobody was asked to approve the plan, make it again with `junbikin incident plan`",
    )  # fmt: skip


def chunk_says(asset: str, chunk: int, first: int, people: int, accounts: str) -> str:
    """What the record of a chunk's entitlements says, as canonical JSON; `accounts` is the SHA-256 of its account ids."""
    says = {"accounts": accounts, "asset": asset, "chunk": str(chunk), "first": str(first), "people": str(people)}
    return rfc8785.dumps(says).decode()


def digest_of(says: str, amounts: str) -> str:
    """The digest by which a chunk is approved: of what its record says and of its amounts, a literal of `numeric[]`."""
    entries = hashlib.sha256(f"\n{amounts[1:-1]}".encode()).hexdigest()
    return hashlib.sha256(f"{says}\n{entries}".encode()).hexdigest()


def _in(entitlements: Path) -> str:
    return f"read_parquet({one_file(str(entitlements))})"
