"""Incidents in the books: a timeline that only grows in its order, assets that stand still, disputes that two people decide once."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from junbikin.books.database import Books
from junbikin.books.proof.verify import verify

from .cast import assembled
from .plans import INCIDENT, OPENED, canonical, opened, sha256, tell
from .straight import Entries, Straight, at_once, saying, straight

pytestmark = pytest.mark.parametrize("empty", ["own"], indirect=True)

TAKEN = {
    "event": "taken", "asset": "XEM", "quantity": "523000000.5", "place": "hot-1", "storage": "hot", "provider": "", "transactions": ["ab:1"],
    "value": None, "priced": "",
}  # fmt: skip
NOTE = {"event": "note", "text": "keys are being rotated\nby two people"}
REPORTED = {"event": "reported", "to": "authority", "what": "first_notice", "document": ""}
RECOVERED = {
    "event": "recovered",
    "asset": "XEM",
    "quantity": "1",
    "value": "88.549",
    "reference": "found at another exchange",
}


@pytest.fixture
def sql(books: Books) -> Iterator[Straight]:
    """The application's role, straight, on new books."""
    with straight(assembled(books)) as sql:
        yield sql


def state(to: str) -> dict[str, str]:
    return {"event": "state", "to": to}


def test_an_incident_is_opened_once_and_its_timeline_grows_from_there(sql: Straight) -> None:
    with sql.refused("there is no incident INC-1"):
        tell(sql, "cem", NOTE)
    record = opened(sql)
    at = "SELECT effective_at = '2026-01-25T15:02:00Z' FROM books.records WHERE id = %s"
    assert sql.value(at, record) is True
    with sql.refused("is opened already"):
        opened(sql)
    for says in (
        TAKEN,
        NOTE,
        REPORTED,
        RECOVERED,
        TAKEN | {"value": "46260000000", "priced": "¥88.549, Zaif"},
        TAKEN | {"quantity": "0", "value": "0"},
    ):
        tell(sql, "cem", says)
    assert sql.value("SELECT count(*) FROM books.records WHERE kind = 'incident' AND subject = 'INC-1'") == 7
    opened(sql, "INC-2")


def test_of_many_who_open_one_incident_at_once_one_does(sql: Straight) -> None:
    outcome = at_once(sql.cast, *[opened] * 6)
    assert sum(isinstance(told, int) for told in outcome) == 1


def test_an_incident_goes_from_state_to_state_and_back_only_from_its_end(sql: Straight) -> None:
    opened(sql)
    for way in (["contained", "compensating", "closed", "opened"], ["contained", "closed", "opened"]):
        before = "opened"
        for to in way:
            for wrong in {"opened", "contained", "compensating", "closed"} - {to}:
                if (before, wrong) not in {("contained", "closed"), ("contained", "compensating")}:
                    with sql.refused(f"an incident does not go from {before} to {wrong}"):
                        tell(sql, "cem", state(wrong))
            tell(sql, "cem", state(to))
            before = to


def test_only_who_may_tells_of_an_incident(sql: Straight) -> None:
    opened(sql)
    for who in ("ada", "ben", "dai", "eva"):
        for says in (OPENED, TAKEN, state("contained"), RECOVERED):
            with sql.refused(f"{who} has no role"):
                tell(sql, who, says, "INC-3" if says is OPENED else INCIDENT)
    for says in (NOTE, REPORTED):
        for who in ("ada", "ben", "cem", "eva"):
            tell(sql, who, says)
        with sql.refused("dai has no role"):
            tell(sql, "dai", says)


NOT_SAID: list[dict[str, Any]] = [
    {"event": "closed"}, {}, {**NOTE, "more": "x"}, {"event": "note"}, {"event": "note", "text": ""}, {"event": "note", "text": 1},
    {"event": "note", "text": ["x"]}, {**OPENED, "cause": "bad luck"}, {**OPENED, "occurred_at": "2026-01-26"}, {**OPENED, "occurred_at": "2026-02-30T00:00:00Z"},
    {**OPENED, "occurred_at": "2026-01-26T00:00:00"}, {**OPENED, "found_at": "2999-01-26T00:00:00Z"}, {**OPENED, "found_at": "2020-01-26T00:00:00Z"},
    {**OPENED, "title": "two\nlines"}, {**TAKEN, "quantity": "0"}, {**TAKEN, "quantity": "-1"}, {**TAKEN, "quantity": "1.50"}, {**TAKEN, "quantity": 1},
    {**TAKEN, "quantity": "01"}, {**TAKEN, "storage": "pocket"}, {**TAKEN, "transactions": "ab"}, {**TAKEN, "transactions": [1]}, {**TAKEN, "value": "1e3"},
    {**TAKEN, "asset": "xem"}, {**TAKEN, "place": " hot"}, {**REPORTED, "to": "everybody"}, {**REPORTED, "document": "ab"}, {**RECOVERED, "reference": ""},
    state("stopped"),
]  # fmt: skip


def test_what_says_nothing_of_an_incident_is_refused(sql: Straight) -> None:
    opened(sql)
    for says in NOT_SAID:
        with sql.refused("this says nothing of an incident"):
            tell(sql, "cem", says, "INC-3" if says.get("event") == "opened" else INCIDENT)
    for name in ("", "a/b", "../up", "a:b", "事故", "x" * 65, "a b"):
        with sql.refused("this is no name of an incident"):
            opened(sql, name)
    for at in ("2999-01-01T00:00:00Z", "1999-01-01T00:00:00Z"):
        with sql.refused("this is not when it was"):
            tell(sql, "cem", NOTE, at=at)
    with sql.refused("this is not when it was"):
        tell(sql, "cem", OPENED, "INC-3", "2026-01-26T00:03:00+09:00")


def freeze(sql: Straight, who: str, asset: str = "JPY", incident: str | None = INCIDENT) -> int:
    actor = sql.cast.people[who]
    return int(sql.value("SELECT books.freeze_asset(%s, %s, %s, %s, 'why')", actor.name, actor.secret, asset, incident))


def thaw(sql: Straight, asset: str = "JPY") -> int:
    content = saying(action="asset_status", subject=asset, says={"status": "open"}, effective_at=None)
    return int(sql.decide("ben", sql.request("cem", f"thaw {uuid.uuid4()}", content)))


MOVES: dict[str, tuple[str, str, bool]] = {
    "deposit": ("outside/JPY/world", "customer/JPY/pool/c1", True),
    "withdrawal": ("customer/JPY/pool/c1", "outside/JPY/world", True),
    "trade": ("customer/JPY/pool/c1", "own/JPY/bank", True),
    "relocation": ("customer/JPY/pool/c1", "customer/JPY/pool/c2", True),
    "fee": ("customer/JPY/pool/c1", "own/JPY/bank", False),
    "fund": ("own/JPY/bank", "reserve/JPY/kaede", False),
    "income": ("outside/JPY/world", "own/JPY/bank", False),
}
"""Purpose → who pays whom, and whether that stands still while the asset is frozen."""


def test_a_frozen_asset_of_customers_stands_still_until_two_people_open_it_again(sql: Straight) -> None:
    opened(sql)
    cast = sql.cast
    cast.pay_in("customer/JPY/pool/c1", 100)

    def move(purpose: str, round_: str) -> Entries:
        payer, receiver, _ = MOVES[purpose]
        made = cast.batch(f"{purpose} {round_}", purpose, {payer: -1, receiver: 1}, reference="r")
        return Entries(made.key, made.content, made.entries.numbers, made.entries.amounts)

    number = sql.request_to_post("ada", "before", [move("deposit", "approved")])
    sql.decide("ben", number)
    freeze(sql, "cem")
    with sql.refused("is frozen already"):
        freeze(sql, "ada")
    for purpose, (_, _, stands) in MOVES.items():
        if stands:
            with sql.refused("the asset JPY is frozen"):
                sql.post("ada", move(purpose, "meanwhile"))
        else:
            sql.post("ada", move(purpose, "meanwhile"))
    with sql.refused("the asset JPY is frozen"):
        sql.post("ada", move("deposit", "approved"), number)
    assert verify(cast.books).difference is None
    thaw(sql)
    for purpose in MOVES:
        sql.post("ada", move(purpose, "after"))
    freeze(sql, "eva")
    assert verify(cast.books).difference is None


def test_another_asset_moves_while_one_is_frozen(sql: Straight) -> None:
    opened(sql)
    freeze(sql, "cem", "BTC")
    sql.cast.pay_in("customer/JPY/pool/c1", 1)
    with sql.refused("the asset BTC is frozen"):
        batch = sql.cast.batch("b", "deposit", {"outside/BTC/world": -1, "customer/BTC/pool/c1": 1}, reference="r")
        sql.post("ada", Entries("b", batch.content, batch.entries.numbers, batch.entries.amounts))


def test_an_asset_is_frozen_for_an_incident_by_who_may_and_opened_by_no_one_person(sql: Straight) -> None:
    opened(sql)
    for asset, incident in (("jpy", INCIDENT), ("", INCIDENT), ("JPY", "INC-9"), ("JPY", None)):
        with sql.refused("there is no such asset, or no incident"):
            freeze(sql, "cem", asset, incident)
    for who in ("ben", "dai"):
        with sql.refused("has no role that may freeze an asset"):
            freeze(sql, who)
    with sql.refused("there is no frozen asset JPY"):
        thaw(sql)
    freeze(sql, "ada")
    says = {"action": "asset_status", "subject": "JPY", "says": {"status": "open"}, "effective_at": None}
    for other in ({"says": {"status": "frozen"}}, {"says": {"status": "open", "more": "x"}}, {"subject": "BTC"}):
        with sql.refused("there is no frozen asset"):
            sql.request("cem", f"{other}", canonical(says | other))
    with sql.refused("holds from its approval"):
        sql.request("cem", "later", canonical(says | {"effective_at": "2026-01-01T00:00:00Z"}))
    first, second = (sql.request("cem", key, canonical(says)) for key in ("one", "two"))
    with sql.refused("nobody approves their own request"):
        sql.decide("cem", first)
    sql.decide("ben", first)
    with sql.refused("there is no frozen asset"):
        sql.decide("ben", second)


def test_whatever_is_posted_while_an_asset_is_frozen_and_opened_again_by_others_was_posted_outside_those_times(sql: Straight) -> None:  # fmt: skip
    opened(sql)
    [world, customer] = sql.cast.batch("x", "fee", {"outside/JPY/world": 0, "customer/JPY/pool/c1": 0}).entries.numbers[1:-1].split(",")  # fmt: skip

    def deposits(hand: int) -> Callable[[Straight], int]:
        def work(sql: Straight) -> int:
            done = 0
            for turn in range(25):
                batch = Entries(
                    f"{hand} {turn}", saying(purpose="deposit", reference="r"), f"{{{world},{customer}}}", "{-1,1}"
                )
                try:
                    sql.post("ada", batch)
                    done += 1
                except psycopg.Error as problem:
                    if "is frozen" not in str(problem):
                        raise
            return done

        return work

    def freezes(sql: Straight) -> int:
        for _ in range(5):
            freeze(sql, "cem")
            thaw(sql)
        return 0

    outcome = at_once(sql.cast, deposits(1), deposits(2), freezes)
    assert all(isinstance(told, int) for told in outcome), outcome
    assert verify(sql.cast.books).difference is None


FILED = {"act": "file", "asset": "JPY", "claims": "the rate is too low", "evidence": [sha256("letter")], "plan": ""}


def file(sql: Straight, who: str = "ada", account: str = "c:1", incident: str = INCIDENT, **other: Any) -> int:
    actor = sql.cast.people[who]
    return int(sql.value("SELECT books.file_dispute(%s, %s, %s, %s, 'why', %s)", actor.name, actor.secret, incident, account, canonical(FILED | other)))  # fmt: skip


def decision(filed: int, verdict: str = "upheld", adjustment: str = "10", account: str = "c:1", asset: str = "JPY") -> str:  # fmt: skip
    says = {"act": "decide", "adjustment": adjustment, "asset": asset, "filed": str(filed), "verdict": verdict}
    return saying(action="dispute", subject=f"{INCIDENT}:{account}", says=says, effective_at=None)


def test_a_dispute_is_filed_by_one_and_decided_once_by_two(sql: Straight) -> None:
    opened(sql)
    filed, other = file(sql), file(sql, "cem", account="c2")
    first, second = (sql.request("cem", key, decision(filed)) for key in ("one", "two"))
    with sql.refused("nobody approves their own request"):
        sql.decide("cem", first)
    sql.decide("ben", first)
    with sql.refused("is decided already"):
        sql.decide("ben", second)
    with sql.refused("is decided already"):
        sql.request("cem", "three", decision(filed, "rejected", "0"))
    sql.decide("ben", sql.request("cem", "other", decision(other, "rejected", "0", "c2")))
    assert verify(sql.cast.books).difference is None


def test_a_decision_of_nothing_that_was_filed_or_of_another_is_refused(sql: Straight) -> None:
    opened(sql)
    filed = file(sql)
    with sql.refused("ada has no role"):
        sql.request("ada", "by ada", decision(filed))
    for wrong in (decision(filed, account="c2"), decision(filed, asset="BTC"), decision(filed + 1), decision(1)):
        with sql.refused("no dispute of this customer about this asset is on record"):
            sql.request("cem", wrong, wrong)
    for verdict, adjustment in (("upheld", "0"), ("upheld", "-1"), ("rejected", "1"), ("upheld", "1.0"), ("agreed", "1"), ("upheld", "")):  # fmt: skip
        with sql.refused("this decides no dispute"):
            sql.request("cem", f"{verdict} {adjustment}", decision(filed, verdict, adjustment))


def test_what_is_no_dispute_is_refused(sql: Straight) -> None:
    opened(sql)
    with sql.refused("dai only reads"):
        file(sql, "dai")
    with sql.refused("there is no incident INC-9"):
        file(sql, incident="INC-9")
    for other in ({"act": "decide"}, {"more": "x"}, {"claims": ""}, {"claims": 1}, {"evidence": "x"}, {"evidence": ["x"]}, {"plan": "x"}, {"asset": ""}):  # fmt: skip
        with sql.refused("this is no dispute"):
            file(sql, **other)
    for account in ("", "two\nlines", "x" * 101):
        with sql.refused("this is no dispute"):
            file(sql, account=account)
