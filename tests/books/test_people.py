"""People on record: the first two found the books, and whatever is said of anyone later is asked for and approved."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import rfc8785

from junbikin.books.database import Books
from junbikin.registry import people

from .cast import PASSWORD, PLACE, Cast, assembled
from .straight import at_once, saying, straight


def test_a_third_person_comes_by_request_and_two_that_found_at_once_are_two(books: Books) -> None:
    contents = {name: rfc8785.dumps(people.described(people.card(name, PASSWORD), [role])).decode()
                for name, role in (("ada", "reserve_officer"), ("ben", "approver"), ("cem", "approver"))}  # fmt: skip
    cast = Cast(books, {})

    def found(name: str, content: str) -> Any:
        return lambda sql: sql.value("SELECT books.found_person(%s, 'why', %s)", name, content)

    says: dict[str, Any]
    with straight(cast) as sql:
        for says in (
            {"active": False},
            {"roles": ["auditor"]},
            {"roles": []},
            {"roles": "approver"},
            {"roles": ["king"]},
            {"verifier": ""},
        ):
            with sql.refused():
                sql.value(
                    "SELECT books.found_person('ada', 'why', %s)",
                    rfc8785.dumps(people.described(people.card("ada", PASSWORD), ["approver"]) | says).decode(),
                )
        for name in ("", "a b", "a/b", "a\u200bda", "x" * 65, "ada\n", None):
            with sql.refused():
                sql.value(
                    "SELECT books.found_person(%s, 'why', %s)",
                    name,
                    rfc8785.dumps(json.loads(contents["ada"]) | {"name": name}).decode(),
                )
    outcome = at_once(cast, *(found(name, content) for name, content in contents.items()))
    assert sum(isinstance(told, psycopg.Error) for told in outcome) >= 1
    with straight(cast) as sql:
        names = sql.value("SELECT array_agg(subject ORDER BY subject) FROM books.records WHERE kind = 'person'")
        assert len(names) == 2
        assert "approver" in sql.value("SELECT string_agg(content, '') FROM books.records WHERE kind = 'person'")
        with sql.refused("the books have their first two people"):
            found("dai", rfc8785.dumps(people.described(people.card("dai", PASSWORD), ["approver"])).decode())(sql)


def test_roles_change_by_request_only_and_from_its_approval_on(books: Books) -> None:
    with straight(assembled(books)) as sql:
        ada = sql.cast.people["ada"]
        more = people.described(people.card("ada", PASSWORD), ["reserve_officer", "approver"])
        with sql.refused("only the password can be changed by oneself"):
            sql.value(
                "SELECT books.change_secret(%s, %s, 'why', %s)", ada.name, ada.secret, rfc8785.dumps(more).decode()
            )
        for at in (
            "2999-01-01T00:00:00Z",
            "2020-01-01T00:00:00Z",
        ):  # dated ahead it would outlast every later word about the person
            with sql.refused("this holds from its approval"):
                sql.request("ada", at, saying(action="person", subject="ada", says=more, effective_at=at))
        for subject, says in (
            ("ada", "approver"),
            ("ada", None),
            ("ada", [more]),
            ("ben", more),
            (None, more),
            ("", more),
        ):
            with sql.refused():
                sql.request("ada", "k", saying(action="person", subject=subject, says=says, effective_at=None))
        for at in (
            "tomorrow",
            "infinity",
            "2026-04-01",
            "01/02/2026 00:00",
            "2026-04-01T00:00:00",
            "0001-01-01T00:00:00Z",
        ):
            with sql.refused("this is no instant"):
                sql.request("ada", at, saying(action="place", subject="p", says=PLACE, effective_at=at))
        for status in ("frozen", "OPEN", None):
            with sql.refused("no such status"):
                sql.request(
                    "ada",
                    "s",
                    saying(action="account_status", subject="own/JPY/bank", says={"status": status}, effective_at=None),
                )
