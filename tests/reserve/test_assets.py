"""Reserve assets: which are eligible, what is cut from them, and how far one place or one coin counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from junbikin.findings import Severity
from junbikin.reserve.position import Position

from .homes import ASSETS, BALANCES, FLOOR, HOLDINGS, PRICES, figure, findings, item, make, position, why


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Position:
    """One sound asset of each kind, and one for each thing that can be wrong."""
    home = make(
        tmp_path_factory.mktemp("mixed"),
        customer_balances=BALANCES,
        holdings=HOLDINGS,
        prices=PRICES,
        reserve_assets=f"""
        {ASSETS}
        2025-03-31 cash      deposit         JPY 100000000 bank-a  true  true  JP 1
        2025-03-31 fifth-day deposit         JPY 200000000 bank-b  true  true  JP 5
        2025-03-31 bonds     government_bond JPY 1000000   broker  true  true  JP 3
        2025-03-31 coins     crypto          BTC 2         vault   true  true  JP 1
        2025-03-31 lent      deposit         JPY 7         bank-c  false true  JP 1
        2025-03-31 bare      deposit         JPY 7         bank-d  true  false JP 1
        2025-03-31 abroad    deposit         JPY 7         bank-e  true  true  SG 1
        2025-03-31 slow      deposit         JPY 7         bank-f  true  true  JP 6
        2025-03-31 painting  other           JPY 7         gallery true  true  JP 1
        2025-03-31 dust      crypto          XRP 7         vault-2 true  true  JP 1
        2025-03-31 hopeless  deposit         JPY 7         bank-g  false false SG 9
        """,
    )
    return position(home)


@pytest.mark.parametrize(
    ("name", "counted"), [("cash", 100_000_000), ("fifth-day", 200_000_000), ("bonds", 950_000), ("coins", 14_000_000)]
)
def test_an_eligible_asset_counts_less_its_haircut(mixed: Position, name: str, counted: int) -> None:
    assert why(mixed, name) == []
    assert item(mixed, name).counted.known == counted


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("lent", "not dedicated"),
        ("bare", "not held on trust"),
        ("abroad", "held in SG, not in JP"),
        ("slow", "realisable in 6 days, at most 5 allowed"),
        ("painting", "no haircut for the kind other"),
    ],
)
def test_each_fault_refuses_an_asset_and_says_so(mixed: Position, name: str, reason: str) -> None:
    refused = why(mixed, name)
    assert len(refused) == 1
    assert reason in refused[0]
    assert item(mixed, name).counted.known == 0
    told = [finding for finding in findings(mixed, "asset-refused") if finding.what.en.startswith(f"{name} ")]
    assert len(told) == 1
    assert reason in told[0].what.en
    assert told[0].severity >= Severity.WARNING
    assert told[0].then.en


def test_every_fault_of_an_asset_is_told(mixed: Position) -> None:
    assert len(why(mixed, "hopeless")) == 4


def test_a_haircut_stands_in_the_explanation_with_its_citation(mixed: Position) -> None:
    parts = {part.key: part for part in item(mixed, "bonds").counted.walk()}
    assert parts["resources.haircut.government_bond"].known * 100 == 5
    assert parts["worth.bonds"].known == 1_000_000


def test_the_total_is_of_what_counts_and_of_nothing_else(mixed: Position) -> None:
    assert mixed.resources.total.known == 100_000_000 + 200_000_000 + 950_000 + 14_000_000


def test_an_asset_without_a_price_is_a_hole_and_not_nothing(mixed: Position) -> None:
    assert any("no price of XRP in JPY" in reason for reason in why(mixed, "dust"))
    assert item(mixed, "dust").worth.value is None
    assert item(mixed, "dust").counted.value is None
    assert item(mixed, "dust").counted.holes


def test_resources_with_an_asset_of_unknown_worth_are_marked_incomplete(mixed: Position) -> None:
    assert mixed.resources.total.holes
    assert mixed.verdict.en == "shortfall, incomplete"
    assert mixed.document()["summary"]["complete"] is False
    assert any(f.severity is Severity.HOLE and "XRP" in f.what.en for f in mixed.findings)


# One place, one coin


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Position:
    """Too much at one bank, and more bitcoin than customers are owed."""
    home = make(
        tmp_path_factory.mktemp("crowded"),
        customer_balances=BALANCES + "2025-03-31 cyd ETH 0\n",
        holdings=HOLDINGS,
        prices=PRICES + "ETH JPY 2025-03-31T09:00:00+09:00 400000 ours\nDOGE JPY 2025-03-31T09:00:00+09:00 30 ours\n",
        reserve_assets=f"""
        {ASSETS}
        2025-03-31 a-1  deposit JPY 1000000000 bank-a  true  true JP 1
        2025-03-31 a-2  deposit JPY 500000000  bank-a  true  true JP 1
        2025-03-31 a-3  deposit JPY 900000000  bank-a  false true JP 1
        2025-03-31 b-1  deposit JPY 300000000  bank-b  true  true JP 1
        2025-03-31 c-1  crypto  BTC 12         vault-1 true  true JP 1
        2025-03-31 c-2  crypto  BTC 5          vault-2 true  true JP 1
        2025-03-31 c-3  crypto  BTC 3          vault-3 true  true JP 1
        2025-03-31 doge crypto  DOGE 1000      vault-4 true  true JP 1
        2025-03-31 eth  crypto  ETH 50         vault-5 true  true JP 1
        """,
    )
    return position(home)


def test_one_place_covers_at_most_its_share_of_the_requirement_however_many_items_lie_there(crowded: Position) -> None:
    assert crowded.requirement.known == FLOOR
    assert figure(crowded, "place_limit").known == 1_200_000_000
    assert figure(crowded, "held_at.bank-a").known == 1_500_000_000
    assert figure(crowded, "place.bank-a").known == 1_200_000_000
    assert figure(crowded, "place.bank-b").known == 300_000_000
    told = {name: [limit.en for limit in item(crowded, name).limits] for name in ("a-1", "a-2", "a-3", "b-1")}
    limit = ["its place counts up to its share of the requirement"]
    assert told == {"a-1": limit, "a-2": limit, "a-3": [], "b-1": []}


def test_crypto_counts_up_to_what_customers_are_owed_of_it_however_it_is_spread(crowded: Position) -> None:
    """Owed ¥100m. 12 BTC less 30% are ¥84m, then ¥16m of the next ¥35m have room, then nothing."""
    assert [item(crowded, name).counted.known for name in ("c-1", "c-2", "c-3")] == [84_000_000, 16_000_000, 0]
    assert [[limit.en for limit in item(crowded, name).limits] for name in ("c-1", "c-2")] == [
        [],
        ["counts up to the BTC owed to customers"],
    ]


def test_a_coin_that_nobody_is_owed_does_not_count(crowded: Position) -> None:
    assert why(crowded, "doge") == ["customers are owed no DOGE for it to stand against"]
    assert item(crowded, "doge").counted.known == 0
    assert item(crowded, "eth").counted.known == 0


def test_the_total_of_crowded_resources(crowded: Position) -> None:
    assert crowded.resources.total.known == 1_200_000_000 + 300_000_000 + 100_000_000


def test_coins_whose_debt_is_not_known_are_not_said_to_be_owed_to_nobody(tmp_path: Path) -> None:
    home = make(
        tmp_path / "home",
        prices=PRICES,
        reserve_assets=f"{ASSETS}\n2025-03-31 coins crypto BTC 2 vault true true JP 1",
    )
    found = position(home, "jp-fiea-175")
    assert not any("owed no BTC" in reason for reason in why(found, "coins"))
    assert any("balances" in finding.what.en for finding in found.findings)


def test_very_many_wallets_of_one_coin_are_counted_without_trouble(tmp_path: Path) -> None:
    rows = "\n".join(f"2025-03-31 w-{n:03} crypto BTC 0.01 vault-{n:03} true true JP 1" for n in range(400))
    home = make(
        tmp_path / "home",
        customer_balances=BALANCES,
        holdings=HOLDINGS,
        prices=PRICES,
        reserve_assets=f"{ASSETS}\n{rows}",
    )
    found = position(home)
    assert found.resources.total.known == 400 * 70_000
    assert found.digest
