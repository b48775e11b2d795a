import pytest
from pytest_django import DjangoAssertNumQueries

from chat.engine.privacy import open_privacy
from functions.enums import HandleKind
from functions.handles import HandleTable
from functions.naming import describe_requisites
from functions.requisites import reveal_requisites
from tests.factories.accounts import make_customer
from tests.factories.ledger import NOW, make_account, make_bank
from tests.functions.bank.acting import call, open_ctx

pytestmark = pytest.mark.django_db
SAID = "Вот: ⟦acc_1.requisites⟧"


def test_requisites_are_put_into_an_answer_now_and_in_later_turns(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    customer = make_customer()
    account = make_account(customer)
    ctx = open_ctx(customer)
    privacy = open_privacy(customer, ctx.conversation_id)
    assert call(ctx, "show_requisites", account=ctx.handle_for(account)).requisites == "⟦acc_1.requisites⟧"
    ctx.handles.save(NOW)
    privacy.adopt(ctx.handles)
    # A further call brings a table that was never asked for requisites.
    privacy.adopt(HandleTable.load(ctx.conversation_id, customer.pk))
    expected = f"Вот: {describe_requisites(account)}"
    assert account.number is not None
    assert account.number in expected
    assert privacy.open_restorer().feed(SAID) == expected

    with django_assert_num_queries(3):
        later = open_privacy(customer, ctx.conversation_id)
    assert later.open_restorer().feed(SAID) == expected


def test_requisites_of_others_stay_unknown() -> None:
    customer, theirs = make_customer(), make_account()
    table = HandleTable(open_ctx(customer).conversation_id, customer.pk)
    table.mint(HandleKind.ACCOUNT, str(theirs.public_id))
    reveal_requisites(table)
    assert table.read_value("acc_1.requisites") is None


def test_describe_requisites_says_all_a_payer_needs() -> None:
    account = make_account(make_customer())
    assert make_bank().bik == "049999999"
    assert describe_requisites(account) == (
        f"получатель Ветрова Анна, счёт {account.number}, БИК 049999999, банк Демонстрационный банк"
    )
