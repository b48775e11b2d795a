"""What belongs to a customer. `access_…` raises NotFound for what is unknown and for what is another's, alike."""

from datetime import date
from typing import TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from accounts.enums import AccountStatus, BillStatus, ScheduleStatus
from accounts.errors import NotFound
from accounts.models import (
    Account,
    AccountLine,
    Bill,
    Card,
    Operation,
    Payee,
    ScheduledPayment,
    StatementRequest,
    Subscription,
)

Row = TypeVar("Row", bound=Model)


def find_accounts(customer_id: UUID) -> QuerySet[Account]:
    """Return the customer's accounts, oldest first, bank and holder loaded."""
    rows = Account.objects.select_related("bank", "customer").filter(customer_id=customer_id)
    return rows.order_by("opened_at", "pk")


def list_accounts(customer_id: UUID, *, with_closed: bool = False) -> list[Account]:
    """Return the customer's accounts with their balances (`booked`, `available`, `expected`); one query."""
    rows = find_accounts(customer_id)
    return list(rows if with_closed else rows.exclude(status=AccountStatus.CLOSED))


def access_account(customer_id: UUID, account_id: UUID) -> Account:
    """Return the customer's account by its public id.

    Raises: NotFound
    """
    return take_one(find_accounts(customer_id).filter(public_id=account_id))


def find_cards(customer_id: UUID) -> QuerySet[Card]:
    """Return the customer's cards, oldest first, account loaded."""
    rows = Card.objects.select_related("account__customer").filter(account__customer_id=customer_id)
    return rows.order_by("issued_at", "pk")


def access_card(customer_id: UUID, card_id: UUID) -> Card:
    """Return the customer's card by its public id.

    Raises: NotFound
    """
    return take_one(find_cards(customer_id).filter(public_id=card_id))


def find_payees(customer_id: UUID) -> QuerySet[Payee]:
    """Return the customer's payees, last paid first, bank loaded."""
    rows = Payee.objects.select_related("bank").filter(customer_id=customer_id)
    return rows.order_by("-last_paid_at", "-created_at", "-pk")


def access_payee(customer_id: UUID, payee_id: UUID) -> Payee:
    """Return the customer's payee by its public id.

    Raises: NotFound
    """
    return take_one(find_payees(customer_id).filter(public_id=payee_id))


def find_bills(customer_id: UUID) -> QuerySet[Bill]:
    """Return the customer's bills, first due first, biller loaded."""
    return Bill.objects.select_related("biller").filter(customer_id=customer_id).order_by("due_on", "pk")


def list_open_bills(customer_id: UUID, *, until: date | None = None) -> list[Bill]:
    """Return what is unpaid or on its way, due up to `until`; overdue bills are always among them."""
    rows = find_bills(customer_id).filter(status__in=[BillStatus.UNPAID, BillStatus.PROCESSING])
    return list(rows.filter(due_on__lte=until) if until else rows)


def access_bill(customer_id: UUID, bill_id: UUID) -> Bill:
    """Return the customer's bill by its public id.

    Raises: NotFound
    """
    return take_one(find_bills(customer_id).filter(public_id=bill_id))


def find_scheduled_payments(customer_id: UUID) -> QuerySet[ScheduledPayment]:
    """Return the payments the customer ordered for the future, next first; ended ones last."""
    rows = ScheduledPayment.objects.select_related("payee", "payee__bank", "account").filter(customer_id=customer_id)
    return rows.order_by("next_on", "pk")


def list_scheduled_payments(customer_id: UUID, *, until: date | None = None) -> list[ScheduledPayment]:
    """Return the active ones that come up to `until`."""
    rows = find_scheduled_payments(customer_id).filter(status=ScheduleStatus.ACTIVE)
    return list(rows.filter(next_on__lte=until) if until else rows)


def access_scheduled_payment(customer_id: UUID, payment_id: UUID) -> ScheduledPayment:
    """Return the customer's scheduled payment by its public id.

    Raises: NotFound
    """
    return take_one(find_scheduled_payments(customer_id).filter(public_id=payment_id))


def find_subscriptions(customer_id: UUID) -> QuerySet[Subscription]:
    """Return the regular charges we noticed, next first."""
    rows = Subscription.objects.select_related("account").filter(customer_id=customer_id)
    return rows.order_by("next_on", "pk")


def find_operations(customer_id: UUID) -> QuerySet[Operation]:
    """Return the customer's operations, newest first."""
    return Operation.objects.filter(customer_id=customer_id).order_by("-created_at", "-pk")


def access_operation(customer_id: UUID, operation_id: UUID) -> Operation:
    """Return the customer's operation by its public id.

    Raises: NotFound
    """
    return take_one(find_operations(customer_id).filter(public_id=operation_id))


def access_line(customer_id: UUID, line_id: UUID) -> AccountLine:
    """Return the customer's statement line by its public id, account and operation loaded.

    Raises: NotFound
    """
    rows = AccountLine.objects.select_related("account", "operation", "counterparty_bank")
    return take_one(rows.filter(public_id=line_id, account__customer_id=customer_id))


def access_statement_request(customer_id: UUID, request_id: UUID) -> StatementRequest:
    """Return the customer's statement request by its public id, account loaded.

    Raises: NotFound
    """
    rows = StatementRequest.objects.select_related("account__bank", "account__customer", "customer")
    return take_one(rows.filter(public_id=request_id, customer_id=customer_id))


def take_one(rows: QuerySet[Row]) -> Row:
    """Return the only row.

    Raises: NotFound
    """
    row = rows.first()
    if row is None:
        raise NotFound
    return row
