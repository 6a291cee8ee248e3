"""The bank that pays (仕向銀行): the operator's account there, and what the bank takes and answers, as registered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from typing import Any

from junbikin.books.database import Books
from junbikin.calendars import business_days_after, is_business_day
from junbikin.errors import BadInput
from junbikin.incidents.pay import kana
from junbikin.incidents.pay.banks import Branch, branch_of
from junbikin.registry.log import latest

ORIGINATOR_WIDTH = 40
RESULT_AT = (90, *range(111, 120))
"""Where a data record has room for a result: the bytes that say neither who is paid, nor how much, nor which payment it is."""


class LineEnd(Enum):
    """What stands after each record of a file; banks differ."""

    CRLF = b"\r\n"
    LF = b"\n"
    CR = b"\r"
    NONE = b""


@dataclass(frozen=True, slots=True)
class PayingBank:
    """A registered paying bank. `originator_name` is in half-width kana.

    In the bank's result list the byte at `result_at` (counted from 0) of each data record says what became of the transfer.
    """

    name: str
    place: str
    originator_code: str
    originator_name: str
    branch: Branch
    account_type: str
    account_number: str
    record_limit: int
    line_end: LineEnd
    result_at: int
    settled_codes: str
    returned_codes: str

    @staticmethod
    def of(name: str, says: Mapping[str, Any]) -> PayingBank:
        """The bank from what is on record of it. Raises `BadInput` where that cannot be used."""
        branch = branch_of(says["bank_code"], says["branch_code"])
        if branch is None:
            raise _wrong(
                name, f"there is no branch {says['bank_code']}-{says['branch_code']}", "the codes of its branch"
            )
        originator = kana.one(says["originator_name"])
        if originator is None or len(originator) > ORIGINATOR_WIDTH:
            raise _wrong(
                name, f"the originator's name {says['originator_name']!r} cannot be written in a file",
                f"a name of at most {ORIGINATOR_WIDTH} half-width kana, capitals, digits, spaces and ()-.",
            )  # fmt: skip
        settled, returned = (says[field].replace("|", "") for field in ("settled_codes", "returned_codes"))
        if set(settled) & set(returned):
            raise _wrong(name, "a code means both settled and returned", "each code in one of the two fields")
        if not 1 <= int(says["record_limit"]) <= 999_999:
            raise _wrong(name, f"a file cannot have {says['record_limit']} records", "record_limit from 1 to 999999")
        if int(says["result_at"]) not in RESULT_AT:
            raise _wrong(name, f"no result can stand at byte {says['result_at']}", "result_at 90, or from 111 to 119")
        return PayingBank(
            name, says["place"], says["originator_code"], originator, branch, says["account_type"], says["account_number"],
            int(says["record_limit"]), LineEnd[says["line_end"]], int(says["result_at"]), settled, returned,
        )  # fmt: skip


def paying_bank(books: Books, name: str) -> PayingBank:
    """The paying bank of that name, as it was last registered. Raises `BadInput` when there is none."""
    says = latest(books, "paying_bank", name)
    if says is None:
        raise BadInput(
            f"no paying bank {name!r} is registered", where=str(books.home.path),
            then=f"register it: junbikin registry set paying_bank {name} FIELD=VALUE… --why REASON",
        )  # fmt: skip
    return PayingBank.of(name, says)


def check_value_day(day: date) -> None:
    """Raises `BadInput` that names the next business day unless banks are open on the day."""
    if not is_business_day(day):
        raise BadInput(
            f"banks are closed on {day}: nothing can be paid then", where="the value date (振込指定日)",
            then=f"name a business day: the next is {business_days_after(day, 1)}",
        )  # fmt: skip


MOST_DAYS_AHEAD = 180
"""A file says the month and the day, and no year: what lies further ahead could be read as another year's."""


def check_new_value_day(day: date, today: date) -> None:
    """Raises `BadInput` unless banks are open on the day, and it lies neither behind nor far ahead."""
    check_value_day(day)
    if not today <= day <= today + timedelta(days=MOST_DAYS_AHEAD):
        raise BadInput(
            f"{day} is {'past' if day < today else f'more than {MOST_DAYS_AHEAD} days ahead'}",
            where="the value date (振込指定日)", then="name a business day soon to come: a file says no year",
        )  # fmt: skip


def _wrong(name: str, what: str, then: str) -> BadInput:
    return BadInput(
        what,
        where=f"paying bank {name}",
        then=f"register it anew with {then}: junbikin registry set paying_bank {name}",
    )
