import pytest

from chat.protocol.codes import CloseCode, ErrorCode, ProtocolError, is_reconnect_code


def test_error_code_as_text_is_the_wire_value() -> None:
    assert str(ErrorCode.CONV_NOT_FOUND) == "conv.not_found"
    assert ErrorCode("turn.busy") is ErrorCode.TURN_BUSY


def test_retryable_codes_are_exactly_those_of_the_specification() -> None:
    assert {code.value for code in ErrorCode if code.is_retryable} == {
        "auth.expired",
        "auth.step_up",
        "idem.in_progress",
        "turn.busy",
        "limit.rate",
        "upstream.queue_full",
        "upstream.queue_timeout",
        "upstream.unavailable",
        "upstream.timeout",
        "worker.lost",
        "server.draining",
        "server.overloaded",
        "server.internal",
    }


@pytest.mark.parametrize("code", CloseCode)
def test_close_reason_of_every_code_fits_a_close_frame(code: CloseCode) -> None:
    assert 0 < len(code.reason.encode()) <= 123


def test_reconnects_follows_the_range_of_the_code() -> None:
    assert {int(code) for code in CloseCode if code.reconnects} == {
        4400,
        4401,
        4408,
        4410,
        4412,
        4413,
        4414,
        4415,
        4429,
    }


@pytest.mark.parametrize("code", [1006, 1011, 1012, 1013, 1014, 4400, 4499])
def test_is_reconnect_code_for_a_broken_line_is_true(code: int) -> None:
    assert is_reconnect_code(code)


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1009, 1010, 3000, 4399, 4500, 4599])
def test_is_reconnect_code_for_an_end_or_a_refusal_is_false(code: int) -> None:
    assert not is_reconnect_code(code)


def test_protocol_error_says_its_code_and_message() -> None:
    error = ProtocolError(ErrorCode.PROTO_INVALID, "expected a string", field="d.text", command_id="7")
    assert str(error) == "proto.invalid: expected a string"
    assert (error.field, error.command_id) == ("d.text", "7")
