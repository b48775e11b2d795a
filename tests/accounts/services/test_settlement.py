from datetime import timedelta

import pytest

from accounts.gateways.demo import DemoGateway
from accounts.ledger_check import check_ledger
from accounts.models import Account
from accounts.money import Money
from accounts.orders import RefundOrder
from accounts.services.card_payments import clear_card_purchase, submit_card_purchase
from accounts.services.outgoing import submit_sbp_transfer
from accounts.services.reversals import submit_refund
from accounts.services.settlement import settle_clearing
from tests.factories.accounts import make_customer
from tests.factories.ledger import (
    NOW,
    build_context,
    build_purchase,
    build_sbp_transfer,
    make_account,
    make_card,
    make_payee,
    read_actions,
)

pytestmark = pytest.mark.django_db


def read_balance(code: str) -> int:
    return Account.objects.get(code=code, currency="RUB").booked.minor


def test_settlement_empties_clearing_once_a_day_and_leaves_holds() -> None:
    customer = make_customer()
    source = make_account(customer, balance=100_000)
    payee = make_payee(customer)
    gateway = DemoGateway()
    submit_sbp_transfer(build_context(), order=build_sbp_transfer(source, payee, 3_000), gateway=gateway, now=NOW)
    silent = make_payee(customer, "+70000000298")
    submit_sbp_transfer(build_context(), order=build_sbp_transfer(source, silent, 500), gateway=gateway, now=NOW)

    settled = settle_clearing(build_context(), now=NOW)

    assert [operation.kind for operation in settled] == ["settlement"]
    assert read_actions(settled[0]) == [("clearing.settled", "ok")]
    assert (read_balance("clearing.sbp"), read_balance("position.correspondent")) == (0, 97_000)
    submit_sbp_transfer(build_context(), order=build_sbp_transfer(source, payee, 1_000), gateway=gateway, now=NOW)
    assert settle_clearing(build_context(), now=NOW) == settled
    assert read_balance("clearing.sbp") == 1_000
    assert len(settle_clearing(build_context(), now=NOW + timedelta(days=1))) == 1
    assert read_balance("clearing.sbp") == 0
    assert check_ledger(now=NOW + timedelta(days=10)) == []


def test_refunds_beyond_purchases_are_settled_the_other_way() -> None:
    card = make_card(make_account(balance=10_000))
    purchase = submit_card_purchase(build_context(), order=build_purchase(card, 6_000), now=NOW)
    clear_card_purchase(build_context(), operation=purchase, amount=Money(6_000), now=NOW)
    settle_clearing(build_context(), now=NOW)
    refund = RefundOrder(
        customer_id=purchase.customer_id, idempotency_key="r", operation=purchase.public_id, amount=Money(2_000)
    )
    submit_refund(build_context(), order=refund, now=NOW)
    assert read_balance("clearing.card") == -2_000
    assert check_ledger(now=NOW) == []

    settle_clearing(build_context(), now=NOW + timedelta(days=1))

    assert (read_balance("clearing.card"), read_balance("position.correspondent")) == (0, 6_000)
