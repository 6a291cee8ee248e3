"""`reserve` and `registry`: the reserve's life by commands, and what is registered beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from .office import Office, pays
from .runs import csv, said

BOOKED = ["reserve/JPY/booked", "own/JPY/booked", "outside/JPY/booked"]
YEAR_END = "2026-03-31"


@pytest.fixture
def funded(office: Office, tmp_path: Path) -> Office:
    """Books with ¥3m of reserve assets since January 2026, and trades whose accrual for FY2025 is ¥1m."""
    place = "name=Kaede Trust", "kind=deposit", "dedicated=yes", "on_trust=yes", "jurisdiction=JP", "realisable_days=1"
    office.approved("ada", "registry", "set", "place", "kaede", *place, "--from", "2025-01-01", "--why", "contract")
    office.says("ada", "books", "open", *BOOKED, "--why", "needed")
    capital = "--from", "outside/JPY/world", "--to", "own/JPY/bank", "--amount", "5000000", "--at", "2026-01-04"
    office.says("ada", "books", "post", "income", *capital)
    fund = "--from", "own/JPY/bank", "--to", "reserve/JPY/kaede", "--amount", "3000000", "--at", "2026-01-05"
    office.says("ada", "reserve", "fund", *fund)
    trades = csv(tmp_path, "trades", "t-1,2025-06-28T10:00:00+09:00,BTC,JPY,buy,10000000,5000,spot_brokered")
    said("ingest", "trades", trades, home=office.home)
    return office


def test_the_accrual_is_booked_once_as_computed_and_shown_beside_the_assets(funded: Office) -> None:
    accrue = "reserve", "accrue", "--rulebook", "jp-fiea-175", "--as-of", YEAR_END
    record = funded.approved("ada", *accrue)
    assert "booked already" in funded.refuses("ada", *accrue).what
    shown = funded.json("", "reserve", "show", "--as-of", YEAR_END)
    assert (shown["booked"], shown["assets"], shown["difference"]) == ("1000000", "3000000", "2000000")
    assert [entry["kind"] for entry in shown["entries"]] == ["accrual"]
    assert "assets − booked: ¥2,000,000" in funded.says("", "reserve", "show", "--as-of", YEAR_END)
    funded.approved("ada", "books", "reverse", str(record), "--at", YEAR_END, "--why", "late trades")
    assert funded.json("", "reserve", "show", "--as-of", YEAR_END)["booked"] == "0"
    funded.approved("ada", *accrue)
    assert funded.json("", "reserve", "show", "--as-of", YEAR_END)["booked"] == "1000000"


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--as-of", "2026-03-30"], "not the last day of a fiscal year"),
        (["--as-of", "2099-03-31"], "not the last day of a fiscal year"),
        ([], "which rulebook"),
        (["--rulebook", "jp-reserve-candidate"], "not known"),
    ],
)
def test_an_accrual_that_cannot_be_computed_says_why(funded: Office, words: list[str], part: str) -> None:
    assert part in funded.refuses("ada", "reserve", "accrue", *words).what


def test_a_move_without_its_grounds_or_the_other_way_round_is_refused(funded: Office) -> None:
    there = "--from", "reserve/JPY/kaede", "--to", "reserve/JPY/minato", "--amount"
    assert "reference" in funded.refuses("ada", "reserve", "move", *there, "1").what
    assert "do not allow" in funded.refuses("ada", "reserve", "fund", *there, "1").what
    nowhere = "--from", "kaede", "--to", "own/JPY/bank", "--amount", "1", "--position", "p", "--authority", "FSA 1"
    assert "kaede is not in JPY" in funded.refuses("ada", "reserve", "release", *nowhere).what
    funded.says("ada", "books", "open", "claimant/JPY/pool/INC-1", "--why", "needed")
    plan = funded.refuses("cem", *pays("compensation", "reserve/JPY/kaede", "claimant/JPY/pool/INC-1", "1"))
    assert (plan.what, "incident ask" in plan.then) == ("compensation is paid by a plan alone", True)
    release = (
        "--from",
        "reserve/JPY/kaede",
        "--to",
        "own/JPY/bank",
        "--amount",
        "1",
        "--position",
        "none",
        "--authority",
        "FSA 1",
    )
    number = funded.json("ada", "reserve", "release", *release, "--why", "too much")["request"]
    refusal = funded.refuses("ben", "request", "approve", str(number), "--why", "as asked")
    assert "no position none is on record" in refusal.what


def test_assessed_positions_are_on_record_and_plotted(funded: Office, tmp_path: Path) -> None:
    for day in ("2026-02-28", YEAR_END, YEAR_END):
        said("assess", "--as-of", day, "--rulebook", "jp-fiea-175", home=funded.home)
    points = funded.json("", "reserve", "history")["positions"]
    assert [point["as_of"] for point in points] == ["2026-02-28", YEAR_END]
    assert points[0]["resources"] == "600000"
    page = tmp_path / "history.html"
    shown = funded.says("", "reserve", "history", "--rulebook", "jp-fiea-175", "--html", page)
    assert "█" in shown
    assert "要積立額" in page.read_text(encoding="utf-8")
    assert "https:" not in page.read_text(encoding="utf-8")


def test_a_history_does_not_call_a_shortfall_what_is_not_known(funded: Office, tmp_path: Path) -> None:
    said("assess", "--as-of", YEAR_END, "--rulebook", "hk-sfc", home=funded.home)
    page = tmp_path / "history.html"
    funded.says("", "reserve", "history", "--html", page)
    assert '<div class="k"><span lang="en">undetermined</span><span lang="ja">判定不能</span></div>' in page.read_text(
        encoding="utf-8"
    )


def test_a_history_without_positions_says_what_to_do(office: Office) -> None:
    assert "assess" in office.refuses("", "reserve", "history").then


def test_the_registry_says_what_was_in_force_then_and_what_is_now(funded: Office) -> None:
    before = funded.json("", "registry", "list", "place", "--at", "2025-06-30")["place"]
    assert before["kaede"]["name"] == "Kaede Trust"
    assert "minato" not in before
    assert set(funded.json("", "registry", "list", "place")["place"]) == {"kaede", "minato"}
    assert "Kaede Trust" in funded.says("", "registry", "list", "place", "--at", "2025-06-30")


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        (["name=X"], "'kind' is missing"),
        (["colour=red"], "no field 'colour'"),
        (["name"], "no field"),
        (
            ["name=X", "kind=gold", "dedicated=yes", "on_trust=yes", "jurisdiction=JP", "realisable_days=1"],
            "kind = 'gold' is not possible",
        ),
        (
            ["name=X", "kind=deposit", "dedicated=yes", "on_trust=yes", "jurisdiction=JP", "realisable_days=-1"],
            "realisable_days = '-1' is not possible",
        ),
    ],
)
def test_what_cannot_be_registered_is_refused_by_its_field(office: Office, fields: list[str], part: str) -> None:
    assert part in office.refuses("ada", "registry", "set", "place", "x", *fields, "--why", "w").what


def test_a_policy_of_nobody_known_or_of_no_time_is_refused_and_one_on_record_is_shown_in_words(office: Office) -> None:
    policy = [
        "insurer=kamome", "effective_from=2026-04-01", "effective_to=2027-03-31", "causes=hack|fraud", "storages=hot|cold",
        "aggregate_jpy=9000000", "per_event_jpy=8000000", "deductible_jpy=1000000",
    ]  # fmt: skip
    ask = ["registry", "set", "policy", "p-1"]
    assert "not registered" in office.refuses("ada", *ask, *policy, "--why", "w").what
    office.approved(
        "ada", "registry", "set", "insurer", "kamome", "name=Kamome", "jurisdiction=JP", "licence=1", "--why", "w"
    )
    early = [*policy[:2], "effective_to=2026-03-31", *policy[3:]]
    assert "ends before it begins" in office.refuses("ada", *ask, *early, "--why", "w").what
    office.approved("ada", *ask, *policy, "--why", "w")
    shown = office.says("", "registry", "list", "policy")
    assert "p-1\n  insurer: kamome\n" in shown
    assert "  aggregate_jpy: 9,000,000\n" in shown
    assert "  causes: hack, fraud\n" in shown


def test_the_fields_of_every_kind_are_shown(office: Office) -> None:
    fields = office.json("", "registry", "fields")
    assert set(fields) == {"place", "address", "token", "provider", "insurer", "policy", "paying_bank"}
    assert "aggregate_jpy" in office.says("", "registry", "fields")
