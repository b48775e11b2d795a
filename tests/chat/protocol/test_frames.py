import json
import time
from contextlib import suppress
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.protocol.bodies import ErrorBody
from chat.protocol.codes import CloseCode, ErrorCode, ProtocolError
from chat.protocol.frames import (
    MAX_FRAME_BYTES,
    digest_text,
    encode_error,
    encode_event_frame,
    encode_ok,
    encode_signal,
    encode_welcome,
    parse_json_strict,
)
from chat.protocol.replies import (
    ActiveTurn,
    Attachment,
    DeniedAttachment,
    Ping,
    Pong,
    RefreshReply,
    ResumeMode,
    SnapshotReason,
    TurnQueued,
    Welcome,
    build_bye,
)

CONVERSATION = UUID("0199c0de-0000-7000-8000-000000000001")
TURN = UUID("0199c0de-0000-7000-8000-000000000002")
ANSWER = UUID("0199c0de-0000-7000-8000-000000000003")


def refuse(text: str) -> ProtocolError:
    with pytest.raises(ProtocolError) as caught:
        parse_json_strict(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Привет", "3WecC5_UCKBBSKp9MMnfOQ"), ("", "47DEQpj8HBSa-_TImW-5JA")],
)
def test_digest_text_is_the_first_half_of_sha256(text: str, expected: str) -> None:
    assert digest_text(text) == expected


def test_parse_json_strict_returns_the_object() -> None:
    text = '{"t":"x","d":{"a":[1,-2.5,true,null,"Ж😀"],"b":9007199254740992}}'
    assert parse_json_strict(text) == json.loads(text)


@pytest.mark.parametrize(
    "text", ["", "{", "{}x", "nope", "\ufeff{}", '{"a":1,}', '{"a":"\x00"}', "'", '{"a":01}', "\ud800"]
)
def test_parse_json_strict_refuses_what_is_not_json(text: str) -> None:
    assert refuse(text).code == ErrorCode.PROTO_MALFORMED


@pytest.mark.parametrize("text", ["[]", "1", '"x"', "null", "true", "[{}]"])
def test_parse_json_strict_refuses_what_is_not_an_object(text: str) -> None:
    error = refuse(text)
    assert (error.code, error.field) == (ErrorCode.PROTO_INVALID, None)


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ("NaN", "d.a"),
        ("Infinity", "d.a"),
        ("-Infinity", "d.a"),
        ("1e400", "d.a"),
        ("-1e400", "d.a"),
        ("9007199254740993", "d.a"),
        ("-9007199254740993", "d.a"),
        ("9" * 5000, "d.a"),
        ("-" + "9" * 60_000, "d.a"),
        ('"\\ud800"', "d.a"),
        ('"x\\udfff"', "d.a"),
        ('"\\u0000"', "d.a"),
        ('{"k":1,"k":2}', "d.a"),
        ('[0,{"\\u0000":1}]', "d.a.1"),
        ('{"k":{"\\ud800":1}}', "d.a.k"),
        ('{"Ключ":[[NaN]]}', "d.a.*.0.0"),
        ("{" + ",".join(f'"k{number}":0' for number in range(65)) + "}", "d.a"),
    ],
)
def test_parse_json_strict_names_the_place_of_a_forbidden_value(value: str, field: str) -> None:
    error = refuse(f'{{"id":"9","d":{{"a":{value}}}}}')
    assert (error.code, error.field, error.command_id) == (ErrorCode.PROTO_INVALID, field, "9")


def test_parse_json_strict_with_repeated_key_at_the_top_still_finds_the_command() -> None:
    error = refuse('{"id":"9","t":"a","t":"b"}')
    assert (error.code, error.field, error.command_id) == (ErrorCode.PROTO_INVALID, None, "9")


def test_parse_json_strict_accepts_exactly_the_allowed_number_of_keys() -> None:
    assert len(parse_json_strict(json.dumps({f"k{number}": 0 for number in range(64)}))) == 64


def test_parse_json_strict_accepts_exactly_the_allowed_depth() -> None:
    parse_json_strict('{"a":' + "[" * 15 + "]" * 15 + "}")
    assert refuse('{"a":' + "[" * 16 + "]" * 16 + "}").code == ErrorCode.PROTO_INVALID


@pytest.mark.parametrize("text", ['{"a":' * 10_000, "[" * 60_000, '{"a":[' * 8_000 + "]}" * 8_000])
def test_parse_json_strict_refuses_deep_nesting_without_recursion(text: str) -> None:
    assert refuse(text).code == ErrorCode.PROTO_INVALID


def test_parse_json_strict_does_not_count_brackets_inside_strings() -> None:
    text = json.dumps({"text": '[{"' * 2000 + "\\"})
    assert parse_json_strict(text) == json.loads(text)


def test_parse_json_strict_looks_at_hostile_quotes_once() -> None:
    started = time.perf_counter()
    refuse('"' + '\\"' * 30_000 + "{" * 20)
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("letter", ["x", "Ж", "😀"])
def test_parse_json_strict_counts_bytes_of_the_frame(letter: str) -> None:
    room = MAX_FRAME_BYTES - len('{"a":""}')
    width = len(letter.encode())
    text = '{"a":"' + letter * (room // width) + "x" * (room % width) + '"}'
    assert parse_json_strict(text)
    assert refuse(text + " ").code == ErrorCode.LIMIT_SIZE


def test_parse_json_strict_with_own_limit_refuses_above_it() -> None:
    with pytest.raises(ProtocolError) as caught:
        parse_json_strict('{"a":"0123456789"}', max_bytes=10)
    assert caught.value.code == ErrorCode.LIMIT_SIZE


def test_protocol_error_does_not_carry_the_frame() -> None:
    error = refuse('{"text":"tajna"')
    assert error.__context__ is None
    assert error.__cause__ is None
    assert "tajna" not in str(error)


@given(st.text(max_size=300) | st.text('{}[]":,\\\\u0d8e1-.NI ', max_size=60))
def test_parse_json_strict_never_raises_anything_else(text: str) -> None:
    with suppress(ProtocolError):
        assert isinstance(parse_json_strict(text), dict)


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text("abc", max_size=3), children, max_size=4),
    max_leaves=10,
)


@pytest.mark.parametrize("ensure_ascii", [True, False])
@given(value=st.dictionaries(st.text("abcd", max_size=4), JSON_VALUES, max_size=5))
def test_parse_json_strict_agrees_with_json_on_what_it_accepts(value: dict[str, object], *, ensure_ascii: bool) -> None:
    assert parse_json_strict(json.dumps(value, ensure_ascii=ensure_ascii)) == value


def test_encode_event_frame_wraps_the_stored_body() -> None:
    frame = encode_event_frame(CONVERSATION, 7, covered=1, kind="text.delta", body='{"text":"Ж"}')
    assert frame == f'{{"t":"text.delta","c":"{CONVERSATION}","s":7,"d":{{"text":"Ж"}}}}'


def test_encode_event_frame_of_merged_deltas_says_how_many() -> None:
    frame = encode_event_frame(CONVERSATION, 7, covered=3, kind="text.delta", body="{}")
    assert json.loads(frame) == {"t": "text.delta", "c": str(CONVERSATION), "s": 7, "n": 3, "d": {}}


def test_encode_ok_escapes_the_command_id() -> None:
    assert json.loads(encode_ok('"\\', RefreshReply(exp=5))) == {"t": "ok", "re": '"\\', "d": {"exp": 5}}


def test_encode_error_leaves_out_what_is_absent() -> None:
    error = ErrorBody(code=ErrorCode.TURN_BUSY, message="busy", trace="77aa")
    assert encode_error(None, error) == (
        '{"t":"err","err":{"code":"turn.busy","message":"busy","retryable":true,"trace":"77aa"}}'
    )


def test_encode_error_with_everything() -> None:
    error = ErrorBody(
        code=ErrorCode.LIMIT_RATE,
        message="10 turns per minute",
        retry_after_ms=21_000,
        field="d.mid",
        details={"limit": 10},
        trace="c2d4",
    )
    assert json.loads(encode_error("31", error)) == {
        "t": "err",
        "re": "31",
        "err": {
            "code": "limit.rate",
            "message": "10 turns per minute",
            "retryable": True,
            "retry_after_ms": 21_000,
            "field": "d.mid",
            "details": {"limit": 10},
            "trace": "c2d4",
        },
    }


def test_encode_welcome_says_active_even_when_nothing_is() -> None:
    active = ActiveTurn(turn=TURN, state="running", attempt=1, msg=ANSWER)
    welcome = Welcome(
        conn="k1",
        now=1,
        ping_ms=25_000,
        pong_ms=10_000,
        token_exp_ms=2,
        win=262_144,
        caps=("edit",),
        subs=(
            Attachment(c=CONVERSATION, e="e1", top=4, mode=ResumeMode.LIVE, active=None),
            Attachment(
                c=CONVERSATION, e="e1", top=4, mode=ResumeMode.SNAPSHOT, why=SnapshotReason.AHEAD, active=active
            ),
            DeniedAttachment(c=CONVERSATION),
        ),
    )
    assert json.loads(encode_welcome("1", welcome)) == {
        "t": "welcome",
        "re": "1",
        "d": {
            "conn": "k1",
            "now": 1,
            "ping_ms": 25_000,
            "pong_ms": 10_000,
            "token_exp_ms": 2,
            "win": 262_144,
            "caps": ["edit"],
            "subs": [
                {"c": str(CONVERSATION), "e": "e1", "top": 4, "mode": "live", "active": None, "confirms": []},
                {
                    "c": str(CONVERSATION),
                    "e": "e1",
                    "top": 4,
                    "mode": "snapshot",
                    "why": "ahead",
                    "active": {"turn": str(TURN), "state": "running", "attempt": 1, "msg": str(ANSWER)},
                    "confirms": [],
                },
                {"c": str(CONVERSATION), "mode": "denied"},
            ],
        },
    }


def test_encode_signal_with_and_without_subject() -> None:
    assert encode_signal(Ping(n=8)) == '{"t":"ping","d":{"n":8}}'
    assert encode_signal(Pong(), command_id="4") == '{"t":"pong","re":"4","d":{}}'
    queued = encode_signal(TurnQueued(turn=TURN, position=2), conversation_id=CONVERSATION)
    assert json.loads(queued) == {
        "t": "turn.queued",
        "c": str(CONVERSATION),
        "d": {"turn": str(TURN), "position": 2},
    }


def test_build_bye_takes_reason_and_reconnect_from_the_code() -> None:
    assert build_bye(CloseCode.SLOW_CONSUMER, after_ms=500).to_json() == (
        '{"code":4413,"reconnect":true,"after_ms":500,"reason":"slow consumer"}'
    )
    assert build_bye(CloseCode.SESSION_REVOKED, reason="logout").to_json() == (
        '{"code":4510,"reconnect":false,"after_ms":0,"reason":"logout"}'
    )
