"""Paying: everyone once, only whom the plan owes and the instructions allow, in files that the books know; finished after a failure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from itertools import count
from pathlib import Path

import duckdb
import pytest

from books.cast import Cast
from junbikin.books.claims import acts
from junbikin.errors import BadInput, BooksRefused
from junbikin.incidents.pay import run as running
from junbikin.incidents.standing import Standing, fold

from .exchange import MIXED, Exchange, exchange, instruction, told

HELD = {f"c{number:02d}": f"{100 + 37 * number}.5" for number in range(12)}


@pytest.fixture
def paid(founded: Callable[[Path], Cast], tmp_path: Path) -> Exchange:
    """Twelve customers in three chunks; the last has no bank account known, the one before a name that no bank takes."""
    made = exchange(founded(tmp_path / "home"), HELD)
    rows = [instruction(account) for account in list(HELD)[:10]]
    told(made.home, [*rows, instruction("c10", payee="山田花子")])
    return made


def standing(of: Exchange, asset: str = "JPY") -> dict[str, Standing]:
    """Account → how its payment stands."""
    chunks = fold(acts(of.cast.books, of.plan.digest))
    status = [
        Standing(one) for (paid, _), chunk in sorted(chunks.items()) if paid == asset for one in chunk.status.tolist()
    ]
    return dict(zip(sorted(of.owed(asset)), status, strict=True))


def test_everyone_is_paid_who_can_be_and_the_others_wait(paid: Exchange) -> None:
    run = paid.pay()
    assert (run.people, run.order.run) == (10, 1)
    assert run.total == sum(amount for account, amount in paid.owed().items() if account < "c10")
    found = standing(paid)
    assert [account for account, how in found.items() if how is Standing.UNPAID] == ["c10", "c11"]
    assert set(found.values()) == {Standing.OUT, Standing.UNPAID}


def test_a_second_run_pays_nobody_again(paid: Exchange) -> None:
    paid.pay()
    again = paid.pay()
    assert (again.people, again.files) == (0, ())
    assert not again.folder.exists()


def test_the_books_know_every_file_by_its_digest(paid: Exchange) -> None:
    run = paid.pay()
    recorded = [
        digest
        for act in acts(paid.cast.books, paid.plan.digest)
        if act.kind == "payout"
        for digest in act.says["files"]
    ]
    files = sorted(run.folder.glob("*.txt"))
    assert [hashlib.sha256(file.read_bytes()).hexdigest() for file in files] == recorded
    assert sum(file.people for file in run.files) == run.people
    assert sum(file.total for file in run.files) == run.total


@contextmanager
def failing(monkeypatch: pytest.MonkeyPatch, name: str, turn: int, *, after: bool) -> Iterator[None]:
    """The `turn`-th call of a function of the run fails, before or after it has done its work."""
    turns, real = count(1), getattr(running, name)

    def sometimes(*given: object) -> object:
        mine = next(turns) == turn
        if mine and not after:
            raise OSError("the power went")
        result = real(*given)
        if mine:
            raise OSError("the power went")
        return result

    with monkeypatch.context() as patch:
        patch.setattr(running, name, sometimes)
        with pytest.raises(OSError, match="the power went"):
            yield


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("name", ["entitle", "pay_out", "_listed"])
def test_a_run_that_failed_is_finished_with_the_same_files(
    paid: Exchange, monkeypatch: pytest.MonkeyPatch, name: str, after: bool
) -> None:
    payees = paid.judged()
    with failing(monkeypatch, name, 1, after=after):
        paid.pay(payees=payees)
    run = paid.pay(payees=payees)
    assert (run.people, run.order.run) == (10, 1)
    recorded = [
        digest
        for act in acts(paid.cast.books, paid.plan.digest)
        if act.kind == "payout"
        for digest in act.says["files"]
    ]
    assert sorted(hashlib.sha256(file.read_bytes()).hexdigest() for file in run.folder.glob("*.txt")) == sorted(
        recorded
    )
    assert not (run.folder / "aside").exists()


def test_a_run_that_failed_is_finished_before_another_begins(paid: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    with failing(monkeypatch, "_listed", 1, after=False):
        paid.pay()
    with pytest.raises(BadInput, match=r"run 1 of this plan was not finished\n.*\n.*pay JPY by zengin"):
        paid.pay("iso20022")


def test_instructions_that_come_meanwhile_change_no_unfinished_run(
    paid: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    with failing(monkeypatch, "_listed", 1, after=False):
        paid.pay()
    told(paid.home, [instruction("c11")])
    assert paid.pay().people == 10
    assert paid.pay().people == 1, "and are followed by the next"


def test_files_that_cannot_be_made_again_are_not_made_otherwise(
    paid: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    with failing(monkeypatch, "_listed", 1, after=False):
        paid.pay()
    limits = paid.bank
    paid.cast.registered("paying_bank", "namiki", _changed(limits.branch.bank_code, limits.branch.code))
    with pytest.raises(BadInput, match="cannot be made again"):
        paid.pay()


def _changed(bank_code: str, branch_code: str) -> dict[str, str]:
    from .exchange import BANK

    return BANK | {"bank_code": bank_code, "branch_code": branch_code, "account_number": "1111111"}


def test_customers_own_accounts_are_paid_by_the_journal_itself(founded: Callable[[Path], Cast], tmp_path: Path) -> None:
    made = exchange(founded(tmp_path / "home"), HELD, MIXED)
    before = made.balance(made.approval.claimants["XEM"].code)
    run = made.pay("account", "XEM")
    owed = {account: amount for account, amount in made.owed("XEM").items() if amount}
    assert (run.people, run.total) == (len(owed), before)
    assert {account: made.balance(f"customer/XEM/pool/{account}") for account in owed} == owed
    assert made.balance(made.approval.claimants["XEM"].code) == 0
    assert set(standing(made, "XEM").values()) == {Standing.SETTLED}
    assert made.pay("account", "XEM").people == 0


def test_accounts_are_credited_once_though_the_credit_failed(
    founded: Callable[[Path], Cast], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = exchange(founded(tmp_path / "home"), HELD, MIXED)
    with failing(monkeypatch, "pay_out", 2, after=True):
        made.pay("account", "XEM")
    made.pay("account", "XEM")
    owed = {account: amount for account, amount in made.owed("XEM").items() if amount}
    assert {account: made.balance(f"customer/XEM/pool/{account}") for account in owed} == owed


def test_nobody_is_paid_before_the_plan_is_approved_or_in_what_it_does_not_pay(paid: Exchange) -> None:
    with pytest.raises(BadInput, match="the plan pays no BTC"):
        paid.leg("BTC")
    assert paid.balance(paid.approval.claimants["JPY"].code) == sum(paid.owed().values(), Decimal(0))


@pytest.mark.parametrize("to", ["amounts", "accounts"])
def test_a_plan_that_was_changed_after_its_approval_pays_nobody(paid: Exchange, to: str) -> None:
    column = {"amounts": '* REPLACE ("JPY" + 1 AS "JPY")', "accounts": "* REPLACE (account_id || 'x' AS account_id)"}[
        to
    ]
    file = paid.plan.entitlements
    duckdb.execute(f"COPY (SELECT {column} FROM (FROM '{file}') ORDER BY number) TO '{file}.new' (FORMAT parquet)")
    payees = paid.judged()
    Path(f"{file}.new").replace(file)
    with pytest.raises(BooksRefused, match="this is not what was approved"):
        paid.pay(payees=payees)
    assert not list((paid.home.path / "incidents").rglob("run-*/*.txt"))
