"""The gate between the customer's yes and the money: some orders wait 48 hours and are asked again.

Nothing is reserved meanwhile: the rule delays acceptance, and the customer is told so. Signs are closed codes:
flagged_target (the regulator's database names the recipient), new_payee_large (a first payment above the dated limit
`antifraud.new_payee`), watched_customer (a first payment of a customer under watch).
"""

from datetime import datetime, timedelta

from django.db.models import QuerySet

from accounts.enums import LimitPeriod
from accounts.errors import TransferSuspended
from accounts.local_days import to_local_date
from accounts.models import Customer, FlaggedTarget, Payee, Suspension
from accounts.money import Money
from accounts.orders import Order, hash_order
from accounts.services.tariffs import list_rules
from audit.context import AuditContext
from audit.enums import AuditAction
from audit.journal import record_entry

COOLING_OFF = timedelta(hours=48)
NEW_PAYEE_LIMIT = "antifraud.new_payee"


def pass_antifraud(
    context: AuditContext, order: Order, *, customer: Customer, payee: Payee, amount: Money, now: datetime
) -> None:
    """Record that the order was checked and let it pass, or suspend it. Must run inside the posting transaction.

    Raises: TransferSuspended until 48 hours after the first try; the same order sent again after that passes once
    """
    signs = list_signs(customer, payee, amount, now)
    verdict = "allowed"
    if signs:
        release_suspension(order, signs, now)
        verdict = "released"
    record_entry(
        context,
        AuditAction.ANTIFRAUD_CHECKED,
        subject="order",
        subject_id=order.idempotency_key,
        customer_id=customer.pk,
        details={"verdict": verdict, "signs": ",".join(signs)},
    )


def list_signs(customer: Customer, payee: Payee, amount: Money, now: datetime) -> tuple[str, ...]:
    """Return the signs of fraud that an order shows, in a fixed order; also for a preview before the customer's yes."""
    signs = []
    if FlaggedTarget.objects.filter(target_digest=payee.target_digest).exists():
        signs.append("flagged_target")
    if payee.first_paid_at is None:
        if customer.is_watched:
            signs.append("watched_customer")
        day = to_local_date(now, customer.zone)
        rule = list_rules(NEW_PAYEE_LIMIT, currency=amount.currency, day=day).get(LimitPeriod.OPERATION)
        if rule is not None and amount.minor > rule.amount_minor:
            signs.append("new_payee_large")
    return tuple(signs)


def release_suspension(order: Order, signs: tuple[str, ...], now: datetime) -> None:
    """Use up the suspension this order waited for.

    Raises: TransferSuspended when there is none yet, or its time is not over
    """
    suspension = list_waiting(order).select_for_update(no_key=True).first()
    if suspension is None:
        raise TransferSuspended(now + COOLING_OFF, signs)
    if now < suspension.until:
        raise TransferSuspended(suspension.until, signs)
    suspension.released_at = now
    suspension.save(update_fields=["released_at"])


def find_suspension_end(order: Order) -> datetime | None:
    """Return until when the order is suspended, for a preview; None when it never was, or was released."""
    return list_waiting(order).values_list("until", flat=True).first()


def list_waiting(order: Order) -> QuerySet[Suspension]:
    return Suspension.objects.filter(
        customer_id=order.holder_id, request_hash=hash_order(order), released_at__isnull=True
    )
