"""What each command does: call a service, answer the phone. No rules here, and no model."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.utils import timezone

from accounts.errors import SessionRevoked, TokenExpired, TokenInvalid
from accounts.selectors import get_live_session
from accounts.tokens import AccessClaims, verify_access_token
from audit.context import AuditContext
from audit.enums import ActorKind, Origin
from audit.log_context import get_request_id
from chat.database import run_in_database
from chat.protocol.codes import CloseCode, ErrorCode, ProtocolError
from chat.protocol.commands import (
    MAX_ATTACHED,
    Ack,
    Attach,
    AuthRefresh,
    Command,
    CommandType,
    ConfirmDecide,
    Hello,
    Ping,
    TurnCancel,
    TurnSubmit,
)
from chat.protocol.frames import encode_ok, encode_signal, encode_welcome
from chat.protocol.replies import DeniedAttachment, Empty, Pong, RefreshReply, TurnSubmitted, Welcome
from chat.services.commands import ConversationCommand, ConversationReply, carry_out, follow_up, note_denied
from chat.socket.attaching import attach, begin, hold_cursors
from chat.socket.limits import FLOOD_RETRY_MS
from chat.socket.refusals import SocketRefused
from chat.socket.roster import Roster, TooManySockets
from chat.socket.session import Session

Body = TypeVar("Body")


async def greet(session: Session, command: Command, *, token: str | None, roster: Roster) -> None:
    """Answer `hello`: check who it is, then say where each wanted conversation stands.

    token  of the upgrade request, if it carried one
    Raises: SocketRefused
    """
    body = expect(command, Hello)
    session.claims = await authenticate(body.token or token)
    await enter(session, roster)
    wants = hold_cursors(session, [(entry.c, entry) for entry in body.subs])
    answers = await attach(session, wants)
    welcome = Welcome(
        conn=session.conn,
        now=to_milliseconds(timezone.now()),
        ping_ms=int(session.limits.ping_seconds * 1000),
        pong_ms=int(session.limits.pong_seconds * 1000),
        token_exp_ms=to_milliseconds(session.claims.expires_at),
        win=session.limits.window_bytes,
        caps=("ack", "functions", "confirm.sign"),
        subs=tuple(answers),
    )
    await session.send(encode_welcome(command.id, welcome))
    await begin(session, wants, answers)


async def enter(session: Session, roster: Roster) -> None:
    """Enter the socket in the roster; an older one of the same device is closed.

    Raises: SocketRefused
    """
    if session.is_closed:
        return
    try:
        replaced = roster.add(session, limit=session.limits.sockets_per_customer)
    except TooManySockets as error:
        raise SocketRefused(
            ErrorCode.LIMIT_RATE, "too many devices are connected", CloseCode.TOO_MANY_DEVICES
        ) from error
    for other in replaced:
        await other.close(CloseCode.REPLACED)


async def authenticate(token: str | None) -> AccessClaims:
    """Return the claims of a token whose session still lives.

    Raises: SocketRefused
    """
    if token is None:
        raise SocketRefused(ErrorCode.AUTH_REQUIRED, "expected a token", CloseCode.NOT_AUTHENTICATED)
    try:
        claims = verify_access_token(token)
        await run_in_database(get_live_session, claims.session_id)
    except TokenExpired as error:
        raise SocketRefused(ErrorCode.AUTH_EXPIRED, "the token is over", CloseCode.TOKEN_EXPIRED) from error
    except TokenInvalid as error:
        raise SocketRefused(ErrorCode.AUTH_INVALID, "not a token of ours", CloseCode.NOT_AUTHENTICATED) from error
    except SessionRevoked as error:
        raise refuse_revoked() from error
    return claims


def refuse_revoked() -> SocketRefused:
    return SocketRefused(ErrorCode.AUTH_REVOKED, "the session was ended", CloseCode.SESSION_REVOKED)


async def attach_conversation(session: Session, command: Command) -> None:
    position = expect(command, Attach)
    conversation_id = require_conversation(command)
    if conversation_id not in session.cursors and len(session.cursors) >= MAX_ATTACHED:
        raise ProtocolError(ErrorCode.LIMIT_ATTACH, f"at most {MAX_ATTACHED} conversations")
    wants = hold_cursors(session, [(conversation_id, position)])
    answers = await attach(session, wants)
    if isinstance(answers[0], DeniedAttachment):
        await run_in_database(
            note_denied, build_context(session), session.require_claims(), conversation_id, subject="conversation"
        )
    await reply(session, command, encode_ok(command.id or "", answers[0]))
    await begin(session, wants, answers)


async def detach_conversation(session: Session, command: Command) -> None:
    session.unfollow(require_conversation(command))
    await reply(session, command, encode_ok(command.id or "", Empty()))


async def submit_turn(session: Session, command: Command) -> None:
    """Store the customer's message and queue its turn; a new conversation is followed from its beginning."""
    body = expect(command, TurnSubmit)
    conversation_id = require_conversation(command)
    async with hold_events(session, conversation_id):
        stored = await carry_out_for(session, command, body)
    is_room = conversation_id not in session.cursors and len(session.cursors) < MAX_ATTACHED
    if body.new and is_room and isinstance(stored, TurnSubmitted):
        follow_from_start(session, conversation_id, stored.s)


def follow_from_start(session: Session, conversation_id: UUID, top: int) -> None:
    cursor = session.follow(conversation_id)
    cursor.top = top
    session.release_cursor(cursor)


async def stop_turn(session: Session, command: Command) -> None:
    async with hold_events(session, require_conversation(command)):
        await carry_out_for(session, command, expect(command, TurnCancel))


async def decide(session: Session, command: Command) -> None:
    """Take the customer's yes or no; a payment that leaves the house is sent once the phone has its reply."""
    body = expect(command, ConfirmDecide)
    async with hold_events(session, require_conversation(command)):
        await carry_out_for(session, command, body)
    await run_in_database(follow_up, build_context(session), require_conversation(command), body)


async def carry_out_for(session: Session, command: Command, body: ConversationCommand) -> ConversationReply:
    """Do a command of a conversation and reply. Raises: SocketRefused and what the command raises"""
    try:
        done = await run_in_database(
            carry_out, build_context(session), session.require_claims(), require_conversation(command), body
        )
    except SessionRevoked as error:
        raise refuse_revoked() from error
    await reply(session, command, encode_ok(command.id or "", done))
    return done


@asynccontextmanager
async def hold_events(session: Session, conversation_id: UUID) -> AsyncIterator[None]:
    """Keep the conversation's events back until the reply that announces them is out."""
    cursor = session.cursors.get(conversation_id)
    if cursor is not None:
        cursor.holds += 1
    try:
        yield
    finally:
        if cursor is not None:
            session.release_cursor(cursor)


async def refresh_token(session: Session, command: Command) -> None:
    """Take a fresh access token of the same session; anything else ends the socket.

    Raises: SocketRefused
    """
    known = session.require_claims()
    claims = await authenticate(expect(command, AuthRefresh).token)
    if (claims.customer_id, claims.session_id) != (known.customer_id, known.session_id):
        raise SocketRefused(ErrorCode.AUTH_SUBJECT_CHANGED, "the token belongs to another session", CloseCode.FORBIDDEN)
    session.claims = claims
    session.expiry_announced = False
    await reply(session, command, encode_ok(command.id or "", RefreshReply(exp=to_milliseconds(claims.expires_at))))


async def take_ack(session: Session, command: Command) -> None:
    # One that confirms something is never dropped: the phone would not repeat it, and the window would stay full.
    if not session.confirm(dict(expect(command, Ack).root)):
        await bear_idle_frame(session)


async def answer_ping(session: Session, command: Command) -> None:
    pong = Pong(n=expect(command, Ping).n)
    await session.send(encode_signal(pong, command_id=command.id))


async def note_state(session: Session, command: Command) -> None:
    await reply(session, command, encode_ok(command.id or "", Empty()))


async def take_pong(session: Session, _command: Command) -> None:
    """Nothing else to do: that a frame arrived was noted before."""
    await bear_idle_frame(session)


async def bear_idle_frame(session: Session) -> None:
    """Count a frame that changed nothing; a flood of them ends the socket."""
    now = time.monotonic()
    if session.acks.take(now) > 0.0 and session.refusals.add(now):
        await session.close(CloseCode.TOO_MANY_COMMANDS, after_ms=FLOOD_RETRY_MS)


async def say_goodbye(session: Session, _command: Command) -> None:
    await session.drop(CloseCode.NORMAL)


async def refuse_hello(_session: Session, _command: Command) -> None:
    raise ProtocolError(ErrorCode.PROTO_STATE, "hello was already said")


Handler = Callable[[Session, Command], Awaitable[None]]

HANDLERS: dict[CommandType, Handler] = {
    CommandType.HELLO: refuse_hello,
    CommandType.ATTACH: attach_conversation,
    CommandType.DETACH: detach_conversation,
    CommandType.TURN_SUBMIT: submit_turn,
    CommandType.TURN_CANCEL: stop_turn,
    CommandType.CONFIRM_DECIDE: decide,
    CommandType.AUTH_REFRESH: refresh_token,
    CommandType.APP_STATE: note_state,
    CommandType.ACK: take_ack,
    CommandType.PING: answer_ping,
    CommandType.PONG: take_pong,
    CommandType.BYE: say_goodbye,
}


async def reply(session: Session, command: Command, frame: str) -> None:
    """Send the reply, unless the phone asked for none by giving no id."""
    if command.id is not None:
        await session.send(frame)


def build_context(session: Session) -> AuditContext:
    claims = session.require_claims()
    return AuditContext(
        actor_kind=ActorKind.CUSTOMER,
        actor_id=str(claims.customer_id),
        origin=Origin.WEBSOCKET,
        request_id=get_request_id(),
        session_id=str(claims.session_id),
        ip=session.ip,
    )


def expect(command: Command, kind: type[Body]) -> Body:
    if not isinstance(command.body, kind):
        raise TypeError(f"{command.type} carries another body")
    return command.body


def require_conversation(command: Command) -> UUID:
    if command.conversation_id is None:
        raise TypeError(f"{command.type} carries no conversation")
    return command.conversation_id


def to_milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
