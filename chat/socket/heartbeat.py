"""What time does to a socket: pings, expiring tokens, old age, phones that stopped answering.

One pass over all sockets per tick instead of timers per socket: an idle one costs a few comparisons a second.
"""

from datetime import datetime

from chat.protocol.codes import CloseCode
from chat.protocol.replies import AuthExpiring, Ping
from chat.socket.session import Session


async def check_session(session: Session, now: float, wall: datetime) -> None:
    """Send what is due to one socket, or close it.

    now   seconds of the monotonic clock
    wall  the time of day, for the token
    """
    code = find_reason_to_close(session, now, wall)
    if code is not None:
        await session.close(code)
        return
    left = (session.require_claims().expires_at - wall).total_seconds()
    if not session.expiry_announced and left <= session.limits.expiry_notice_seconds:
        session.expiry_announced = True
        await session.send_signal(AuthExpiring(in_ms=max(0, int(left * 1000))))
    if session.ping_sent is None and now >= session.last_sent + session.ping_seconds:
        session.ping_sent = now
        await session.send_signal(Ping())


def find_reason_to_close(session: Session, now: float, wall: datetime) -> CloseCode | None:
    limits = session.limits
    grace_over = (wall - session.require_claims().expires_at).total_seconds() > limits.expiry_grace_seconds
    checks = (
        (CloseCode.NO_PONG, is_over(session.ping_sent, now, limits.pong_seconds)),
        (CloseCode.SLOW_CONSUMER, is_over(session.window_full_since, now, limits.window_full_seconds)),
        (CloseCode.SLOW_CONSUMER, is_over(session.sending_since, now, limits.send_seconds)),
        (CloseCode.TOKEN_EXPIRED, grace_over),
        (CloseCode.AGE_LIMIT, is_over(session.opened, now, limits.age_seconds)),
    )
    return next((code for code, applies in checks if applies), None)


def is_over(since: float | None, now: float, seconds: float) -> bool:
    return since is not None and now - since > seconds
