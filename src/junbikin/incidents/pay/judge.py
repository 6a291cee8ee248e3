"""Judging payout instructions: block by block of payment numbers, each customer's newest instruction is held against the list of banks."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import duckdb
import nanoarrow
import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from junbikin.errors import BadInput
from junbikin.facts.datasets import DATASETS
from junbikin.facts.engine import connect, identifier, literal, parquet
from junbikin.facts.lake import Lake
from junbikin.facts.run import Progress
from junbikin.home import Home
from junbikin.incidents.pay import kana
from junbikin.incidents.pay.banks import NAME_WIDTH, Directory, directory
from junbikin.incidents.pay.payees import ARRAYS, PAYEE, RECORDS, YEN, Payees, sealed
from junbikin.incidents.pay.statuses import Status, Way
from junbikin.incidents.pay.zengin import digits

DATASET = DATASETS["payout_instructions"]
BLOCK = 1_000_000
"""Payment numbers that are judged at once."""
NAME = 30
"""Bytes of the field of the payee's name."""


def prepare(home: Home, lake: Lake, plan: str, entitlements: Path, above: Path, progress: Progress) -> Payees:
    """Judges who can be paid how of everyone in the entitlements of the plan with a digest, by the instructions that a lake knows, and keeps it under `above`.

    Raises `FactsDamaged` when a file of the instructions is not the one that the log recorded, `BadInput` when somebody is judging them already.
    """
    segments = [segment for some in lake.days(DATASET.name).values() for segment in some]
    lake.check_segments(segments)
    above.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(above / ".lock", timeout=0):
            files = [str(lake.home.facts / segment.file) for segment in segments]
            return _made(home, {"plan": plan, "facts": lake.head}, files, entitlements, above, progress)
    except Timeout:
        raise BadInput(
            "the payees of this plan are being judged already", where=str(above), then="wait until that has ended"
        ) from None


def _made(
    home: Home, of: Mapping[str, str], instructions: list[str], entitlements: Path, above: Path, progress: Progress
) -> Payees:
    made = above / ".making"
    shutil.rmtree(made, ignore_errors=True)
    (made / "scratch").mkdir(parents=True)
    try:
        with connect(home.memory_limit, made / "scratch") as engine:
            judging = _prepared(engine, instructions, entitlements, made)
            counts = {asset: _judge(judging, asset, progress) for asset in judging.assets}
        shutil.rmtree(made / "scratch")
        content = {**of, "people": str(judging.people), "banks": directory().edition, "counts": counts}
        return sealed(made, above, content)
    finally:
        shutil.rmtree(made, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class _Judging:
    engine: duckdb.DuckDBPyConnection
    made: Path
    people: int
    assets: tuple[str, ...]
    heads: NDArray[np.uint8]
    """The first 38 bytes of a record, by branch."""


def _prepared(engine: duckdb.DuckDBPyConnection, instructions: list[str], entitlements: Path, made: Path) -> _Judging:
    """Lets the engine know `entitled`, `instructions`, and the list of banks as `branches` and `banks`."""
    source = parquet(instructions) if instructions else f"(SELECT {_NO_COLUMNS} WHERE false)"
    engine.execute(
        f"CREATE VIEW entitled AS FROM {parquet([str(entitlements)])}; CREATE VIEW instructions AS FROM {source}"
    )
    known = directory()
    codes = [bank + branch for bank, branch in known.branches]
    engine.execute(
        "CREATE TABLE branches AS SELECT code[:4] AS bank_code, code[5:] AS branch_code, place::INTEGER - 1 AS place "
        "FROM (SELECT unnest(codes) AS code, generate_subscripts(codes, 1) AS place FROM (SELECT ?::VARCHAR[] AS codes))",
        [codes],
    )
    engine.execute("CREATE TABLE banks AS SELECT DISTINCT bank_code FROM branches")
    columns = [name for name, *_ in engine.execute("DESCRIBE entitled").fetchall()]
    [(people,)] = engine.execute("SELECT count(*) FROM entitled").fetchall()
    assets = tuple(sorted(set(columns) - {"number", "account_id", "holding"}))
    return _Judging(engine, made, people, assets, _heads(known))


_NO_COLUMNS = ", ".join(f"NULL::{kind} AS {identifier(name)}" for name, kind in DATASET.stored)


def _heads(known: Directory) -> NDArray[np.uint8]:
    lines = [
        b"2" + bank.encode() + _field(branch.bank) + code.encode() + _field(branch.name)
        for (bank, code), branch in known.branches.items()
    ]
    return np.frombuffer(b"".join(lines), np.uint8).reshape(len(lines), -1)


def _field(name: str) -> bytes:
    return kana.encoded(name).ljust(NAME_WIDTH)


def _judge(judging: _Judging, asset: str, progress: Progress) -> dict[str, str]:
    """Judges everyone for one asset; how many have each status, as text."""
    folder = judging.made / asset
    folder.mkdir()
    counts = np.zeros(len(Status), np.int64)
    streams = {name: (folder / f"{name}.bin").open("wb") for name in ARRAYS}
    if asset == YEN:
        streams["records"] = (judging.made / RECORDS).open("wb")
    try:
        for first in range(1, judging.people + 1, BLOCK):
            progress(f"judging instructions for {asset}", (first - 1) / judging.people)
            last = min(first + BLOCK - 1, judging.people)
            _look(judging, asset, first, last)
            _keep(judging.engine, folder / f"{first:010d}.parquet")
            counts += _columns(judging.engine, streams)
            if asset == YEN:
                _records(judging, first, last - first + 1, streams["records"])
    finally:
        for stream in streams.values():
            stream.close()
    return {status.word: str(counts[status]) for status in Status if counts[status]}


_SAID = """
CREATE OR REPLACE TEMP TABLE owed AS SELECT number, account_id FROM entitled WHERE number BETWEEN {first} AND {last};
CREATE OR REPLACE TEMP TABLE said AS
WITH asked AS (
  SELECT number, epoch_us(given_at) AS given, channel, bank_code, branch_code, account_type, account_number, payee, i.asset, network, address
  FROM instructions i JOIN owed USING (account_id)
  WHERE account_id BETWEEN {low} AND {high} AND (i.asset = {asset} OR i.asset IS NULL AND channel <> {elsewhere})
), times AS (SELECT number, given, count(*) AS times FROM asked GROUP BY number, given),
newest AS (SELECT number, max(given) AS given, arg_max(times, given) AS times FROM times GROUP BY number)
SELECT newest.number, newest.given, times, asked.* EXCLUDE (number, given)
FROM newest LEFT JOIN asked ON times = 1 AND newest.number = asked.number AND newest.given = asked.given
"""
"""The newest instruction of each for an asset, or for none where its way can carry the asset. Where there are two of the same instant
nothing is known but that."""
_JUDGED = """
CREATE OR REPLACE TEMP TABLE judged AS
SELECT number, said.* EXCLUDE (number, times), trim(name) AS name, place, CASE
    WHEN given IS NULL THEN {NO_INSTRUCTION}
    WHEN times > 1 THEN {CONTRADICTORY}
    WHEN channel = {elsewhere} THEN {WRONG_WAY}
    WHEN channel = 'account' THEN {OK}
    WHEN channel = 'address' THEN if(asset IS NULL OR network IS NULL OR address IS NULL, {NO_ADDRESS}, {OK})
    WHEN k.bank_code IS NULL THEN {UNKNOWN_BANK}
    WHEN place IS NULL THEN {UNKNOWN_BRANCH}
    WHEN account_type IS NULL OR account_type NOT IN ('1', '2', '4', '9') THEN {WRONG_ACCOUNT_TYPE}
    WHEN NOT coalesce(regexp_full_match(account_number, '0*[1-9][0-9]*') AND length(account_number) <= 7, false) THEN {WRONG_ACCOUNT_NUMBER}
    WHEN coalesce(trim(name), '') = '' THEN {NO_NAME}
    WHEN NOT {writable} THEN {NAME_NOT_WRITABLE}
    WHEN length(trim(name)) > {width} THEN {NAME_TOO_LONG}
    ELSE {OK} END::UTINYINT AS status
FROM owed LEFT JOIN said USING (number) LEFT JOIN names USING (number)
  LEFT JOIN branches b ON said.bank_code = b.bank_code AND said.branch_code = b.branch_code LEFT JOIN banks k ON said.bank_code = k.bank_code
ORDER BY number
"""


def _look(judging: _Judging, asset: str, first: int, last: int) -> None:
    """Lets the engine know, of a block, `judged`: each newest instruction and its status."""
    engine, elsewhere = judging.engine, literal(Way.ADDRESS.word if asset == YEN else Way.BANK.word)
    # Numbers ascend with account ids, so that a block is a stretch of ids.
    bounds = f"SELECT min(account_id), max(account_id) FROM entitled WHERE number BETWEEN {first} AND {last}"
    low, high = map(literal, engine.execute(bounds).fetchall()[0])
    engine.execute(_SAID.format(first=first, last=last, low=low, high=high, asset=literal(asset), elsewhere=elsewhere))
    _write_names(engine)
    statuses = {status.name: int(status) for status in Status}
    engine.execute(
        _JUDGED.format(elsewhere=elsewhere, writable=kana.can_be_written("trim(name)"), width=NAME, **statuses)
    )


def _write_names(engine: duckdb.DuckDBPyConnection) -> None:
    """Lets the engine know `names`: by number, each payee's as it is written in a file."""
    engine.execute("CREATE OR REPLACE TEMP TABLE names (number BIGINT, name VARCHAR)")
    asked = f"SELECT number::BIGINT, payee FROM said WHERE channel = '{Way.BANK.word}' AND payee IS NOT NULL"
    with nanoarrow.c_array_stream(engine.sql(asked).__arrow_c_stream__()) as batches:
        parts = [_part(batch) for batch in batches if batch.length]
    for number, names in parts:
        kana.written(names).given(engine, "written", number)
        engine.execute("INSERT INTO names SELECT number, text FROM written")
        engine.unregister("written")


def _part(batch: nanoarrow.c_array.CArray) -> tuple[NDArray[np.int64], kana.Names]:
    """Numbers and names of a batch, in memory of their own."""
    number = np.frombuffer(batch.view().child(0).buffer(1), np.int64)[: batch.length].copy()
    return number, _names(batch, 1).copied()


def _names(batch: nanoarrow.c_array.CArray, column: int) -> kana.Names:
    of = batch.view().child(column)
    starts = np.frombuffer(of.buffer(1), np.int32)[: batch.length + 1]
    return kana.Names(np.frombuffer(of.buffer(2), np.uint8)[: starts[-1]], starts)


def _keep(engine: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Writes the table of a block; by one thread, so that its bytes are the same every time."""
    words = ", ".join(literal(status.word) for status in Status)
    sound = f"status = {Status.OK:d} AND channel = '{Way.BANK.word}'"
    engine.execute(
        f"SET threads = 1; COPY (SELECT number, [{words}][status + 1] AS status, channel, bank_code, branch_code, account_type, "
        f"if({sound}, lpad(account_number, 7, '0'), account_number) AS account_number, if({sound}, name, payee) AS payee, "
        f"make_timestamptz(given) AS given_at, network, address FROM judged ORDER BY number) "
        f"TO {literal(str(file))} (FORMAT parquet); RESET threads"
    )


def _columns(engine: duckdb.DuckDBPyConnection, streams: Mapping[str, BinaryIO]) -> NDArray[np.int64]:
    """Adds a block to the arrays; how many have each status."""
    ways = " ".join(f"WHEN {literal(way.word)} THEN {way:d}" for way in Way)
    found = engine.execute(
        f"SELECT status, CASE channel {ways} ELSE {Way.NONE:d} END::UTINYINT AS way, coalesce(given, 0)::BIGINT AS given FROM judged ORDER BY number"
    ).fetchnumpy()
    for name, kind in ARRAYS.items():
        streams[name].write(np.ascontiguousarray(found[name], kind).data)
    return np.bincount(found["status"], minlength=len(Status))


def _records(judging: _Judging, first: int, people: int, stream: BinaryIO) -> None:
    """Adds the first bytes of the records of a block."""
    rows = np.zeros((people, PAYEE), np.uint8)
    query = f"""
      SELECT (number - {first})::INTEGER, place, ascii(account_type)::UTINYINT, account_number::INTEGER, name
      FROM judged WHERE status = {Status.OK:d} AND channel = '{Way.BANK.word}'
    """
    with nanoarrow.c_array_stream(judging.engine.sql(query).__arrow_c_stream__()) as batches:
        for batch in batches:
            if batch.length:
                of, place, kind, number = (
                    np.frombuffer(batch.view().child(column).buffer(1), dtype)[: batch.length]
                    for column, dtype in enumerate((np.int32, np.int32, np.uint8, np.int32))
                )
                some = np.full((batch.length, PAYEE), ord("0"), np.uint8)
                some[:, : judging.heads.shape[1]] = judging.heads[place]
                some[:, 42] = kind
                some[:, 43:50] = digits(number.astype(np.int64))[:, 3:]
                some[:, 50:] = kana.in_bytes(_names(batch, 4), NAME)
                rows[of] = some
    stream.write(rows.data)
