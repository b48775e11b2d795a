import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.gigachat.answers import AnswerReader, read_completion
from chat.gigachat.errors import (
    AnswerBroken,
    AnswerMalformed,
    CallLeaked,
    CallMalformed,
    EventTooLarge,
    FinishReasonUnknown,
    StreamBroken,
    StreamFailed,
)
from chat.gigachat.types import Finished, FinishReason, FunctionCall, StreamPart, TextDelta
from tests.chat.gigachat.recordings import ANSWER, NAMES, join_text, read_all, read_recording

ROOT = Path(__file__).parents[3]
REFUSAL = "Не люблю менять тему разговора, но вот сейчас тот самый случай."
RATE_CALL = FunctionCall(
    name="get_rate", arguments={"currency": "USD"}, state_id="0e7c64b1-6f9e-4a53-9a3f-0b7d3f5b0f01"
)


def read_outcome(*packets: bytes) -> tuple[str, Finished | None, type[AnswerBroken] | None]:
    """Return the text, the end and the fault of a stream: what may not depend on packet borders.

    On the way prove the order of parts: texts, then a call exactly when it is the reason of the end, then the end.
    """
    reader = AnswerReader()
    parts: list[StreamPart] = []
    fault = None
    try:
        for packet in packets:
            parts.extend(reader.feed(packet))
        while found := reader.finish():
            parts.extend(found)
    except AnswerBroken as error:
        fault = type(error)
    ends = [part for part in parts if isinstance(part, Finished)]
    assert len(ends) <= 1
    assert not ends or parts[-1] is ends[0]
    has_call = bool(ends) and ends[0].reason is FinishReason.FUNCTION_CALL
    assert [part for part in parts if isinstance(part, FunctionCall)] == ([RATE_CALL] if has_call else [])
    assert not has_call or isinstance(parts[-2], FunctionCall)
    return join_text(parts), (ends[0] if ends else None), fault


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("text", ANSWER, FinishReason.STOP),
        ("without_done", ANSWER, FinishReason.STOP),
        ("comments_crlf", ANSWER, FinishReason.STOP),
        ("several_data_lines", ANSWER, FinishReason.STOP),
        ("short", "Да.", FinishReason.STOP),
        ("done_alone", "Готово", FinishReason.STOP),
        ("without_usage", "Ответ без счётчиков.", FinishReason.STOP),
        ("progress_and_reasoning", "Готово.", FinishReason.STOP),
        ("length", "Ответ обрезан на полусл", FinishReason.LENGTH),
        ("blacklist", REFUSAL, FinishReason.BLACKLIST),
        ("blacklist_late", f"Как обойти {REFUSAL}", FinishReason.BLACKLIST),
        ("blacklist_at_end", "Как обойти ", FinishReason.BLACKLIST),
        ("error_reason", "Начало", FinishReason.ERROR),
        ("function_call", "", FinishReason.FUNCTION_CALL),
        ("function_call_one_chunk", "Сейчас посмотрю.", FinishReason.FUNCTION_CALL),
        ("function_call_string_arguments", "", FinishReason.FUNCTION_CALL),
        ("function_call_stop", "", FinishReason.FUNCTION_CALL),
        ("function_call_error", "", FinishReason.ERROR),
    ],
)
def test_read_recording_returns_its_text_and_reason(name: str, text: str, reason: FinishReason) -> None:
    found_text, finished, fault = read_outcome(read_recording(name))
    assert finished is not None
    assert (found_text, finished.reason, fault) == (text, reason, None)


def test_read_recording_returns_usage_and_versioned_model() -> None:
    finished = read_all(read_recording("text"))[-1]
    assert isinstance(finished, Finished)
    assert finished.model == "GigaChat-2:2.0.30.01"
    assert finished.usage is not None
    assert (finished.usage.total_tokens, finished.usage.precached_prompt_tokens) == (55, 2)


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("without_finish", ANSWER, StreamBroken),
        ("reported_error", "Первая часть", StreamFailed),
        ("leaked_call", "Сейчас. ", CallLeaked),
        ("leaked_call_cut", "Сейчас. assistant function call", CallLeaked),
        ("function_call_malformed", "", CallMalformed),
        ("function_call_missing", "", CallMalformed),
        ("function_call_twice", "", CallMalformed),
        ("function_call_broken", "", StreamBroken),
    ],
)
def test_read_broken_recording_returns_its_text_and_then_fails(name: str, text: str, fault: type[AnswerBroken]) -> None:
    assert read_outcome(read_recording(name)) == (text, None, fault)


@pytest.mark.parametrize("name", NAMES)
def test_read_recording_cut_at_every_byte_gives_the_same_outcome(name: str) -> None:
    stream = read_recording(name)
    whole = read_outcome(stream)
    assert read_outcome(*(bytes([byte]) for byte in stream)) == whole
    for cut in range(len(stream) + 1):
        assert read_outcome(stream[:cut], stream[cut:]) == whole


@given(st.sampled_from(NAMES), st.integers(min_value=0, max_value=1000), st.integers(min_value=0, max_value=1000))
def test_read_recording_cut_at_any_two_bytes_gives_the_same_outcome(name: str, one: int, two: int) -> None:
    stream = read_recording(name)
    first, second = sorted((one, two))
    assert read_outcome(stream[:first], stream[first:second], stream[second:]) == read_outcome(stream)


@pytest.mark.parametrize("name", NAMES)
def test_read_recording_that_ends_anywhere_gives_a_beginning_of_its_text(name: str) -> None:
    stream = read_recording(name)
    whole_text, whole_end, whole_fault = read_outcome(stream)
    for end in range(len(stream)):
        text, finished, fault = read_outcome(stream[:end])
        assert whole_text.startswith(text)
        assert finished == whole_end if finished else fault in {StreamBroken, whole_fault}


def test_feed_after_finished_ignores_everything() -> None:
    reader = AnswerReader()
    assert isinstance(reader.feed(read_recording("text"))[-1], Finished)
    assert reader.is_finished
    assert reader.feed(b"data: nonsense\n\n") == ()
    assert reader.finish() == ()


def test_feed_text_and_end_in_one_packet_returns_one_finished_last() -> None:
    twice = read_recording("without_done") * 2
    parts = AnswerReader().feed(twice)
    assert [type(part) for part in parts] == [TextDelta, TextDelta, TextDelta, Finished]


def test_feed_fault_behind_text_returns_the_text_and_then_always_fails() -> None:
    reader = AnswerReader()
    start = read_recording("without_finish")
    assert join_text(reader.feed(start + b"data: nonsense\n\n")) == ANSWER
    with pytest.raises(AnswerMalformed):
        reader.feed(start)
    with pytest.raises(AnswerMalformed):
        reader.finish()


def test_feed_fault_alone_fails_at_once() -> None:
    with pytest.raises(AnswerMalformed):
        AnswerReader().feed(b"data: nonsense\n\n")


def test_feed_oversized_event_fails() -> None:
    with pytest.raises(EventTooLarge):
        AnswerReader().feed(b"data: " + b"x" * 1_100_000)


def test_finish_with_fault_behind_text_returns_the_text_and_then_fails() -> None:
    reader = AnswerReader()
    reader.feed(b'data: {"choices":[{"delta":{"content":"1"}}]}')
    assert reader.finish() == (TextDelta("1"),)
    with pytest.raises(StreamBroken):
        reader.finish()


@pytest.mark.parametrize("name", ["blacklist", "blacklist_late", "blacklist_at_end"])
def test_read_blacklisted_recording_tells_the_canned_refusal(name: str) -> None:
    finished = read_all(read_recording(name))[-1]
    assert isinstance(finished, Finished)
    assert finished.replacement == REFUSAL


def test_read_blacklisted_answer_without_any_text_has_no_replacement() -> None:
    event = b'data: {"choices":[{"delta":{"content":""},"finish_reason":"blacklist"}]}\n\n'
    assert read_all(event) == [Finished(reason=FinishReason.BLACKLIST, usage=None, model="")]


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"blacklist", "blacklist_late", "blacklist_at_end"}))
def test_read_other_recording_has_no_replacement(name: str) -> None:
    _, finished, _ = read_outcome(read_recording(name))
    assert finished is None or finished.replacement is None


def build_whole(message: dict[str, Any], reason: str | None = "stop") -> bytes:
    choice = {"message": message, "index": 0} | ({} if reason is None else {"finish_reason": reason})
    return orjson.dumps({"choices": [choice], "model": "GigaChat-2:2.0", "object": "chat.completions"})


def test_read_completion_returns_text_reason_and_model() -> None:
    found = read_completion(build_whole({"content": "Да.", "role": "assistant"}), request_id="upstream-1")
    assert (found.text, found.reason, found.model, found.request_id) == (
        "Да.",
        FinishReason.STOP,
        "GigaChat-2:2.0",
        "upstream-1",
    )
    assert (found.function_call, found.usage) == (None, None)
    assert "Да." not in repr(found)


def test_read_completion_with_call_returns_it() -> None:
    call = {"name": "get_rate", "arguments": {"currency": "USD"}}
    message = {"content": "", "role": "assistant", "function_call": call, "functions_state_id": RATE_CALL.state_id}
    found = read_completion(build_whole(message, "function_call"), request_id="")
    assert (found.text, found.function_call, found.reason) == ("", RATE_CALL, FinishReason.FUNCTION_CALL)


def test_read_completion_that_was_blacklisted_returns_the_refusal() -> None:
    found = read_completion(build_whole({"content": REFUSAL}, "blacklist"), request_id="")
    assert (found.text, found.reason) == (REFUSAL, FinishReason.BLACKLIST)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"", AnswerMalformed),
        (b"<html>", AnswerMalformed),
        (b"[]", AnswerMalformed),
        (build_whole({"content": "Да."}, None), AnswerMalformed),
        (build_whole({"content": 5}), AnswerMalformed),
        (build_whole({"content": "Да."}, "surprise"), FinishReasonUnknown),
        (build_whole({"content": "assistant function callrecipient{"}), CallLeaked),
        (build_whole({"content": ""}, "function_call"), CallMalformed),
        (build_whole({"content": "", "function_call": 5}, "function_call"), CallMalformed),
        (b'{"status":500,"message":"Internal Server Error"}', StreamFailed),
    ],
)
def test_read_completion_of_unusable_answer_fails(body: bytes, fault: type[AnswerBroken]) -> None:
    with pytest.raises(fault):
        read_completion(body, request_id="")


def test_feed_costs_at_most_twice_the_cpu_of_plain_json_loads() -> None:
    command = [sys.executable, "-m", "tests.chat.gigachat.decoder_cost"]
    # Coverage follows into child processes by variables of its own, and would slow one side only.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    found = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True, timeout=60)
    assert 0.0 < float(found.stdout) <= 2.0
