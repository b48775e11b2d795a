from datetime import date, timedelta

import pytest

from accounts.enums import AccountStatus, BlockReason, CardLimit, LimitPeriod
from accounts.errors import (
    CapExceeded,
    CardUnavailable,
    CurrencyMismatch,
    HoldResolved,
    InsufficientFunds,
    NotFound,
)
from accounts.ledger_check import check_ledger
from accounts.models import AccountLine, CapUsage, Card, Operation
from accounts.money import Money
from accounts.services.accounts import freeze_account
from accounts.services.card_payments import authorise_card_purchase, clear_card_purchase, submit_card_purchase
from accounts.services.cards import block_card, set_card_limit
from accounts.services.holds import expire_holds, expire_operation, void_operation
from accounts.services.transfers import submit_own_transfer
from tests.factories.accounts import make_customer
from tests.factories.ledger import (
    NOW,
    build_context,
    build_own_transfer,
    build_purchase,
    get_holder_id,
    make_account,
    make_card,
    read_actions,
    read_books,
    set_limit,
)

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=2)


def start(balance: int = 10_000, amount: int = 7_000) -> tuple[Card, Operation]:
    card = make_card(make_account(balance=balance))
    return card, submit_card_purchase(build_context(), order=build_purchase(card, amount), now=NOW)


def clear(operation: Operation, amount: int) -> tuple[int, int]:
    found = clear_card_purchase(build_context(), operation=operation, amount=Money(amount), now=LATER)
    return found.charged.minor, found.refused.minor


def list_lines(card: Card) -> list[tuple[str, int, str]]:
    lines = AccountLine.objects.filter(account=card.account, direction="out").order_by("pk")
    return [(line.status, line.amount_minor, line.merchant) for line in lines]


def test_authorisation_holds_and_shows_a_pending_line() -> None:
    card, operation = start()
    assert (operation.status, operation.card_id, read_books(card.account)) == (
        "pending",
        card.pk,
        (10_000, 3_000, 3_000),
    )
    assert list_lines(card) == [("PDNG", 7_000, "PYATEROCHKA 4711")]
    order = build_purchase(card, 1, key="said twice")
    twice = {submit_card_purchase(build_context(), order=order, now=NOW).pk for _ in range(2)}
    assert len(twice) == 1
    assert read_actions(operation) == [("hold.placed", "ok")]


@pytest.mark.parametrize(
    ("cleared", "expected", "lines", "booked"),
    [
        (7_000, (7_000, 0), [7_000], 3_000),
        (5_500, (5_500, 0), [5_500], 4_500),
        (9_000, (9_000, 0), [7_000, 2_000], 1_000),
        (10_000, (10_000, 0), [7_000, 3_000], 0),
        (10_001, (7_000, 3_001), [7_000], 3_000),
    ],
)
def test_clearing_charges_equal_less_and_more(
    cleared: int, expected: tuple[int, int], lines: list[int], booked: int
) -> None:
    card, operation = start()

    assert clear(operation, cleared) == expected

    assert read_books(card.account) == (booked, booked, booked)
    merchant = "PYATEROCHKA 4711"
    assert list_lines(card) == [("VOID", 7_000, merchant), *[("BOOK", amount, merchant) for amount in lines]]
    assert read_actions(operation)[-1] == ("hold.posted", "ok")
    # The network may say it again.
    assert clear(operation, cleared) == expected
    assert read_books(card.account)[0] == booked
    assert check_ledger(now=LATER) == []


def test_clearing_again_with_another_amount_is_refused() -> None:
    _, operation = start()
    clear(operation, 5_000)
    with pytest.raises(HoldResolved):
        clear(operation, 6_000)


def test_clearing_in_another_currency_is_refused() -> None:
    _, operation = start()
    with pytest.raises(CurrencyMismatch):
        clear_card_purchase(build_context(), operation=operation, amount=Money(1, "USD"), now=LATER)


def test_cancelled_purchase_gives_everything_back_and_cannot_be_cleared() -> None:
    card, operation = start()
    set_limit("card_purchase", LimitPeriod.DAY, 100_000)

    ended = void_operation(build_context(), operation=operation, reason="cancelled", now=LATER)

    assert (ended.status, read_books(card.account)) == ("voided", (10_000, 10_000, 10_000))
    assert read_actions(operation)[-1] == ("hold.voided", "ok")
    assert set(CapUsage.objects.values_list("used_minor", flat=True)) == {0}
    for act in (
        lambda: clear(operation, 7_000),
        lambda: void_operation(build_context(), operation=operation, reason="cancelled", now=LATER),
    ):
        with pytest.raises(HoldResolved):
            act()


def test_unclaimed_hold_expires() -> None:
    card, operation = start()
    assert expire_holds(build_context(), now=NOW + timedelta(days=29)) == 0
    month = NOW + timedelta(days=30)
    assert expire_holds(build_context(), now=month) == 1
    assert expire_holds(build_context(), now=month) == 0
    operation.refresh_from_db()
    assert (operation.status, read_books(card.account)) == ("expired", (10_000, 10_000, 10_000))
    assert read_actions(operation)[-1] == ("hold.expired", "ok")
    # Somebody was faster between the question and the lock.
    assert expire_operation(build_context(), operation.pk, month) is False
    assert check_ledger(now=month) == []


def test_freezing_the_card_or_account_leaves_what_was_authorised() -> None:
    card, operation = start()
    holder = get_holder_id(card.account)
    block_card(build_context(), customer_id=holder, card_id=card.public_id, reason=BlockReason.TEMPORARY)
    freeze_account(
        build_context(), account_id=card.account.public_id, status=AccountStatus.DEBIT_BLOCKED, reason="court"
    )
    assert read_books(card.account) == (10_000, 3_000, 3_000)
    # Only what goes beyond it is stopped.
    assert clear(operation, 9_000) == (7_000, 2_000)


@pytest.mark.parametrize("status", ["frozen", "blocked_by_bank", "lost", "expired"])
def test_blocked_card_does_not_pay(status: str) -> None:
    card = make_card(make_account(balance=10_000))
    Card.objects.filter(pk=card.pk).update(status=status)
    order = build_purchase(card, 100)
    for _ in range(2):
        with pytest.raises(CardUnavailable):
            submit_card_purchase(build_context(), order=order, now=NOW)


def test_card_pays_on_its_last_local_day_and_not_after() -> None:
    card = make_card(make_account(balance=10_000))
    Card.objects.filter(pk=card.pk).update(expires_on=date(2026, 11, 1))
    card.refresh_from_db()
    last_moment = NOW.replace(hour=20, minute=59)
    assert authorise_card_purchase(build_context(), order=build_purchase(card, 1), now=last_moment).pk
    with pytest.raises(CardUnavailable):
        authorise_card_purchase(build_context(), order=build_purchase(card, 1), now=last_moment + timedelta(minutes=1))


def test_customers_own_limits_stop_purchases_cash_and_online() -> None:
    card = make_card(make_account(balance=100_000))
    holder = get_holder_id(card.account)
    submit_card_purchase(build_context(), order=build_purchase(card, 4_000), now=NOW)
    for limit, minor in (
        (CardLimit.PURCHASES_DAY, 5_000),
        (CardLimit.PURCHASES_MONTH, 6_000),
        (CardLimit.CASH_DAY, 1_000),
        (CardLimit.ONLINE, 500),
    ):
        set_card_limit(build_context(), customer_id=holder, card_id=card.public_id, limit=limit, amount=Money(minor))
    card.refresh_from_db()
    cases = [
        (build_purchase(card, 1_001), NOW, "card.purchases_day"),
        (build_purchase(card, 2_001), NOW + timedelta(days=1), "card.purchases_month"),
        (build_purchase(card, 1_001, is_cash=True), NOW, "card.cash_day"),
        (build_purchase(card, 501, is_online=True), NOW, "card.online"),
    ]
    for order, now, code in cases:
        with pytest.raises(CapExceeded) as refusal:
            submit_card_purchase(build_context(), order=order, now=now)
        assert refusal.value.cap_code == code
    assert submit_card_purchase(build_context(), order=build_purchase(card, 1_000), now=NOW).status == "pending"


def test_cash_comes_from_the_machines_and_is_called_cash() -> None:
    card = make_card(make_account(balance=10_000))
    order = build_purchase(card, 3_000, is_cash=True)
    operation = submit_card_purchase(build_context(), order=order, now=NOW)
    clear(operation, 3_000)
    line = AccountLine.objects.get(operation=operation, status="BOOK")
    assert (operation.kind, line.category) == ("cash_withdrawal", "cash")


def test_partial_clearing_gives_the_rest_of_the_cap_back() -> None:
    _, operation = start()
    clear(operation, 5_000)
    assert set(CapUsage.objects.values_list("used_minor", flat=True)) == {5_000}


def test_purchase_beyond_the_balance_in_another_currency_or_with_a_foreign_card_is_refused() -> None:
    card = make_card(make_account(balance=1_000))
    with pytest.raises(InsufficientFunds):
        authorise_card_purchase(build_context(), order=build_purchase(card, 1_001), now=NOW)
    dollars = make_card(make_account(currency="USD"))
    order = build_purchase(dollars, 1)
    wrong = type(order)(
        **{name: getattr(order, name) for name in ("customer_id", "idempotency_key", "card", "merchant", "mcc")},
        amount=Money(1),
    )
    with pytest.raises(CurrencyMismatch):
        authorise_card_purchase(build_context(), order=wrong, now=NOW)
    stolen = type(order)(
        customer_id=make_customer().pk,
        idempotency_key="stolen",
        card=card.public_id,
        merchant="",
        mcc="",
        amount=Money(1),
    )
    with pytest.raises(NotFound):
        submit_card_purchase(build_context(), order=stolen, now=NOW)


def test_operation_with_earlier_clock_takes_the_time_of_the_entry_before() -> None:
    card, _ = start()
    target = make_account(card.account.customer)
    order = build_own_transfer(card.account, target, 100)
    operation = submit_own_transfer(build_context(), order=order, now=NOW - timedelta(seconds=5))
    assert operation.created_at == NOW
