"""Many decide at once: one execution, and everybody learns how it ended."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection, connections

from accounts.ledger_check import check_ledger
from accounts.models import Account, Operation
from accounts.services.idempotency import retry_transaction
from functions.confirmations.closing import expire_confirmation
from functions.confirmations.outcomes import Decided
from functions.enums import CallStatus, ConfirmationState
from functions.errors import ConfirmationDecided, ConfirmationExpired
from functions.models import Confirmation
from tests.factories.accounts import make_customer
from tests.factories.confirmations import ask_own_transfer, get_holder, make_phone
from tests.factories.ledger import NOW, build_context, make_account, read_books

pytestmark = pytest.mark.django_db(transaction=True)
APPROVALS = 50
Act = Callable[[], object]


@pytest.fixture(autouse=True)
def connection_per_thread() -> Iterator[None]:
    """The product's pool would queue the threads; here every one has its own connection, and all work at once."""
    options = connections.settings["default"]["OPTIONS"]
    pool = options.pop("pool", None)
    connection.close()
    yield
    connection.close()
    if pool is not None:
        options["pool"] = pool


def run_at_once(acts: Sequence[Act]) -> list[object]:
    """Start every act in a thread of its own at the same moment, each with an open connection."""
    barrier = threading.Barrier(len(acts))

    def work(act: Act) -> object:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=30)
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(work, acts, timeout=60))


def make_pair() -> tuple[Account, Account]:
    customer = make_customer()
    return make_account(customer, balance=100_000), make_account(customer)


def test_fifty_approvals_from_two_devices_execute_once() -> None:
    source, target = make_pair()
    phones = [make_phone(get_holder(source), name) for name in ("phone-1", "tablet")]
    asked = ask_own_transfer(source, target)

    acts = [partial(phones[number % 2].decide, asked) for number in range(APPROVALS)]
    outcomes = [outcome for outcome in run_at_once(acts) if isinstance(outcome, Decided)]

    kinds = Counter(type(outcome.refusal) for outcome in outcomes)
    assert kinds == {type(None): 1, ConfirmationDecided: APPROVALS - 1}
    assert Operation.objects.filter(idem_key=str(asked.pk)).count() == 1
    assert (read_books(source)[0], read_books(target)[0]) == (50_000, 50_000)
    assert check_ledger(now=NOW) == []


def test_expiry_racing_approvals_ends_in_one_of_the_two() -> None:
    source, target = make_pair()
    phone = make_phone(get_holder(source))
    asked = [ask_own_transfer(source, target, 1_000) for _ in range(10)]
    at = NOW + timedelta(seconds=119)
    over = NOW + timedelta(seconds=120)

    acts: list[Act] = []
    for one in asked:
        expire = partial(expire_confirmation, build_context(), confirmation_id=one.pk, now=over)
        acts += [partial(phone.decide, one, now=at), partial(retry_transaction, expire)]
    outcomes = run_at_once(acts)

    executed = 0
    for number, one in enumerate(asked):
        decided, expired = outcomes[2 * number : 2 * number + 2]
        one.refresh_from_db()
        one.call.refresh_from_db()
        assert isinstance(decided, Decided)
        is_done = decided.refusal is None
        assert isinstance(decided.refusal, ConfirmationExpired | None)
        assert (expired is None) == is_done
        assert one.state == (ConfirmationState.EXECUTED if is_done else ConfirmationState.EXPIRED)
        assert one.call.status == (CallStatus.OK if is_done else CallStatus.ERROR)
        executed += is_done
    assert Operation.objects.filter(idem_key__in=[str(one.pk) for one in asked]).count() == executed
    assert read_books(target)[0] == executed * 1_000


def test_approvals_of_opposite_transfers_all_end_without_deadlock() -> None:
    source, target = make_pair()
    other = make_account(get_holder(source), balance=100_000)
    phone = make_phone(get_holder(source))
    asked = [ask_own_transfer(*pair, 1_000) for pair in ((source, other), (other, source), (source, target))]
    asked += [ask_own_transfer(other, target, 1_000), ask_own_transfer(other, source, 1_000)]

    outcomes = run_at_once([partial(phone.decide, one) for one in asked])

    assert [outcome.refusal for outcome in outcomes if isinstance(outcome, Decided)] == [None] * len(asked)
    states = Confirmation.objects.filter(pk__in=[one.pk for one in asked]).values_list("state", flat=True)
    assert set(states) == {ConfirmationState.EXECUTED}
    assert sum(read_books(account)[0] for account in (source, target, other)) == 200_000
