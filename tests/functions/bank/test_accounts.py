import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.enums import AccountKind
from accounts.models import Account, Customer
from accounts.services.card_payments import authorise_card_purchase
from functions.errors import Code
from tests.factories.accounts import make_customer
from tests.factories.ledger import NOW, build_context, build_purchase, make_account, make_card
from tests.functions.bank.acting import call, open_ctx, refuse

pytestmark = pytest.mark.django_db


def make_two(customer: Customer) -> tuple[Account, Account]:
    current = make_account(customer, balance=100_000)
    savings = make_account(customer, balance=5_000_000, kind=AccountKind.SAVINGS)
    Account.objects.filter(pk=savings.pk).update(title="Накопительный")
    savings.refresh_from_db()
    return current, savings


def test_list_accounts_shows_handles_and_last_digits_only() -> None:
    customer = make_customer()
    current, savings = make_two(customer)
    make_account(balance=1)

    found = call(open_ctx(customer), "list_accounts")

    shown = [(one.account, one.title, one.kind, one.available.text, one.booked.amount) for one in found.accounts]
    assert shown == [
        ("acc_1", f"Текущий ··{current.last4}", "current", "1\u00a0000,00\u00a0₽", "1000.00"),
        ("acc_2", f"Накопительный ··{savings.last4}", "savings", "50\u00a0000,00\u00a0₽", "50000.00"),
    ]
    assert found.total_count == 2
    told = found.model_dump_json()
    for account in (current, savings):
        assert account.number is not None
        assert account.number not in told
        assert str(account.public_id) not in told


@pytest.mark.parametrize("count", [1, 3])
def test_list_accounts_asks_once_for_any_number(count: int, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    customer = make_customer()
    for _ in range(count):
        make_account(customer)
    ctx = open_ctx(customer)
    with django_assert_num_queries(1):
        assert call(ctx, "list_accounts").total_count == count


def test_balance_names_three_balances_and_holds() -> None:
    customer = make_customer()
    account = make_account(customer, balance=100_000, overdraft=50_000)
    order = build_purchase(make_card(account), 30_000)
    authorise_card_purchase(build_context(), order=order, now=NOW)
    ctx = open_ctx(customer)
    handle = ctx.handle_for(account)

    found = call(ctx, "get_account_balance", account_id=handle)

    balances = (found.booked.amount, found.available.amount, found.expected.amount)
    assert balances == ("1000.00", "1200.00", "700.00")
    assert (found.account, found.holds_count, found.holds_sum.amount, found.as_of) == ("acc_1", 1, "300.00", NOW)


def test_balance_takes_words_and_last_digits_of_own_accounts() -> None:
    customer = make_customer()
    current, savings = make_two(customer)
    ctx = open_ctx(customer)
    assert call(ctx, "get_account_balance", account_id="накопительный").title == f"Накопительный ··{savings.last4}"
    assert call(ctx, "get_account_balance", account_id=current.last4).title == f"Текущий ··{current.last4}"


def test_balance_of_nothing_named_is_the_only_accounts() -> None:
    customer = make_customer()
    make_account(customer, balance=700)
    assert call(open_ctx(customer), "get_account_balance", account_id="").booked.amount == "7.00"


def test_balance_without_a_clear_account_names_the_choices() -> None:
    customer = make_customer()
    current, savings = make_two(customer)
    refused = refuse(open_ctx(customer), "get_account_balance", account_id="")
    assert refused.code == Code.AMBIGUOUS_REFERENCE
    assert refused.details == {
        "choices": [
            {"account": "acc_1", "title": f"Текущий ··{current.last4}"},
            {"account": "acc_2", "title": f"Накопительный ··{savings.last4}"},
        ]
    }
    Account.objects.filter(customer=customer).update(title="Счёт")
    assert refuse(open_ctx(customer), "get_account_balance", account_id="счет").code == Code.AMBIGUOUS_REFERENCE


@pytest.mark.parametrize("text", ["acc_1", "acc_99", "card_1", "чужой", "40817810000010000001"])
def test_balance_of_what_is_not_known_here_is_refused_alike(text: str) -> None:
    stranger, customer = make_customer(), make_customer()
    theirs = make_account(stranger, balance=1)
    make_account(customer)
    # The handle exists in the stranger's own conversation, not in this one.
    assert open_ctx(stranger).handle_for(theirs) == "acc_1"
    refused = refuse(open_ctx(customer), "get_account_balance", account_id=text)
    assert (refused.code, refused.details) == (Code.UNKNOWN_REFERENCE, {})


def test_customer_without_accounts_is_told_so() -> None:
    refused = refuse(open_ctx(make_customer()), "get_account_balance", account_id="")
    assert (refused.code, refused.message) == (Code.UNKNOWN_REFERENCE, "У клиента такого нет.")


def test_requisites_go_to_the_app_and_never_to_the_model() -> None:
    customer = make_customer()
    account = make_account(customer)
    ctx = open_ctx(customer)
    found = call(ctx, "show_requisites", account=ctx.handle_for(account))

    assert found.requisites == "⟦acc_1.requisites⟧"
    told = found.model_dump_json()
    assert account.number is not None
    assert account.number not in told
    assert customer.last_name not in told
    assert ctx.shown == [
        {
            "kind": "requisites",
            "account": "acc_1",
            "title": f"Текущий ··{account.last4}",
            "number": account.number,
            "bik": "049999999",
            "bank": "Демонстрационный банк",
            "holder": "Ветрова Анна",
            "currency": "RUB",
        }
    ]
