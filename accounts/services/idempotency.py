"""An order happens once: the same key always gets the same outcome, refusals too.

`find_outcome` opens every posting service; `submit_order` is the act around one: it retries whole transactions that
lost a race of locks, and stores what a rule refused after the rollback. A caller that posts inside its own transaction
(a confirmation and its money commit together) calls the posting service itself, in a savepoint, and `keep_refusal`
after that was rolled back.
"""

import random
import time
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from django.db import OperationalError, connection, transaction
from psycopg import errors as database_errors

from accounts import errors
from accounts.errors import IdempotencyConflict, NotFound, OperationRefused, TransferSuspended
from accounts.models import Operation, RefusedOrder, Suspension
from accounts.orders import Order, hash_order
from audit.context import AuditContext
from audit.enums import AuditAction, Outcome
from audit.journal import record_entry, record_refusal

ATTEMPTS = 3
RETRIED = (database_errors.DeadlockDetected, database_errors.SerializationFailure)
LOCK_KEY = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
FIND_KEY = """
SELECT false, id, request_hash FROM accounts_operation WHERE idem_scope = %s AND idem_key = %s
UNION ALL
SELECT true, id, request_hash FROM accounts_refusedorder WHERE idem_scope = %s AND idem_key = %s
"""
REFUSALS = {
    kind.code: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, OperationRefused) and kind is not OperationRefused
}
jitter = random.SystemRandom()
Posted = TypeVar("Posted")


def find_outcome(order: Order) -> Operation | None:
    """Return the operation this order became before; None when it is new. Must run inside the posting transaction.

    From here to the end of the transaction nobody else decides about the same key.

    Raises: the stored OperationRefused, IdempotencyConflict
    """
    key = (order.scope, order.idempotency_key)
    with connection.cursor() as cursor:
        cursor.execute(LOCK_KEY, ["\n".join(key)])
        # A statement of its own: what the lock waited for must be seen.
        cursor.execute(FIND_KEY, key * 2)
        found = cursor.fetchone()
    if found is None:
        return None
    is_refused, pk, digest = found
    if digest != hash_order(order):
        raise IdempotencyConflict
    if is_refused:
        raise rebuild_refusal(RefusedOrder.objects.get(pk=pk))
    return Operation.objects.get(pk=pk)


def rebuild_refusal(refused: RefusedOrder) -> OperationRefused:
    """Return the error that was raised when the order was refused."""
    return REFUSALS[refused.code](**refused.details)


def submit_order(context: AuditContext, order: Order, *, post: Callable[[], Operation], now: datetime) -> Operation:
    """Run `post` in a durable transaction of its own and return its operation; a refusal is stored, then raised.

    Raises: OperationRefused, NotFound (recorded as denied access), and what the database raises after three attempts
    """
    try:
        return retry_transaction(post)
    except OperationRefused as refusal:
        return store_refusal(context, order, refusal=refusal, now=now)
    except NotFound:
        record_refusal(
            context,
            AuditAction.ACCESS_DENIED,
            subject="order",
            subject_id=order.operation_kind.value,
            customer_id=order.customer_id,
        )
        raise


def retry_transaction(act: Callable[[], Posted]) -> Posted:
    """Return `act()` run in a durable transaction; one that lost a race of locks is run again as a whole."""
    for attempt in range(1, ATTEMPTS):
        try:
            with transaction.atomic(durable=True):
                return act()
        except OperationalError as error:
            if not isinstance(error.__cause__, RETRIED):
                raise
            time.sleep(jitter.uniform(0.005, 0.02) * attempt)
    with transaction.atomic(durable=True):
        return act()


def store_refusal(context: AuditContext, order: Order, *, refusal: OperationRefused, now: datetime) -> Operation:
    """Remember the refusal for its key, with its audit entry, and raise it. Call it after the rollback.

    A suspension is not final: it is remembered as such, and the key may come again. A key with another content is
    only recorded. Returns the operation instead when the same order was posted by somebody else in between.

    Raises: OperationRefused
    """
    with transaction.atomic(durable=True):
        if not isinstance(refusal, IdempotencyConflict):
            winner = find_outcome(order)
            if winner is not None:
                return winner
        keep_refusal(context, order, refusal=refusal, now=now)
    raise refusal


def keep_refusal(context: AuditContext, order: Order, *, refusal: OperationRefused, now: datetime) -> None:
    """Remember and record the refusal in the caller's transaction, after what the order had begun was rolled back.

    The caller makes sure that the same order did not become an operation in between.
    """
    if not isinstance(refusal, IdempotencyConflict):
        remember_refusal(order, refusal, now)
    if isinstance(refusal, TransferSuspended):
        record_suspension(context, order, refusal)
        return
    record_entry(
        context,
        AuditAction.TRANSFER_REFUSED,
        subject="order",
        subject_id=order.idempotency_key,
        customer_id=order.customer_id,
        outcome=Outcome.REFUSED,
        details={"kind": order.operation_kind, "code": refusal.code},
    )


def remember_refusal(order: Order, refusal: OperationRefused, now: datetime) -> None:
    """Insert the row that makes the refusal final, or the suspension that makes it wait."""
    if isinstance(refusal, TransferSuspended):
        Suspension.objects.get_or_create(
            customer_id=order.holder_id,
            request_hash=hash_order(order),
            released_at=None,
            defaults={"signs": ",".join(refusal.signs), "created_at": now, "until": refusal.until},
        )
        return
    RefusedOrder.objects.create(
        idem_scope=order.scope,
        idem_key=order.idempotency_key,
        request_hash=hash_order(order),
        kind=order.operation_kind,
        customer_id=order.customer_id,
        code=refusal.code,
        details=refusal.get_details(),
        created_at=now,
    )


def record_suspension(context: AuditContext, order: Order, refusal: TransferSuspended) -> None:
    record_entry(
        context,
        AuditAction.ANTIFRAUD_SUSPENDED,
        subject="order",
        subject_id=order.idempotency_key,
        customer_id=order.customer_id,
        outcome=Outcome.REFUSED,
        details={"signs": ",".join(refusal.signs), "until": refusal.until.isoformat()},
    )
