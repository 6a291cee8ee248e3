"""A second reader of Zengin bulk transfer files: one record after the other, field by field, from the published tables alone.

It knows nothing of the writer. Fields are (name, type, bytes) in order; N is digits, C text of the permitted set, X anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field

HEADER = [
    ("kind", "N", 1), ("sort", "N", 2), ("coding", "N", 1), ("originator", "N", 10), ("originator_name", "C", 40), ("day", "N", 4),
    ("bank", "N", 4), ("bank_name", "C", 15), ("branch", "N", 3), ("branch_name", "C", 15), ("account_type", "N", 1), ("account", "N", 7),
    ("rest", "C", 17),
]  # fmt: skip
DATA = [
    ("kind", "N", 1), ("bank", "N", 4), ("bank_name", "C", 15), ("branch", "N", 3), ("branch_name", "C", 15), ("clearing", "X", 4),
    ("account_type", "N", 1), ("account", "N", 7), ("payee", "C", 30), ("amount", "N", 10), ("new", "N", 1), ("customer_1", "C", 10),
    ("customer_2", "C", 10), ("how", "N", 1), ("edi", "X", 1), ("rest", "X", 7),
]  # fmt: skip
TRAILER = [("kind", "N", 1), ("count", "N", 6), ("total", "N", 12), ("rest", "C", 101)]
END = [("kind", "N", 1), ("rest", "C", 119)]
TABLES = {"1": HEADER, "2": DATA, "8": TRAILER, "9": END}
CAN_BE_VOICED = set("ｳｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾊﾋﾌﾍﾎ")
CAN_BE_HALF_VOICED = set("ﾊﾋﾌﾍﾎ")
LETTERS = set("ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜﾝﾞﾟABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ()-.")


class NotZengin(Exception):
    """What is wrong with a file."""


@dataclass
class Batch:
    """What stands between a header and its trailer."""

    header: dict[str, str]
    payments: list[dict[str, str]] = field(default_factory=list)


def read(content: bytes, end: bytes) -> list[Batch]:
    """The batches of a file whose records end with `end`."""
    size = 120 + len(end)
    if len(content) % size:
        raise NotZengin("length")
    batches: list[Batch] = []
    open_batch: Batch | None = None
    over = False
    for start in range(0, len(content), size):
        record, after = content[start : start + 120], content[start + 120 : start + size]
        if after != end:
            raise NotZengin("line end")
        if over:
            raise NotZengin("after the end")
        kind = chr(record[0])
        said = fields(record, TABLES[kind])
        if kind == "1":
            if open_batch is not None:
                raise NotZengin("header in a batch")
            if (said["sort"], said["coding"]) != ("21", "0"):
                raise NotZengin("sort")
            open_batch = Batch(said)
        elif kind == "2":
            if open_batch is None:
                raise NotZengin("no header")
            open_batch.payments.append(said)
        elif kind == "8":
            if open_batch is None:
                raise NotZengin("no header")
            if int(said["count"]) != len(open_batch.payments):
                raise NotZengin("count")
            if int(said["total"]) != sum(int(payment["amount"]) for payment in open_batch.payments):
                raise NotZengin("total")
            batches.append(open_batch)
            open_batch = None
        else:
            over = True
    if not over or open_batch is not None:
        raise NotZengin("no end")
    return batches


def fields(record: bytes, table: list[tuple[str, str, int]]) -> dict[str, str]:
    """The fields of a record; texts without the spaces that fill them."""
    said: dict[str, str] = {}
    at = 0
    for name, kind, size in table:
        raw = record[at : at + size]
        at += size
        text = "".join(character(byte) for byte in raw)
        if kind == "N":
            if not all("0" <= sign <= "9" for sign in text):
                raise NotZengin(f"{name} is no number: {text!r}")
            said[name] = text
        elif kind == "C":
            check_text(name, text)
            said[name] = text.rstrip(" ")
        else:
            said[name] = text
    assert at == 120
    return said


def character(byte: int) -> str:
    """A byte of JIS X 0201: Roman below 128, half-width kana from 0xA1 on."""
    return chr(byte) if byte < 0x80 else chr(0xFF61 + byte - 0xA1) if 0xA1 <= byte <= 0xDF else "?"


def check_text(name: str, text: str) -> None:
    """Every character is permitted, and every mark stands behind a kana that can take it."""
    before = ""
    for sign in text:
        if sign not in LETTERS:
            raise NotZengin(f"{name} has {sign!r}")
        if (sign == "ﾞ" and before not in CAN_BE_VOICED) or (sign == "ﾟ" and before not in CAN_BE_HALF_VOICED):
            raise NotZengin(f"{name} has a mark behind {before!r}")
        before = sign
