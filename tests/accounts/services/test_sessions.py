import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import TypeVar
from uuid import uuid4

import pytest
from django.db import connections
from django.utils import timezone
from pytest_django import Settings

from accounts.enums import RevokeReason
from accounts.errors import CredentialsRefused, RefreshRefused, SessionExpired, SessionNotFound, SessionRevoked
from accounts.models import Customer, DeviceSession, RefreshToken
from accounts.services.sessions import OpenedSession, close_session, open_session, refresh_session, revoke_session
from accounts.tokens import digest_secret, verify_access_token
from audit.models import AuditEntry
from tests.factories.accounts import PASSWORD, make_context, make_customer, make_session, make_staff

pytestmark = pytest.mark.django_db
T = TypeVar("T")


@pytest.fixture
def customer() -> Customer:
    return make_customer("anna")


def sign_in(username: str = "anna", device_id: str = "phone-1") -> OpenedSession:
    return open_session(make_context(), username=username, password=PASSWORD, device_id=device_id)


def list_entries() -> list[tuple[str, str]]:
    return list(AuditEntry.objects.order_by("occurred_at").values_list("action", "outcome"))


def read_details(action: str) -> dict[str, object]:
    entry = AuditEntry.objects.filter(action=action).latest("occurred_at")
    details: dict[str, object] = json.loads(bytes(entry.body))["details"]
    return details


def read_state(session: DeviceSession) -> tuple[bool, str]:
    session.refresh_from_db()
    return session.revoked_at is None, session.revoke_reason


def run_together(act: Callable[[], T], times: int) -> list[T]:
    """Call `act` on that many threads, all starting at once."""
    barrier = Barrier(times)

    def start() -> T:
        barrier.wait(timeout=5)
        try:
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(times) as pool:
        return [future.result(timeout=20) for future in [pool.submit(start) for _ in range(times)]]


def test_open_session_stores_session_digest_and_entry(customer: Customer, settings: Settings) -> None:
    opened = sign_in()
    session = DeviceSession.objects.get()
    assert session == opened.session
    assert (session.customer, session.device_id, session.revoked_at) == (customer, "phone-1", None)
    assert session.expires_at - session.created_at == timedelta(days=settings.REFRESH_TOKEN_DAYS)
    assert RefreshToken.objects.get().digest == digest_secret(opened.refresh_token)
    claims = verify_access_token(opened.access.token)
    assert (claims.customer_id, claims.session_id, claims.device_id) == (customer.pk, session.pk, "phone-1")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.outcome, entry.customer_id) == ("login.succeeded", "ok", customer.pk)
    assert (entry.actor_kind, entry.actor_id, entry.subject_id) == ("customer", str(customer.pk), str(session.pk))


def test_opened_session_in_a_log_line_shows_no_token(customer: Customer) -> None:
    opened = sign_in()
    assert opened.refresh_token not in repr(opened)
    assert opened.access.token not in repr(opened)


@pytest.mark.parametrize("username", ["anna", "nobody", "officer"])
def test_open_session_refused_changes_nothing(customer: Customer, username: str) -> None:
    make_staff("officer", password="the officer's own one")
    with pytest.raises(CredentialsRefused):
        open_session(make_context(), username=username, password="the officer's own one", device_id="d")
    assert not DeviceSession.objects.exists()
    assert not RefreshToken.objects.exists()
    assert list_entries() == [("login.refused", "refused")]


def test_open_session_on_same_device_replaces_the_older(customer: Customer) -> None:
    first, other = sign_in(), sign_in(device_id="phone-2")
    second = sign_in()
    assert read_state(first.session) == (False, RevokeReason.REPLACED)
    assert read_state(other.session) == (True, "")
    assert read_state(second.session) == (True, "")
    assert list_entries()[-2:] == [("session.revoked", "ok"), ("login.succeeded", "ok")]


def test_open_session_on_one_device_too_many_ends_the_one_unused_longest(
    customer: Customer, settings: Settings
) -> None:
    settings.SESSIONS_PER_CUSTOMER = 3
    opened = [sign_in(device_id=f"phone-{number}") for number in range(3)]
    refresh_session(make_context(), refresh_token=opened[0].refresh_token)
    stranger = make_session(make_customer())
    newest = sign_in(device_id="phone-3")
    states = [read_state(each.session) for each in [*opened, newest]]
    assert states == [(True, ""), (False, RevokeReason.TOO_MANY_DEVICES), (True, ""), (True, "")]
    assert read_state(stranger) == (True, "")
    assert read_details("session.revoked") == {"reason": "too_many_devices"}


def test_open_session_does_not_count_sessions_that_are_over(customer: Customer, settings: Settings) -> None:
    settings.SESSIONS_PER_CUSTOMER = 1
    over = sign_in(device_id="old").session
    over.created_at = timezone.now() - timedelta(days=31)
    over.expires_at = timezone.now() - timedelta(seconds=1)
    over.save(update_fields=["created_at", "expires_at"])
    sign_in(device_id="new")
    assert read_state(over) == (True, "")
    sign_in(device_id="old")
    assert read_state(over) == (False, RevokeReason.REPLACED)


@pytest.mark.django_db(transaction=True)
def test_open_session_from_many_threads_keeps_the_limit(customer: Customer, settings: Settings) -> None:
    settings.SESSIONS_PER_CUSTOMER = 2
    run_together(lambda: sign_in(device_id=uuid4().hex), 6)
    assert DeviceSession.objects.filter(revoked_at=None).count() == 2
    assert DeviceSession.objects.count() == 6


@pytest.mark.django_db(transaction=True)
def test_open_session_on_one_device_from_many_threads_leaves_one(customer: Customer) -> None:
    run_together(sign_in, 6)
    assert DeviceSession.objects.filter(revoked_at=None).count() == 1


def test_refresh_session_exchanges_the_token(customer: Customer) -> None:
    opened = sign_in()
    refreshed = refresh_session(make_context(), refresh_token=opened.refresh_token)
    assert refreshed.session == opened.session
    assert refreshed.refresh_token != opened.refresh_token
    assert verify_access_token(refreshed.access.token).session_id == opened.session.pk
    tokens = {token.digest: token for token in RefreshToken.objects.all()}
    spent, fresh = tokens[digest_secret(opened.refresh_token)], tokens[digest_secret(refreshed.refresh_token)]
    assert (spent.used_at is None, fresh.used_at, fresh.predecessor) == (False, None, spent)
    assert refreshed.session.last_used_at > opened.session.last_used_at
    assert refreshed.session.expires_at == opened.session.expires_at
    entry = AuditEntry.objects.get(action="session.refreshed")
    assert (entry.outcome, entry.actor_id, entry.customer_id) == ("ok", str(customer.pk), customer.pk)


def test_refresh_session_with_a_used_token_revokes_the_whole_session(customer: Customer) -> None:
    opened, other = sign_in(), sign_in(device_id="phone-2")
    newest = refresh_session(make_context(), refresh_token=opened.refresh_token)
    with pytest.raises(SessionRevoked):
        refresh_session(make_context(), refresh_token=opened.refresh_token)
    assert read_state(opened.session) == (False, RevokeReason.REUSE_DETECTED)
    assert read_state(other.session) == (True, "")
    assert list_entries()[-2:] == [("session.reuse_detected", "refused"), ("session.revoked", "ok")]
    with pytest.raises(SessionRevoked):
        refresh_session(make_context(), refresh_token=newest.refresh_token)
    assert list_entries()[-1] == ("session.refreshed", "refused")


def test_refresh_session_repeated_with_same_attempt_replaces_the_lost_answer(customer: Customer) -> None:
    opened, attempt_id = sign_in(), uuid4()
    lost = refresh_session(make_context(), refresh_token=opened.refresh_token, attempt_id=attempt_id)
    again = refresh_session(make_context(), refresh_token=opened.refresh_token, attempt_id=attempt_id)
    assert read_details("session.refreshed") == {"repeated": True}
    assert read_state(opened.session) == (True, "")
    following = refresh_session(make_context(), refresh_token=again.refresh_token)
    assert following.session == opened.session
    # Whoever caught the lost answer gives himself away.
    with pytest.raises(SessionRevoked):
        refresh_session(make_context(), refresh_token=lost.refresh_token)
    assert read_state(opened.session) == (False, RevokeReason.REUSE_DETECTED)


def test_refresh_session_repeated_after_successor_was_used_is_reuse(customer: Customer) -> None:
    opened, attempt_id = sign_in(), uuid4()
    answer = refresh_session(make_context(), refresh_token=opened.refresh_token, attempt_id=attempt_id)
    refresh_session(make_context(), refresh_token=answer.refresh_token, attempt_id=uuid4())
    with pytest.raises(SessionRevoked):
        refresh_session(make_context(), refresh_token=opened.refresh_token, attempt_id=attempt_id)
    assert read_state(opened.session) == (False, RevokeReason.REUSE_DETECTED)


def test_refresh_session_repeated_with_another_attempt_is_reuse(customer: Customer) -> None:
    opened = sign_in()
    refresh_session(make_context(), refresh_token=opened.refresh_token, attempt_id=uuid4())
    with pytest.raises(SessionRevoked):
        refresh_session(make_context(), refresh_token=opened.refresh_token, attempt_id=uuid4())
    assert read_state(opened.session) == (False, RevokeReason.REUSE_DETECTED)


def test_refresh_session_repeated_too_late_is_reuse(customer: Customer, settings: Settings) -> None:
    opened, attempt_id = sign_in(), uuid4()
    refresh_session(make_context(), refresh_token=opened.refresh_token, attempt_id=attempt_id)
    used = RefreshToken.objects.get(digest=digest_secret(opened.refresh_token))
    used.used_at = timezone.now() - timedelta(seconds=settings.REFRESH_REUSE_GRACE_SECONDS + 1)
    used.save(update_fields=["used_at"])
    with pytest.raises(SessionRevoked):
        refresh_session(make_context(), refresh_token=opened.refresh_token, attempt_id=attempt_id)


@pytest.mark.django_db(transaction=True)
def test_refresh_session_from_many_threads_makes_one_successor(customer: Customer) -> None:
    opened = sign_in()

    def refresh() -> OpenedSession | None:
        try:
            return refresh_session(make_context(), refresh_token=opened.refresh_token)
        except SessionRevoked:
            return None

    outcomes = run_together(refresh, 20)
    assert sum(outcome is not None for outcome in outcomes) == 1
    assert RefreshToken.objects.count() == 2
    assert AuditEntry.objects.filter(action="session.reuse_detected").count() == 1
    assert read_state(opened.session) == (False, RevokeReason.REUSE_DETECTED)


@pytest.mark.django_db(transaction=True)
def test_refresh_session_repeated_from_many_threads_leaves_one_living_token(customer: Customer) -> None:
    opened, attempt_id = sign_in(), uuid4()
    answers = run_together(
        lambda: refresh_session(make_context(), refresh_token=opened.refresh_token, attempt_id=attempt_id), 7
    )
    living = RefreshToken.objects.get(session=opened.session, used_at=None)
    assert [digest_secret(answer.refresh_token) for answer in answers].count(living.digest) == 1
    assert read_state(opened.session) == (True, "")


@pytest.mark.parametrize("token", ["", "unknown", "x" * 10_000, "\x00"])
def test_refresh_session_with_unknown_token_is_refused(customer: Customer, token: str) -> None:
    with pytest.raises(RefreshRefused):
        refresh_session(make_context(), refresh_token=token)
    assert list_entries() == [("login.refused", "refused")]
    assert read_details("login.refused") == {"reason": "unknown_token", "attempts": 1}


def test_refresh_session_flood_of_unknown_tokens_is_recorded_by_its_doublings(settings: Settings) -> None:
    settings.LOGIN_WINDOW_SECONDS = 100_000_000
    for number in range(9):
        with pytest.raises(RefreshRefused):
            refresh_session(make_context(), refresh_token=f"guess{number}")
    assert AuditEntry.objects.count() == 4
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    }
    with pytest.raises(RefreshRefused):
        refresh_session(make_context(), refresh_token="guess")
    assert AuditEntry.objects.count() == 5


def test_refresh_session_after_its_end_is_expired(customer: Customer) -> None:
    opened = sign_in()
    opened.session.created_at = timezone.now() - timedelta(days=31)
    opened.session.expires_at = timezone.now()
    opened.session.save(update_fields=["created_at", "expires_at"])
    with pytest.raises(SessionExpired):
        refresh_session(make_context(), refresh_token=opened.refresh_token)
    assert read_details("session.refreshed") == {"reason": "expired"}


def test_refresh_session_of_deactivated_customer_is_refused(customer: Customer) -> None:
    opened = sign_in()
    customer.user.is_active = False
    customer.user.save(update_fields=["is_active"])
    with pytest.raises(SessionRevoked):
        refresh_session(make_context(), refresh_token=opened.refresh_token)
    assert read_details("session.refreshed") == {"reason": "inactive"}


def test_close_session_ends_it_once(customer: Customer) -> None:
    opened = sign_in()
    assert close_session(make_context(), session_id=opened.session.pk) is True
    assert close_session(make_context(), session_id=opened.session.pk) is False
    assert read_state(opened.session) == (False, RevokeReason.LOGOUT)
    assert list_entries() == [("login.succeeded", "ok"), ("session.revoked", "ok")]
    with pytest.raises(SessionRevoked):
        refresh_session(make_context(), refresh_token=opened.refresh_token)


def test_revoke_session_unknown_is_not_found() -> None:
    with pytest.raises(SessionNotFound):
        revoke_session(make_context(), session_id=uuid4(), reason=RevokeReason.STAFF)
    assert not AuditEntry.objects.exists()
