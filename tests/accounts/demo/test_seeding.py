"""Seeding as a whole: the same data for the same seed, a sound ledger, nothing added by a second run."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client

from accounts.demo.book import Book
from accounts.demo.catalogue import read_data
from accounts.demo.conditions import store_conditions
from accounts.demo.events import Scene
from accounts.demo.households import open_household
from accounts.demo.lives import plan_life
from accounts.demo.people import build_person
from accounts.demo.seeding import (
    SeedPlan,
    find_complete,
    have_logins_accounts,
    seed_crowd,
    seed_logins,
    store_surroundings,
)
from accounts.demo.storage import LedgerWriter
from accounts.enums import AccountStatus, CardStatus, LineStatus
from accounts.folding import clean_untrusted
from accounts.local_days import add_months
from accounts.models import Account, AccountLine, Bill, Card, Customer, Operation, Subscription
from accounts.requisites import is_account_key_right, is_inn_right
from audit.context import build_system_context
from audit.enums import Origin
from audit.models import AuditEntry
from tests.factories.accounts import make_bearer

pytestmark = pytest.mark.django_db
CONTEXT = build_system_context(Origin.COMMAND, "tests")
AS_OF = date(2026, 11, 1)
PLAN = SeedPlan(seed=1, months=3, as_of=AS_OF)


@contextmanager
def undone() -> Iterator[None]:
    """Run the block against the database and take everything back."""
    with transaction.atomic():
        yield
        connection.check_constraints()
        transaction.set_rollback(True)


def digest_of(plan: SeedPlan, customers: int = 4) -> str:
    with undone():
        outcome = seed_crowd(CONTEXT, plan, customers=customers)
        assert outcome.findings == ()
        return outcome.digest


def run(*arguments: str) -> dict[str, Any]:
    out = StringIO()
    # One worker: a second thread would not see this test's transaction.
    call_command("seed_demo", "--json", "--workers", "1", *arguments, stdout=out)
    outcome: dict[str, Any] = json.loads(out.getvalue())
    return outcome


def test_same_seed_gives_the_same_digest_and_another_seed_another() -> None:
    first = digest_of(PLAN)
    assert digest_of(PLAN) == first
    assert digest_of(SeedPlan(seed=2, months=3, as_of=AS_OF)) != first
    assert digest_of(SeedPlan(seed=1, months=3, as_of=AS_OF, adversarial=True)) != first


def test_more_customers_move_nobody_else() -> None:
    seed_crowd(CONTEXT, PLAN, customers=2)
    names = Customer.objects.order_by("user__username", "accounts__number").values_list(
        "user__username", "inn", "accounts__number"
    )
    before = list(names)
    sums = list(Account.objects.filter(customer__isnull=False).order_by("number").values_list("credits_posted"))
    outcome = seed_crowd(CONTEXT, PLAN, customers=3)
    assert (outcome.customers, outcome.known, outcome.findings) == (1, 2, ())
    assert list(names.filter(user__username__in=[row[0] for row in before])) == before
    kept = Account.objects.filter(customer__user__username__in=[row[0] for row in before])
    assert list(kept.order_by("number").values_list("credits_posted")) == sums


def test_second_run_adds_nothing() -> None:
    first = run("--customers", "2", "--months", "2", "--as-of", "2026-11-01")
    counts = [model.objects.count() for model in (Operation, AccountLine, AuditEntry)]
    second = run("--customers", "2", "--months", "2", "--as-of", "2026-11-01")
    assert (second["customers"], second["known"], second["digest"]) == (0, 2, first["digest"])
    assert [model.objects.count() for model in (Operation, AccountLine, AuditEntry)] == counts


def test_interrupted_run_is_gone_on_with() -> None:
    whole = digest_of(PLAN, customers=2)
    tariff = store_surroundings(CONTEXT, PLAN, add_months(AS_OF, -3))
    bank = {(row.code, row.currency): row.pk for row in Account.objects.filter(customer__isnull=True)}
    scene = Scene(
        person=build_person(1, 1, AS_OF),
        first=add_months(AS_OF, -3),
        as_of=AS_OF,
        months=3,
        adversarial=False,
        density=120,
    )
    life = plan_life(scene)
    writer = LedgerWriter(open_household(CONTEXT, life, bank=bank, customer=None))
    steps = list(Book(life.accounts, tariff).write(scene, life.events))
    writer.write(steps[: len(steps) // 2])
    assert find_complete([scene.person.username]) == set()

    outcome = seed_crowd(CONTEXT, PLAN, customers=2)

    connection.check_constraints()
    assert (outcome.digest, outcome.findings) == (whole, ())


@pytest.mark.django_db(transaction=True)
def test_two_workers_make_what_one_makes() -> None:
    whole = digest_of(PLAN, customers=4)
    outcome = seed_crowd(CONTEXT, PLAN, customers=4, workers=2)
    assert (outcome.digest, outcome.findings) == (whole, ())


def test_logins_get_a_history_once() -> None:
    call_command("seed_demo_bank", stdout=StringIO())
    assert not have_logins_accounts()
    outcome = seed_logins(CONTEXT, PLAN)
    connection.check_constraints()
    assert (outcome.customers, outcome.findings) == (3, ())
    assert have_logins_accounts()
    again = seed_logins(CONTEXT, PLAN)
    assert (again.customers, again.known, again.operations, again.digest) == (0, 3, 0, outcome.digest)
    for name in ("anna", "boris", "elena"):
        customer = Customer.objects.get(user__username=name)
        assert customer.accounts.count() >= 2
        assert customer.bills.count() >= 3
        assert customer.payees.count() >= 5
        assert Card.objects.filter(account__customer=customer).exists()
        assert AccountLine.objects.filter(account__customer=customer).count() > 80
    entries = AuditEntry.objects.filter(action="demo.seeded", subject="customer")
    assert entries.count() == 3


def test_small_profile_without_logins_says_what_to_run() -> None:
    with pytest.raises(CommandError, match="seed_demo_bank"):
        run("--profile", "small")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--customers", "0"),
        ("--months", "121"),
        ("--seed", "-1"),
        ("--workers", "17"),
    ],
)
def test_impossible_numbers_are_refused(arguments: tuple[str, str]) -> None:
    with pytest.raises(CommandError):
        run(*arguments)


def test_crowd_has_every_edge_and_hits_nobody_real() -> None:
    plan = SeedPlan(seed=3, months=2, as_of=AS_OF, adversarial=True)
    outcome = seed_crowd(CONTEXT, plan, customers=9)
    connection.check_constraints()
    assert outcome.findings == ()
    accounts = list(Account.objects.filter(customer__isnull=False))
    statuses = {account.status for account in accounts}
    assert {AccountStatus.ACTIVE, AccountStatus.CLOSED, AccountStatus.DEBIT_BLOCKED} <= statuses
    assert 1 in {account.available.minor for account in accounts}
    assert any(account.booked.minor == 0 and account.status == AccountStatus.ACTIVE for account in accounts)
    assert all(is_account_key_right("049999999", str(account.number)) for account in accounts)
    assert set(Card.objects.values_list("status", flat=True)) >= {
        CardStatus.ACTIVE,
        CardStatus.FROZEN,
        CardStatus.LOST,
        CardStatus.EXPIRED,
    }
    assert set(Card.objects.values_list("bin", flat=True)) == {"220000"}
    assert AccountLine.objects.filter(status=LineStatus.PENDING).exists()
    assert set(Bill.objects.values_list("status", flat=True)) >= {"paid"}
    for customer in Customer.objects.all():
        assert customer.phone.startswith("+7000")
        assert is_inn_right(customer.inn)
        assert customer.inn.startswith("00")
    kinds = set(Operation.objects.values_list("kind", flat=True))
    assert kinds >= {
        "card_purchase",
        "cash_withdrawal",
        "sbp_in",
        "sbp_out",
        "bill_payment",
        "interest",
        "fee",
        "refund",
    }


def test_long_history_has_a_risen_subscription_and_29_february() -> None:
    plan = SeedPlan(seed=4, months=5, as_of=date(2028, 6, 1))
    assert seed_crowd(CONTEXT, plan, customers=1).findings == ()
    assert Subscription.objects.filter(previous_minor__isnull=False).exists()
    assert AccountLine.objects.filter(value_at=date(2028, 2, 29)).exists()


def test_adversarial_texts_are_harmless_in_rest_and_kept_as_quotations() -> None:
    plan = SeedPlan(seed=5, months=4, as_of=AS_OF, adversarial=True)
    seed_crowd(CONTEXT, plan, customers=7)
    customer = Customer.objects.get(user__username="demo5-00007")
    lines = AccountLine.objects.filter(account__customer=customer)
    hostile = [clean_untrusted(memo) for memo in read_data("adversarial")["memos"]]
    assert lines.filter(memo_untrusted__in=hostile).count() >= 3
    assert lines.filter(merchant__contains="<script>").exists()
    assert not lines.filter(memo_untrusted__regex="[\u200b\u202e⟦]").exists()
    response = Client().get(
        "/api/v1/transactions", {"text": "script", "limit": "100"}, headers={"Authorization": make_bearer(customer)}
    )
    assert response["Content-Type"] == "application/json"
    assert response.json()["results"]
    payees = Client().get("/api/v1/payees", headers={"Authorization": make_bearer(customer)}).json()["results"]
    names = [payee["name"] for payee in payees]
    assert names.count("Иван И.") >= 2
    assert "+7 000 000-00-77" in names


def test_conditions_are_stored_once() -> None:
    first = store_conditions(1, first=AS_OF, as_of=AS_OF)
    assert store_conditions(2, first=AS_OF, as_of=AS_OF).pk == first.pk
