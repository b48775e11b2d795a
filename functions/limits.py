"""How often a turn and a customer may call, and when a turn has called enough. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from functions.enums import CallStatus
from functions.errors import CallRefused, Code
from functions.selectors import PastCall

# After one of these the model may call nothing more in this turn.
ENDING_CODES = frozenset({Code.TOO_MANY_CALLS, Code.REPEATED_CALL})
FAILED = frozenset({CallStatus.ERROR, CallStatus.DENIED, CallStatus.TIMEOUT})
SECOND_MONEY_CALL = "В одном ответе клиента спрашивают о деньгах один раз."


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the settings allow; seconds are of calls alone, the model's own time is not counted."""

    calls_per_turn: int
    seconds_per_turn: float
    calls_per_customer: int
    window_seconds: float
    handler_seconds: float


def get_limits() -> Limits:
    return Limits(
        calls_per_turn=settings.FUNCTION_CALLS_PER_TURN,
        seconds_per_turn=settings.FUNCTION_SECONDS_PER_TURN,
        calls_per_customer=settings.FUNCTION_CALLS_PER_CUSTOMER,
        window_seconds=settings.FUNCTION_WINDOW_SECONDS,
        handler_seconds=settings.FUNCTION_HANDLER_SECONDS,
    )


def check_turn(past: Sequence[PastCall], limits: Limits) -> None:
    """Raises: CallRefused when the turn may call nothing more"""
    spent_ms = sum(call.duration_ms for call in past)
    if any(call.code == Code.REPEATED_CALL for call in past):
        raise CallRefused(Code.REPEATED_CALL)
    if len(past) >= limits.calls_per_turn or spent_ms >= limits.seconds_per_turn * 1000:
        raise CallRefused(Code.TOO_MANY_CALLS)


def check_customer(count: int, limits: Limits) -> None:
    """Raises: CallRefused when all the customer's conversations together called too often lately"""
    if count >= limits.calls_per_customer:
        raise CallRefused(Code.TOO_MANY_CALLS, can_retry=False)


def check_money(was_asked: bool) -> None:  # noqa: FBT001 - the rule is about this one fact
    """Raises: CallRefused for a second question about money in one turn"""
    if was_asked:
        raise CallRefused(Code.NOT_ALLOWED, SECOND_MONEY_CALL, fix="Ответь клиенту; новую операцию он попросит сам.")


def has_failed_before(past: Sequence[PastCall], name: str, digest: str) -> bool:
    """Whether this very call failed once already in this turn."""
    return any(call.status in FAILED and call.name == name and call.arguments_hash == digest for call in past)


def is_last(past: Sequence[PastCall], code: Code | None, limits: Limits) -> bool:
    """Whether the call that comes after `past` is the turn's last."""
    return code in ENDING_CODES or len(past) + 1 >= limits.calls_per_turn
