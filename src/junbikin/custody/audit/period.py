"""The period of a pack: a month, a fiscal year of the home, or any row of days."""

from __future__ import annotations

import re
from datetime import date, timedelta

from junbikin.calendars import Period, fiscal_year, months_after
from junbikin.errors import BadInput
from junbikin.home import Home

HELP = "a month such as 2025-04, a fiscal year such as FY2025, or days such as 2025-04-01..2025-06-30"


def period_of(home: Home, text: str) -> Period:
    """The days that a text names. Raises `BadInput` when it names none, or days to come: nothing is known of them."""
    try:
        period = _read(home, text)
    except (ValueError, OverflowError):
        period = None
    if period is None or period.start > period.end:
        raise BadInput(f"{text!r} is no period", where="--period", then=f"write {HELP}")
    if period.end > home.today():
        raise BadInput(
            f"{text} ends on {period.end}, which has not come yet", where="--period",
            then=f"name days until today, such as {min(period.start, home.today())}..{home.today()}",
        )  # fmt: skip
    return period


def _read(home: Home, text: str) -> Period | None:
    if re.fullmatch(r"\d{4}-\d{2}", text):
        first = date.fromisoformat(f"{text}-01")
        return Period(text, first, months_after(first, 1) - timedelta(days=1))
    if re.fullmatch(r"FY\d{4}", text):
        month, day = home.fiscal_year_starts
        return fiscal_year(date(int(text[2:]), month, day), home.fiscal_year_starts)
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}\.\.\d{4}-\d{2}-\d{2}", text):
        first, last = map(date.fromisoformat, text.split(".."))
        return Period(text, first, last)
    return None
