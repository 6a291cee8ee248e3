"""Paying: everyone once, only whom the plan owes and the instructions allow, in files that the books know; finished after a failure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from itertools import count
from pathlib import Path

import duckdb
import pytest

from books.cast import Cast, open_accounts
from junbikin.books.accounts import freeze
from junbikin.books.claims import acts
from junbikin.books.proof.verify import verify
from junbikin.errors import BadInput, PositionProblem
from junbikin.facts.lake import open_lake
from junbikin.incidents.answers.bundles import Source
from junbikin.incidents.answers.taking import take_in
from junbikin.incidents.pay import run as running
from junbikin.incidents.pay import withdrawal
from junbikin.incidents.pay.judge import prepare
from junbikin.incidents.pay.order import order_in
from junbikin.incidents.pay.payer import Payer
from junbikin.incidents.pay.run import files_again, pay
from junbikin.incidents.pay.ways import way
from junbikin.incidents.standing import Standing, fold
from junbikin.registry.requests import ask_to_record, decide

from .exchange import MIXED, Exchange, answers, exchange, instruction, told


def quiet(what: str, share: float) -> None:
    """Nobody looks."""


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


CHANGES = {
    "amounts": '* REPLACE ("JPY" + 1 AS "JPY")',
    "accounts": "* REPLACE (account_id || 'x' AS account_id)",
    "whose": "* REPLACE (CASE number WHEN 1 THEN 'c01' WHEN 2 THEN 'c00' ELSE account_id END AS account_id)",
}


def changed(file: Path, column: str) -> None:
    """Everyone's amounts are other ones now."""
    duckdb.execute(f"COPY (SELECT {column} FROM (FROM '{file}') ORDER BY number) TO '{file}.new' (FORMAT parquet)")
    Path(f"{file}.new").replace(file)


@pytest.mark.parametrize("to", CHANGES)
def test_a_plan_that_was_changed_after_its_approval_pays_nobody(paid: Exchange, to: str) -> None:
    payees = paid.judged()
    changed(paid.plan.entitlements, CHANGES[to])
    with pytest.raises(PositionProblem, match="this is not what was approved"):
        paid.pay(payees=payees)
    assert not list((paid.home.path / "incidents").rglob("run-*/*-0001-*.txt"))


@pytest.mark.parametrize("to", CHANGES)
def test_nor_does_one_that_was_changed_after_its_first_run(paid: Exchange, to: str) -> None:
    paid.pay()
    told(paid.home, [instruction("c11")])
    payees = paid.judged()
    changed(paid.plan.entitlements, CHANGES[to])
    with pytest.raises(PositionProblem, match="this is not what was approved"):
        paid.pay(payees=payees)
    assert not list((paid.home.path / "incidents").rglob("run-002/*-0001-*.txt"))


def test_payees_of_another_plan_are_not_paid(paid: Exchange) -> None:
    other = prepare(paid.home, open_lake(paid.home), "0" * 64, paid.plan.entitlements, paid.payees_folder, quiet)
    with pytest.raises(BadInput, match="judged for another plan"):
        paid.pay(payees=other)


def test_an_amount_that_no_transfer_carries_waits_and_stops_nobody(
    founded: Callable[[Path], Cast], tmp_path: Path
) -> None:
    made = exchange(founded(tmp_path / "home"), {"a": "1", "b": "300000000", "c": "2"}, chunk=2)
    told(made.home, [instruction(account) for account in "abc"])
    run = made.pay()
    assert (run.people, run.unfit) == (2, 1)
    assert "which no transfer can carry" in run.unfit_as.en
    assert standing(made) == {"a": Standing.OUT, "b": Standing.UNPAID, "c": Standing.OUT}
    assert made.pay("iso20022").people == 1


ODD = ["a/b", " lead", "x" * 65, "cafe\u0301", "good", "Müller-7", "quote'd"]


def test_ids_that_name_no_account_wait_and_stop_nobody(founded: Callable[[Path], Cast], tmp_path: Path) -> None:
    made = exchange(founded(tmp_path / "home"), dict.fromkeys(ODD, "10"), MIXED, chunk=3)
    run = made.pay("account", "XEM")
    good = {"good", "Müller-7", "quote'd"}
    assert (run.people, run.unfit) == (len(good), len(ODD) - len(good))
    assert {account for account, how in standing(made, "XEM").items() if how is Standing.SETTLED} == good
    assert verify(made.cast.books).difference is None


def test_a_frozen_account_waits_and_is_paid_when_it_is_open_again(
    founded: Callable[[Path], Cast], tmp_path: Path
) -> None:
    made = exchange(founded(tmp_path / "home"), HELD, MIXED)
    open_accounts(made.cast, ["customer/XEM/pool/c03"])
    freeze(made.cast.books, made.cast.cem, "customer/XEM/pool/c03", "asked by the police")
    assert made.pay("account", "XEM").unfit == 1
    number = ask_to_record(
        made.cast.books, made.cast.cem, "account_status", "customer/XEM/pool/c03", {"status": "open"}, "cleared"
    )
    decide(made.cast.books, made.cast.ben, number, "approve", "seen")
    assert made.pay("account", "XEM").people == 1


def test_an_account_that_is_frozen_while_it_is_paid_comes_back(
    founded: Callable[[Path], Cast], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = exchange(founded(tmp_path / "home"), HELD, MIXED)
    monkeypatch.setattr(running, "AT_ONCE", 1)
    with failing(monkeypatch, "pay_out", 1, after=True):
        made.pay("account", "XEM")
    freeze(made.cast.books, made.cast.cem, "customer/XEM/pool/c00", "asked by the police")
    made.pay("account", "XEM")
    found = standing(made, "XEM")
    assert found.pop("c00") is Standing.RETURNED
    assert set(found.values()) == {Standing.SETTLED}
    assert verify(made.cast.books).difference is None


def test_what_a_failure_left_aside_is_in_nobodys_way(paid: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*given: object) -> int:
        raise OSError("the power went")

    with monkeypatch.context() as patch:
        patch.setattr(running, "pay_out", never)
        with pytest.raises(OSError, match="the power went"):
            paid.pay()
    assert paid.pay("iso20022").people == 10


def test_a_correction_that_came_between_judging_and_sending_is_used_by_the_next_run(paid: Exchange) -> None:
    payees = paid.judged()
    told(paid.home, [instruction("c00", "2026-03-21T00:00:00Z", number="7777777")])
    run = paid.pay(payees=payees)
    take_in(
        Payer(paid.cast.books, paid.cast.cem, "answers"), [(paid.approval, paid.plan.entitlements)],
        answers(run, {1: "8"}, paid.home.path / "answers"), Source("zengin", paid.bank), quiet,
    )  # fmt: skip
    assert paid.pay().people == 1


def test_a_lost_file_is_written_again_as_it_was(paid: Exchange) -> None:
    run = paid.pay()
    before = {file.name: file.read_bytes() for file in run.folder.iterdir()}
    next(run.folder.glob("*.txt")).unlink()
    by = Payer(paid.cast.books, paid.cast.cem, "again")
    files_again(by, paid.leg(), order_in(run.folder), way(by, paid.approval), quiet)
    assert {file.name: file.read_bytes() for file in run.folder.iterdir()} == before


def test_a_run_that_was_never_handed_in_is_withdrawn_by_two_and_paid_anew(paid: Exchange) -> None:
    run = paid.pay()
    by = Payer(paid.cast.books, paid.cast.cem, "the wrong day")
    assert withdrawal.allowed(paid.cast.books, paid.approval, paid.leg(), 1) is None
    number = withdrawal.ask(by, paid.approval, paid.leg(), 1)
    decide(paid.cast.books, paid.cast.ben, number, "approve", "no file was handed in")
    said = withdrawal.allowed(paid.cast.books, paid.approval, paid.leg(), 1)
    assert said is not None
    assert withdrawal.withdraw(by, paid.approval, paid.leg(), 1, said) == run.people
    assert withdrawal.allowed(paid.cast.books, paid.approval, paid.leg(), 1) is None
    assert set(standing(paid).values()) == {Standing.UNPAID}
    assert paid.pay().people == run.people
    assert verify(paid.cast.books).difference is None


@pytest.mark.parametrize(("day", "why"), [(date(2010, 1, 5), "is past"), (date(2099, 1, 5), "days ahead")])
def test_a_new_run_pays_on_a_day_soon_to_come(paid: Exchange, day: date, why: str) -> None:
    by = Payer(paid.cast.books, paid.cast.cem, "test")
    asked = paid.asked("zengin", payees=paid.judged().digest, value_on=day)
    with pytest.raises(BadInput, match=why):
        pay(by, paid.leg(), asked, way(by, paid.approval), quiet)


def test_sums_are_exact_beyond_28_digits(founded: Callable[[Path], Cast], tmp_path: Path) -> None:
    held = dict.fromkeys("abcdef", "123456.123456789012345678")
    made = exchange(founded(tmp_path / "home"), held, MIXED.replace("decimals = 6", "decimals = 18"), chunk=2)
    assert made.pay("account", "XEM").total == made.leg("XEM").total
