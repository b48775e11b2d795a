import json
from typing import Any
from uuid import UUID

import pytest

from chat.enums import BusyPolicy
from chat.protocol.codes import ErrorCode, ProtocolError
from chat.protocol.commands import (
    Ack,
    AppState,
    Attach,
    AuthRefresh,
    Bye,
    Command,
    CommandType,
    ConfirmDecide,
    Detach,
    Device,
    Hello,
    Ping,
    Pong,
    Subscription,
    TurnCancel,
    TurnSubmit,
    parse_command,
)

C = "0199c0de-0000-7000-8000-00000000000a"
M = "0199c0de-0000-7000-8000-00000000000b"


def parse(**frame: Any) -> Command:
    return parse_command(json.dumps(frame, ensure_ascii=False))


def refuse(**frame: Any) -> tuple[str, str | None, str | None]:
    with pytest.raises(ProtocolError) as caught:
        parse(**frame)
    return str(caught.value.code), caught.value.field, caught.value.command_id


def refuse_submit(**changes: Any) -> tuple[str, str | None]:
    body = {"mid": M, "text": "Привет"} | changes
    code, field, command_id = refuse(t="turn.submit", id="2", c=C, d=body)
    assert command_id == "2"
    return code, field


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ({"t": "detach", "id": "1", "c": C}, Command(CommandType.DETACH, "1", UUID(C), Detach())),
        ({"t": "attach", "id": "1", "c": C, "d": {}}, Command(CommandType.ATTACH, "1", UUID(C), Attach())),
        (
            {"t": "attach", "c": C, "d": {"e": "e1", "s": 4}},
            Command(CommandType.ATTACH, None, UUID(C), Attach(e="e1", s=4)),
        ),
        (
            {"t": "turn.cancel", "id": "9", "c": C, "d": {"turn": M}},
            Command(CommandType.TURN_CANCEL, "9", UUID(C), TurnCancel(turn=UUID(M))),
        ),
        (
            {
                "t": "confirm.decide",
                "id": "9",
                "c": C,
                "d": {"confirm": M, "decision": "reject", "hash": "h-_", "nonce": "n", "at": 5},
            },
            Command(
                CommandType.CONFIRM_DECIDE,
                "9",
                UUID(C),
                ConfirmDecide(confirm=UUID(M), decision="reject", hash="h-_", nonce="n", at=5),
            ),
        ),
        (
            {"t": "auth.refresh", "id": "9", "d": {"token": "eyJ.a.b"}},
            Command(CommandType.AUTH_REFRESH, "9", None, AuthRefresh(token="eyJ.a.b")),
        ),
        ({"t": "app.state", "d": {"state": "bg"}}, Command(CommandType.APP_STATE, None, None, AppState(state="bg"))),
        ({"t": "ack", "d": {C: 12}}, Command(CommandType.ACK, None, None, Ack({UUID(C): 12}))),
        ({"t": "ping"}, Command(CommandType.PING, None, None, Ping())),
        ({"t": "ping", "id": "p", "d": {"n": 3}}, Command(CommandType.PING, "p", None, Ping(n=3))),
        ({"t": "pong", "d": {"n": 3}}, Command(CommandType.PONG, None, None, Pong(n=3))),
        ({"t": "bye", "d": {"reason": "sleep"}}, Command(CommandType.BYE, None, None, Bye(reason="sleep"))),
    ],
)
def test_parse_command_of_each_type_returns_it_typed(frame: dict[str, Any], expected: Command) -> None:
    assert parse(**frame) == expected


def test_parse_command_hello_with_everything() -> None:
    device = {"id": "d_A", "os": "ios", "app": "7.4.0", "key": "k"}
    body = {
        "v": 1,
        "token": "eyJ",
        "dev": device,
        "caps": ["ack"],
        "lang": "ru-RU",
        "subs": [{"c": C, "e": "e1", "s": 120}, {"c": M}],
    }
    assert parse(t="hello", id="1", d=body).body == Hello(
        v=1,
        token="eyJ",
        dev=Device(id="d_A", os="ios", app="7.4.0", key="k"),
        caps=("ack",),
        lang="ru-RU",
        subs=(Subscription(c=UUID(C), e="e1", s=120), Subscription(c=UUID(M))),
    )


def test_parse_command_submit_fills_in_what_the_phone_left_out() -> None:
    body = parse(t="turn.submit", id="2", c=C, d={"mid": M, "text": "Привет"}).body
    assert isinstance(body, TurnSubmit)
    assert (body.mid, body.text, body.new, body.busy, body.age_ms, body.max_age_ms, body.parent, body.files) == (
        UUID(M),
        "Привет",
        False,
        BusyPolicy.REJECT,
        0,
        None,
        None,
        (),
    )


def test_parse_command_submit_with_everything() -> None:
    sent = {
        "mid": M.upper(),
        "text": " a ",
        "new": True,
        "busy": "interrupt",
        "age_ms": 5,
        "max_age_ms": 6,
        "parent": C,
    }
    body = parse(t="turn.submit", id="2", c=C.upper(), d=sent | {"files": [M]}).body
    assert isinstance(body, TurnSubmit)
    assert (body.mid, body.text, body.new, body.busy, body.max_age_ms, body.parent) == (
        UUID(M),
        " a ",
        True,
        BusyPolicy.INTERRUPT,
        6,
        UUID(C),
    )


def test_parse_command_ignores_unknown_fields() -> None:
    command = parse(t="ping", id="1", later={"x": 1}, d={"n": 1, "more": []})
    assert command == Command(CommandType.PING, "1", None, Ping(n=1))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"decision": "yes"}, "d.decision"),
        ({"hash": ""}, "d.hash"),
        ({"nonce": "a b"}, "d.nonce"),
        ({"sig": "+/="}, "d.sig"),
        ({"kid": ""}, "d.kid"),
        ({"at": "now"}, "d.at"),
        ({"payee": "я" * 201}, "d.payee"),
        ({"confirm": "cf_51"}, "d.confirm"),
    ],
)
def test_parse_command_decide_refuses_what_is_no_decision(changes: dict[str, Any], field: str) -> None:
    body = {"confirm": M, "decision": "approve", "hash": "h", "nonce": "n", "kid": "k", "sig": "s", "at": 5}

    assert refuse(t="confirm.decide", id="2", c=C, d=body | changes) == ("proto.invalid", field, "2")


@pytest.mark.parametrize("kind", ["turn.regenerate", "msg.edit", "confirm.answer", "HELLO", "", "ok"])
def test_parse_command_of_unknown_type_answers_the_command(kind: str) -> None:
    assert refuse(t=kind, id="5", c=C, d={}) == ("proto.unknown_type", None, "5")


@pytest.mark.parametrize("kind", [None, 1, True, [], {}])
def test_parse_command_with_a_type_that_is_no_text_is_refused(kind: Any) -> None:
    assert refuse(t=kind, id="5") == ("proto.invalid", "t", "5")


def test_parse_command_without_type_is_refused() -> None:
    assert refuse(id="5") == ("proto.invalid", "t", "5")


@pytest.mark.parametrize("command_id", [1, True, "", "я", "a b", "a\n", "x" * 65, [], {}])
def test_parse_command_with_a_bad_id_is_refused(command_id: Any) -> None:
    assert refuse(t="ping", id=command_id) == ("proto.invalid", "id", None)


@pytest.mark.parametrize("kind", ["attach", "detach", "turn.submit", "turn.cancel"])
@pytest.mark.parametrize("c", [None, 1, "", "c_7", C.replace("-", ""), "{" + C + "}", "urn:uuid:" + C, C + "\n"])
def test_parse_command_about_no_conversation_is_refused(kind: str, c: Any) -> None:
    assert refuse(t=kind, id="5", c=c, d={"mid": M, "text": "a", "turn": M}) == ("proto.invalid", "c", "5")


@pytest.mark.parametrize("body", [None, [], 1, "x", True])
def test_parse_command_with_a_body_that_is_no_object_is_refused(body: Any) -> None:
    assert refuse(t="ping", id="5", d=body) == ("proto.invalid", "d", "5")


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"mid": 1}, "proto.invalid", "d.mid"),
        ({"mid": "0b6e1c"}, "proto.invalid", "d.mid"),
        ({"text": None}, "proto.invalid", "d.text"),
        ({"text": 5}, "proto.invalid", "d.text"),
        ({"text": ""}, "proto.invalid", "d.text"),
        ({"text": " \n\u00a0"}, "proto.invalid", "d.text"),
        ({"text": "x" * 16_001}, "limit.size", "d.text"),
        ({"text": "\u0001" * 10_690}, "limit.size", "d.text"),
        ({"files": [C, M]}, "limit.files", "d.files"),
        ({"files": [1]}, "proto.invalid", "d.files.0"),
        ({"files": {}}, "proto.invalid", "d.files"),
        ({"new": 1}, "proto.invalid", "d.new"),
        ({"new": "true"}, "proto.invalid", "d.new"),
        ({"busy": "wait"}, "proto.invalid", "d.busy"),
        ({"busy": 1}, "proto.invalid", "d.busy"),
        ({"age_ms": -1}, "proto.invalid", "d.age_ms"),
        ({"age_ms": True}, "proto.invalid", "d.age_ms"),
        ({"age_ms": 3.0}, "proto.invalid", "d.age_ms"),
        ({"age_ms": "3"}, "proto.invalid", "d.age_ms"),
        ({"parent": "m_1"}, "proto.invalid", "d.parent"),
    ],
)
def test_parse_command_submit_with_a_bad_field_names_it(changes: dict[str, Any], code: str, field: str) -> None:
    assert refuse_submit(**changes) == (code, field)


@pytest.mark.parametrize("text", ["x" * 16_000, "Ж" * 16_000, "😀" * 16_000])
def test_parse_command_submit_counts_characters_not_bytes(text: str) -> None:
    body = parse(t="turn.submit", c=C, d={"mid": M, "text": text}).body
    assert isinstance(body, TurnSubmit)
    assert body.text == text


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"dev": {"id": "a"}}, "proto.invalid", "d.v"),
        ({"v": True, "dev": {"id": "a"}}, "proto.invalid", "d.v"),
        ({"v": 1.0, "dev": {"id": "a"}}, "proto.invalid", "d.v"),
        ({"v": 2, "dev": {"id": "a"}}, "proto.invalid", "d.v"),
        ({"v": 1}, "proto.invalid", "d.dev"),
        ({"v": 1, "dev": {}}, "proto.invalid", "d.dev.id"),
        ({"v": 1, "dev": {"id": "x" * 65}}, "proto.invalid", "d.dev.id"),
        ({"v": 1, "dev": {"id": "a"}, "token": ""}, "proto.invalid", "d.token"),
        ({"v": 1, "dev": {"id": "a"}, "token": "x" * 4097}, "proto.invalid", "d.token"),
        ({"v": 1, "dev": {"id": "a"}, "lang": "<script>"}, "proto.invalid", "d.lang"),
        ({"v": 1, "dev": {"id": "a"}, "caps": ["x"] * 33}, "proto.invalid", "d.caps"),
        ({"v": 1, "dev": {"id": "a"}, "subs": [{"c": C, "s": -1}]}, "proto.invalid", "d.subs.0.s"),
        ({"v": 1, "dev": {"id": "a"}, "subs": [{"c": C}, {}]}, "proto.invalid", "d.subs.1.c"),
        ({"v": 1, "dev": {"id": "a"}, "subs": {}}, "proto.invalid", "d.subs"),
        ({"v": 1, "dev": {"id": "a"}, "subs": [{"c": C}] * 21}, "limit.attach", "d.subs"),
    ],
)
def test_parse_command_hello_with_a_bad_field_names_it(body: dict[str, Any], code: str, field: str) -> None:
    assert refuse(t="hello", id="1", d=body) == (code, field, "1")


def test_parse_command_hello_accepts_exactly_the_allowed_conversations() -> None:
    body = parse(t="hello", d={"v": 1, "dev": {"id": "a"}, "subs": [{"c": C}] * 20}).body
    assert isinstance(body, Hello)
    assert len(body.subs) == 20


@pytest.mark.parametrize(
    ("body", "field"),
    [({C: True}, f"d.{C}"), ({C: -1}, f"d.{C}"), ({C: 1.5}, f"d.{C}"), ({"тайна": 1}, "d.*.*"), ([], "d")],
)
def test_parse_command_ack_with_a_bad_position_is_refused(body: Any, field: str) -> None:
    assert refuse(t="ack", d=body) == ("proto.invalid", field, None)


def test_protocol_error_of_a_bad_body_does_not_carry_the_value() -> None:
    with pytest.raises(ProtocolError) as caught:
        parse(t="auth.refresh", id="1", d={"token": "тайна"})
    assert "тайна" not in str(caught.value)
    assert caught.value.__context__ is None


def test_protocol_error_speaks_of_json_not_of_python() -> None:
    with pytest.raises(ProtocolError) as caught:
        parse(t="hello", id="1", d={"v": 1, "dev": {"id": "a"}, "subs": 1})
    assert caught.value.message == "expected an array"
    assert caught.value.code == ErrorCode.PROTO_INVALID
