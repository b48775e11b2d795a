"""Payments that leave the house: transfers by phone and bills. The hold first, the gateway after commit.

`submit_…` is the whole act: hold, call, outcome. `place_…` only holds, for callers with a transaction of their own;
they call `gateway_orders.complete_operation` after their commit. Pending means: the outcome is not known yet.
"""

from datetime import datetime

from django.db import transaction

from accounts.enums import BillStatus, Category, EntryPhase, PayeeKind
from accounts.errors import AlreadyPaid, BillUnavailable, CurrencyMismatch, NotFound, PayeeUnavailable
from accounts.gateways.contract import PaymentGateway
from accounts.local_days import to_local_date
from accounts.models import Account, Bill, GatewayOrder, Operation, Payee
from accounts.money import Money
from accounts.orders import BillPaymentOrder, SbpTransferOrder
from accounts.services.accounts import CLEARING_BILLS, CLEARING_SBP, INCOME_FEES, get_bank_account
from accounts.services.antifraud import pass_antifraud
from accounts.services.conditions import read_conditions
from accounts.services.gateway_orders import BILLER, SBP, complete_operation
from accounts.services.holds import GATEWAY_HOLD_DAYS, describe_amount, record_hold
from accounts.services.idempotency import find_outcome, submit_order
from accounts.services.posting import (
    Draft,
    LineText,
    Movement,
    OperationLinks,
    add_entry,
    choose_time,
    lock_accounts,
    start_operation,
)
from accounts.services.tariffs import list_rules
from accounts.services.transfers import access_accounts, build_fee, get_zone, take_caps
from audit.context import AuditContext
from audit.enums import AuditAction


def submit_sbp_transfer(
    context: AuditContext, *, order: SbpTransferOrder, gateway: PaymentGateway, now: datetime
) -> Operation:
    """Transfer by phone as an act of its own; returns the operation posted, voided (refused outside) or pending.

    Raises: OperationRefused (stored first), NotFound
    """
    operation = submit_order(context, order, post=lambda: place_sbp_transfer(context, order=order, now=now), now=now)
    return complete_operation(context, operation=operation, gateway=gateway, now=now)


@transaction.atomic
def place_sbp_transfer(context: AuditContext, *, order: SbpTransferOrder, now: datetime) -> Operation:
    """Hold the amount and the fee of a transfer by phone; see the module's text for what follows.

    Raises: InsufficientFunds, CapExceeded, TransferSuspended, AccountUnavailable, CurrencyMismatch, PayeeUnavailable,
    IdempotencyConflict, a stored refusal, NotFound
    Source: docs/ledger.md "Transfer by phone"
    """
    known = find_outcome(order)
    if known is not None:
        return known
    (source,) = access_accounts(order.holder_id, [order.source_account])
    payee = Payee.objects.filter(customer_id=order.holder_id, public_id=order.payee).first()
    if payee is None or source.customer is None:
        raise NotFound
    if payee.kind != PayeeKind.SBP:
        raise PayeeUnavailable
    if source.currency != order.amount.currency:
        raise CurrencyMismatch(source.currency, order.amount.currency)
    clearing = get_bank_account(context, CLEARING_SBP, currency=source.currency, now=now)
    code = order.kind.value
    conditions = read_conditions(code, customer_id=order.holder_id, currency=source.currency, now=now)
    zone = conditions.zone
    tariff = conditions.find_tariff(to_local_date(now, zone))
    fees = get_bank_account(context, INCOME_FEES, currency=source.currency, now=now) if tariff else None
    rows = lock_accounts([source.pk, clearing.pk, *([fees.pk] if fees else [])])
    at = choose_time(rows.values(), now)
    day = to_local_date(at, zone)
    pass_antifraud(context, order, customer=source.customer, payee=payee, amount=order.amount, now=at)
    rules = conditions.list_rules(day)
    fee = take_caps(code, rules, tariff=tariff, customer_id=order.holder_id, amount=order.amount, day=day)
    draft = start_operation(order, at=at, zone=zone, links=OperationLinks(payee=payee, description=order.memo))
    text = LineText(
        category=Category.TRANSFERS,
        counterparty_name=payee.shown_name,
        counterparty_bik=payee.bank_id or "",
        memo=order.memo,
    )
    hold_amount(draft, rows[source.pk], rows[clearing.pk], amount=order.amount, text=text)
    if fees and fee.minor:
        expires_at = draft.at + GATEWAY_HOLD_DAYS
        add_entry(draft, build_fee(rows[source.pk], rows[fees.pk], fee, expires_at=expires_at))
    return open_gateway_order(context, draft, gateway=SBP, amount=order.amount, fee=fee)


def submit_bill_payment(
    context: AuditContext, *, order: BillPaymentOrder, gateway: PaymentGateway, now: datetime
) -> Operation:
    """Pay a bill as an act of its own; returns the operation posted, voided (refused outside) or pending.

    Raises: OperationRefused (stored first), NotFound
    """
    operation = submit_order(context, order, post=lambda: place_bill_payment(context, order=order, now=now), now=now)
    return complete_operation(context, operation=operation, gateway=gateway, now=now)


@transaction.atomic
def place_bill_payment(context: AuditContext, *, order: BillPaymentOrder, now: datetime) -> Operation:
    """Hold the amount of a bill, which is `processing` from now on and `paid` only when the hold is posted.

    Raises: InsufficientFunds, CapExceeded, AlreadyPaid, BillUnavailable, AccountUnavailable, CurrencyMismatch,
    IdempotencyConflict, a stored refusal, NotFound
    Source: docs/ledger.md "Bill payment"
    """
    known = find_outcome(order)
    if known is not None:
        return known
    (source,) = access_accounts(order.holder_id, [order.source_account])
    clearing = get_bank_account(context, CLEARING_BILLS, currency=source.currency, now=now)
    zone = get_zone(source)
    rows = lock_accounts([source.pk, clearing.pk])
    bill = lock_bill(order)
    at = choose_time(rows.values(), now)
    day = to_local_date(at, zone)
    rules = list_rules(order.kind.value, currency=source.currency, day=day)
    take_caps(order.kind.value, rules, tariff=None, customer_id=order.holder_id, amount=order.amount, day=day)
    draft = start_operation(order, at=at, zone=zone, links=OperationLinks(bill=bill))
    text = LineText(category=Category(bill.biller.category), merchant=bill.biller.name, memo=bill.details_untrusted)
    hold_amount(draft, rows[source.pk], rows[clearing.pk], amount=order.amount, text=text)
    bill.status = BillStatus.PROCESSING
    bill.save(update_fields=["status"])
    no_fee = Money(0, order.amount.currency)
    return open_gateway_order(context, draft, gateway=BILLER, amount=order.amount, fee=no_fee)


def lock_bill(order: BillPaymentOrder) -> Bill:
    """Return the unpaid bill of the order, locked.

    Raises: NotFound, AlreadyPaid, BillUnavailable
    """
    rows = Bill.objects.select_for_update(no_key=True, of=("self",)).select_related("biller")
    bill = rows.filter(customer_id=order.holder_id, public_id=order.bill).first()
    if bill is None:
        raise NotFound
    if bill.status in {BillStatus.PAID, BillStatus.PROCESSING}:
        raise AlreadyPaid
    if bill.status == BillStatus.CANCELLED or Money(bill.amount_minor, bill.currency) != order.amount:
        raise BillUnavailable
    return bill


def hold_amount(draft: Draft, source: Account, clearing: Account, *, amount: Money, text: LineText) -> None:
    movement = Movement(
        debit=source,
        credit=clearing,
        amount=amount,
        phase=EntryPhase.PENDING,
        debit_text=text,
        expires_at=draft.at + GATEWAY_HOLD_DAYS,
    )
    add_entry(draft, movement)


def open_gateway_order(context: AuditContext, draft: Draft, *, gateway: str, amount: Money, fee: Money) -> Operation:
    """Write down that the operation is to be sent, so that a crash before the call loses nothing."""
    GatewayOrder.objects.create(operation=draft.operation, gateway=gateway, created_at=draft.at)
    details = {**describe_amount(amount), "fee_minor": fee.minor}
    record_hold(context, AuditAction.HOLD_PLACED, draft.operation, details)
    return draft.operation
