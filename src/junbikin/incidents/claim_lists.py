"""Lists of claims for whoever works on them: everyone who is paid, out, returned, unclaimed or disputed, as a CSV file in one pass."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import numpy as np

from junbikin.books.claims import Approved, acts
from junbikin.books.database import Books
from junbikin.errors import BadInput
from junbikin.facts.engine import connect, identifier, literal
from junbikin.facts.engine import file as one_file
from junbikin.facts.run import Progress
from junbikin.incidents.claims import Reasons, files_of, followed, payees_of
from junbikin.incidents.disputes import Standing as DisputeStanding
from junbikin.incidents.disputes import disputes
from junbikin.incidents.notices import plainly, reason_words, register_standing
from junbikin.incidents.pay.statuses import Status
from junbikin.incidents.plan.document import check_files
from junbikin.incidents.standing import Standing

LISTS = ("paid", "out", "returned", "unclaimed", "disputed")
_STANDINGS = {
    "paid": Standing.SETTLED,
    "out": Standing.OUT,
    "returned": Standing.RETURNED,
    "unclaimed": Standing.UNPAID,
}
COLUMNS = "plan, number, account_id, asset, amount, run, reason"
"""Of payments: `reason` is why one came back, or why nobody could be paid."""


def write_list(books: Books, approved: list[Approved], which: str, to: Path, progress: Progress) -> int:
    """Writes everyone of some plans who stands so, by plan, asset and payment number, and returns how many.

    Nobody owed nothing is in it. Raises `BadInput` when the files of a plan are not in this home, or `to` is there already.
    """
    if to.exists():
        raise BadInput("it is there already", where=str(to), then="name another file")
    engine = connect(books.home.memory_limit)
    half = to.with_name(f".{to.name}.{os.getpid()}")
    try:
        engine.execute(
            "CREATE TEMP TABLE listed (plan VARCHAR, number BIGINT, account_id VARCHAR, asset VARCHAR, amount VARCHAR, "
            "run SMALLINT, reason VARCHAR)"
        )
        for plan in approved:
            _of_plan(engine, books, plan, which, progress)
        [(count,)] = engine.execute("SELECT count(*) FROM listed").fetchall()
        engine.execute(
            f"COPY (SELECT {COLUMNS} FROM listed ORDER BY plan, asset, number) TO {literal(str(half))} (FORMAT csv, HEADER)"
        )
    finally:
        engine.close()
    half.replace(to)
    return int(count)


def _of_plan(
    engine: duckdb.DuckDBPyConnection, books: Books, approved: Approved, which: str, progress: Progress
) -> None:
    files = files_of(books.home, approved)
    if files is None:
        raise BadInput(
            f"the files of plan {approved.plan[:12]} are not in this home", where=str(books.home.path),
            then="use the home in which the plan was made, or make it again from the same facts",
        )  # fmt: skip
    check_files(books.home, files, progress)
    told = acts(books, approved.plan)
    chunks, _ = followed(told)
    for leg in files.legs:
        mine = [chunk for (asset, _), chunk in sorted(chunks.items()) if asset == leg.asset]
        reasons = Reasons([act for act in told if act.asset == leg.asset])
        register_standing(engine, "stands", mine, reasons, leg.people)
        picked, why = _picked(engine, books, approved, leg.asset, which, reasons)
        engine.execute(
            f"INSERT INTO listed SELECT {literal(approved.plan)}, e.number, e.account_id, {literal(leg.asset)}, "
            f"{plainly(identifier(leg.asset), leg.decimals)}, s.run, {why} "
            f"FROM read_parquet({one_file(str(files.entitlements))}) e JOIN stands s USING (number) "
            f"WHERE {identifier(leg.asset)} > 0 AND {picked}"
        )
        engine.unregister("stands")


def _picked(
    engine: duckdb.DuckDBPyConnection, books: Books, approved: Approved, asset: str, which: str, reasons: Reasons
) -> tuple[str, str]:
    """SQL of who is in the list, and of why they are."""
    if which == "disputed":
        waiting = [each for each in disputes(books, approved.incident) if each.standing is DisputeStanding.FILED]
        among = ", ".join(literal(each.account) for each in waiting) or "NULL"
        return f"e.account_id IN ({among})", "''"
    where = f"s.status = {int(_STANDINGS[which])}"
    if which == "returned":
        return where, reason_words(reasons)
    payees = payees_of(books.home, approved) if which == "unclaimed" else None
    if payees is None or asset not in payees.counts:
        return where, "''"
    judged = np.array(payees.array(asset, "status"))
    engine.register("judged", {"number": np.arange(1, len(judged) + 1, dtype=np.int64), "judged": judged})
    words = "".join(f" WHEN {int(status)} THEN {literal(status.word)}" for status in Status)
    return where, f"(SELECT CASE j.judged{words} END FROM judged j WHERE j.number = e.number)"
