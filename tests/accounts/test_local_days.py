from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.local_days import (
    DateRange,
    Period,
    add_months,
    get_day_end,
    get_day_start,
    get_month_end,
    resolve_period,
    to_local_date,
)


def test_local_day_is_the_customers_not_the_servers() -> None:
    late = datetime(2026, 10, 31, 21, 30, tzinfo=UTC)
    assert to_local_date(late) == date(2026, 11, 1)
    assert to_local_date(late, "Europe/Kaliningrad") == date(2026, 10, 31)
    assert to_local_date(late, "Asia/Vladivostok") == date(2026, 11, 1)
    assert to_local_date(datetime(2026, 10, 31, 20, 59, 59, tzinfo=UTC)) == date(2026, 10, 31)


def test_bounds_of_a_day_touch_those_of_the_next() -> None:
    assert get_day_start(date(2026, 11, 1)) == datetime(2026, 10, 31, 21, tzinfo=UTC)
    assert get_day_end(date(2026, 11, 1)) == get_day_start(date(2026, 11, 2))


def test_a_day_of_a_clock_change_has_another_length() -> None:
    spring = date(2026, 3, 29)
    hours = (get_day_end(spring, "Europe/Berlin") - get_day_start(spring, "Europe/Berlin")).total_seconds() / 3600
    assert hours == 23


@pytest.mark.parametrize(
    ("day", "months", "wished", "expected"),
    [
        (date(2026, 1, 31), 1, None, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, None, date(2028, 2, 29)),
        (date(2028, 2, 29), 12, None, date(2029, 2, 28)),
        (date(2029, 2, 28), 36, 29, date(2032, 2, 29)),
        (date(2026, 2, 28), 1, 31, date(2026, 3, 31)),
        (date(2026, 12, 31), 2, None, date(2027, 2, 28)),
        (date(2026, 1, 15), -1, None, date(2025, 12, 15)),
        (date(2026, 3, 31), -1, None, date(2026, 2, 28)),
    ],
)
def test_add_months_at_month_ends(day: date, months: int, wished: int | None, expected: date) -> None:
    assert add_months(day, months, wished_day=wished) == expected


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(-100, 100))
def test_add_months_keeps_the_day_or_takes_the_last_one(day: date, months: int) -> None:
    found = add_months(day, months)
    assert (found.year * 12 + found.month) - (day.year * 12 + day.month) == months
    assert found.day == min(day.day, get_month_end(found).day)


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        (Period.TODAY, date(2028, 3, 1), date(2028, 3, 1)),
        (Period.YESTERDAY, date(2028, 2, 29), date(2028, 2, 29)),
        (Period.THIS_WEEK, date(2028, 2, 28), date(2028, 3, 1)),
        (Period.LAST_WEEK, date(2028, 2, 21), date(2028, 2, 27)),
        (Period.THIS_MONTH, date(2028, 3, 1), date(2028, 3, 1)),
        (Period.LAST_MONTH, date(2028, 2, 1), date(2028, 2, 29)),
        (Period.LAST_30_DAYS, date(2028, 2, 1), date(2028, 3, 1)),
        (Period.THIS_YEAR, date(2028, 1, 1), date(2028, 3, 1)),
    ],
)
def test_periods_the_day_after_29_february(period: Period, first: date, last: date) -> None:
    assert resolve_period(period, date(2028, 3, 1)) == DateRange(first, last)


def test_last_month_in_january_is_december() -> None:
    assert resolve_period(Period.LAST_MONTH, date(2027, 1, 1)) == DateRange(date(2026, 12, 1), date(2026, 12, 31))


@pytest.mark.parametrize(
    ("days", "previous"),
    [
        (DateRange(date(2028, 3, 1), date(2028, 3, 31)), DateRange(date(2028, 2, 1), date(2028, 2, 29))),
        (DateRange(date(2026, 1, 1), date(2026, 3, 31)), DateRange(date(2025, 10, 1), date(2025, 12, 31))),
        (DateRange(date(2026, 3, 5), date(2026, 3, 11)), DateRange(date(2026, 2, 26), date(2026, 3, 4))),
        (DateRange(date(2026, 3, 1), date(2026, 3, 10)), DateRange(date(2026, 2, 19), date(2026, 2, 28))),
    ],
)
def test_previous_range_is_whole_months_or_as_many_days(days: DateRange, previous: DateRange) -> None:
    assert days.previous == previous
    assert days.days == (days.last - days.first).days + 1
