"""Days that count, checked by hand against calendars."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from junbikin.calendars import Period, business_days_after, fiscal_year, is_business_day, months_after

APRIL = (4, 1)
days = st.dates(date(2000, 1, 1), date(2090, 12, 31))
starts = st.sampled_from([(1, 1), (3, 1), (4, 1), (10, 1), (12, 31)])


@pytest.mark.parametrize(
    ("day", "back", "name", "first", "last"),
    [
        (date(2026, 3, 31), 0, "FY2025", date(2025, 4, 1), date(2026, 3, 31)),
        (date(2026, 4, 1), 0, "FY2026", date(2026, 4, 1), date(2027, 3, 31)),
        (date(2026, 12, 31), 0, "FY2026", date(2026, 4, 1), date(2027, 3, 31)),
        (date(2027, 1, 1), 0, "FY2026", date(2026, 4, 1), date(2027, 3, 31)),
        (date(2026, 3, 31), 2, "FY2023", date(2023, 4, 1), date(2024, 3, 31)),
        (date(2024, 2, 29), 0, "FY2023", date(2023, 4, 1), date(2024, 3, 31)),
    ],
)
def test_fiscal_years_at_their_ends(day: date, back: int, name: str, first: date, last: date) -> None:
    assert fiscal_year(day, APRIL, back) == Period(name, first, last)


def test_a_fiscal_year_may_be_the_calendar_year() -> None:
    assert fiscal_year(date(2026, 12, 31), (1, 1)) == Period("FY2026", date(2026, 1, 1), date(2026, 12, 31))


def test_a_fiscal_year_with_a_29th_of_february_has_366_days() -> None:
    assert [fiscal_year(date(year, 4, 1), APRIL).days for year in (2022, 2023, 2024, 2027)] == [365, 366, 365, 366]
    assert fiscal_year(date(2024, 5, 1), (3, 1)).end == date(2025, 2, 28)
    assert fiscal_year(date(2023, 5, 1), (3, 1)).end == date(2024, 2, 29)


@given(days, starts, st.integers(0, 5))
def test_fiscal_years_follow_each_other_without_gap(day: date, start: tuple[int, int], back: int) -> None:
    year, before = fiscal_year(day, start, back), fiscal_year(day, start, back + 1)
    assert before.end + timedelta(days=1) == year.start
    assert (day in year) == (back == 0)
    assert (year.start.month, year.start.day) == start


@given(days, days, days)
def test_a_period_holds_both_its_ends_and_what_is_between(day: date, one: date, other: date) -> None:
    period = Period("", min(one, other), max(one, other))
    assert period.start in period
    assert period.end in period
    assert period.start - timedelta(days=1) not in period
    assert period.end + timedelta(days=1) not in period
    assert (day in period) == (period.start <= day <= period.end)
    assert period.days == (period.end - period.start).days + 1


@pytest.mark.parametrize(
    ("day", "years", "before"),
    [
        (date(2026, 3, 31), 10, date(2016, 3, 31)),
        (date(2024, 2, 29), 4, date(2020, 2, 29)),
        (date(2024, 2, 29), 1, date(2023, 2, 28)),
        (date(2024, 2, 29), 10, date(2014, 2, 28)),
        (date(2024, 2, 28), 1, date(2023, 2, 28)),
        (date(2025, 2, 28), 1, date(2024, 2, 28)),
    ],
)
def test_the_same_day_years_before(day: date, years: int, before: date) -> None:
    assert months_after(day, -12 * years) == before


def open_days(start: date, end: date) -> list[str]:
    span = (start + timedelta(days=count) for count in range((end - start).days + 1))
    return [f"{day:%m-%d}" for day in span if is_business_day(day)]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        # Golden Week: 29 April (Wed), 3 to 5 May, and 6 May in place of Sunday the 3rd.
        (date(2026, 4, 27), date(2026, 5, 9), ["04-27", "04-28", "04-30", "05-01", "05-07", "05-08"]),
        # 22 September is closed because it lies between two holidays.
        (date(2026, 9, 18), date(2026, 9, 25), ["09-18", "09-24", "09-25"]),
        # Banks are closed from 31 December to 3 January.
        (date(2026, 12, 29), date(2027, 1, 5), ["12-29", "12-30", "01-04", "01-05"]),
        (date(2024, 12, 29), date(2025, 1, 7), ["12-30", "01-06", "01-07"]),
        (date(2025, 12, 30), date(2026, 1, 6), ["12-30", "01-05", "01-06"]),
    ],
)
def test_the_days_on_which_japanese_banks_are_open(start: date, end: date, expected: list[str]) -> None:
    assert open_days(start, end) == expected


@pytest.mark.parametrize(
    ("day", "count", "due"),
    [
        (date(2026, 7, 6), 2, date(2026, 7, 8)),  # Monday to Wednesday
        (date(2026, 7, 9), 2, date(2026, 7, 13)),  # Thursday, over the weekend
        (date(2026, 7, 11), 1, date(2026, 7, 13)),  # arisen on a Saturday
        (date(2026, 4, 28), 2, date(2026, 5, 1)),
        (date(2026, 5, 1), 2, date(2026, 5, 8)),
        (date(2026, 5, 3), 1, date(2026, 5, 7)),
        (date(2026, 12, 29), 2, date(2027, 1, 4)),
        (date(2026, 12, 30), 2, date(2027, 1, 5)),
        (date(2026, 12, 31), 1, date(2027, 1, 4)),
        (date(2025, 3, 31), 2, date(2025, 4, 2)),
        (date(2026, 7, 9), 0, date(2026, 7, 9)),
    ],
)
def test_cure_dates(day: date, count: int, due: date) -> None:
    assert business_days_after(day, count) == due


@given(st.dates(date(2024, 1, 1), date(2028, 12, 31)), st.integers(1, 4))
def test_a_cure_date_is_open_and_leaves_as_many_open_days_as_were_given(day: date, count: int) -> None:
    due = business_days_after(day, count)
    assert is_business_day(due)
    assert len(open_days(day + timedelta(days=1), due)) == count
