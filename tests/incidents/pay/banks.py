"""A paying bank as tests register it, and bank accounts to pay to."""

from __future__ import annotations

from itertools import islice

import numpy as np
from numpy.typing import NDArray

from junbikin.incidents.pay.banks import directory
from junbikin.incidents.pay.paying_bank import PayingBank

SOME = list(islice(directory().branches, 0, 20_000, 997))
"""Codes of some banks and branches that there are."""
SAYS = {
    "name": "Example Bank", "place": "kaede", "originator_code": "0000123456", "originator_name": "カ）カエデコウカンジョ", "bank_code": SOME[3][0],
    "branch_code": SOME[3][1], "account_type": "1", "account_number": "0054321", "record_limit": "9999", "line_end": "CRLF", "result_at": "111",
    "settled_codes": "0", "returned_codes": "1|2|8",
}  # fmt: skip


def bank(**changes: str) -> PayingBank:
    """The bank, with some fields another."""
    return PayingBank.of("example", SAYS | changes)


def accounts(count: int, payee: str = "ﾔﾏﾀﾞ ﾊﾅｺ") -> NDArray[np.uint8]:
    """The first 80 bytes of the records of so many accounts, put together by hand."""
    rows = []
    for place in range(count):
        code = SOME[place % len(SOME)]
        names = directory().branches[code]
        text = (
            f"2{code[0]}{names.bank:<15}{code[1]}{names.name:<15}0000{'1249'[place % 4]}{place % 10**7:07d}{payee:<30}"
        )
        rows.append(text.encode("cp932"))
    return np.frombuffer(b"".join(rows), np.uint8).reshape(count, 80)
