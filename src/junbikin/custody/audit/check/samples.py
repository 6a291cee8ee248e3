"""Samples: whether each was drawn by the seed, as far as the pack holds what it was drawn from; and the sums of statements."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from junbikin.custody.audit.check.breaks import first_difference
from junbikin.custody.audit.check.result import Checked, Pack, agrees, differs, unchecked
from junbikin.custody.audit.index import Sampling, bounds
from junbikin.custody.audit.reading import engine, records, rows
from junbikin.custody.audit.records import RECORDS
from junbikin.custody.audit.samples import (
    BOOKED,
    BOOKED_COLUMNS,
    BREAKS,
    CUSTOMERS,
    DRAWN,
    MOVES,
    MOVES_COLUMNS,
    POSTINGS,
    draw,
    write_breaks,
)
from junbikin.facts.run import Progress
from junbikin.figures import Name

DRAWS = Name("sample of customers", "抽出：利用者")
SUMS = Name("statements of customers drawn", "抽出した利用者の取引明細")
POSTED = Name("sample of postings", "抽出：記帳")
BROKEN = Name("sample of breaks", "抽出：差異")


def _sampling(pack: Pack) -> Sampling | None:
    said = pack.index["sampling"]
    return None if said is None else Sampling(str(said["seed"]), int(said["count"]))


def customers(pack: Pack, progress: Progress) -> Iterator[Checked]:
    """Whether the draws are those of the seed, in order. Who else could have been drawn, the pack does not tell."""
    sampling = _sampling(pack)
    if sampling is None or not pack.has(CUSTOMERS):
        yield unchecked(DRAWS, "the pack has none", "含まれていない")
        return
    with engine() as working:
        [(count, wrong)] = working.execute(
            f"SELECT count(*), count(*) FILTER (draw <> {draw(sampling.seed, 'id')} OR number::BIGINT <> place) FROM ("
            f"SELECT *, row_number() OVER (ORDER BY draw, id) AS place FROM {rows(pack.folder / CUSTOMERS, DRAWN)})"
        ).fetchall()
    if wrong or count > sampling.count:
        yield differs(DRAWS, CUSTOMERS, "these are not the draws of the seed", "シードによる抽出結果ではない")
    else:
        yield unchecked(
            DRAWS, "the draws are those of the seed; that nobody with a lower one was left out shows only drawing again in the home",
            "シードの抽出値と一致。より小さい値の利用者が除かれていないことは、ホームでの再抽出でのみ確認できる", count,
        )  # fmt: skip


def sums(pack: Pack, progress: Progress) -> Iterator[Checked]:
    """Whether each account's moves lead from what it held at the start to what it held at the end."""
    if not (pack.has(BOOKED) and pack.has(MOVES)):
        yield unchecked(SUMS, "the pack has none", "含まれていない")
        return
    with engine() as working:
        found = working.execute(
            f"SELECT b.code, b.opening::DECIMAL(38,18) + coalesce(m.amount, 0) = b.closing::DECIMAL(38,18) FROM {rows(pack.folder / BOOKED, BOOKED_COLUMNS)} b "
            f"FULL JOIN (SELECT code, sum(amount::DECIMAL(38,18)) AS amount FROM {rows(pack.folder / MOVES, MOVES_COLUMNS)} GROUP BY code) m ON m.code = b.code "
            "ORDER BY 1"
        ).fetchall()
    wrong = next((code for code, holds in found if not holds), None)
    if wrong is not None or any(code is None for code, _ in found):
        yield differs(
            SUMS,
            MOVES,
            f"the moves of {wrong} do not lead from its opening to its closing balance",
            f"{wrong}の増減が期首・期末残高と一致しない",
        )
    elif not found:
        yield unchecked(SUMS, "the books have no accounts of them", "帳簿に口座がない")
    else:
        yield agrees(SUMS, len(found))


def postings(pack: Pack, progress: Progress) -> Iterator[Checked]:
    """Whether the postings are those that the seed draws: from the whole log, where the pack has it."""
    sampling = _sampling(pack)
    if sampling is None or not pack.has(POSTINGS):
        yield unchecked(POSTED, "the pack has none", "含まれていない")
        return
    identity = draw(sampling.seed, "id")
    with engine() as working:
        found = working.execute(
            f"SELECT id FROM {records(pack.folder / POSTINGS)} WHERE kind = 'batch' ORDER BY {identity}"
        ).fetchall()
        if not pack.index["books"]["whole_log"]:
            yield unchecked(
                POSTED, "all that could have been drawn is only in the whole log (--whole-log)", "母集団は全記録にのみ含まれる（--whole-log）", len(found)
            )  # fmt: skip
            return
        start, end = bounds(pack.index["period"], ZoneInfo(pack.index["time_zone"]))
        again = working.execute(
            f"SELECT id FROM {records(pack.folder / RECORDS)} WHERE kind = 'batch' AND effective_at >= '{start}' AND effective_at <= '{end}' "
            f"ORDER BY {identity} LIMIT {sampling.count}"
        ).fetchall()
    if found != again:
        yield differs(
            POSTED, POSTINGS, "the seed draws other postings from the log", "シードによる抽出結果と一致しない"
        )
    else:
        yield agrees(POSTED, len(found))


def broken(pack: Pack, progress: Progress) -> Iterator[Checked]:
    """Whether the breaks are those that the seed draws from all of the pack."""
    sampling = _sampling(pack)
    if sampling is None or not pack.has(BREAKS):
        yield unchecked(BROKEN, "the pack has none", "含まれていない")
        return
    with engine() as working, TemporaryDirectory(prefix="junbikin-") as scratch:
        again = Path(scratch) / "drawn.csv"
        write_breaks(working, pack.folder, sampling, again)
        different = first_difference(pack.folder / BREAKS, again)
        with again.open("rb") as stream:
            count = sum(1 for _ in stream) - 1
    if different:
        yield differs(
            BROKEN, BREAKS, f"the seed draws another than {different}", f"シードによる抽出結果と異なる：{different}"
        )
    else:
        yield agrees(BROKEN, count)
