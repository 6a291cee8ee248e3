"""A custodian's confirmations: a CSV file with payment_id, outcome, reference and reason."""

from __future__ import annotations

from pathlib import Path

import duckdb

from junbikin.errors import SourceRefused
from junbikin.facts.engine import file as as_file
from junbikin.facts.engine import literal

COLUMNS = ("payment_id", "outcome", "reference", "reason")
OUTCOMES = ("settled", "returned")
PAYMENT_ID = "([A-Z0-9][A-Za-z0-9._-]{0,31})-([0-9]{10})-([0-9]{10})"
"""Pattern of an id that we gave a payment: asset, order, number."""


def read(engine: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Fills `answers` and `refused_answers` from a custodian's file. Raises `SourceRefused` when it has not these columns."""
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in COLUMNS)
    source = (
        f"read_csv({as_file(str(path))}, header = true, delim = ',', quote = '\"', escape = '\"', auto_detect = false, strict_mode = true, "
        f"columns = {{{columns}}}, nullstr = '')"
    )
    with path.open("rb") as stream:
        head = stream.readline().removeprefix(b"\xef\xbb\xbf").strip()
    if head != ",".join(COLUMNS).encode():
        raise SourceRefused(
            f"the first line is not {','.join(COLUMNS)}",
            where=str(path),
            then="ask the custodian for a file of these columns",
        )
    try:
        engine.execute(f"CREATE OR REPLACE TEMP TABLE told AS SELECT row_number() OVER () + 1 AS line, * FROM {source}")
    except duckdb.Error as problem:
        raise SourceRefused(
            f"the file cannot be read: {str(problem).splitlines()[0]}",
            where=str(path),
            then="ask the custodian for it again",
        ) from None
    matched(engine, "told", "payment_id", _WHY)


_WHY = (
    f"CASE WHEN outcome IS NULL OR outcome NOT IN ({', '.join(map(literal, OUTCOMES))}) THEN 'its outcome is neither settled nor returned' "
    "WHEN outcome = 'settled' AND reference IS NULL THEN 'settled, and without a reference' "
    "WHEN outcome = 'returned' AND reason IS NULL THEN 'returned, and without a reason' END"
)


def matched(engine: duckdb.DuckDBPyConnection, table: str, payment_id: str, why: str) -> None:
    """Parts a table of line, outcome, reason and perhaps amount into `answers` and `refused_answers`, by whether `payment_id` is one of
    ours and by `why`, SQL of what is wrong with a row."""
    columns = {name for name, *_ in engine.execute(f"DESCRIBE FROM {table}").fetchall()}
    amount = "amount" if "amount" in columns else "NULL"
    told = ", ".join(f"{name}" for name in sorted(columns - {"line"}))
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE parted AS SELECT *, regexp_extract({payment_id}, {literal(f'^{PAYMENT_ID}$')}, ['asset', 'order_code', 'number']) AS of, "
        f"CASE WHEN NOT coalesce(regexp_full_match({payment_id}, {literal(PAYMENT_ID)}), false) THEN 'it names no payment of ours' ELSE {why} END AS why FROM {table};"
        f"INSERT INTO refused_answers SELECT line, concat_ws(',', {told}), why FROM parted WHERE why IS NOT NULL ORDER BY line;"
        "CREATE OR REPLACE TEMP TABLE answers AS SELECT line, of.asset AS asset, TRY_CAST(of.order_code AS BIGINT) AS order_code, TRY_CAST(of.number AS BIGINT) AS number, "
        f"TRY_CAST({amount} AS DECIMAL(38,18)) AS amount, outcome, if(outcome = 'settled', '', reason) AS reason FROM parted WHERE why IS NULL ORDER BY line"
    )
