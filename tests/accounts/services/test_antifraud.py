from dataclasses import replace
from datetime import timedelta

import pytest

from accounts.enums import LimitPeriod
from accounts.errors import TransferSuspended
from accounts.gateways.demo import DemoGateway
from accounts.models import Customer, FlaggedTarget, Operation, Suspension
from accounts.services.antifraud import find_suspension_end, list_signs
from accounts.services.outgoing import submit_sbp_transfer
from audit.models import AuditEntry
from tests.factories.accounts import make_customer
from tests.factories.ledger import (
    NOW,
    build_context,
    build_sbp_transfer,
    make_account,
    make_payee,
    read_books,
    set_limit,
)

pytestmark = pytest.mark.django_db
HOURS_48 = NOW + timedelta(hours=48)


def send(order: object, now: object) -> Operation:
    return submit_sbp_transfer(build_context(), order=order, gateway=DemoGateway(), now=now)  # type: ignore[arg-type]


def test_large_first_payment_waits_48_hours_and_then_passes_once() -> None:
    set_limit("antifraud.new_payee", LimitPeriod.OPERATION, 50_000)
    customer = make_customer()
    source = make_account(customer, balance=1_000_000)
    payee = make_payee(customer, is_known=False)
    order = build_sbp_transfer(source, payee, 50_001, key="first")

    for now in (NOW, HOURS_48 - timedelta(seconds=1)):
        with pytest.raises(TransferSuspended) as refusal:
            send(order, now)
        assert (refusal.value.until, refusal.value.signs) == (HOURS_48, ("new_payee_large",))
    # Nothing is reserved: the rule delays acceptance.
    assert read_books(source) == (1_000_000, 1_000_000, 1_000_000)

    # The customer is asked again: a new key, the same order.
    again = build_sbp_transfer(source, payee, 50_001, key="second")
    assert send(again, HOURS_48).status == "posted"
    assert Suspension.objects.get().released_at == HOURS_48
    checked = AuditEntry.objects.filter(action="antifraud.checked").latest("recorded_at")
    assert b'"verdict":"released"' in bytes(checked.body)
    # By now the payee is known.
    assert send(build_sbp_transfer(source, payee, 50_001), HOURS_48).status == "posted"


def test_flagged_target_and_watched_customer_are_signs() -> None:
    customer = make_customer()
    payee = make_payee(customer)
    source = make_account(customer, balance=1_000_000)
    FlaggedTarget.objects.create(target_digest=payee.target_digest, listed_on=NOW.date())
    with pytest.raises(TransferSuspended) as refusal:
        send(build_sbp_transfer(source, payee, 1), NOW)
    assert refusal.value.signs == ("flagged_target",)

    Customer.objects.filter(pk=customer.pk).update(is_watched=True)
    customer.refresh_from_db()
    fresh = make_payee(customer, "+70000000202", is_known=False)
    amount = build_sbp_transfer(source, fresh, 1).amount
    assert list_signs(customer, fresh, amount, NOW) == ("watched_customer",)


def test_flagged_target_needs_a_new_wait_after_each_release() -> None:
    customer = make_customer()
    payee = make_payee(customer)
    source = make_account(customer, balance=1_000_000)
    FlaggedTarget.objects.create(target_digest=payee.target_digest, listed_on=NOW.date())
    with pytest.raises(TransferSuspended):
        send(build_sbp_transfer(source, payee, 1), NOW)
    assert send(build_sbp_transfer(source, payee, 1), HOURS_48).status == "posted"
    with pytest.raises(TransferSuspended):
        send(build_sbp_transfer(source, payee, 1), HOURS_48)


def test_usual_payment_is_checked_and_allowed() -> None:
    customer = make_customer()
    source = make_account(customer, balance=1_000_000)
    assert send(build_sbp_transfer(source, make_payee(customer), 1), NOW).status == "posted"
    checked = AuditEntry.objects.get(action="antifraud.checked")
    assert b'"verdict":"allowed"' in bytes(checked.body)


def test_a_preview_sees_until_when_an_order_waits() -> None:
    set_limit("antifraud.new_payee", LimitPeriod.OPERATION, 50_000)
    customer = make_customer()
    source = make_account(customer, balance=1_000_000)
    order = build_sbp_transfer(source, make_payee(customer, is_known=False), 50_001, key="first")
    assert find_suspension_end(order) is None
    with pytest.raises(TransferSuspended):
        send(order, NOW)
    assert find_suspension_end(replace(order, idempotency_key="preview")) == HOURS_48
    assert find_suspension_end(replace(order, memo="other")) is None
