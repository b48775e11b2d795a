"""Cards: issuing, blocking, limits. The full number passes through once and is never kept."""

import secrets
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from accounts.enums import BlockReason, CardLimit, CardStatus
from accounts.errors import CapExceeded, CardUnavailable, NotFound, RequisitesMalformed
from accounts.models import Account, Card
from accounts.money import MAX_AMOUNT_MINOR, Money
from accounts.requisites import is_card_number_right
from accounts.vault import digest_target
from audit.context import AuditContext
from audit.enums import AuditAction
from audit.journal import record_entry

MIR_ISSUERS = ("2200", "2201", "2202", "2203", "2204")
STATUS_BY_REASON = {
    BlockReason.LOST: CardStatus.LOST,
    BlockReason.STOLEN: CardStatus.LOST,
    BlockReason.SUSPICIOUS: CardStatus.BLOCKED_BY_BANK,
    BlockReason.TEMPORARY: CardStatus.FROZEN,
}
# A card never becomes less blocked by being blocked again.
SEVERITY = (
    CardStatus.ACTIVE,
    CardStatus.FROZEN,
    CardStatus.BLOCKED_BY_BANK,
    CardStatus.LOST,
    CardStatus.EXPIRED,
)


@transaction.atomic
def issue_card(
    context: AuditContext, *, account: Account, number: str, expires_on: date, now: datetime, token: str = ""
) -> Card:
    """Issue a MIR card on a customer's account; of its number only the issuer, last four and a digest are kept.

    token  what the card network knows the card by; default: a random one

    Raises: RequisitesMalformed, IntegrityError when the number was issued before
    """
    if not is_card_number_right(number) or not number.startswith(MIR_ISSUERS):
        raise RequisitesMalformed("card")
    card = Card(
        account=account,
        token=token or secrets.token_hex(16),
        bin=number[:6],
        last4=number[-4:],
        pan_digest=digest_target("pan", number),
        expires_on=expires_on,
        issued_at=now,
    )
    card.save(force_insert=True)
    record_card(context, AuditAction.CARD_ISSUED, card, account.customer_id, {})
    return card


@transaction.atomic
def block_card(context: AuditContext, *, customer_id: UUID, card_id: UUID, reason: BlockReason) -> Card:
    """Block the customer's card; its open holds stay. A card that is blocked at least as hard stays as it is.

    Raises: NotFound
    """
    card = lock_card(customer_id, card_id)
    status = STATUS_BY_REASON[reason]
    if SEVERITY.index(CardStatus(card.status)) < SEVERITY.index(status):
        card.status = status
        card.save(update_fields=["status"])
        record_card(context, AuditAction.CARD_BLOCKED, card, customer_id, {"reason": reason.value})
    return card


@transaction.atomic
def unblock_card(context: AuditContext, *, customer_id: UUID, card_id: UUID, today: date) -> Card:
    """Lift the customer's own temporary block; an active card stays as it is.

    today  in the customer's zone

    Raises: NotFound, CardUnavailable when it is lost, blocked by the bank or over
    """
    card = lock_card(customer_id, card_id)
    if card.expires_on < today or card.status not in {CardStatus.FROZEN, CardStatus.ACTIVE}:
        raise CardUnavailable
    if card.status == CardStatus.FROZEN:
        card.status = CardStatus.ACTIVE
        card.save(update_fields=["status"])
        record_card(context, AuditAction.CARD_UNBLOCKED, card, customer_id, {})
    return card


@transaction.atomic
def set_card_limit(
    context: AuditContext, *, customer_id: UUID, card_id: UUID, limit: CardLimit, amount: Money | None
) -> Card:
    """Set one of the customer's own limits, effective at once; None lifts it. What was spent before still counts.

    Raises: NotFound, CardUnavailable when the card will never pay again, CapExceeded for an impossible amount
    """
    card = lock_card(customer_id, card_id)
    if card.status in {CardStatus.LOST, CardStatus.EXPIRED}:
        raise CardUnavailable
    if amount is not None and (amount.currency != card.account.currency or not 0 <= amount.minor <= MAX_AMOUNT_MINOR):
        raise CapExceeded(f"card.{limit.value}")
    field = f"{limit.value}_minor"
    old = getattr(card, field)
    setattr(card, field, None if amount is None else amount.minor)
    card.save(update_fields=[field])
    details = {"limit": limit.value, "old_minor": old, "new_minor": getattr(card, field)}
    record_card(context, AuditAction.CARD_LIMIT_CHANGED, card, customer_id, details)
    return card


def get_card_limit(card: Card, limit: CardLimit) -> Money | None:
    """Return the customer's own limit; None when there is none."""
    minor: int | None = getattr(card, f"{limit.value}_minor")
    return None if minor is None else Money(minor, card.account.currency)


def lock_card(customer_id: UUID, card_id: UUID) -> Card:
    """Return the customer's card, locked, its account loaded.

    Raises: NotFound
    """
    rows = Card.objects.select_for_update(no_key=True, of=("self",)).select_related("account")
    card = rows.filter(account__customer_id=customer_id, public_id=card_id).first()
    if card is None:
        raise NotFound
    return card


def record_card(
    context: AuditContext,
    action: AuditAction,
    card: Card,
    customer_id: UUID | None,
    details: dict[str, str | int | None],
) -> None:
    record_entry(
        context, action, subject="card", subject_id=str(card.public_id), customer_id=customer_id, details=details
    )
