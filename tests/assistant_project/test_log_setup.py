"""Lines are JSON, carry the bound ids, and never show a secret, whichever logger wrote them and however."""

import io
import json
import logging
import logging.config
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.logger import Logger, globalLogPublisher

from assistant_project.log_setup import build_logging
from assistant_project.servers.daphne_server import forward_warning
from audit.log_context import bind

PHONE = "+7 999 123-45-67"
CARD = "4276 1600 1234 5678"
TOKEN = "Bearer abcDEF123456ghiJKL7890mnoPQR"
SECRETS = (PHONE, CARD, TOKEN, "abcDEF123456", "hunter2hunter2", "79991234567", "ivan@bank.example")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """The product's configuration, writing to memory; the session's own is put back."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    logging.config.dictConfig(build_logging("DEBUG"))
    written = io.StringIO()
    handler = root.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(written)
    yield written
    root.handlers[:], root.level = before


def read_lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_line_carries_level_logger_time_and_bound_ids(stream: io.StringIO) -> None:
    with bind(request_id="req-1", conversation_id="c-1"), bind(turn_id="t-1"):
        logging.getLogger("chat.sample").info("turn started", extra={"attempt": 1})

    (line,) = read_lines(stream)
    at = line.pop("at")
    assert at
    assert line == {
        "level": "INFO",
        "logger": "chat.sample",
        "message": "turn started",
        "attempt": 1,
        "request_id": "req-1",
        "conversation_id": "c-1",
        "turn_id": "t-1",
    }


def test_bytes_of_a_client_that_are_no_text_are_no_error_of_ours(stream: io.StringIO) -> None:
    try:
        b"\xff".decode()
    except UnicodeDecodeError:
        logging.getLogger("uvicorn.error").exception("Invalid UTF-8 sequence received from client.")
    logging.getLogger("uvicorn.error").error("cannot listen")

    lines = [(line["level"], line["message"], line.get("exc_info")) for line in read_lines(stream)]
    assert lines == [
        ("INFO", "Invalid UTF-8 sequence received from client.", None),
        ("ERROR", "cannot listen", None),
    ]


def test_line_outside_any_act_carries_no_ids(stream: io.StringIO) -> None:
    logging.getLogger("chat.sample").info("idle")

    assert "request_id" not in read_lines(stream)[0]


def write_message(logger: logging.Logger) -> None:
    logger.warning(f"asked by {PHONE} with {TOKEN} and {CARD}")  # noqa: G004 - what careless code does


def write_arguments(logger: logging.Logger) -> None:
    logger.warning("asked by %s, header %s, card %s", PHONE, TOKEN, CARD)


def write_split_secret(logger: logging.Logger) -> None:
    logger.warning("password=%s", "hunter2hunter2")


def write_exception(logger: logging.Logger) -> None:
    try:
        raise ValueError(f"refused {TOKEN} of {PHONE}")  # noqa: TRY301
    except ValueError:
        logger.exception("failed")


def write_stack(logger: logging.Logger) -> None:
    logger.warning("here", stack_info=True, extra={"stack_note": TOKEN})


def write_extras(logger: logging.Logger) -> None:
    logger.warning("extras", extra={"details": {"phones": [PHONE, 79991234567], "who": "ivan@bank.example"}})


def write_named_secret(logger: logging.Logger) -> None:
    logger.warning("extras", extra={"password": "hunter2hunter2", "inner": {"refresh_token": "hunter2hunter2"}})


def write_wrong_arguments(logger: logging.Logger) -> None:
    logger.warning("%d calls by %s", PHONE)  # noqa: PLE1206 - what careless code does


WRITERS = [
    write_message,
    write_arguments,
    write_split_secret,
    write_exception,
    write_stack,
    write_extras,
    write_named_secret,
    write_wrong_arguments,
]


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
@pytest.mark.parametrize("name", ["chat.sample", "django.request", "django.server", "daphne.server", "aiohttp.client"])
def test_no_secret_reaches_a_line(stream: io.StringIO, write: Any, name: str) -> None:
    write(logging.getLogger(name))

    text = stream.getvalue()
    assert len(read_lines(stream)) == 1
    assert [secret for secret in SECRETS if secret in text] == []


def test_exception_keeps_its_traceback(stream: io.StringIO) -> None:
    write_exception(logging.getLogger("chat.sample"))

    assert "ValueError: refused" in read_lines(stream)[0]["exc_info"]


def test_small_numbers_and_ids_stay_readable(stream: io.StringIO) -> None:
    turn = "0190f6c2-7d4e-7cc3-98c4-dc0c0c07398f"
    logging.getLogger("chat.sample").info(
        "done", extra={"tokens": 1_234_567_890, "turn": turn, "ok": True, "none": None}
    )

    line = read_lines(stream)[0]
    assert (line["tokens"], line["turn"], line["ok"], line["none"]) == (1_234_567_890, turn, True, None)


def test_object_without_end_becomes_text(stream: io.StringIO) -> None:
    endless: dict[str, Any] = {}
    endless["self"] = endless
    logging.getLogger("chat.sample").info("deep", extra={"value": endless})

    assert len(read_lines(stream)) == 1


def test_twisted_failure_is_a_redacted_line(stream: io.StringIO) -> None:
    globalLogPublisher.addObserver(forward_warning)  # type: ignore[arg-type]
    try:
        try:
            raise ValueError(TOKEN)  # noqa: TRY301
        except ValueError:
            Logger(namespace="twisted.sample").failure("request of {phone} failed", phone=PHONE)
        Logger(namespace="twisted.sample").info("chatter")
    finally:
        globalLogPublisher.removeObserver(forward_warning)  # type: ignore[arg-type]

    (line,) = read_lines(stream)
    assert (line["level"], line["logger"]) == ("CRITICAL", "twisted")
    assert [secret for secret in SECRETS if secret in stream.getvalue()] == []
