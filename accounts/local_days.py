"""Local days: what "today", "this month" and "every 31st" mean in a customer's zone. Pure; the clock is passed in."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

DEFAULT_ZONE = "Europe/Moscow"
# No local day on Earth is further ahead of UTC than this.
MOST_AHEAD = timedelta(hours=14)


class Period(StrEnum):
    """A named range of local days, so that nobody has to compute dates."""

    TODAY = "today"
    YESTERDAY = "yesterday"
    THIS_WEEK = "this_week"
    LAST_WEEK = "last_week"
    THIS_MONTH = "this_month"
    LAST_MONTH = "last_month"
    LAST_30_DAYS = "last_30_days"
    THIS_YEAR = "this_year"


@dataclass(frozen=True, slots=True)
class DateRange:
    """Local days, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def previous(self) -> "DateRange":
        """The range to compare with: as many months before for whole months, else as many days."""
        if self.first.day == 1 and self.last == get_month_end(self.last):
            months = (self.last.year - self.first.year) * 12 + self.last.month - self.first.month + 1
            return DateRange(add_months(self.first, -months), self.first - timedelta(days=1))
        return DateRange(self.first - timedelta(days=self.days), self.first - timedelta(days=1))


def to_local_date(moment: datetime, zone: str = DEFAULT_ZONE) -> date:
    """Return the day that `moment` falls on in `zone`."""
    return moment.astimezone(ZoneInfo(zone)).date()


def get_day_start(day: date, zone: str = DEFAULT_ZONE) -> datetime:
    """Return the first moment of `day` in `zone`, as UTC."""
    return datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC)


def get_day_end(day: date, zone: str = DEFAULT_ZONE) -> datetime:
    """Return the first moment after `day` in `zone`, as UTC; a range is [start, end)."""
    return get_day_start(day + timedelta(days=1), zone)


def get_month_start(day: date) -> date:
    return day.replace(day=1)


def get_month_end(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def add_months(day: date, months: int, *, wished_day: int | None = None) -> date:
    """Return the day so many months later; a shorter month gives its last day.

    wished_day  1 to 31: the day to come back to after a shorter month; default: `day`'s own
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = monthrange(year, month + 1)[1]
    return date(year, month + 1, min(wished_day or day.day, last))


def resolve_period(period: Period, today: date) -> DateRange:
    """Return the local days of a named period; weeks start on Monday, running periods end today."""
    monday = today - timedelta(days=today.weekday())
    month = get_month_start(today)
    ranges = {
        Period.TODAY: (today, today),
        Period.YESTERDAY: (today - timedelta(days=1), today - timedelta(days=1)),
        Period.THIS_WEEK: (monday, today),
        Period.LAST_WEEK: (monday - timedelta(days=7), monday - timedelta(days=1)),
        Period.THIS_MONTH: (month, today),
        Period.LAST_MONTH: (add_months(month, -1), month - timedelta(days=1)),
        Period.LAST_30_DAYS: (today - timedelta(days=29), today),
        Period.THIS_YEAR: (today.replace(month=1, day=1), today),
    }
    return DateRange(*ranges[period])
