"""What an order would meet, looked at before the customer is asked. Nothing is written and nothing is reserved.

The bank checks all of it again when the money moves; a preview only spares the customer a question in vain.
"""

from datetime import date

from django.db.models import QuerySet

from accounts.enums import AccountKind, AccountStatus, LimitPeriod
from accounts.local_days import add_months, get_month_start
from accounts.models import Account
from accounts.money import Money
from accounts.services.tariffs import list_limits
from functions.context import Ctx
from functions.errors import Code
from functions.results import MoneyView

PAYING = (AccountStatus.ACTIVE,)
RECEIVING = (AccountStatus.ACTIVE, AccountStatus.DEBIT_BLOCKED)


def choose_source(ctx: Ctx, text: str | None, *, currency: str = "RUB") -> Account:
    """Return the account to pay from: the named one, or the only current account that can pay in this currency.

    Raises: CallRefused unknown_reference, ambiguous_reference, account_unavailable, currency_mismatch
    """
    account = ctx.resolve_account(text) if text else find_usual_source(ctx, currency)
    check_source(ctx, account, currency)
    return account


def find_usual_source(ctx: Ctx, currency: str) -> Account:
    rows: QuerySet[Account] = ctx.accounts.filter(status=AccountStatus.ACTIVE, currency=currency)
    found = list(rows.filter(kind=AccountKind.CURRENT))
    return found[0] if len(found) == 1 else ctx.resolve_account(None)


def check_source(ctx: Ctx, account: Account, currency: str) -> None:
    """Raises: CallRefused account_unavailable, currency_mismatch"""
    if account.status not in PAYING:
        ctx.refuse(Code.ACCOUNT_UNAVAILABLE, "С этого счёта сейчас нельзя платить.", fix="Предложи другой счёт.")
    if account.currency != currency:
        ctx.refuse(Code.CURRENCY_MISMATCH, "Счёт списания в другой валюте.", fix="Предложи счёт в нужной валюте.")


def check_target(ctx: Ctx, account: Account) -> None:
    """Raises: CallRefused account_unavailable"""
    if account.status not in RECEIVING:
        ctx.refuse(Code.ACCOUNT_UNAVAILABLE, "На этот счёт сейчас нельзя зачислить.", fix="Предложи другой счёт.")


def check_caps(ctx: Ctx, code: str, amount: Money) -> None:
    """Compare with what every limit of this kind of operation leaves.

    Raises: CallRefused cap_exceeded, with the limit and what is left of it
    """
    for limit in list_limits(code, customer_id=ctx.customer.pk, currency=amount.currency, day=ctx.today):
        if amount > limit.left:
            left = max(limit.left, Money(0, amount.currency))
            ctx.refuse(
                Code.CAP_EXCEEDED,
                "Сумма больше, чем остаётся по лимиту.",
                fix="Назови остаток лимита и предложи сумму не больше него.",
                details={
                    "limit_period": limit.period.value,
                    "limit": MoneyView.from_money(limit.cap).model_dump(),
                    "left": MoneyView.from_money(left).model_dump(),
                    "resets_on": find_reset(limit.period, ctx.today),
                },
            )


def find_reset(period: LimitPeriod, today: date) -> str:
    """Return the day the limit is whole again; "" for the limit of one operation."""
    if period == LimitPeriod.OPERATION:
        return ""
    following = (
        add_months(get_month_start(today), 1)
        if period == LimitPeriod.MONTH
        else date.fromordinal(today.toordinal() + 1)
    )
    return following.isoformat()


def check_funds(ctx: Ctx, account: Account, *, amount: Money, fee: Money) -> None:
    """Compare with what is available, holds and overdraft counted.

    Raises: CallRefused insufficient_funds, with what is available and what is needed
    """
    needed = amount + fee
    if needed > account.available:
        ctx.refuse(
            Code.INSUFFICIENT_FUNDS,
            "На счёте не хватает денег с учётом комиссии и ожидающих списаний.",
            fix="Назови доступную сумму; предложи другой счёт или меньшую сумму.",
            details={
                "available": MoneyView.from_money(account.available).model_dump(),
                "needed": MoneyView.from_money(needed).model_dump(),
                "fee": MoneyView.from_money(fee).model_dump(),
            },
        )
