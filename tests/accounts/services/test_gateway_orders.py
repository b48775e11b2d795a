import logging
from collections.abc import Sequence
from datetime import timedelta

import pytest
from typing_extensions import override

from accounts.enums import GatewayAnswer
from accounts.errors import GatewayUnavailable
from accounts.gateways.contract import DeliveredReply, GatewayReply, GatewayRequest
from accounts.gateways.demo import DemoGateway
from accounts.ledger_check import check_ledger
from accounts.models import Account, GatewayOrder, Operation
from accounts.services.gateway_orders import (
    ReconciledCount,
    apply_answer,
    build_request,
    complete_operation,
    get_order,
    reconcile_transfers,
)
from accounts.services.outgoing import place_bill_payment, place_sbp_transfer, submit_sbp_transfer
from tests.factories.accounts import make_customer
from tests.factories.ledger import (
    NOW,
    build_bill_payment,
    build_context,
    build_sbp_transfer,
    make_account,
    make_bill,
    make_payee,
    read_actions,
    read_books,
)

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


class CountingGateway(DemoGateway):
    """Remembers which ids it was sent and asked."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[str] = []
        self.asked: list[str] = []

    @override
    def send(self, request: GatewayRequest) -> GatewayReply:
        self.sent.append(str(request.operation_id))
        return super().send(request)

    @override
    def ask(self, request: GatewayRequest) -> GatewayReply | None:
        self.asked.append(str(request.operation_id))
        return super().ask(request)


def start(ending: str, gateway: DemoGateway) -> tuple[Account, Operation]:
    customer = make_customer()
    source = make_account(customer, balance=100_000)
    order = build_sbp_transfer(source, make_payee(customer, f"+700000002{ending}"), 30_000)
    return source, submit_sbp_transfer(build_context(), order=order, gateway=gateway, now=NOW)


def reconcile(gateway: DemoGateway, minutes: int) -> ReconciledCount:
    return reconcile_transfers(build_context(), gateway=gateway, now=NOW + minutes * MINUTE)


def test_time_out_is_asked_again_until_the_gateway_knows_under_one_id() -> None:
    gateway = CountingGateway()
    source, operation = start("92", gateway)
    assert (operation.status, read_books(source)) == ("pending", (100_000, 70_000, 70_000))

    assert reconcile(gateway, 1) == ReconciledCount(ended=0, unknown=1)
    assert reconcile(gateway, 2) == ReconciledCount(ended=1, unknown=0)
    assert reconcile(gateway, 3) == ReconciledCount(ended=0, unknown=0)

    operation.refresh_from_db()
    assert (operation.status, read_books(source)) == ("posted", (70_000, 70_000, 70_000))
    assert set(gateway.sent + gateway.asked) == {str(operation.public_id)}
    assert len(gateway.sent) == 1
    actions = [
        ("hold.placed", "ok"),
        ("gateway.answered", "failed"),
        ("gateway.answered", "ok"),
        ("hold.posted", "ok"),
    ]
    assert read_actions(operation) == actions
    assert check_ledger(now=NOW) == []


def test_time_out_that_was_a_refusal_gives_the_money_back() -> None:
    gateway = DemoGateway()
    source, operation = start("93", gateway)
    assert reconcile(gateway, 1) == ReconciledCount(ended=1, unknown=0)
    operation.refresh_from_db()
    assert (operation.status, read_books(source)) == ("voided", (100_000, 100_000, 100_000))


def test_what_never_arrived_is_sent_again_under_the_same_id() -> None:
    gateway = CountingGateway()
    source, operation = start("94", gateway)
    assert reconcile(gateway, 1) == ReconciledCount(ended=1, unknown=0)
    operation.refresh_from_db()
    assert (operation.status, read_books(source)) == ("posted", (70_000, 70_000, 70_000))
    assert gateway.sent == [str(operation.public_id)] * 2


def test_an_answer_that_comes_twice_counts_once() -> None:
    gateway = DemoGateway()
    source, operation = start("95", gateway)
    assert reconcile(gateway, 1) == ReconciledCount(ended=0, unknown=0)
    assert read_books(source) == (70_000, 70_000, 70_000)
    assert [action for action, _ in read_actions(operation)].count("hold.posted") == 1


def test_an_answer_that_comes_late_ends_the_operation() -> None:
    gateway = DemoGateway()
    source, operation = start("96", gateway)
    assert operation.status == "pending"
    assert reconcile(gateway, 0) == ReconciledCount(ended=1, unknown=0)
    assert read_books(source) == (70_000, 70_000, 70_000)


def test_an_answer_that_contradicts_the_first_changes_nothing_and_is_recorded(
    caplog: pytest.LogCaptureFixture,
) -> None:
    gateway = DemoGateway()
    source, operation = start("97", gateway)
    with caplog.at_level(logging.ERROR):
        assert reconcile(gateway, 1) == ReconciledCount(ended=0, unknown=0)
    assert [record.getMessage() for record in caplog.records] == ["a gateway contradicts its answer"]
    operation.refresh_from_db()
    assert (operation.status, read_books(source)) == ("posted", (70_000, 70_000, 70_000))
    assert read_actions(operation)[-1] == ("gateway.answered", "failed")
    assert GatewayOrder.objects.get(operation=operation).answer == "accepted"


def test_a_silent_gateway_leaves_money_held_and_says_so_once() -> None:
    gateway = DemoGateway()
    source, operation = start("98", gateway)
    for minutes in (1, 2, 3):
        assert reconcile(gateway, minutes) == ReconciledCount(ended=0, unknown=1)
    assert read_books(source) == (100_000, 70_000, 70_000)
    assert read_actions(operation) == [("hold.placed", "ok"), ("gateway.answered", "failed")]
    assert GatewayOrder.objects.get(operation=operation).attempts == 4


def test_an_operation_that_is_being_sent_is_not_asked_about_yet() -> None:
    gateway = CountingGateway()
    start("98", gateway)
    assert reconcile_transfers(build_context(), gateway=gateway, now=NOW + timedelta(seconds=29)).unknown == 0
    assert gateway.asked == []


def test_an_operation_nobody_sent_is_sent_by_the_reconciler() -> None:
    customer = make_customer()
    source = make_account(customer, balance=100_000)
    place_sbp_transfer(build_context(), order=build_sbp_transfer(source, make_payee(customer), 30_000), now=NOW)
    bill = make_bill(customer, 20_000)
    place_bill_payment(build_context(), order=build_bill_payment(source, bill), now=NOW)

    assert reconcile(DemoGateway(), 1) == ReconciledCount(ended=2, unknown=0)

    bill.refresh_from_db()
    assert (read_books(source), bill.status) == ((50_000, 50_000, 50_000), "paid")


def test_a_gateway_that_cannot_deliver_is_still_asked() -> None:
    class Undelivering(DemoGateway):
        @override
        def take_answers(self) -> Sequence[DeliveredReply]:
            raise GatewayUnavailable

    gateway = Undelivering()
    start("93", gateway)
    assert reconcile(gateway, 1) == ReconciledCount(ended=1, unknown=0)


def test_complete_operation_sends_once() -> None:
    gateway = CountingGateway()
    _, operation = start("98", gateway)
    again = complete_operation(build_context(), operation=operation, gateway=gateway, now=NOW)
    assert (again.status, len(gateway.sent)) == ("pending", 1)


def test_apply_answer_takes_final_answers_only() -> None:
    _, operation = start("98", DemoGateway())
    with pytest.raises(ValueError, match="accepted or refused"):
        apply_answer(
            build_context(),
            operation_id=operation.public_id,
            reply=GatewayReply(answer=GatewayAnswer.UNKNOWN),
            now=NOW,
        )


def test_requests_carry_what_the_gateway_needs() -> None:
    customer = make_customer()
    source = make_account(customer, balance=100_000)
    payee = make_payee(customer, "8 (000) 000-02-98")
    order = build_sbp_transfer(source, payee, 30_000, memo="за обед")
    transfer = place_sbp_transfer(build_context(), order=order, now=NOW)
    bill = make_bill(customer, 20_000, reference="7001")
    payment = place_bill_payment(build_context(), order=build_bill_payment(source, bill), now=NOW)

    first, second = build_request(get_order(transfer.pk)), build_request(get_order(payment.pk))

    assert (first.operation_id, first.gateway, first.target) == (transfer.public_id, "sbp", "+70000000298")
    assert (first.recipient, first.amount.minor, first.memo, first.attempt) == ("049999999", 30_000, "за обед", 0)
    assert (second.gateway, second.target, second.recipient) == ("biller", "7001", "housing")
