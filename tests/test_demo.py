"""The example operator: plainly invented, complete, believable, and the same for the same seed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from junbikin.custody.day import CustodyDay
from junbikin.custody.judging import judged
from junbikin.demo import AS_OF, SEED, build
from junbikin.demo.instructions import BRANCHES, NO_BANK, NO_BRANCH
from junbikin.demo.operator import CORRECTED, LATER
from junbikin.facts.datasets import dataset_named
from junbikin.facts.engine import connect
from junbikin.facts.ingest import ingest
from junbikin.facts.lake import open_lake
from junbikin.facts.mappings import own_names
from junbikin.home import Home, open_home
from junbikin.incidents.pay.banks import directory
from junbikin.incidents.pay.judge import prepare
from junbikin.reserve.assess import assess
from junbikin.reserve.position import Position
from junbikin.reserve.view import FactsView
from junbikin.rulebooks.load import load_rulebook

LINES = ("spot_principal", "spot_brokered", "spot_venue", "margin")

IN_ONE_THREAD = """
import pathlib, sys
from junbikin.demo import operator

connect = operator.connect
operator.connect = lambda *given: connect(*given).execute("SET threads = 1")
operator.build(pathlib.Path(sys.argv[1]), int(sys.argv[2]))
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return build(tmp_path_factory.mktemp("demo") / "home")


@pytest.fixture(scope="module")
def positions(home: Home) -> dict[str, Position]:
    return assessed(home)


def assessed(home: Home) -> dict[str, Position]:
    lake = open_lake(home)
    return {name: assess(lake, load_rulebook(name), AS_OF) for name in home.rulebooks}


def digests(positions: dict[str, Position]) -> dict[str, str]:
    return {name: position.digest for name, position in positions.items()}


def files(home: Home) -> dict[str, str]:
    return {source.name: source.sha256 for entry in open_lake(home).entries for source in entry.sources}


def gap_share(position: Position) -> Decimal:
    return position.gap.known / position.requirement.known


def asked(home: Home, dataset: str, question: str) -> list[tuple[Any, ...]]:
    """What an SQL question says of a dataset as the lake holds it, under the name `facts`; of the last day, where it has days."""
    engine = connect(home.memory_limit)
    lake = f"read_parquet('{home.facts / dataset}/*/*.parquet', hive_partitioning = true)"
    last = f" WHERE as_of = DATE '{AS_OF}'" if dataset_named(dataset).day == "as_of" else ""
    try:
        return engine.execute(f"WITH facts AS (FROM {lake}{last}) {question}").fetchall()
    finally:
        engine.close()


def test_the_home_is_marked_invented(home: Home, positions: dict[str, Position]) -> None:
    assert home.invented
    assert open_home(home.path).invented
    assert "invented" in home.operator
    assert "架空" in home.operator
    assert all(position.invented for position in positions.values())


def test_every_row_of_every_source_is_accepted(home: Home) -> None:
    sources = [source for entry in open_lake(home).entries for source in entry.sources]
    assert {source.name for source in sources} == {file.name for file in (home.path / "sources").iterdir()}
    assert [source.name for source in sources if source.read != source.accepted or source.quarantined] == []


def test_four_of_five_of_a_hundred_thousand_accounts_hold_little(home: Home, positions: dict[str, Position]) -> None:
    view = FactsView(open_lake(home), AS_OF)
    assets = [asset for (asset,) in asked(home, "customer_balances", "SELECT DISTINCT asset FROM facts")]
    prices = ", ".join(f"('{a}', {1 if a == 'JPY' else view.price(a).known})" for a in assets)
    [(accounts, small)] = asked(
        home,
        "customer_balances",
        f", prices(asset, price) AS (VALUES {prices}), worths AS (SELECT account_id, sum(quantity * price::DOUBLE) AS "
        "worth FROM facts JOIN prices USING (asset) GROUP BY 1) "
        "SELECT count(*), count(*) FILTER (worth < 100000) FROM worths",
    )
    assert accounts == 100_000
    assert small > 80_000


def test_each_of_two_years_trades_every_day_on_several_lines_in_believable_volume(home: Home) -> None:
    view = FactsView(open_lake(home), AS_OF)
    assert len({volume.day for volume in view.day_volumes}) == 730
    assert {volume.line for volume in view.day_volumes} == set(LINES)
    assert {volume.quote for volume in view.day_volumes} == {"JPY", "BTC"}
    for back in (0, 1):
        volume = sum(view.volume(line, view.fiscal_year(back)).known for line in LINES)
        assert 900_000_000_000 < volume < 1_600_000_000_000


def test_trade_ids_are_unique_and_rise_with_time(home: Home) -> None:
    [(trades, ids, backwards)] = asked(
        home,
        "trades",
        ", pairs AS (SELECT trade_id, executed_at < lag(executed_at) OVER (ORDER BY trade_id) AS earlier FROM facts) "
        "SELECT count(*), count(DISTINCT trade_id), count(*) FILTER (earlier) FROM pairs",
    )
    assert trades == ids
    assert backwards == 0
    assert 1_400_000 < trades < 1_600_000


def test_only_some_ether_has_more_than_eight_decimals(home: Home) -> None:
    fine = asked(home, "trades", "SELECT asset, count(*) FROM facts WHERE quantity_fine > 0 GROUP BY 1")
    assert [asset for asset, _ in fine] == ["ETH"]
    assert fine[0][1] > 1_000


def test_what_is_held_covers_what_is_owed_and_guarantees_the_hot_part(home: Home) -> None:
    owed = dict(asked(home, "customer_balances", "SELECT asset, sum(quantity) FROM facts GROUP BY 1"))
    held = {
        (asset, owner, storage): quantity
        for asset, owner, storage, quantity in asked(
            home, "holdings", "SELECT asset, owner, storage, sum(quantity) FROM facts GROUP BY ALL"
        )
    }
    assert owed["JPY"] <= held["JPY", "customer", "trust"]
    for asset in set(owed) - {"JPY"}:
        hot, cold = held[asset, "customer", "hot"], held[asset, "customer", "cold"]
        assert owed[asset] <= hot + cold < owed[asset] * Decimal("1.001")
        assert hot < owed[asset] * Decimal("0.05")
        assert held[asset, "guarantee", "cold"] == hot


def judged_instructions(home: Home, folder: Path) -> Mapping[str, Mapping[str, int]]:
    """How many of those who hold bitcoin can be paid yen and coins, by what stands in the way."""
    folder.mkdir()
    engine = connect(home.memory_limit)
    try:
        engine.execute(
            'COPY (SELECT row_number() OVER (ORDER BY account_id) AS number, account_id, quantity AS holding, 1 AS "JPY", 1 AS "BTC" '
            f"FROM read_parquet('{home.facts}/customer_balances/*/*.parquet', hive_partitioning = true) "
            f"WHERE as_of = DATE '{AS_OF}' AND asset = 'BTC') TO '{folder}/entitlements.parquet'"
        )
    finally:
        engine.close()
    payees = prepare(home, open_lake(home), "0" * 64, folder / "entitlements.parquet", folder, lambda what, share: None)
    return payees.counts


def test_most_can_be_paid_and_each_fault_that_there_is_occurs(home: Home, tmp_path: Path) -> None:
    counts = judged_instructions(home, tmp_path / "plan")
    assert set(counts["JPY"]) == {
        "ok", "no_instruction", "unknown_bank", "unknown_branch", "wrong_account_number", "name_not_writable",
    }  # fmt: skip
    assert set(counts["BTC"]) == {"ok", "no_instruction"}
    assert all(some["ok"] > 0.95 * sum(some.values()) for some in counts.values())


def test_who_corrects_their_instruction_later_can_be_paid(home: Home, tmp_path: Path) -> None:
    before = judged_instructions(home, tmp_path / "before")["JPY"]
    later = shutil.copytree(home.path, tmp_path / "later")
    known = dataset_named("payout_instructions")
    receipt = ingest(open_home(later), known, [later / LATER / CORRECTED], own_names(known))
    [source] = receipt.entry.sources
    assert source.accepted == source.read > 1_000
    after = judged_instructions(open_home(later), tmp_path / "after")["JPY"]
    unpayable = [sum(count for status, count in some.items() if status != "ok") for some in (before, after)]
    assert 0 < unpayable[1] < unpayable[0] / 2


def test_branches_of_instructions_exist_and_their_faulty_codes_do_not() -> None:
    known = directory().branches
    assert all(codes in known for codes in BRANCHES)
    assert all((bank, NO_BRANCH) not in known for bank, _ in BRANCHES)
    assert all(bank != NO_BANK for bank, _ in known)


def custody(home: Home, day: date) -> CustodyDay:
    return judged(home, [load_rulebook("jp-psa")], day, None)[0]


def found(day: CustodyDay) -> list[tuple[str, str]]:
    """Code and cure date of what is found but for the missing registry."""
    return [(f.code, str(f.cure_by)) for f in day.findings if f.code != "registry-missing"]


def test_on_the_last_day_every_duty_is_kept_and_one_audit_is_due_soon(home: Home) -> None:
    assert found(custody(home, AS_OF)) == [("audit-due", "2026-05-15")]


def test_a_late_sweep_and_a_short_trust_appear_on_their_days_and_are_cured_in_time(home: Home) -> None:
    """A business day apart, over the holiday of 20 March and the weekend after it."""
    due = ("audit-due", "2026-05-15")
    late = [("hot-above", "2026-03-24"), ("guarantee-short", "2026-03-24")]
    short = [("money-short", "2026-03-27")]
    expected = {18: [], 19: late, 23: [], 24: [], 25: short, 26: short, 27: [], 30: []}
    assert {day: found(custody(home, AS_OF.replace(day=day))) for day in expected} == {
        day: [*lapsed, due] for day, lapsed in expected.items()
    }


def test_somebody_vouches_for_every_place_and_only_dust_differs(home: Home) -> None:
    held = asked(home, "holdings", "SELECT location_id, asset, quantity FROM facts ORDER BY ALL")
    stated = asked(home, "statements", "SELECT location_id, asset, quantity FROM facts ORDER BY ALL")
    assert [place for *place, _ in held] == [place for *place, _ in stated]
    dust = [(place, asset, b - a) for (place, asset, a), (*_, b) in zip(held, stated, strict=True) if a != b]
    assert dust == [("cold-1", "BTC", Decimal("0.000042"))]


def test_nothing_is_unknown(positions: dict[str, Position]) -> None:
    assert [figure.name.en for position in positions.values() for figure in position.holes] == []


def test_the_candidate_shows_a_modest_shortfall_the_precedent_a_surplus_hong_kong_a_large_shortfall(
    positions: dict[str, Position],
) -> None:
    assert Decimal("-0.15") < gap_share(positions["jp-reserve-candidate"]) < Decimal("-0.05")
    assert gap_share(positions["jp-fiea-175"]) > 0
    assert gap_share(positions["hk-sfc"]) < Decimal("-0.5")


def test_one_asset_and_one_policy_are_refused(positions: dict[str, Position]) -> None:
    held = positions["jp-reserve-candidate"].resources
    assert [item.id for item in held.assets if item.refused] == ["deposit-3"]
    assert [item.id for item in held.policies if item.refused] == ["crime-1"]


def test_the_same_seed_gives_the_same_files_and_positions_whatever_the_threads_and_hashes(
    home: Home, positions: dict[str, Position], tmp_path: Path
) -> None:
    env = {**os.environ, "PYTHONHASHSEED": "20260401"}
    subprocess.run([sys.executable, "-c", IN_ONE_THREAD, str(tmp_path / "home"), str(SEED)], check=True, env=env)
    again = open_home(tmp_path / "home")
    assert digests(assessed(again)) == digests(positions)
    assert files(again) == files(home)


def test_another_seed_gives_other_positions(positions: dict[str, Position], tmp_path: Path) -> None:
    other = digests(assessed(build(tmp_path / "home", SEED + 1)))
    assert all(other[name] != digest for name, digest in digests(positions).items())
