"""Columns of the bank's staff pages: money in the reader's language, numbers by their last digits."""

from collections.abc import Callable
from typing import Any

from django.contrib.admin import display
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from accounts.money import Money, format_money

VIEW_CUSTOMER = "accounts.view_customer"
VIEW_SESSION = "accounts.view_devicesession"
VIEW_ACCOUNT = "accounts.view_account"
VIEW_LINE = "accounts.view_accountline"
VIEW_OPERATION = "accounts.view_operation"
VIEW_ENTRY_ROW = "accounts.view_entry"
VIEW_CARD = "accounts.view_card"
VIEW_PAYEE = "accounts.view_payee"
VIEW_BILL = "accounts.view_bill"
VIEW_CONVERSATION = "chat.view_conversation"
VIEW_EVIDENCE = "audit.view_auditentry"


def show_money(money: Money) -> str:
    """Return the amount as the active language writes it."""
    return format_money(money, language=(get_language() or "en")[:2])


def show_minor(attribute: str, label: Any) -> Callable[[Any], str]:
    """Return the column of minor units in the row's own currency; empty when there are none."""

    @display(description=label)
    def show(row: Any) -> str:
        minor = getattr(row, attribute)
        return "" if minor is None else show_money(Money(minor, row.currency))

    # The admin names CSS classes after the column.
    show.__name__ = attribute
    return show


def show_balance(attribute: str, label: Any) -> Callable[[Account], str]:
    """Return the column of one of an account's balances."""

    @display(description=label)
    def show(account: Account) -> str:
        money: Money = getattr(account, attribute)
        return show_money(money)

    show.__name__ = attribute
    return show


@display(description=_("number"))
def show_masked_number(account: Account) -> str:
    """The last four digits; the bank's own accounts have a code instead."""
    return f"··{account.last4}" if account.last4 else account.code
