"""Zengin bulk transfer files (総合振込): records of 120 bytes, written in columns.

The format is the Japanese Bankers Association's: `docs/payments.md` has its fields. Reading results is `answers.zengin`'s work.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from junbikin.errors import BadInput
from junbikin.incidents.pay import kana
from junbikin.incidents.pay.banks import NAME_WIDTH
from junbikin.incidents.pay.files import Written, writing
from junbikin.incidents.pay.payees import PAYEE
from junbikin.incidents.pay.paying_bank import ORIGINATOR_WIDTH, PayingBank, check_value_day

Bytes = NDArray[np.uint8]
Numbers = NDArray[np.int64]

RECORD = 120
MOST = 10**10 - 1
MOST_TOTAL = 10**12 - 1
MOST_RECORDS = 10**6 - 1
AT_ONCE = 8192
"""Records put together at once: few enough to stay in the processor's cache."""


@dataclass(frozen=True, slots=True)
class _Payments:
    payees: Bytes
    amounts: Numbers
    numbers: Numbers

    def part(self, rows: slice) -> _Payments:
        return _Payments(self.payees[rows], self.amounts[rows], self.numbers[rows])


def write(
    bank: PayingBank, value_on: date, payees: Bytes, amounts: Numbers, order: int, numbers: Numbers, folder: Path, stem: str
) -> list[Written]:  # fmt: skip
    """Writes the files that pay `amounts` of yen to `payees` (the first 80 bytes of their data records), and returns them in order.

    `order` and the payment's number stand in each record (顧客コード1, 2) and come back in the bank's result. The same payments give the
    same files, byte for byte. Raises `BadInput` when the value date is no business day, an amount does not fit its field, or
    a payee cannot be paid by bank.
    """
    check_value_day(value_on)
    payments = _Payments(payees, amounts, numbers)
    _check(payments)
    header, tail = _header(bank, value_on), _tail(order, bank)
    return [
        _file(folder / f"{stem}-{place:04d}.txt", header, payments.part(rows), tail, bank)
        for place, rows in enumerate(_cut(amounts, min(bank.record_limit, MOST_RECORDS)), 1)
    ]


def _check(payments: _Payments) -> None:
    possible = (payments.amounts > 0) & (payments.amounts <= MOST)
    if not possible.all():
        place = int(np.argmin(possible))
        raise BadInput(
            f"¥{payments.amounts[place]:,} cannot be transferred: a transfer is from ¥1 to ¥{MOST:,}",
            where=f"payment {payments.numbers[place]}", then="pay it by another channel",
        )  # fmt: skip
    known = payments.payees[:, 0] == ord("2")
    if not known.all():
        raise BadInput(
            "there is no bank account to pay to", where=f"payment {payments.numbers[int(np.argmin(known))]}",
            then="leave it out until there are instructions for it",
        )  # fmt: skip


def _cut(amounts: Numbers, limit: int) -> Iterator[slice]:
    """The payments of each file: as many as the bank takes and the total's field can hold."""
    sums, first, before = np.cumsum(amounts), 0, 0
    while first < len(amounts):
        fit = int(np.searchsorted(sums, before + MOST_TOTAL, "right"))
        last = min(first + limit, fit)
        yield slice(first, last)
        first, before = last, int(sums[last - 1])


def _file(path: Path, header: bytes, payments: _Payments, tail: bytes, bank: PayingBank) -> Written:
    end = bank.line_end.value
    people, total = len(payments.amounts), int(payments.amounts.sum())
    with writing(path) as file:
        file.write(header + end)
        for first in range(0, people, AT_ONCE):
            file.write(_records(payments.part(slice(first, first + AT_ONCE)), tail).data)
        file.write(f"8{people:06d}{total:012d}".ljust(RECORD).encode() + end)
        file.write(b"9".ljust(RECORD) + end)
    return Written(path, file.sha256, people, Decimal(total))


def _records(payments: _Payments, tail: bytes) -> Bytes:
    """Data records: `tail` is everything after the payee but the amount and the number."""
    rows = np.empty((len(payments.amounts), PAYEE + len(tail)), np.uint8)
    rows[:, :PAYEE] = payments.payees
    rows[:, PAYEE:] = np.frombuffer(tail, np.uint8)
    rows[:, 80:90] = digits(payments.amounts)
    rows[:, 101:111] = digits(payments.numbers)
    return rows


def _tail(order: int, bank: PayingBank) -> bytes:
    return (f"{0:010d}0{order:010d}{0:010d}7".ljust(RECORD - PAYEE)).encode() + bank.line_end.value


def _header(bank: PayingBank, value_on: date) -> bytes:
    branch = bank.branch
    return b"".join((
        b"1210", bank.originator_code.encode(), _name(bank.originator_name, ORIGINATOR_WIDTH), f"{value_on:%m%d}".encode(),
        branch.bank_code.encode(), _name(branch.bank, NAME_WIDTH), branch.code.encode(), _name(branch.name, NAME_WIDTH),
        bank.account_type.encode(), bank.account_number.encode(),
    )).ljust(RECORD)  # fmt: skip


def _name(name: str, width: int) -> bytes:
    return kana.encoded(name).ljust(width)


_FOUR = np.array([list(f"{number:04d}".encode()) for number in range(10_000)], np.uint8)


def digits(values: Numbers) -> Bytes:
    """Whole numbers below 10^10 as ten digits each, filled with zeros."""
    rows = np.empty((len(values), 10), np.uint8)
    high, low = np.divmod(values, 10**4)
    rows[:, 6:] = _FOUR[low]
    high, low = np.divmod(high, 10**4)
    rows[:, 2:6] = _FOUR[low]
    rows[:, :2] = _FOUR[high][:, 2:]
    return rows
