"""The journal: what goes in comes out, at every effective time as known at every recorded time."""

from __future__ import annotations

from decimal import Decimal

import pytest

from junbikin.books.database import Books
from junbikin.books.journal import account_numbers, balance, statement
from junbikin.errors import BooksRefused

from .cast import Cast, assembled


@pytest.fixture
def cast(books: Books) -> Cast:
    """Everyone, on new books."""
    return assembled(books)


def test_a_posted_batch_is_in_the_balances_and_statements_of_both_sides(cast: Cast) -> None:
    record = cast.pay_in("customer/JPY/pool/c1", "100.5")
    world, customer = account_numbers(cast.books, ["outside/JPY/world", "customer/JPY/pool/c1"])
    assert (balance(cast.books, world), balance(cast.books, customer)) == (Decimal("-100.5"), Decimal("100.5"))
    [line] = statement(cast.books, customer)
    assert (line.record, line.amount, line.balance) == (record, Decimal("100.5"), Decimal("100.5"))


def test_the_same_key_with_the_same_content_posts_nothing_twice_and_with_other_content_is_refused(cast: Cast) -> None:
    first = cast.pay_in("customer/JPY/pool/c1", "7", key="k")
    assert cast.pay_in("customer/JPY/pool/c1", "7", key="k") == first
    with pytest.raises(BooksRefused, match="other content"):
        cast.pay_in("customer/JPY/pool/c1", "8", key="k")
    [customer] = account_numbers(cast.books, ["customer/JPY/pool/c1"])
    assert balance(cast.books, customer) == 7


def test_what_needs_two_people_takes_effect_when_the_second_approves(cast: Cast) -> None:
    cast.pay_in("own/JPY/bank", 50)
    cast.pay_in("reserve/JPY/kaede", 50)
    assert cast.approved("move", "relocation", {"reserve/JPY/kaede": -20, "reserve/JPY/minato": 20}, reference="r")
    [minato] = account_numbers(cast.books, ["reserve/JPY/minato"])
    assert balance(cast.books, minato) == 20


def test_a_statement_has_every_digit_of_amounts_and_balances(cast: Cast) -> None:
    cast.pay_in("customer/BTC/pool/c1", "123456789012.000000000000000001")
    cast.pay_in("customer/BTC/pool/c1", "0.1")
    [customer] = account_numbers(cast.books, ["customer/BTC/pool/c1"])
    *_, last = statement(cast.books, customer)
    assert last.balance == balance(cast.books, customer) == Decimal("123456789012.100000000000000001")
