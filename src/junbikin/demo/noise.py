"""Noise in SQL: whole numbers that follow from a seed, a purpose and a row's number, and from nothing else.

Rows keep their numbers whatever the order or the thread that they are worked in, so their noise stays too.
"""

from __future__ import annotations

from random import Random

import duckdb

BITS = 32

# Chris Wellons' "lowbias32" integer hash: products of two 32-bit numbers, which 64 bits always hold.
_MACROS = """
CREATE MACRO folded(x, bits) AS xor(x, x >> bits);
CREATE MACRO times(x, factor) AS (x * factor) & 4294967295::UBIGINT;
CREATE MACRO mixed(x) AS
    folded(times(folded(times(folded(x, 16), 2146121005::UBIGINT), 15), 2221713035::UBIGINT), 16);
"""


class Noise:
    """Writes the SQL of noise into an engine's queries."""

    def __init__(self, engine: duckdb.DuckDBPyConnection, seed: int) -> None:
        self._seed = seed
        engine.execute(_MACROS)

    def draw(self, purpose: str, number: str, below: int) -> str:
        """SQL of a BIGINT from 0 to `below` - 1, of a row whose `number` is the SQL of a 32-bit number."""
        salt = Random(f"{self._seed} {purpose}").getrandbits(BITS)  # noqa: S311 - invented data, no secret
        return f"CAST(mixed(xor(CAST({number} AS UBIGINT), {salt}::UBIGINT)) % {below} AS BIGINT)"
