"""Payload bytes equal the recordings of the public host of January 2026, key by key."""

from chat.gigachat.sandbox.answer import Answer
from chat.gigachat.sandbox.counting import UsageOut
from chat.gigachat.sandbox.envelope import CallOut, Envelope
from chat.gigachat.sandbox.faults import Faults
from chat.gigachat.sandbox.script import Pacing, build_payloads, build_script

RECORDED_WHOLE = (
    b'{"choices":[{"message":{"content":"Hello.","role":"assistant"},"index":0,"finish_reason":"stop"}],'
    b'"created":1768996171,"model":"GigaChat:2.0.28.2","object":"chat.completion","usage":{"prompt_tokens":17,'
    b'"completion_tokens":3,"total_tokens":20,"precached_prompt_tokens":2}}'
)
RECORDED_STREAM = r"""data: {"choices":[{"delta":{"content":"$1\\, 2\\, 3$  \n\n**Подробный разбор:","role":"assistant"},"index":0}],"created":1768996176,"model":"GigaChat:2.0.28.2","object":"chat.completion"}

data: {"choices":[{"delta":{"content":"**\n- Начинаем счёт с единицы."},"index":0}],"created":1768996176,"model":"GigaChat:2.0.28.2","object":"chat.completion"}

data: {"choices":[{"delta":{"content":""},"index":0,"finish_reason":"stop"}],"created":1768996176,"model":"GigaChat:2.0.28.2","object":"chat.completion","usage":{"prompt_tokens":17,"completion_tokens":42,"total_tokens":59,"precached_prompt_tokens":2}}

data: [DONE]

""".encode()  # noqa: E501 - lines of a recording are not broken
PACING = Pacing(chunk_delay_seconds=0.0)


def test_whole_answer_equals_recording() -> None:
    envelope = Envelope(created=1768996171, model="GigaChat:2.0.28.2")
    usage = UsageOut(prompt_tokens=17, completion_tokens=3, precached_prompt_tokens=2)

    body = envelope.encode_whole({"content": "Hello.", "role": "assistant"}, "stop", usage)

    assert body == RECORDED_WHOLE
    assert len(body) == 271


def test_stream_equals_recording() -> None:
    envelope = Envelope(created=1768996176, model="GigaChat:2.0.28.2")
    answer = Answer(("$1\\, 2\\, 3$  \n\n**Подробный разбор:", "**\n- Начинаем счёт с единицы."))
    usage = UsageOut(prompt_tokens=17, completion_tokens=42, precached_prompt_tokens=2)

    script = build_script(build_payloads(answer, envelope, usage, PACING), PACING, Faults())

    assert b"".join(packet.data for packet in script.packets) == RECORDED_STREAM


def test_call_is_one_delta_with_whole_arguments_and_finish() -> None:
    envelope = Envelope(created=1, model="m:1")
    answer = Answer((), "function_call", CallOut("f", {"k": {"n": 1}}, "state-1"))

    call, finish = build_payloads(answer, envelope, None, PACING)

    assert call == (
        b'{"choices":[{"delta":{"content":"","role":"assistant","function_call":{"name":"f","arguments":{"k":{"n":1}}},'
        b'"functions_state_id":"state-1"},"index":0}],"created":1,"model":"m:1","object":"chat.completion"}'
    )
    assert finish == (
        b'{"choices":[{"delta":{"content":""},"index":0,"finish_reason":"function_call"}],'
        b'"created":1,"model":"m:1","object":"chat.completion"}'
    )


def test_plural_object_is_an_option() -> None:
    assert b'"object":"chat.completions"' in Envelope(created=1, model="m", is_plural=True).encode_content("x")
