from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.errors import RefreshRefused, SessionRevoked
from accounts.models import DeviceSession, RefreshToken
from accounts.services.retention import forget_refresh_tokens
from accounts.services.sessions import close_session, open_session, refresh_session
from tests.factories.accounts import PASSWORD, make_context, make_customer

pytestmark = pytest.mark.django_db


def open_chain(username: str) -> tuple[DeviceSession, list[str]]:
    """Return a session whose token was exchanged twice, and its three tokens."""
    make_customer(username)
    opened = open_session(make_context(), username=username, password=PASSWORD, device_id="d1")
    tokens = [opened.refresh_token]
    for _ in range(2):
        tokens.append(refresh_session(make_context(), refresh_token=tokens[-1]).refresh_token)
    return opened.session, tokens


def age(session: DeviceSession, days: int) -> None:
    """Let the session have ended by itself so many days ago."""
    now = timezone.now()
    DeviceSession.objects.filter(pk=session.pk).update(
        created_at=now - timedelta(days=days + 30), expires_at=now - timedelta(days=days)
    )


def test_tokens_of_sessions_that_ended_long_ago_are_forgotten(settings: Settings) -> None:
    settings.REFRESH_TOKEN_KEEP_DAYS = 90
    expired, tokens = open_chain("expired")
    revoked, _ = open_chain("revoked")
    recent, _ = open_chain("recent")
    age(expired, 91)
    close_session(make_context(), session_id=revoked.pk)
    DeviceSession.objects.filter(pk=revoked.pk).update(revoked_at=timezone.now() - timedelta(days=91))
    age(recent, 89)

    assert forget_refresh_tokens(timezone.now()) == 6

    assert set(RefreshToken.objects.values_list("session_id", flat=True)) == {recent.pk}
    assert DeviceSession.objects.count() == 3
    assert forget_refresh_tokens(timezone.now()) == 0
    with pytest.raises(RefreshRefused):
        refresh_session(make_context(), refresh_token=tokens[-1])


def test_living_session_keeps_every_token_and_notices_one_that_comes_back() -> None:
    session, tokens = open_chain("living")
    DeviceSession.objects.filter(pk=session.pk).update(created_at=timezone.now() - timedelta(days=400))

    assert forget_refresh_tokens(timezone.now()) == 0

    with pytest.raises(SessionRevoked):
        refresh_session(make_context(), refresh_token=tokens[0])
    session.refresh_from_db()
    assert session.revoke_reason == "reuse_detected"


@pytest.mark.parametrize("sessions", [1, 3])
def test_number_of_queries_does_not_grow_with_sessions(
    sessions: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(sessions):
        age(open_chain(f"c{number}")[0], 400)

    # Look, savepoint, cut the chains, what is deleted, what hangs on it, delete, release, look again.
    with django_assert_num_queries(8):
        forget_refresh_tokens(timezone.now())
