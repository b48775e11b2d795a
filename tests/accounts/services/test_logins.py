import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connections
from pytest_django import DjangoAssertNumQueries, Settings
from typing_extensions import override

from accounts.errors import CredentialsRefused, LoginThrottled, ThrottleUnavailable
from accounts.services.logins import check_password, forgive_attempt, is_worth_recording, verify_login
from audit.models import AuditEntry
from audit.pseudonyms import build_pseudonym
from tests.factories.accounts import PASSWORD, make_context, make_customer, make_staff

pytestmark = pytest.mark.django_db


class CountingHasher(MD5PasswordHasher):
    """Counts how often a password was hashed: the cost that must not tell whether a user exists."""

    hashed = 0

    @override
    def encode(self, password: str, salt: str) -> str:
        type(self).hashed += 1
        return super().encode(password, salt)


def list_reasons() -> list[object]:
    entries = AuditEntry.objects.filter(action="login.refused").order_by("occurred_at")
    return [read_details(entry)["reason"] for entry in entries]


def read_details(entry: AuditEntry) -> dict[str, object]:
    details: dict[str, object] = json.loads(bytes(entry.body))["details"]
    return details


def try_login(username: str, password: str = "wrong", *, ip: str = "198.51.100.7") -> str:
    try:
        verify_login(make_context(ip), username=username, password=password)
    except (CredentialsRefused, LoginThrottled) as error:
        return type(error).__name__
    return "ok"


def test_verify_login_with_right_password_returns_customer() -> None:
    customer = make_customer("anna")
    assert verify_login(make_context(), username="anna", password=PASSWORD) == customer
    assert not AuditEntry.objects.exists()


def test_verify_login_refused_leaves_entry_with_reason_and_no_name() -> None:
    anna = make_customer("anna")
    make_customer("gone", is_active=False)
    make_staff("officer")
    for username, password in [("anna", "wrong"), ("nobody", PASSWORD), ("gone", PASSWORD), ("officer", PASSWORD)]:
        with pytest.raises(CredentialsRefused):
            verify_login(make_context(), username=username, password=password)
    assert list_reasons() == ["password", "unknown", "inactive", "unknown"]
    entry = AuditEntry.objects.earliest("occurred_at")
    assert (entry.customer_id, entry.subject_id) == (anna.pk, build_pseudonym("username", "anna"))
    assert (entry.outcome, entry.actor_kind, entry.request_id) == ("refused", "anonymous", "req-1")
    assert b"anna" not in bytes(entry.body)


@pytest.mark.parametrize("username", ["anna", "nobody", "gone", "officer"])
def test_check_password_costs_the_same_whoever_asks(
    username: str, settings: Settings, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    make_customer("anna")
    make_customer("gone", is_active=False)
    make_staff("officer")
    CountingHasher.hashed = 0
    with django_assert_num_queries(2):
        check_password(username, "wrong")
    assert CountingHasher.hashed == 1


def test_verify_login_after_too_many_failures_refuses_the_right_password_too(settings: Settings) -> None:
    settings.LOGIN_FAILURES_PER_USERNAME = 3
    settings.LOGIN_WINDOW_SECONDS = 100_000_000
    make_customer("anna")
    make_customer("boris")
    assert [try_login("anna", ip=f"198.51.100.{n}") for n in range(3)] == ["CredentialsRefused"] * 3
    with pytest.raises(LoginThrottled) as caught:
        verify_login(make_context("198.51.100.9"), username="ANNA", password=PASSWORD)
    assert caught.value.retry_after_seconds > 0
    assert list_reasons()[-1] == "throttled"
    assert try_login("boris", PASSWORD) == "ok"


def test_verify_login_of_unknown_user_is_throttled_alike(settings: Settings) -> None:
    settings.LOGIN_FAILURES_PER_USERNAME = 2
    settings.LOGIN_WINDOW_SECONDS = 100_000_000
    make_customer("anna")
    for username in ("anna", "nobody"):
        outcomes = [try_login(username) for _ in range(3)]
        assert outcomes == ["CredentialsRefused", "CredentialsRefused", "LoginThrottled"]


def test_verify_login_from_one_address_with_many_names_is_throttled(settings: Settings) -> None:
    settings.LOGIN_FAILURES_PER_IP = 3
    settings.LOGIN_WINDOW_SECONDS = 100_000_000
    make_customer("anna")
    for number in range(3):
        try_login(f"guess{number}", ip=f"2001:db8::{number}")
    assert try_login("anna", PASSWORD, ip="2001:db8::77") == "LoginThrottled"
    assert try_login("anna", PASSWORD, ip="2001:db8:0:1::1") == "ok"


def test_verify_login_success_forgives_name_and_one_hit_of_address(settings: Settings) -> None:
    settings.LOGIN_FAILURES_PER_USERNAME = 2
    settings.LOGIN_FAILURES_PER_IP = 3
    settings.LOGIN_WINDOW_SECONDS = 100_000_000
    make_customer("anna")
    for password in ("wrong", PASSWORD, "wrong", PASSWORD):
        assert try_login("anna", password) == ("ok" if password == PASSWORD else "CredentialsRefused")
    assert try_login("anna") == "CredentialsRefused"
    assert try_login("anna", PASSWORD) == "LoginThrottled"


def test_verify_login_without_known_address_counts_the_name_only(settings: Settings) -> None:
    settings.LOGIN_FAILURES_PER_IP = 1
    make_customer("anna")
    assert [try_login(f"guess{number}", ip="") for number in range(3)] == ["CredentialsRefused"] * 3


@pytest.mark.django_db(transaction=True)
def test_verify_login_with_parallel_guesses_lets_none_slip_through(redis_cache: None, settings: Settings) -> None:
    settings.LOGIN_FAILURES_PER_USERNAME = 5
    settings.LOGIN_WINDOW_SECONDS = 100_000_000
    make_customer("anna")

    def guess(number: int) -> str:
        try:
            return try_login("anna", f"guess{number}", ip=f"198.51.100.{number}")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(7) as pool:
        outcomes = list(pool.map(guess, range(30)))
    assert outcomes.count("CredentialsRefused") == 5
    assert outcomes.count("LoginThrottled") == 25


def test_verify_login_flood_is_recorded_by_its_doublings(settings: Settings) -> None:
    settings.LOGIN_FAILURES_PER_USERNAME = 1
    settings.LOGIN_WINDOW_SECONDS = 100_000_000
    for _ in range(18):
        try_login("anna")
    entries = AuditEntry.objects.filter(action="login.refused").order_by("occurred_at")
    counts = [read_details(entry).get("attempts") for entry in entries]
    assert counts == [None, 2, 3, 5, 9, 17]


def test_is_worth_recording_is_true_for_powers_of_two() -> None:
    assert [number for number in range(1, 70) if is_worth_recording(number)] == [1, 2, 4, 8, 16, 32, 64]


def test_verify_login_while_cache_is_away_refuses_everybody(settings: Settings) -> None:
    make_customer("anna")
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    }
    with pytest.raises(ThrottleUnavailable):
        verify_login(make_context(), username="anna", password=PASSWORD)


def test_forgive_attempt_while_cache_is_away_lets_the_customer_in(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    }
    forgive_attempt(make_context(), "anna")
    assert [record.getMessage() for record in caplog.records] == ["login attempts could not be forgiven"]


def test_verify_login_without_known_address_forgives_the_name(settings: Settings) -> None:
    settings.LOGIN_FAILURES_PER_USERNAME = 1
    settings.LOGIN_WINDOW_SECONDS = 100_000_000
    make_customer("anna")
    assert [try_login("anna", PASSWORD, ip="") for _ in range(3)] == ["ok"] * 3
