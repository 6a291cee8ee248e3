"""Payout instructions are judged: the newest of each counts, and whoever cannot be paid is told with why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import numpy as np
import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

from custody.conftest import bring
from junbikin.errors import BadInput, FactsDamaged
from junbikin.facts.lake import open_lake
from junbikin.home import Home, create_home
from junbikin.incidents.pay import judge, kana
from junbikin.incidents.pay.banks import directory
from junbikin.incidents.pay.payees import MANIFEST, RECORDS, Payees, open_payees
from junbikin.incidents.pay.statuses import Status, Way

from .banks import SOME
from .zengin_reader import DATA, fields

BANK, BRANCH = SOME[5]
EARLY, LATE, LATER = "2026-03-01T09:00:00+09:00", "2026-03-02T09:00:00+09:00", "2026-03-03T09:00:00+09:00"


def told(account: str, at: str = LATE, **changes: str) -> str:
    """A row of instructions: a bank account, unless changed."""
    row = {
        "channel": "bank", "bank_code": BANK, "branch_code": BRANCH, "account_type": "1", "account_number": "0012345",
        "payee": "ヤマダ　ハナコ", "asset": "", "network": "", "address": "",
    } | changes  # fmt: skip
    return ",".join([account, at, *row.values()])


def elsewhere(account: str, channel: str, at: str = LATE, asset: str = "", network: str = "", address: str = "") -> str:
    """A row of instructions by another way."""
    empty = {"bank_code": "", "branch_code": "", "account_type": "", "account_number": "", "payee": ""}
    return told(account, at, channel=channel, asset=asset, network=network, address=address, **empty)


def entitled(folder: Path, accounts: Sequence[str], assets: Sequence[str] = ("JPY",)) -> Path:
    """Entitlements of some accounts, as a plan keeps them."""
    path = folder / "entitlements.parquet"
    columns = ", ".join(f'1::DECIMAL(38,0) AS "{asset}"' for asset in assets)
    with duckdb.connect() as engine:
        engine.execute("CREATE TABLE accounts AS SELECT unnest(?::VARCHAR[]) AS account_id", [list(accounts)])
        engine.execute(
            f"COPY (SELECT row_number() OVER (ORDER BY account_id) AS number, account_id, 1::DECIMAL(38,18) AS holding, {columns} "
            f"FROM accounts ORDER BY account_id) TO '{path}' (FORMAT parquet)"
        )
    return path


def judged(home: Home, path: Path) -> Payees:
    return judge.prepare(home, open_lake(home), "0" * 64, path, home.path / "payees", lambda what, share: None)


def statuses(payees: Payees, asset: str = "JPY") -> list[str]:
    return [Status(code).word for code in payees.array(asset, "status").tolist()]


def table(payees: Payees, asset: str = "JPY") -> list[tuple[object, ...]]:
    """The rows of a table; when instructions were given, in microseconds."""
    return duckdb.execute(
        f"SELECT * EXCLUDE (given_at), epoch_us(given_at) FROM {payees.table(asset)} ORDER BY number"
    ).fetchall()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return create_home(tmp_path / "home", "Example")


WRONG: Mapping[str, Mapping[str, str]] = {
    "unknown_bank": {"bank_code": "9999"},
    "unknown_bank ": {"bank_code": ""},
    "unknown_bank  ": {"bank_code": "1"},
    "unknown_branch": {"branch_code": "000", "bank_code": "0001"},
    "unknown_branch ": {"branch_code": ""},
    "wrong_account_type": {"account_type": "3"},
    "wrong_account_type ": {"account_type": ""},
    "wrong_account_type  ": {"account_type": "普通"},
    "wrong_account_number": {"account_number": "12345678"},
    "wrong_account_number ": {"account_number": "12-3456"},
    "wrong_account_number  ": {"account_number": "0000000"},
    "wrong_account_number   ": {"account_number": ""},
    "no_name": {"payee": ""},
    "no_name ": {"payee": "　"},
    "name_not_writable": {"payee": "山田花子"},
    "name_not_writable ": {"payee": "ヲカ"},
    "name_not_writable  ": {"payee": "ﾞｱ"},
    "name_too_long": {"payee": "ガ" * 16},
    "wrong_way": {"channel": "address", "asset": "JPY"},
}


def test_whoever_cannot_be_paid_is_told_with_why(home: Home) -> None:
    names = [f"a{place:02d}" for place in range(len(WRONG))]
    bring(
        home,
        "payout_instructions",
        [told(name, **changes) for name, changes in zip(names, WRONG.values(), strict=True)],
    )
    payees = judged(home, entitled(home.path, [*names, "b-nobody"]))
    assert statuses(payees) == [*(status.strip() for status in WRONG), "no_instruction"]
    assert not payees.records.any()
    assert not payees.payable("zengin", "JPY", 1, payees.people).any()


def test_every_status_has_words_in_both_languages_and_says_what_to_do() -> None:
    for status in Status:
        assert all((status.says.en, status.says.ja, status.then.en, status.then.ja))


def test_the_newest_instruction_counts_though_it_is_worse_and_came_first(home: Home) -> None:
    bring(
        home,
        "payout_instructions",
        [told("a", LATER, bank_code="9999"), told("b", LATER), elsewhere("c", "account", LATER)],
    )
    bring(home, "payout_instructions", [told("a", EARLY), told("b", LATE, bank_code="9999"), told("c", LATE)])
    payees = judged(home, entitled(home.path, ["a", "b", "c"]))
    assert statuses(payees) == ["unknown_bank", "ok", "ok"]
    assert payees.payable("zengin", "JPY", 1, 3).tolist() == [False, True, False]
    assert payees.payable("account", "JPY", 1, 3).tolist() == [False, False, True]
    assert payees.payable("zengin", "JPY", 2, 1).tolist() == [True]


def test_an_instruction_is_newer_than_the_one_that_was_judged_before(home: Home) -> None:
    bring(home, "payout_instructions", [told("a", EARLY), told("b", EARLY)])
    before = judged(home, entitled(home.path, ["a", "b", "c"]))
    bring(home, "payout_instructions", [told("b", LATE), told("c", LATE)])
    after = judged(home, entitled(home.path, ["a", "b", "c"]))
    assert after.given_since(before, "JPY", 1, 3).tolist() == [False, True, True]
    assert after.given_since(after, "JPY", 1, 3).tolist() == [False] * 3


def test_two_instructions_of_one_instant_contradict_each_other(home: Home) -> None:
    bring(
        home,
        "payout_instructions",
        [told("a"), told("a", asset="JPY", account_number="7"), told("b", asset="JPY"), told("b", EARLY)],
    )
    payees = judged(home, entitled(home.path, ["a", "b"]))
    assert statuses(payees) == ["contradictory", "ok"]
    assert not payees.records[0].any()


def test_each_asset_goes_its_own_way(home: Home) -> None:
    bring(
        home,
        "payout_instructions",
        [
            told("a"), elsewhere("a", "address", LATER, "XEM", "nem:main", "NALICE"),
            elsewhere("b", "account", EARLY),
            told("c"), elsewhere("c", "address", EARLY, "", "nem:main", "NCAROL"),
            elsewhere("d", "address", LATE, "XEM", "", "NDAN"), told("d", EARLY, asset="XEM"),
            told("e", asset="XEM"),
        ],
    )  # fmt: skip
    payees = judged(home, entitled(home.path, ["a", "b", "c", "d", "e"], ["JPY", "XEM"]))
    assert statuses(payees, "JPY") == ["ok", "ok", "ok", "no_instruction", "no_instruction"]
    assert statuses(payees, "XEM") == ["ok", "ok", "no_address", "no_address", "wrong_way"]
    assert payees.payable("custodian", "XEM", 1, 5).tolist() == [True, False, False, False, False]
    assert payees.payable("account", "XEM", 1, 5).tolist() == [False, True, False, False, False]
    assert payees.array("JPY", "way").tolist() == [Way.BANK, Way.ACCOUNT, Way.BANK, Way.NONE, Way.NONE]
    rows = duckdb.execute(f"SELECT network, address FROM {payees.table('XEM')} WHERE number = 1").fetchall()
    assert rows == [("nem:main", "NALICE")]
    with pytest.raises(BadInput, match="no payees of BTC"):
        payees.array("BTC", "status")


def test_a_transfer_has_the_codes_and_names_of_the_list_of_banks(home: Home) -> None:
    bring(home, "payout_instructions", [told("a", account_number="42", payee="ｶ)がっこう　ー", account_type="4")])
    payees = judged(home, entitled(home.path, ["a"]))
    said = fields(payees.records[0].tobytes() + b"0" * 31 + b"7" + b" " * 8, DATA)
    branch = directory().branches[BANK, BRANCH]
    assert (said["bank"], said["bank_name"], said["branch"], said["branch_name"]) == (
        BANK,
        branch.bank,
        BRANCH,
        branch.name,
    )
    assert (said["account_type"], said["account"], said["payee"]) == ("4", "0000042", "ｶ)ｶﾞﾂｺｳ -")
    [row] = duckdb.execute(
        f"SELECT status, account_number, payee, given_at::VARCHAR FROM {payees.table('JPY')}"
    ).fetchall()
    assert row[:3] == ("ok", "0000042", "ｶ)ｶﾞﾂｺｳ -")


def test_the_same_facts_give_the_same_payees_however_they_came_and_in_blocks_of_any_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"acct-{place * 7919 % 1000:03d}" for place in range(400)]
    rows = [
        told(name, account_number=str(1 + place), payee=("ヤマダ", "山田", "ｶﾄｳ")[place % 3])
        for place, name in enumerate(names)
        if place % 11
    ]
    found: list[Payees] = []
    for block in (1_000_000, 150, 64):
        monkeypatch.setattr(judge, "BLOCK", block)
        home = create_home(tmp_path / f"home-{len(found)}", "Example")
        bring(home, "payout_instructions", rows)
        found.append(judged(home, entitled(home.path, names)))
    first = found[0]
    assert statuses(first).count("no_instruction") == len(range(0, 400, 11))
    for other in found[1:]:
        for name in ("status", "way", "given"):
            assert np.array_equal(other.array("JPY", name), first.array("JPY", name))
        assert np.array_equal(other.records, first.records)
        assert table(other) == table(first)
    again = judged(home, entitled(home.path, names))
    assert again == found[-1]
    assert sorted(path.name for path in again.folder.parent.glob("[!.]*")) == [again.digest]


NAMES = st.text("ヤマダハナコガパー山 ヲaＺ9（/", max_size=12)


@settings(max_examples=15, deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=12))
def test_a_name_is_paid_to_just_when_it_can_be_written(names: list[str]) -> None:
    with duckdb.connect() as engine:
        engine.execute("CREATE TABLE said (number BIGINT, channel VARCHAR, payee VARCHAR)")
        engine.executemany("INSERT INTO said VALUES (?, 'bank', ?)", list(enumerate(names)))
        judge._write_names(engine)
        found = engine.execute(
            f"SELECT number, trim(name), {kana.can_be_written('trim(name)')} FROM names ORDER BY number"
        ).fetchall()
    assert [(number, name if right else None) for number, name, right in found] == [
        (number, kana.one(name)) for number, name in enumerate(names)
    ]


@pytest.mark.parametrize("spoil", ["status.bin", RECORDS, MANIFEST, "parquet"])
def test_payees_that_were_altered_are_not_used(spoil: str, home: Home) -> None:
    bring(home, "payout_instructions", [told("a"), told("b")])
    payees = judged(home, entitled(home.path, ["a", "b"]))
    assert open_payees(payees.folder.parent, payees.digest) == payees
    [file] = [path for path in payees.folder.rglob("*") if path.name.endswith(spoil)]
    content = bytearray(file.read_bytes())
    content[-10 if len(content) > 10 else 0] ^= 1
    file.write_bytes(content)
    with pytest.raises(BadInput, match=r"altered(.|\n)*incident payees"):
        open_payees(payees.folder.parent, payees.digest)


def test_instructions_whose_file_was_changed_pay_nobody(home: Home) -> None:
    bring(home, "payout_instructions", [told("a")])
    [file] = home.facts.rglob("*.parquet")
    file.write_bytes(file.read_bytes() + b" ")
    with pytest.raises(FactsDamaged):
        judged(home, entitled(home.path, ["a"]))
    assert not list((home.path / "payees").glob("*"))


def test_payees_are_judged_by_one_at_a_time(home: Home) -> None:
    path = entitled(home.path, ["a"])
    (home.path / "payees").mkdir()
    with FileLock(home.path / "payees" / ".lock"), pytest.raises(BadInput, match="already"):
        judged(home, path)
    assert judged(home, path).people == 1


def test_without_any_instruction_nobody_can_be_paid(home: Home) -> None:
    payees = judged(home, entitled(home.path, ["a", "b"]))
    assert payees.counts == {"JPY": {"no_instruction": 2}}
    assert payees.banks == directory().edition


def test_counts_say_everyone(home: Home) -> None:
    bring(home, "payout_instructions", [told("a"), told("b", bank_code="9999"), elsewhere("c", "account")])
    payees = judged(home, entitled(home.path, ["a", "b", "c", "d"]))
    assert payees.counts == {"JPY": {"ok": 2, "no_instruction": 1, "unknown_bank": 1}}
    assert payees.people == 4
