"""What time does to a socket."""

from datetime import timedelta

import pytest
from django.utils import timezone

from chat.protocol.codes import CloseCode
from chat.socket.heartbeat import check_session
from tests.factories.sockets import get_transport, make_claims, make_socket


async def test_check_session_pings_after_a_silence() -> None:
    session = make_socket(ping_seconds=25.0)

    await check_session(session, session.opened + 19, timezone.now())
    assert get_transport(session).frames == []
    await check_session(session, session.opened + 31, timezone.now())

    assert [frame["t"] for frame in get_transport(session).frames] == ["ping"]
    assert session.ping_sent is not None


async def test_check_session_closes_who_does_not_answer_the_ping() -> None:
    session = make_socket(pong_seconds=10.0)
    await check_session(session, session.opened + 31, timezone.now())

    await check_session(session, session.opened + 42, timezone.now())

    assert get_transport(session).closed_with == (4412, "no pong")


async def test_check_session_announces_the_end_of_the_token_once() -> None:
    session = make_socket(claims=make_claims(lifetime_seconds=30))

    for _ in range(2):
        await check_session(session, session.opened + 1, timezone.now())

    [frame] = get_transport(session).frames
    assert frame["t"] == "auth.expiring"
    assert 28_000 < frame["d"]["in_ms"] <= 30_000


async def test_check_session_closes_after_the_grace_of_an_expired_token() -> None:
    session = make_socket(claims=make_claims(lifetime_seconds=0), expiry_grace_seconds=25.0)

    await check_session(session, session.opened + 1, timezone.now() + timedelta(seconds=24))
    assert get_transport(session).closed_with is None
    await check_session(session, session.opened + 1, timezone.now() + timedelta(seconds=26))

    assert get_transport(session).closed_with == (4401, "token expired")


@pytest.mark.parametrize(
    ("field", "limit", "code"),
    [
        ("window_full_since", 30.0, CloseCode.SLOW_CONSUMER),
        ("sending_since", 10.0, CloseCode.SLOW_CONSUMER),
        ("opened", 86_400.0, CloseCode.AGE_LIMIT),
    ],
)
async def test_check_session_closes_what_lasts_too_long(field: str, limit: float, code: CloseCode) -> None:
    session = make_socket()
    now = session.opened
    session.last_sent = now + limit
    setattr(session, field, now)

    await check_session(session, now + limit - 1, timezone.now())
    assert get_transport(session).closed_with is None
    await check_session(session, now + limit + 1, timezone.now())

    assert get_transport(session).closed_with == (int(code), code.reason)
