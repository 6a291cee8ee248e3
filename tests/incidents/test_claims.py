"""Claims: what approved plans owe is paid, out, returned or not sent, to the last unit, whatever came when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from books.cast import Cast
from incidents.paying import Paying, approved_plan, quiet
from incidents.plan.scene import INCIDENT
from junbikin.books.claims import Act, plans_of
from junbikin.errors import BadInput, PositionProblem
from junbikin.facts.engine import connect
from junbikin.incidents.claim_lists import write_list
from junbikin.incidents.claims import LegClaims, Moment, Part, Reasons, claims_of, followed
from junbikin.incidents.disputes import file
from junbikin.incidents.incident import incident_of
from junbikin.incidents.standing import Standing, take
from junbikin.reports.claims import claims_document, claims_parts, standing_rows
from junbikin.reports.claims_charts import HEIGHT, WIDTH, steps
from junbikin.reports.claims_page import claims_page

AT = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def paying(founded: Callable[[Path], Cast], tmp_path: Path) -> Paying:
    return approved_plan(founded(tmp_path / "home"), tmp_path)


def test_before_anything_is_sent_all_of_it_is_kept(paying: Paying) -> None:
    before = paying.parts()
    assert before[Standing.UNPAID] == Part(4, Decimal(47_500_000))
    paying.entitle()
    [plan] = claims_of(paying.scene.cast.books, INCIDENT).plans
    [leg] = plan.legs
    assert (leg.entitled, leg.nothing, leg.kept) == (Part(3, Decimal(47_500_000)), 1, leg.entitled)
    assert paying.parts()[Standing.UNPAID] == Part(3, Decimal(47_500_000))


def test_each_payment_stands_where_it_came_to(paying: Paying, tmp_path: Path) -> None:
    """Payments 1 to 4 are c1 15,000,000, c2 2,500,000, c3 30,000,000 and c5 nothing."""
    paying.entitle()
    paying.send("{[1,4)}", 3, 47_500_000, 1)
    assert paying.parts()[Standing.OUT] == Part(3, Decimal(47_500_000))
    paying.answer("{[1,2)}", 15_000_000, {"no such account": "{[2,3)}"}, 2_500_000, 2, 1)
    now = paying.parts()
    assert now == {
        Standing.UNPAID: Part(), Standing.OUT: Part(1, Decimal(30_000_000)), Standing.SETTLED: Part(1, Decimal(15_000_000)),
        Standing.RETURNED: Part(1, Decimal(2_500_000)),
    }  # fmt: skip
    assert paying.listed("paid", tmp_path) == [("c1", "15000000", "")]
    assert paying.listed("out", tmp_path) == [("c3", "30000000", "")]
    assert paying.listed("returned", tmp_path) == [("c2", "2500000", "no such account")]
    paying.send("{[2,3)}", 1, 2_500_000, 2)
    paying.answer("{[2,3)}", 2_500_000, {}, 0, 1, 2)
    paying.answer("{[3,4)}", 30_000_000, {}, 0, 1, 1)
    found = claims_of(paying.scene.cast.books, INCIDENT)
    assert paying.parts()[Standing.SETTLED] == Part(3, Decimal(47_500_000))
    assert (found.plans[0].legs[0].kept, found.set_apart, found.differing) == (Part(), {"JPY": Decimal(0)}, ())


def test_what_came_back_late_is_kept_again_and_set_apart_agrees(paying: Paying) -> None:
    paying.entitle()
    paying.send("{[1,3)}", 2, 17_500_000, 1)
    paying.answer("{[1,3)}", 17_500_000, {}, 0, 2, 1)
    paying.answer("{}", 0, {"account closed": "{[1,2)}"}, 15_000_000, 1, 1, late=15_000_000)
    found = claims_of(paying.scene.cast.books, INCIDENT)
    [leg] = found.plans[0].legs
    assert leg.kept == Part(2, Decimal(45_000_000))
    assert leg.returned_for == {"account closed": Part(1, Decimal(15_000_000))}
    assert (found.set_apart["JPY"], found.differing) == (Decimal(45_000_000), ())
    assert [(each.out, each.settled, each.returned) for each in leg.history] == [(2, 0, 0), (0, 2, 0), (0, 1, 1)]


def test_who_is_not_sent_is_told_with_why(paying: Paying, tmp_path: Path) -> None:
    from junbikin.facts.lake import open_lake
    from junbikin.incidents.folders import payees_folder
    from junbikin.incidents.pay.judge import prepare
    from junbikin.incidents.pay.newest import keep_as_newest
    from junbikin.incidents.pay.statuses import Status

    paying.entitle()
    home = paying.scene.home
    above = payees_folder(home, INCIDENT, paying.plan.digest)
    judged = prepare(home, open_lake(home), paying.plan.digest, paying.plan.entitlements, above, quiet)
    keep_as_newest(above, judged.digest)
    [leg] = claims_of(paying.scene.cast.books, INCIDENT).plans[0].legs
    assert leg.kept_for == {Status.NO_INSTRUCTION: Part(3, Decimal(47_500_000))}
    assert {(account, why) for account, _, why in paying.listed("unclaimed", tmp_path)} == {
        (account, "no_instruction") for account in ("c1", "c2", "c3")
    }


def test_disputed_claims_are_listed_and_counted(paying: Paying, tmp_path: Path) -> None:
    paying.entitle()
    books, ada = paying.scene.cast.books, paying.scene.cast.ada
    file(books, ada, INCIDENT, "c2", "BTC", "I held twice as much", [], paying.plan.digest, "letter")
    assert paying.listed("disputed", tmp_path) == [("c2", "2500000", "")]
    found = claims_of(books, INCIDENT)
    document = claims_document(found, incident_of(books, INCIDENT), AT)
    assert document["disputes"] == {"filed": 1, "upheld": 0, "rejected": 0}


def test_a_list_of_files_that_were_altered_is_not_written(paying: Paying, tmp_path: Path) -> None:
    connect("1GB").execute(
        f'COPY (SELECT number, account_id, holding, "JPY" + 1 AS "JPY" FROM read_parquet(\'{paying.plan.entitlements}\')) '
        f"TO '{paying.plan.entitlements}' (FORMAT parquet)"
    )
    with pytest.raises(PositionProblem, match="its amounts of JPY are others"):
        paying.listed("unclaimed", tmp_path)
    assert not (tmp_path / "unclaimed.csv").exists()


def test_what_is_there_already_is_not_overwritten_and_an_unknown_plan_is_named(paying: Paying, tmp_path: Path) -> None:
    books = paying.scene.cast.books
    (tmp_path / "x.csv").write_text("mine")
    with pytest.raises(BadInput, match="there already"):
        write_list(books, plans_of(books, INCIDENT), "paid", tmp_path / "x.csv", quiet)
    with pytest.raises(BadInput, match="no approved plan"):
        claims_of(books, INCIDENT, "q")
    assert claims_of(books, INCIDENT, "p").plans == claims_of(books, INCIDENT, paying.plan.digest).plans


def test_screen_and_page_say_the_same_in_both_languages(paying: Paying) -> None:
    paying.entitle()
    paying.send("{[1,3)}", 2, 17_500_000, 1)
    paying.answer("{[1,2)}", 15_000_000, {"<b>closed": "{[2,3)}"}, 2_500_000, 2, 1)
    books, home = paying.scene.cast.books, paying.scene.home
    found, of = claims_of(books, INCIDENT), incident_of(books, INCIDENT)
    page = claims_page(home, found, of, AT, "en")
    for text in ("¥15,000,000", "¥2,500,000", "31.6%", "51 days 21 h", "51日21時間", "&lt;b&gt;closed: 1", "支払済"):
        assert text in page, text
    assert "<b>closed" not in page
    assert "script" not in page
    for lang in ("en", "ja"):
        assert list(claims_parts(home, found, of, AT, lang))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 10**6), min_size=4, max_size=4).filter(any))
def test_shares_sum_to_100_and_nothing_is_whole_before_it_is(amounts: list[int]) -> None:
    parts = {standing: Part(1, Decimal(amount)) for standing, amount in zip(Standing, amounts, strict=True)}
    leg = LegClaims("JPY", Part(4, Decimal(sum(amounts))), 0, parts, {}, {}, ())
    rows = [(part.amount, Decimal(share.rstrip("%"))) for _, part, share in standing_rows(leg)]
    assert sum(share for _, share in rows[1:5]) == 100
    assert rows[5][1] == 100 - rows[1][1]
    for amount, share in rows[:5]:
        assert abs(share - amount * 100 / sum(amounts)) < Decimal("0.15")
        assert (share == 100) == (amount == sum(amounts))


# The standing of numbers over time, against one number at a time.


def _act(kind: str, place: int, **says: Any) -> Act:
    return Act(kind, "JPY", 1, says, place, datetime(2026, 4, 1, 0, place // 60, place % 60, tzinfo=UTC), "cem")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 12), st.sampled_from(["send", "settle", "return"])), max_size=40))
def test_the_history_counts_what_one_number_at_a_time_counts(moves: list[tuple[int, str]]) -> None:
    told = [_act("entitlement", 0, first="1", people="12")]
    stands, reasons = dict.fromkeys(range(1, 13), Standing.UNPAID), dict[int, str]()
    expected = []
    for place, (number, move) in enumerate(moves, 1):
        one, now = f"{{[{number},{number + 1})}}", stands[number]
        if move == "send" and now in (Standing.UNPAID, Standing.RETURNED):
            told.append(_act("payout", place, numbers=one, run="1", channel="zengin"))
            stands[number] = Standing.OUT
        elif move == "settle" and now is Standing.OUT:
            told.append(_act("payout_result", place, settled=one, returned={}))
            stands[number] = Standing.SETTLED
        elif move == "return" and now in (Standing.OUT, Standing.SETTLED):
            reasons[number] = f"reason {place % 3}"
            told.append(_act("payout_result", place, settled="{}", returned={reasons[number]: one}))
            stands[number] = Standing.RETURNED
        else:
            continue
        among = list(stands.values())
        counts = (among.count(each) for each in (Standing.OUT, Standing.SETTLED, Standing.RETURNED))
        expected.append(Moment(told[-1].recorded_at, *counts))
    chunks, history = followed(told)
    assert list(history) == expected
    chunk = chunks["JPY", 1]
    assert [Standing(each) for each in chunk.status] == list(stands.values())
    codes, words = Reasons(told).of(chunk), Reasons(told).words
    for number, reason in reasons.items():
        assert words[codes[number - 1]] == reason
    assert take(dict(chunks), told[0]).people == 12


def test_more_reasons_than_there_are_codes_are_told_as_others() -> None:
    told = [
        _act("payout_result", place, settled="{}", returned={f"reason {place:03}": f"{{[{place},{place + 1})}}"})
        for place in range(1, 100)
    ]
    reasons = Reasons(told)
    assert len(reasons.words) == Reasons.MOST
    assert reasons.words[reasons.code("reason 099")] == "others"
    assert reasons.words[reasons.code("reason 002")] == "reason 002"


@given(
    st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 30), st.integers(0, 30), st.integers(0, 30)), max_size=20)
)
def test_the_drawing_holds_every_step_and_ends_where_it_should(given: list[tuple[int, int, int, int]]) -> None:
    history = [
        Moment(datetime.fromtimestamp(second, UTC), out, settled, returned)
        for second, out, settled, returned in sorted(given)
    ]
    drawn = steps(history, 90, datetime.fromtimestamp(0, UTC), datetime.fromtimestamp(1000, UTC))
    for step in drawn:
        assert 0 <= step.x < WIDTH
        assert step.width > 0
        tall = sum(height for _, _, height in step.pieces)
        people = step.moment.out + step.moment.settled + step.moment.returned
        assert tall == HEIGHT * people // 90
    if history:
        assert drawn[-1].moment == history[-1]
        assert drawn[-1].x + drawn[-1].width == WIDTH
