"""Days that count: Japanese business days, cure dates and fiscal years."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

import jpholiday


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `start` to `end`, both included."""

    name: str
    start: date
    end: date

    def __contains__(self, day: date) -> bool:
        return self.start <= day <= self.end

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.end - self.start).days + 1


def fiscal_year(day: date, starts: tuple[int, int], back: int = 0) -> Period:
    """The fiscal year (事業年度) that holds `day`, or the one `back` years before it; named by its first year."""
    year = day.year - (1 if (day.month, day.day) < starts else 0) - back
    first = date(year, *starts)
    return Period(f"FY{year}", first, date(year + 1, *starts) - timedelta(days=1))


def months_after(day: date, months: int) -> date:
    """The same day of the month `months` after (below 0: before); the month's last day where it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def is_business_day(day: date) -> bool:
    """Whether Japanese banks are open: not a weekend, a national holiday, or 31 December to 3 January."""
    new_year = (day.month, day.day) in ((12, 31), (1, 1), (1, 2), (1, 3))
    return day.weekday() < 5 and not new_year and not jpholiday.is_holiday(day)


def business_days_after(day: date, count: int) -> date:
    """The `count`-th business day after `day` (one that arises today and has 1 day is due the next business day)."""
    while count > 0:
        day += timedelta(days=1)
        if is_business_day(day):
            count -= 1
    return day
