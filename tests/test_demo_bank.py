"""The invented bank answers each transfer once, in the paying bank's form, and the same file always the same."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from junbikin.cli import root
from junbikin.demo.bank import REASONS, answer
from junbikin.errors import BadInput
from junbikin.incidents.pay import zengin
from junbikin.incidents.pay.paying_bank import PayingBank

PEOPLE = 5_000
SAYS: dict[str, Any] = {
    "place": "namiki", "originator_code": "0000012345", "originator_name": "アオゾラ", "bank_code": "0001", "branch_code": "001",
    "account_type": "1", "account_number": "1234567", "record_limit": "9999", "line_end": "CRLF", "result_at": "112",
    "settled_codes": "0", "returned_codes": "1|2",
}  # fmt: skip


def bank(**changes: str) -> PayingBank:
    return PayingBank.of("namiki", SAYS | changes)


def transfers(of: PayingBank, folder: Path, order: int = 1_234_567_001) -> Path:
    payees = np.full((PEOPLE, 80), ord("0"), np.uint8)
    payees[:, 0] = ord("2")
    numbers = np.arange(1, PEOPLE + 1, dtype=np.int64)
    [written] = zengin.write(of, date(2026, 4, 3), payees, numbers * 100, order, numbers, folder, "pay")
    return written.path


def custodians_list(folder: Path) -> Path:
    file = folder / "coins.csv"
    rows = [f"BTC-1234567001-{number:010d},{number},BTC,0.5,bitcoin,nowhere" for number in range(1, 2_001)]
    file.write_text("\n".join(["payment_id,account_id,asset,quantity,network,address", *rows, ""]), encoding="utf-8")
    return file


@pytest.mark.parametrize(("line_end", "at"), [("CRLF", 112), ("LF", 90), ("CR", 119), ("NONE", 111)])
def test_only_the_byte_of_the_result_differs_and_only_in_data_records(tmp_path: Path, line_end: str, at: int) -> None:
    of = bank(line_end=line_end, result_at=str(at))
    file = transfers(of, tmp_path)
    said = answer(file, of, tmp_path / "answers", 1)
    stride = 120 + len(of.line_end.value)
    before, after = (
        np.frombuffer(path.read_bytes(), np.uint8).reshape(-1, stride).copy() for path in (file, said.path)
    )
    codes = after[1:-2, at]
    assert set(codes.tolist()) == set(b"012")
    assert int((codes == ord("0")).sum()) == said.settled
    assert said.settled + said.returned == PEOPLE
    assert 0 < said.returned < PEOPLE // 100
    after[1:-2, at] = before[1:-2, at]
    assert (before == after).all()


def test_the_same_file_is_answered_the_same_and_another_run_otherwise(tmp_path: Path) -> None:
    of = bank()
    file, again = transfers(of, tmp_path / "one"), transfers(of, tmp_path / "two", order=1_234_567_002)
    first, same, other = (
        answer(given, of, tmp_path / folder, 1).path.read_bytes()
        for given, folder in ((file, "a"), (file, "b"), (again, "c"))
    )
    assert first == same
    at = slice(112, None, 122)
    assert first[at] != other[at]


def test_a_custodians_list_is_confirmed_line_by_line(tmp_path: Path) -> None:
    said = answer(custodians_list(tmp_path), None, tmp_path / "answers", 1)
    lines = [line.split(",") for line in said.path.read_text(encoding="utf-8").splitlines()[1:]]
    assert [line[0] for line in lines] == [f"BTC-1234567001-{number:010d}" for number in range(1, 2_001)]
    assert sum(line[1] == "settled" for line in lines) == said.settled
    assert {line[3] for line in lines if line[1] == "returned"} <= set(REASONS)
    assert said.returned > 0


@pytest.mark.parametrize(
    ("content", "message"), [(b"a,b\n1,2\n", "neither"), (b"payment_id,quantity\nx,1\n", "not one of ours")]
)
def test_what_is_no_file_of_payments_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "odd.csv"
    file.write_bytes(content)
    with pytest.raises(BadInput, match=message):
        answer(file, None, tmp_path / "answers", 1)


def test_transfers_need_the_bank_that_they_were_written_for(tmp_path: Path) -> None:
    file = transfers(bank(), tmp_path)
    with pytest.raises(BadInput, match="transfers of a bank"):
        answer(file, None, tmp_path / "answers", 1)
    with pytest.raises(BadInput, match="line ends"):
        answer(file, bank(line_end="NONE"), tmp_path / "answers", 1)


def test_the_command_says_what_it_answered_and_that_it_is_invented(tmp_path: Path) -> None:
    words = ["demo-bank", str(custodians_list(tmp_path)), "--to", str(tmp_path / "answers")]
    told = CliRunner().invoke(root, words, catch_exceptions=False)
    assert "returned (invented)" in told.output
