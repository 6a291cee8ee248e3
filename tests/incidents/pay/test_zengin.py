"""Bulk transfer files: what the writer writes, a second reader reads back field by field."""

from __future__ import annotations

import hashlib
import os
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from junbikin.errors import BadInput
from junbikin.incidents.pay import kana, zengin
from junbikin.incidents.pay.banks import directory, field_name
from junbikin.incidents.pay.files import Written, writing
from junbikin.incidents.pay.paying_bank import LineEnd, PayingBank

from .banks import SAYS, SOME, accounts, bank
from .zengin_reader import NotZengin, read

FRIDAY = date(2026, 4, 3)
ORDER = 1_234_567_001
SAMPLE = Path(__file__).parents[3].parent / "shared" / "data" / "zengin" / "sougou-furikomi-sample.txt"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody pulls the plug here: files need not be on disk."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


def written(
    folder: Path, amounts: list[int], of: PayingBank | None = None, on: date = FRIDAY, numbers: list[int] | None = None
) -> list[Written]:
    payees = accounts(len(amounts))
    which = np.array(numbers or range(1, len(amounts) + 1), np.int64)
    return zengin.write(of or bank(), on, payees, np.array(amounts, np.int64), ORDER, which, folder, "JPY-x")


NAMES = st.text(kana.KANA + kana.OTHERS, min_size=1, max_size=30).filter(lambda name: kana.one(name) == name)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_is_written_is_read_back_field_by_field(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("files")
    count = data.draw(st.integers(1, 12))
    amounts = data.draw(st.lists(st.integers(1, 9_999_999_999), min_size=count, max_size=count))
    numbers = sorted(data.draw(st.sets(st.integers(1, 9_999_999_999), min_size=count, max_size=count)))
    names = data.draw(st.lists(NAMES, min_size=count, max_size=count))
    payees: NDArray[np.uint8] = np.concatenate([accounts(place + 1, name)[place:] for place, name in enumerate(names)])
    end = data.draw(st.sampled_from(LineEnd))
    limit = data.draw(st.integers(1, 12))
    of = bank(line_end=end.name, record_limit=str(limit))
    files = zengin.write(of, FRIDAY, payees, np.array(amounts), ORDER, np.array(numbers), folder, "s")
    payments: list[dict[str, str]] = []
    for file in files:
        [batch] = read(file.path.read_bytes(), end.value)
        assert batch.header == {
            "kind": "1", "sort": "21", "coding": "0", "originator": "0000123456", "originator_name": "ｶ)ｶｴﾃﾞｺｳｶﾝｼﾞﾖ", "day": "0403",
            "bank": SAYS["bank_code"], "bank_name": of.branch.bank, "branch": SAYS["branch_code"], "branch_name": of.branch.name,
            "account_type": "1", "account": "0054321", "rest": "",
        }  # fmt: skip
        assert 1 <= len(batch.payments) == file.people <= limit
        assert sum(int(payment["amount"]) for payment in batch.payments) == file.total <= 999_999_999_999
        assert file.sha256 == hashlib.sha256(file.path.read_bytes()).hexdigest()
        payments += batch.payments
    for place, payment in enumerate(payments):
        code = SOME[place % len(SOME)]
        branch = directory().branches[code]
        assert payment == {
            "kind": "2", "bank": code[0], "bank_name": branch.bank, "branch": code[1], "branch_name": branch.name, "clearing": "0000",
            "account_type": "1249"[place % 4], "account": f"{place:07d}", "payee": names[place].rstrip(" "), "amount": f"{amounts[place]:010d}",
            "new": "0", "customer_1": f"{ORDER:010d}", "customer_2": f"{numbers[place]:010d}", "how": "7", "edi": " ", "rest": " " * 7,
        }  # fmt: skip
    assert len(payments) == count


def test_the_same_payments_give_the_same_files_to_the_byte(tmp_path: Path) -> None:
    first = written(tmp_path / "one", list(range(1, 40)), bank(record_limit="7"))
    again = written(tmp_path / "two", list(range(1, 40)), bank(record_limit="7"))
    assert [file.path.name for file in first] == [f"JPY-x-{n:04d}.txt" for n in range(1, 7)]
    assert [file.path.read_bytes() for file in first] == [file.path.read_bytes() for file in again]
    assert [(file.sha256, file.people, file.total) for file in first] == [
        (file.sha256, file.people, file.total) for file in again
    ]


def test_files_end_before_the_total_overflows_its_field(tmp_path: Path) -> None:
    most = zengin.MOST
    files = written(tmp_path, [most] * 250 + [1] * 3)
    assert [file.people for file in files] == [100, 100, 53]
    assert files[0].total == 100 * most <= zengin.MOST_TOTAL < 101 * most
    for file in files:
        read(file.path.read_bytes(), b"\r\n")


def test_files_end_at_the_banks_limit_and_at_that_of_the_count(tmp_path: Path) -> None:
    assert [file.people for file in written(tmp_path, [1] * 20_000)] == [9_999, 9_999, 2]
    amounts = np.ones(1_000_001, np.int64)
    payees: Any = np.broadcast_to(accounts(1), (len(amounts), 80))
    files = zengin.write(
        bank(record_limit="999999"), FRIDAY, payees, amounts, ORDER, np.arange(1, len(amounts) + 1), tmp_path, "big"
    )
    assert [file.people for file in files] == [999_999, 2]


@pytest.mark.parametrize("amount", [0, -1, 10_000_000_000])
def test_an_amount_that_no_transfer_can_have_is_refused_by_its_payment(amount: int, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"payment 77(.|\n)*another channel"):
        written(tmp_path, [1, amount, 1], numbers=[5, 77, 99])
    assert not list(tmp_path.iterdir())


def test_a_payment_without_an_account_is_refused(tmp_path: Path) -> None:
    payees = accounts(3).copy()
    payees[2] = 0
    with pytest.raises(BadInput, match="payment 12"):
        zengin.write(bank(), FRIDAY, payees, np.ones(3, np.int64), ORDER, np.array([10, 11, 12]), tmp_path, "s")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("day", "following"),
    [
        (date(2026, 4, 4), "2026-04-06"),
        (date(2026, 4, 5), "2026-04-06"),
        (date(2026, 4, 29), "2026-04-30"),
        (date(2026, 5, 3), "2026-05-07"),
        (date(2026, 12, 31), "2027-01-04"),
        (date(2027, 1, 2), "2027-01-04"),
    ],
)
def test_a_day_on_which_banks_are_closed_is_refused_and_the_next_open_one_named(
    day: date, following: str, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match=following):
        written(tmp_path, [1], on=day)
    assert not list(tmp_path.iterdir())


def test_nobody_to_pay_makes_no_file(tmp_path: Path) -> None:
    assert written(tmp_path, []) == []


def test_a_file_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with writing(tmp_path / "a.txt") as file:
            file.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"bank_code": "9999"}, "no branch 9999-"),
        ({"branch_code": "000", "bank_code": "0001"}, "no branch 0001-000"),
        ({"originator_name": "楓交換所"}, "cannot be written"),
        ({"originator_name": "ア" * 41}, "cannot be written"),
        ({"originator_name": "ガ" * 21}, "cannot be written"),
        ({"returned_codes": "1|0"}, "both settled and returned"),
        ({"record_limit": "0"}, "0 records"),
        ({"record_limit": "1000000"}, "1000000 records"),
        ({"result_at": "85"}, "byte 85"),
        ({"result_at": "120"}, "byte 120"),
    ],
)
def test_a_paying_bank_that_cannot_be_used_is_refused_by_what_is_wrong(changes: dict[str, str], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        bank(**changes)


def test_every_bank_and_branch_has_a_name_that_fits_its_field() -> None:
    assert len(directory().branches) > 25_000
    for branch in directory().branches.values():
        assert 1 <= len(branch.bank) <= 15
        assert len(branch.name) <= 15
        assert kana.one(branch.bank) == branch.bank


def test_a_branch_name_is_cut_between_kana_and_never_before_a_mark() -> None:
    assert field_name("ア" * 20) == "ｱ" * 15
    assert field_name("ア" * 14 + "ガイ") == "ｱ" * 14
    assert field_name("ア" * 13 + "ガイ") == "ｱ" * 13 + "ｶﾞ"
    assert field_name("本店") == ""


@pytest.mark.skipif(not SAMPLE.exists(), reason="the sample in ../shared/data is not here")
def test_the_second_reader_reads_a_sample_that_somebody_else_made() -> None:
    [batch] = read(SAMPLE.read_bytes(), b"\r")
    assert (batch.header["originator"], batch.header["originator_name"], batch.header["day"]) == (
        "9190129006",
        "ﾓｼﾞ ｼﾖｳ",
        "0311",
    )
    said = [
        (payment["bank"], payment["branch"], payment["account"], payment["payee"], payment["amount"])
        for payment in batch.payments
    ]
    assert said == [
        ("9891", "993", "9801390", "ﾊﾟﾋﾟﾌﾟﾍﾟﾎﾟ", "0000054878"),
        ("9850", "968", "9046801", "ﾓｼﾞ ｼﾖｳ", "0000060137"),
    ]


def test_the_second_reader_can_refuse(tmp_path: Path) -> None:
    [file] = written(tmp_path, [10, 20])
    content = file.path.read_bytes()
    for broken in (
        content[:-1],
        content + b"9" + b" " * 119 + b"\r\n",
        content.replace(b"0000000010", b"0000000011"),
        content[122:],
    ):
        with pytest.raises(NotZengin):
            read(broken, b"\r\n")
