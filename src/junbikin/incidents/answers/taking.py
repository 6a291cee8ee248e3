"""Taking in what a bank or custodian answers: each answer is matched with the payment that it is about, and what is new goes on record.

Every answer read is new, a duplicate, or refused with its file, line and why.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from threading import Lock

import duckdb
from filelock import FileLock, Timeout

from junbikin.books.batch import Entries
from junbikin.books.claims import Approved, acts_of, record_result
from junbikin.books.journal import account_numbers
from junbikin.errors import BadInput
from junbikin.facts.run import Progress
from junbikin.figures.amounts import EXACT
from junbikin.incidents.answers.bundles import Bundle, Source, bundles, collect, refused_rows
from junbikin.incidents.answers.matching import MINE, Part, match
from junbikin.incidents.answers.news import News, news
from junbikin.incidents.folders import answers_folder
from junbikin.incidents.pay.order import RUNS, plan_code
from junbikin.incidents.pay.payer import Payer
from junbikin.incidents.pay.run import AT_ONCE, Engines, Leg, at_once, leg_of
from junbikin.incidents.standing import Chunk, fold


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of answers: `read` = `settled` + `returned` + `duplicates` + `refused`. Those refused are in `refusals`."""

    read: int
    settled: int
    returned: int
    duplicates: int
    refused: int
    totals: Mapping[str, tuple[Decimal, Decimal]]
    """Asset → what was settled, and what was returned."""
    reasons: Mapping[str, int]
    refusals: Path | None


def take_in(
    by: Payer, plans: Sequence[tuple[Approved, Path]], files: Sequence[Path], source: Source, progress: Progress
) -> Taken:
    """Puts on record what files answer about payments of an incident's approved plans, each with its entitlements' file, and the money
    that moves. A file again changes nothing.

    Raises `SourceRefused` when a file is not whole; others may have been taken in then. Raises `BadInput` when somebody else is at it.
    """
    above = answers_folder(by.books.home, plans[0][0].incident)
    above.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(above / "lock", timeout=0):
            return _all(by, plans, bundles(files), source, above, progress)
    except Timeout:
        raise BadInput(
            "answers about this incident are being taken in already", where=str(above), then="wait until that has ended"
        ) from None


def _all(
    by: Payer,
    plans: Sequence[tuple[Approved, Path]],
    some: Sequence[Bundle],
    source: Source,
    above: Path,
    progress: Progress,
) -> Taken:
    turns, found, engines = _Turns(), _Found(), Engines(by.books.home)

    def one(bundle: Bundle) -> _Found:
        engine = engines.mine
        collect(engine, bundle, source)
        legs = list(_legs(engine, plans))
        with turns.taking((leg.plan, leg.asset, chunk) for leg in legs for chunk in leg.chunks):
            return _take(engine, by, legs, bundle, source)

    with at_once(AT_ONCE) as pool:
        for done, each in enumerate(pool.map(one, some), 1):
            found.add(each)
            progress(f"taking answers in: {found.read:,}", done / len(some))
    return found.taken(above)


class _Turns:
    """Lets one bundle at a time into a chunk: what it answers is matched with what was answered before."""

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
    of = f"SELECT DISTINCT asset, order_code // {RUNS} AS code FROM gathered ORDER BY ALL"
    for asset, code in engine.execute(of).fetchall():
        if code in known and asset in known[code][0].claimants:
            approved, parquet = known[code]
            leg = leg_of(approved, asset, parquet)
            chunks = f"SELECT DISTINCT (number - 1) // {leg.size} + 1 {MINE} AND number BETWEEN 1 AND {leg.people} ORDER BY 1"
            touched = engine.execute(chunks, {"asset": asset, "code": code}).fetchall()
            yield _Leg(approved, leg, tuple(chunk for (chunk,) in touched))


FATES = ("settled", "returned", "duplicate", "refused")


class _Found:
    """What was found so far."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.totals: dict[str, tuple[Decimal, Decimal]] = {}
        self.reasons: Counter[str] = Counter()
        self.refused: list[bytes] = []

    @property
    def read(self) -> int:
        return self.counts.total()

    def add(self, other: _Found) -> None:
        """Takes in what another bundle says."""
        self.counts.update(other.counts)
        self.reasons.update(other.reasons)
        self.refused += other.refused
        for asset, some in other.totals.items():
            self.sum(asset, some)

    def sum(self, asset: str, some: tuple[Decimal, Decimal]) -> None:
        """Adds what was settled and what came back of an asset."""
        settled, returned = self.totals.get(asset, (Decimal(0), Decimal(0)))
        self.totals[asset] = EXACT.add(settled, some[0]), EXACT.add(returned, some[1])

    def taken(self, above: Path) -> Taken:
        """The whole of it; a list of what was refused is written under its time."""
        refusals = None
        if self.refused:
            refusals = above / f"refused-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}.csv"
            refusals.write_bytes(b"file,line,text,why\n" + b"".join(self.refused))
        settled, returned, duplicates, refused = (self.counts[fate] for fate in FATES)
        reasons = dict(self.reasons.most_common())
        return Taken(self.read, settled, returned, duplicates, refused, self.totals, reasons, refusals)


def _take(engine: duckdb.DuckDBPyConnection, by: Payer, legs: Sequence[_Leg], bundle: Bundle, source: Source) -> _Found:
    parts = [Part(leg.approved, leg.leg, _standing(by, leg), source.channels) for leg in legs]
    tables = match(engine, parts)
    found = _counted(engine, parts, tables)
    found.refused = refused_rows(engine, bundle, tables)
    for place, part in enumerate(parts):
        _record(by, part, list(news(engine, place, part)), bundle.digest(), source.at)
    return found


def _standing(by: Payer, leg: _Leg) -> dict[int, Chunk]:
    return {chunk.chunk: chunk for chunk in fold(acts_of(by.books, leg.plan, leg.asset, leg.chunks)).values()}


_COUNTS = """
SELECT CASE WHEN why IS NULL THEN if(settled, 'settled', 'returned') WHEN why = '' THEN 'duplicate' ELSE 'refused' END AS fate,
  if(why IS NULL, reason, NULL), count(*), coalesce(sum(amount), 0)
FROM fates_{} GROUP BY ALL
"""


def _counted(engine: duckdb.DuckDBPyConnection, parts: Sequence[Part], tables: int) -> _Found:
    found = _Found()
    for place in range(tables):
        for fate, reason, count, total in engine.execute(_COUNTS.format(place)).fetchall():
            found.counts[fate] += count
            if fate == "settled":
                found.sum(parts[place].leg.asset, (total, Decimal(0)))
            elif fate == "returned":
                found.sum(parts[place].leg.asset, (Decimal(0), total))
                found.reasons[reason] += count
    [(unread,)] = engine.execute("SELECT count(*) FROM refused_gathered").fetchall()
    found.counts["refused"] += unread
    return found


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
