from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import OperationalError
from psycopg import errors as database_errors

from accounts.errors import (
    AccountsError,
    CapExceeded,
    GatewayRefused,
    IdempotencyConflict,
    InsufficientFunds,
    NotFound,
    OperationRefused,
    TransferSuspended,
)
from accounts.models import Operation, RefusedOrder, Suspension
from accounts.money import Money
from accounts.orders import OwnTransferOrder, SettlementOrder, hash_order, to_json
from accounts.services.idempotency import REFUSALS, find_outcome, rebuild_refusal, retry_transaction, store_refusal
from accounts.services.transfers import post_own_transfer, submit_own_transfer
from audit.models import AuditEntry
from tests.factories.accounts import make_customer
from tests.factories.ledger import NOW, build_context, build_own_transfer, give_money, make_account

pytestmark = pytest.mark.django_db


def build(minor: int = 100, key: str = "k") -> OwnTransferOrder:
    source = make_account(balance=1_000)
    return build_own_transfer(source, make_account(source.customer), minor, key=key)


def change(order: OwnTransferOrder, minor: int) -> OwnTransferOrder:
    return OwnTransferOrder(
        customer_id=order.customer_id,
        idempotency_key=order.idempotency_key,
        source_account=order.source_account,
        target_account=order.target_account,
        amount=Money(minor),
    )


def test_key_with_another_order_is_a_conflict_and_recorded() -> None:
    order = build()
    submit_own_transfer(build_context(), order=order, now=NOW)
    with pytest.raises(IdempotencyConflict):
        submit_own_transfer(build_context(), order=change(order, 101), now=NOW)
    entry = AuditEntry.objects.get(action="transfer.refused")
    assert (entry.subject_id, entry.outcome) == ("k", "refused")
    assert Operation.objects.filter(kind="own_transfer").count() == 1
    assert not RefusedOrder.objects.exists()


def test_refused_stays_refused_even_when_money_came() -> None:
    order = build(2_000)
    with pytest.raises(InsufficientFunds):
        submit_own_transfer(build_context(), order=order, now=NOW)
    source = Operation.objects.filter(kind="incoming").latest("pk").lines.get().account
    give_money(source, 10_000)
    with pytest.raises(InsufficientFunds):
        submit_own_transfer(build_context(), order=order, now=NOW)
    with pytest.raises(IdempotencyConflict):
        submit_own_transfer(build_context(), order=change(order, 5), now=NOW)
    fresh = change(order, 2_000)
    again = OwnTransferOrder(
        customer_id=fresh.customer_id,
        idempotency_key="new",
        source_account=fresh.source_account,
        target_account=fresh.target_account,
        amount=fresh.amount,
    )
    assert submit_own_transfer(build_context(), order=again, now=NOW).status == "posted"


def test_keys_of_two_customers_never_meet() -> None:
    first, second = build(key="same"), build(key="same")
    operations = {submit_own_transfer(build_context(), order=order, now=NOW).pk for order in (first, second)}
    assert len(operations) == 2


def test_confirmation_pays_once_whatever_the_key() -> None:
    order = build()
    confirmation = uuid4()
    orders = [
        OwnTransferOrder(
            customer_id=order.customer_id,
            idempotency_key=key,
            confirmation=confirmation,
            source_account=order.source_account,
            target_account=order.target_account,
            amount=order.amount,
        )
        for key in ("first", "second")
    ]
    submit_own_transfer(build_context(), order=orders[0], now=NOW)
    with pytest.raises(IdempotencyConflict):
        submit_own_transfer(build_context(), order=orders[1], now=NOW)


def test_foreign_account_is_not_found_and_recorded_as_denied() -> None:
    order = build()
    stolen = OwnTransferOrder(
        customer_id=make_customer().pk,
        idempotency_key="stolen",
        source_account=order.source_account,
        target_account=order.target_account,
        amount=Money(1),
    )
    unknown = OwnTransferOrder(
        customer_id=order.customer_id,
        idempotency_key="unknown",
        source_account=order.source_account,
        target_account=uuid4(),
        amount=Money(1),
    )
    for wrong in (stolen, unknown):
        with pytest.raises(NotFound):
            submit_own_transfer(build_context(), order=wrong, now=NOW)
    denied = AuditEntry.objects.filter(action="access.denied")
    assert [(entry.subject, entry.subject_id) for entry in denied] == [("order", "own_transfer")] * 2
    assert not RefusedOrder.objects.exists()


def test_store_refusal_after_somebody_posted_returns_the_operation() -> None:
    order = build()
    operation = post_own_transfer(build_context(), order=order, now=NOW)
    assert store_refusal(build_context(), order, refusal=InsufficientFunds(), now=NOW) == operation
    assert not RefusedOrder.objects.exists()


def test_suspension_is_remembered_but_not_final() -> None:
    order = build()
    until = NOW + timedelta(hours=48)
    for _ in range(2):
        with pytest.raises(TransferSuspended):
            store_refusal(build_context(), order, refusal=TransferSuspended(until, ("flagged_target",)), now=NOW)
    suspension = Suspension.objects.get()
    assert (suspension.request_hash, suspension.signs, suspension.until) == (
        hash_order(order),
        "flagged_target",
        until,
    )
    assert find_outcome(order) is None
    assert AuditEntry.objects.filter(action="antifraud.suspended").count() == 2


def test_every_final_refusal_is_rebuilt_from_what_is_stored() -> None:
    never_stored = {"suspended", "idempotency_conflict"}
    for code, kind in REFUSALS.items():
        if code not in never_stored:
            assert type(rebuild_refusal(RefusedOrder(code=code, details={}))) is kind
    cap = rebuild_refusal(RefusedOrder(code="cap_exceeded", details=CapExceeded("sbp_out.day").get_details()))
    assert isinstance(cap, CapExceeded)
    assert cap.cap_code == "sbp_out.day"
    gateway = rebuild_refusal(RefusedOrder(code="gateway_refused", details=GatewayRefused("x").get_details()))
    assert isinstance(gateway, GatewayRefused)
    assert gateway.reason == "x"
    assert len(REFUSALS) == len({kind.code for kind in OperationRefused.__subclasses__()})
    assert issubclass(OperationRefused, AccountsError)


def fail(times: int, cause: Exception) -> tuple[list[int], object]:
    calls: list[int] = []

    def act() -> str:
        calls.append(1)
        if len(calls) <= times:
            raise OperationalError from cause
        return "done"

    return calls, act


@pytest.mark.parametrize("cause", [database_errors.DeadlockDetected(), database_errors.SerializationFailure()])
def test_transaction_that_lost_a_race_is_run_again(cause: Exception) -> None:
    calls, act = fail(2, cause)
    assert retry_transaction(act) == "done"  # type: ignore[arg-type]
    assert len(calls) == 3


def test_transaction_that_loses_three_times_or_otherwise_fails_raises() -> None:
    for times, cause, expected in ((3, database_errors.DeadlockDetected(), 3), (1, ValueError(), 1)):
        calls, act = fail(times, cause)
        with pytest.raises(OperationalError):
            retry_transaction(act)  # type: ignore[arg-type]
        assert len(calls) == expected


def test_hash_sees_what_is_asked_and_not_how() -> None:
    order = build()
    same = OwnTransferOrder(
        customer_id=order.customer_id,
        idempotency_key="another",
        confirmation=uuid4(),
        source_account=order.source_account,
        target_account=order.target_account,
        amount=order.amount,
    )
    assert hash_order(order) == hash_order(same)
    assert hash_order(order) != hash_order(change(order, 99))
    settlement = SettlementOrder(
        customer_id=None, idempotency_key="x", code="clearing.sbp", currency="RUB", day=NOW.date()
    )
    assert (settlement.scope, len(hash_order(settlement))) == ("bank", 64)
    with pytest.raises(NotFound):
        _ = settlement.holder_id
    with pytest.raises(TypeError):
        to_json(object())
