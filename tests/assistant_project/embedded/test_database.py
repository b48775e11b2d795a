"""The demo's bank is filled once, and never into somebody's real database."""

from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.ledger_check import check_ledger
from accounts.models import AccountLine
from assistant_project.embedded.database import fill_bank, migrate_if_needed, seed
from assistant_project.embedded.errors import StartRefused
from assistant_project.embedded.run_directory import RunDirectory
from audit.context import build_system_context
from audit.enums import Origin


@pytest.fixture
def directory(tmp_path: Path) -> RunDirectory:
    return RunDirectory(tmp_path)


@pytest.mark.django_db(transaction=True)
def test_seed_twice_returns_the_same_logins(directory: RunDirectory) -> None:
    first = seed(directory)
    second = seed(directory)

    assert first == second
    assert {login["role"] for login in first} >= {"customer", "compliance", "auditor", "operator", "administrator"}
    assert {login["language"] for login in first if login["role"] == "customer"} == {"ru", "en"}
    assert all(set(login) == {"role", "username", "password", "language"} for login in first)
    assert all(login["password"] for login in first)
    assert Group.objects.filter(name="auditor", permissions__codename="export_auditentry").exists()


@pytest.mark.django_db(transaction=True)
def test_seed_gives_customers_a_history_once(
    directory: RunDirectory, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    seed(directory)
    lines = AccountLine.objects.count()
    seed(directory)

    assert lines > 1_000
    assert AccountLine.objects.count() == lines
    assert check_ledger(now=timezone.now()) == []
    with django_assert_num_queries(1):
        fill_bank(build_system_context(Origin.COMMAND, "demo"))


@pytest.mark.django_db(transaction=True)
def test_seed_refuses_a_database_with_other_users(directory: RunDirectory) -> None:
    User.objects.create_user("somebody")

    with pytest.raises(StartRefused, match="has users of its own"):
        seed(directory)
    assert User.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_seed_with_broken_passwords_file_tells_which(directory: RunDirectory) -> None:
    (directory.path / "passwords.json").write_text("{", encoding="utf-8")

    with pytest.raises(StartRefused, match=r"passwords\.json cannot be used; delete it"):
        seed(directory)


@pytest.mark.django_db(transaction=True)
def test_migrated_database_needs_no_migration() -> None:
    assert migrate_if_needed() is False
