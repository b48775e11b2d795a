"""Each adapter calls its app's service and says what was done in counts."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from pytest_django import Settings

from accounts.enums import Frequency, PayeeKind, PayeeOrigin
from accounts.gateways.demo import DemoGateway
from accounts.money import Money
from accounts.services.outgoing import submit_sbp_transfer
from accounts.services.payees import add_payee
from accounts.services.schedules import schedule_payment
from assistant_project.upkeep.chores import CHORES, clean_files, forget_staff_sessions, pay_due, settle_accounts
from assistant_project.upkeep.runner import Chore, ChoreUnfinished, run_chore
from tests.factories.accounts import make_customer
from tests.factories.ledger import NOW, build_context, build_sbp_transfer, make_account, make_payee

pytestmark = pytest.mark.django_db


def test_chores_have_names_of_their_own() -> None:
    assert len({chore.name for chore in CHORES}) == len(CHORES)


@pytest.mark.parametrize("chore", [chore for chore in CHORES if chore.name != "files"], ids=lambda chore: chore.name)
def test_chore_with_nothing_due_does_nothing(chore: Chore) -> None:
    report = run_chore(chore)

    assert (report.fault, any(report.counts.values())) == ("", False)


def test_settlements_of_the_day_are_counted_once() -> None:
    customer = make_customer()
    source = make_account(customer, balance=10_000)
    order = build_sbp_transfer(source, make_payee(customer), 3_000)
    submit_sbp_transfer(build_context(), order=order, gateway=DemoGateway(), now=NOW)

    counts = [settle_accounts(build_context(), NOW + timedelta(minutes=minutes)) for minutes in (1, 2)]

    assert counts == [{"settled": 1}, {"settled": 0}]


def test_payments_that_will_be_tried_again_leave_the_chore_unfinished(settings: Settings) -> None:
    customer = make_customer()
    account = make_account(customer, balance=10_000)
    payee = add_payee(
        build_context(),
        customer_id=customer.pk,
        kind=PayeeKind.BILLER,
        target="housing",
        shown_name="",
        bik="",
        origin=PayeeOrigin.APP,
        now=NOW,
    )
    schedule_payment(
        build_context(),
        customer_id=customer.pk,
        account_id=account.public_id,
        payee_id=payee.public_id,
        amount=Money(1),
        frequency=Frequency.ONCE,
        first_on=NOW.date(),
        title="",
        now=NOW,
    )
    settings.BANK_DATA_KEY = "another key"

    with pytest.raises(ChoreUnfinished) as caught:
        pay_due(build_context(), NOW)
    assert (caught.value.code, caught.value.counts["failed"]) == ("payments_failed", 1)


def test_files_without_a_usable_client_are_unfinished(settings: Settings) -> None:
    settings.GIGACHAT_CREDENTIALS = "not base64 of a pair"

    with pytest.raises(ChoreUnfinished, match="credentials_malformed"):
        clean_files(build_context(), NOW)


def test_staff_sessions_that_are_over_are_forgotten() -> None:
    now = timezone.now()
    for name, days in (("over", -1), ("open", 1)):
        Session.objects.create(session_key=name, session_data="", expire_date=now + timedelta(days=days))

    assert forget_staff_sessions(build_context(), now) == {"deleted": 1}
    assert list(Session.objects.values_list("session_key", flat=True)) == ["open"]
