"""Taking in what a bank or custodian answers: each answer is matched with the payment that it is about, and what is new goes on record.

Every answer read is new, a duplicate, or refused with its line and why.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from threading import Lock

import duckdb

from junbikin.books.batch import Entries
from junbikin.books.claims import Approved, acts_of, record_result
from junbikin.books.journal import account_numbers
from junbikin.facts.engine import connect, literal
from junbikin.facts.run import Progress
from junbikin.figures.amounts import EXACT
from junbikin.incidents.answers.matching import MINE, Part, match
from junbikin.incidents.answers.news import News, news
from junbikin.incidents.answers.reading import read_answers
from junbikin.incidents.folders import answers_folder
from junbikin.incidents.pay.files import digest_of
from junbikin.incidents.pay.order import RUNS, plan_code
from junbikin.incidents.pay.paying_bank import PayingBank
from junbikin.incidents.pay.run import AT_ONCE, Leg, Payer, leg_of
from junbikin.incidents.standing import Chunk, fold


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
class Source:
    """Whose answers they are: in which form, of which paying bank (None: of a custodian, or a status report), and when what they tell
    was done (None: when it is recorded)."""

    form: str
    bank: PayingBank | None = None
    at: datetime | None = None


def take_in(
    by: Payer, plans: Sequence[tuple[Approved, Path]], files: Sequence[Path], source: Source, progress: Progress
) -> list[Taken]:
    """Puts on record what files answer about payments of an incident's approved plans, each with its entitlements' file, and the money
    that moves. A file again changes nothing.

    Raises `SourceRefused` when a file is not whole; others may have been taken in then.
    """
    turns, found = _Turns(), []
    refusals = answers_folder(by.books.home, plans[0][0].incident)

    def one(answers: Path) -> Taken:
        with closing(connect(by.books.home.memory_limit)) as engine:
            engine.execute("SET threads = 1")
            read_answers(engine, answers, source.form, source.bank)
            legs = list(_legs(engine, plans))
            with turns.taking((leg.plan, leg.asset, chunk) for leg in legs for chunk in leg.chunks):
                return _take(engine, by, legs, digest_of(answers), source.at, refusals)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for taken in pool.map(one, files):
            found.append(taken)
            read = sum(each.read for each in found)
            progress(f"taking answers in: {read:,}", len(found) / len(files))
    return found


class _Turns:
    """Lets one file at a time into a chunk: what it answers is matched with what was answered before."""

    def __init__(self) -> None:
        self._locks: defaultdict[tuple[str, str, int], Lock] = defaultdict(Lock)
        self._made = Lock()

    @contextmanager
    def taking(self, chunks: Iterable[tuple[str, str, int]]) -> Iterator[None]:
        """Waits until nobody else is in these chunks; they are taken in one order, so that nobody waits in a circle."""
        with ExitStack() as held:
            for chunk in sorted(set(chunks)):
                with self._made:
                    lock = self._locks[chunk]
                held.enter_context(lock)
            yield


@dataclass(frozen=True, slots=True)
class _Leg:
    """A leg of an approved plan that the answers are about, and the chunks that they touch."""

    approved: Approved
    leg: Leg
    chunks: tuple[int, ...]

    @property
    def plan(self) -> str:
        return self.approved.plan

    @property
    def asset(self) -> str:
        return self.leg.asset


def _legs(engine: duckdb.DuckDBPyConnection, plans: Sequence[tuple[Approved, Path]]) -> Iterator[_Leg]:
    known = {plan_code(approved.plan): (approved, parquet) for approved, parquet in plans}
    of = f"SELECT DISTINCT asset, order_code // {RUNS} AS code FROM answers ORDER BY ALL"
    for asset, code in engine.execute(of).fetchall():
        if code in known and asset in known[code][0].claimants:
            approved, parquet = known[code]
            leg = leg_of(approved, asset, parquet)
            chunks = f"SELECT DISTINCT (number - 1) // {leg.size} + 1 {MINE} AND number BETWEEN 1 AND {leg.people} ORDER BY 1"
            touched = engine.execute(chunks, {"asset": asset, "code": code}).fetchall()
            yield _Leg(approved, leg, tuple(chunk for (chunk,) in touched))


def _take(
    engine: duckdb.DuckDBPyConnection, by: Payer, legs: Sequence[_Leg], digest: str, at: datetime | None, refusals: Path
) -> Taken:
    parts = [Part(leg.approved, leg.leg, _standing(by, leg)) for leg in legs]
    tables = match(engine, parts)
    taken = _taken(engine, parts, tables, refusals / f"refused-{digest[:12]}.csv")
    for place, part in enumerate(parts):
        _record(by, part, list(news(engine, place, part)), digest, at)
    return taken


def _standing(by: Payer, leg: _Leg) -> dict[int, Chunk]:
    return {chunk.chunk: chunk for chunk in fold(acts_of(by.books, leg.plan, leg.asset, leg.chunks)).values()}


def _taken(engine: duckdb.DuckDBPyConnection, parts: Sequence[Part], tables: int, listed: Path) -> Taken:
    read = settled = returned = duplicates = wrong = 0
    totals = {part.leg.asset: (Decimal(0), Decimal(0)) for part in parts}
    reasons: Counter[str] = Counter()
    for place in range(tables):
        for known, good, reason, count, total in engine.execute(_COUNTS.format(place)).fetchall():
            read += count
            if known is not None:
                duplicates, wrong = (duplicates + count, wrong) if known else (duplicates, wrong + count)
                continue
            asset = parts[place].leg.asset
            paid, back = totals[asset]
            totals[asset] = (EXACT.add(paid, total), back) if good else (paid, EXACT.add(back, total))
            settled, returned = (settled + count, returned) if good else (settled, returned + count)
            reasons.update({} if good else {reason: count})
    [(unread,)] = engine.execute("SELECT count(*) FROM refused_answers").fetchall()
    refusals = _refusals(engine, tables, listed) if wrong or unread else None
    return Taken(
        read + unread, settled, returned, duplicates, wrong + unread, totals, dict(reasons.most_common()), refusals
    )


_COUNTS = """
SELECT why = '' AS known, if(why IS NULL, settled, NULL), if(why IS NULL, reason, NULL), count(*), coalesce(sum(amount), 0)
FROM fates_{} GROUP BY ALL
"""


def _refusals(engine: duckdb.DuckDBPyConnection, tables: int, listed: Path) -> Path:
    """Lists the answers that were refused, each with its line and why."""
    text = "concat_ws(' ', number, amount, if(settled, 'settled', 'returned'), reason)"
    refused = " UNION ALL ".join(
        f"SELECT line, {text} AS text, why FROM fates_{place} WHERE why <> ''" for place in range(tables)
    )
    listed.parent.mkdir(parents=True, exist_ok=True)
    engine.execute(
        f"COPY (SELECT line, text, why FROM refused_answers UNION ALL {refused} ORDER BY line) TO {literal(str(listed))} (HEADER)"
    )
    return listed


def _record(by: Payer, part: Part, new: Sequence[News], digest: str, at: datetime | None) -> None:
    if not new:
        return
    asset, plan = part.leg.asset, part.approved.plan
    claimant = part.approved.claimants[asset].number
    [outside] = account_numbers(by.books, [f"outside/{asset}/world"])
    for one in new:
        paid, back = _moved(claimant, outside, one.settled_total), _moved(outside, claimant, one.late_total)
        subject = f"{plan}:{asset}:{one.chunk.chunk}"
        record_result(by.books, by.who, subject, at, one.says(digest), paid, back, by.why)


def _moved(payer: int, receiver: int, amount: Decimal) -> Entries | None:
    return Entries.of([payer, receiver], [EXACT.minus(amount), amount]) if amount else None
