"""What an operation costs and what it may not pass, on its local date: dated rows, never constants."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from accounts.enums import LimitPeriod
from accounts.local_days import get_month_start
from accounts.models import CapUsage, LimitRule, Tariff
from accounts.money import MAX_AMOUNT_MINOR, Money, take_basis_points

# Usage is counted even where no rule limits it, because tariffs ask for it.
UNLIMITED_MINOR = 1000 * MAX_AMOUNT_MINOR


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What one limit leaves: `cap` and `used` in the period that holds the asked day."""

    code: str
    period: LimitPeriod
    period_start: date
    cap: Money
    used: Money

    @property
    def left(self) -> Money:
        return self.cap - self.used


def compute_fee(code: str, *, customer_id: UUID, amount: Money, day: date) -> Money:
    """Return the fee an operation of this tariff would cost now; what was used of its free monthly sum counts.

    Zero when no tariff of that code is in force.
    """
    tariff = find_tariff(code, currency=amount.currency, day=day)
    return charge_tariff(tariff, customer_id=customer_id, amount=amount, day=day)


def charge_tariff(tariff: Tariff | None, *, customer_id: UUID, amount: Money, day: date) -> Money:
    """Return the fee by this row; call it under the accounts' lock when the fee is going to be taken."""
    if tariff is None:
        return Money(0, amount.currency)
    used = get_used(customer_id, f"{tariff.code}.month", get_month_start(day)) if tariff.free_minor else 0
    return price_amount(tariff, used_minor=used, amount=amount)


def price_amount(tariff: Tariff, *, used_minor: int, amount: Money) -> Money:
    """Return the fee of `amount` when `used_minor` passed in the month before it. Rounds half up."""
    charged = max(0, min(amount.minor, used_minor + amount.minor - tariff.free_minor))
    if charged == 0 or (tariff.rate_bp == 0 and tariff.least_minor == 0):
        return Money(0, amount.currency)
    fee = max(take_basis_points(Money(charged, amount.currency), tariff.rate_bp).minor, tariff.least_minor)
    return Money(fee if tariff.most_minor is None else min(fee, tariff.most_minor), amount.currency)


def find_tariff(code: str, *, currency: str, day: date) -> Tariff | None:
    """Return the row of `code` in force on `day`."""
    rows = Tariff.objects.filter(code=code, currency=currency, valid_from__lte=day)
    return rows.order_by("-valid_from").first()


def list_rules(code: str, *, currency: str, day: date) -> dict[LimitPeriod, LimitRule]:
    """Return the rules of `code` in force on `day`, one per period; one query."""
    rows = LimitRule.objects.filter(code=code, currency=currency, valid_from__lte=day).order_by("valid_from")
    return {LimitPeriod(row.period): row for row in rows}


def list_limits(code: str, *, customer_id: UUID, currency: str, day: date) -> list[Limit]:
    """Return every limit of `code` with what is used of it, for showing before the customer is asked."""
    limits = []
    for period, rule in list_rules(code, currency=currency, day=day).items():
        start = get_period_start(period, day)
        counted = period != LimitPeriod.OPERATION
        used = get_used(customer_id, f"{code}.{period.value}", start) if counted else 0
        cap = Money(rule.amount_minor, currency)
        limits.append(Limit(code=code, period=period, period_start=start, cap=cap, used=Money(used, currency)))
    return limits


def get_period_start(period: LimitPeriod, day: date) -> date:
    return get_month_start(day) if period == LimitPeriod.MONTH else day


def get_used(customer_id: UUID, code: str, period_start: date) -> int:
    """Return what is used of a cap, in minor units; 0 when it was never touched."""
    row = CapUsage.objects.filter(customer_id=customer_id, code=code, period_start=period_start)
    return row.values_list("used_minor", flat=True).first() or 0
