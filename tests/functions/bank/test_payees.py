import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.enums import PayeeKind, PayeeOrigin
from accounts.errors import GatewayUnavailable
from accounts.models import Customer, Payee
from accounts.services.payees import add_payee
from functions.bank.payees import matches_name
from functions.context import Ctx
from functions.enums import HandleKind
from functions.errors import CallRefused, Code
from tests.factories.accounts import make_customer
from tests.factories.ledger import BIK, NOW, build_context, build_number, make_bank, make_payee
from tests.functions.bank.acting import call, open_ctx, refuse, type_phone

pytestmark = pytest.mark.django_db
ONE_BANK, TWO_BANKS, NOBODY = "+70000000300", "+70000000305", "+70000000399"


@pytest.fixture
def customer() -> Customer:
    return make_customer()


@pytest.fixture
def ctx(customer: Customer) -> Ctx:
    return open_ctx(customer)


def save(customer: Customer, phone: str, name: str) -> Payee:
    payee = make_payee(customer, phone, is_known=False)
    Payee.objects.filter(pk=payee.pk).update(shown_name=name)
    return payee


def test_payee_is_found_by_name_and_masked(customer: Customer, ctx: Ctx) -> None:
    make_payee(customer, "+70000000201")
    save(customer, "+70000000202", "Мария Петрова")
    save(make_customer(), "+70000000203", "Иван Чужой")

    found = call(ctx, "find_payee", query="Ивану")

    (one,) = found.payees
    assert one.model_dump() == {
        "payee": "payee_1",
        "name": "Иван И.",
        "bank": "Демонстрационный банк",
        "phone_hint": "··0201",
        "last_paid_on": "2026-10-02",
        "source": "saved",
    }
    maria = call(ctx, "find_payee", query="марии петровой").payees[0]
    assert (maria.payee, maria.name, maria.last_paid_on) == ("payee_2", "Мария П.", None)


def test_masked_words_of_the_customer_are_searched_with(customer: Customer, ctx: Ctx) -> None:
    save(customer, "+70000000202", "Мария П.")
    save(customer, "+70000000204", "Мария С.")
    surname = ctx.handles.mint_value(HandleKind.NAME, "Петровой")
    assert [one.name for one in call(ctx, "find_payee", query=f"Марии ⟦{surname}⟧").payees] == ["Мария П."]


def test_two_of_one_name_are_both_offered(customer: Customer, ctx: Ctx) -> None:
    make_payee(customer, "+70000000201")
    make_payee(customer, "+70000000202")
    assert {one.phone_hint for one in call(ctx, "find_payee", query="Иван").payees} == {"··0201", "··0202"}
    refused = refuse(ctx, "find_payee", query="Иван", bank="Учебный")
    assert refused.code == Code.PAYEE_NOT_FOUND
    assert call(ctx, "find_payee", query="Иван", bank="банк Демонстрационном").total_count == 2


def test_too_many_are_a_choice(customer: Customer, ctx: Ctx) -> None:
    for number in range(6):
        make_payee(customer, f"+7000000021{number}")
    refused = refuse(ctx, "find_payee", query="Иван")
    assert (refused.code, refused.details["total_count"]) == (Code.AMBIGUOUS_REFERENCE, 6)
    choices = refused.details["choices"]
    assert isinstance(choices, list)
    assert [choice["payee"] for choice in choices] == [f"payee_{number}" for number in range(1, 6)]


@pytest.mark.parametrize("query", ["Пётр", "мама", "+70000000300", "payee_1", ".", "⟦name_9⟧"])
def test_nobody_is_found(query: str, customer: Customer, ctx: Ctx) -> None:
    make_payee(customer)
    assert refuse(ctx, "find_payee", query=query).code == Code.PAYEE_NOT_FOUND


def test_phone_is_asked_of_the_payment_system(ctx: Ctx) -> None:
    phone = type_phone(ctx, TWO_BANKS)
    found = call(ctx, "find_payee", query=phone)
    shown = [(one.payee, one.name, one.bank, one.source, one.phone_hint) for one in found.payees]
    assert shown == [
        ("phone_1", "Мария Н.", "Демонстрационный банк", "sbp", None),
        ("phone_1", "Мария Н.", "Банк «Примерный»", "sbp", None),
    ]
    assert Payee.objects.count() == 0
    assert call(ctx, "find_payee", query="⟦PHONE_1⟧", bank="Примерный").payees[0].payee == "phone_1"


def test_saved_payee_stands_for_its_bank(customer: Customer, ctx: Ctx) -> None:
    make_payee(customer, ONE_BANK)
    found = call(ctx, "find_payee", query=type_phone(ctx, "8 (000) 000-03-00"))
    assert [(one.payee, one.source) for one in found.payees] == [("payee_1", "saved")]


def test_phone_of_nobody_and_no_phone_are_not_found(ctx: Ctx) -> None:
    assert refuse(ctx, "find_payee", query=type_phone(ctx, NOBODY)).code == Code.PAYEE_NOT_FOUND
    assert refuse(ctx, "find_payee", query=type_phone(ctx, "123")).code == Code.PAYEE_NOT_FOUND


def test_only_payees_by_phone_are_found(customer: Customer, ctx: Ctx) -> None:
    make_bank()
    add_payee(
        build_context(),
        customer_id=customer.pk,
        kind=PayeeKind.REQUISITES,
        target=build_number(),
        shown_name="Иван И.",
        bik=BIK,
        origin=PayeeOrigin.APP,
        now=NOW,
    )
    assert refuse(ctx, "find_payee", query="Иван").code == Code.PAYEE_NOT_FOUND


def test_silent_payment_system_is_a_fault_and_after_five_nobody_asks_it(ctx: Ctx, settings: Settings) -> None:
    settings.PAYMENT_GATEWAY = "tests.functions.bank.silent.SilentGateway"
    phone = type_phone(ctx, ONE_BANK)
    for _ in range(5):
        with pytest.raises(GatewayUnavailable):
            call(ctx, "find_payee", query=phone)
    with pytest.raises(CallRefused) as refused:
        call(ctx, "find_payee", query=phone)
    assert refused.value.code == Code.TEMPORARILY_UNAVAILABLE
    # A name needs nobody outside.
    assert refuse(ctx, "find_payee", query="Иван").code == Code.PAYEE_NOT_FOUND


@pytest.mark.parametrize("count", [1, 5])
def test_queries_do_not_grow(
    count: int, customer: Customer, ctx: Ctx, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(count):
        make_payee(customer, f"+7000000021{number}")
    with django_assert_num_queries(1):
        assert call(ctx, "find_payee", query="иван").total_count == count


@pytest.mark.parametrize(
    ("query", "name", "matches"),
    [
        ("ивана", "Иван И.", True),
        ("ивану и", "Иван И.", True),
        ("иван ильин", "Иван И.", True),
        ("иван петров", "Иван И.", False),
        ("семену", "Семён П.", True),
        ("ильину", "Иван И.", True),
        ("олегов", "Иван И.", False),
        ("анна мария", "Анна-Мария К.", False),
    ],
)
def test_names_agree_in_all_cases(query: str, name: str, matches: bool) -> None:
    assert matches_name(query.split(), name) is matches
