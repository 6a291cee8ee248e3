"""The reserve's life in the books: what a position reads of it, what is booked, and what may be taken out again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

import pytest

from junbikin.books.batch import Batch, saying
from junbikin.books.columns import opposite
from junbikin.books.database import Books
from junbikin.books.journal import Actor, account_numbers, known_now, post, statement
from junbikin.calendars import fiscal_year
from junbikin.errors import BooksRefused
from junbikin.facts.lake import open_lake
from junbikin.findings import Finding
from junbikin.registry.requests import ask_to_post, decide
from junbikin.registry.subjects import described
from junbikin.reserve.accruals import accrual, accrual_draft
from junbikin.reserve.agreement import booked
from junbikin.reserve.assess import assess
from junbikin.reserve.history import history, record
from junbikin.reserve.ledger import Ledger
from junbikin.reserve.moves import MOVES, draft
from junbikin.reserve.position import Position
from junbikin.reserve.verify import verify
from junbikin.reserve.view import FactsView
from junbikin.rulebooks.load import load_rulebook
from reserve.homes import ALL_CAUSES, ASSETS, BALANCES, DAY, HOLDINGS, PRICES, add

from .cast import Cast, assembled, open_accounts
from .plans import INCIDENT, Plan, approve, literal, opened
from .straight import straight

TRADES = """
trade_id executed_at               asset quote side price    quantity line
t-1      2024-06-28T10:00:00+09:00 BTC   JPY   buy  10000000 5000     spot_brokered
t-2      2023-06-28T10:00:00+09:00 BTC   JPY   buy  10000000 5000     spot_brokered
"""
POLICY = {
    "insurer": "kamome",
    "approved_on": "2024-03-01",
    "effective_from": "2024-04-01",
    "effective_to": "2026-03-31",
    "causes": ALL_CAUSES,
    "storages": "hot|cold",
    "aggregate_jpy": "9000000",
    "per_event_jpy": "8000000",
    "deductible_jpy": "1000000",
}
PLACE = {
    "name": "Kaede Trust",
    "kind": "deposit",
    "dedicated": "yes",
    "on_trust": "yes",
    "jurisdiction": "JP",
    "realisable_days": "1",
}
THEN = datetime.fromisoformat("2025-03-01T10:00:00+09:00")


@pytest.fixture
def cast(books: Books) -> Cast:
    """Everyone, on books of a home with facts, with ¥50m of own funds at hand before the day."""
    add(books.home, trades=TRADES, customer_balances=BALANCES, holdings=HOLDINGS, prices=PRICES)
    cast = assembled(books)
    cast.registered("place", "kaede", described("place", PLACE), THEN)
    cast.post("capital", "income", {"outside/JPY/world": -50_000_000, "own/JPY/bank": 50_000_000}, THEN)
    return cast


def known(books: Books, day: date = DAY, at: datetime | None = None) -> Ledger:
    return Ledger(books, day, at or known_now(books))


def assessed(books: Books, rulebook: str = "jp-fiea-175", day: date = DAY, ledger: Ledger | None = None) -> Position:
    lake = open_lake(books.home)
    view = FactsView(lake, day, ledger or known(books, day))
    return assess(lake, load_rulebook(rulebook), day, view)


def found(position: Position, code: str) -> list[Finding]:
    return [finding for finding in position.findings if finding.code == code]


def funded(cast: Cast, amount: int) -> None:
    cast.post(f"fund {amount}", "fund", {"own/JPY/bank": -amount, "reserve/JPY/kaede": amount}, THEN)


def accrued(cast: Cast, day: date = DAY) -> Position:
    """Books the year-end accrual as the rulebook computes it, and puts its position on record."""
    books = cast.books
    position = assessed(books, day=day)
    record(books, [position])
    owed = accrual(position, booked(known(books, day))).known
    year = fiscal_year(day, books.home.fiscal_year_starts).name
    drafted = accrual_draft(owed, "JPY", position.digest, year, "jp-fiea-175")
    batch = cast.batch(
        f"accrual {year}", "accrual", dict(zip(drafted.codes, drafted.amounts, strict=True)), books.home.end_of(day),
        **{word: text for word, text in drafted.says.items() if word != "purpose"},
    )  # fmt: skip
    decide(books, cast.ben, ask_to_post(books, cast.ada, batch), "approve", "as computed")
    return position


def test_a_position_reads_reserve_assets_and_policies_from_the_books_and_not_from_files(cast: Cast) -> None:
    add(cast.books.home, reserve_assets=f"{ASSETS}\n2025-03-31 file deposit JPY 7 bank true true JP 1\n")
    funded(cast, 30_000_000)
    cast.registered(
        "insurer", "kamome", described("insurer", {"name": "Kamome", "jurisdiction": "JP", "licence": "1"}), THEN
    )
    cast.registered("policy", "policy-1", described("policy", POLICY), THEN)
    position = assessed(cast.books, "hk-sfc")
    [asset], [policy] = position.resources.assets, position.resources.policies
    [finding] = found(position, "facts-not-read")
    assert finding.what.en.startswith("reserve_assets:")
    assert (asset.id, asset.place, asset.worth.known) == ("kaede:JPY", "Kaede Trust", Decimal(30_000_000))
    assert (policy.id, policy.place, policy.worth.known, policy.counted.known) == (
        "policy-1",
        "Kamome",
        Decimal(8_000_000),
        Decimal(7_000_000),
    )


def test_what_came_after_the_day_is_not_in_its_position(cast: Cast) -> None:
    funded(cast, 30_000_000)
    cast.post("later", "fund", {"own/JPY/bank": -1, "reserve/JPY/kaede": 1})
    assert assessed(cast.books).resources.assets[0].worth.known == 30_000_000
    assert assessed(cast.books, day=cast.books.home.today()).resources.assets[0].worth.known == 30_000_001


def test_the_accrual_is_booked_as_the_rulebook_computes_it_and_counts_from_the_next_year_on(cast: Cast) -> None:
    position = accrued(cast, date(2024, 3, 31))
    step = next(step for step in position.steps if step.key == "accrual")
    assert step.known == 1_000_000  # ¥50bn × 0.2 per 10,000
    assert known(cast.books, date(2024, 3, 31)).booked == 1_000_000
    existing = next(step for step in assessed(cast.books).steps if step.key == "existing")
    assert existing.known == 1_000_000


def test_an_accrual_cites_a_position_on_record(cast: Cast) -> None:
    entries = {"own/JPY/booked": -1, "reserve/JPY/booked": 1}
    with pytest.raises(BooksRefused, match="no position minutes is on record"):
        cast.approved("accrual", "accrual", entries, position="minutes")


def test_the_booked_reserve_and_the_assets_behind_it_must_agree(cast: Cast) -> None:
    funded(cast, 999_999)
    accrued(cast)
    [finding] = found(assessed(cast.books), "booked-differs")
    assert finding.amount is not None
    assert finding.amount.known == -1
    assert finding.severity.name == "WARNING"
    funded(cast, 1)
    assert found(assessed(cast.books), "booked-differs") == []
    funded(cast, 2)
    [finding] = found(assessed(cast.books), "booked-differs")
    assert finding.severity.name == "NOTICE"


def test_a_policy_is_worth_what_claims_left_of_it_and_its_end_is_told_beforehand(cast: Cast) -> None:
    cast.registered("policy", "policy-1", described("policy", POLICY), THEN)
    assert found(assessed(cast.books), "policy-ends") == []
    paid = {"insurer/JPY/policy-1": -5_500_000, "own/JPY/bank": 5_500_000}
    cast.post("claim", "insurance_claim", paid, THEN, reference="claim 7")
    [policy] = assessed(cast.books, "hk-sfc").resources.policies
    assert policy.worth.known == 3_500_000
    cast.registered("policy", "policy-1", described("policy", {**POLICY, "cancelled_on": "2025-04-30"}), THEN)
    [finding] = found(assessed(cast.books), "policy-ends")
    assert finding.cure_by == date(2025, 4, 30)


def test_a_recorded_position_verifies_although_more_was_posted_since(cast: Cast) -> None:
    funded(cast, 30_000_000)
    position = assessed(cast.books)
    cast.post("late", "fund", {"own/JPY/bank": -5, "reserve/JPY/kaede": 5}, THEN)
    assert verify(cast.books.home, position.document()).difference is None
    assert assessed(cast.books).digest != position.digest
    document = position.document()
    document["facts"]["books_known_at"] = known_now(cast.books).isoformat()
    assert verify(cast.books.home, document).difference is not None


def test_the_history_has_each_day_once_as_last_known_and_every_position_when_asked(cast: Cast) -> None:
    position = assessed(cast.books)
    first = record(cast.books, [position])
    assert record(cast.books, [position]) == first
    funded(cast, 30_000_000)
    newer = assessed(cast.books)
    record(cast.books, [newer, assessed(cast.books, "hk-sfc")])
    assert [point.digest for point in history(cast.books, "jp-fiea-175", every=True)] == [position.digest, newer.digest]
    [point] = history(cast.books, "jp-fiea-175")
    assert (point.digest, point.resources) == (newer.digest, newer.resources.total.known)
    assert {point.rulebook for point in history(cast.books)} == {"jp-fiea-175", "hk-sfc"}


@pytest.fixture
def above_the_cap(cast: Cast) -> tuple[Cast, Position]:
    """Books whose reserve is ¥1,000,000 above the cap at the year's end: ¥5,000,000 booked, the cap ¥4,000,000."""
    funded(cast, 5_000_000)
    before = assessed(cast.books, day=date(2024, 3, 31))
    record(cast.books, [before])
    entries = {"own/JPY/booked": -5_000_000, "reserve/JPY/booked": 5_000_000}
    at = cast.books.home.end_of(date(2024, 3, 31))
    batch = cast.batch("accrual before", "accrual", entries, at, position=before.digest)
    decide(cast.books, cast.ben, ask_to_post(cast.books, cast.ada, batch), "approve", "seen")
    position = assessed(cast.books)
    record(cast.books, [position])
    return cast, position


def released(cast: Cast, key: str, amount: int, position: str, by: Actor | None = None) -> None:
    says = {"position": position, "authority": "FSA 2025-07-01"}
    drafted = draft(MOVES["release"], "reserve/JPY/kaede", "own/JPY/bank", Decimal(amount), says, "JPY", None)
    batch = cast.batch(key, "release", dict(zip(drafted.codes, drafted.amounts, strict=True)), None, **says)
    decide(cast.books, cast.ben, ask_to_post(cast.books, by or cast.ada, batch), "approve", "approved by the authority")


def test_only_the_year_end_excess_over_the_cap_can_be_released_and_only_once(
    above_the_cap: tuple[Cast, Position],
) -> None:
    cast, position = above_the_cap
    released(cast, "first", 600_000, position.digest)
    with pytest.raises(BooksRefused, match="600000 is released already"):
        released(cast, "second", 400_001, position.digest)
    released(cast, "third", 400_000, position.digest)
    today = known(cast.books, cast.books.home.today())
    assert (today.booked, today.reserve_assets[0]["quantity"]) == (Decimal(4_000_000),) * 2
    assert [row["amount_jpy"] for row in today.reserve_entries if row["kind"] == "release"] == [600_000, 400_000]


def test_a_release_that_was_undone_no_longer_counts_against_the_excess(above_the_cap: tuple[Cast, Position]) -> None:
    cast, position = above_the_cap
    released(cast, "first", 1_000_000, position.digest)
    [record] = [
        line.record
        for line in statement(cast.books, account_numbers(cast.books, ["own/JPY/booked"])[0])
        if line.key == "first"
    ]
    undone = opposite(cast.books, record)
    says = {"purpose": "reversal", "reverses": str(record), "authority": "FSA 2025-07-02"}
    batch = Batch(f"reversal:{record}", saying(says), undone, "wrong place")
    decide(cast.books, cast.ben, ask_to_post(cast.books, cast.ada, batch), "approve", "indeed")
    assert known(cast.books, cast.books.home.today()).booked == 5_000_000
    released(cast, "again", 1_000_000, position.digest)
    with pytest.raises(BooksRefused, match="1000000 is released already"):
        released(cast, "too much", 1, position.digest)


def test_a_position_of_another_day_than_a_year_end_releases_nothing(above_the_cap: tuple[Cast, Position]) -> None:
    cast, _ = above_the_cap
    other = assessed(cast.books, day=date(2025, 3, 30))
    record(cast.books, [other])
    with pytest.raises(BooksRefused, match="excess"):
        released(cast, "wrong day", 1, other.digest)


def test_what_is_used_for_compensation_lowers_assets_and_booked_reserve_alike(cast: Cast) -> None:
    funded(cast, 1_000_000)
    accrued(cast)
    open_accounts(cast, [f"claimant/JPY/pool/{INCIDENT}"])
    codes = ["reserve/JPY/kaede", f"claimant/JPY/pool/{INCIDENT}", "reserve/JPY/booked", "outside/JPY/booked"]
    numbers = account_numbers(cast.books, codes)
    with straight(cast) as sql:
        opened(sql)
        batch = Plan({"JPY": [100_000, 200_000]}, 10).batch({"JPY": numbers[0]}, {"JPY": numbers[1]})
        booked = replace(batch, accounts=literal(numbers), amounts="{-300000,300000,-300000,300000}")
        with sql.refused("no role"):
            approve(sql, booked, "ada")
        approve(sql, booked)
    ledger = known(cast.books, cast.books.home.today())
    assert (ledger.booked, ledger.reserve_assets[0]["quantity"]) == (Decimal(700_000),) * 2
    [use] = [row for row in ledger.reserve_entries if row["kind"] == "use"]
    assert use["amount_jpy"] == 300_000


def test_own_funds_can_always_refill_the_reserve(cast: Cast) -> None:
    cast.post("refill", "replenishment", {"own/JPY/bank": -5, "reserve/JPY/kaede": 5}, reference="after incident 1")
    assert post(cast.books, cast.ada, cast.batch("refill 2", "fund", {"own/JPY/bank": -5, "reserve/JPY/kaede": 5}))
