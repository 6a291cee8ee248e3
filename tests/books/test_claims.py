"""Claims in the books: only what was approved is owed, nobody is paid twice, and the money of claimants leaves with results alone."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from junbikin.books.backup import backup, restore
from junbikin.books.claims import acts, approved, plans_of, withdrawals
from junbikin.books.database import Books, open_books
from junbikin.books.journal import account_numbers, balance
from junbikin.books.proof.verify import verify
from junbikin.figures import plain
from junbikin.home import create_home

from . import plans
from .cast import ACCOUNTS, Cast, assembled
from .plans import INCIDENT, Plan, Sides, answer, canonical, literal, numbers, opened, payout, sha256
from .straight import Entries, Straight, at_once, straight

pytestmark = pytest.mark.parametrize("empty", ["own"], indirect=True)

CLAIMANTS = {asset: f"claimant/{asset}/pool/{INCIDENT}" for asset in ("JPY", "BTC")}
OTHERS = [
    "claimant/JPY/second/INC-1", "claimant/JPY/pool/INC-2", "customer/JPY/pool/c3", "customer/JPY/pool/c4", "customer/JPY/else/c2",
]  # fmt: skip
OWED: dict[str, Sequence[Decimal | int]] = {
    "JPY": [100, 250, 0, 33, 7, 1, 60, 0, 9, 40],
    "BTC": [Decimal("0.5"), Decimal("0.00000001"), 1, 0, 0, 2, Decimal("0.3"), 4, 5, 6],
}
"""Ten people; some are owed nothing of one asset."""


@dataclass(frozen=True)
class Scene:
    """Books with an incident, money to pay with, and the accounts by code."""

    sql: Straight
    accounts: dict[str, int]
    plan: Plan

    @property
    def payers(self) -> dict[str, int]:
        return {"JPY": self.accounts["reserve/JPY/kaede"], "BTC": self.accounts["guarantee/BTC/vault"]}

    @property
    def claimants(self) -> dict[str, int]:
        return {asset: self.accounts[code] for asset, code in CLAIMANTS.items()}

    def batch(self, plan: Plan | None = None) -> Entries:
        return (plan or self.plan).batch(self.payers, self.claimants)

    def approve(self, plan: Plan | None = None) -> int:
        return plans.approve(self.sql, self.batch(plan))

    def entitle(self, asset: str = "JPY", chunk: int = 1, **other: Any) -> int:
        return plans.entitle(self.sql, self.plan, asset, chunk, **other)

    def pay(self, which: Any, chunk: int = 1, asset: str = "JPY", **other: Any) -> int:
        return plans.pay(self.sql, self.plan, payout(self.plan, asset, chunk, which, **other))

    def sides(self, asset: str = "JPY", **other: Any) -> Sides:
        return Sides(self.claimants[asset], self.accounts[f"outside/{asset}/world"], **other)

    def settle(self, which: Any, chunk: int = 1, asset: str = "JPY", **other: Any) -> int:
        says = answer(self.plan, asset, chunk, which, **other)
        return plans.record(self.sql, self.plan, says, self.sides(asset).settling(says))

    def come_back(self, which: Any, late: Any = (), chunk: int = 1, **other: Any) -> int:
        """Some come back, of whom the late ones had counted as settled."""
        owed = self.plan.of("JPY", chunk)
        says = answer(self.plan, "JPY", chunk, (), {"1": which}, **other)
        return plans.record(self.sql, self.plan, says, self.sides(back=sum((owed[n] for n in late), Decimal(0))))

    def holds(self, code: str = CLAIMANTS["JPY"]) -> str:
        return plain(balance(self.sql.cast.books, self.accounts[code]))


@pytest.fixture
def scene(books: Books) -> Iterator[Scene]:
    """An incident, and reserve and guarantee assets to pay ten people four to a chunk."""
    codes = [*ACCOUNTS, *CLAIMANTS.values(), *OTHERS]
    cast = assembled(books, codes)
    cast.pay_in("reserve/JPY/kaede", 1000)
    cast.post("g", "guarantee", {"own/BTC/vault": -100, "guarantee/BTC/vault": 100})
    with straight(cast) as sql:
        opened(sql)
        yield Scene(sql, dict(zip(codes, account_numbers(books, codes), strict=True)), Plan(OWED, 4))


def test_a_plan_is_paid_to_the_last_unit_and_the_books_verify(scene: Scene) -> None:
    record = scene.approve()
    for asset in OWED:
        for chunk in scene.plan.chunks(asset):
            scene.entitle(asset, chunk)
            due = [number for number, amount in scene.plan.of(asset, chunk).items() if amount]
            scene.pay(due, chunk, asset)
            scene.settle(due[1:], chunk, asset)
            says = answer(scene.plan, asset, chunk, (), {"no such account": due[:1]})
            plans.record(scene.sql, scene.plan, says, scene.sides(asset))
            scene.pay(due[:1], chunk, asset, run=2, channel="custodian")
            scene.settle(due[:1], chunk, asset, run=2, channel="custodian")
    assert (scene.holds(), scene.holds(CLAIMANTS["BTC"]), scene.holds("reserve/JPY/kaede")) == ("0", "0", "500")
    books = scene.sql.cast.books
    assert verify(books).difference is None
    told = approved(books, scene.plan.digest)
    assert told is not None
    assert [told] == plans_of(books, INCIDENT)
    assert (told.record, told.plan, told.incident, told.asked_by, told.approved_by) == (
        record,
        scene.plan.digest,
        INCIDENT,
        "cem",
        "ben",
    )
    assert {asset: (at.number, at.code) for asset, at in told.claimants.items()} == {
        asset: (scene.claimants[asset], code) for asset, code in CLAIMANTS.items()
    }
    assert not told.reversed
    done = acts(books, scene.plan.digest)
    assert [(act.asset, act.chunk) for act in done] == [
        (asset, chunk) for asset in ("BTC", "JPY") for chunk in (1, 2, 3) for _ in range(6)
    ]
    kinds = ["entitlement", "payout", "payout_result", "payout_result", "payout", "payout_result"]
    assert [act.kind for act in done] == kinds * 6
    assert approved(books, sha256("none")) is None


def leg(plan: Plan, **other: Any) -> dict[str, Any]:
    first, second = plan.legs
    return {"legs": [first | other, second]}


def test_what_is_no_plan_is_not_approved(scene: Scene) -> None:
    plan = scene.plan
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("no plan of an incident", {"incident": "INC-9"}), ("no plan of an incident", {"permission": "granted"}), ("no plan of an incident", {"plan": "A" * 64}),
        ("needs its permission", {"permission": ""}), ("needs its plan", {"plan": ""}), ("pays nothing", {"legs": []}), ("pays nothing", {"legs": "all"}),
        ("not said as it must be", leg(plan, people="8")), ("not said as it must be", leg(plan, people=10)), ("not said as it must be", leg(plan, size="0")),
        ("not said as it must be", leg(plan, chunks=["x"] * 3)), ("not said as it must be", leg(plan, total="5e2")), ("not said as it must be", leg(plan, more="x")),
        ("is set apart", leg(plan, total="499")), ("is set apart", leg(plan, asset="BTC")), ("is set apart", leg(plan, asset="ETH")),
        ("is set apart", {"legs": plan.legs[:1]}),
    ]  # fmt: skip
    for words, says in wrong:
        with scene.sql.refused(words):
            scene.approve(replace(plan, says=says))
    with scene.sql.refused("no plan of an incident"):
        plans.approve(scene.sql, replace(scene.batch(), key="another key"))
    for code in OTHERS[:2]:
        batch = replace(plan, owed={"JPY": [5]}).batch(scene.payers, {"JPY": scene.accounts[code]})
        if code.endswith(INCIDENT):
            two = scene.claimants["JPY"], scene.accounts[code]
            batch = replace(batch, accounts=literal((scene.payers["JPY"], *two)), amounts="{-5,3,2}")
        with scene.sql.refused("is set apart"):
            plans.approve(scene.sql, batch)
    assert plan.legs[0]["total"] == "500"
    scene.approve()
    inline = {"key": plan.key, "content": plan.content}
    again = canonical({"action": "post", "batches": {plan.key: "0" * 64}, "inline": inline})
    with scene.sql.refused("was posted already"):
        scene.sql.request("cem", "again", again)


def test_no_two_plans_that_stand_make_the_same_people_good(scene: Scene) -> None:
    def plan(name: str, **says: str) -> Plan:
        return Plan({"JPY": [5]}, 3, name, says={"at": "2026-01-25T23:59:59+09:00"} | says)

    first = plan("first", affected="XEM", who="holders")
    record = scene.approve(first)
    with scene.sql.refused("they would be paid twice"):
        scene.approve(plan("second", affected="XEM", who="place"))
    scene.approve(plan("others", affected="XEM", who="accounts"))
    with scene.sql.refused("they would be paid twice"):
        scene.approve(plan("second", affected="XEM", who="place", at="2026-01-24T23:59:59+09:00"))
    scene.approve(plan("other asset", affected="BTC", who="holders"))
    scene.approve(plan("disputes", affected="XEM", who="disputes", disputes="7,9"))
    with scene.sql.refused("they would be paid twice"):
        scene.approve(plan("again", affected="XEM", who="disputes", disputes="9,11"))
    opened(scene.sql, "INC-2")
    claimants = {"JPY": scene.accounts["claimant/JPY/pool/INC-2"]}

    def elsewhere(name: str, **says: str) -> None:
        other = replace(plan(name, **says), incident="INC-2")
        plans.approve(scene.sql, other.batch(scene.payers, claimants))

    then = {"affected": "ETH", "who": "place", "at": "2026-03-31T23:59:59+09:00"}
    scene.approve(plan("as of then", **then))
    for same in ({}, {"at": "2026-03-31T14:59:59Z"}, {"who": "holders"}):
        with scene.sql.refused("they would be paid twice"):
            elsewhere("elsewhere", **then | same)
    with scene.sql.refused("they would be paid twice"):
        elsewhere("elsewhere", affected="XEM", who="disputes", disputes="9")
    for at in ("the last day", "2026-04-30T23:59:59", ""):
        with scene.sql.refused("this is no plan of an incident"):
            elsewhere("elsewhere", **then | {"at": at})
    elsewhere("another time", **then | {"at": "2026-04-30T23:59:59+09:00"})
    plans.undo(scene.sql, scene.batch(first), record)
    scene.approve(plan("second", affected="XEM", who="place"))
    assert verify(scene.sql.cast.books).difference is None


def test_a_plan_for_which_the_money_does_not_suffice_is_not_approved_and_nothing_of_it_is_paid(scene: Scene) -> None:
    plan = replace(scene.plan, owed={"JPY": [600, 401]})
    with scene.sql.refused("the account reserve/JPY/kaede holds 1000 JPY, 1001 is asked for"):
        scene.approve(plan)
    with scene.sql.refused("is not approved"):
        plans.entitle(scene.sql, plan, "JPY", 1)
    assert (scene.holds(), scene.holds("reserve/JPY/kaede")) == ("0", "1000")


def test_only_what_was_approved_is_owed_and_once(scene: Scene) -> None:
    with scene.sql.refused("is not approved"):
        scene.entitle()
    scene.approve()
    plan, (content, amounts) = scene.plan, scene.plan.entitlement("JPY", 1)
    altered: list[dict[str, Any]] = [
        {"amounts": "100,250,0,34"}, {"amounts": "100,250,33,0"}, {"amounts": "100,250,0,33.0"}, {"amounts": "100,250,0"}, {"content": content.replace('"1"', '"2"')},
        {"subject": plan.subject("JPY", 2)}, {"subject": plan.subject("JPY", 4)}, {"subject": plan.subject("BTC", 1)}, {"subject": plan.subject("ETH", 1)},
    ]  # fmt: skip
    for other in altered:
        with scene.sql.refused("this is not what was approved"):
            scene.entitle(**other)
    for subject in (
        "",
        plan.digest,
        f"{plan.digest}:JPY:0",
        f"{plan.digest}:JPY:01",
        f"{plan.digest[1:]}:JPY:1",
        f"{plan.digest}:jpy:1",
    ):
        with scene.sql.refused("these are no claims"):
            scene.entitle(subject=subject)
    for who in ("ben", "dai", "eva"):
        with scene.sql.refused("has no role that may pay claims"):
            plans.entitle(scene.sql, plan, "JPY", 1, who)
    assert plans.entitle(scene.sql, plan, "JPY", 1, "ada") == scene.entitle()
    with scene.sql.refused("is on record, with other content"):
        scene.entitle(amounts=amounts.replace("33", "34"))


def test_amounts_below_nothing_or_none_are_owed_to_nobody_even_when_approved(scene: Scene) -> None:
    impossible: list[list[Decimal | int]] = [[-1, 6], [Decimal("NaN"), 5], [5]]
    for place, owed in enumerate(impossible):
        plan = Plan({"JPY": owed}, 2, f"plan {place}")
        says, amounts = plan.entitlement("JPY", 1)
        says, amounts = (says.replace('"people":"1"', '"people":"2"'), "5,NULL") if len(owed) == 1 else (says, amounts)
        legs = [
            {
                "asset": "JPY",
                "total": "5",
                "people": "2",
                "size": "2",
                "chunks": [sha256(f"{says}\n{sha256(chr(10) + amounts)}")],
            }
        ]
        plan = replace(plan, says={"legs": legs})
        batch = Entries(plan.key, plan.content, literal((scene.payers["JPY"], scene.claimants["JPY"])), "{-5,5}")
        plans.approve(scene.sql, batch)
        with scene.sql.refused("these are not the claims of a chunk"):
            plans.entitle(scene.sql, plan, "JPY", 1, content=says, amounts=amounts)


def test_only_who_is_owed_something_is_paid_and_just_that(scene: Scene) -> None:
    scene.approve()
    with scene.sql.refused("put what they are owed on record first"):
        scene.pay([1])
    scene.entitle()
    for which in ([3], [1, 2, 3], [5], [4, 5], [0, 1]):
        with scene.sql.refused("not everybody of these is owed something"):
            scene.pay(which)
    miscounted: list[dict[str, Any]] = [
        {"total": "101"},
        {"total": "100.0"},
        {"total": ""},
        {"people": "2"},
        {"people": "01"},
    ]
    for other in miscounted:
        with scene.sql.refused("1 people who are owed 100 JPY"):
            scene.pay([1], **other)
    wrong: list[dict[str, Any]] = [
        {"run": 0}, {"run": 1000}, {"channel": "post"}, {"files": ["x"]}, {"files": "x"}, {"payees": "x"}, {"value_on": "tomorrow"}, {"value_on": ""}, {"more": "x"},
        {"people": 1}, {"people": ["1"]},
    ]  # fmt: skip
    for other in wrong:
        with scene.sql.refused("this is no payout"):
            scene.pay([1], **other)
    for text in (
        "",
        "{}x",
        "{[1,1)}",
        "{[1,2]}",
        "{[1,2),[2,3)}",
        "{[2,3),[1,2)}",
        "{[1,)}",
        "{(,2)}",
        "{ [1,2)}",
        "{[1,99999999999999999999)}",
        "[1,2)",
    ):
        with scene.sql.refused("these are no numbers of claims"):
            scene.pay([1], numbers=text)
    with scene.sql.refused("this is no payout"):
        scene.pay([], numbers="{}")
    with scene.sql.refused("has no role that may pay claims"):
        plans.pay(scene.sql, scene.plan, payout(scene.plan, "JPY", 1, [1]), "ben")
    scene.pay([1], value_on=None)


def test_nobody_is_sent_what_is_out_or_settled_and_who_came_back_is_sent_again(scene: Scene) -> None:
    scene.approve()
    scene.entitle()
    first = scene.pay([1, 2])
    assert scene.pay([1, 2]) == first
    with scene.sql.refused("this run sent other claims of the chunk by this channel"):
        scene.pay([4])
    for which in ([1], [2, 4]):
        with scene.sql.refused("is paid, or being paid, already"):
            scene.pay(which, run=2)
        with scene.sql.refused("is paid, or being paid, already"):
            scene.pay(which, channel="account")
    scene.settle([1])
    scene.come_back([2])
    with scene.sql.refused("number 1 is paid"):
        scene.pay([1, 2], run=2)
    scene.pay([2, 4], run=2)
    with scene.sql.refused("number 2 is paid"):
        scene.pay([2], run=3)


def test_a_result_is_of_what_was_sent_in_its_run_and_of_each_once(scene: Scene) -> None:
    scene.approve()
    scene.entitle()
    with scene.sql.refused("nothing was sent in run 1"):
        scene.settle([1])
    scene.pay([1, 2])
    with scene.sql.refused("number 4 is not being paid"):
        scene.settle([1, 4])
    first = scene.settle([1])
    assert scene.settle([1]) == first
    assert scene.holds() == "400"
    with scene.sql.refused("number 1 is not being paid"):
        scene.settle([1], source=sha256("again"))
    for run, channel in ((2, "zengin"), (1, "account")):
        with scene.sql.refused("nothing was sent"):
            scene.settle([2], run=run, channel=channel)
    scene.come_back([2])
    with scene.sql.refused("number 2 is not being paid"):
        scene.settle([2])
    scene.pay([2], run=2)
    with scene.sql.refused("number 2 is not being paid"):
        scene.come_back([2], source=sha256("again"))
    with scene.sql.refused("number 2 is not being paid"):
        scene.settle([2], source=sha256("again"))
    scene.settle([2], run=2)
    assert scene.holds() == "150"
    scene.come_back([1], late=[1], source=sha256("late"))
    assert scene.holds() == "250"
    with scene.sql.refused("number 1 is not being paid"):
        scene.come_back([1], late=[1], source=sha256("later"))
    scene.pay([1], run=3)
    assert verify(scene.sql.cast.books).difference is None


def test_what_is_no_result_is_refused(scene: Scene) -> None:
    scene.approve()
    scene.entitle()
    scene.pay([1, 2])
    says, settled = answer(scene.plan, "JPY", 1, [1]), scene.sides(settled=Decimal(100))
    wrong: list[dict[str, Any]] = [{"more": "x"}, {"source": "x"}, {"people": 1}, {"returned": []}, {"returned": {"1": ["{[2,3)}"]}}, {"returned": {"1": 2}}, {"run": ["1"]}]  # fmt: skip
    for other in wrong:
        with scene.sql.refused("this is no result of payouts"):
            plans.record(scene.sql, scene.plan, says | other, settled)
    for other in ({"chunk": "2"}, {"asset": "BTC"}):
        with scene.sql.refused("this is no result of payouts"):
            plans.record(scene.sql, scene.plan, says | other, settled, subject=scene.plan.subject("JPY", 1))
    uncounted: list[dict[str, Any]] = [{"people": "2"}, {"settled": "{}", "people": "0"}, {"returned": {"1": "{[1,2)}"}, "people": "2"}, {"returned": {"1": "{[2,3)}", "2": "{[2,3)}"}, "people": "3"}]  # fmt: skip
    for other in uncounted:
        with scene.sql.refused("a result is of"):
            plans.record(scene.sql, scene.plan, says | other, settled)
    for other in ({"settled_total": "99"}, {"returned_total": "1"}, {"settled_total": "100.0"}):
        with scene.sql.refused("settled are 100, returned 0 JPY"):
            plans.record(scene.sql, scene.plan, says | other, settled)
    with scene.sql.refused("this is not when it was"):
        plans.record(scene.sql, scene.plan, says, settled, at="2999-01-01T00:00:00Z")
    with scene.sql.refused("has no role that may pay claims"):
        plans.record(scene.sql, scene.plan, says, settled, "ben")


def test_the_entries_of_a_result_are_just_what_follows_from_it(scene: Scene) -> None:
    scene.approve()
    scene.entitle()
    scene.pay([1, 2])
    claimant, world, other = (
        scene.accounts[code] for code in (CLAIMANTS["JPY"], "outside/JPY/world", "claimant/JPY/second/INC-1")
    )
    own, c4, btc = (scene.accounts[code] for code in ("own/JPY/bank", "customer/JPY/pool/c4", "outside/BTC/world"))
    says = answer(scene.plan, "JPY", 1, [1])
    for sides in (
        Sides(claimant, world), Sides(claimant, world, Decimal(99)), Sides(claimant, own, Decimal(100)), Sides(claimant, c4, Decimal(100)),
        Sides(other, world, Decimal(100)), Sides(world, claimant, Decimal(100)), Sides(claimant, btc, Decimal(100)), Sides(claimant, world, Decimal(100), Decimal(1)),
        Sides(claimant, world, Decimal(-100)), Sides(claimant, claimant, Decimal(100)), Sides(claimant, 10**9, Decimal(100)),
    ):  # fmt: skip
        with scene.sql.refused():
            plans.record(scene.sql, scene.plan, says, sides)
    assert scene.holds() == "500"
    scene.pay([4], channel="account")
    credited = answer(scene.plan, "JPY", 1, [4], channel="account")
    with scene.sql.refused("customers' accounts the other side"):
        plans.record(scene.sql, scene.plan, credited, scene.sides(settled=Decimal(33)))
    plans.record(scene.sql, scene.plan, credited, Sides(claimant, c4, Decimal(33)))
    assert scene.holds("customer/JPY/pool/c4") == "33"
    assert verify(scene.sql.cast.books).difference is None


def test_a_credit_reaches_just_whom_the_plan_names(scene: Scene) -> None:
    scene.approve()
    scene.entitle()
    scene.pay([1, 2, 4], channel="account")
    claimant, (c1, c2, c3, c4) = (
        scene.claimants["JPY"],
        (scene.accounts[f"customer/JPY/pool/c{n}"] for n in (1, 2, 3, 4)),
    )
    elsewhere = scene.accounts["customer/JPY/else/c2"]
    says = answer(scene.plan, "JPY", 1, [1, 2], {"cannot be credited": [4]}, channel="account")

    def credited(amounts: dict[int, int], **other: Any) -> int:
        paid = {claimant: -sum(amounts.values())} | amounts
        return plans.result(scene.sql, scene.plan, says | other, {account: Decimal(paid[account]) for account in paid})

    right = {c1: 100, c2: 250}
    for wrong in (
        {c3: 350},
        {c1: 350},
        {c1: 250, c2: 100},
        {c1: 100, c4: 250},
        {c1: 100, elsewhere: 250},
        right | {c3: 1},
        {c1: 99, c2: 251},
    ):
        with scene.sql.refused():
            credited(wrong)
    with scene.sql.refused("reach others than the plan names"):
        credited({c3: 350})
    for ids in ("", "c1\nc2\nc3", "c2\nc1\nc3\nc4", "c1\nc2\nc3\nc4\n"):
        with scene.sql.refused("these are not the accounts that the plan names"):
            credited(right, ids=ids)
    del says["ids"]
    with scene.sql.refused("these are not the accounts that the plan names"):
        credited(right)
    with scene.sql.refused("this is no result"):
        scene.settle([1], channel="zengin", ids="c1\nc2\nc3\nc4")
    says["ids"] = scene.plan.ids("JPY", 1)
    credited(right)
    books = scene.sql.cast.books
    assert (scene.holds(), scene.holds("customer/JPY/pool/c2")) == ("150", "250")
    assert "ids" not in acts(books, scene.plan.digest)[-1].says
    late = answer(scene.plan, "JPY", 1, (), {"closed": [2]}, channel="account")
    with scene.sql.refused("reach others than the plan names"):
        plans.record(scene.sql, scene.plan, late, Sides(claimant, c1, back=Decimal(250)))
    plans.record(scene.sql, scene.plan, late, Sides(claimant, c2, back=Decimal(250)))
    scene.pay([2, 4], run=2)
    assert verify(books).difference is None


def test_what_two_people_withdrew_and_nothing_else_may_be_sent_again(scene: Scene) -> None:
    scene.approve()
    scene.entitle()
    scene.entitle(chunk=2)
    scene.pay([1, 2])
    scene.pay([5], chunk=2)
    scene.settle([1])

    def withdrawn(which: Any, chunk: int = 1, settled: Any = (), late: int = 0, **other: Any) -> int:
        says = answer(scene.plan, "JPY", chunk, settled, {"withdrawn": which} | other.pop("returned", {}), **other)
        return plans.record(scene.sql, scene.plan, says, scene.sides(back=Decimal(late)).settling(says))

    with scene.sql.refused("nobody approved that this is withdrawn"):
        withdrawn([2])
    unsent: list[dict[str, Any]] = [
        {"people": "4"},
        {"total": "358"},
        {"asset": "BTC"},
        {"channel": "custodian"},
        {"run": 2},
    ]
    for what in unsent:
        with scene.sql.refused("people were sent"):
            plans.withdraw(scene.sql, scene.plan, "more", **what)
    nothing: list[dict[str, Any]] = [
        {"people": "0"},
        {"total": "0"},
        {"total": "250.0"},
        {"channel": ""},
        {"more": "x"},
    ]
    for what in nothing:
        with scene.sql.refused("this withdraws no payments"):
            plans.withdraw(scene.sql, scene.plan, "none", **what)
    with scene.sql.refused("has no role that may ask for this"):
        scene.sql.request(
            "ada", "hers", canonical({"action": "withdrawal", "subject": f"{scene.plan.digest}:1", "says": {}})
        )
    request = plans.withdraw(scene.sql, scene.plan, "one")
    [approval] = withdrawals(scene.sql.cast.books, scene.plan.digest)
    assert (approval.request, approval.run, approval.asset, approval.people, approval.total) == (
        request,
        1,
        "JPY",
        1,
        Decimal(250),
    )
    source = approval.source
    assert source == sha256(str(request))
    with scene.sql.refused("nobody approved that this is withdrawn"):
        withdrawn([2])
    for which, other in (([1], {"late": 100}), ([1, 2], {"late": 100}), ([5], {"chunk": 2, "settled": [5]})):
        with scene.sql.refused():
            withdrawn(which, source=source, **other)
    with scene.sql.refused("did not come back for another reason"):
        withdrawn([], source=source, returned={"1": [2]})
    withdrawn([2], source=source)
    with scene.sql.refused("more is withdrawn than was approved: 1 people, 250 JPY"):
        withdrawn([5], chunk=2, source=source)
    with scene.sql.refused("number 2 is not being paid"):
        scene.settle([2])
    scene.pay([2], run=2)
    with scene.sql.refused("number 5 is paid, or being paid"):
        scene.pay([5], chunk=2, run=2)
    assert verify(scene.sql.cast.books).difference is None


def test_money_of_claimants_leaves_in_no_other_way(scene: Scene) -> None:
    record = scene.approve()
    scene.entitle()
    scene.pay([1, 2, 4])
    count = iter(range(1000))
    scene.settle([1])
    scene.come_back([2])
    keys = [
        key
        for (key,) in scene.sql.connection.execute(
            "SELECT key FROM books.records WHERE kind = 'payout_result' ORDER BY id"
        ).fetchall()
    ]
    claimant, world = scene.accounts[CLAIMANTS["JPY"]], scene.accounts["outside/JPY/world"]
    for purpose, amounts in (("payout", "{-5,5}"), ("payout_return", "{5,-5}")):
        for key in (*keys, "x"):
            says = canonical({"purpose": purpose, "result": key})
            for named in (f"{purpose}:{key}", f"{purpose}:x", "x"):
                batch = Entries(named, says, f"{{{claimant},{world}}}", amounts)
                with scene.sql.refused():
                    scene.sql.post("cem", batch)
                number = scene.sql.request_to_post("cem", f"ask {next(count)}", [batch])
                scene.sql.decide("ben", number)
                with scene.sql.refused():
                    scene.sql.post("cem", batch, number)
                inline = {
                    "key": named,
                    "effective_at": None,
                    "content": says,
                    "accounts": [str(claimant), str(world)],
                    "amounts": amounts[1:-1].split(","),
                }
                content = canonical({"action": "post", "batches": {named: scene.sql.digest(batch)}, "inline": inline})
                with scene.sql.refused():
                    scene.sql.decide("ben", scene.sql.request("cem", f"ask {next(count)}", content))
    with scene.sql.refused("2 people are paid, or being paid"):
        plans.undo(scene.sql, scene.batch(), record)
    number = scene.sql.value("SELECT id FROM books.records WHERE kind = 'batch' AND key = %s", f"payout:{keys[0]}")
    with scene.sql.refused("the flow rules do not allow outside → claimant"):
        plans.undo(scene.sql, Entries(f"payout:{keys[0]}", "", f"{{{claimant},{world}}}", "{-100,100}"), number)
    assert scene.holds() == "400"


def test_a_plan_is_undone_while_nothing_of_it_is_out_and_then_nothing_of_it_is_paid(scene: Scene) -> None:
    record = scene.approve()
    scene.entitle()
    scene.pay([1, 2])
    with scene.sql.refused("2 people are paid, or being paid, under this plan"):
        plans.undo(scene.sql, scene.batch(), record)
    scene.settle([1])
    scene.come_back([2])
    scene.come_back([1], late=[1])
    plans.undo(scene.sql, scene.batch(), record)
    assert (scene.holds(), scene.holds("reserve/JPY/kaede")) == ("0", "1000")
    with scene.sql.refused("was undone"):
        scene.entitle(chunk=2)
    with scene.sql.refused("was undone"):
        scene.pay([1], run=2)
    told = approved(scene.sql.cast.books, scene.plan.digest)
    assert told is not None
    assert told.reversed
    assert verify(scene.sql.cast.books).difference is None


def test_two_connections_pay_one_plan_and_whatever_both_try_happens_once(scene: Scene) -> None:
    plan = Plan({"JPY": [1 + number % 3 for number in range(120)]}, 10, "many")
    batch = plan.batch(scene.payers, scene.claimants)
    plans.approve(scene.sql, batch)

    def work(seed: int) -> Any:
        def one(sql: Straight) -> int:
            mixed = random.Random(seed)  # noqa: S311 - of a test
            for chunk in mixed.sample(plan.chunks("JPY"), len(plan.chunks("JPY"))):
                which = list(plan.of("JPY", chunk))
                plans.entitle(sql, plan, "JPY", chunk)
                plans.pay(sql, plan, payout(plan, "JPY", chunk, which))
                says = answer(plan, "JPY", chunk, which[1:], {"1": which[:1]})
                plans.record(sql, plan, says, scene.sides().settling(says))
            return 0

        return one

    assert at_once(scene.sql.cast, *(work(seed) for seed in range(3))) == [0, 0, 0]
    back = [plan.of("JPY", chunk)[(chunk - 1) * 10 + 1] for chunk in plan.chunks("JPY")]
    assert scene.holds() == plain(sum(back, Decimal(0)))
    assert len(acts(scene.sql.cast.books, plan.digest)) == 3 * len(plan.chunks("JPY"))
    assert verify(scene.sql.cast.books).difference is None


def test_of_many_who_send_the_same_in_different_runs_at_once_one_does(scene: Scene) -> None:
    scene.approve()
    scene.entitle()
    sendings = [payout(scene.plan, "JPY", 1, [1, 2], run=run) for run in range(1, 7)]
    outcome = at_once(scene.sql.cast, *(partial(plans.pay, plan=scene.plan, says=says) for says in sendings))
    assert sum(isinstance(told, int) for told in outcome) == 1
    assert all("already" in str(told) for told in outcome if not isinstance(told, int))


def test_who_undoes_a_plan_and_who_pays_it_at_once_do_not_both_succeed(scene: Scene) -> None:
    for turn in range(4):
        plan = Plan({"JPY": [5]}, 1, f"turn {turn}")
        batch = plan.batch(scene.payers, scene.claimants)
        record = plans.approve(scene.sql, batch)
        plans.entitle(scene.sql, plan, "JPY", 1)
        undoing = partial(plans.undo, batch=batch, record=record)
        paying = partial(plans.pay, plan=plan, says=payout(plan, "JPY", 1, [1]))
        outcome = at_once(scene.sql.cast, undoing, paying)
        assert sum(isinstance(told, int) for told in outcome) == 1, outcome
    assert verify(scene.sql.cast.books).difference is None


def test_claims_come_back_from_a_backup_and_go_on(scene: Scene, tmp_path: Path) -> None:
    scene.approve()
    scene.entitle()
    scene.pay([1, 2])
    scene.settle([1])
    actor = scene.sql.cast.cem
    scene.sql.value("SELECT books.freeze_asset(%s, %s, 'BTC', 'INC-1', 'why')", actor.name, actor.secret)
    backup(scene.sql.cast.books, tmp_path / "saved")
    home = create_home(tmp_path / "elsewhere", "Example")
    restore(home, tmp_path / "saved")
    with open_books(home) as books:
        assert verify(books).difference is None
        assert acts(books, scene.plan.digest) == acts(scene.sql.cast.books, scene.plan.digest)
        cast = Cast(books, scene.sql.cast.people)
        there = {
            "subject": scene.plan.subject("JPY", 1),
            "says": canonical(payout(scene.plan, "JPY", 1, [1, 4], run=2)),
        }
        with pytest.raises(Exception, match="number 1 is paid"):
            books.call("pay_out", cast.cem.name, cast.cem.secret, there["subject"], "why", there["says"])
        with pytest.raises(Exception, match="the asset BTC is frozen"):
            cast.post("b", "deposit", {"outside/BTC/world": -1, "customer/BTC/pool/c1": 1}, reference="r")


class Slow:
    """The plain meaning of it all: one person after the other, in Python."""

    def __init__(self, owed: dict[int, Decimal]) -> None:
        self.owed = owed
        self.state = dict.fromkeys(owed, "unpaid")
        self.run = dict.fromkeys(owed, 0)
        self.paid = Decimal(0)
        self.sent: dict[int, set[int]] = {}

    def pay(self, which: set[int], run: int) -> bool:
        if run in self.sent:
            return which == self.sent[run]
        if not which or not all(self.owed.get(n) and self.state[n] in ("unpaid", "returned") for n in which):
            return False
        self.sent[run] = which
        for number in which:
            self.state[number], self.run[number] = "out", run
        return True

    def answer(self, settled: set[int], returned: set[int], run: int) -> bool:
        if not (settled | returned) or settled & returned:
            return False
        if not all(self.run.get(n) == run and self.state[n] == "out" for n in settled):
            return False
        if not all(self.run.get(n) == run and self.state[n] in ("out", "settled") for n in returned):
            return False
        for number in settled:
            self.paid += self.owed[number]
            self.state[number] = "settled"
        for number in returned:
            if self.state[number] == "settled":
                self.paid -= self.owed[number]
            self.state[number] = "returned"
        return True


class Walk:
    """A random walk over what may be done with eight people's claims, most of it sensible, some of it not."""

    def __init__(self, scene: Scene, seed: int) -> None:
        self.scene, self.mixed = scene, random.Random(seed)  # noqa: S311 - of a test
        self.plan = Plan({"JPY": [5, 0, 7, 11, 13, 17, 19, 23]}, 8, f"walk {seed}")
        plans.approve(scene.sql, self.plan.batch(scene.payers, scene.claimants))
        plans.entitle(scene.sql, self.plan, "JPY", 1)
        self.slow = Slow(self.plan.of("JPY", 1))

    def some(self, of: set[int]) -> set[int]:
        """Part of these, and now and then somebody else."""
        part = {number for number in of if self.mixed.random() < 0.6}
        return part | ({self.mixed.randint(0, 9)} if self.mixed.random() < 0.1 else set())

    def among(self, *states: str, run: int = 0) -> set[int]:
        return {n for n, state in self.slow.state.items() if state in states and run in (0, self.slow.run[n])}

    def step(self) -> bool:
        """Does one thing, and tells whether it was let through: the books and Python must agree."""
        sql, run = self.scene.sql, self.mixed.choice([len(self.slow.sent) + 1] * 4 + [1])
        if self.mixed.random() < 0.5:
            which = self.some(self.among("unpaid", "returned"))
            says = payout(self.plan, "JPY", 1, which, run)
            expected = self.slow.pay(which, run)
            told = _accepted(sql, partial(plans.pay, sql, self.plan, says))
        else:
            run = self.mixed.choice(sorted(self.slow.sent) or [run])
            settled = self.some(self.among("out", run=run))
            back = self.some(self.among("out", "settled", run=run) - settled)
            late = sum((self.slow.owed[n] for n in back if self.slow.state.get(n) == "settled"), Decimal(0))
            says = answer(
                self.plan, "JPY", 1, settled, {"1": back} if back else {}, run, source=sha256(str(self.mixed.random()))
            )
            expected = self.slow.answer(settled, back, run)
            told = _accepted(
                sql, partial(plans.record, sql, self.plan, says, self.scene.sides(back=late).settling(says))
            )
        assert told == expected, (says, self.slow.state)
        return told


def test_random_payouts_results_and_late_returns_end_as_one_by_one_in_python(scene: Scene) -> None:
    let_through = 0
    for seed in range(30):
        with scene.sql.undone():
            walk = Walk(scene, seed)
            let_through += sum(walk.step() for _ in range(16))
            held = scene.sql.value("SELECT books.balance(%s)", scene.claimants["JPY"])
            assert held == walk.plan.total("JPY") - walk.slow.paid, seed
    assert let_through > 120
    walk = Walk(scene, 30)
    assert sum(walk.step() for _ in range(30)) > 8
    assert verify(scene.sql.cast.books).difference is None


def _accepted(sql: Straight, act: Any) -> bool:
    try:
        with sql.connection.transaction():
            act()
    except psycopg.Error as problem:
        assert problem.sqlstate == "JB001", problem  # noqa: PT017 - refused, and not broken
        return False
    return True


def test_a_result_takes_effect_when_the_bank_says_and_never_before_it_was_sent(scene: Scene) -> None:
    early = datetime.now(UTC)
    scene.approve()
    scene.entitle()
    scene.pay([1, 2, 4])
    at = datetime.now(UTC)
    says = answer(scene.plan, "JPY", 1, [1])
    with scene.sql.refused("this was before it was sent"):
        plans.record(scene.sql, scene.plan, says, scene.sides().settling(says), at=early)
    record = plans.record(scene.sql, scene.plan, says, scene.sides().settling(says), at=at)
    effective = "SELECT array_agg(DISTINCT effective_at) FROM books.records WHERE id = %s OR kind = 'batch' AND key LIKE 'payout:%%'"
    assert scene.sql.value(effective, record) == [at]
    assert numbers([1, 2, 4]) == "{[1,3),[4,5)}"
