"""The real thing: every execution of bitFlyer's BTC_JPY across the theft at Coincheck, ten days of January 2018.

The files are not ours to copy into the repository; without ../shared/data these tests are skipped. What is wrong
with the files is told in its SOURCES.md.
"""

from __future__ import annotations

import csv
import gzip
from bisect import bisect_left
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from junbikin.facts.ingest import Receipt
from junbikin.facts.lake import open_lake
from junbikin.home import Home, create_home

from .support import balance, outcome, quarantine, take, volumes

DATA = Path(__file__).parents[2].parent / "shared" / "data"
BTC = sorted((DATA / "trades").glob("bitflyer.execution.201801*.BTC_JPY*.csv.gz"))
ETH = sorted((DATA / "trades").glob("bitflyer.execution.201801*.ETH_BTC.csv.gz"))
BITCOINITY = DATA / "volumes" / "bitcoinity_daily_btc_by_exchange.csv"
WHOLE_DAYS = [f"2018-01-{day}" for day in range(21, 30)]
"""The days of UTC that the files cover from end to end; they begin and end at midnight in Tokyo."""

pytestmark = pytest.mark.skipif(not BTC, reason=f"the real trades are not here: {DATA / 'trades'}")


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Receipt]:
    home = create_home(tmp_path_factory.mktemp("real") / "home", "bitFlyer")
    return home, take(home, *BTC, mapping="bitflyer")


def query(home: Home, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
    """Rows of a query over view `trades`, times in UTC."""
    segments = [s for group in open_lake(home).days("trades").values() for s in group]
    paths = ", ".join(f"'{home.facts / segment.file}'" for segment in segments)
    with duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'")
        engine.execute(f"CREATE VIEW trades AS FROM read_parquet([{paths}], hive_partitioning = false)")
        return engine.execute(sql, list(parameters)).fetchall()


def test_every_row_is_accounted_for(ingested: tuple[Home, Receipt]) -> None:
    """1,230,068 ids are accepted: the 1,233,856 that the files have, less 3,788 that have a time nowhere."""
    home, receipt = ingested
    assert balance([receipt]) == (1_327_302, 1_230_068, 93_101, 4_133)
    assert (receipt.entry.disputed, receipt.entry.withdrawn) == (0, 0)
    rows = quarantine(home)
    assert len(rows) == 4_133
    assert Counter(row["reason"] for row in rows) == {"executed_at: empty": 4_133}
    assert len({row["key"] for row in rows if not row["settled"]}) == 1_233_856 - 1_230_068


def test_the_notional_is_exact_to_the_last_digit(ingested: tuple[Home, Receipt]) -> None:
    home, _ = ingested
    days = {volume.day: volume for volume in volumes(home)}
    assert len(days) == 10
    assert days["2018-01-26"].notional == Decimal("21065473356.63299177")
    assert sum(volume.notional for volume in days.values()) == Decimal("206125111979.8211375")
    assert sum(volume.trades for volume in days.values()) == 1_230_068


def test_executions_of_an_opening_auction_have_no_side_and_are_kept(ingested: tuple[Home, Receipt]) -> None:
    """490 rows have no side, but only 448 ids: 42 of the rows repeat another, being in two files. None is refused."""
    home, _ = ingested
    assert query(home, "SELECT count(*) FROM trades WHERE side IS NULL") == [(448,)]
    assert query(home, "SELECT count(*) FROM trades WHERE side NOT IN ('buy', 'sell')") == [(0,)]
    rows, ids = 0, set()
    for file in BTC:
        with gzip.open(file, "rt", newline="") as stream:
            for row in csv.DictReader(stream):
                if not row["side"]:
                    rows += 1
                    ids.add(row.get("id") or row.get("execution_id"))
    assert (rows, len(ids)) == (490, 448)


def test_the_order_of_the_files_does_not_matter(ingested: tuple[Home, Receipt], tmp_path: Path) -> None:
    """30 January comes in two files with another header each: the later one first, by an ingest of its own."""
    home, _ = ingested
    other = create_home(tmp_path / "other", "bitFlyer")
    take(other, BTC[-1], mapping="bitflyer")
    take(other, *BTC[-2::-1], mapping="bitflyer")
    assert volumes(other) == volumes(home)


def test_trades_of_one_crypto_asset_for_another_come_in_too(tmp_path: Path) -> None:
    """ETH_BTC: the quote is bitcoin, so the sums are in bitcoin and stand apart from those in yen."""
    home = create_home(tmp_path / "home", "bitFlyer")
    assert len(ETH) == 2
    read, accepted, duplicate, quarantined = balance([take(home, *ETH, mapping="bitflyer")])
    assert (read, accepted, duplicate, quarantined) == (9_934, 7_642, 2_261, 31)
    rows, sums, _ = outcome(home)
    assert {(row["asset"], row["quote"]) for row in rows} == {("ETH", "BTC")}
    assert sum(volume.notional for volume in sums) == sum(
        Decimal(row["price"] or "") * Decimal(row["quantity"] or "") for row in rows
    )


def without_time_by_day(home: Home) -> dict[str, Decimal]:
    """What the rows without a time add to each day of UTC, each id once, its day taken from the next higher id."""
    headers = {}
    for file in BTC:
        with gzip.open(file, "rt", newline="") as stream:
            headers[file.name] = next(csv.reader(stream))
    sizes = {}
    for row in quarantine(home):
        if not row["settled"]:
            fields = dict(zip(headers[row["file"]], next(csv.reader([row["raw"]])), strict=True))
            sizes[int(row["key"])] = Decimal(fields["size"])
    timed = query(home, "SELECT trade_id::BIGINT AS id, strftime(executed_at, '%Y-%m-%d') FROM trades ORDER BY id")
    ids = [key for key, _ in timed]
    found: dict[str, Decimal] = defaultdict(Decimal)
    for key, size in sizes.items():
        found[timed[bisect_left(ids, key)][1]] += size
    return found


def test_daily_bitcoin_is_what_an_independent_collector_counted(ingested: tuple[Home, Receipt]) -> None:
    """bitcoinity published bitFlyer's daily bitcoin by UTC day, from its own collection.

    What the numbers show (run with -s): ours are below theirs by some 0.3 to 0.6 % on whole days, and by 1.6 % on
    the 26th. Nearly all of that is the rows without a time, which we refuse and they counted: with these added, by
    the order of ids, three of the nine days agree to the last digit that bitcoinity prints (a float: 10^-9), and
    five more to 0.012 %. The 26th lacks another 222 BTC, 1.2 %: the files have a hole of 46 minutes there. Nothing
    is ever above theirs, as it would be if a duplicate were counted.

    So for each whole day: not above by more than the float's noise, not below by more than 0.02 %, or 1.5 % on the
    26th. The 20th and the 30th are covered only in part (9 hours and 15 hours): they are shown and not judged.
    """
    home, _ = ingested
    with BITCOINITY.open(newline="") as stream:
        theirs = {row["Time"][:10]: row["bitflyer"] for row in csv.DictReader(stream)}
    sql = "SELECT strftime(executed_at, '%Y-%m-%d') AS day, sum(quantity)::VARCHAR FROM trades GROUP BY 1 ORDER BY 1"
    ours = {day: Decimal(quantity) for day, quantity in query(home, sql)}
    refused = without_time_by_day(home)
    print("\nday (UTC)     accepted BTC   without time   bitcoinity        missing     %")  # noqa: T201
    agree = 0
    for day, accepted in ours.items():
        stated, added = Decimal(theirs[day]), refused[day]
        missing = stated - accepted - added
        note = "" if day in WHOLE_DAYS else "  covered in part"
        row = f"{day}  {accepted:14.8f}  {added:13.8f}  {stated:15.8f}  {missing:13.8f}  {missing / stated:6.3%}{note}"
        print(row)  # noqa: T201
        if day in WHOLE_DAYS:
            assert missing > Decimal("-0.00000001"), day
            assert missing / stated < (Decimal("0.015") if day == "2018-01-26" else Decimal("0.0002")), day
            assert accepted / stated > (Decimal("0.98") if day == "2018-01-26" else Decimal("0.99")), day
            agree += missing < Decimal("0.00000001")
    assert set(WHOLE_DAYS) < set(ours)
    assert agree == 3
