"""Batches that no honest program would send: each is refused and leaves nothing behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from junbikin.books.database import Books
from junbikin.books.journal import account_numbers
from junbikin.registry.requests import ask_to_record, decide

from .cast import assembled, open_accounts
from .straight import Entries, Straight, saying, straight

CONTENT = saying(purpose="deposit", reference="r")


@pytest.fixture
def sql(books: Books) -> Iterator[Straight]:
    """The application's role, straight; afterwards nothing may have been posted."""
    with straight(assembled(books)) as sql:
        yield sql
        assert sql.value("SELECT count(*) FROM books.records WHERE kind = 'batch'") == 0
        assert sql.value("SELECT count(*) FROM books.balances") == 0
        assert sql.value("SELECT max(lanes) FROM books.accounts") == 1


def batch(sql: Straight, *amounts: str, **other: Any) -> Entries:
    """Two accounts, world and customer by turns, and these amounts."""
    pair = account_numbers(sql.cast.books, ["outside/JPY/world", "customer/JPY/pool/c1"])
    numbers = (pair * len(amounts))[: len(amounts)]
    said = Entries("k", CONTENT, f"{{{','.join(map(str, numbers))}}}", f"{{{','.join(amounts)}}}")
    return replace(said, **other)


@pytest.mark.parametrize(
    ("words", "lists"),
    [
        ("does not balance in JPY", [("-5", "4"), ("-5", "5.000000000000000001"), ("5", "5"), ("-5", "0"), ("-0.1", "0.2", "-0.2", "0.2")]),
        ("moves nothing", [("0", "0"), ("0.00", "0", "0", "0")]),
        ("is not possible", [
            ("NaN", "NaN"), ("-5", "NaN"), ("-Infinity", "Infinity"), ("Infinity", "-Infinity"), ("Infinity", "Infinity", "-Infinity"),
            ("-1e400", "1e400"), ("-1e30", "1e30"), ("-1e40", "5", "1e40", "-5"), ("-0.0000000000000000001", "0.0000000000000000001"),
            ("-0.0000000000000000001", "5", "-0.0000000000000000009", "-4.999999999999999999"), ("NaN",) * 2000, ("-1e40", "1e40") * 1000,
        ]),
        ("at least two entries", [
            (), ("5",), ("NULL", "NULL"), ("-5", "5", "NULL"), ("-5", "NULL", "0", "5"), ("-5", "5", "NULL", "NULL") * 300,
        ]),
    ],
)  # fmt: skip
def test_amounts_that_are_none_are_refused(sql: Straight, words: str, lists: list[tuple[str, ...]]) -> None:
    for amounts in lists:
        with sql.refused(words):
            sql.post("ada", batch(sql, *amounts))


def test_lists_of_another_shape_are_refused(sql: Straight) -> None:
    good = batch(sql, "-5", "5")
    world, customer = good.accounts[1:-1].split(",")
    for accounts, amounts in (
        (good.accounts, "{-5,5,0}"),
        (f"{{{world},NULL}}", "{-5,5}"),
        (f"{{{{{world},{customer}}}}}", "{{-5,5}}"),
        (f"{{{{{world}}},{{{customer}}}}}", "{{-5},{5}}"),
        (f"[0:1]={good.accounts}", "{-5,5}"),  # would take the lock of one account instead of two
        (f"[7:8]={good.accounts}", "{-5,5}"),
        (good.accounts, "[-1:0]={-5,5}"),
    ):
        with sql.refused("each in one plain list"):
            sql.post("ada", replace(good, accounts=accounts, amounts=amounts))
    for nothing in ("{}", None):
        with sql.refused("at least two entries"):
            sql.post("ada", batch(sql, accounts=nothing, amounts=nothing))


def test_more_than_a_million_entries_are_refused_before_anything_is_locked(sql: Straight) -> None:
    with sql.refused("at most 1,000,000 entries"):
        sql.post("ada", batch(sql, *("-5", "5") * 500_000, "0"))


def test_accounts_that_are_unknown_frozen_or_closed_are_refused(sql: Straight) -> None:
    cast, good = sql.cast, batch(sql, "-5", "5")
    world, customer = good.accounts[1:-1].split(",")
    for unknown in ("0", "-1", "999999999", str(2**63 - 1), str(-(2**63))):
        with sql.refused(f"there is no account {unknown}"):
            sql.post("ada", replace(good, accounts=f"{{{world},{unknown}}}"))
    ada = cast.people["ada"]
    cast.books.call("freeze", ada.name, ada.secret, "customer/JPY/pool/c1", "suspected")
    with sql.refused("customer/JPY/pool/c1 is frozen"):
        sql.post("ada", good)
    says = {"status": "closed"}
    closing = ask_to_record(cast.books, cast.people["ada"], "account_status", "customer/JPY/pool/c1", says, "left")
    decide(cast.books, cast.people["ben"], closing, "approve", "yes")
    with sql.refused("customer/JPY/pool/c1 is closed"):
        sql.post("ada", replace(good, accounts=f"{{{world},{customer},{customer}}}", amounts="{-5,4,1}"))


def test_times_that_have_not_come_or_that_nobody_can_mean_are_refused(sql: Straight) -> None:
    later = sql.value("SELECT (clock_timestamp() + interval '1 minute')::text")
    for at in (later, "9999-12-31T00:00:00Z", "infinity", "1999-12-31T23:59:59Z", "-infinity", "0044-03-15 BC"):
        with sql.refused("effective time"):
            sql.post("ada", batch(sql, "-5", "5", effective_at=at))


def test_content_that_two_readers_could_read_in_two_ways_is_refused(sql: Straight) -> None:
    for content in (
        '{"purpose":"deposit","purpose":"deposit","reference":"r"}',
        '{"purpose":"release","reference":"r","purpose":"deposit"}',
        '{"purpose":"deposit","reference":"r","more":{"a":"1","a":"2"}}',
        '{"purpose": "deposit","reference":"r"}',
        '{"purpose":"deposit","reference":"r"}\n',
        '{"purpose":"deposi\\u0074","reference":"r"}',
        '{"purpose":"deposit","reference":"r","amount":1e2}',
        '{"purpose":"release","purpose":"deposit","reference":"r","n":1e23}',
        '{"reference":"r\\"1e5","n":-10E2,"purpose":"deposit"}',
        '["purpose","deposit"]', '"deposit"', "1", "null", "true",
    ):  # fmt: skip
        with sql.refused("canonical JSON"):
            sql.post("ada", batch(sql, "-5", "5", content=content))
    for broken in (
        "",
        "{",
        '{"purpose":"deposit"',
        "purpose",
        '{"purpose":"deposit","reference":"\\u0000"}',
        '{"reference":"\t"}',
        None,
    ):
        with sql.impossible():
            sql.post("ada", batch(sql, "-5", "5", content=broken))
    with sql.refused("content is too long"):
        sql.post("ada", batch(sql, "-5", "5", content=saying(purpose="deposit", reference="r" * 100_000)))


def test_keys_and_reasons_that_are_empty_long_or_more_than_one_line_are_refused(sql: Straight) -> None:
    for key in ("", "k" * 201, "k\nk", "k\r", "k\x1b[2J", "\t", None):
        with sql.refused():
            sql.post("ada", batch(sql, "-5", "5", key=key))
    for why in ("", "w" * 1001, "w\nrelease", None):
        with sql.refused("a reason 1 to 1,000"):
            sql.post("ada", batch(sql, "-5", "5"), why=why)  # type: ignore[arg-type]


def test_no_other_isolation_may_post_on_what_it_saw_before(sql: Straight) -> None:
    good = batch(sql, "-5", "5")
    for level in ("REPEATABLE READ", "SERIALIZABLE"):
        with sql.refused("READ COMMITTED only"):
            sql.connection.execute(f"SET TRANSACTION ISOLATION LEVEL {level}".encode())
            sql.post("ada", good)


def test_accounts_with_names_that_deceive_are_not_opened(sql: Straight) -> None:
    cast = sql.cast
    codes = ["customer/JPY/pool/c9\u200b", "customer/JPY/pool/\u202ec9", "customer/JPY/pool/ c9", "customer/JPY/pool/c9\u3000",
             "customer/JPY/pool/ka\u0304", "customer/JPY/po\x00ol".replace("\x00", "\x01"), "customer/JPY//c9", "customer/jpy /pool",
             "customer/ＪＰＹ/pool", "Customer/JPY/pool", "nobody/JPY/pool", "reserve/JPY/elsewhere", "guarantee/BTC/Booked"]  # fmt: skip
    ada = cast.people["ada"]
    for code in codes:
        row = dict(zip(("owner", "asset", "place", "holder"), code.split("/"), strict=False))
        with sql.refused():
            sql.value("SELECT books.open_accounts(%s, %s, 'why', %s)", ada.name, ada.secret, json.dumps([row]))
    for rows in (
        '[{"owner":"customer","asset":"JPY","place":"a/b"}]',
        '[{"owner":"customer","asset":"JPY/a","place":"b"}]',
        "[{}]",
        "[null]",
    ):
        with sql.impossible():
            sql.value("SELECT books.open_accounts(%s, %s, 'why', %s)", ada.name, ada.secret, rows)
    open_accounts(cast, ["customer/JPY/利用者口座/山田"])


def test_a_place_counts_from_its_date_on(sql: Straight) -> None:
    cast = sql.cast
    content = saying(action="place", subject="later", says={"name": "Later"}, effective_at="2999-01-01T00:00:00Z")
    sql.decide("ben", sql.request("ada", "later", content))
    ada = cast.people["ada"]
    with sql.refused("the place later is not registered"):
        rows = '[{"owner":"reserve","asset":"JPY","place":"later"}]'
        sql.value("SELECT books.open_accounts(%s, %s, 'why', %s)", ada.name, ada.secret, rows)
