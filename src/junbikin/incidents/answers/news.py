"""What is new in matched answers, chunk by chunk and run by run, as sets of numbers and sums: what the books are told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from junbikin.figures import plain
from junbikin.figures.amounts import EXACT
from junbikin.incidents.answers.matching import Part
from junbikin.incidents.standing import Chunk, numbers

Sums = Mapping[tuple[int, int, str | None], tuple[Decimal, Decimal]]
"""(chunk, run, reason; None: settled) → the sum, and of it what had been settled before."""


@dataclass(slots=True)
class News:
    """What is new of one chunk and run: who was settled, who came back and why."""

    chunk: Chunk
    run: int
    people: int
    settled: str
    settled_total: Decimal
    returned: dict[str, str] = field(default_factory=dict)
    returned_total: Decimal = Decimal(0)
    late_total: Decimal = Decimal(0)
    """Of what came back, the part that had been settled."""

    def says(self, source: str) -> dict[str, Any]:
        """What the record of it says; `source` is the SHA-256 of the file that answers."""
        return {
            "asset": self.chunk.asset,
            "channel": next(sent.channel for sent in self.chunk.sent if sent.run == self.run),
            "chunk": str(self.chunk.chunk),
            "people": str(self.people),
            "returned": self.returned,
            "returned_total": plain(self.returned_total),
            "run": str(self.run),
            "settled": self.settled,
            "settled_total": plain(self.settled_total),
            "source": source,
        }


def news(engine: duckdb.DuckDBPyConnection, place: int, part: Part) -> Iterator[News]:
    """What is new in the table `fates_N` of a part."""
    fresh = f"FROM fates_{place} WHERE why IS NULL"
    sums: Sums = {
        (chunk, run, reason): (total, late)
        for chunk, run, reason, total, late in engine.execute(
            f"SELECT (number - 1) // {part.leg.size} + 1, run, reason, sum(amount), coalesce(sum(amount) FILTER (WHERE late), 0) {fresh} GROUP BY ALL"
        ).fetchall()
    }
    reasons = sorted({reason for _, _, reason in sums if reason is not None})
    found = engine.execute(
        f"SELECT number, if(settled, 1, 1 + list_position($reasons, reason))::INTEGER AS code {fresh}",
        {"reasons": reasons},
    ).fetchnumpy()
    for of in sorted({chunk for chunk, _, _ in sums}):
        chunk = part.chunks[of]
        answer = np.zeros(chunk.people, np.int32)
        mine = (found["number"] >= chunk.first) & (found["number"] < chunk.first + chunk.people)
        answer[found["number"][mine] - chunk.first] = found["code"][mine]
        for run in sorted({run for number, run, _ in sums if number == of}):
            yield _one_run(chunk, run, np.where(chunk.run == run, answer, 0), reasons, sums)


def _one_run(chunk: Chunk, run: int, answer: NDArray[np.int32], reasons: Sequence[str], sums: Sums) -> News:
    nothing = Decimal(0), Decimal(0)
    settled = sums.get((chunk.chunk, run, None), nothing)[0]
    new = News(chunk, run, int(np.count_nonzero(answer)), numbers(answer == 1, chunk.first), settled)
    for code, reason in enumerate(reasons, 2):
        total, late = sums.get((chunk.chunk, run, reason), nothing)
        if total:
            new.returned[reason] = numbers(answer == code, chunk.first)
            new.returned_total = EXACT.add(new.returned_total, total)
            new.late_total = EXACT.add(new.late_total, late)
    return new
