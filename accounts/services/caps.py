"""Using up spending caps, by local day and month, and giving back what did not move after all.

The database refuses to pass a cap, so two payments at once cannot share the same rest. Caps are taken after the
accounts are locked and in the order of their codes, so they never deadlock.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import connection
from django.db.models import F
from django.db.models.functions import Greatest

from accounts.enums import CardLimit, LimitPeriod, OperationKind
from accounts.errors import CapExceeded
from accounts.local_days import get_month_start
from accounts.models import CapUsage, Card, LimitRule, Operation
from accounts.money import Money
from accounts.services.tariffs import UNLIMITED_MINOR, get_period_start
from accounts.services.violations import translate_violations

COUNTED = (LimitPeriod.DAY, LimitPeriod.MONTH)
PURCHASE_LIMITS = (CardLimit.PURCHASES_DAY, CardLimit.PURCHASES_MONTH)
USE = """
INSERT INTO accounts_capusage AS usage (customer_id, code, period_start, currency, used_minor, cap_minor)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (customer_id, code, period_start)
DO UPDATE SET used_minor = usage.used_minor + EXCLUDED.used_minor, cap_minor = EXCLUDED.cap_minor
"""


@dataclass(frozen=True, slots=True, order=True)
class Cap:
    """One cap of one period: `code` as it is stored, `cap_minor` as it is now."""

    code: str
    period_start: date
    cap_minor: int


def build_rule_caps(
    code: str, rules: Mapping[LimitPeriod, LimitRule], *, amount: Money, day: date, counts_month: bool
) -> list[Cap]:
    """Return the caps an operation of `code` uses on this local day, by the rules in force then.

    counts_month  count the month even without a rule, because a tariff asks for it

    Raises: CapExceeded when the amount alone passes the limit of one operation
    """
    single = rules.get(LimitPeriod.OPERATION)
    if single is not None and amount.minor > single.amount_minor:
        raise CapExceeded(f"{code}.operation")
    caps = []
    for period in COUNTED:
        rule = rules.get(period)
        if rule is not None or (counts_month and period == LimitPeriod.MONTH):
            cap = rule.amount_minor if rule is not None else UNLIMITED_MINOR
            caps.append(Cap(f"{code}.{period.value}", get_period_start(period, day), cap))
    return caps


def build_card_caps(card: Card, *, amount: Money, day: date, is_cash: bool, is_online: bool) -> list[Cap]:
    """Return the caps that the customer's own limits on the card make.

    Raises: CapExceeded when the amount alone passes the limit of one online purchase
    """
    if is_online and card.online_minor is not None and amount.minor > card.online_minor:
        raise CapExceeded(f"card.{CardLimit.ONLINE.value}")
    limits = (
        [(CardLimit.CASH_DAY, card.cash_day_minor, day)]
        if is_cash
        else [
            (CardLimit.PURCHASES_DAY, card.purchases_day_minor, day),
            (CardLimit.PURCHASES_MONTH, card.purchases_month_minor, get_month_start(day)),
        ]
    )
    return [
        # Counted without a limit too, so that a limit set in the middle of a day knows what was spent before.
        Cap(build_card_code(limit, card), start, UNLIMITED_MINOR if cap is None else cap)
        for limit, cap, start in limits
    ]


def build_card_code(limit: CardLimit, card: Card) -> str:
    return f"card.{limit.value}:{card.pk}"


def use_caps(caps: Iterable[Cap], *, customer_id: UUID, amount: Money) -> None:
    """Count `amount` in every cap, or refuse the whole.

    Raises: CapExceeded with the code of the cap that would be passed
    """
    for cap in sorted(caps):
        row = (customer_id, cap.code, cap.period_start, amount.currency, amount.minor, cap.cap_minor)
        try:
            with translate_violations(), connection.cursor() as cursor:
                cursor.execute(USE, row)
        except CapExceeded:
            raise CapExceeded(cap.code.partition(":")[0]) from None


def give_back_caps(codes: Iterable[str], *, customer_id: UUID, amount_minor: int, day: date) -> None:
    """Count `amount_minor` back in these caps of the periods that hold `day`; never below zero."""
    for code in sorted(codes):
        rows = CapUsage.objects.filter(customer_id=customer_id, code=code, period_start=get_cap_start(code, day))
        rows.update(used_minor=Greatest(F("used_minor") - amount_minor, 0))


def list_used_caps(customer_id: UUID, day: date) -> dict[str, int]:
    """Return what the customer used of every cap of the periods that hold `day`: {code: minor units}; one query."""
    rows = CapUsage.objects.filter(customer_id=customer_id, period_start__in={day, get_month_start(day)})
    found = rows.values_list("code", "period_start", "used_minor")
    return {code: used for code, start, used in found if start == get_cap_start(code, day)}


def get_cap_start(code: str, day: date) -> date:
    """Return the first day of the period of this cap that holds `day`."""
    return get_month_start(day) if code.partition(":")[0].endswith("month") else day


def list_cap_codes(operation: Operation) -> list[str]:
    """Return the codes of every cap an operation of this kind may have used."""
    code = operation.kind
    codes = [f"{code}.{period.value}" for period in COUNTED]
    card = operation.card
    if card is not None:
        limits = (CardLimit.CASH_DAY,) if code == OperationKind.CASH_WITHDRAWAL else PURCHASE_LIMITS
        codes += [build_card_code(limit, card) for limit in limits]
    return codes
