"""Taking in what a bank or custodian answers: each answer is matched with the payment that it is about, and what is new goes on record.

Every answer read is new, a duplicate, or refused with its line and why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from junbikin.books.batch import Entries
from junbikin.books.claims import Approved, acts, record_result
from junbikin.books.journal import account_numbers
from junbikin.facts.engine import connect, identifier, literal
from junbikin.facts.engine import file as one_file
from junbikin.facts.run import Progress
from junbikin.figures import plain
from junbikin.figures.amounts import EXACT
from junbikin.incidents.pay.answers import read_answers
from junbikin.incidents.pay.files import digest_of
from junbikin.incidents.pay.order import RUNS, plan_code
from junbikin.incidents.pay.paying_bank import PayingBank
from junbikin.incidents.pay.run import AT_ONCE, Leg, Payer, leg_of
from junbikin.incidents.standing import Chunk, Mask, Standing, fold, numbers


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a file's answers: `read` = `settled` + `returned` + `duplicates` + `refused`. Those refused are in `refusals`."""

    read: int
    settled: int
    returned: int
    duplicates: int
    refused: int
    totals: Mapping[str, tuple[Decimal, Decimal]]
    """Asset → what was settled, and what was returned."""
    reasons: Mapping[str, int]
    refusals: Path | None


@dataclass(frozen=True, slots=True)
class _Part:
    """The part of the answers that is about one leg of a plan, and the chunks that it may touch."""

    approved: Approved
    leg: Leg
    chunks: Mapping[int, Chunk]


def take_in(
    by: Payer,
    plans: Sequence[tuple[Approved, Path]],
    answers: Path,
    form: str,
    bank: PayingBank | None,
    at: datetime | None,
    progress: Progress,
) -> Taken:
    """Puts on record what a file answers about payments of approved plans, each with its entitlements' file, and the money that moves.

    `at` is when the bank or custodian did it; None: when it is recorded. The same file again changes nothing.
    Raises `SourceRefused` when the file is not whole.
    """
    home = by.books.home
    progress("reading answers", 0.0)
    source = digest_of(answers)
    engine = connect(home.memory_limit)
    try:
        read_answers(engine, answers, form, bank)
        progress("matching answers", 0.3)
        engine.execute(_FATES)
        parts = list(_parts(engine, by, plans))
        for place, part in enumerate(parts):
            _match(engine, place, part)
        engine.execute(_STRANGE)
        taken = _taken(engine, [part.leg.asset for part in parts], home.path / "incidents" / "answers", source)
        for place, part in enumerate(parts):
            _record(by, part, list(_news(engine, place, part)), source, at, progress)
        return taken
    finally:
        engine.close()


def _parts(engine: duckdb.DuckDBPyConnection, by: Payer, plans: Sequence[tuple[Approved, Path]]) -> Iterator[_Part]:
    known = {plan_code(approved.plan): (approved, parquet) for approved, parquet in plans}
    of = f"SELECT asset, order_code // {RUNS} AS code, min(number), max(number) FROM answers GROUP BY ALL ORDER BY ALL"
    for asset, code, low, high in engine.execute(of).fetchall():
        if code in known and asset in known[code][0].claimants:
            approved, parquet = known[code]
            chunks = [
                chunk for (paid, _), chunk in fold(acts(by.books, approved.plan)).items()
                if paid == asset and chunk.first <= high and low < chunk.first + chunk.people
            ]  # fmt: skip
            yield _Part(approved, leg_of(approved, asset, parquet), {chunk.chunk: chunk for chunk in chunks})


_FATES = """
CREATE TEMP TABLE fates (line BIGINT, part INT, number BIGINT, amount DECIMAL(38,18), outcome VARCHAR, reason VARCHAR, late BOOLEAN, why VARCHAR)
"""
"""What becomes of each answer: `why` says why it is refused; '' is a duplicate, NULL what is new, `late` what had been settled before."""

_STRANGE = """
INSERT INTO fates SELECT line, NULL, number, amount, outcome, reason, false, 'no approved plan of this incident made this payment'
FROM answers ANTI JOIN fates USING (line)
"""

_MATCH = f"""
INSERT INTO fates
SELECT a.line, $part, a.number, coalesce(s.amount, a.amount), a.outcome, a.reason, s.status = {Standing.SETTLED:d}, CASE
    WHEN s.number IS NULL OR s.run = 0 OR a.order_code % {RUNS} > s.run THEN 'no such payment was sent'
    WHEN a.order_code % {RUNS} < s.run THEN 'the payment was sent again since: this is about an earlier sending'
    WHEN a.amount <> s.amount THEN 'the amount is not what was sent: ' || s.amount
    WHEN t.differ THEN 'the file answers this payment differently on another line'
    WHEN s.status = {Standing.RETURNED:d} AND a.outcome = 'settled' THEN 'the payment has come back already'
    WHEN a.line > t.line OR s.status = {Standing.SETTLED:d} AND a.outcome = 'settled' OR s.status = {Standing.RETURNED:d} THEN ''
    END
FROM answers a LEFT JOIN sent s USING (number) LEFT JOIN twice t USING (order_code, number)
WHERE a.asset = $asset AND a.order_code // {RUNS} = $code
"""


def _match(engine: duckdb.DuckDBPyConnection, place: int, part: _Part) -> None:
    leg, chunks = part.leg, [part.chunks[number] for number in sorted(part.chunks)]
    none = np.zeros(0, np.int64)
    engine.register(
        "standing",
        {
            "number": np.concatenate([none, *(np.arange(c.first, c.first + c.people) for c in chunks)]),
            "status": np.concatenate([none.astype(np.uint8), *(c.status for c in chunks)]),
            "run": np.concatenate([none.astype(np.int16), *(c.run for c in chunks)]),
        },
    )
    low, high = (chunks[0].first, chunks[-1].first + chunks[-1].people - 1) if chunks else (0, -1)
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE sent AS SELECT number, status, run, {identifier(leg.asset)} AS amount "
        f"FROM standing JOIN (FROM read_parquet({one_file(str(leg.parquet))}) WHERE number BETWEEN {low} AND {high}) USING (number)"
    )
    engine.unregister("standing")
    only = {"asset": leg.asset, "code": plan_code(part.approved.plan)}
    _find_twice(engine, only)
    engine.execute(_MATCH, only | {"part": place})


_MINE = f"FROM answers WHERE asset = $asset AND order_code // {RUNS} = $code"


def _find_twice(engine: duckdb.DuckDBPyConnection, only: Mapping[str, Any]) -> None:
    """Payments that the file answers more than once: the first line, and whether the answers differ."""
    answered = np.sort(engine.execute(f"SELECT number {_MINE}", only).fetchnumpy()["number"])
    engine.register("repeated", {"number": np.unique(answered[1:][answered[1:] == answered[:-1]])})
    engine.execute(
        "CREATE OR REPLACE TEMP TABLE twice AS SELECT order_code, number, min(line) AS line, "
        "count(DISTINCT (outcome, reason)) > 1 AS differ "
        f"{_MINE} AND number IN (SELECT number FROM repeated) GROUP BY order_code, number",
        only,
    )
    engine.unregister("repeated")


def _taken(engine: duckdb.DuckDBPyConnection, assets: Sequence[str], folder: Path, source: str) -> Taken:
    [(fates, duplicates, wrong)] = engine.execute(
        "SELECT count(*), count(*) FILTER (WHERE why = ''), count(*) FILTER (WHERE why <> '') FROM fates"
    ).fetchall()
    [(unread,)] = engine.execute("SELECT count(*) FROM refused_answers").fetchall()
    totals = {asset: (Decimal(0), Decimal(0)) for asset in assets}
    people = {"settled": 0, "returned": 0}
    sums = "SELECT part, outcome, count(*), sum(amount) FROM fates WHERE why IS NULL GROUP BY ALL"
    for part, outcome, count, total in engine.execute(sums).fetchall():
        settled, returned = totals[assets[part]]
        totals[assets[part]] = (total, returned) if outcome == "settled" else (settled, total)
        people[outcome] += count
    reasons = engine.execute(
        "SELECT reason, count(*) FROM fates WHERE why IS NULL AND outcome = 'returned' GROUP BY 1 ORDER BY 2 DESC, 1"
    ).fetchall()
    refusals = _refusals(engine, folder / f"refused-{source[:12]}.csv") if wrong or unread else None
    return Taken(
        fates + unread, people["settled"], people["returned"], duplicates, wrong + unread, totals, dict(reasons), refusals
    )  # fmt: skip


def _refusals(engine: duckdb.DuckDBPyConnection, listed: Path) -> Path:
    listed.parent.mkdir(parents=True, exist_ok=True)
    engine.execute(
        "COPY (SELECT line, text, why FROM refused_answers UNION ALL "
        "SELECT line, concat_ws(' ', number, amount, outcome, reason), why FROM fates WHERE why <> '' ORDER BY line) "
        f"TO {literal(str(listed))} (HEADER)"
    )
    return listed


@dataclass(slots=True)
class _News:
    """What is new of one chunk and run."""

    chunk: Chunk
    run: int
    people: int = 0
    settled: str = "{}"
    settled_total: Decimal = Decimal(0)
    returned: dict[str, str] = field(default_factory=dict)
    returned_total: Decimal = Decimal(0)
    late_total: Decimal = Decimal(0)
    """Of what came back, the part that had been settled."""


def _news(engine: duckdb.DuckDBPyConnection, place: int, part: _Part) -> Iterator[_News]:
    """What is new, chunk by chunk and run by run."""
    reasons = [
        reason for (reason,) in engine.execute(
            "SELECT DISTINCT reason FROM fates WHERE part = $part AND why IS NULL AND outcome = 'returned' ORDER BY 1", {"part": place}
        ).fetchall()
    ]  # fmt: skip
    coded = "CASE outcome WHEN 'settled' THEN 1 ELSE 1 + list_position($reasons, reason) END::SMALLINT"
    fresh = f"SELECT number, amount, late, {coded} AS code FROM fates WHERE part = $part AND why IS NULL"
    values = {"part": place, "reasons": reasons}
    found = engine.execute(f"SELECT number, code FROM ({fresh})", values).fetchnumpy()
    answer = np.zeros(part.leg.people, np.int16)
    answer[found["number"] - 1] = found["code"]
    sums = engine.execute(
        f"SELECT (number - 1) // {part.leg.size} + 1, run, code, sum(f.amount), coalesce(sum(f.amount) FILTER (WHERE late), 0) "
        f"FROM ({fresh}) f JOIN sent USING (number) GROUP BY ALL",
        values,
    ).fetchall()
    totals = {(chunk, run, code): (total, late) for chunk, run, code, total, late in sums}
    for number in sorted({chunk for chunk, _, _ in totals}):
        chunk = part.chunks[number]
        mine = answer[chunk.first - 1 : chunk.first - 1 + chunk.people]
        for run in sorted({run for of, run, _ in totals if of == number}):
            yield _one_run(chunk, run, np.where(chunk.run == run, mine, 0), reasons, totals)


def _one_run(
    chunk: Chunk,
    run: int,
    answer: NDArray[np.int16],
    reasons: Sequence[str],
    totals: Mapping[tuple[int, int, int], tuple[Decimal, Decimal]],
) -> _News:
    news = _News(chunk, run, int(np.count_nonzero(answer)))

    def of(code: int) -> tuple[str, Decimal, Decimal]:
        mask: Mask = answer == code
        return numbers(mask, chunk.first), *totals.get((chunk.chunk, run, code), (Decimal(0), Decimal(0)))

    news.settled, news.settled_total, _ = of(1)
    for code, reason in enumerate(reasons, 2):
        some, total, late = of(code)
        if total:
            news.returned[reason] = some
            news.returned_total = EXACT.add(news.returned_total, total)
            news.late_total = EXACT.add(news.late_total, late)
    return news


def _record(
    by: Payer, part: _Part, news: Sequence[_News], source: str, at: datetime | None, progress: Progress
) -> None:
    if not news:
        return
    asset, plan = part.leg.asset, part.approved.plan
    claimant = part.approved.claimants[asset].number
    [outside] = account_numbers(by.books, [f"outside/{asset}/world"])

    def record(new: _News) -> None:
        channel = next(sent.channel for sent in new.chunk.sent if sent.run == new.run)
        says: dict[str, Any] = {
            "asset": asset,
            "channel": channel,
            "chunk": str(new.chunk.chunk),
            "people": str(new.people),
            "returned": new.returned,
            "returned_total": plain(new.returned_total),
            "run": str(new.run),
            "settled": new.settled,
            "settled_total": plain(new.settled_total),
            "source": source,
        }
        paid, back = _moved(claimant, outside, new.settled_total), _moved(outside, claimant, new.late_total)
        record_result(by.books, by.who, f"{plan}:{asset}:{new.chunk.chunk}", at, says, paid, back, by.why)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done, _ in enumerate(pool.map(record, news), 1):
            progress("recording answers", 0.5 + 0.5 * done / len(news))


def _moved(payer: int, receiver: int, amount: Decimal) -> Entries | None:
    return Entries.of([payer, receiver], [EXACT.minus(amount), amount]) if amount else None
