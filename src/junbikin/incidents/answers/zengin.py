"""Zengin result lists (振込結果): the records that were sent, with the bank's code for what became of each. Read in columns.

A list that breaks the format anywhere is refused whole: what it says of money cannot be trusted then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from junbikin.errors import SourceRefused
from junbikin.facts.engine import literal
from junbikin.incidents.pay import kana
from junbikin.incidents.pay.paying_bank import LineEnd, PayingBank
from junbikin.incidents.pay.zengin import MOST_RECORDS, MOST_TOTAL, RECORD

Bytes = NDArray[np.uint8]
Numbers = NDArray[np.int64]
AT_ONCE = 1 << 15
"""Records looked at at once."""

_NUMBERS = {
    "1": {"種別コード": (1, 3), "コード区分": (3, 4), "委託者コード": (4, 14), "振込指定日": (54, 58), "仕向銀行番号": (58, 62), "仕向支店番号": (77, 80), "預金種目": (95, 96), "口座番号": (96, 103)},
    "2": {"被仕向銀行番号": (1, 5), "被仕向支店番号": (20, 23), "預金種目": (42, 43), "口座番号": (43, 50), "振込金額": (80, 90)},
    "8": {"合計件数": (1, 7), "合計金額": (7, 19)},
}  # fmt: skip
_NAMES = {
    "1": {"委託者名": (14, 54), "仕向銀行名": (62, 77), "仕向支店名": (80, 95)},
    "2": {"被仕向銀行名": (5, 20), "被仕向支店名": (23, 38), "受取人名": (50, 80)},
}
"""The fields that are checked, by kind of record. A field that banks leave blank or fill as they like is not."""
_MAY_FOLLOW = {"": "1", "1": "28", "2": "28", "8": "19", "9": ""}


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    records: Bytes
    """All but the last, with what ends their lines."""
    last: bytes

    def refused(self, what: str, line: int) -> SourceRefused:
        return SourceRefused(
            what,
            where=f"{self.path}, record {line:,}",
            then="ask the bank for the list again: nothing of it was taken in",
        )


def read(engine: duckdb.DuckDBPyConnection, path: Path, bank: PayingBank) -> None:
    """Fills `answers` and `refused_answers` from a result list of a bank. Raises `SourceRefused`."""
    file = _open(path)
    kinds = _kinds(file)
    engine.execute(
        "CREATE OR REPLACE TEMP TABLE codes (line INTEGER, order_code BIGINT, number BIGINT, amount BIGINT, code UTINYINT)"
    )
    sums: list[Numbers] = []
    for first, rows in _blocks(file):
        _check_fields(file, rows, kinds[first : first + len(rows)], first)
        data = np.flatnonzero(rows[:, 0] == ord("2"))
        amounts = np.zeros(len(rows), np.int64)
        amounts[data] = whole(rows[data, 80:90])
        sums.append(amounts)
        taken = rows if len(data) == len(rows) else rows[data]
        _take(engine, taken, first + data + 1, amounts[data], bank)
    _check_batches(file, kinds, np.concatenate(sums) if sums else np.zeros(0, np.int64), bank)
    engine.execute(
        "CREATE OR REPLACE TEMP VIEW answers AS SELECT line::BIGINT AS line, 'JPY' AS asset, order_code, number, amount::DECIMAL(38,18) AS amount, "
        f"if({_among(bank.settled_codes)}, 'settled', 'returned') AS outcome, if({_among(bank.settled_codes)}, '', 'code ' || chr(code)) AS reason "
        "FROM codes"
    )


def _among(codes: str) -> str:
    return f"contains({literal(codes)}, chr(code))"


def _open(path: Path) -> _File:
    """The records of a file, whose line ends are those after its first record. Raises `SourceRefused` when one has not 120 bytes."""
    size = path.stat().st_size
    content = np.memmap(path, np.uint8, "r") if size else np.zeros(0, np.uint8)
    end = _line_end(content[: RECORD + 2].tobytes())
    ended = not end or content[-len(end) :].tobytes() == end
    count, rest = divmod(size if ended else size + len(end), RECORD + len(end))
    body = max(count - 1, 0) * (RECORD + len(end))
    file = _File(path, content[:body].reshape(-1, RECORD + len(end)), content[body : body + RECORD].tobytes())
    if count == 0 or content[:RECORD][np.isin(content[:RECORD], _ENDS)].size:
        raise file.refused(f"the first record is not of {RECORD} bytes", 1)
    for first, rows in _blocks(file):
        wrong = (rows[:, RECORD:] != np.frombuffer(end, np.uint8)).any(axis=1)
        if wrong.any():
            raise file.refused(f"a record is not of {RECORD} bytes", first + int(np.argmax(wrong)) + 1)
    if rest:
        raise file.refused(f"the last record is not of {RECORD} bytes", count + 1)
    return file


_ENDS = np.frombuffer(b"\r\n", np.uint8)


def _line_end(head: bytes) -> bytes:
    return next(end.value for end in LineEnd if head[RECORD:].startswith(end.value))


def _blocks(file: _File) -> Iterator[tuple[int, Bytes]]:
    for first in range(0, len(file.records), AT_ONCE):
        yield first, file.records[first : first + AT_ONCE]


def _kinds(file: _File) -> Bytes:
    """The kind of each record, the last included. Raises `SourceRefused` where one may not follow the one before."""
    kinds = np.append(file.records[:, 0], np.uint8(file.last[0]))
    allowed = np.zeros((256, 256), bool)
    for before, after in _MAY_FOLLOW.items():
        allowed[ord(before or "\0"), list(after.encode())] = True
    right = allowed[np.append(np.uint8(0), kinds[:-1]), kinds]
    if not right.all():
        place = int(np.argmin(right))
        raise file.refused(_out_of_turn("" if place == 0 else chr(kinds[place - 1]), chr(kinds[place])), place + 1)
    if kinds[-1] != ord("9"):
        raise file.refused("the list has no end record", len(kinds))
    return kinds


def _out_of_turn(before: str, kind: str) -> str:
    if kind not in "1289":
        return f"there is no record of kind {kind!r}"
    if before == "9":
        return "there is something after the end record"
    if kind in "28":
        return "a data record stands without a header" if kind == "2" else "a trailer stands without a header"
    return "a header has no trailer"


def _check_fields(file: _File, rows: Bytes, kinds: Bytes, first: int) -> None:
    for kind in "182":
        places = np.flatnonzero(kinds == ord(kind))
        if not len(places):
            continue
        classes = _classes(rows if len(places) == len(rows) else rows[places])
        common = np.bitwise_and.reduce(classes, axis=0)
        for fields, wanted, wrong in (
            (_NUMBERS, _DIGIT, "is not a number"),
            (_NAMES, _IN_NAMES, "has characters that no transfer can have"),
        ):
            for field, (start, end) in fields.get(kind, {}).items():
                if not (common[start:end] & wanted).all():
                    place = int(np.argmin((classes[:, start:end] & wanted).all(axis=1)))
                    raise file.refused(f"{field} {wrong}", first + int(places[place]) + 1)


_DIGIT, _IN_NAMES = 1, 2
_CLASS = bytes(_DIGIT * (chr(byte) in "0123456789") + _IN_NAMES * bool(kana.PERMITTED[byte]) for byte in range(256))


def _classes(rows: Bytes) -> Bytes:
    """Of each byte, whether it is a digit and whether names may have it."""
    return np.frombuffer(rows.tobytes().translate(_CLASS), np.uint8).reshape(rows.shape)


_PAIRS = np.zeros(1 << 16, np.int64)
for _pair in range(100):
    _PAIRS[int.from_bytes(f"{_pair:02d}".encode(), "little")] = _pair


def whole(digits: Bytes) -> Numbers:
    """The whole numbers that rows of ten digits say: two digits at a time are looked up."""
    pairs = np.ascontiguousarray(digits).view("<u2")
    found: Numbers = _PAIRS[pairs[:, 0]]
    for column in range(1, pairs.shape[1]):
        found *= 100
        found += _PAIRS[pairs[:, column]]
    return found


def _check_batches(file: _File, kinds: Bytes, amounts: Numbers, bank: PayingBank) -> None:
    """Raises `SourceRefused` unless each header is this bank's and the operator's, and each trailer counts its batch right."""
    headers, trailers = np.flatnonzero(kinds == ord("1")), np.flatnonzero(kinds == ord("8"))
    for header, trailer in zip(headers.tolist(), trailers.tolist(), strict=True):
        head, tail = (file.records[place, :RECORD].tobytes() for place in (header, trailer))
        if head[1:4] != b"210":
            raise file.refused("this is no list of bulk transfers (種別 21) in JIS", header + 1)
        if head[4:14] != bank.originator_code.encode() or head[58:62] != bank.branch.bank_code.encode():
            raise file.refused(f"the list is not of the operator's transfers by the bank {bank.name}", header + 1)
        count, total = trailer - header - 1, int(amounts[header + 1 : trailer].sum())
        if count > MOST_RECORDS or total > MOST_TOTAL:
            raise file.refused(f"{count:,} records of ¥{total:,} do not fit the trailer's fields", trailer + 1)
        if (int(tail[1:7]), int(tail[7:19])) != (count, total):
            raise file.refused(
                f"the trailer says {int(tail[1:7]):,} records of ¥{int(tail[7:19]):,}, and there are {count:,} of ¥{total:,}", trailer + 1
            )  # fmt: skip


def _take(engine: duckdb.DuckDBPyConnection, rows: Bytes, lines: Numbers, amounts: Numbers, bank: PayingBank) -> None:
    """Adds data records to `codes`, or to `refused_answers` where they name no payment of ours or their code means nothing."""
    digits = (rows[:, 91:111] - np.uint8(ord("0"))) < 10
    ours = rows[:, 112] != ord("Y") if digits.all() else digits.all(axis=1) & (rows[:, 112] != ord("Y"))
    codes = np.ascontiguousarray(rows[:, bank.result_at])
    meant = np.isin(np.arange(256), np.frombuffer((bank.settled_codes + bank.returned_codes).encode(), np.uint8))[codes]
    _refuse(engine, rows[~ours], lines[~ours], "it names no payment of ours")
    _refuse(
        engine,
        rows[ours & ~meant],
        lines[ours & ~meant],
        "the bank's code is neither one of settled nor one of returned transfers",
    )
    good: slice | NDArray[np.bool_] = slice(None) if (ours & meant).all() else ours & meant
    columns = {
        "line": lines[good].astype(np.int32),
        "order_code": whole(rows[good, 91:101]),
        "number": whole(rows[good, 101:111]),
        "amount": amounts[good],
        "code": codes[good],
    }
    engine.register("block", columns)
    engine.execute("INSERT INTO codes SELECT line, order_code, number, amount, code FROM block")
    engine.unregister("block")


def _refuse(engine: duckdb.DuckDBPyConnection, rows: Bytes, lines: Numbers, why: str) -> None:
    if len(rows):
        kana.read(rows[:, :RECORD]).given(engine, "block", lines)
        engine.execute("INSERT INTO refused_answers SELECT number, text, ? FROM block", [why])
        engine.unregister("block")
