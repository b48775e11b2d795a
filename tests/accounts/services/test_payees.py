from datetime import timedelta

import pytest

from accounts.enums import PayeeKind, PayeeOrigin
from accounts.errors import PayeeUnavailable, RequisitesMalformed
from accounts.gateways.contract import Recipient
from accounts.gateways.demo import DemoGateway
from accounts.models import BankDirectory, Payee
from accounts.services.payees import (
    add_payee,
    choose_recipient_id,
    find_payee_by_phone,
    find_recipients,
    mark_paid,
    normalise_phone,
    read_target,
    save_recipient,
)
from audit.models import AuditEntry
from tests.factories.accounts import make_customer
from tests.factories.ledger import BIK, NOW, build_context, build_number, make_bank, make_payee

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("+79000000001", "+79000000001"),
        ("8 (900) 000-00-01", "+79000000001"),
        ("7 900 000 00 01", "+79000000001"),
        ("+375 29 000 00 01", "+375290000001"),
    ],
)
def test_normalise_phone(text: str, phone: str) -> None:
    assert normalise_phone(text) == phone


@pytest.mark.parametrize("text", ["", "123", "900 000 00 01", "+7 900 abc", "+" + "1" * 16])
def test_normalise_phone_refuses_the_rest(text: str) -> None:
    with pytest.raises(RequisitesMalformed):
        normalise_phone(text)


def test_add_payee_hides_the_target_and_finds_it_again() -> None:
    customer = make_customer()
    payee = make_payee(customer, "+70000000201", is_known=False)
    again = make_payee(customer, "8 (000) 000-02-01", is_known=False)
    assert (payee.pk, payee.target_hint, read_target(payee)) == (again.pk, "0201", "+70000000201")
    assert b"70000000201" not in bytes(payee.target_sealed)
    assert find_payee_by_phone(customer.pk, "+7 000 000 02 01") == payee
    assert find_payee_by_phone(customer.pk, "+70000000202") is None
    assert find_payee_by_phone(make_customer().pk, "+70000000201") is None
    entries = AuditEntry.objects.filter(action="payee.added", customer_id=customer.pk)
    assert [entry.subject_id for entry in entries] == [str(payee.public_id)]


def test_add_payee_again_brings_the_name_up_to_date_cleaned() -> None:
    customer = make_customer()
    make_payee(customer)
    payee = add_payee(
        build_context(),
        customer_id=customer.pk,
        kind=PayeeKind.SBP,
        target="+70000000201",
        shown_name="Пётр\u202e П.",
        bik=BIK,
        origin=PayeeOrigin.APP,
        now=NOW,
    )
    assert (payee.shown_name, payee.origin) == ("Пётр П.", "customer")


def test_add_payee_checks_account_numbers() -> None:
    make_bank()
    number = build_number()
    for target, is_right in ((number, True), (f"{number[:19]}{(int(number[19]) + 1) % 10}", False)):
        if is_right:
            assert add(PayeeKind.REQUISITES, target, BIK).kind == "requisites"
        else:
            with pytest.raises(RequisitesMalformed):
                add(PayeeKind.REQUISITES, target, BIK)
    assert add(PayeeKind.BILLER, "housing", "").bank is None


def add(kind: PayeeKind, target: str, bik: str) -> Payee:
    return add_payee(
        build_context(),
        customer_id=make_customer().pk,
        kind=kind,
        target=target,
        shown_name="ООО",
        bik=bik,
        origin=PayeeOrigin.CUSTOMER,
        now=NOW,
    )


def test_find_recipients_asks_the_gateway() -> None:
    found = find_recipients(DemoGateway(), "8 000 000 00 01")
    assert found == list(DemoGateway().find_recipients("+70000000001"))
    with pytest.raises(PayeeUnavailable):
        find_recipients(DemoGateway(), "+70000000099")


def test_save_recipient_brings_its_bank_into_the_directory() -> None:
    recipient = Recipient(bik="049999997", bank_name="Новый банк", shown_name="Мария В.")
    customer = make_customer()
    payee = save_recipient(
        build_context(),
        customer_id=customer.pk,
        phone="+70000000203",
        recipient=recipient,
        origin=PayeeOrigin.CUSTOMER,
        now=NOW,
    )
    assert (payee.shown_name, payee.bank) == ("Мария В.", BankDirectory.objects.get(bik="049999997"))


def test_mark_paid_keeps_the_first_time() -> None:
    payee = make_payee(make_customer(), is_known=False)
    for later in (timedelta(0), timedelta(days=1)):
        mark_paid(payee, NOW + later)
    payee.refresh_from_db()
    assert (payee.first_paid_at, payee.last_paid_at) == (NOW, NOW + timedelta(days=1))


def test_new_recipient_has_the_id_that_was_foretold() -> None:
    customer, stranger = make_customer(), make_customer()
    recipient = Recipient(bik=BIK, bank_name="Демонстрационный банк", shown_name="Мария С.")
    foretold = choose_recipient_id(customer.pk, "8 (000) 000-03-00", BIK)
    payee = save_recipient(
        build_context(),
        customer_id=customer.pk,
        phone="+70000000300",
        recipient=recipient,
        origin=PayeeOrigin.CUSTOMER,
        now=NOW,
    )
    assert payee.public_id == foretold
    others = [
        choose_recipient_id(stranger.pk, "+70000000300", BIK),
        choose_recipient_id(customer.pk, "+70000000301", BIK),
    ]
    assert len({foretold, *others}) == 3
