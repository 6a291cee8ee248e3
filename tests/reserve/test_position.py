"""The position: surplus or shortfall, by when it is cured, what is not known, and what is thin in the facts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from junbikin.facts.lake import open_lake
from junbikin.findings import Severity
from junbikin.home import Home
from junbikin.reserve.position import Position, worst

from .homes import ASSETS, BALANCES, DAY, HOLDINGS, POLICIES, PRICES, add, figure, findings, make, position, put

TRADES = """
trade_id executed_at               asset quote side price    quantity line
t-1      2025-03-30T10:00:00+09:00 BTC   JPY   buy  10000000 1        spot_venue
t-2      2025-03-31T10:00:00+09:00 BTC   JPY   sell 10000000 1        spot_venue
"""
RESERVE = f"""
{ASSETS}
2025-03-31 one deposit JPY 1000 bank-a true true JP 1
2025-03-31 two deposit JPY 1000 bank-b true true JP 1
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A whole small business: ¥20m traded, ¥100m owed, two deposits."""
    return make(
        tmp_path_factory.mktemp("whole"),
        trades=TRADES,
        customer_balances=BALANCES,
        holdings=HOLDINGS,
        prices=PRICES,
        reserve_assets=RESERVE,
    )


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make(tmp_path_factory.mktemp("empty"))


def test_a_surplus_is_resources_less_requirement(home: Home) -> None:
    """¥20m × 0.2 per 10,000 = ¥400; each of two places covers at most 60% of that."""
    found = position(home, "jp-fiea-175")
    assert found.requirement.known == 400
    assert found.resources.total.known == 480
    assert found.gap.known == 80
    assert found.verdict.en == "surplus"
    assert not findings(found, "shortfall")
    assert not found.holes


def test_a_shortfall_is_a_breach_with_a_day_by_which_it_is_cured(home: Home) -> None:
    found = position(home)
    assert found.gap.known == 2000 - 2_000_000_000
    assert found.verdict.en == "shortfall"
    (breach,) = findings(found, "shortfall")
    assert found.findings[0] == breach
    assert breach.severity is Severity.BREACH
    assert breach.amount == found.gap
    assert breach.cure_by == date(2025, 4, 2)
    assert breach.citation
    assert breach.provenance


@pytest.mark.parametrize(
    ("day", "cure_by"),
    [
        (date(2025, 4, 3), date(2025, 4, 7)),
        (date(2025, 4, 28), date(2025, 5, 1)),
        (date(2026, 5, 1), date(2026, 5, 8)),
        (date(2026, 12, 30), date(2027, 1, 5)),
    ],
)
def test_the_cure_date_counts_the_days_on_which_banks_are_open(empty: Home, day: date, cure_by: date) -> None:
    (breach,) = findings(position(empty, day=day), "shortfall")
    assert breach.cure_by == cure_by


def test_a_gap_of_nothing_is_no_shortfall(empty: Home) -> None:
    found = position(empty, "jp-fiea-175")
    assert found.gap.known == 0
    assert found.verdict.en == "surplus"


def test_without_balances_hong_kongs_rule_is_undetermined(empty: Home) -> None:
    found = position(empty, "hk-sfc")
    assert found.requirement.value is None
    assert found.gap.value is None
    assert found.verdict.en == "undetermined"
    summary = found.document()["summary"]
    assert (summary["requirement"], summary["gap"], summary["complete"]) == (None, None, False)
    (finding,) = findings(found, "unknown")
    assert finding.severity is Severity.HOLE
    assert "no balances of customers known on or before 2025-03-31" in finding.what.en
    assert worst([found]) is Severity.HOLE


def test_without_holdings_it_is_undetermined_too(tmp_path: Path) -> None:
    found = position(make(tmp_path / "home", customer_balances=BALANCES, prices=PRICES), "hk-sfc")
    assert found.verdict.en == "undetermined"
    assert any("no holdings known" in finding.what.en for finding in findings(found, "unknown"))


def test_without_balances_the_candidate_says_that_it_is_incomplete(empty: Home) -> None:
    found = position(empty)
    assert found.verdict.en == "shortfall, incomplete"
    assert found.document()["summary"]["complete"] is False
    assert worst([found]) is Severity.BREACH


def test_a_coin_without_a_price_is_a_hole_and_the_known_part_is_kept(tmp_path: Path) -> None:
    home = make(
        tmp_path / "home",
        customer_balances=BALANCES + "2025-03-31 ada XRP 1000\n",
        holdings=HOLDINGS + "2025-03-31 vault XRP 1000 customer cold\n",
        prices=PRICES,
    )
    found = position(home, "hk-sfc")
    assert found.requirement.known == 52_000_000
    assert found.requirement.holes
    assert found.verdict.en == "shortfall, incomplete"
    told = findings(found, "unknown")
    assert [finding.severity for finding in told] == [Severity.HOLE] * len(told)
    assert any("no price of XRP in JPY on 2025-03-31 or the 3 days before it" in f.what.en for f in told)
    assert figure(found, "owed.XRP").known == 1000


def test_every_finding_says_what_to_do_in_both_languages(home: Home, empty: Home) -> None:
    for found in (position(home), position(empty), position(empty, "hk-sfc"), position(home, "jp-fiea-175")):
        assert found.findings
        for finding in found.findings:
            assert all((finding.code, finding.what.en, finding.what.ja, finding.then.en, finding.then.ja))


def test_the_gravest_finding_stands_first(empty: Home) -> None:
    severities = [finding.severity for finding in position(empty).findings]
    assert severities == sorted(severities, reverse=True)
    assert len(set(severities)) > 2


def test_every_dataset_that_a_figure_rests_on_stands_in_the_evidence_with_its_file(home: Home) -> None:
    for rulebook in ("jp-fiea-175", "jp-reserve-candidate", "hk-sfc"):
        document = position(home, rulebook).document()
        have = {entry.dataset for entry in open_lake(home).entries}
        cited = {
            node["source"]["dataset"] for node in document["figures"].values() if "dataset" in (node["source"] or {})
        }
        assert {source["dataset"] for source in document["facts"]["sources"]} == cited & have


def test_a_policy_that_does_not_count_has_its_file_in_the_evidence_too(tmp_path: Path) -> None:
    policy = "2025-03-31 p-1 insurer - 2024-04-01 2026-03-31 hack hot|cold 9 0"
    document = position(make(tmp_path / "home", policies=f"{POLICIES}\n{policy}"), "jp-fiea-175").document()
    assert [source["dataset"] for source in document["facts"]["sources"]] == ["policies"]


# What is thin in the facts


def test_balances_of_the_day_or_the_day_before_are_fresh(home: Home) -> None:
    assert not findings(position(home, day=DAY), "facts-old")
    assert not findings(position(home, day=date(2025, 4, 1)), "facts-old")


def test_older_balances_are_used_with_a_warning(home: Home) -> None:
    found = position(home, day=date(2025, 4, 2))
    old = findings(found, "facts-old")
    assert [finding.what.en.split()[0] for finding in old] == ["customer_balances", "holdings", "reserve_assets"]
    assert all("2025-03-31, 2 days before" in finding.what.en for finding in old)
    assert all(finding.severity is Severity.WARNING for finding in old)
    assert found.resources.total.known == 2000


def test_a_year_of_trades_with_missing_days_is_told(home: Home) -> None:
    told = findings(position(home, "jp-fiea-175"), "trades-incomplete")
    assert [finding.what.en for finding in told] == [
        "FY2024: trades are known for 2 of 365 days",
        "FY2023, FY2022: no trades are known",
    ]
    assert [finding.severity for finding in told] == [Severity.WARNING, Severity.NOTICE]


def test_refused_rows_are_told(tmp_path: Path) -> None:
    home = make(tmp_path / "home", customer_balances=BALANCES, holdings=HOLDINGS, prices=PRICES)
    rows = "as_of account_id asset quantity\n2025-03-31 eve BTC much\n2025-03-31 fay BTC -1"
    assert put(home, "customer_balances", rows).quarantined == 2
    (told,) = findings(position(home), "rows-refused")
    assert told.what.en.startswith("2 rows of customer_balances were refused")
    assert "junbikin facts quarantine" in told.then.en


DECLARED = "line period_start period_end amount_jpy"


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> Position:
    home = make(
        tmp_path_factory.mktemp("declared"),
        trades=TRADES,
        declared_volumes=f"""
        {DECLARED}
        spot_venue     2025-03-31 2025-03-31 1000000
        spot_principal 2023-04-01 2024-03-31 7000000000
        margin         2023-10-01 2024-09-30 5000000000
        derivative     2025-03-01 2025-03-31 3000000
        spot_brokered  2025-04-01 2025-04-30 9000000000
        イ              2024-04-01 2024-06-30 2000000
        """,
    )
    return position(home, "jp-fiea-175")


def test_declared_volume_counts_in_its_own_fiscal_year(declared: Position) -> None:
    assert figure(declared, "base.イ.FY2024").known == 20_000_000 + 1_000_000 + 2_000_000
    assert figure(declared, "base.ヘ.FY2024").known == 3_000_000
    assert figure(declared, "base.イ.FY2023").known == 7_000_000_000
    assert figure(declared, "cap").known == Decimal("7000000000") * 8 / 100_000 + Decimal("3000000") * 384 / 10**8


def test_a_period_that_is_declared_and_has_trades_of_the_line_is_told(declared: Position) -> None:
    (told,) = findings(declared, "volume-twice")
    assert "spot_venue: 2025-03-31 to 2025-03-31 is declared and has trades too" in told.what.en
    assert told.amount is not None
    assert told.amount.known == 1_000_000


def test_a_period_over_two_fiscal_years_is_not_counted_and_told(declared: Position) -> None:
    assert "volume.margin.FY2023" not in {part.key for root in declared.figures for part in root.walk() if part.value}
    (told,) = findings(declared, "period-crosses-years")
    assert told.severity is Severity.HOLE
    assert "margin: the declared period to 2024-09-30 reaches over two fiscal years" in told.what.en
    assert told.amount is not None
    assert told.amount.known == 5_000_000_000


def test_a_year_that_is_declared_is_not_missed_among_trades(declared: Position) -> None:
    told = findings(declared, "trades-incomplete")
    assert not any("FY2023" in finding.what.en for finding in told)


# What is known when


LATER = {
    "trades": """
    trade_id executed_at               asset quote side price    quantity line
    t-9      2025-04-01T00:00:00+09:00 BTC   JPY   buy  10000000 1000     spot_venue
    """,
    "customer_balances": "as_of account_id asset quantity\n2025-04-01 ada BTC 1000",
    "holdings": "as_of location_id asset quantity owner storage\n2025-04-01 vault BTC 1000 customer cold",
    "prices": "asset quote at price source\nBTC JPY 2025-04-01T00:00:00+09:00 99 ours",
    "reserve_assets": f"{ASSETS}\n2025-04-01 one deposit JPY 1 bank-a true true JP 1",
    "incidents": "incident_id occurred_on cause loss_jpy recovered_jpy\ni-1 2025-04-01 hack 1000000 0",
    "controls": "as_of control grade\n2025-04-01 key_ceremony several_persons",
    "reserve_entries": "entry_id effective_on kind amount_jpy\ne-1 2025-04-01 use 100",
    "declared_volumes": f"{DECLARED}\nmargin 2025-04-01 2025-04-01 1000000",
}


def test_facts_of_later_days_are_not_seen(tmp_path: Path, home: Home) -> None:
    later = make(
        tmp_path / "later",
        trades=TRADES,
        customer_balances=BALANCES,
        holdings=HOLDINGS,
        prices=PRICES,
        reserve_assets=RESERVE,
    )
    add(later, **LATER)
    for rulebook in ("jp-fiea-175", "jp-reserve-candidate", "hk-sfc"):
        assert position(later, rulebook).body == position(home, rulebook).body
        next_day = date(2025, 4, 1)
        assert position(later, rulebook, next_day).body != position(home, rulebook, next_day).body


def test_a_fiscal_year_ends_at_midnight_of_the_operators_time(tmp_path: Path) -> None:
    home = make(
        tmp_path / "home",
        trades="""
        trade_id executed_at          asset quote side price quantity line
        before   2025-03-31T14:59:59Z BTC   JPY   buy  100   1        spot_venue
        after    2025-03-31T15:00:00Z BTC   JPY   buy  7     1        spot_venue
        """,
    )
    found = position(home, "jp-fiea-175", date(2025, 4, 1))
    assert figure(found, "base.イ.FY2024").known == 100
    assert figure(found, "base.イ.FY2025").known == 7


def test_late_facts_change_the_position_and_it_can_still_be_worked_as_it_was_known(tmp_path: Path) -> None:
    home = make(tmp_path / "home", trades=TRADES)
    head = open_lake(home).head
    as_known = position(home, "jp-fiea-175")
    add(
        home,
        trades="""
        trade_id executed_at               asset quote side price    quantity line
        t-3      2025-03-15T10:00:00+09:00 BTC   JPY   buy  10000000 1        spot_venue
        """,
    )
    with_late = position(home, "jp-fiea-175")
    assert as_known.requirement.known == 400
    assert with_late.requirement.known == 600
    assert position(home, "jp-fiea-175", head=head).body == as_known.body


def test_a_corrected_trade_changes_the_position_and_the_old_one_can_still_be_worked(tmp_path: Path) -> None:
    home = make(tmp_path / "home", trades=TRADES)
    before = position(home, "jp-fiea-175")
    right = """
    trade_id executed_at               asset quote side price    quantity line
    t-2      2025-03-31T10:00:00+09:00 BTC   JPY   sell 20000000 1        spot_venue
    """
    put(home, "trades", right, corrects="the price was mistyped")
    assert position(home, "jp-fiea-175").requirement.known == 600
    assert position(home, "jp-fiea-175", head=before.head).body == before.body


def test_the_order_in_which_facts_came_does_not_matter(tmp_path: Path, home: Home) -> None:
    other = make(tmp_path / "other", reserve_assets=RESERVE, prices=PRICES, holdings=HOLDINGS)
    second, first = TRADES.strip().splitlines()[2], TRADES.strip().splitlines()[:2]
    add(other, customer_balances=BALANCES, trades=f"{first[0]}\n{second}")
    add(other, trades="\n".join(first))
    assert position(other).body == position(home).body
