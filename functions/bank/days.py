"""Which local days a call is about: a named period, or two dates; what is not given is chosen and told."""

from datetime import date
from typing import NoReturn

from accounts.local_days import DateRange, Period, add_months, resolve_period
from functions.context import Ctx
from functions.errors import CallRefused, Code, FieldProblem
from functions.fields import Day
from functions.results import Result

MOST_MONTHS = 24
PERIOD_OR_DATES = "либо period, либо date_from и date_to"


class DaysView(Result):
    """The days that were looked at, both included."""

    date_from: Day
    date_to: Day

    @classmethod
    def from_range(cls, days: DateRange) -> "DaysView":
        return cls(date_from=days.first, date_to=days.last)


def resolve_days(
    ctx: Ctx, *, period: Period | None, date_from: date | None, date_to: date | None, default: Period
) -> DateRange:
    """Return the asked days, at most 24 months; what lies in the future is cut off.

    Raises: CallRefused invalid_arguments
    """
    if period is not None and (date_from or date_to):
        refuse_field("period", "указан вместе с датами", PERIOD_OR_DATES)
    if date_from is None and date_to is None:
        return resolve_period(period or default, ctx.today)
    last = min(date_to or ctx.today, ctx.today)
    first = date_from or last.replace(day=1)
    if first > (date_to or ctx.today):
        refuse_field("date_from", "позже конца периода", "дата не позже date_to и не в будущем")
    if add_months(first, MOST_MONTHS) <= last:
        refuse_field("date_from", "слишком длинный период", f"не больше {MOST_MONTHS} месяцев")
    return DateRange(min(first, last), last)


def refuse_field(name: str, problem: str, expected: str) -> NoReturn:
    """Raises: CallRefused invalid_arguments about one argument"""
    raise CallRefused(Code.INVALID_ARGUMENTS, fields=(FieldProblem(name, problem, expected),))
