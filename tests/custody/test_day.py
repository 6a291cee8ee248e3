"""The custody day as a whole: what nobody knows is not kept, equal facts give an equal day, and every figure can be opened."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
import rfc8785

from junbikin.custody.day import CustodyDay
from junbikin.custody.judging import judged
from junbikin.facts.datasets import dataset_named
from junbikin.facts.ingest import ingest
from junbikin.facts.mappings import own_names
from junbikin.findings import Severity
from junbikin.home import Home, create_home, open_home
from junbikin.rulebooks.load import known_rulebooks, load_rulebook

from .conftest import bring

CUSTODY = sorted(name for name in known_rulebooks() if load_rulebook(name).custody)
DAY = date(2025, 6, 6)
FACTS = {
    "customer_balances": [f"{DAY},ada,BTC,7", f"{DAY},ben,BTC,3", f"{DAY},ada,ETH,50", f"{DAY},ben,JPY,400", f"{DAY},cyd,XYZ,1"],
    "holdings": [f"{DAY},cold-1,BTC,8,customer,cold", f"{DAY},hot-1,BTC,1,customer,hot", f"{DAY},cold-1,ETH,50,customer,cold",
                 f"{DAY},guard,BTC,0.5,guarantee,cold", f"{DAY},guard,ETH,1,guarantee,hot", f"{DAY},kaede,JPY,300,customer,trust", f"{DAY},cold-1,BTC,1,own,cold"],
    "prices": [f"BTC,JPY,{DAY}T09:00:00+09:00,100,ours", f"ETH,JPY,{DAY}T09:00:00+09:00,10,ours", "BTC,JPY,2025-05-06T09:00:00+09:00,90,ours"],
    "financials": ["2025-03-31,net_assets,12"],
    "audits": ["2024-04-01,segregation,Auditor,2024-03-31", "2024-07-01,guarantee,Auditor,2024-03-31"],
    "reserve_assets": [f"{DAY},cash,deposit,JPY,5,kaede,true,true,JP,1"],
}  # fmt: skip
"""A little of everything that can be found."""


def home_with(folder: Path, *datasets: str) -> Home:
    home = create_home(folder, "Example")
    for dataset in datasets:
        bring(home, dataset, FACTS[dataset])
    return home


def on(home: Home, rulebook: str = "jp-psa", day: date = DAY) -> CustodyDay:
    (found,) = judged(open_home(home.path), [load_rulebook(rulebook)], day, None)
    return found


# Holes


def verdicts(day: CustodyDay) -> dict[str, str]:
    return {duty.key: duty.verdict.en for duty in day.duties}


@pytest.mark.parametrize("rulebook", CUSTODY)
def test_where_nothing_is_known_no_duty_is_kept(tmp_path: Path, rulebook: str) -> None:
    assert set(verdicts(on(create_home(tmp_path / "home", "Example"), rulebook)).values()) == {"unknown"}


@pytest.mark.parametrize("rulebook", CUSTODY)
@pytest.mark.parametrize("missing", ["customer_balances", "holdings"])
def test_where_one_side_is_not_known_what_needs_it_is_unknown(tmp_path: Path, rulebook: str, missing: str) -> None:
    home = home_with(tmp_path / "home", *(name for name in FACTS if name not in (missing, "reserve_assets")))
    found = verdicts(on(home, rulebook))
    need = {"customer_balances": {"held", "hot", "money"}, "holdings": set(found) - {"audits"}}[missing]
    assert {key: verdict for key, verdict in found.items() if key in need} == dict.fromkeys(
        need & set(found), "unknown"
    )


@pytest.mark.parametrize("rulebook", CUSTODY)
def test_without_holdings_nothing_is_worth_nothing_even_when_customers_only_have_money(
    tmp_path: Path, rulebook: str
) -> None:
    home = create_home(tmp_path / "home", "Example")
    bring(home, "customer_balances", [f"{DAY},ben,JPY,400"])
    bring(home, "financials", FACTS["financials"])
    day = on(home, rulebook)
    assert set(verdicts(day).values()) == {"unknown"}
    sums = ("hot_value", "customer_value", "hot_room", "money_stored", "kept_value", "guarantee_worth")
    assert {figure.value for key in sums if (figure := day.figure(key))} <= {None}


def test_the_same_hole_stands_once_among_the_findings(tmp_path: Path) -> None:
    day = on(create_home(tmp_path / "home", "Example"))
    assert len(day.findings) == len(set(day.findings))
    assert sum(finding.code == "unknown" for finding in day.findings) == 2


def test_a_coin_of_which_there_is_nothing_needs_no_price(tmp_path: Path) -> None:
    home = create_home(tmp_path / "home", "Example")
    bring(home, "customer_balances", [f"{DAY},ada,BTC,1", f"{DAY},ada,OLD,0"])
    bring(home, "holdings", [f"{DAY},cold-1,BTC,1,customer,cold", f"{DAY},cold-1,OLD,0,customer,cold"])
    bring(home, "prices", FACTS["prices"])
    bring(home, "financials", FACTS["financials"])
    found = verdicts(on(home))
    assert (found["hot"], found["net_assets"], found["concentration"]) == ("kept", "kept", "kept")


def test_a_hole_in_what_is_below_a_limit_does_not_count_as_below_it(tmp_path: Path) -> None:
    """Guarantee coins without a price might be worth more than the net assets."""
    home = create_home(tmp_path / "home", "Example")
    bring(home, "customer_balances", [f"{DAY},ada,BTC,1"])
    bring(home, "holdings", [f"{DAY},cold-1,BTC,1,customer,cold", f"{DAY},guard,XYZ,1,guarantee,cold"])
    bring(home, "prices", FACTS["prices"])
    bring(home, "financials", FACTS["financials"])
    assert verdicts(on(home))["net_assets"] == "unknown"


# The same on every machine


@pytest.mark.parametrize("rulebook", CUSTODY)
def test_the_same_facts_cut_and_ordered_otherwise_give_the_same_day(tmp_path: Path, rulebook: str) -> None:
    chance = Random(5)  # noqa: S311 - an order that can be repeated
    one = on(home_with(tmp_path / "one", *FACTS), rulebook)
    other = create_home(tmp_path / "elsewhere" / "other", "Example")
    rows = [(dataset, row) for dataset, rows in FACTS.items() for row in rows]
    for dataset, row in chance.sample(rows, len(rows)):
        bring(other, dataset, [row])
    found = on(other, rulebook)
    assert found.body == one.body
    assert found.digest == one.digest
    assert found.document()["figures"] == one.document()["figures"]


# The document


@pytest.mark.parametrize("rulebook", CUSTODY)
def test_every_figure_that_the_document_names_is_in_it_and_every_one_in_it_is_named(
    tmp_path: Path, rulebook: str
) -> None:
    document = json.loads(json.dumps(on(home_with(tmp_path / "home", *FACTS), rulebook).document()))
    body, figures = document["custody"], document["figures"]
    findings = [*(finding for duty in body["duties"] for finding in duty["findings"]), *body["beside"]]
    named = [digest for duty in body["duties"] for digest in duty["steps"]]
    named += [finding["amount"] for finding in findings if finding["amount"]]
    reached: set[str] = set()
    while named:
        digest = named.pop()
        if digest not in reached:
            reached.add(digest)
            named += figures[digest]["inputs"]
    assert reached == set(figures)
    rfc8785.dumps(body)
    assert findings


def test_figures_that_tell_how_a_duty_stands_are_among_its_steps(tmp_path: Path) -> None:
    day = on(home_with(tmp_path / "home", *FACTS))
    for duty in day.duties:
        under = {part.digest for step in duty.steps for part in step.walk()}
        assert {figure.digest for figure in duty.told} <= under
        assert day.figure(duty.told[0].key) is not None if duty.told else True


def test_the_files_behind_every_dataset_that_duties_rest_on_are_named(tmp_path: Path) -> None:
    sources = on(home_with(tmp_path / "home", *FACTS)).evidence
    assert {source["dataset"] for source in sources} == set(FACTS)


def test_findings_come_gravest_first_and_those_to_be_cured_first_before_others(tmp_path: Path) -> None:
    found = on(home_with(tmp_path / "home", *FACTS)).findings
    order = [(-finding.severity, finding.cure_by or date.max) for finding in found]
    assert order == sorted(order)
    assert found[0].severity is Severity.BREACH


def test_a_day_finds_everything_that_was_put_into_it(tmp_path: Path) -> None:
    found = {(lapse.finding.code, lapse.subject) for duty in on(home_with(tmp_path / "home", *FACTS)).duties for lapse in duty.lapses}  # fmt: skip
    assert found == {
        ("held-short", "BTC"), ("held-short", "XYZ"), ("price-hole", "XYZ"), ("hot-above", ""), ("guarantee-short", "BTC"), ("guarantee-hot", "ETH"),
        ("money-short", ""), ("mixed", "cold-1"), ("mixed", "kaede"), ("registry-missing", ""), ("net-assets-short", ""), ("audit-late", "segregation"),
        ("audit-due", "guarantee"),
    }  # fmt: skip


# Facts that were refused, and what others state


def put(home: Home, dataset: str, *rows: str) -> None:
    """Ingests rows of which some may be refused."""
    known = dataset_named(dataset)
    names = [column.name for column in known.columns][: rows[0].count(",") + 1]
    file = home.path / f"{dataset}-{len(list(home.path.iterdir()))}.csv"
    file.write_text("\n".join([",".join(names), *rows]) + "\n", encoding="utf-8")
    ingest(home, known, [file], own_names(known))


@pytest.mark.parametrize("row", [f"{DAY},dan,BTC,-4", f"{DAY},dan,BTC,4x"])
def test_a_duty_over_balances_of_which_rows_were_refused_is_not_known_to_be_kept(tmp_path: Path, row: str) -> None:
    home = create_home(tmp_path / "home", "Example")
    put(home, "customer_balances", f"{DAY},ada,BTC,7", f"{DAY},ada,JPY,1", row)
    bring(home, "holdings", [f"{DAY},cold-1,BTC,7,customer,cold", f"{DAY},kaede,JPY,1,customer,trust"])
    bring(home, "prices", [f"BTC,JPY,{DAY}T09:00:00+09:00,100,ours"])
    found = verdicts(on(home))
    assert (found["held"], found["hot"], found["money"]) == ("unknown", "unknown", "unknown")
    assert found["guarantee"] == "kept"
    put(home, "customer_balances", f"{DAY},dan,BTC,0")
    assert verdicts(on(home))["held"] == "kept"


def test_rows_refused_later_of_an_earlier_day_are_noticed_where_that_day_was_remembered(tmp_path: Path) -> None:
    home = create_home(tmp_path / "home", "Example")
    before = "2025-06-05"
    bring(home, "customer_balances", [f"{before},ada,BTC,7", f"{DAY},ada,BTC,7"])
    bring(home, "holdings", [f"{before},cold-1,BTC,7,customer,cold", f"{DAY},cold-1,BTC,7,customer,cold"])
    put(home, "customer_balances", f"{DAY},dan,BTC,x")
    [lapse] = next(duty for duty in on(home).duties if duty.key == "held").lapses
    assert lapse.finding.since == DAY
    put(home, "customer_balances", f"{before},eva,BTC,x")
    [lapse] = next(duty for duty in on(home).duties if duty.key == "held").lapses
    assert lapse.finding.since == date(2025, 6, 5)


def test_a_change_of_a_balance_that_was_refused_leaves_what_is_owed_unknown(tmp_path: Path) -> None:
    home = create_home(tmp_path / "home", "Example")
    before = "2025-06-05"
    bring(home, "customer_balances", [f"{before},ada,BTC,7"])
    bring(home, "holdings", [f"{DAY},cold-1,BTC,9,customer,cold"])
    put(home, "balance_changes", f"{DAY}T09:00:00+09:00,ada,BTC,8", f"{DAY}T10:00:00+09:00,ada,BTC,nine")
    [lapse] = next(duty for duty in on(home).duties if duty.key == "held").lapses
    assert (lapse.finding.code, lapse.subject) == ("rows-not-counted", "balance_changes")


def test_a_place_of_which_less_is_stated_than_holdings_say_is_told(tmp_path: Path) -> None:
    home = create_home(tmp_path / "home", "Example")
    bring(home, "customer_balances", [f"{DAY},ada,BTC,5"])
    bring(home, "holdings", [f"{DAY},cold-1,BTC,4,customer,cold", f"{DAY},cold-1,BTC,1,own,cold"])
    bring(home, "statements", [f"{DAY},cold-1,BTC,5,core", f"{DAY},cold-1,ETH,0,core"])
    assert "stated-less" not in {finding.code for finding in on(home).beside}
    bring(home, "statements", [f"{DAY},cold-1,BTC,0.1,esplora"])
    [told] = [finding for finding in on(home).beside if finding.code == "stated-less"]
    assert told.severity is Severity.HOLE
    assert "esplora states less BTC at cold-1 than holdings say, 5" in told.what.en
    assert told.amount is not None
    assert told.amount.value == Decimal("0.1")
