"""Random histories of the ledger against a reference that fits on a screen."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.enums import AccountKind
from accounts.errors import OperationRefused
from accounts.ledger_check import check_ledger
from accounts.models import Account, Card, Operation
from accounts.money import Money
from accounts.orders import RefundOrder, ReversalOrder
from accounts.services.card_payments import authorise_card_purchase, clear_card_purchase
from accounts.services.holds import void_operation
from accounts.services.reversals import refund_operation, reverse_operation
from accounts.services.transfers import post_own_transfer
from tests.factories.accounts import make_customer
from tests.factories.ledger import (
    NOW,
    build_context,
    build_own_transfer,
    build_purchase,
    get_holder_id,
    give_money,
    make_account,
    make_card,
    read_books,
)

ACCOUNTS = 3
OVERDRAFT = 50


@dataclass
class Reference:
    """Thirty lines that say what a ledger is: balances, holds, and what each operation gave."""

    booked: list[int] = field(default_factory=lambda: [0] * ACCOUNTS)
    held: dict[int, tuple[int, int]] = field(default_factory=dict)  # number -> account, amount
    given: dict[int, tuple[int, int | None, int]] = field(default_factory=dict)  # number -> from, to, amount
    undone: dict[int, int | None] = field(default_factory=dict)  # number -> refunded so far; None: reversed

    def available(self, account: int) -> int:
        out = sum(amount for holder, amount in self.held.values() if holder == account)
        return self.booked[account] - out + (OVERDRAFT if account == 2 else 0)

    def move(self, source: int | None, target: int | None, amount: int, *, released: int = 0) -> bool:
        if source is not None and self.available(source) + released < amount:
            return False
        for account, change in ((source, -amount), (target, amount)):
            if account is not None:
                self.booked[account] += change
        return True

    def transfer(self, number: int, source: int, target: int, amount: int) -> bool:
        if source == target or not self.move(source, target, amount):
            return False
        self.given[number] = (source, target, amount)
        return True

    def hold(self, number: int, account: int, amount: int) -> bool:
        if self.available(account) < amount:
            return False
        self.held[number] = (account, amount)
        return True

    def clear(self, number: int, amount: int) -> bool:
        if number not in self.held:
            return False
        account, held = self.held.pop(number)
        charged = amount if amount <= held or self.available(account) >= amount else held
        self.booked[account] -= charged
        self.given[number] = (account, None, charged)
        return True

    def void(self, number: int) -> bool:
        return self.held.pop(number, None) is not None

    def refund(self, number: int, amount: int) -> bool:
        if number not in self.given or self.undone.get(number, 0) is None:
            return False
        source, target, given = self.given[number]
        so_far = self.undone.get(number, 0) or 0
        if so_far + amount > given or not self.move(target, source, amount):
            return False
        self.undone[number] = so_far + amount
        return True

    def reverse(self, number: int) -> bool:
        if number not in self.given or number in self.undone:
            return False
        source, target, given = self.given[number]
        if not self.move(target, source, given):
            return False
        self.undone[number] = None
        return True


class Real:
    """The same acts by the ledger's services; an operation is known by the number of the step that made it."""

    def __init__(self) -> None:
        customer = make_customer()
        self.accounts: list[Account] = [
            make_account(customer, kind=AccountKind.CURRENT, overdraft=OVERDRAFT if place == 2 else 0)
            for place in range(ACCOUNTS)
        ]
        self.cards: list[Card] = [make_card(account) for account in self.accounts]
        self.operations: dict[int, Operation] = {}

    def move(self, source: None, target: int, amount: int) -> None:
        give_money(self.accounts[target], amount)

    def transfer(self, number: int, source: int, target: int, amount: int) -> None:
        order = build_own_transfer(self.accounts[source], self.accounts[target], amount)
        self.operations[number] = post_own_transfer(build_context(), order=order, now=NOW)

    def hold(self, number: int, account: int, amount: int) -> None:
        order = build_purchase(self.cards[account], amount)
        self.operations[number] = authorise_card_purchase(build_context(), order=order, now=NOW)

    def clear(self, number: int, amount: int) -> None:
        clear_card_purchase(build_context(), operation=self.find(number), amount=Money(amount), now=NOW)

    def void(self, number: int) -> None:
        void_operation(build_context(), operation=self.find(number), reason="cancelled", now=NOW)

    def refund(self, number: int, amount: int) -> None:
        order = RefundOrder(
            customer_id=get_holder_id(self.accounts[0]),
            idempotency_key=f"refund-{len(self.operations)}-{Operation.objects.count()}",
            operation=self.find(number).public_id,
            amount=Money(amount),
        )
        refund_operation(build_context(), order=order, now=NOW)

    def reverse(self, number: int) -> None:
        order = ReversalOrder(
            customer_id=get_holder_id(self.accounts[0]),
            idempotency_key=f"reverse-{Operation.objects.count()}",
            operation=self.find(number).public_id,
            reason="mistake",
        )
        reverse_operation(build_context(), order=order, now=NOW)

    def find(self, number: int) -> Operation:
        return self.operations[number]


AMOUNTS = st.one_of(st.integers(1, 120), st.just(10**14))
PLACES = st.integers(0, ACCOUNTS - 1)
BACK = st.integers(1, 6)
STEPS = st.one_of(
    st.tuples(st.just("move"), PLACES, st.integers(1, 200)),
    st.tuples(st.just("transfer"), PLACES, PLACES, AMOUNTS),
    st.tuples(st.just("hold"), PLACES, AMOUNTS),
    st.tuples(st.just("clear"), BACK, st.integers(1, 150)),
    st.tuples(st.just("void"), BACK),
    st.tuples(st.just("refund"), BACK, st.integers(1, 100)),
    st.tuples(st.just("reverse"), BACK),
)
MAKING = ("transfer", "hold")


def attempt(act: Callable[[], None]) -> bool:
    try:
        with transaction.atomic():
            act()
    except OperationRefused:
        return False
    return True


def run_step(number: int, step: tuple[str, int, int, int], reference: Reference, real: Real) -> None:
    name, *values = step
    if name == "move":
        arguments: list[object] = [None, *values]
    elif name in MAKING:
        arguments = [number, *values]
    else:
        target = number - values[0]
        if target not in real.operations:
            return
        arguments = [target, *values[1:]]
    expected = getattr(reference, name)(*arguments)
    assert attempt(lambda: getattr(real, name)(*arguments)) == expected, step


def check_books(reference: Reference, real: Real) -> None:
    for place, account in enumerate(real.accounts):
        held = sum(amount for holder, amount in reference.held.values() if holder == place)
        booked = reference.booked[place]
        assert read_books(account) == (booked, reference.available(place), booked - held)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    assert check_ledger(now=NOW) == []


@pytest.mark.django_db
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEPS, min_size=1, max_size=14))
def test_random_histories_end_as_the_reference_says(history: list[tuple[str, int, int, int]]) -> None:
    with transaction.atomic():
        reference, real = Reference(), Real()
        for number, step in enumerate(history):
            run_step(number, step, reference, real)
        check_books(reference, real)
        transaction.set_rollback(True)
