"""What was observed is kept: a statement in the lake opens down to the file of what the node said."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from junbikin.custody.evidence.bitcoin import BTC
from junbikin.custody.evidence.keep import Kept, keep
from junbikin.custody.evidence.observe import Seen
from junbikin.custody.evidence.values import Block, Coin, Reading, Watched
from junbikin.errors import BadInput
from junbikin.facts.log import read_log
from junbikin.home import Home, create_home

from .nodes import bitcoin_source, stated, wpkh

NOW = datetime(2026, 3, 31, 3, 0, 0, tzinfo=UTC)
DAY = date(2026, 3, 31)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return create_home(tmp_path / "home", "例取引所")


def seen(*units: int, name: str = "core-1", height: int = 840_000, coin: Coin = BTC) -> Seen:
    source = bitcoin_source("http://127.0.0.1:9/a-key", "core", name=name)
    block = Block(height, f"{height:064x}", NOW - timedelta(minutes=9))
    readings = (Reading(Watched("bitcoin-regtest", wpkh(n), "cold-1", coin), u) for n, u in enumerate(units, 1))
    return Seen(source, Block(height + 5, "f" * 64, NOW), block, tuple(readings))


def kept(home: Home, *what: Seen, now: datetime = NOW) -> Kept:
    return keep(home, DAY, what, now)


def test_a_statement_opens_down_to_what_the_node_said(home: Home) -> None:
    kept(home, seen(123_456_789, 1))
    [row] = stated(home)
    assert (row["location_id"], row["asset"], row["quantity"], row["source"]) == (
        "cold-1",
        "BTC",
        Decimal("1.2345679"),
        "core-1",
    )
    assert row["reference"] == f"block 840000 {840_000:064x}"
    assert row["stated_at"] == "2026-03-31 02:51:00"
    path, _, digest = row["evidence"].partition(" sha256:")
    content = (home.path / path).read_bytes()
    assert hashlib.sha256(content).hexdigest() == digest
    said: dict[str, Any] = json.loads(content)
    assert sum(int(reading["units"]) for reading in said["readings"]) == 123_456_790
    assert said["block"] == {"height": 840_000, "hash": f"{840_000:064x}", "time": "2026-03-31T02:51:00+00:00"}
    assert said["operator"] == "例取引所"
    assert b"a-key" not in content


def test_the_ingest_is_of_a_file_that_stays(home: Home) -> None:
    kept(home, seen(1))
    [entry] = read_log(home.facts)
    [table] = (home.path / "evidence" / "2026-03-31").glob("statements-*.csv")
    assert entry.sources[0].name == table.name
    assert entry.sources[0].sha256 == hashlib.sha256(table.read_bytes()).hexdigest()


def test_a_later_look_takes_the_place_of_an_earlier_one_and_both_files_stay(home: Home) -> None:
    kept(home, seen(100))
    again = kept(home, seen(100))
    assert (again.receipt.accepted, again.receipt.duplicate) == (0, 1)
    later = kept(home, seen(250, height=840_001), now=NOW + timedelta(hours=1))
    assert later.receipt.accepted == 1
    assert [row["quantity"] for row in stated(home)] == [Decimal("0.0000025")]
    assert len(list((home.path / "evidence" / "2026-03-31").glob("core-1-*.json"))) == 2
    assert read_log(home.facts)[-1].corrects == "observed at 2026-03-31T04:00:00+00:00"


def test_sources_that_differ_are_both_kept(home: Home) -> None:
    kept(home, seen(100), seen(101, name="esplora-1"))
    assert [(row["source"], row["quantity"]) for row in stated(home)] == [
        ("core-1", Decimal("0.000001")), ("esplora-1", Decimal("0.00000101")),
    ]  # fmt: skip


def test_nothing_held_is_a_statement_too(home: Home) -> None:
    kept(home, seen(0))
    assert [row["quantity"] for row in stated(home)] == [Decimal(0)]


def test_an_amount_that_no_statement_can_hold_is_refused(home: Home) -> None:
    with pytest.raises(BadInput, match="1 of 1 statements were refused"):
        kept(home, seen(2**255, coin=Coin("SPAM", "native", 0)))
    assert stated(home) == []
