"""A customer with two accounts, the phone that may say yes, and a transfer that is asked about."""

import pytest

from accounts.models import Account, Customer
from functions.models import Confirmation
from tests.factories.accounts import make_customer
from tests.factories.confirmations import Phone, ask_own_transfer, make_phone
from tests.factories.ledger import make_account


@pytest.fixture
def customer() -> Customer:
    return make_customer()


@pytest.fixture
def source(customer: Customer) -> Account:
    """1 000 roubles."""
    return make_account(customer, balance=100_000)


@pytest.fixture
def target(customer: Customer) -> Account:
    return make_account(customer)


@pytest.fixture
def phone(customer: Customer) -> Phone:
    return make_phone(customer)


@pytest.fixture
def asked(source: Account, target: Account) -> Confirmation:
    return ask_own_transfer(source, target)
