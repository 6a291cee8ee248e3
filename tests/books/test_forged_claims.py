"""Verify names what was forged of incidents, frozen assets, disputes, plans and claims, though the whole chain was worked out again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from junbikin.books.database import Books
from junbikin.books.journal import account_numbers
from junbikin.books.proof.verify import verify

from . import plans
from .cast import ACCOUNTS, Cast, assembled
from .plans import INCIDENT, Plan, Sides, answer, canonical, opened, payout, tell
from .straight import Entries, Straight, saying, straight
from .tampering import TABLES, Owner, rechain, restored, unguarded

pytestmark = pytest.mark.parametrize("empty", ["own"], indirect=True)

PLAN = Plan({"JPY": [100, 250, 0, 33, 7]}, 3)
UNDONE = Plan({"JPY": [10]}, 3, "undone")
CLAIMANT = f"claimant/JPY/pool/{INCIDENT}"


@pytest.fixture
def cast(books: Books) -> Cast:
    """Everyone, on books with an incident from its opening to claims that were settled, came back late and were paid again."""
    cast = assembled(books, [*ACCOUNTS, CLAIMANT, "claimant/JPY/second/INC-1", "claimant/JPY/pool/INC-2"])
    cast.pay_in("reserve/JPY/kaede", 1000)
    cast.pay_in("customer/JPY/pool/c1", 100, key="in")
    cast.post("fee", "fee", {"customer/JPY/pool/c1": "-1", "own/JPY/bank": "1"}, reference="f")
    with straight(cast) as sql:
        told(sql)
        paid(sql)
    return cast


def told(sql: Straight) -> None:
    opened(sql)
    tell(sql, "ada", {"event": "note", "text": "seen"})
    tell(sql, "cem", {"event": "state", "to": "contained"})
    tell(sql, "cem", {"event": "state", "to": "compensating"})
    cem = sql.cast.cem
    sql.value("SELECT books.freeze_asset(%s, %s, 'JPY', 'INC-1', 'why')", cem.name, cem.secret)
    sql.cast.post("meanwhile", "fee", {"customer/JPY/pool/c1": "-1", "own/JPY/bank": "1"}, reference="m")
    sql.decide(
        "ben",
        sql.request(
            "cem", "thaw", saying(action="asset_status", subject="JPY", says={"status": "open"}, effective_at=None)
        ),
    )
    sql.cast.post("after", "withdrawal", {"customer/JPY/pool/c1": "-1", "outside/JPY/world": "1"}, reference="a")
    says = {"act": "file", "asset": "JPY", "claims": "more", "evidence": [], "plan": ""}
    filed = sql.value(
        "SELECT books.file_dispute(%s, %s, 'INC-1', 'c1', 'why', %s)", cem.name, cem.secret, canonical(says)
    )
    decided = {"act": "decide", "adjustment": "5", "asset": "JPY", "filed": str(filed), "verdict": "upheld"}
    sql.decide(
        "ben",
        sql.request("cem", "dispute", saying(action="dispute", subject="INC-1:c1", says=decided, effective_at=None)),
    )


def paid(sql: Straight) -> None:
    reserve, claimant, world = account_numbers(sql.cast.books, ["reserve/JPY/kaede", CLAIMANT, "outside/JPY/world"])
    plans.approve(sql, PLAN.batch({"JPY": reserve}, {"JPY": claimant}))
    sides = Sides(claimant, world)
    for chunk in PLAN.chunks("JPY"):
        plans.entitle(sql, PLAN, "JPY", chunk)
    plans.pay(sql, PLAN, payout(PLAN, "JPY", 1, [1, 2]))
    says = answer(PLAN, "JPY", 1, [1])
    plans.record(sql, PLAN, says, sides.settling(says))
    plans.record(
        sql, PLAN, answer(PLAN, "JPY", 1, (), {"no such account": [1, 2]}), Sides(claimant, world, back=Decimal(100))
    )
    plans.pay(sql, PLAN, payout(PLAN, "JPY", 1, [2], run=2))
    plans.pay(sql, PLAN, payout(PLAN, "JPY", 2, [4, 5]))
    plans.pay(sql, PLAN, payout(PLAN, "JPY", 1, [1], run=3))
    source = plans.sha256(str(plans.withdraw(sql, PLAN, "withdrawal", 3, total="100")))
    plans.record(sql, PLAN, answer(PLAN, "JPY", 1, (), {"withdrawn": [1]}, run=3, source=source), sides)
    plans.pay(sql, PLAN, payout(PLAN, "JPY", 1, [1], run=4, channel="account"))
    says = answer(PLAN, "JPY", 1, [1], run=4, channel="account")
    [c1] = account_numbers(sql.cast.books, ["customer/JPY/pool/c1"])
    plans.record(sql, PLAN, says, Sides(claimant, c1).settling(says))
    says = answer(PLAN, "JPY", 1, (), {"closed": [1]}, run=4, channel="account")
    plans.record(sql, PLAN, says, Sides(claimant, c1, back=Decimal(100)))
    batch = UNDONE.batch({"JPY": reserve}, {"JPY": claimant})
    record = plans.approve(sql, batch)
    plans.entitle(sql, UNDONE, "JPY", 1)
    plans.undo(sql, batch, record)


def where(condition: str, change: str) -> str:
    return f"UPDATE books.records SET {change} WHERE {condition}"


def says(condition: str, old: str, new: str) -> str:
    return where(condition, f"content = replace(content, '{old}', '{new}')")


EVENT = "kind = 'incident' AND content ~ "
FREEZE = "kind = 'asset_status' AND request IS NULL"
THAW = "kind = 'asset_status' AND request IS NOT NULL"
FIRST, SECOND, THIRD = (f"kind = 'payout' AND key ~ ':JPY:{tail}:zengin$'" for tail in ("1:1", "1:2", "2:1"))
SETTLED = (
    f"kind = 'payout_result' AND content ~ '{plans.SOURCE}' AND content ~ 'zengin' AND content !~ 'no such account'"
)
WITHDRAWAL = "kind = 'withdrawal'"
APPROVED = f"kind = 'batch' AND key = '{PLAN.key}'"
OWED = "kind = 'entitlement' AND key ~ ':JPY:2$'"
UNDOING = f"kind = 'batch' AND key = 'reversal:' || (SELECT id FROM books.records WHERE key = '{UNDONE.key}' AND kind = 'batch')"

INCIDENTS = {
    "an event before its incident": where(f"{EVENT}'cause'", "content = '{\"event\":\"note\",\"text\":\"x\"}'"),
    "an event of nothing": says(f"{EVENT}'note'", "note", "rumour"),
    "a state left out": says(f"{EVENT}'contained'", "contained", "closed"),
    "a state twice": says(f"{EVENT}'compensating'", "compensating", "contained"),
    "another incident": where(f"{EVENT}'note'", "subject = 'INC-9'"),
    "another time of its happening": where(f"{EVENT}'cause'", "effective_at = effective_at - interval '1 day'"),
    "an event of a request": where(f"{EVENT}'note'", "request = 1"),
    "an event ahead of its time": where(f"{EVENT}'note'", "effective_at = recorded_at + interval '1 day'"),
}  # fmt: skip
FROZEN = {
    "posted meanwhile": says("key = 'meanwhile'", "fee", "trade"),
    "opened twice": where(FREEZE, "subject = 'BTC'"),
}
DISPUTES = {
    "decided what was not filed": where("kind = 'dispute' AND request IS NULL", "content = replace(content, 'JPY', 'BTC')"),
    "of another customer": where("kind = 'dispute' AND request IS NULL", "subject = 'INC-1:c2'"),
}  # fmt: skip
APPROVALS = {
    "frozen for no incident": says(FREEZE, "INC-1", "INC-9"),
    "frozen as opened": says(FREEZE, '"frozen"', '"open"'),
    "opened by one": where(THAW, "request = NULL"),
    "withdrawn by one": where(WITHDRAWAL, "request = NULL"),
    "withdrawn of more": says(WITHDRAWAL, '"people": "1"', '"people": "9"'),
    "decided by one": where("kind = 'dispute' AND request IS NOT NULL", "request = NULL"),
    "a dispute filed as decided": says("kind = 'dispute' AND request IS NULL", '"file"', '"decide"'),
    "undone otherwise": where(UNDOING, "key = 'reversal:1'"),
    "a plan changed": says(APPROVED, '"permission":"exempt', '"permission":"confirmed'),
    "a plan without approval": where(APPROVED, "request = (SELECT id FROM books.records WHERE kind = 'request' AND subject = 'dispute')"),
}  # fmt: skip
ROLES = {
    "an event by who may not": where(f"{EVENT}'contained'", "recorded_by = 'ada'"),
    "a note by who only reads": where(f"{EVENT}'note'", "recorded_by = 'dai'"),
    "frozen by who may not": where(FREEZE, "recorded_by = 'ben'"),
    "filed by who only reads": where("kind = 'dispute' AND request IS NULL", "recorded_by = 'dai'"),
    "owed by who may not": where(OWED, "recorded_by = 'ben'"),
    "paid by who may not": where(FIRST, "recorded_by = 'eva'"),
    "answered by who may not": where(SETTLED, "recorded_by = 'dai'"),
}
CLAIMS = {
    "owed more": where(OWED, "amounts = '{34,7}'"),
    "owed less than it says": where(OWED, "amounts = '{33}'"),
    "owed by another count": says(OWED, '"people":"2"', '"people":"3"'),
    "owed to others": where(OWED, "content = regexp_replace(content, '\"accounts\":\"..', '\"accounts\":\"00')"),
    "owed with accounts": where(OWED, "accounts = '{1,2}'"),
    "owed by no plan": where(OWED, "subject = 'x' || subject, key = 'x' || key"),
    "owed in a chunk that is none": where(OWED, "subject = subject || '0', key = key || '0'"),
    "owed under another key": where(OWED, "key = key || 'x'"),
    "paid somebody owed nothing": says(FIRST, '{[1,3)}', '{[1,4)}'),
    "paid another total": says(FIRST, '"total":"350"', '"total":"351"'),
    "paid other people": says(FIRST, '"people":"2"', '"people":"3"'),
    "paid twice": says(SECOND, '"numbers":"{[2,3)}"', '"numbers":"{[1,3)}"'),
    "paid by another run than its key": says(SECOND, '"run":"2"', '"run":"3"'),
    "paid in another asset": says(THIRD, '"asset":"JPY"', '"asset":"BTC"'),
    "settled what was not sent": says(SETTLED, '{[1,2)}', '{[3,4)}'),
    "settled more": says(SETTLED, '"settled_total":"100"', '"settled_total":"99"'),
    "another source": says(SETTLED, "5" * 64, "6" * 64),
    "settled before it was sent": where(SETTLED, "effective_at = effective_at - interval '1 day'"),
    "a payout by another": where("kind = 'batch' AND key ~ '^payout:'", "recorded_by = 'ada'"),
    "a payout of another result": where("kind = 'batch' AND key ~ '^payout:'", "key = key || 'x'"),
    "a return of another result": where("kind = 'batch' AND key ~ '^payout_return:'", "key = key || 'x'"),
    "a payout that says more": says("kind = 'batch' AND key ~ '^payout:'", '"purpose":"payout"', '"more":"x","purpose":"payout"'),
}  # fmt: skip
KINDS = {
    "incident": INCIDENTS,
    "frozen": FROZEN,
    "dispute": DISPUTES,
    "approval": APPROVALS,
    "role": ROLES,
    "claim": CLAIMS,
}


def test_what_was_forged_is_named(cast: Cast, owner: Owner, subtests: pytest.Subtests) -> None:
    assert verify(cast.books).difference is None
    for kind, what, statement in (
        (kind, *forgery) for kind, forgeries in KINDS.items() for forgery in forgeries.items()
    ):
        with subtests.test(what), restored(owner):
            with unguarded(owner, *TABLES):
                assert owner.execute(statement.encode()).rowcount > 0
                rechain(owner)
            difference = verify(cast.books).difference
            assert difference is not None
            assert difference.kind == kind, difference.sentence
    assert verify(cast.books).difference is None


PASSES = {
    "check_plan": "", "check_undone": "", "refuse_payout": "", "check_result": "", "check_result_entries": "", "check_dispute": "",
    "check_credited": "", "check_withdrawn": "",
    "taken_numbers": "RETURN '{}';", "is_frozen": "RETURN false;", "state_of": "RETURN 'opened';",
}  # fmt: skip
"""Checks of the books, and what stands in their place so that everything passes."""


@contextmanager
def replaced(owner: Owner, *checks: str) -> Iterator[None]:
    """The books with checks that let everything pass; afterwards they are as before."""
    there = {}
    for check in checks:
        row = owner.execute("SELECT pg_get_functiondef(to_regproc(%s))", (f"books.{check}",)).fetchone()
        assert row is not None
        there[check] = row[0]
        head, body, end = row[0].split("$function$")
        assert body
        owner.execute(f"{head}$function$ BEGIN {PASSES[check]} END $function${end}".encode())
    yield
    for check in checks:
        owner.execute(there[check].encode())


@pytest.fixture
def accounts(cast: Cast) -> dict[str, int]:
    codes = ["reserve/JPY/kaede", CLAIMANT, "outside/JPY/world", "claimant/JPY/second/INC-1", "claimant/JPY/pool/INC-2", "customer/JPY/pool/c1", "customer/JPY/pool/c2"]  # fmt: skip
    return dict(zip(codes, account_numbers(cast.books, codes), strict=True))


def test_what_passed_because_a_check_was_replaced_is_named(
    cast: Cast, owner: Owner, accounts: dict[str, int], subtests: pytest.Subtests
) -> None:
    reserve, claimant, world, second = list(accounts.values())[:4]

    def approved(plan: Plan, account: int = claimant) -> Callable[[Straight], object]:
        return lambda sql: plans.approve(sql, plan.batch({"JPY": reserve}, {"JPY": account}))

    def twice(sql: Straight) -> None:
        for name in ("holders", "their place"):
            whom = {"affected": "XEM", "who": name.split()[-1], "at": "2026-01-25T23:59:59+09:00"}
            approved(Plan({"JPY": [5]}, 3, name, says=whom))(sql)

    def over_incidents(sql: Straight) -> None:
        opened(sql, "INC-2")
        whom = {"affected": "XEM", "who": "holders"}
        approved(Plan({"JPY": [5]}, 3, "as of then", says=whom | {"at": "2026-03-31T23:59:59+09:00"}))(sql)
        other = Plan({"JPY": [5]}, 3, "elsewhere", "INC-2", whom | {"at": "2026-03-31T14:59:59Z"})
        approved(other, accounts["claimant/JPY/pool/INC-2"])(sql)

    def credited(who: str, **other: Any) -> Callable[[Straight], object]:
        says = answer(PLAN, "JPY", 1, [1], run=5, channel="account", **other)

        def credit(sql: Straight) -> None:
            plans.pay(sql, PLAN, payout(PLAN, "JPY", 1, [1], run=5, channel="account"))
            plans.record(sql, PLAN, says, Sides(claimant, accounts[who]).settling(says))

        return credit

    def withdrawn(people: str, total: str, run: int = 1, of: str = "") -> Callable[[Straight], object]:
        def withdraw(sql: Straight) -> None:
            request = plans.withdraw(sql, PLAN, "another", run, people=people, total=total)
            source = plans.sha256(of or str(request))
            says = answer(PLAN, "JPY", 2, (), {"withdrawn": [4, 5]}, source=source)
            plans.record(sql, PLAN, says, Sides(claimant, world))

        return withdraw

    def undone(sql: Straight) -> None:
        batch = PLAN.batch({"JPY": reserve}, {"JPY": claimant})
        plans.undo(sql, batch, sql.value("SELECT id FROM books.records WHERE kind = 'batch' AND key = %s", PLAN.key))

    def out(key: str) -> Callable[[Straight], object]:
        content = canonical({"purpose": "payout", "result": key.removeprefix("payout:")})
        return lambda sql: sql.post("cem", Entries(key, content, f"{{{claimant},{world}}}", "{-5,5}"))

    def answered(sides: Sides) -> Callable[[Straight], object]:
        return lambda sql: plans.record(sql, PLAN, answer(PLAN, "JPY", 2, [5]), sides)

    def from_another_account(sql: Straight) -> None:
        plans.approve(sql, Plan({"JPY": [50]}, 3, "second").batch({"JPY": reserve}, {"JPY": second}))
        answered(Sides(second, world, Decimal(7)))(sql)

    def traded(sql: Straight) -> None:
        sql.value("SELECT books.freeze_asset('cem', %s, 'JPY', 'INC-1', 'why')", sql.cast.cem.secret)
        cast.post("t", "trade", {"customer/JPY/pool/c1": -1, "own/JPY/bank": 1}, reference="r")

    def decided(sql: Straight) -> None:
        filed = sql.value("SELECT id FROM books.records WHERE kind = 'dispute' AND request IS NULL")
        says = {"act": "decide", "adjustment": "5", "asset": "JPY", "filed": str(filed), "verdict": "upheld"}
        sql.decide("ben", sql.request("cem", "twice", saying(action="dispute", subject="INC-1:c1", says=says, effective_at=None)))  # fmt: skip

    name = "another"
    legs = PLAN.legs[0] | {"total": "389"}
    acts: list[tuple[str, str, Callable[[Straight], object]]] = [
        ("check_plan", "plan", approved(replace(PLAN, name=name, incident="INC-9"))),
        ("check_plan", "plan", approved(replace(PLAN, name=name, says={"permission": "nobody"}))),
        ("check_plan", "plan", approved(replace(PLAN, name=name, says={"legs": [legs]}))),
        ("check_plan", "plan", approved(replace(PLAN, name=name, says={"legs": [PLAN.legs[0], PLAN.legs[0]]}))),
        ("check_plan", "plan", approved(replace(PLAN, name=name, says={"legs": [PLAN.legs[0] | {"chunks": []}]}))),
        ("check_plan", "plan", twice),
        ("check_plan", "plan", over_incidents),
        ("check_plan", "plan", approved(replace(PLAN, name=name, says={"affected": "XEM", "who": "place"}))),
        ("check_credited", "claim", credited("customer/JPY/pool/c2")),
        ("check_credited", "claim", credited("customer/JPY/pool/c1", ids="c1")),
        ("check_credited", "claim", credited("customer/JPY/pool/c1", ids="c1\nc3\nc2")),
        ("check_withdrawn", "claim", withdrawn("1", "33")),
        ("check_withdrawn", "claim", withdrawn("2", "33")),
        ("check_withdrawn", "claim", withdrawn("1", "40", run=3)),
        ("check_withdrawn", "claim", withdrawn("2", "40", of="none")),
        ("check_undone", "claim", undone),
        ("refuse_payout check_result", "claim", out("payout:" + "x" * 64)),
        ("check_result_entries", "claim", answered(Sides(claimant, world, Decimal(6)))),
        ("check_result_entries", "claim", answered(Sides(claimant, world))),
        ("check_result_entries", "claim", from_another_account),
        ("check_result_entries", "claim", answered(Sides(claimant, world, Decimal(7), Decimal(1)))),
        ("taken_numbers", "claim", lambda sql: plans.pay(sql, PLAN, payout(PLAN, "JPY", 1, [1, 2], run=6))),
        ("is_frozen", "frozen", traded),
        ("check_dispute", "dispute", decided),
        ("state_of", "incident", lambda sql: tell(sql, "cem", {"event": "state", "to": "contained"})),
    ]  # fmt: skip
    for checks, kind, act in acts:
        with subtests.test(f"{checks} {kind}"), restored(owner):
            with replaced(owner, *checks.split()), straight(cast) as sql:
                act(sql)
            difference = verify(cast.books).difference
            assert difference is not None
            assert difference.kind == kind, difference.sentence
    assert verify(cast.books).difference is None
