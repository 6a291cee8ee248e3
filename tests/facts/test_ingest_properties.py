"""Properties of ingest, against a slow and obvious model: dictionaries, `Fraction`, and no engine."""

from __future__ import annotations

import gzip
import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import astuple, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import permutations
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest

from junbikin.facts.datasets import DATASETS
from junbikin.facts.ingest import Receipt
from junbikin.home import Home, create_home

from .support import (
    Trade,
    balance,
    live,
    outcome,
    quarantine,
    take,
    volumes,
    write_csv,
    write_jsonl,
    write_parquet,
)

TOKYO = ZoneInfo("Asia/Tokyo")
START = datetime(2018, 1, 24, 12, tzinfo=UTC)
FAULTS = (
    {"price": "NaN"}, {"price": "0"}, {"price": "1.123456789"}, {"quantity": "-1"}, {"quantity": ""},
    {"executed_at": "2018-01-26 00:00:00"}, {"executed_at": ""}, {"side": "BUY"}, {"line": "otc"}, {"trade_id": ""},
)  # fmt: skip


def dice(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - repeatable, and nothing is secret


def some_trades(seed: int, count: int, ids: int) -> list[Trade]:
    """Sound rows over five days, of which some share an id: most with the same content, some with another."""
    roll = dice(seed)
    known: dict[str, Trade] = {}
    trades = []
    for _ in range(count):
        key = f"T{roll.randrange(ids)}"
        moment = START + timedelta(seconds=roll.randrange(4 * 86_400))
        trade = Trade(
            key, moment.isoformat(), roll.choice(["BTC", "ETH"]), side=roll.choice(["buy", "sell", ""]),
            price=str(Decimal(roll.randrange(1, 10**10)).scaleb(-roll.randrange(9))),
            quantity=str(Decimal(roll.randrange(10**10, 10**12)).scaleb(-roll.choice([8, 10, 14, 18]))),
            line=roll.choice(["spot_venue", "margin"]),
        )  # fmt: skip
        if key in known and roll.random() < 0.95:
            trade = known[key]
        known.setdefault(key, trade)
        trades.append(trade)
    return trades


def undisputed(trades: Iterable[Trade]) -> list[Trade]:
    """The model of what is live after ingests of sound rows in any order: every key that has one content."""
    contents = defaultdict(set)
    for trade in trades:
        contents[trade.trade_id].add(trade)
    return [next(iter(group)) for group in contents.values() if len(group) == 1]


def assert_live(home: Home, trades: Iterable[Trade]) -> None:
    """The lake has exactly these rows, each once, exactly as they were."""
    rows = live(home)
    assert max(Counter(row["trade_id"] for row in rows).values(), default=1) == 1
    found = {row["trade_id"]: row for row in rows}
    wanted = {trade.trade_id: trade for trade in trades}
    assert found.keys() == wanted.keys()
    for key, trade in wanted.items():
        row, moment = found[key], datetime.fromisoformat(trade.executed_at)
        assert Decimal(row["price"] or "") == Decimal(trade.price)
        assert Decimal(row["quantity"] or "") == Decimal(trade.quantity)
        assert row["executed_at"] == moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        assert row["day"] == moment.astimezone(TOKYO).date().isoformat()
        assert (row["asset"], row["side"] or "", row["line"]) == (trade.asset, trade.side, trade.line)


def assert_sums(home: Home, trades: Iterable[Trade]) -> None:
    """The sums of every day, line, asset and quote equal those of exact fractions."""
    sums: dict[tuple[str, ...], list[Fraction]] = defaultdict(lambda: [Fraction(0)] * 3)
    for trade in trades:
        day = datetime.fromisoformat(trade.executed_at).astimezone(TOKYO).date().isoformat()
        price, quantity = Fraction(trade.price), Fraction(trade.quantity)
        old = sums[day, trade.line, trade.asset, trade.quote]
        sums[day, trade.line, trade.asset, trade.quote] = [old[0] + 1, old[1] + quantity, old[2] + price * quantity]
    found = {
        (volume.day, volume.line, volume.asset, volume.quote): [
            Fraction(volume.trades), Fraction(volume.quantity), Fraction(volume.notional),
        ]
        for volume in volumes(home)
    }  # fmt: skip
    assert found == dict(sums)


def homes(tmp_path: Path) -> Iterable[Home]:
    number = 0
    while True:
        number += 1
        yield create_home(tmp_path / f"home{number}", "Test")


@pytest.mark.parametrize("seed", range(3))
def test_every_row_read_is_accepted_a_duplicate_or_quarantined(seed: int, home: Home, tmp_path: Path) -> None:
    """Of every source, in every form; and the three are as many as the model counts."""
    roll = dice(seed)
    files, sound, unsound = [], [], 0
    for number, write in enumerate([write_csv, write_csv, write_jsonl, write_parquet]):
        rows = []
        for trade in some_trades(100 * seed + number, 500, 1_500):
            if roll.random() < 0.1:
                rows.append(replace(trade, **roll.choice(FAULTS)))
                unsound += 1
            else:
                rows.append(trade)
                sound.append(trade)
        files.append(write(tmp_path / (f"f{number}.csv.gz" if number == 1 else f"f{number}"), rows))
    receipt = take(home, *files)
    facts = set(undisputed(sound))
    stated = sum(1 for trade in sound if trade in facts)
    assert balance([receipt]) == (2_000, len(facts), stated - len(facts), unsound + len(sound) - stated)
    assert [source.read for source in receipt.entry.sources] == [500] * 4
    assert len(quarantine(home)) == receipt.quarantined
    assert_live(home, facts)
    assert_sums(home, facts)


def three_files(folder: Path) -> tuple[list[Path], list[Trade]]:
    """Three files that overlap, and dispute keys within themselves and between them."""
    files, trades = [], []
    for number in range(3):
        part = some_trades(7, 300, 250)[number * 50 : number * 50 + 200] + some_trades(8 + number, 100, 400)
        files.append(write_csv(folder / f"{number}.csv", part))
        trades += part
    return files, trades


def test_the_order_of_ingest_does_not_matter(tmp_path: Path) -> None:
    """Each permutation as ingests of their own, and all files at once, forwards and backwards."""
    files, trades = three_files(tmp_path)
    assert 0 < len(undisputed(trades)) < len({trade.trade_id for trade in trades})
    outcomes = []
    acts: list[Sequence[Sequence[Path]]] = [[[file] for file in order] for order in permutations(files)]
    acts += [[files], [files[::-1]], [files[:1], files[1:]]]
    for home, act in zip(homes(tmp_path), acts, strict=False):
        balance([take(home, *paths) for paths in act])
        outcomes.append(outcome(home))
    assert all(found == outcomes[0] for found in outcomes)
    assert_live(home, undisputed(trades))
    assert_sums(home, undisputed(trades))


def test_ingesting_again_changes_nothing(home: Home, tmp_path: Path) -> None:
    files, _ = three_files(tmp_path)
    for file in files:
        take(home, file)
    first = outcome(home)
    again = [take(home, file) for file in files] + [take(home, *files)]
    assert outcome(home) == first
    assert balance(again)[1] == 0
    assert all(receipt.entry.withdrawn == 0 for receipt in again)


@pytest.mark.parametrize("parts", [1, 2, 7, 70])
def test_splitting_the_same_rows_differently_changes_nothing(parts: int, home: Home, tmp_path: Path) -> None:
    """70 files are more than are read by one statement; every second one comes by an ingest of its own."""
    trades = some_trades(11, 1_400, 1_000)
    dice(parts).shuffle(trades)
    files = [write_csv(tmp_path / f"{part}.csv", trades[part::parts]) for part in range(parts)]
    receipts = [take(home, *files[::2])] + [take(home, file) for file in files[1::2][:5]]
    if files[11::2]:
        receipts.append(take(home, *files[11::2]))
    assert balance(receipts)[0] == len(trades)
    assert_live(home, undisputed(trades))
    assert_sums(home, undisputed(trades))


def test_sums_are_exact_with_18_decimals_and_beyond_64_bits(home: Home, tmp_path: Path) -> None:
    """Products of 26 decimals, totals beyond 2^63, and both in the same sum."""
    roll = dice(5)
    trades = []
    for number in range(3_000):
        digits = roll.choice([8, 18])
        small = Trade(
            f"S{number}", price=str(Decimal(roll.randrange(1, 10**18)).scaleb(-8)),
            quantity=str(Decimal(roll.randrange(10**10, 10**20)).scaleb(-digits)),
        )  # fmt: skip
        if Fraction(small.price) * Fraction(small.quantity) <= 10**18:
            trades.append(small)
    trades += [Trade(f"L{number}", price="9999999.99999999", quantity="99999999999.99999999") for number in range(50)]
    trades += [Trade(f"M{number}", price="0.00000001", quantity="0.100000000000000001") for number in range(50)]
    receipt = take(home, write_csv(tmp_path / "trades.csv", trades))
    assert receipt.accepted == len(trades)
    assert max(volume.notional for volume in volumes(home)) > 2**63
    assert_sums(home, trades)


def test_the_same_rows_give_the_same_facts_in_every_form(tmp_path: Path) -> None:
    trades = some_trades(21, 400, 350)
    forms = [
        write_csv(tmp_path / "a.csv", trades),
        write_csv(tmp_path / "b.csv.gz", trades),
        write_jsonl(tmp_path / "c.jsonl", trades),
        write_parquet(tmp_path / "d.parquet", trades),
        write_parquet(
            tmp_path / "e.parquet", trades,
            executed_at="TIMESTAMPTZ", price="DECIMAL(18,8)", quantity="DECIMAL(38,18)",
        ),
    ]  # fmt: skip
    outcomes = []
    for home, file in zip(homes(tmp_path), forms, strict=False):
        take(home, file)
        outcomes.append(outcome(home))
    assert all(found == outcomes[0] for found in outcomes)
    assert_live(home, undisputed(trades))
    together = create_home(tmp_path / "together", "Test")
    assert take(together, *forms).accepted == len(undisputed(trades))
    assert outcome(together) == outcomes[0]


@pytest.mark.parametrize(("column", "whole", "decimals"), [("price", 10, 8), ("quantity", 12, 18)])
def test_a_number_is_accepted_exactly_or_not_at_all(
    column: str, whole: int, decimals: int, home: Home, tmp_path: Path
) -> None:
    """Thousands of spellings, each against `Decimal`: what is accepted is that number and fits; a plain one that
    fits is accepted."""
    roll = dice(31)
    spelt: dict[str, str] = {}
    for number in range(4_000):
        before = "".join(roll.choices("0123456789", k=roll.choice([0, 1, 2, whole - 1, whole, whole + 1, whole + 3])))
        after = "".join(roll.choices("0123456789", k=roll.choice([0, 1, decimals - 1, decimals, decimals + 1, 25])))
        after += "0" * roll.choice([0, 0, 3])
        text = before + ("." + after if after or roll.random() < 0.1 else "")
        text = roll.choice(["", "", "", "+", " "]) + (text if before or after else "1")
        if roll.random() < 0.4:
            text += f"{roll.choice('eE')}{roll.choice(['', '+', '-'])}{roll.choice([0, 1, 3, 8, 12, 18, 30, 999])}"
        spelt[f"T{number}"] = text
    small = {"price": "0.00000001", "quantity": "0.00000001"}
    trades = [Trade(key, **(small | {column: text})) for key, text in spelt.items()]
    take(home, write_csv(tmp_path / "trades.csv", trades))
    found = {row["trade_id"] or "": Fraction(row[column] or "") for row in live(home)}
    assert len(found) > 1_000
    for key, text in spelt.items():
        value = Fraction(Decimal(text))
        fits = 0 < value < 10**whole and (value * 10**decimals).denominator == 1
        if key in found:
            assert fits, text
            assert found[key] == value, text
        else:
            assert not fits or "e" in text.lower(), text


@pytest.mark.parametrize("name", ["trades.csv", "trades.csv.gz", "trades.jsonl"])
def test_a_refused_row_of_a_large_file_is_told_by_its_physical_line(name: str, home: Home, tmp_path: Path) -> None:
    """Rows read by several threads, blank lines between them, faults of the row and of its shape."""
    roll = dice(41)
    write = write_jsonl if name.endswith("jsonl") else write_csv
    plain = write(tmp_path / "plain", [Trade(f"T{number:06}") for number in range(60_000)])
    lines = plain.read_text().split("\n")
    expected: dict[int, str] = {}
    for index in sorted(roll.sample(range(1, 60_000), 300)):
        fault = roll.choice(["price", "shape", "blank"])
        if fault == "price":
            lines[index] = lines[index].replace("1000000", "-1")
        elif fault == "shape":
            lines[index] = lines[index][: len(lines[index]) // 2]
        else:
            lines[index] = ""
            continue
        expected[index + 1] = lines[index]
    (tmp_path / "made").mkdir()
    path = tmp_path / "made" / name
    if name.endswith("gz"):
        path.write_bytes(gzip.compress("\n".join(lines).encode(), 1))
    else:
        path.write_text("\n".join(lines))
    receipt = take(home, path)
    rows = quarantine(home)
    assert receipt.quarantined == len(expected) == len(rows)
    assert {row["place"] for row in rows} == {"line"}
    assert {row["position"] for row in rows} == set(expected)
    assert {row["position"]: row["raw"].strip("\n") for row in rows} == expected


GOOD_ROWS: dict[str, str] = {
    "trades": "T1,2018-01-26T00:00:00Z,BTC,JPY,,1000000.00000001,0.000000010000000001,margin,",
    "market_trades": "zaif,T1,2018-01-26T00:00:00Z,XEM,JPY,88.549,0.000000010000000001",
    "customer_balances": "2018-01-26,A1,BTC,99999999999999999999.999999999999999999",
    "holdings": "2018-01-26,W1,BTC,0,customer,cold,,",
    "prices": "BTC,JPY,2018-01-26T00:00:00Z,0.000000000000000001,CoinGecko",
    "incidents": "I1,2018-01-26,hack,hot,58000000000,46300000000,https://example.org",
    "reserve_assets": "2018-01-26,R1,deposit,JPY,1000000000,Bank,true,false,JP,0,",
    "policies": "2018-01-26,P1,Insurer,,2018-01-01,2999-12-31,hack|fraud,hot|cold,1000000000,0,",
    "controls": "2018-01-26,keys,good,",
    "reserve_entries": "E1,2018-01-26,accrual,0.000000000000000001,",
    "balance_changes": "2018-01-26T00:00:00Z,A1,BTC,0.000000000000000001",
    "statements": "2018-01-26,cold-1,BTC,1.5,core,block 505000,2018-01-26T00:00:00Z,",
    "financials": "2018-01-26,net_assets,-123456789012345678,",
    "audits": "2018-01-26,segregation,Auditor,2017-12-31,",
    "declared_volumes": "spot_venue,2017-04-01,2018-03-31,123456789012345678,",
    "payout_instructions": "A1,2018-01-26T00:00:00Z,address,,,,,,XEM,nem:main,NALICE",
}


@pytest.mark.parametrize("name", DATASETS)
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_good_row_of_every_dataset_comes_back_as_it_was(name: str, form: str, home: Home, tmp_path: Path) -> None:
    columns = [column.name for column in DATASETS[name].columns]
    path = tmp_path / "rows.csv"
    path.write_text(",".join(columns) + "\n" + GOOD_ROWS[name] + "\n")
    if form == "parquet":
        with duckdb.connect() as engine:
            engine.execute(f"COPY (FROM read_csv('{path}', all_varchar = true)) TO '{path}.pq' (FORMAT parquet)")
        path = Path(f"{path}.pq")
    assert take(home, path, dataset=name).accepted == 1
    assert take(home, path, dataset=name).duplicate == 1
    [row] = live(home, name)
    for column, text in zip(columns, GOOD_ROWS[name].split(","), strict=True):
        found = row[column]
        if text.strip("-")[:1].isdigit() and "-" not in text[1:] and "T" not in text:
            assert Decimal(found or "") == Decimal(text)
        elif text.endswith("Z"):
            assert found == text.replace("Z", ".000000Z")
        else:
            assert found == (text or None)


@pytest.mark.parametrize("seed", range(3))
def test_ingests_and_corrections_in_any_turn_leave_what_the_model_says(seed: int, home: Home, tmp_path: Path) -> None:
    """A correction is the one thing said of its keys, until a later ingest says something else of them."""
    roll = dice(100 + seed)
    said: dict[str, set[Trade]] = defaultdict(set)
    receipts: list[Receipt] = []
    for step in range(8):
        rows = [
            Trade(
                f"T{key}", f"2018-01-2{roll.choice('333334')}T00:00:00+00:00", price=str(roll.choice([1, 1, 1, 1, 2]))
            )
            for key in roll.sample(range(30), 12)
        ]
        correcting = step > 1 and roll.random() < 0.4
        for row in rows:
            said[row.trade_id] = {row} if correcting else said[row.trade_id] | {row}
        file = write_csv(tmp_path / f"{step}.csv", rows)
        receipts.append(take(home, file, corrects="a test" if correcting else ""))
        assert_live(home, [next(iter(group)) for group in said.values() if len(group) == 1])
    _, accepted, _, _ = balance(receipts)
    assert accepted - sum(receipt.entry.withdrawn for receipt in receipts) == len(live(home))


@pytest.mark.parametrize("folder", ["plain", "day=2020-01-01", "asset=ETH", "ho[m]e", "it's"])
def test_the_name_of_the_folder_that_a_home_is_in_does_not_matter(folder: str, tmp_path: Path) -> None:
    """Beside another home whose path the name would match if it were a pattern."""
    other = create_home(tmp_path / "home" / "home", "Test")
    take(other, write_csv(tmp_path / "other.csv", [Trade("T1", price="5"), Trade("T9", price="5")]))
    home = create_home(tmp_path / folder / "home", "Test")
    receipts = [
        take(home, write_csv(tmp_path / "a.csv", [Trade("T1"), Trade("T2")])),
        take(home, write_csv(tmp_path / "b.csv", [Trade("T1"), Trade("T2", price="7"), Trade("T3"), Trade("T4", price="x")])),
    ]  # fmt: skip
    assert balance(receipts) == (6, 3, 1, 2)
    assert_live(home, [Trade("T1"), Trade("T3")])
    assert_sums(home, [Trade("T1"), Trade("T3")])
    assert len(quarantine(home)) == 3


def test_the_digest_of_the_sums_is_of_their_content(home: Home, tmp_path: Path) -> None:
    """So that the comparisons above can fail: another price makes another digest."""
    take(home, write_csv(tmp_path / "a.csv", [Trade("T1")]))
    one = outcome(home)
    other = create_home(tmp_path / "other", "Test")
    take(other, write_csv(tmp_path / "b.csv", [Trade("T1", price="1000000.00000001")]))
    assert outcome(other)[2] != one[2]
    assert one[2] == hashlib.sha256(repr(volumes(home)).encode()).hexdigest()
    assert astuple(Trade("T1")) != astuple(Trade("T1", price="1000000.00000001"))
