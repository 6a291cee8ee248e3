"""Two people: what one asks for takes effect when another with the right role approves it, as it was asked, once.

One human who has two names is beyond what a database can see: whoever adds people must know whom they add.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import psycopg
import pytest

from junbikin.books.database import Books
from junbikin.books.journal import account_numbers
from junbikin.registry import people
from junbikin.registry.requests import ask_to_record, decide

from .cast import PASSWORD, PLACE, Cast, assembled
from .straight import Entries, Straight, at_once, saying, straight


@pytest.fixture
def sql(books: Books) -> Iterator[Straight]:
    """The application's role on books whose reserve holds 100."""
    cast = assembled(books)
    cast.pay_in("reserve/JPY/kaede", 100)
    with straight(cast) as sql:
        yield sql


def move(sql: Straight, key: str = "move", amount: str = "20") -> Entries:
    """Reserve assets change their place: it needs an approver."""
    kaede, minato = account_numbers(sql.cast.books, ["reserve/JPY/kaede", "reserve/JPY/minato"])
    return Entries(key, saying(purpose="relocation", reference="r"), f"{{{kaede},{minato}}}", f"{{-{amount},{amount}}}")


def moved(sql: Straight) -> int:
    """What has come to the other place."""
    [minato] = account_numbers(sql.cast.books, ["reserve/JPY/minato"])
    return int(sql.value("SELECT books.balance(%s)", minato))


def change(cast: Cast, name: str, roles: list[str], *, active: bool = True) -> None:
    """Ada asks that a person be put on record anew, with the same password, and Fay approves."""
    if "fay" not in cast.people:
        says = people.described(people.card("fay", PASSWORD), ["approver"])
        decide(
            cast.books, cast.ben, ask_to_record(cast.books, cast.ada, "person", "fay", says, "joins"), "approve", "yes"
        )
        cast.people["fay"] = people.actor(cast.books, "fay", PASSWORD)
    says = people.described(people.card(name, PASSWORD), roles, active=active)
    decide(cast.books, cast.fay, ask_to_record(cast.books, cast.ada, "person", name, says, "changes"), "approve", "yes")
    cast.people[name] = people.actor(cast.books, name, PASSWORD)


def test_nobody_decides_what_they_asked_for_except_to_withdraw_it(sql: Straight) -> None:
    place = saying(action="place", subject="new", says=PLACE, effective_at=None)
    for content in (place, saying(action="post", batches={"move": sql.digest(move(sql))})):
        for asker in ("ada", "ben") if '"post"' in content else ("ada",):
            number = sql.request(asker, content[:100] + asker, content)
            with sql.refused("nobody approves their own request"):
                sql.decide(asker, number)
            for verdict in (None, "", "APPROVE", "approved"):
                with sql.refused("a verdict is approve or refuse"):
                    sql.decide(asker, number, verdict)
            sql.decide(asker, number, "refuse")
    assert sql.value("SELECT count(*) FROM books.records WHERE kind = 'place' AND subject = 'new'") == 0


def test_only_an_approver_decides_and_only_the_roles_named_ask(sql: Straight) -> None:
    place = saying(action="place", subject="new", says=PLACE, effective_at=None)
    for asker in ("ben", "cem", "dai", "eva"):
        with sql.refused("no role that may ask for this"):
            sql.request(asker, "k", place)
    with sql.refused("only reads"):
        sql.request("dai", "k", saying(action="post", batches={}))
    for content in (place, saying(action="post", batches={})):
        number = sql.request("ada", content[:80], content)
        for decider, verdict in product(("cem", "dai", "eva"), ("approve", "refuse")):
            with sql.refused("only reads" if decider == "dai" else "no role that may decide this"):
                sql.decide(decider, number, verdict)


def test_who_only_reads_does_nothing_else(sql: Straight) -> None:
    dai, batch = sql.cast.people["dai"], move(sql)
    number = sql.request_to_post("ada", "k", [batch])
    sql.decide("ben", number)
    with sql.refused("only reads"):
        sql.post("dai", batch, number)
    for zero in ("{0,0}", "{-1,1}"):
        with sql.refused():
            sql.post("dai", replace(batch, amounts=zero, content=saying(purpose="top_up")))
    with sql.refused("only reads"):
        sql.value("SELECT books.open_accounts(%s, %s, 'why', '[]')", dai.name, dai.secret)
    with sql.refused("no role that may freeze"):
        sql.value("SELECT books.freeze(%s, %s, 'own/JPY/bank', 'why')", dai.name, dai.secret)


def test_an_unknown_name_and_a_wrong_password_are_told_in_the_same_words(sql: Straight) -> None:
    ada, told = sql.cast.people["ada"], set()
    for name, secret in (
        (ada.name, b"x" * 32),
        ("nobody", ada.secret),
        (ada.name, b""),
        (ada.name, None),
        (None, None),
        ("ADA", ada.secret),
    ):
        with pytest.raises(psycopg.Error) as problem:
            sql.value("SELECT books.freeze(%s, %s, 'own/JPY/bank', 'why')", name, secret)
        told.add((problem.value.sqlstate, problem.value.diag.message_primary))
    assert told == {("JB001", "no such person, or another password")}


def test_a_person_who_was_deactivated_acts_no_more_and_what_they_asked_for_is_not_done(sql: Straight) -> None:
    cast = sql.cast
    place = sql.request("ada", "p", saying(action="place", subject="new", says=PLACE, effective_at=None))
    batch = move(sql)
    number = sql.request_to_post("ada", "k", [batch])
    sql.decide("ben", number)
    change(cast, "gus", ["reserve_officer"])
    for name in ("ada", "ben"):
        says = people.described(people.card(name, PASSWORD), ["reserve_officer"], active=False)
        decide(
            cast.books,
            cast.fay,
            ask_to_record(cast.books, cast.people["gus"], "person", name, says, "leaves"),
            "approve",
            "yes",
        )
        cast.people[name] = people.actor(cast.books, name, PASSWORD)
    with sql.refused("ada is no longer active"):
        sql.post("ada", batch, number)
    with sql.refused("ada has no role that may make this"):
        sql.post("gus", batch, number)
    with sql.refused("ada has no longer a role"):
        sql.decide("fay", place)


def test_an_approval_is_for_one_key_one_content_and_one_time(sql: Straight) -> None:
    now, later = sql.value("SELECT ARRAY[now(), now() + interval '1 microsecond']::text[]")
    batch = replace(move(sql), effective_at=now)
    number = sql.request_to_post("ada", "k", [batch])
    with sql.refused("needs the approval of a second person"):
        sql.post("ada", batch, number)
    sql.decide("ben", number)
    accounts = batch.accounts[1:-1].split(",")
    for other in (
        {"key": "other"},
        {"content": saying(purpose="relocation", reference="s")},
        {"effective_at": later},
        {"effective_at": None},
        {"amounts": "{-21,21}"},
        {"amounts": "{-20.0,20.0}"},
        {"accounts": f"{{{accounts[1]},{accounts[0]}}}", "amounts": "{20,-20}"},
    ):
        with sql.refused("this is not what was approved"):
            sql.post("ada", replace(batch, **other), number)
    for unknown in (0, -1, 10**12):
        with sql.refused():
            sql.post("ada", batch, unknown)
    record = sql.post("ada", batch, number)
    assert sql.post("ada", batch, number) == record
    assert moved(sql) == 20


def test_a_request_for_several_batches_is_posted_in_parts_each_once_by_whoever_acts(sql: Straight) -> None:
    parts = [move(sql, f"part {n}", str(n)) for n in (1, 2, 3)]
    number = sql.request_to_post("ada", "all", parts)
    assert sql.decide("ben", number) is None
    records = [sql.post("cem", part, number) for part in (*parts, *parts)]
    assert records[:3] == records[3:]
    assert moved(sql) == 6
    who = sql.value(
        "SELECT array_agg(DISTINCT recorded_by) FROM books.records WHERE request = %s AND kind = 'batch'", number
    )
    assert who == ["cem"]


def test_a_request_is_decided_once_also_by_two_at_the_same_instant(sql: Straight) -> None:
    cast = sql.cast
    change(cast, "gus", ["approver"])
    batch = move(sql, amount="10")
    inline = {
        "key": "move",
        "effective_at": None,
        "content": batch.content,
        "accounts": batch.accounts[1:-1].split(","),
        "amounts": ["-10", "10"],
    }
    for turn in range(6):
        key = f"move {turn}"
        inline["key"] = key
        digest = sql.digest(replace(batch, key=key))
        number = sql.request("ada", key, saying(action="post", batches={key: digest}, inline=inline))
        verdicts = ("approve", "refuse") if turn % 3 == 2 else ("approve", "approve")
        before = moved(sql)
        outcome = at_once(
            cast,
            *(
                lambda s, w=who, v=verdict, n=number: s.decide(w, n, v)
                for who, verdict in zip(("ben", "gus"), verdicts, strict=True)
            ),
        )
        lost = [told for told in outcome if isinstance(told, psycopg.Error)]
        assert [problem.sqlstate for problem in lost] == ["JB001"]
        assert "was decided already" in str(lost[0])
        approved = (
            sql.value(
                "SELECT content::jsonb->>'verdict' FROM books.records WHERE kind = 'decision' AND key = %s", str(number)
            )
            == "approve"
        )
        assert moved(sql) - before == (10 if approved else 0)
    for verdict in ("approve", "refuse"):
        with sql.refused("was decided already"):
            sql.decide("ben", number, verdict)


def test_an_approver_who_lost_the_role_neither_decides_nor_counts(sql: Straight) -> None:
    early, late = move(sql, "early"), move(sql, "late")
    approved = sql.request_to_post("ada", "early", [early])
    sql.decide("ben", approved)
    waiting = sql.request_to_post("ada", "late", [late])
    change(sql.cast, "ben", ["incident_commander"])
    with sql.refused("ben has no role that may decide this"):
        sql.decide("ben", waiting)
    with sql.refused("ben has no role that may approve this"):
        sql.post("ada", early, approved)
    sql.decide("fay", waiting)
    assert sql.post("ada", late, waiting)
