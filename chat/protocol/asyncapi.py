"""The AsyncAPI 3 document of `asst.v1`, built from the same models that read and write the frames; pure.

`manage.py export_asyncapi` writes it to docs/asyncapi.yaml. Objects are left open, as the protocol promises that new
optional fields may come.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from chat.protocol import replies
from chat.protocol.bodies import ErrorBody
from chat.protocol.codes import CloseCode, ErrorCode
from chat.protocol.commands import BODIES, CONVERSATION_COMMANDS, Ack
from chat.protocol.events import Event
from chat.protocol.states import STATE_TYPE, ConversationState

Schema = dict[str, Any]

SUBPROTOCOL = "asst.v1.json"
SCHEMA_PREFIX = "#/components/schemas/"
# Commands and what we send share names such as Ping; the phone's get a prefix.
PHONE_TEMPLATE = SCHEMA_PREFIX + "Phone{model}"
SERVER_TEMPLATE = SCHEMA_PREFIX + "{model}"

UUID_SCHEMA: Schema = {"type": "string", "format": "uuid"}
ID_SCHEMA: Schema = {"type": "string", "pattern": "^[\\x21-\\x7e]{1,64}$"}
SEQ_SCHEMA: Schema = {"type": "integer", "minimum": 1}

EVENT_BODIES: tuple[type[BaseModel], ...] = Event.__args__
SIGNAL_BODIES: tuple[type[BaseModel], ...] = replies.Signal.__args__
OK_BODIES: tuple[type[BaseModel], ...] = (
    replies.TurnSubmitted,
    replies.CancelReply,
    replies.DecisionReply,
    replies.RefreshReply,
    replies.Attachment,
    replies.DeniedAttachment,
    replies.Empty,
)


def build_document() -> Schema:
    """Return the whole document."""
    commands = {f"phone.{kind}": build_command_frame(kind.value, body) for kind, body in BODIES.items()}
    sent = dict(build_server_frames())
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Bank assistant, asst.v1",
            "version": "1.0.0",
            "description": "Commands of phones and what the server sends. docs/protocol.md explains the rules.",
        },
        "defaultContentType": "application/json",
        "servers": {"bank": {"host": "localhost:8000", "protocol": "ws", "description": "wss in production"}},
        "channels": {"socket": build_channel([*commands, *sent])},
        "operations": {
            "takeCommand": build_operation("receive", commands, "One command of a phone."),
            "tellPhone": build_operation("send", sent, "Events of the log, replies and signals."),
        },
        "components": {
            "messages": {name: build_message(name, frame) for name, frame in (commands | sent).items()},
            "schemas": build_schemas(),
        },
        "x-error-codes": [{"code": code.value, "retryable": code.is_retryable} for code in ErrorCode],
        "x-close-codes": [
            {"code": int(code), "reason": code.reason, "reconnect": code.reconnects} for code in CloseCode
        ],
    }


def build_channel(names: Iterable[str]) -> Schema:
    return {
        "address": "/ws/v1",
        "description": f"Text frames, one JSON object each; subprotocol {SUBPROTOCOL}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
    }


def build_operation(action: str, names: Iterable[str], summary: str) -> Schema:
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": "#/channels/socket"},
        "messages": [{"$ref": f"#/channels/socket/messages/{name}"} for name in names],
    }


def build_message(name: str, frame: Schema) -> Schema:
    return {"name": name.removeprefix("phone."), "payload": frame}


def build_frame(kind: str, properties: Mapping[str, Schema], required: Iterable[str]) -> Schema:
    return {
        "type": "object",
        "properties": {"t": {"const": kind}, **properties},
        "required": ["t", *required],
    }


def refer(body: type[BaseModel], template: str = SERVER_TEMPLATE) -> Schema:
    return {"$ref": template.format(model=body.__name__)}


def build_command_frame(kind: str, body: type[BaseModel]) -> Schema:
    properties = {"id": ID_SCHEMA, "d": refer(body, PHONE_TEMPLATE)}
    required = []
    if kind in CONVERSATION_COMMANDS:
        properties["c"] = UUID_SCHEMA
        required.append("c")
    if body is Ack or any(field.is_required() for field in body.model_fields.values()):
        required.append("d")
    return build_frame(kind, properties, required)


def build_server_frames() -> Iterable[tuple[str, Schema]]:
    """Yield the name and the schema of every frame that we send."""
    log = {"c": UUID_SCHEMA, "s": SEQ_SCHEMA}
    for body in EVENT_BODIES:
        kind = vars(body)["TYPE"].value
        covered = {"n": {"type": "integer", "minimum": 2}} if kind == "text.delta" else {}
        yield kind, build_frame(kind, {**log, **covered, "d": refer(body)}, ["c", "s", "d"])
    state = {"c": UUID_SCHEMA, "s": {"type": "integer", "minimum": 0}, "snap": {"const": True}}
    yield STATE_TYPE, build_frame(STATE_TYPE, {**state, "d": refer(ConversationState)}, ["c", "d"])
    replied = {"re": ID_SCHEMA}
    yield "welcome", build_frame("welcome", {**replied, "d": refer(replies.Welcome)}, ["d"])
    yield "ok", build_frame("ok", {**replied, "d": {"anyOf": [refer(body) for body in OK_BODIES]}}, ["re", "d"])
    yield "err", build_frame("err", {**replied, "err": refer(ErrorBody)}, ["err"])
    for body in SIGNAL_BODIES:
        yield vars(body)["TYPE"], build_signal_frame(body)


def build_signal_frame(body: type[BaseModel]) -> Schema:
    kind = vars(body)["TYPE"]
    if body is replies.TurnQueued:
        return build_frame(kind, {"c": UUID_SCHEMA, "d": refer(body)}, ["c", "d"])
    answered = {"re": ID_SCHEMA} if body is replies.Pong else {}
    return build_frame(kind, {**answered, "d": refer(body)}, ["d"])


def build_schemas() -> Schema:
    """Return the schemas of every body by name, those of commands with the prefix `Phone`."""
    _, phone = models_json_schema([(body, "validation") for body in BODIES.values()], ref_template=PHONE_TEMPLATE)
    sent: tuple[type[BaseModel], ...] = (
        *EVENT_BODIES,
        ConversationState,
        replies.Welcome,
        ErrorBody,
        *OK_BODIES,
        *SIGNAL_BODIES,
    )
    _, server = models_json_schema([(body, "serialization") for body in sent], ref_template=SERVER_TEMPLATE)
    schemas = {f"Phone{name}": schema for name, schema in phone["$defs"].items()}
    schemas |= server["$defs"]
    return {name: open_up(schema) for name, schema in sorted(schemas.items())}


def open_up(schema: Any) -> Any:
    """Return the schema without what is true of our models but not of the wire.

    Absent optionals are left out there, never null; unknown fields are allowed; Python's titles say nothing.
    """
    if isinstance(schema, list):
        return [open_up(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    opened = {key: open_up(value) for key, value in schema.items() if key != "additionalProperties" or value}
    if isinstance(opened.get("title"), str):
        del opened["title"]
    if "required" in opened:
        fields = schema["properties"]
        opened["required"] = [name for name in opened["required"] if not is_left_out_when_none(fields[name])]
    return drop_null(opened) if is_left_out_when_none(schema) else opened


def is_left_out_when_none(field: Schema) -> bool:
    return "default" in field and field["default"] is None


def drop_null(field: Schema) -> Schema:
    """Return the schema of an optional field without null."""
    options = [option for option in field["anyOf"] if option != {"type": "null"}]
    rest = {key: value for key, value in field.items() if key not in {"anyOf", "default"}}
    return rest | (options[0] if len(options) == 1 else {"anyOf": options})
