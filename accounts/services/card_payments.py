"""Card payments: a hold at authorisation, money at clearing. The card network gives the keys that make both once."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from django.db import transaction

from accounts.enums import CardStatus, Category, EntryPhase, OperationStatus
from accounts.errors import (
    AccountUnavailable,
    CardUnavailable,
    CurrencyMismatch,
    HoldResolved,
    InsufficientFunds,
    NotFound,
)
from accounts.local_days import to_local_date
from accounts.models import Card, Operation
from accounts.money import Money
from accounts.orders import CardPurchaseOrder
from accounts.services.accounts import CASH, CLEARING_CARD, get_bank_account
from accounts.services.caps import build_card_caps, build_rule_caps, use_caps
from accounts.services.holds import (
    CARD_HOLD_DAYS,
    HeldOperation,
    build_movement,
    describe_amount,
    lock_held,
    post_hold,
    record_hold,
    return_caps,
)
from accounts.services.idempotency import find_outcome, submit_order
from accounts.services.posting import (
    LineText,
    Movement,
    OperationLinks,
    add_entry,
    choose_time,
    finish_operation,
    lock_accounts,
    start_operation,
)
from accounts.services.tariffs import list_rules
from accounts.services.transfers import get_zone
from audit.context import AuditContext
from audit.enums import AuditAction


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearing:
    """What clearing did: `charged` in all, and `refused`, the part above the hold that the account did not cover."""

    operation: Operation
    charged: Money
    refused: Money


def submit_card_purchase(context: AuditContext, *, order: CardPurchaseOrder, now: datetime) -> Operation:
    """Authorise a card payment as an act of its own; see `authorise_card_purchase`.

    Raises: OperationRefused (stored first), NotFound
    """
    return submit_order(context, order, post=lambda: authorise_card_purchase(context, order=order, now=now), now=now)


@transaction.atomic
def authorise_card_purchase(context: AuditContext, *, order: CardPurchaseOrder, now: datetime) -> Operation:
    """Hold the amount on the card's account until clearing, cancellation or expiry.

    Raises: CardUnavailable, InsufficientFunds, CapExceeded, AccountUnavailable, CurrencyMismatch, IdempotencyConflict,
    a stored refusal, NotFound
    Source: docs/ledger.md "Card payment"
    """
    known = find_outcome(order)
    if known is not None:
        return known
    cards = Card.objects.select_related("account__customer")
    card = cards.filter(account__customer_id=order.holder_id, public_id=order.card).first()
    if card is None:
        raise NotFound
    account = card.account
    if account.currency != order.amount.currency:
        raise CurrencyMismatch(account.currency, order.amount.currency)
    code = CASH if order.is_cash else CLEARING_CARD
    clearing = get_bank_account(context, code, currency=account.currency, now=now)
    rows = lock_accounts([account.pk, clearing.pk])
    zone = get_zone(account)
    at = choose_time(rows.values(), now)
    # Read again under the lock: a card that was blocked a moment ago does not pay.
    card.refresh_from_db(fields=["status", "purchases_day_minor", "purchases_month_minor", "cash_day_minor"])
    take_card_caps(order, card, to_local_date(at, zone))
    draft = start_operation(order, at=at, zone=zone, links=OperationLinks(card=card))
    text = LineText(category=Category.CASH if order.is_cash else order.category, merchant=order.merchant, mcc=order.mcc)
    movement = Movement(
        debit=rows[account.pk],
        credit=rows[clearing.pk],
        amount=order.amount,
        phase=EntryPhase.PENDING,
        debit_text=text,
        expires_at=at + CARD_HOLD_DAYS,
    )
    add_entry(draft, movement)
    record_hold(context, AuditAction.HOLD_PLACED, draft.operation, describe_amount(order.amount))
    return draft.operation


def take_card_caps(order: CardPurchaseOrder, card: Card, day: date) -> None:
    """Use up the bank's limits and the customer's own.

    Raises: CardUnavailable, CapExceeded
    """
    if card.status != CardStatus.ACTIVE or card.expires_on < day:
        raise CardUnavailable
    amount = order.amount
    code = order.operation_kind.value
    rules = list_rules(code, currency=amount.currency, day=day)
    caps = build_rule_caps(code, rules, amount=amount, day=day, counts_month=False)
    caps += build_card_caps(card, amount=amount, day=day, is_cash=order.is_cash, is_online=order.is_online)
    use_caps(caps, customer_id=order.holder_id, amount=amount)


@transaction.atomic
def clear_card_purchase(context: AuditContext, *, operation: Operation, amount: Money, now: datetime) -> Clearing:
    """Charge what the merchant cleared. Less than held: the rest is released. More: the hold is charged in full and
    the difference as a second entry, unless the account does not cover it; the clearing then says what is missing.

    A frozen card, or an account blocked since, does not stop what was authorised before, only the difference.
    A repeated clearing of the same amount returns what the first one did.

    Raises: HoldResolved when the operation ended otherwise, CurrencyMismatch
    """
    try:
        held = lock_held(operation, now=now)
    except HoldResolved:
        return find_clearing(operation, amount)
    hold = held.principal
    if hold.currency != amount.currency:
        raise CurrencyMismatch(hold.currency, amount.currency)
    full = Money(hold.amount_minor, hold.currency)
    charged = min(amount, full)
    refused = Money(0, hold.currency)
    post_hold(held, hold, amount=charged)
    if amount > full and not charge_difference(held, amount - full):
        refused = amount - full
    elif amount > full:
        charged = amount
    cleared = finish_operation(held.draft, OperationStatus.POSTED)
    return_caps(cleared, max(0, (full - amount).minor))
    details = {**describe_amount(charged), "refused_minor": refused.minor}
    record_hold(context, AuditAction.HOLD_POSTED, cleared, details)
    return Clearing(operation=cleared, charged=charged, refused=refused)


def charge_difference(held: HeldOperation, difference: Money) -> bool:
    """Post what clearing asks above the hold; False when the account refuses it, and then nothing of it is left."""
    movement = build_movement(held, held.principal, amount=difference)
    try:
        with transaction.atomic():
            add_entry(held.draft, replace(movement, phase=EntryPhase.POSTED, resolves=None))
    except (InsufficientFunds, AccountUnavailable):
        return False
    return True


def find_clearing(operation: Operation, amount: Money) -> Clearing:
    """Return what an earlier clearing of the same amount did.

    Raises: HoldResolved when the operation was voided, expired or cleared with another amount
    """
    ended = Operation.objects.get(pk=operation.pk)
    posted = ended.entries.filter(phase__in=[EntryPhase.POSTED, EntryPhase.POST])
    charged = Money(sum(posted.values_list("amount_minor", flat=True)), amount.currency)
    hold = ended.entries.order_by("seq")[0]
    is_same = charged == amount or (charged.minor == hold.amount_minor and charged < amount)
    if ended.status not in {OperationStatus.POSTED, OperationStatus.REVERSED} or not is_same:
        raise HoldResolved
    return Clearing(operation=ended, charged=charged, refused=amount - charged)
