"""Verify names what nobody might have done: records without their approval, people without the role, statements left out."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from junbikin.books.database import Books
from junbikin.books.journal import post
from junbikin.books.proof.eras import UNDER_WAY
from junbikin.books.proof.verify import verify
from junbikin.registry import people
from junbikin.registry.requests import ask_to_post, ask_to_record, decide

from .cast import Cast, assembled
from .tampering import TABLES, Owner, rechain, restored, unguarded


@pytest.fixture
def cast(books: Books) -> Cast:
    """Everyone, on books with a request of every kind, refusals, people who changed, releases, and a batch posted in parts."""
    cast = assembled(books)
    cast.pay_in("reserve/JPY/kaede", 500, key="fund")
    cast.pay_in("customer/JPY/pool/c1", 100, key="in")
    for action in ("provider", "insurer", "policy"):
        recorded(cast, action, f"a {action}", {"limit": "100"})
    cast.books.call("freeze", "cem", cast.cem.secret, "insurer/JPY/policy-1", "asked")
    recorded(cast, "account_status", "insurer/JPY/policy-1", {"status": "open"})
    people.change_password(books, cast.ada, "another password of hers", "due")
    cast.people["ada"] = people.actor(books, "ada", "another password of hers")
    recorded(cast, "person", "eva", {"name": "eva", "roles": ["administrator", "approver"], "active": True})
    position(cast, "p" * 64, "100")
    release(cast, "release", 60)
    moved = cast.batch("moved", "relocation", {"reserve/JPY/kaede": -20, "reserve/JPY/minato": 20}, reference="r")
    number = ask_to_post(books, cast.ada, moved)
    decide(books, cast.eva, number, "approve", "yes")
    decide(books, cast.ada, ask_to_record(books, cast.ada, "place", "vault", {"kind": "wallet"}, "wrong"), "refuse", "my mistake")  # fmt: skip
    parts(cast)
    return cast


def recorded(cast: Cast, action: str, subject: str, says: dict[str, Any]) -> None:
    number = ask_to_record(cast.books, cast.ada, action, subject, says, "needed")
    decide(cast.books, cast.ben, number, "approve", "seen")


def position(cast: Cast, digest: str, excess: str) -> None:
    says = json.dumps({"currency": "JPY", "digest": digest, "excess": excess, "year_end": True}, separators=(",", ":"))
    cast.books.call("put_on_record", "position", "rulebook", datetime(2026, 3, 31, 14, 59, 59, tzinfo=UTC), says)


def release(cast: Cast, key: str, amount: int) -> None:
    entries = {"reserve/JPY/kaede": -amount, "own/JPY/bank": amount}
    cast.approved(key, "release", entries, position="p" * 64, authority="letter")


def parts(cast: Cast) -> None:
    """One request for two batches: the first is posted by Cem before Ada has another role, the second is never posted."""
    batches = [cast.batch(f"part {n}", "relocation", {"reserve/JPY/kaede": -n, "reserve/JPY/minato": n}, reference="r") for n in (1, 2)]  # fmt: skip
    digests = {
        b.key: cast.books.call("batch_digest_hex", b.key, None, b.content, b.entries.numbers, b.entries.amounts)
        for b in batches
    }
    content = json.dumps({"action": "post", "batches": digests}, separators=(",", ":"))
    number = int(cast.books.call("request", "ada", cast.ada.secret, "parts", "why", content))
    decide(cast.books, cast.ben, number, "approve", "yes")
    post(cast.books, cast.cem, batches[0], number)


def test_books_with_requests_of_every_kind_and_people_who_changed_hold(cast: Cast) -> None:
    assert verify(cast.books).difference is None
    recorded(cast, "person", "cem", {"name": "cem", "roles": ["approver"], "active": True})
    says = {"name": "ada", "roles": ["reserve_officer"], "active": False}
    number = ask_to_record(cast.books, cast.ben, "person", "ada", says, "leaves")
    decide(cast.books, cast.cem, number, "approve", "yes")
    assert verify(cast.books).difference is None


RECORD = "kind = 'policy'"
NOT_APPROVED = {
    "no request": f"UPDATE books.records SET request = NULL WHERE {RECORD}",
    "another content": f"UPDATE books.records SET content = replace(content, '100', '999') WHERE {RECORD}",
    "another subject": f"UPDATE books.records SET subject = 'other' WHERE {RECORD}",
    "another time": f"UPDATE books.records SET effective_at = effective_at - interval '1 day' WHERE {RECORD}",
    "another kind": f"UPDATE books.records SET kind = 'insurer' WHERE {RECORD}",
    "another who asked": f"UPDATE books.records SET recorded_by = 'cem' WHERE {RECORD}",
    "a request used twice": f"UPDATE books.records SET key = key || 'x' WHERE {RECORD}",
    "a place without": "UPDATE books.records SET request = NULL WHERE kind = 'place' AND subject = 'vault'",
    "a role more": "UPDATE books.records SET content = replace(content, '\"administrator\"', '\"incident_commander\"') WHERE kind = 'person' AND subject = 'eva' AND id = (SELECT max(id) FROM books.records WHERE kind = 'person')",
    "a password put under": "UPDATE books.records SET content = regexp_replace(content, '\"verifier\": *\"..', '\"verifier\":\"zz') WHERE kind = 'person' AND subject = 'eva' AND id = (SELECT max(id) FROM books.records WHERE kind = 'person')",
    "opened by a freeze": "UPDATE books.records SET content = '{\"status\":\"closed\"}' WHERE key ~ '^freeze:'",
    "a role with a password": "UPDATE books.records SET content = replace(content, '\"reserve_officer\"', '\"reserve_officer\",\"approver\"') WHERE key ~ '^secret:'",
    "a third founder": "UPDATE books.records SET key = 'founding:cem', recorded_by = 'cem', request = NULL WHERE kind = 'person' AND subject = 'cem'",
    "approved by who may not": "UPDATE books.records SET recorded_by = 'cem' WHERE kind = 'decision' AND request = (SELECT request FROM books.records WHERE kind = 'policy')",
    "a batch approved by who may not": "UPDATE books.records SET recorded_by = 'cem' WHERE kind = 'decision' AND request = (SELECT request FROM books.records WHERE key = 'moved')",
    "a decision of nothing": "UPDATE books.records SET key = key || '0' WHERE kind = 'decision' AND content ~ 'refuse'",
}  # fmt: skip
ROLES = {
    "asked for by who may not": "UPDATE books.records SET recorded_by = 'cem' WHERE id = (SELECT request FROM books.records WHERE kind = 'policy') OR kind = 'policy'",
    "a batch by who may not": "UPDATE books.records SET recorded_by = 'cem' WHERE key = 'in'",
    "a batch asked for by who may not": "UPDATE books.records SET recorded_by = 'cem' WHERE id = (SELECT request FROM books.records WHERE key = 'moved')",
    "posted by who only reads": "UPDATE books.records SET recorded_by = 'dai' WHERE key = 'part 1'",
    "frozen by who only reads": "UPDATE books.records SET recorded_by = 'dai' WHERE key ~ '^freeze:'",
    "by nobody": "UPDATE books.records SET recorded_by = 'nobody' WHERE key = 'in'",
}  # fmt: skip
STATEMENTS = {
    "no reference": "UPDATE books.records SET content = '{\"purpose\":\"deposit\"}' WHERE key = 'in'",
    "an empty reference": "UPDATE books.records SET content = '{\"purpose\":\"deposit\",\"reference\":\"\"}' WHERE key = 'in'",
    "not under its position": "UPDATE books.records SET subject = NULL WHERE key = 'release'",
}  # fmt: skip
EXCESS = {
    "less excess": "UPDATE books.records SET content = replace(content, '\"100\"', '\"59\"') WHERE kind = 'position'",
    "another currency": "UPDATE books.records SET content = replace(content, 'JPY', 'USD') WHERE kind = 'position'",
    "no position": "UPDATE books.records SET key = repeat('q', 64) WHERE kind = 'position'",
    "no year's end": "UPDATE books.records SET content = replace(content, 'true', 'false') WHERE kind = 'position'",
}
UNREADABLE = {
    "roles that are none": "UPDATE books.records SET content = regexp_replace(content, '\\[.*\\]', '\"all\"') WHERE key = 'founding:ben'"
}
KINDS = {"unreadable": UNREADABLE, "approval": NOT_APPROVED, "role": ROLES, "flow": STATEMENTS, "excess": EXCESS}


@pytest.mark.parametrize("kind", KINDS)
def test_what_nobody_might_have_done_is_named_though_the_whole_chain_was_worked_out_again(
    cast: Cast, owner: Owner, subtests: pytest.Subtests, kind: str
) -> None:
    for what, statement in KINDS[kind].items():
        with subtests.test(what), restored(owner):
            with unguarded(owner, *TABLES):
                assert owner.execute(statement.encode()).rowcount > 0
                rechain(owner)
            difference = verify(cast.books).difference
            assert difference is not None
            assert difference.kind == kind
    assert verify(cast.books).difference is None


def test_releases_that_add_up_to_more_than_the_excess_are_named_and_undone_ones_do_not_count(
    cast: Cast, owner: Owner
) -> None:
    release(cast, "second", 40)
    less = "UPDATE books.records SET content = replace(content, '\"100\"', '\"99\"') WHERE kind = 'position'"
    with unguarded(owner, *TABLES):
        owner.execute(less.encode())
        rechain(owner)
    difference = verify(cast.books).difference
    assert difference is not None
    assert (difference.kind, difference.expected, difference.found) == ("excess", "at most 99 JPY", "100")
    assert "batch second" in difference.where
    number = owner.execute("SELECT id FROM books.records WHERE key = 'second'").fetchone()
    assert number is not None
    undone = {"reserve/JPY/kaede": 40, "own/JPY/bank": -40}
    cast.approved(f"reversal:{number[0]}", "reversal", undone, reverses=str(number[0]), authority="letter")
    assert verify(cast.books).difference is None


def test_a_role_taken_away_counts_no_more_once_what_was_under_way_is_over(cast: Cast, owner: Owner) -> None:
    recorded(cast, "person", "eva", {"name": "eva", "roles": ["administrator"], "active": True})
    row = owner.execute("SELECT max(recorded_at) FROM books.records").fetchone()
    assert row is not None
    recorded(cast, "policy", "later", {"limit": "1"})
    for ago, kind in ((UNDER_WAY / 2, ""), (UNDER_WAY, "approval")):
        with restored(owner):
            with unguarded(owner, *TABLES):
                for table in ("records", "balances"):
                    shift = f"UPDATE books.{table} SET recorded_at = recorded_at - %s, effective_at = effective_at - %s WHERE recorded_at <= %s"
                    owner.execute(shift.encode(), (ago, ago, row[0]))
                owner.execute("UPDATE books.records SET recorded_by = 'eva' WHERE kind = 'decision' AND recorded_at > %s", (row[0],))  # fmt: skip
                rechain(owner)
            difference = verify(cast.books).difference
            assert (difference.kind if difference else "") == kind
