"""Segregated accounts are never overdrawn: not now, not in the past, not inside a batch, not by many at the same instant."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial

import psycopg
import pytest

from junbikin.books.database import Books
from junbikin.books.journal import account_numbers

from .cast import ACCOUNTS, assembled
from .straight import Entries, Straight, at_once, saying, straight

GUARDED = {
    "customer/JPY/pool/c1": ("withdrawal", "outside/JPY/world", "ada"),
    "reserve/JPY/kaede": ("loss", "outside/JPY/world", "cem"),
    "reserve/JPY/booked": ("release", "own/JPY/booked", "ada"),
    "guarantee/BTC/vault": ("guarantee_release", "own/BTC/vault", "ada"),
    "administrator/JPY/estate": ("return", "customer/JPY/pool/c1", "eva"),
}
"""A way out of each kind of account that must not be overdrawn, and who may take it."""


EXCESS = "d" * 64
"""A position with more to release than the booked reserve holds."""


@pytest.fixture
def sql(books: Books) -> Iterator[Straight]:
    """The application's role on books where every guarded account holds 10."""
    cast = assembled(books)
    cast.pay_in("customer/JPY/pool/c1", 20)
    cast.pay_in("reserve/JPY/kaede", 10)
    cast.post("g", "guarantee", {"own/BTC/vault": -10, "guarantee/BTC/vault": 10})
    cast.approved("a", "accrual", {"own/JPY/booked": -10, "reserve/JPY/booked": 10}, position=cast.position())
    cast.approved(
        "h", "hand_over", {"customer/JPY/pool/c1": -10, "administrator/JPY/estate": 10}, by="eva", authority="x"
    )
    with straight(cast) as sql:
        says = saying(digest=EXCESS, year_end=True, excess="1000", currency="JPY")
        sql.value("SELECT books.put_on_record('position', 'rulebook', '2025-03-31T14:59:59.999999Z', %s)", says)
        yield sql


def out(sql: Straight, account: str, key: str, *amounts: int, at: str | None = None) -> Callable[[Straight], int]:
    """Takes amounts out of a guarded account, each as entries of one batch, approved already."""
    purpose, receiver, who = GUARDED[account]
    payer, to = account_numbers(sql.cast.books, [account, receiver])
    accounts = ",".join(f"{payer},{to}" for _ in amounts)
    entries = ",".join(f"{-amount},{amount}" for amount in amounts)
    content = saying(purpose=purpose, reference="r", position=EXCESS, authority="letter")
    batch = Entries(key, content, f"{{{accounts}}}", f"{{{entries}}}", at)
    number = sql.request_to_post(who, key, [batch])
    sql.decide("ben", number)
    return lambda other: other.post(who, batch, number)


@pytest.mark.parametrize("account", list(GUARDED))
def test_a_guarded_account_pays_what_it_holds_and_no_more(sql: Straight, account: str) -> None:
    before = sql.value("SELECT (clock_timestamp() - interval '1 hour')::text")
    with sql.refused(f"the account {account} holds 10"):
        out(sql, account, "more", 11)(sql)
    with sql.refused(f"the account {account} holds 10"):
        out(sql, account, "in parts", 6, 5)(sql)
    with sql.refused(f"the account {account} would have been overdrawn at"):
        out(sql, account, "before it came", 1, at=before)(sql)
    outcome = at_once(sql.cast, *(out(sql, account, f"all {n}", 10) for n in range(5)))
    lost = [told for told in outcome if isinstance(told, psycopg.Error)]
    assert [problem.sqlstate for problem in lost] == ["JB001"] * 4
    assert all("holds 0" in str(problem) for problem in lost)
    [number] = account_numbers(sql.cast.books, [account])
    assert sql.value("SELECT books.balance(%s)", number) == 0


def test_what_came_later_does_not_pay_for_what_went_out_earlier(sql: Straight) -> None:
    cast, account = sql.cast, "customer/JPY/pool/c1"
    between = sql.value("SELECT clock_timestamp()::text")
    out(sql, account, "first", 7)(sql)
    cast.pay_in(account, 100)
    with sql.refused("would have been overdrawn at"):
        out(sql, account, "late", 4, at=between)(sql)
    out(sql, account, "fits", 3, at=between)(sql)


def test_many_hands_with_batches_of_all_sizes_never_lock_each_other_out(sql: Straight) -> None:
    cast = sql.cast
    numbers = account_numbers(cast.books, ["outside/JPY/world", "customer/JPY/pool/c1", "customer/JPY/pool/c2"])
    ada, cem = cast.people["ada"], cast.people["cem"]

    def entries(key: str, pairs: int, turn: int) -> Entries:
        accounts = ",".join(f"{numbers[0]},{numbers[1 + (turn + n) % 2]}" for n in range(pairs))
        return Entries(
            key, saying(purpose="deposit", reference="r"), f"{{{accounts}}}", f"{{{','.join(['-1,1'] * pairs)}}}"
        )

    def hand(turn: int, sql: Straight) -> int:
        for step in range(4):
            key, kind = f"{turn} {step}", (turn + step) % 5
            batch = entries(key, (1, 3, 600, 1, 1)[kind], turn)
            if kind == 3:  # a decision that posts has its own record before the batch's
                inline = {
                    "key": key,
                    "effective_at": None,
                    "content": batch.content,
                    "accounts": batch.accounts[1:-1].split(","),
                    "amounts": ["-1", "1"],
                }
                number = sql.request("ada", key, saying(action="post", batches={key: sql.digest(batch)}, inline=inline))
                sql.decide("ben", number)
            elif kind == 4:
                row = [{"owner": "own", "asset": "JPY", "place": f"bank {key}"}]
                sql.value("SELECT books.open_accounts(%s, %s, 'why', %s)", ada.name, ada.secret, json.dumps(row))
                sql.value("SELECT books.freeze(%s, %s, %s, 'why')", cem.name, cem.secret, f"own/JPY/bank {key}")
                thaw = saying(
                    action="account_status", subject=f"own/JPY/bank {key}", says={"status": "open"}, effective_at=None
                )
                sql.decide("ben", sql.request("cem", key, thaw))
            else:
                sql.post("ada", batch)
        return turn

    hands = 24  # more than there are strands
    assert at_once(cast, *(partial(hand, turn) for turn in range(hands))) == list(range(hands))


def test_every_account_of_the_cast_that_is_segregated_is_guarded() -> None:
    owners = {code.split("/")[0] for code in ACCOUNTS} - {"own", "outside", "insurer"}
    assert owners == {code.split("/")[0] for code in GUARDED}
