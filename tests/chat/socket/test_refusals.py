"""What a phone is told about each error."""

from uuid import UUID

import pytest

from chat.errors import (
    BudgetUsedUp,
    ConversationNotFound,
    MessageConflict,
    QueueFull,
    RunLost,
    TooManyTurns,
    TurnBusy,
    TurnNotFound,
)
from chat.protocol.codes import CloseCode, ErrorCode, ProtocolError
from chat.socket.refusals import CONFIRMATION_ERRORS, SocketRefused, build_error
from functions import errors as refusals
from functions.errors import ConfirmationError

TURN = UUID("0197a0a0-0000-7000-8000-000000000001")


@pytest.mark.parametrize(
    ("error", "code", "field", "details"),
    [
        (ConversationNotFound(), "conv.not_found", None, None),
        (TurnNotFound(), "turn.not_found", "d.turn", None),
        (TurnBusy(TURN), "turn.busy", None, {"turn": str(TURN)}),
        (MessageConflict(), "idem.conflict", "d.mid", None),
        (ProtocolError(ErrorCode.PROTO_INVALID, "expected x", field="d.x"), "proto.invalid", "d.x", None),
        (SocketRefused(ErrorCode.AUTH_INVALID, "no", CloseCode.NOT_AUTHENTICATED), "auth.invalid", None, None),
        (refusals.ConfirmationNotFound(), "confirm.not_found", None, None),
        (refusals.ConfirmationExpired(), "confirm.expired", None, None),
        (refusals.ConfirmationDecided("executed"), "confirm.decided", None, {"state": "executed"}),
        (refusals.ConfirmationSuperseded(), "confirm.superseded", None, None),
        (refusals.ConfirmationMismatch("hash"), "confirm.mismatch", "d.hash", None),
        (refusals.SignatureRefused(3), "confirm.signature", None, {"attempts_left": 3}),
        (refusals.TooManySignatures(), "confirm.attempts", None, None),
        (refusals.DeviceRefused(), "confirm.device", None, None),
        (refusals.StepUpNeeded(), "auth.step_up", None, None),
        (RunLost(), "server.internal", None, None),
        (ValueError("secret"), "server.internal", None, None),
    ],
)
def test_build_error_gives_each_its_code(
    error: Exception, code: str, field: str | None, details: dict[str, str] | None
) -> None:
    body = build_error(error)

    assert (body.code, body.field, body.details) == (code, field, details)
    assert "secret" not in body.to_json()


def test_every_refusal_of_a_decision_has_a_code() -> None:
    assert set(CONFIRMATION_ERRORS) == set(ConfirmationError.__subclasses__())


def test_build_error_of_a_rate_says_how_long_to_wait() -> None:
    body = build_error(TooManyTurns(limit=10, window_seconds=60, retry_after_ms=21_000))

    assert (body.code, body.retryable, body.retry_after_ms, body.details) == (
        "limit.rate",
        True,
        21_000,
        {"limit": 10, "window_s": 60},
    )


def test_build_error_of_a_full_queue_says_how_long_to_wait() -> None:
    body = build_error(QueueFull(4000))

    assert (body.code, body.retryable, body.retry_after_ms) == ("upstream.queue_full", True, 4000)


def test_build_error_of_a_used_up_budget_says_when_the_next_day_begins() -> None:
    body = build_error(BudgetUsedUp(retry_after_ms=60_000))

    assert (body.code, body.retry_after_ms, body.details) == ("limit.rate", 60_000, {"budget": "tokens"})
