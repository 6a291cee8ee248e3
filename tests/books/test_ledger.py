"""What a position reads of the books and the registry: every account and every field, or a word about what is missing."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from junbikin.books.database import Books
from junbikin.books.journal import known_now
from junbikin.errors import BooksProblem
from junbikin.reserve.agreement import registry_gaps
from junbikin.reserve.ledger import Ledger

from .cast import Cast, assembled, open_accounts

LAST_YEAR = datetime.fromisoformat("2025-03-01T10:00:00+09:00")
POLICY = {
    "insurer": "kamome",
    "effective_from": "2024-04-01",
    "effective_to": "2036-03-31",
    "causes": "hack",
    "storages": "hot",
    "aggregate_jpy": "9000000",
    "per_event_jpy": "9000000",
    "deductible_jpy": "0",
}


@pytest.fixture
def cast(books: Books) -> Cast:
    """Everyone, on new books."""
    return assembled(books)


def ledger(cast: Cast) -> Ledger:
    return Ledger(cast.books, cast.books.home.today(), known_now(cast.books))


def test_what_several_holders_were_paid_of_a_policy_counts_together(cast: Cast) -> None:
    cast.registered("policy", "policy-1", POLICY, LAST_YEAR)
    open_accounts(cast, ["insurer/JPY/policy-1/hot", "insurer/JPY/policy-1/cold"])
    for account, amount in (("policy-1", 1_000_000), ("policy-1/hot", 2_000_000), ("policy-1/cold", 3_000_000)):
        paid = {f"insurer/JPY/{account}": -amount, "own/JPY/bank": amount}
        cast.post(account, "insurance_claim", paid, LAST_YEAR, reference="claim")
    [policy] = ledger(cast).policies
    assert policy["remaining_jpy"] == 3_000_000


def test_claims_beyond_a_policys_aggregate_and_places_not_registered_then_are_told(cast: Cast) -> None:
    cast.registered("policy", "policy-1", POLICY, LAST_YEAR)
    cast.post(
        "c",
        "insurance_claim",
        {"insurer/JPY/policy-1": -9_000_000, "own/JPY/bank": 9_000_000},
        LAST_YEAR,
        reference="c",
    )
    assert ledger(cast).overpaid == {}
    cast.post("d", "insurance_claim", {"insurer/JPY/policy-1": -5, "own/JPY/bank": 5}, LAST_YEAR, reference="d")
    cast.post("fund", "fund", {"own/JPY/bank": -7, "reserve/JPY/minato": 7}, LAST_YEAR)
    then = Ledger(cast.books, LAST_YEAR.date(), known_now(cast.books))
    assert (then.overpaid, then.unplaced) == ({"policy-1": Decimal(5)}, ["minato"])
    told = {finding.code: finding for finding in registry_gaps(then)}
    assert set(told) == {"policy-overpaid", "place-unknown"}
    assert "minato" in told["place-unknown"].what.ja
    assert ledger(cast).unplaced == []


def test_a_premium_and_its_reversal_leave_what_a_policy_could_still_pay_as_it_is(cast: Cast) -> None:
    cast.registered("policy", "policy-1", POLICY, LAST_YEAR)
    open_accounts(cast, ["insurer/JPY/policy-1"])
    cast.post(
        "claim", "insurance_claim", {"insurer/JPY/policy-1": -4_000_000, "own/JPY/bank": 4_000_000}, reference="c"
    )
    paid = cast.post("premium", "premium", {"own/JPY/bank": -500_000, "insurer/JPY/policy-1": 500_000}, reference="p")
    [after_premium] = ledger(cast).policies
    undone = {"own/JPY/bank": 500_000, "insurer/JPY/policy-1": -500_000}
    cast.approved(f"reversal:{paid}", "reversal", undone, reverses=str(paid))
    [after_reversal] = ledger(cast).policies
    assert (after_premium["remaining_jpy"], after_reversal["remaining_jpy"]) == (5_000_000, 5_000_000)


def test_an_asset_is_one_row_for_each_place_whoever_holds_it_there(cast: Cast) -> None:
    open_accounts(cast, ["reserve/JPY/kaede/fund-2"])
    cast.pay_in("own/JPY/bank", 50)
    cast.pay_in("reserve/JPY/kaede", 20)
    cast.pay_in("reserve/JPY/kaede/fund-2", 30)
    assert [(row["asset_id"], row["quantity"]) for row in ledger(cast).reserve_assets] == [("kaede:JPY", Decimal(50))]


def test_what_is_booked_in_another_asset_is_not_added_to_the_homes_currency(cast: Cast) -> None:
    open_accounts(cast, ["own/BTC/booked", "reserve/BTC/booked"])
    for asset in ("JPY", "BTC"):
        cast.approved(
            asset, "accrual", {f"own/{asset}/booked": -7, f"reserve/{asset}/booked": 7}, position=cast.position()
        )
    read = ledger(cast)
    assert (read.booked, [row["amount_jpy"] for row in read.reserve_entries]) == (Decimal(7), [Decimal(7)])


@pytest.mark.parametrize("wrong", [{"aggregate_jpy": "much"}, {"effective_from": "soon"}, {"deductible_jpy": None}])
def test_a_policy_on_record_that_cannot_be_read_is_named(cast: Cast, wrong: dict[str, str]) -> None:
    cast.registered("policy", "policy-1", POLICY | wrong, LAST_YEAR)
    with pytest.raises(BooksProblem, match="policy-1") as told:
        _ = ledger(cast).policies
    assert "registry set policy policy-1" in told.value.then
