"""Money that comes to a customer from outside, and fees the bank takes by itself."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from django.db import transaction

from accounts.enums import Category, OperationKind, OperationStatus
from accounts.models import Operation
from accounts.money import Money
from accounts.orders import FeeOrder, IncomingOrder
from accounts.services.accounts import EQUITY, INCOME_FEES, INTEREST_PAID, POSITION, get_bank_account
from accounts.services.idempotency import find_outcome, submit_order
from accounts.services.posting import (
    LineText,
    Movement,
    add_entry,
    choose_time,
    finish_operation,
    lock_accounts,
    start_operation,
)
from accounts.services.transfers import access_accounts, get_zone, record_transfer
from audit.context import AuditContext

# From which account of the bank's own each kind of money comes.
ORIGINS: Mapping[OperationKind, str] = MappingProxyType(
    {
        OperationKind.INCOMING: POSITION,
        OperationKind.SBP_IN: POSITION,
        OperationKind.INTEREST: INTEREST_PAID,
        OperationKind.OPENING: EQUITY,
    }
)


def submit_incoming(context: AuditContext, *, order: IncomingOrder, now: datetime) -> Operation:
    """Credit money from outside as an act of its own; see `post_incoming`.

    Raises: OperationRefused (stored first), NotFound
    """
    return submit_order(context, order, post=lambda: post_incoming(context, order=order, now=now), now=now)


@transaction.atomic
def post_incoming(context: AuditContext, *, order: IncomingOrder, now: datetime) -> Operation:
    """Credit a customer's account from the bank's account that stands for where the money came from.

    Raises: AccountUnavailable, CurrencyMismatch, IdempotencyConflict, a stored refusal, NotFound, KeyError for a kind
    that is not incoming
    """
    known = find_outcome(order)
    if known is not None:
        return known
    (target,) = access_accounts(order.holder_id, [order.target_account])
    code = ORIGINS[order.incoming_kind]
    origin = get_bank_account(context, code, currency=order.amount.currency, now=now)
    rows = lock_accounts([target.pk, origin.pk])
    draft = start_operation(order, at=choose_time(rows.values(), now), zone=get_zone(target))
    text = LineText(
        category=order.category,
        counterparty_name=order.counterparty,
        counterparty_bik=order.counterparty_bik,
        memo=order.memo,
    )
    movement = Movement(debit=rows[origin.pk], credit=rows[target.pk], amount=order.amount, credit_text=text)
    add_entry(draft, movement)
    operation = finish_operation(draft, OperationStatus.POSTED)
    record_transfer(context, operation, amount=order.amount, fee=Money(0, order.amount.currency))
    return operation


def submit_fee(context: AuditContext, *, order: FeeOrder, now: datetime) -> Operation:
    """Take a fee as an act of its own; see `post_fee`.

    Raises: OperationRefused (stored first), NotFound
    """
    return submit_order(context, order, post=lambda: post_fee(context, order=order, now=now), now=now)


@transaction.atomic
def post_fee(context: AuditContext, *, order: FeeOrder, now: datetime) -> Operation:
    """Take a fee that is no part of another operation.

    Raises: InsufficientFunds, AccountUnavailable, CurrencyMismatch, IdempotencyConflict, a stored refusal, NotFound
    """
    known = find_outcome(order)
    if known is not None:
        return known
    (source,) = access_accounts(order.holder_id, [order.source_account])
    fees = get_bank_account(context, INCOME_FEES, currency=order.amount.currency, now=now)
    rows = lock_accounts([source.pk, fees.pk])
    draft = start_operation(order, at=choose_time(rows.values(), now), zone=get_zone(source))
    text = LineText(category=Category.FEES, memo=order.memo)
    movement = Movement(debit=rows[source.pk], credit=rows[fees.pk], amount=order.amount, debit_text=text)
    add_entry(draft, movement)
    operation = finish_operation(draft, OperationStatus.POSTED)
    record_transfer(context, operation, amount=order.amount, fee=Money(0, order.amount.currency))
    return operation
