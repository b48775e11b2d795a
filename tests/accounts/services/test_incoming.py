from uuid import uuid4

import pytest

from accounts.enums import Category, OperationKind
from accounts.errors import AccountUnavailable, CurrencyMismatch, InsufficientFunds, NotFound
from accounts.ledger_check import check_ledger
from accounts.models import Account, AccountLine, Entry
from accounts.money import Money
from accounts.orders import FeeOrder, IncomingOrder
from accounts.services.incoming import submit_fee, submit_incoming
from tests.factories.ledger import BIK, NOW, build_context, get_holder_id, make_account, read_actions, read_books

pytestmark = pytest.mark.django_db


def build(account: Account, kind: OperationKind, minor: int = 700, **changes: object) -> IncomingOrder:
    values: dict[str, object] = {
        "customer_id": get_holder_id(account),
        "idempotency_key": f"in-{kind}",
        "incoming_kind": kind,
        "target_account": account.public_id,
        "amount": Money(minor),
        "category": Category.SALARY,
        "counterparty": "ООО «Ромашка»",
        "counterparty_bik": BIK,
        "memo": "аванс\u202e",
        **changes,
    }
    return IncomingOrder(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (OperationKind.INCOMING, "position.correspondent"),
        (OperationKind.SBP_IN, "position.correspondent"),
        (OperationKind.INTEREST, "income.interest"),
        (OperationKind.OPENING, "equity.opening"),
    ],
)
def test_incoming_money_comes_from_where_its_kind_says(kind: OperationKind, code: str) -> None:
    account = make_account()
    operation = submit_incoming(build_context(), order=build(account, kind), now=NOW)
    again = submit_incoming(build_context(), order=build(account, kind), now=NOW)
    assert (again.pk, operation.kind, Entry.objects.get().debit.code) == (operation.pk, kind, code)
    line = AccountLine.objects.get()
    assert (line.counterparty_name, line.counterparty_bank_id, line.memo_untrusted) == ("ООО «Ромашка»", BIK, "аванс")
    assert (line.search_text, read_books(account)[0]) == ("ооо «ромашка» аванс", 700)
    assert read_actions(operation) == [("transfer.posted", "ok")]
    assert check_ledger(now=NOW) == []


def test_incoming_of_an_outgoing_kind_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        submit_incoming(build_context(), order=build(make_account(), OperationKind.SBP_OUT), now=NOW)


def test_incoming_to_a_blocked_foreign_or_other_currency_account_is_refused() -> None:
    account = make_account()
    with pytest.raises(NotFound):
        submit_incoming(build_context(), order=build(account, OperationKind.INCOMING, target_account=uuid4()), now=NOW)
    with pytest.raises(CurrencyMismatch):
        submit_incoming(
            build_context(),
            order=build(account, OperationKind.INTEREST, amount=Money(1, "USD")),
            now=NOW,
        )
    Account.objects.filter(pk=account.pk).update(status="blocked")
    with pytest.raises(AccountUnavailable):
        submit_incoming(build_context(), order=build(account, OperationKind.INCOMING), now=NOW)


def test_fee_is_taken_once_and_never_overdraws() -> None:
    account = make_account(balance=100)

    def build_fee(key: str) -> FeeOrder:
        return FeeOrder(
            customer_id=get_holder_id(account),
            idempotency_key=key,
            source_account=account.public_id,
            amount=Money(99),
            memo="обслуживание",
        )

    operations = {submit_fee(build_context(), order=build_fee("november"), now=NOW).pk for _ in range(2)}
    assert len(operations) == 1
    line = AccountLine.objects.get(operation__kind="fee")
    assert (line.category, line.direction, line.balance_after) == ("fees", "out", 1)
    with pytest.raises(InsufficientFunds):
        submit_fee(build_context(), order=build_fee("december"), now=NOW)
