"""Many at once: money is neither made nor lost, nobody deadlocks, and every caller learns the outcome."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Self, TypeVar

import pytest
from django.db import connection, connections

from accounts.enums import Frequency, LimitPeriod
from accounts.errors import AccountsError, CapExceeded, HoldResolved, InsufficientFunds
from accounts.gateways.demo import DemoGateway
from accounts.ledger_check import check_ledger
from accounts.models import Account, CapUsage, Customer, Operation
from accounts.money import Money
from accounts.orders import OwnTransferOrder
from accounts.services.card_payments import clear_card_purchase, submit_card_purchase
from accounts.services.holds import void_operation
from accounts.services.idempotency import retry_transaction
from accounts.services.outgoing import submit_sbp_transfer
from accounts.services.scheduled import PaidCount, pay_scheduled
from accounts.services.schedules import schedule_payment
from accounts.services.transfers import submit_own_transfer
from audit.models import AuditEntry
from tests.factories.accounts import make_customer
from tests.factories.ledger import (
    NOW,
    build_context,
    build_own_transfer,
    build_purchase,
    build_sbp_transfer,
    get_holder_id,
    make_account,
    make_card,
    make_payee,
    read_books,
    set_limit,
)

pytestmark = pytest.mark.django_db(transaction=True)

WORKERS = 25
TRANSFERS = 100
RUNS = 20
Answer = TypeVar("Answer")


@pytest.fixture(autouse=True)
def connection_per_thread() -> Iterator[None]:
    """The product's pool would queue the workers; here every one has its own connection, and all work at once."""
    options = connections.settings["default"]["OPTIONS"]
    pool = options.pop("pool", None)
    connection.close()
    yield
    connection.close()
    if pool is not None:
        options["pool"] = pool


class Crowd:
    """Threads that each keep a database connection and start every round together."""

    def __init__(self, workers: int = WORKERS) -> None:
        self.workers = workers
        self.start = threading.Barrier(workers)
        self.pool = ThreadPoolExecutor(workers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.run([leave] * self.workers)
        self.pool.shutdown()

    def run(self, acts: Sequence[Callable[[], Answer]]) -> list[Answer | AccountsError]:
        """Return what each act returned or how it was refused."""
        shares = [acts[number :: self.workers] for number in range(self.workers)]
        done = list(self.pool.map(self.work, shares, timeout=100))
        return [outcome for share in done for outcome in share]

    def work(self, share: Sequence[Callable[[], Answer]]) -> list[Answer | AccountsError]:
        self.start.wait(timeout=30)
        return [settle(act) for act in share]


def leave() -> None:
    """Close the connection of the thread that calls."""
    connection.close()


def run_at_once(acts: Sequence[Callable[[], Answer]], *, workers: int = WORKERS) -> list[Answer | AccountsError]:
    with Crowd(workers) as crowd:
        return crowd.run(acts)


def send(order: OwnTransferOrder) -> Callable[[], Operation]:
    return partial(submit_own_transfer, build_context(), order=order, now=NOW)


def settle(act: Callable[[], Answer]) -> Answer | AccountsError:
    try:
        return act()
    except AccountsError as refusal:
        return refusal


def count_outcomes(outcomes: Sequence[object]) -> Counter[str]:
    names = [outcome.status if isinstance(outcome, Operation) else type(outcome).__name__ for outcome in outcomes]
    return Counter(names)


@pytest.mark.timeout(400)
def test_parallel_transfers_over_opposing_pairs_keep_every_kopeck() -> None:
    customer = make_customer()
    accounts = [make_account(customer, balance=30_000) for _ in range(4)]
    chance = random.Random(20261101)

    with Crowd() as crowd:
        for run in range(RUNS):
            orders = [
                build_own_transfer(source, target, chance.randint(1, 20_000), key=f"{run}-{number}")
                for number in range(TRANSFERS)
                for source, target in [chance.sample(accounts, 2)]
            ]
            found = count_outcomes(crowd.run([send(order) for order in orders]))
            assert set(found) <= {"posted", InsufficientFunds.__name__}
            assert sum(found.values()) == TRANSFERS
            assert Operation.objects.filter(idem_key__startswith=f"{run}-").count() == found["posted"]
            balances = [read_books(account)[0] for account in accounts]
            assert (sum(balances), min(balances) >= 0) == (120_000, True)
    assert check_ledger(now=NOW) == []


def test_the_same_order_sent_by_many_happens_once() -> None:
    source = make_account(balance=10_000)
    target = make_account(source.customer)
    order = build_own_transfer(source, target, 4_000)

    outcomes = run_at_once([send(order)] * WORKERS)

    assert len({outcome.pk for outcome in outcomes if isinstance(outcome, Operation)}) == 1
    assert count_outcomes(outcomes) == {"posted": WORKERS}
    assert read_books(source)[0] == 6_000


def test_the_same_refused_order_sent_by_many_is_refused_and_recorded_once() -> None:
    source = make_account(balance=3_000)
    order = build_own_transfer(source, make_account(source.customer), 4_000)

    outcomes = run_at_once([send(order)] * WORKERS)

    assert count_outcomes(outcomes) == {InsufficientFunds.__name__: WORKERS}
    assert AuditEntry.objects.filter(action="transfer.refused", subject_id=order.idempotency_key).count() == 1


def test_holds_at_once_never_pass_the_balance() -> None:
    account = make_account(balance=10_000)
    card = make_card(account)
    orders = [build_purchase(card, 1_500, key=f"hold-{number}") for number in range(WORKERS)]

    outcomes = run_at_once([partial(submit_card_purchase, build_context(), order=order, now=NOW) for order in orders])

    assert count_outcomes(outcomes) == {"pending": 6, InsufficientFunds.__name__: WORKERS - 6}
    assert read_books(account) == (10_000, 1_000, 1_000)


def test_clearing_and_cancelling_at_once_have_one_winner() -> None:
    account = make_account(balance=10_000)
    operation = submit_card_purchase(build_context(), order=build_purchase(make_card(account), 7_000), now=NOW)

    def clear() -> Operation:
        act = partial(clear_card_purchase, build_context(), operation=operation, amount=Money(5_000), now=NOW)
        return retry_transaction(act).operation

    def cancel() -> Operation:
        act = partial(void_operation, build_context(), operation=operation, reason="cancelled", now=NOW)
        return retry_transaction(act)

    outcomes = run_at_once([clear, cancel] * 10, workers=20)

    found = count_outcomes(outcomes)
    assert found in ({"posted": 10, HoldResolved.__name__: 10}, {"voided": 1, HoldResolved.__name__: 19})
    booked = 5_000 if "posted" in found else 10_000
    assert read_books(account) == (booked, booked, booked)
    assert check_ledger(now=NOW) == []


def test_caps_at_once_are_never_passed() -> None:
    customer = make_customer()
    accounts = [make_account(customer, balance=1_000_000) for _ in range(2)]
    payee = make_payee(customer)
    set_limit("sbp_out", LimitPeriod.DAY, 100_000)
    orders = [build_sbp_transfer(accounts[number % 2], payee, 15_000, key=f"cap-{number}") for number in range(20)]
    gateway = DemoGateway()

    outcomes = run_at_once(
        [partial(submit_sbp_transfer, build_context(), order=order, gateway=gateway, now=NOW) for order in orders],
        workers=20,
    )

    assert count_outcomes(outcomes) == {"posted": 6, CapExceeded.__name__: 14}
    assert CapUsage.objects.get(code="sbp_out.day").used_minor == 90_000
    assert sum(read_books(account)[0] for account in accounts) == 2_000_000 - 90_000
    assert Account.objects.get(code="clearing.sbp").booked == Money(90_000)


def test_scheduled_payments_run_by_many_at_once_are_paid_once_each() -> None:
    source = make_account(balance=1_000_000)
    holder = get_holder_id(source)
    for minor in (1_000, 2_000, 4_000, 8_000):
        payee = make_payee(Customer.objects.get(pk=holder))
        schedule_payment(
            build_context(),
            customer_id=holder,
            account_id=source.public_id,
            payee_id=payee.public_id,
            amount=Money(minor),
            frequency=Frequency.MONTHLY,
            first_on=NOW.date(),
            title="",
            now=NOW,
        )

    counts = run_at_once([partial(pay_scheduled, build_context(), gateway=DemoGateway(), now=NOW)] * 10, workers=10)

    paid = sum(count.paid for count in counts if isinstance(count, PaidCount))
    assert (paid, read_books(source)[0]) == (4, 985_000)
    assert AuditEntry.objects.filter(action="schedule.executed").count() == 4
    assert check_ledger(now=NOW) == []
