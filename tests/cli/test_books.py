"""`books`: money moves as the flow rules allow, and every answer is exact."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import junbikin.books

from .office import Databases, Office, pays
from .runs import as_json, refused, run, said

C1, C2, WORLD, BANK = "customer/JPY/pool/c1", "customer/JPY/pool/c2", "outside/JPY/world", "own/JPY/bank"
KAEDE, MINATO = "reserve/JPY/kaede", "reserve/JPY/minato"


def test_what_one_person_may_do_is_posted_at_once_and_to_the_last_digit(office: Office) -> None:
    record = office.deposit("1200.000000000000000001", "w-1")
    assert office.balance(C1) == "1200.000000000000000001"
    assert office.balance(WORLD) == "-1200.000000000000000001"
    [line] = office.json("", "books", "statement", C1)["lines"]
    assert (line["record"], line["amount"], line["says"]) == (
        record, "1200.000000000000000001", {"purpose": "deposit", "reference": "w-1"}
    )  # fmt: skip
    assert "1,200.000000000000000001 JPY" in office.says("", "books", "balance", C1)


def test_the_same_command_again_posts_nothing_twice_and_another_reference_is_another_batch(office: Office) -> None:
    words = pays("deposit", WORLD, C1, "100")
    first = office.json("ada", *words, "--reference", "w-1")
    again = office.json("ada", *words, "--reference", "w-1", "--why", "in other words")
    assert (again["record"], first["posted_before"], again["posted_before"]) == (first["record"], False, True)
    assert "nothing was posted twice" in office.says("ada", *words, "--reference", "w-1")
    office.says("ada", *words, "--reference", "w-2")
    assert office.balance(C1) == "200"


def test_a_stated_key_with_other_content_is_refused(office: Office) -> None:
    words = ["--reference", "w-1", "--key", "k-1"]
    office.says("ada", *pays("deposit", WORLD, C1, "100"), *words)
    assert "other content" in office.refuses("ada", *pays("deposit", WORLD, C1, "101"), *words).what


def test_what_needs_a_second_person_becomes_a_request_and_moves_nothing(office: Office) -> None:
    office.says("ada", *pays("fund", BANK, KAEDE, "50"))
    move = [*pays("relocation", KAEDE, MINATO, "20"), "--reference", "t-1"]
    assert "--why" in office.refuses("ada", *move).then
    asked = office.json("ada", *move, "--why", "spread places")
    assert (asked["verdict"], asked["record"], asked["may_approve"]) == ("", None, ["ben"])
    assert "waits for the approval of ben" in office.says("ada", *move, "--why", "spread places")
    assert office.balance(MINATO) == "0"


def test_what_would_move_is_shown_before_the_password_is_asked_for(office: Office) -> None:
    words = [*pays("deposit", WORLD, C1, "1234.5"), "--reference", "w-1", "--as", "ada"]
    ended = run(*words, home=office.home)
    assert "receives 1,234.5 JPY" in ended.stderr
    assert "no terminal to ask for the password of ada" in str(ended.exception)
    assert "受取 1,234.5 JPY" in run("--lang", "ja", *words, home=office.home).stderr


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ([*pays("deposits", WORLD, C1, "1"), "--reference", "r"], "no purpose"),
        ([*pays("fee", C1, BANK, "1")], "needs its reference"),
        ([*pays("fee", WORLD, C1, "1"), "--reference", "r"], "do not allow outside → customer"),
        ([*pays("fee", C1, BANK, "1"), "--reference", "r"], "1 is asked for"),
        ([*pays("reversal", C1, WORLD, "1")], "names what it undoes"),
        ([*pays("deposit", WORLD, C1, "0"), "--reference", "r"], "not above 0"),
        ([*pays("deposit", WORLD, C1, "1,000"), "--reference", "r"], "is no amount"),
        ([*pays("deposit", WORLD, C1, "1e5"), "--reference", "r"], "is no amount"),
        ([*pays("deposit", WORLD, C1, "１００"), "--reference", "r"], "is no amount"),
        ([*pays("relocation", C1, C1, "1"), "--reference", "r"], "would pay itself"),
        ([*pays("deposit", WORLD, "customer/JPY/pool/c9", "1"), "--reference", "r"], "no account customer/JPY/pool/c9"),
        ([*pays("deposit", WORLD, C1, "1"), "--reference", "r", "--at", "2999-01-01"], "has not come yet"),
        ([*pays("deposit", WORLD, C1, "1"), "--reference", "r", "--at", "2026-03-31T10:00:00"], "has no zone"),
        ([*pays("deposit", WORLD, C1, "1"), "--reference", "r", "--at", "yesterday"], "is no time"),
        ([*pays("deposit", WORLD, C1, "1"), "--reference", "r", "--at", "9999-12-31"], "is no time"),
        (["books", "post", "deposit", "--from", WORLD, "--to", C1, "--reference", "r"], "not said what moves"),
        (["books", "post", "deposit", "--from", WORLD, "--entries", "e.csv"], "not said what moves"),
        (["books", "reverse", "1", "--why", "any"], "record 1 is no batch"),
        (["books", "statement", "nowhere"], "no account nowhere"),
        (["books", "statement", C1, "--from", "2026-03-02", "--to", "2026-03-01"], "--from is after --to"),
        (["books", "freeze", "nowhere", "--why", "any"], "no open account"),
        (["books", "reopen", "nowhere", "--why", "any"], "no such account"),
        (["books", "open", "--why", "any"], "no account is named"),
        (["books", "open", "own/JPY", "--why", "any"], "no code of an account"),
        (["books", "open", "bank/JPY/x", "--why", "any"], "no account: bank/JPY/x"),
        (["books", "open", "reserve/JPY/nowhere", "--why", "any"], "not registered"),
        (["books", "verify", "--signer", "abc"], "without a checkpoint"),
        (["books", "checkpoint"], "no signing key"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_and_what_next(office: Office, words: list[str], part: str) -> None:
    assert part in office.refuses("ada", *words).what


def test_nobody_acts_without_a_name(office: Office) -> None:
    assert "--as" in office.refuses("", *pays("income", WORLD, BANK, "1")).then


def test_entries_from_a_file_do_what_payments_one_by_one_do(office: Office, tmp_path: Path) -> None:
    file = tmp_path / "entries[1].csv"
    file.write_text(f'amount,account\n+1.50,{C1}\n"2.250","{C2}"\n-3.75,{WORLD}\n')
    words = ["books", "post", "deposit", "--entries", str(file), "--reference", "load"]
    record = office.json("ada", *words)["record"]
    assert [office.balance(account) for account in (C1, C2, WORLD)] == ["1.5", "2.25", "-3.75"]
    [line] = office.json("", "books", "statement", C2)["lines"]
    assert (line["record"], line["amount"]) == (record, "2.25")
    assert office.json("ada", *words)["posted_before"]


def test_of_many_entries_the_first_are_shown_and_sums_of_all(office: Office, tmp_path: Path) -> None:
    file = tmp_path / "entries.csv"
    file.write_text("account,amount\n" + f"{C1},0.1\n" * 30 + f"{WORLD},-3\n")
    words = ["books", "post", "deposit", "--entries", str(file), "--reference", "load", "--as", "ada"]
    shown = run(*words, home=office.home).stderr
    assert shown.count(f"{C1}  receives 0.1 JPY") == 20
    assert "and 11 more entries" in shown
    assert "customer  receives 3 JPY  (1 accounts)" in shown
    assert "利用者  受取 3 JPY" in run("--lang", "ja", *words, home=office.home).stderr


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "no columns account and amount"),
        ('account,amount\n"x,1\n', "cannot be read"),
        ("account,amount\n", "no entries"),
        ("account;amount\nx;1\n", "no columns account and amount"),
        (f"account,amount\n{C1},1\n{C1},1e5\n", "amount 1e5"),
        (f"account,amount\n{C1},\n", "amount (none)"),
        ("account,amount\n,1\n", "account (none)"),
        (f"account,amount\n{C1},1\ncustomer/JPY/pool/c9,-1\n", "no account customer/JPY/pool/c9"),
        (f"account,amount\n{C1},1\n{WORLD},-2\n", "does not balance in JPY"),
        (f"account,amount\n{C1},0\n{WORLD},0\n", "nobody pays"),
    ],
)
def test_a_file_that_is_no_batch_is_refused(office: Office, tmp_path: Path, text: str, part: str) -> None:
    file = tmp_path / "entries.csv"
    file.write_text(text)
    assert part in office.refuses("ada", "books", "post", "deposit", "--entries", file, "--reference", "r").what


def test_a_file_that_is_not_there_is_refused_and_a_fault_in_one_is_told_by_row(office: Office, tmp_path: Path) -> None:
    post = ["books", "post", "deposit", "--reference", "r", "--entries"]
    assert "no such file" in office.refuses("ada", *post, "missing.csv").what
    file = tmp_path / "entries.csv"
    file.write_text(f"account,amount\n{C1},1\n{C1},x\n")
    assert office.refuses("ada", *post, file).where == f"{file}, row 3"


def test_a_wrong_batch_is_undone_once_by_two_people(office: Office) -> None:
    record = office.deposit("120", "w-1")
    undone = office.approved("ada", "books", "reverse", str(record), "--why", "twelve, not one hundred and twenty")
    assert [office.balance(account) for account in (C1, WORLD)] == ["0", "0"]
    again = office.json("ada", "books", "reverse", str(record), "--why", "again")
    assert (again["record"], again["posted_before"]) == (undone, True)


def test_a_day_means_its_end_in_the_time_zone_of_the_home(office: Office) -> None:
    office.deposit("100", "w-1", "--at", "2026-03-31")
    [line] = office.json("", "books", "statement", C1)["lines"]
    assert line["effective_at"] == "2026-03-31T14:59:59.999999+00:00"
    held = {
        at: office.balance(C1, "--at", at)
        for at in ("2026-03-30", "2026-03-31", "2026-03-31T23:59:59+09:00", "2026-03-31T15:00:00Z")
    }
    assert list(held.values()) == ["0", "100", "0", "100"]


def test_a_statement_has_its_first_and_its_last_day_in_it(office: Office) -> None:
    for day in (10, 11, 12, 13):
        office.deposit("1", f"w-{day}", "--at", f"2026-03-{day}")
    lines = office.json("", "books", "statement", C1, "--from", "2026-03-11", "--to", "2026-03-12")["lines"]
    assert [(line["says"]["reference"], line["balance"]) for line in lines] == [("w-11", "2"), ("w-12", "3")]
    table = office.says("", "books", "statement", C1, "--limit", "1")
    assert "2026-03-10 23:59:59+09:00" in table
    assert "… more" in table
    assert "2026-03-13" in office.says("", "books", "statement", C1, "--limit", "0")


def test_what_was_recorded_later_was_not_known_before(office: Office) -> None:
    office.deposit("1", "w-1", "--at", "2026-03-12")
    known = office.json("", "books", "statement", C1)["lines"][0]["recorded_at"]
    office.deposit("5", "late", "--at", "2026-03-10")
    assert office.balance(C1, "--at", "2026-03-12") == "6"
    assert office.balance(C1, "--at", "2026-03-12", "--known-at", known) == "1"
    assert len(office.json("", "books", "statement", C1, "--known-at", known)["lines"]) == 1


def test_accounts_are_opened_from_a_file_and_those_that_are_there_are_left_alone(
    office: Office, tmp_path: Path
) -> None:
    file = tmp_path / "codes.csv"
    file.write_text("code\ncustomer/JPY/pool/n1\ncustomer/BTC/pool/n1\n\n" + C1 + "\n")
    words = ["books", "open", "--file", str(file), "--why", "new customers"]
    assert office.json("ada", *words) == {"opened": 2, "there_already": 1}
    assert office.json("ada", *words) == {"opened": 0, "there_already": 3}
    found = office.json("", "books", "accounts", "--asset", "BTC")["accounts"]
    assert [(account["code"], account["status"], account["balance"]) for account in found] == [("customer/BTC/pool/n1", "open", "0")]  # fmt: skip
    assert "… more" in office.says("", "books", "accounts", "--owner", "customer", "--limit", "2")


def test_stopping_money_takes_one_person_and_moving_it_again_two(office: Office) -> None:
    assert "frozen" in office.says("cem", "books", "freeze", C1, "--why", "suspicious")
    assert "is frozen" in office.refuses("ada", *pays("deposit", WORLD, C1, "1"), "--reference", "r").what
    office.approved("ada", "books", "reopen", C1, "--why", "cleared")
    office.deposit("1", "r")
    number = str(office.json("ada", "books", "close", C1, "--why", "customer left")["request"])
    assert "holds something" in office.refuses("ben", "request", "approve", number, "--why", "w").what
    office.approved("ada", "books", "close", C2, "--why", "customer left")
    assert "is closed" in office.refuses("ada", *pays("deposit", WORLD, C2, "1"), "--reference", "r").what


def test_the_flow_rules_shown_are_all_that_there_are(office: Office) -> None:
    with (Path(junbikin.books.__path__[0]) / "flow_rules.csv").open(encoding="utf-8", newline="") as stream:
        stated = {(row["purpose"], row["payer"], row["receiver"], row["scope"]) for row in csv.DictReader(stream)}
    shown = office.json("", "books", "flows")["flows"]
    assert {(flow["purpose"], flow["payer"], flow["receiver"], flow["scope"]) for flow in shown} == stated
    assert "customer → own" in office.says("", "books", "flows")
    assert "利用者 → 自己" in said("--lang", "ja", "books", "flows", home=office.home)


def test_books_in_another_database_are_made_by_their_owner(databases: Databases, tmp_path: Path) -> None:
    database = databases.new()
    home = databases.home(tmp_path / "home", database)
    assert "--owner" in refused("books", "migrate", home=home).then
    assert "at version" in said("books", "migrate", "--owner", databases.owner(database), home=home)
    assert as_json(said("books", "accounts", "--json", home=home)) == {"accounts": []}
