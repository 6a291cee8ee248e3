"""Statements of a trust bank and of a custodian come in by a mapping; two that contradict each other count for nothing."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from junbikin.facts.datasets import DATASETS
from junbikin.facts.ingest import Receipt, ingest
from junbikin.facts.log import read_log
from junbikin.facts.mappings import load_mapping, own_names
from junbikin.facts.quarantine import refused_rows
from junbikin.home import Home, create_home

from .nodes import stated

STATEMENTS = DATASETS["statements"]
TRUST = "基準日,信託契約番号,受託者,通貨,信託財産残高,証明書番号,作成日時,備考"
DISPUTED = "same key with different content: none of them is used until a correction says which is right"
CUSTODIAN = "statement_date,wallet_id,customer_name,currency,closing_balance,usd_value,statement_no,as_at,file"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return create_home(tmp_path / "home", "Example")


def taken(home: Home, mapping: str, *lines: str, encoding: str = "utf-8", corrects: str = "") -> Receipt:
    file = home.path / f"{mapping or 'ours'}-{len(read_log(home.facts)) if home.facts.exists() else 0}.csv"
    file.write_bytes(("\r\n".join(lines) + "\r\n").encode(encoding))
    by = load_mapping(mapping, STATEMENTS) if mapping else own_names(STATEMENTS)
    return ingest(home, STATEMENTS, [file], by, corrects=corrects)


def reasons(home: Home) -> list[str]:
    found = refused_rows(home.facts, read_log(home.facts), STATEMENTS, home.memory_limit)
    return [row["reason"] for row in found]


def test_a_trust_bank_states_in_its_own_words_and_letters(home: Home) -> None:
    line = '2026/03/31,信-10001,楓信託銀行,円,"1,234,567,890",残証-0331,2026/03/31 18:30:00,髙橋'
    receipt = taken(home, "kaede-trust", TRUST, line, encoding="cp932")
    assert (receipt.accepted, receipt.quarantined) == (1, 0)
    [row] = stated(home)
    assert (row["location_id"], row["asset"], row["quantity"]) == ("kaede-customer", "JPY", Decimal(1234567890))
    assert (row["source"], row["reference"]) == ("kaede-trust", "残証-0331")
    assert row["stated_at"] == "2026-03-31 09:30:00"


def test_a_contract_that_the_mapping_does_not_name_is_quarantined(home: Home) -> None:
    line = "2026/03/31,信-99999,楓信託銀行,円,1,残証-0331,2026/03/31 18:30:00,"
    assert taken(home, "kaede-trust", TRUST, line, encoding="cp932").quarantined == 1
    assert stated(home) == []


def test_a_custodian_states_coins_to_the_last_digit(home: Home) -> None:
    line = (
        "2026-03-31,cold-1,Example,ETH,0.000000000000000001,0.00,2026-090,2026-03-31T23:59:59+09:00,statement-090.pdf"
    )
    taken(home, "minato-custody", CUSTODIAN, line, line.replace("ETH", "XBT").replace("0.000000000000000001", "7"))
    assert [(row["asset"], row["quantity"]) for row in stated(home)] == [
        ("BTC", Decimal(7)), ("ETH", Decimal("0.000000000000000001")),
    ]  # fmt: skip


@pytest.mark.parametrize("apart", [False, True], ids=["in one file", "in two files"])
def test_two_statements_of_one_source_for_one_place_count_for_nothing_until_it_is_corrected(
    home: Home, apart: bool
) -> None:
    line = "2026-03-31,cold-1,Example,BTC,{},0,{},2026-03-31T23:59:59+09:00,"
    one, other = line.format(7, "090"), line.format(8, "091")
    if apart:
        assert taken(home, "minato-custody", CUSTODIAN, one).accepted == 1
        assert taken(home, "minato-custody", CUSTODIAN, other).entry.withdrawn == 1
    else:
        assert taken(home, "minato-custody", CUSTODIAN, one, other).quarantined == 2
    assert stated(home) == []
    assert len(reasons(home)) == 2
    assert {reason.removeprefix("withdrawn from the lake: ") for reason in reasons(home)} == {DISPUTED}
    taken(home, "minato-custody", CUSTODIAN, other, corrects="the custodian says that 091 replaces 090")
    assert [row["quantity"] for row in stated(home)] == [Decimal(8)]


def test_statements_of_two_sources_for_one_place_stand_side_by_side(home: Home) -> None:
    taken(home, "minato-custody", CUSTODIAN, "2026-03-31,cold-1,Example,BTC,7,0,090,2026-03-31T23:59:59+09:00,")
    names = ",".join(column.name for column in STATEMENTS.columns)
    taken(home, "", names, "2026-03-31,cold-1,BTC,8,core-1,block 1 00,2026-03-31T23:59:59+09:00,")
    assert [(row["source"], row["quantity"]) for row in stated(home)] == [
        ("core-1", Decimal(8)),
        ("minato-custody", Decimal(7)),
    ]
