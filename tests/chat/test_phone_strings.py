"""Every text the page's scripts ask for exists, is used, and is translated."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from django.utils import translation

from accounts.enums import BlockReason, CardLimit, CardStatus, StatementFormat
from chat.api.files import REFUSALS
from chat.phone_strings import STRINGS
from chat.protocol.codes import CloseCode, ErrorCode
from functions.enums import ConfirmationState, PlanWarning
from functions.plans import Plan
from functions.registry import list_functions

SCRIPTS = sorted((Path(__file__).resolve().parents[2] / "chat" / "static" / "chat" / "phone").glob("*.js"))
# Built from a part that varies: `error.${code}`, `status.${name}` and the like.
BUILT = (
    *("error.", "status.", "notice.", "note.", "speaker.", "attach.", "step."),
    # What a question or a card of the app shows, by closed words of the server.
    *("card.", "act.", "term.", "word.", "warning.", "requisites."),
)
# Codes that no request of this page can be answered with.
UNREACHABLE = (
    "proto.",
    "request.media_type",
    "method.not_allowed",
    "not_found",
    "limit.a",
)


def read_asked_keys() -> set[str]:
    text = "\n".join(path.read_text(encoding="utf-8") for path in SCRIPTS)
    return set(re.findall(r'"([a-z_]+(?:\.[a-z_0-9]+)+)"', text)) | set(re.findall(r'"(retry_after)"', text))


def test_every_key_the_scripts_name_has_a_text() -> None:
    events = {"conv.state", "conv.created", "conv.updated"}
    keys = {
        key
        for key in read_asked_keys() - events
        if key.split(".")[0] in {name.split(".")[0] for name in STRINGS} and not key.endswith(".js")
    }

    assert keys - STRINGS.keys() == set()


def test_every_text_is_used_by_a_script() -> None:
    unused = [key for key in STRINGS if key not in read_asked_keys() and not key.startswith(BUILT)]

    assert unused == []


@pytest.mark.parametrize("code", [code for code in ErrorCode if not code.startswith(UNREACHABLE)])
def test_every_code_a_customer_can_meet_has_a_text(code: ErrorCode) -> None:
    assert f"error.{code}" in STRINGS


@pytest.mark.parametrize(
    ("prefix", "words"),
    [
        ("warning.", PlanWarning),
        ("word.limit.", CardLimit),
        ("word.reason.", BlockReason),
        ("word.format.", StatementFormat),
        ("word.state.", CardStatus),
        ("step.", {"ok", "error", "denied", "timeout"}),
        ("card.", set(ConfirmationState) - {ConfirmationState.PENDING, ConfirmationState.ASKED_AGAIN}),
        (
            "act.",
            {function.plan.ACT for function in list_functions() if function.plan and issubclass(function.plan, Plan)},
        ),
    ],
)
def test_every_word_a_card_can_show_has_a_text(prefix: str, words: Iterable[str]) -> None:
    assert [word for word in words if f"{prefix}{word}" not in STRINGS] == []


@pytest.mark.parametrize("reason", REFUSALS)
def test_every_reason_a_file_is_refused_for_has_a_text(reason: str) -> None:
    assert f"attach.{reason}" in STRINGS


@pytest.mark.parametrize(
    "code", [CloseCode.NO_SUBPROTOCOL, CloseCode.REPLACED, CloseCode.TOO_MANY_DEVICES, CloseCode.APP_TOO_OLD]
)
def test_every_close_that_only_the_customer_can_solve_has_a_text(code: CloseCode) -> None:
    assert not code.reconnects
    assert f"notice.{int(code)}" in STRINGS


@pytest.mark.parametrize("key", STRINGS)
def test_every_text_is_translated_with_the_same_places(key: str) -> None:
    with translation.override("en"):
        english = str(STRINGS[key])
    with translation.override("ru"):
        russian = str(STRINGS[key])

    assert russian != english
    assert re.search("[а-яё]", russian, re.IGNORECASE)
    assert sorted(re.findall(r"\{\w+\}", russian)) == sorted(re.findall(r"\{\w+\}", english))
