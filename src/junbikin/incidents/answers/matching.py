"""Which payment each answer is about, and what becomes of it: it is new, known already, or refused for a reason in words.

The engine has what was `gathered`; for each part the table `fates_N` says: line, number, amount, run, settled, reason, `late` (settled before),
and `why` (NULL of what is new, '' of what is known already).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np

from junbikin.books.claims import Approved
from junbikin.facts.engine import file as one_file
from junbikin.facts.engine import identifier
from junbikin.incidents.pay.order import RUNS, plan_code
from junbikin.incidents.pay.run import Leg
from junbikin.incidents.standing import WITHDRAWN, Chunk, Standing

MINE = f"FROM gathered WHERE asset = $asset AND order_code // {RUNS} = $code"
"""SQL of the answers about one plan and asset."""


@dataclass(frozen=True, slots=True)
class Part:
    """The part of the answers that is about one leg of a plan, and how the chunks that it touches stand."""

    approved: Approved
    leg: Leg
    chunks: Mapping[int, Chunk]
    channels: tuple[str, ...]
    """The channels whose payments are answered so."""

    @property
    def runs(self) -> list[int]:
        """The runs that paid by these channels."""
        return sorted(
            {sent.run for chunk in self.chunks.values() for sent in chunk.sent if sent.channel in self.channels}
        )

    @property
    def only(self) -> dict[str, Any]:
        """The values of `MINE`."""
        return {"asset": self.leg.asset, "code": plan_code(self.approved.plan)}


_MATCH = f"""
CREATE OR REPLACE TEMP TABLE fates_{{}} AS
SELECT a.line, a.number, s.amount, s.run, a.outcome = 'settled' AS settled, if(a.outcome = 'settled', NULL, a.reason) AS reason,
  s.status = {Standing.SETTLED:d} AS late, CASE
    WHEN s.number IS NULL OR s.run = 0 OR a.order_code % {RUNS} > s.run THEN 'no such payment was sent'
    WHEN a.order_code % {RUNS} < s.run THEN 'the payment was sent again since: this is about an earlier sending'
    WHEN NOT list_contains($runs, s.run::INT) THEN 'it was sent by another channel than is answered so'
    WHEN a.reason = '{WITHDRAWN}' THEN 'a reason that only the operator''s own people give'
    WHEN a.amount <> s.amount THEN 'the amount is not what was sent: ' || s.amount
    WHEN t.differ THEN 'the file answers this payment differently on another line'
    WHEN s.status = {Standing.RETURNED:d} AND a.outcome = 'settled' THEN 'the payment has come back already'
    WHEN a.line > t.line OR s.status = {Standing.SETTLED:d} AND a.outcome = 'settled' OR s.status = {Standing.RETURNED:d} THEN ''
    END AS why
FROM gathered a LEFT JOIN sent s USING (number) LEFT JOIN twice t USING (order_code, number)
WHERE a.asset = $asset AND a.order_code // {RUNS} = $code
"""

_LEFT = "SELECT (SELECT count(*) FROM gathered) - ({})"
_STRANGE = """
CREATE OR REPLACE TEMP TABLE fates_{place} AS
SELECT line, number, amount, 0 AS run, outcome = 'settled' AS settled, reason, false AS late,
  'no approved plan of this incident made this payment' AS why
FROM gathered ANTI JOIN ({known}) USING (line)
"""


def match(engine: duckdb.DuckDBPyConnection, parts: Sequence[Part]) -> int:
    """Makes the table `fates_0` and so on of each part, and one more when answers are about none of them. Returns how many tables there are."""
    for place, part in enumerate(parts):
        _load_sent(engine, part)
        _find_twice(engine, part)
        engine.execute(_MATCH.format(place), part.only | {"runs": part.runs})
    about = [f"SELECT line FROM fates_{place}" for place in range(len(parts))]
    [(strange,)] = engine.execute(
        _LEFT.format(" + ".join(["0", *(f"(SELECT count(*) FROM ({lines}))" for lines in about)]))
    ).fetchall()
    if strange:
        known = " UNION ALL ".join(["SELECT NULL::BIGINT AS line WHERE false", *about])
        engine.execute(_STRANGE.format(place=len(parts), known=known))
    return len(parts) + (1 if strange else 0)


def _load_sent(engine: duckdb.DuckDBPyConnection, part: Part) -> None:
    """How each payment of the chunks stands, and its amount, in the table `sent`."""
    chunks = [part.chunks[number] for number in sorted(part.chunks)]
    none = np.zeros(0, np.int64)
    standing = {
        "number": np.concatenate([none, *(np.arange(c.first, c.first + c.people) for c in chunks)]),
        "status": np.concatenate([none.astype(np.uint8), *(c.status for c in chunks)]),
        "run": np.concatenate([none.astype(np.int16), *(c.run for c in chunks)]),
    }
    low, high = (chunks[0].first, chunks[-1].first + chunks[-1].people - 1) if chunks else (0, -1)
    engine.register("standing", standing)
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE sent AS SELECT number, status, run, {identifier(part.leg.asset)} AS amount "
        f"FROM standing JOIN (FROM read_parquet({one_file(str(part.leg.parquet))}) WHERE number BETWEEN {low} AND {high}) USING (number)"
    )
    engine.unregister("standing")


def _find_twice(engine: duckdb.DuckDBPyConnection, part: Part) -> None:
    """Payments that the file answers more than once, in the table `twice`: the first line, and whether the answers differ."""
    answered = np.sort(engine.execute(f"SELECT number {MINE}", part.only).fetchnumpy()["number"])
    engine.register("repeated", {"number": np.unique(answered[1:][answered[1:] == answered[:-1]])})
    engine.execute(
        "CREATE OR REPLACE TEMP TABLE twice AS SELECT order_code, number, min(line) AS line, "
        "count(DISTINCT (outcome, reason)) > 1 AS differ "
        f"{MINE} AND number IN (SELECT number FROM repeated) GROUP BY order_code, number",
        part.only,
    )
    engine.unregister("repeated")
