import pytest

from accounts.errors import AmountOutOfRange, CurrencyMismatch, InsufficientFunds, SameAccount
from accounts.models import AccountLine
from accounts.services.transfers import post_own_transfer, submit_own_transfer
from audit.models import AuditEntry
from tests.factories.ledger import NOW, build_context, build_own_transfer, get_holder_id, make_account

pytestmark = pytest.mark.django_db


def test_own_transfer_moves_money_and_writes_both_lines() -> None:
    source = make_account(balance=10_000)
    target = make_account(source.customer)

    operation = post_own_transfer(build_context(), order=build_own_transfer(source, target, 4_000), now=NOW)

    source.refresh_from_db()
    target.refresh_from_db()
    assert (source.booked.minor, target.booked.minor) == (6_000, 4_000)
    lines = AccountLine.objects.filter(operation=operation).order_by("pk")
    found = [(line.account_id, line.direction, line.amount_minor, line.balance_after) for line in lines]
    assert found == [(source.pk, "out", 4_000, 6_000), (target.pk, "in", 4_000, 4_000)]
    entry = AuditEntry.objects.get(action="transfer.posted", subject_id=str(operation.public_id))
    assert (entry.customer_id, entry.outcome) == (source.customer_id, "ok")


def test_own_transfer_repeated_returns_the_same_operation() -> None:
    source = make_account(balance=10_000)
    target = make_account(source.customer)
    order = build_own_transfer(source, target, 4_000)

    first = post_own_transfer(build_context(), order=order, now=NOW)
    second = post_own_transfer(build_context(), order=order, now=NOW)

    source.refresh_from_db()
    assert (second.pk, source.booked.minor) == (first.pk, 6_000)


def test_own_transfer_beyond_the_balance_is_refused_for_ever() -> None:
    source = make_account(balance=3_999)
    target = make_account(source.customer)
    order = build_own_transfer(source, target, 4_000)

    for _ in range(2):
        with pytest.raises(InsufficientFunds):
            submit_own_transfer(build_context(), order=order, now=NOW)

    refusals = AuditEntry.objects.filter(action="transfer.refused", customer_id=get_holder_id(source))
    assert [entry.outcome for entry in refusals] == ["refused"]


def test_own_transfer_to_itself_in_two_currencies_or_of_impossible_amounts_is_refused() -> None:
    source = make_account(balance=10_000)
    target = make_account(source.customer)
    dollars = make_account(source.customer, currency="USD")

    for order, error in (
        (build_own_transfer(source, source, 1), SameAccount),
        (build_own_transfer(source, dollars, 1), CurrencyMismatch),
        (build_own_transfer(source, target, 0), AmountOutOfRange),
        (build_own_transfer(source, target, -1), AmountOutOfRange),
        (build_own_transfer(source, target, 10**14 + 1), AmountOutOfRange),
        (build_own_transfer(source, target, 2**63), AmountOutOfRange),
    ):
        with pytest.raises(error):
            submit_own_transfer(build_context(), order=order, now=NOW)
    source.refresh_from_db()
    assert source.booked.minor == 10_000
