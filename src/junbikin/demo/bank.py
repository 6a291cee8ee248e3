"""An invented bank and an invented custodian: they answer files of transfers as real ones do, and send a few back.

Which come back follows from a seed, the order and the payment's number, so that the same file is answered the same.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from junbikin.errors import BadInput
from junbikin.incidents.pay.paying_bank import PayingBank

RECORD = 120
RETURNED_OF_1000 = 5
"""Of 1,000 transfers, how many come back."""
REASONS = ("address-not-whitelisted", "network-rejected")
"""Why an invented custodian sends coins back."""

_COLUMNS = {"payment_id", "quantity"}
_PAYMENT = re.compile(r".+-([0-9]{10})-([0-9]{10})")


@dataclass(frozen=True, slots=True)
class Answer:
    """The file of an answer: how many payments it calls settled, and how many returned."""

    path: Path
    settled: int
    returned: int


def answer(file: Path, bank: PayingBank | None, folder: Path, seed: int) -> Answer:
    """Answers a file in `folder`: transfers of a bank in that bank's form, or a custodian's list.

    Raises `BadInput` when the file is neither, or is one of transfers and `bank` is None.
    """
    content = file.read_bytes()
    if content[:4] == b"1210":
        if bank is None:
            raise BadInput(
                "these are transfers of a bank", where=str(file), then="say with --bank which registered bank answers"
            )
        return _as_bank(file, content, bank, folder, seed)
    return _as_custodian(file, folder, seed)


def _as_bank(file: Path, content: bytes, bank: PayingBank, folder: Path, seed: int) -> Answer:
    stride = RECORD + len(bank.line_end.value)
    if len(content) % stride:
        raise BadInput(
            f"its records are not of {RECORD} bytes with this bank's line ends", where=str(file),
            then="give a file as it was written for this bank",
        )  # fmt: skip
    records = np.frombuffer(content, np.uint8).reshape(-1, stride).copy()
    data = records[:, 0] == ord("2")
    order, number = (_whole(records[data, start : start + 10]) for start in (91, 101))
    fates = _drawn(order, number, seed)
    back = fates < RETURNED_OF_1000
    codes = np.frombuffer(bank.returned_codes.encode("ascii"), np.uint8)
    said = np.where(back, codes[fates % len(codes)], ord(bank.settled_codes[0]))
    records[data, bank.result_at] = said
    return _written(file, records.tobytes(), folder, back)


def _whole(digits: NDArray[np.uint8]) -> NDArray[np.int64]:
    number: NDArray[np.int64] = (digits - ord("0")).astype(np.int64) @ (10 ** np.arange(9, -1, -1, dtype=np.int64))
    return number


def _drawn(order: NDArray[np.int64], number: NDArray[np.int64], seed: int) -> NDArray[np.uint64]:
    """A whole number from 0 to 999 for each payment. Sebastiano Vigna's "splitmix64" finalizer, which wraps around on purpose."""
    mixed = (order.astype(np.uint64) << np.uint64(32)) ^ number.astype(np.uint64) ^ np.uint64(seed)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    found: NDArray[np.uint64] = (mixed ^ (mixed >> np.uint64(31))) % np.uint64(1000)
    return found


def _as_custodian(file: Path, folder: Path, seed: int) -> Answer:
    with file.open(encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(stream)
        if not set(rows.fieldnames or ()) >= _COLUMNS:
            raise BadInput(
                "this is neither a bank's file of transfers nor a custodian's list", where=str(file),
                then="name a file that `junbikin incident pay` wrote",
            )  # fmt: skip
        ids = [row["payment_id"] for row in rows]
    named = [_PAYMENT.fullmatch(one) for one in ids]
    if not all(named):
        raise BadInput(
            "a payment's id is not one of ours", where=str(file), then="name a file that `junbikin incident pay` wrote"
        )
    parts = np.array([match.groups() for match in named if match], np.int64).reshape(-1, 2)
    fates = _drawn(parts[:, 0], parts[:, 1], seed)
    back = fates < RETURNED_OF_1000
    lines = [
        f"{one},returned,,{REASONS[fate % len(REASONS)]}" if gone else f"{one},settled,invented-{one},"
        for one, gone, fate in zip(ids, back.tolist(), fates.tolist(), strict=True)
    ]
    text = "\n".join(["payment_id,outcome,reference,reason", *lines, ""])
    return _written(file, text.encode("utf-8"), folder, back)


def _written(file: Path, content: bytes, folder: Path, back: NDArray[np.bool_]) -> Answer:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{file.stem}-result{file.suffix}"
    path.write_bytes(content)
    returned = int(np.count_nonzero(back))
    return Answer(path, len(back) - returned, returned)
