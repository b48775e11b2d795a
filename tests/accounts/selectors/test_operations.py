import pytest

from accounts.gateways.demo import DemoGateway
from accounts.money import Money
from accounts.selectors.operations import find_largest_payment, read_amounts
from accounts.services.outgoing import submit_sbp_transfer
from accounts.services.transfers import submit_own_transfer
from tests.factories.accounts import make_customer
from tests.factories.ledger import (
    NOW,
    build_context,
    build_own_transfer,
    build_sbp_transfer,
    make_account,
    make_payee,
    set_tariff,
)

pytestmark = pytest.mark.django_db


def test_amount_and_fee_are_read_back_posted_held_and_settled() -> None:
    customer = make_customer()
    source, target = make_account(customer, balance=1_000_000), make_account(customer)
    free = submit_own_transfer(build_context(), order=build_own_transfer(source, target, 500), now=NOW)
    assert read_amounts(free) == (Money(500), Money(0))
    set_tariff("sbp_out", rate_bp=100)
    order = build_sbp_transfer(source, make_payee(customer), 20_000)
    settled = submit_sbp_transfer(build_context(), order=order, gateway=DemoGateway(), now=NOW)
    assert (settled.status, read_amounts(settled)) == ("posted", (Money(20_000), Money(200)))


def test_largest_payment_counts_what_arrived_at_this_payee() -> None:
    customer = make_customer()
    source = make_account(customer, balance=1_000_000)
    payee, refusing = make_payee(customer), make_payee(customer, "+70000000291")
    assert find_largest_payment(payee, "RUB") is None
    for minor in (300, 700, 500):
        order = build_sbp_transfer(source, payee, minor)
        submit_sbp_transfer(build_context(), order=order, gateway=DemoGateway(), now=NOW)
    order = build_sbp_transfer(source, refusing, 900)
    submit_sbp_transfer(build_context(), order=order, gateway=DemoGateway(), now=NOW)
    assert (find_largest_payment(payee, "RUB"), find_largest_payment(refusing, "RUB")) == (Money(700), None)
    assert find_largest_payment(payee, "USD") is None
