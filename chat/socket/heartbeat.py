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
    left = (session.require_claims().expires_at - wall).total_seconds()
    code = find_reason_to_close(session, now, left)
    if code is not None:
        await session.close(code)
        return
    if not session.expiry_announced and left <= session.limits.expiry_notice_seconds:
        session.expiry_announced = True
        await session.send_signal(AuthExpiring(in_ms=max(0, int(left * 1000))))
    if session.ping_sent is None and now >= session.last_sent + session.ping_seconds:
        session.ping_sent = now
        await session.send_signal(Ping())


def find_reason_to_close(session: Session, now: float, token_left_seconds: float) -> CloseCode | None:
    # Plain comparisons: this runs for each socket in each tick, and nearly always for nothing.
    limits = session.limits
    if is_over(session.ping_sent, now, limits.pong_seconds):
        return CloseCode.NO_PONG
    if is_over(session.window_full_since, now, limits.window_full_seconds):
        return CloseCode.SLOW_CONSUMER
    if is_over(session.sending_since, now, limits.send_seconds):
        return CloseCode.SLOW_CONSUMER
    if token_left_seconds < -limits.expiry_grace_seconds:
        return CloseCode.TOKEN_EXPIRED
    return CloseCode.AGE_LIMIT if is_over(session.opened, now, limits.age_seconds) else None


def is_over(since: float | None, now: float, seconds: float) -> bool:
    return since is not None and now - since > seconds
