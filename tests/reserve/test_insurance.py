"""Insurance: which policies are recognised, and how far."""

from __future__ import annotations

from pathlib import Path

import pytest

from junbikin.home import Home
from junbikin.reserve.position import Position

from .homes import (
    ALL_CAUSES,
    BALANCES,
    FLOOR,
    HOLDINGS,
    POLICIES,
    PRICES,
    figure,
    findings,
    item,
    make,
    position,
    why,
)

TRADES = """
trade_id executed_at               asset quote side price    quantity line
t-1      2025-03-31T10:00:00+09:00 BTC   JPY   buy  10000000 1        spot_venue
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Sound policies, and one for each thing that can be wrong."""
    year = "2024-04-01 2026-03-31"
    return make(
        tmp_path_factory.mktemp("insured"),
        customer_balances=BALANCES,
        holdings=HOLDINGS,
        prices=PRICES,
        trades=TRADES,
        policies=f"""
        {POLICIES}
        2025-03-31 both       insurer 2024-03-01 {year}                {ALL_CAUSES}          hot|cold 1300000000 100000000
        2025-03-31 today      insurer 2025-03-31 2025-03-31 2026-03-31 {ALL_CAUSES}          hot|cold 1000      0
        2025-03-31 last-day   insurer 2024-03-01 2024-04-01 2025-03-31 {ALL_CAUSES}          hot|cold 2000      0
        2025-03-31 more       insurer 2024-03-01 {year}                {ALL_CAUSES}|clerical_error hot|cold 3000 0
        2025-03-31 used-up    insurer 2024-03-01 {year}                {ALL_CAUSES}          hot|cold 100       101
        2025-03-31 hot-only   insurer 2024-03-01 {year}                {ALL_CAUSES}          hot      50000000  0
        2025-03-31 cold-only  insurer 2024-03-01 {year}                {ALL_CAUSES}          cold     500000000 0
        2025-03-31 trust-only insurer 2024-03-01 {year}                {ALL_CAUSES}          trust    500000000 0
        2025-03-31 unapproved insurer -          {year}                {ALL_CAUSES}          hot|cold 9         0
        2025-03-31 tomorrow   insurer 2025-04-01 {year}                {ALL_CAUSES}          hot|cold 9         0
        2025-03-31 not-yet    insurer 2024-03-01 2025-04-01 2026-03-31 {ALL_CAUSES}          hot|cold 9         0
        2025-03-31 yesterday  insurer 2024-03-01 2024-04-01 2025-03-30 {ALL_CAUSES}          hot|cold 9         0
        2025-03-31 hack-only  insurer 2024-03-01 {year}                hack                  hot|cold 9         0
        """,
    )


@pytest.fixture(scope="module")
def found(home: Home) -> Position:
    return position(home)


@pytest.mark.parametrize(
    ("name", "counted"),
    [
        ("both", 1_200_000_000),
        ("today", 1000),
        ("last-day", 2000),
        ("more", 3000),
        ("used-up", 0),
        ("hot-only", 4_000_000),
        ("cold-only", 96_000_000),
        ("trust-only", 0),
    ],
)
def test_a_sound_policy_counts_for_what_remains_less_its_deductible_and_within_what_it_covers(
    found: Position, name: str, counted: int
) -> None:
    assert why(found, name) == []
    assert item(found, name).counted.known == counted


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("both", None),
        ("hot-only", "counts up to what is not in cold storage"),
        ("cold-only", "counts up to what is in cold storage"),
        ("trust-only", "counts up to what is in the storages that it covers"),
    ],
)
def test_a_policy_that_is_cut_to_what_it_covers_says_so(found: Position, name: str, limit: str | None) -> None:
    told = [each.en for each in item(found, name).limits]
    assert [each for each in told if each.startswith("counts up to")] == ([limit] if limit else [])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("unapproved", "not approved"),
        ("tomorrow", "not approved"),
        ("not-yet", "in force only from 2025-04-01"),
        ("yesterday", "expired on 2025-03-30"),
        ("hack-only", "does not cover fraud, system failure, unauthorised outflow"),
    ],
)
def test_each_fault_refuses_a_policy_and_says_so(found: Position, name: str, reason: str) -> None:
    assert why(found, name) == [reason]
    assert item(found, name).counted.known == 0
    assert [f.what.en for f in findings(found, "policy-refused") if f.what.en.startswith(f"{name} ")] == [
        f"{name} does not count: {reason}"
    ]


def test_policies_on_the_same_hot_assets_do_not_together_count_for_more_than_those(tmp_path: Path) -> None:
    """What is not in cold storage is worth ¥4m: it can be lost, and paid for, once."""
    policy = f"insurer 2024-03-01 2024-04-01 2026-03-31 {ALL_CAUSES} hot 3000000 0"
    home = make(
        tmp_path / "home",
        customer_balances=BALANCES,
        holdings=HOLDINGS,
        prices=PRICES,
        policies=f"{POLICIES}\n2025-03-31 one {policy}\n2025-03-31 two {policy}",
    )
    assert position(home).resources.insurance.known == 4_000_000


def test_insurance_covers_at_most_its_share_of_the_requirement(home: Home) -> None:
    """Under the candidate a half; under Hong Kong's rule all of ¥52m: half of ¥96m, and ¥4m."""
    candidate, hong_kong = position(home), position(home, "hk-sfc")
    assert candidate.requirement.known == FLOOR
    assert figure(candidate, "insurance_limit").known == FLOOR // 2
    assert figure(candidate, "insured").known > FLOOR // 2
    assert candidate.resources.insurance.known == FLOOR // 2
    assert "insurance counts up to its share of the requirement" in [why.en for why in item(candidate, "both").limits]
    assert hong_kong.requirement.known == 52_000_000
    assert hong_kong.resources.insurance.known == 52_000_000


def test_article_175_takes_no_insurance(home: Home) -> None:
    precedent = position(home, "jp-fiea-175")
    assert precedent.requirement.known == 200
    assert figure(precedent, "insured").known > 0
    assert precedent.resources.insurance.known == 0
    assert precedent.resources.total.known == 0
