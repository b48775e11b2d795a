"""Transfers between a customer's own accounts."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts.enums import Category, EntryPhase, LimitPeriod, OperationStatus
from accounts.errors import CurrencyMismatch, NotFound, SameAccount
from accounts.local_days import DEFAULT_ZONE, to_local_date
from accounts.models import Account, LimitRule, Operation, Tariff
from accounts.money import Money
from accounts.orders import OwnTransferOrder
from accounts.services.accounts import INCOME_FEES, get_bank_account
from accounts.services.caps import build_rule_caps, use_caps
from accounts.services.conditions import read_conditions
from accounts.services.idempotency import find_outcome, submit_order
from accounts.services.posting import (
    LineText,
    Movement,
    add_entry,
    choose_time,
    finish_operation,
    lock_rows,
    start_operation,
)
from accounts.services.tariffs import charge_tariff
from audit.context import AuditContext
from audit.enums import AuditAction
from audit.journal import record_entry

TARIFF = "own_transfer"


def submit_own_transfer(context: AuditContext, *, order: OwnTransferOrder, now: datetime) -> Operation:
    """Move money between two accounts of one customer as an act of its own; see `post_own_transfer`.

    Raises: OperationRefused (stored first), NotFound
    """
    return submit_order(context, order, post=lambda: write_own_transfer(context, order, now), now=now)


@transaction.atomic
def post_own_transfer(context: AuditContext, *, order: OwnTransferOrder, now: datetime) -> Operation:
    """Move money between two accounts of one customer, with its fee, lines and audit entry in one transaction.

    A repeated order returns the first operation unchanged. For callers with a transaction of their own.

    Raises: InsufficientFunds, AccountUnavailable, SameAccount, CurrencyMismatch, IdempotencyConflict, a stored
    refusal, NotFound
    Source: docs/ledger.md "Own transfer"
    """
    return write_own_transfer(context, order, now)


def write_own_transfer(context: AuditContext, order: OwnTransferOrder, now: datetime) -> Operation:
    """Do the whole of it inside the caller's transaction."""
    known = find_outcome(order)
    if known is not None:
        return known
    if order.source_account == order.target_account:
        access_accounts(order.holder_id, [order.source_account])
        raise SameAccount
    currency = order.amount.currency
    conditions = read_conditions(TARIFF, customer_id=order.holder_id, currency=currency, now=now)
    zone = conditions.zone
    tariff = conditions.find_tariff(to_local_date(now, zone))
    fees = get_bank_account(context, INCOME_FEES, currency=currency, now=now) if tariff else None
    rows = lock_own_accounts(order.holder_id, [order.source_account, order.target_account], [fees] if fees else [])
    source, target = rows[order.source_account], rows[order.target_account]
    if {source.currency, target.currency} != {currency}:
        raise CurrencyMismatch(source.currency, target.currency)
    at = choose_time(rows.values(), now)
    day = to_local_date(at, zone)
    rules = conditions.list_rules(day)
    fee = take_caps(TARIFF, rules, tariff=tariff, customer_id=order.holder_id, amount=order.amount, day=day)
    draft = start_operation(order, at=at, zone=zone)
    text = LineText(category=Category.OWN_TRANSFERS, memo=order.memo)
    own = Movement(debit=source, credit=target, amount=order.amount, debit_text=text, credit_text=text)
    add_entry(draft, own)
    if fees and fee.minor:
        add_entry(draft, build_fee(source, rows[fees.public_id], fee))
    operation = finish_operation(draft, OperationStatus.POSTED)
    record_transfer(context, operation, amount=order.amount, fee=fee)
    return operation


def take_caps(
    code: str,
    rules: Mapping[LimitPeriod, LimitRule],
    *,
    tariff: Tariff | None,
    customer_id: UUID,
    amount: Money,
    day: date,
) -> Money:
    """Use up the caps of an operation and return its fee; call it under the accounts' lock.

    rules  those in force on `day`

    Raises: CapExceeded
    """
    fee = charge_tariff(tariff, customer_id=customer_id, amount=amount, day=day)
    caps = build_rule_caps(code, rules, amount=amount, day=day, counts_month=tariff is not None)
    use_caps(caps, customer_id=customer_id, amount=amount)
    return fee


def build_fee(payer: Account, fees: Account, fee: Money, *, expires_at: datetime | None = None) -> Movement:
    """Return the movement of a fee beside what it is charged for: posted, or held until `expires_at`."""
    return Movement(
        debit=payer,
        credit=fees,
        amount=fee,
        phase=EntryPhase.PENDING if expires_at else EntryPhase.POSTED,
        debit_text=LineText(category=Category.FEES),
        expires_at=expires_at,
    )


def get_zone(account: Account) -> str:
    """Return the zone of the account's holder, loaded with the account."""
    return account.customer.zone if account.customer else DEFAULT_ZONE


def access_accounts(customer_id: UUID, public_ids: Iterable[UUID]) -> list[Account]:
    """Return these accounts of the customer in the asked order, not locked; the same id twice gives the row twice.

    Raises: NotFound when one is unknown or another customer's
    """
    wanted = list(public_ids)
    rows = Account.objects.select_related("customer").filter(customer_id=customer_id, public_id__in=wanted)
    found = {row.public_id: row for row in rows}
    if any(public_id not in found for public_id in wanted):
        raise NotFound
    return [found[public_id] for public_id in wanted]


def lock_own_accounts(customer_id: UUID, public_ids: Sequence[UUID], others: Iterable[Account]) -> dict[UUID, Account]:
    """Lock these accounts of the customer, and `others` with them, in their order; return all by public id.

    Raises: NotFound when one is unknown or another customer's
    """
    wanted = Q(customer_id=customer_id, public_id__in=public_ids)
    pks = [account.pk for account in others]
    found = {row.public_id: row for row in lock_rows(wanted | Q(pk__in=pks) if pks else wanted)}
    if any(public_id not in found for public_id in public_ids):
        raise NotFound
    return found


def record_transfer(context: AuditContext, operation: Operation, *, amount: Money, fee: Money) -> None:
    """Record that the operation's money moved; amounts in minor units, no texts."""
    record_entry(
        context,
        AuditAction.TRANSFER_POSTED,
        subject="operation",
        subject_id=str(operation.public_id),
        customer_id=operation.customer_id,
        details={
            "operation": str(operation.public_id),
            "kind": operation.kind,
            "amount_minor": amount.minor,
            "fee_minor": fee.minor,
            "currency": amount.currency,
        },
    )
