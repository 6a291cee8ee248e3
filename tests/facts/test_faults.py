"""What happens to the facts when something goes wrong around an ingest, and when a correction puts it right."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from junbikin.errors import FactsDamaged, HomeProblem
from junbikin.facts.datasets import DATASETS
from junbikin.facts.lake import open_lake
from junbikin.facts.log import read_log
from junbikin.facts.rollups import DayVolume
from junbikin.home import Home, create_home

from .support import (
    TRADE_COLUMNS,
    Trade,
    files_of,
    live,
    outcome,
    quarantine,
    take,
    volumes,
    with_setting,
    write_csv,
)


def command(home: Home, *arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "junbikin", "--home", str(home.path), *map(str, arguments)]


# A killed ingest


def many_trades(path: Path, rows: int) -> Path:
    """Rows over forty days with every kind of trouble: duplicates, disputes, faults, lines that are no rows."""
    with duckdb.connect() as engine:
        engine.execute(
            f"""COPY (SELECT
                'T' || (CASE WHEN i % 100 = 0 THEN i // 2 ELSE i END) AS trade_id,
                strftime(TIMESTAMP '2018-01-01' + to_seconds((i * 11) % 3456000), '%Y-%m-%dT%H:%M:%SZ') AS executed_at,
                'BTC' AS asset, 'JPY' AS quote, 'buy' AS side,
                CASE WHEN i % 3001 = 0 THEN 'much' ELSE (1000000 + i % 977)::VARCHAR END AS price,
                '0.' || (1 + i) AS quantity, 'spot_venue' AS line, 'A' || i % 1000 AS account_id
                FROM range({rows}) r(i)) TO '{path}' (FORMAT csv, HEADER)"""
        )
    with path.open("a") as stream:
        stream.write("T1,cut short\n")
    return path


@dataclass(frozen=True)
class Outcome:
    """The facts (count, distinct ids and order-free hash of the live rows; the sums) and the last ingest's account."""

    rows: object
    sums: list[DayVolume]
    account: object


def outcome_of_many(home: Home) -> Outcome:
    last = read_log(home.facts)[-1]
    paths = [str(home.facts / s.file) for group in open_lake(home).days("trades").values() for s in group]
    columns = ", ".join(name for name, _ in DATASETS["trades"].stored)
    with duckdb.connect() as engine:
        rows = engine.execute(
            f"SELECT count(*), count(DISTINCT trade_id), sum(hash({columns})::HUGEINT) "
            "FROM read_parquet(?, hive_partitioning = false)",
            [paths],
        ).fetchone()
    account = (last.sources, last.disputed, last.withdrawn, [(s.day, s.rows) for s in last.adds], len(quarantine(home)))
    return Outcome(rows, volumes(home), account)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome, float]:
    """A file of 300,000 rows, what its ingest gives when nobody kills it, and how long that takes in seconds."""
    folder = tmp_path_factory.mktemp("undisturbed")
    path, home = many_trades(folder / "trades.csv", 300_000), create_home(folder / "home", "Test")
    start = time.monotonic()
    subprocess.run(command(home, "ingest", "trades", path), check=True, capture_output=True)
    return path, outcome_of_many(home), time.monotonic() - start


def started_and_killed(home: Home, path: Path, when: Callable[[float], bool]) -> None:
    """Starts an ingest and kills it as soon as `when` holds of the seconds since; it may end before."""
    start = time.monotonic()
    process = subprocess.Popen(
        command(home, "ingest", "trades", path), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while process.poll() is None and not when(time.monotonic() - start):
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()


def assert_no_trace_is_left(home: Home, path: Path, expected: Outcome) -> None:
    """The killed ingest happened wholly or not at all, and after the next run the facts are the undisturbed ones."""
    done = read_log(home.facts)
    assert len(done) <= 1
    if not done:
        assert volumes(home) == []
    again = subprocess.run(command(home, "ingest", "trades", path), capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert len(read_log(home.facts)) == len(done) + 1
    assert not (home.facts / "staging").exists()
    open_lake(home).check_files(["trades"])
    found = outcome_of_many(home)
    assert (found.rows, found.sums) == (expected.rows, expected.sums)
    assert done or found.account == expected.account


def test_an_ingest_killed_at_any_moment_leaves_no_trace(home: Home, undisturbed: tuple[Path, Outcome, float]) -> None:
    """Killed again and again in the same home, at moments spread over its whole run, then run again."""
    path, expected, seconds = undisturbed
    roll = random.Random(1)  # noqa: S311
    for part in (0.4, 0.65, 0.85):
        moment = seconds * (part + roll.uniform(-0.07, 0.07))
        started_and_killed(home, path, lambda since, moment=moment: since > moment)  # type: ignore[misc]
        if read_log(home.facts):
            break
    assert_no_trace_is_left(home, path, expected)


@pytest.mark.parametrize("trace", ["staging/read", "staging/settled", "quarantine/*.parquet", "trades/*/*.parquet"])
def test_an_ingest_killed_at_each_of_its_steps_leaves_no_trace(
    trace: str, home: Home, undisturbed: tuple[Path, Outcome, float]
) -> None:
    """Killed as soon as a step has left its first file."""
    path, expected, _ = undisturbed
    started_and_killed(home, path, lambda since: any(home.facts.glob(trace)))
    assert list(home.facts.glob(trace)), "it was not killed where it should be"
    assert_no_trace_is_left(home, path, expected)


# Two ingests at once


def test_a_second_ingest_at_the_same_time_is_refused_and_changes_nothing(home: Home, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "trades.csv", [Trade("T1")])
    take(home, write_csv(tmp_path / "before.csv", [Trade("T0")]))
    before = files_of(home)
    hold = (
        "import sys; from filelock import FileLock\n"
        "with FileLock(sys.argv[1]): print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", hold, str(home.facts / "ingest.lock")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    try:
        with pytest.raises(HomeProblem, match="another ingest is running"):
            take(home, path)
        run = subprocess.run(command(home, "ingest", "trades", path), capture_output=True, text=True)
        assert run.returncode == 2
        assert "another ingest is running in this home" in run.stderr
        assert "next:" in run.stderr
        assert files_of(home) == before
    finally:
        holder.communicate("")
    run = subprocess.run(command(home, "ingest", "trades", path), capture_output=True, text=True)
    assert (run.returncode, len(live(home))) == (0, 2)


# The log


def three_ingests(home: Home, folder: Path) -> list[str]:
    """Three days by three ingests; returns the head after each."""
    heads = []
    for number in range(3):
        file = write_csv(folder / f"{number}.csv", [Trade(f"T{number}", f"2018-01-2{number}T00:00:00Z"), Trade("D")])
        heads.append(take(home, file).entry.digest)
    return heads


@pytest.mark.parametrize("cut", [1, 20, -1])
def test_a_torn_last_line_never_happened_and_the_next_ingest_mends_it(cut: int, home: Home, tmp_path: Path) -> None:
    """Cut after its first byte, within, and just before its end."""
    three_ingests(home, tmp_path)
    log = home.facts / "log.jsonl"
    *whole, last = log.read_bytes().splitlines(keepends=True)
    expected = outcome(home)
    log.write_bytes(b"".join(whole) + last[:cut])
    assert len(read_log(home.facts)) == 2
    assert len(live(home)) == 3
    take(home, tmp_path / "2.csv")
    assert outcome(home) == expected
    assert len(log.read_bytes().splitlines()) == len(read_log(home.facts)) == 3


def test_a_changed_byte_in_the_past_of_the_log_is_found_and_its_line_named(home: Home, tmp_path: Path) -> None:
    """A byte that leaves its line readable shows at the line after it, whose digest of the past no longer fits."""
    three_ingests(home, tmp_path)
    log = home.facts / "log.jsonl"
    content = log.read_bytes()
    lines = content.splitlines(keepends=True)
    roll = random.Random(2)  # noqa: S311
    for _ in range(300):
        number = roll.randrange(2)
        at = sum(map(len, lines[:number])) + roll.randrange(len(lines[number]) - 1)
        new = roll.choice([b"0", b"7", b"e", b" ", b'"', b"\xff"])
        if content[at : at + 1] == new:
            continue
        log.write_bytes(content[:at] + new + content[at + 1 :])
        with pytest.raises(FactsDamaged, match=rf"line ({number + 1}|{number + 2}) of the log") as damage:
            read_log(home.facts)
        assert "next:" in str(damage.value)
    before = files_of(home)
    with pytest.raises(FactsDamaged):
        take(home, write_csv(tmp_path / "more.csv", [Trade("T9")]))
    assert files_of(home) == before


@pytest.mark.parametrize("order", [(1, 2), (0, 2), (1, 0, 2), (0, 0, 1, 2)])
def test_lines_of_the_log_that_are_missing_moved_or_doubled_are_found(
    order: tuple[int, ...], home: Home, tmp_path: Path
) -> None:
    three_ingests(home, tmp_path)
    log = home.facts / "log.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[number] for number in order))
    with pytest.raises(FactsDamaged, match=r"line \d of the log"):
        read_log(home.facts)


def test_a_log_cut_at_the_end_is_found_by_who_kept_the_head(home: Home, tmp_path: Path) -> None:
    heads = three_ingests(home, tmp_path)
    log = home.facts / "log.jsonl"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:2]))
    assert open_lake(home).head == heads[1]
    with pytest.raises(FactsDamaged, match="the log has no entry"):
        open_lake(home, head=heads[2])


# The files of the lake


def a_segment(home: Home) -> Path:
    return home.facts / open_lake(home).days("trades")["2018-01-26"][0].file


def test_a_deleted_segment_is_found(home: Home, tmp_path: Path) -> None:
    three_ingests(home, tmp_path)
    open_lake(home).check_files(DATASETS)
    a_segment(home).unlink()
    with pytest.raises(FactsDamaged, match="day=2018-01-26"):
        open_lake(home).check_files(DATASETS)
    with pytest.raises(FactsDamaged, match="missing"):
        volumes(home)


def test_an_altered_segment_is_found(home: Home, tmp_path: Path) -> None:
    three_ingests(home, tmp_path)
    segment = a_segment(home)
    content = segment.read_bytes()
    segment.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
    with pytest.raises(FactsDamaged, match="facts were changed") as damage:
        open_lake(home).check_files(["trades"])
    assert str(segment) in str(damage.value)


def test_a_segment_put_in_place_of_another_is_found(home: Home, tmp_path: Path) -> None:
    """A whole and readable file of the same dataset, but not the one that was recorded."""
    three_ingests(home, tmp_path)
    other = home.facts / open_lake(home).days("trades")["2018-01-20"][0].file
    a_segment(home).write_bytes(other.read_bytes())
    with pytest.raises(FactsDamaged, match="facts were changed"):
        open_lake(home).check_files(["trades"])


# Corrections


def prices(home: Home, head: str = "") -> dict[str | None, Decimal]:
    return {row["trade_id"]: Decimal(row["price"] or "") for row in live(home, head=head)}


def test_a_correction_replaces_rows_of_its_keys_and_the_past_stays_readable(home: Home, tmp_path: Path) -> None:
    first = take(home, write_csv(tmp_path / "a.csv", [Trade("T1"), Trade("T2"), Trade("T3")]))
    before = outcome(home)
    second = take(
        home, write_csv(tmp_path / "b.csv", [Trade("T1", price="7"), Trade("T3"), Trade("T4")]), corrects="typing error"
    )
    assert (second.accepted, second.duplicate, second.quarantined, second.entry.withdrawn) == (2, 1, 0, 1)
    assert second.entry.corrects == "typing error"
    assert prices(home) == {"T1": 7, "T2": 1000000, "T3": 1000000, "T4": 1000000}
    assert (live(home, head=first.entry.digest), volumes(home, head=first.entry.digest)) == before[:2]
    assert volumes(home) != before[1]
    assert open_lake(home).head == second.entry.digest


def test_a_correction_can_move_a_row_to_another_day(home: Home, tmp_path: Path) -> None:
    take(home, write_csv(tmp_path / "a.csv", [Trade("T1")]))
    take(home, write_csv(tmp_path / "b.csv", [Trade("T1", "2018-02-01T00:00:00Z")]), corrects="wrong day")
    assert [volume.day for volume in volumes(home)] == ["2018-02-01"]
    assert [row["day"] for row in live(home)] == ["2018-02-01"]


def disputed(home: Home, folder: Path) -> None:
    """T1 in dispute over two ingests, T2 sound."""
    take(home, write_csv(folder / "a.csv", [Trade("T1"), Trade("T2")]))
    take(home, write_csv(folder / "b.csv", [Trade("T1", price="5")]))
    assert prices(home) == {"T2": 1000000}


def test_a_correction_ends_a_dispute(home: Home, tmp_path: Path) -> None:
    disputed(home, tmp_path)
    assert [row["settled"] for row in quarantine(home)] == [False, False]
    take(home, write_csv(tmp_path / "c.csv", [Trade("T1", price="6")]), corrects="the exchange says 6")
    assert prices(home) == {"T1": 6, "T2": 1000000}
    assert [row["settled"] for row in quarantine(home)] == [True, True]
    again = take(home, write_csv(tmp_path / "d.csv", [Trade("T1", price="6"), Trade("T5")]))
    assert (again.accepted, again.duplicate) == (1, 1)


def test_a_dispute_stays_until_a_correction_whatever_is_ingested_between(home: Home, tmp_path: Path) -> None:
    """Sound files of other keys go in as ever, and neither version of the disputed key comes back."""
    disputed(home, tmp_path)
    for number in range(3):
        assert take(home, write_csv(tmp_path / f"{number}.csv", [Trade(f"N{number}")])).accepted == 1
    assert take(home, tmp_path / "a.csv").accepted == 0
    assert take(home, tmp_path / "b.csv").accepted == 0
    assert set(prices(home)) == {"T2", "N0", "N1", "N2"}
    take(home, write_csv(tmp_path / "c.csv", [Trade("T1", price="6")]), corrects="the exchange says 6")
    assert set(prices(home)) == {"T1", "T2", "N0", "N1", "N2"}


def test_what_was_said_after_a_correction_can_dispute_it(home: Home, tmp_path: Path) -> None:
    disputed(home, tmp_path)
    take(home, write_csv(tmp_path / "c.csv", [Trade("T1", price="6")]), corrects="the exchange says 6")
    take(home, write_csv(tmp_path / "d.csv", [Trade("T1", price="8")]))
    assert prices(home) == {"T2": 1000000}
    take(home, write_csv(tmp_path / "e.csv", [Trade("T1", price="8")]), corrects="8 it is")
    assert prices(home) == {"T1": 8, "T2": 1000000}


def test_a_file_that_was_corrected_changes_nothing_when_it_is_ingested_again(home: Home, tmp_path: Path) -> None:
    """The daily job that names the same folder again must not take the correction back, nor dispute it."""
    old = write_csv(tmp_path / "a.csv", [Trade("T1"), Trade("T2")])
    take(home, old)
    take(home, write_csv(tmp_path / "b.csv", [Trade("T1", price="7")]), corrects="typing error")
    before = outcome(home)
    take(home, old)
    assert outcome(home) == before


def test_a_correction_that_contradicts_itself_settles_nothing_for_good(home: Home, tmp_path: Path) -> None:
    """Two contents for one key in the correction: whatever then holds of the key holds after a repetition too."""
    old = write_csv(tmp_path / "a.csv", [Trade("T1"), Trade("T2")])
    take(home, old)
    take(home, write_csv(tmp_path / "b.csv", [Trade("T1", price="7"), Trade("T1", price="8")]), corrects="typing error")
    before = outcome(home)
    assert prices(home).get("T1") not in (7, 8)
    take(home, old)
    assert outcome(home) == before


def test_a_mended_row_is_accepted_and_the_refused_one_shows_as_settled(home: Home, tmp_path: Path) -> None:
    """No correction is needed: a refused row never was a fact."""
    take(home, write_csv(tmp_path / "a.csv", [Trade("T1"), Trade("T2", price="much"), Trade("T3", price="more")]))
    mended = take(home, write_csv(tmp_path / "b.csv", [Trade("T1"), Trade("T2"), Trade("T3", price="more")]))
    assert (mended.accepted, mended.duplicate, mended.quarantined) == (1, 1, 1)
    assert [(row["file"], row["key"], row["settled"]) for row in quarantine(home)] == [
        ("a.csv", "T2", True),
        ("a.csv", "T3", False),
        ("b.csv", "T3", False),
    ]


# Memory


@pytest.mark.skipif("JUNBIKIN_SLOW_TESTS" not in os.environ, reason="takes minutes: set JUNBIKIN_SLOW_TESTS to run it")
def test_a_file_larger_than_the_memory_limit_is_ingested(home: Home, tmp_path: Path) -> None:
    """A gzip that expands to some 400 MB under a limit of 200 MB, and once more when every row is a duplicate."""
    small = with_setting(home, "memory_limit", "200MB")
    path = tmp_path / "trades.csv.gz"
    rows = 5_000_000
    with duckdb.connect() as engine:
        engine.execute(
            f"""COPY (SELECT 'T' || (i * 7919 % 5000011) AS trade_id,
                strftime(TIMESTAMP '2018-01-01' + to_seconds(i // 2), '%Y-%m-%dT%H:%M:%SZ') AS executed_at,
                'BTC' AS asset, 'JPY' AS quote, 'buy' AS side, 1000000 + i % 1000 AS price,
                '0.' || (1 + i % 99999999) AS quantity, 'spot_venue' AS line, 'A' || i % 100000 AS account_id
                FROM range({rows}) r(i)) TO '{path}' (FORMAT csv, HEADER, COMPRESSION gzip)"""
        )
    assert take(small, path).accepted == rows
    assert take(small, path).duplicate == rows
    assert sum(volume.trades for volume in volumes(small)) == rows
    assert not (small.facts / "staging").exists()


def test_the_columns_written_here_are_those_of_the_dataset() -> None:
    assert tuple(column.name for column in DATASETS["trades"].columns) == TRADE_COLUMNS
