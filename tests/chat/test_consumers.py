"""The socket's edge in process: handshake, order, refusals; the wire itself is the black-box suite's."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import orjson
import pytest
from channels.testing import ApplicationCommunicator
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Customer
from accounts.tokens import issue_access_token
from assistant_project.asgi import application
from audit.enums import AuditAction
from audit.models import AuditEntry
from chat.database import run_in_database
from chat.engine.supervisor import Engine
from chat.node import Node, get_node, start_node, stop_node
from tests.factories.accounts import make_customer, make_session
from tests.factories.chat import ask
from tests.factories.files import store
from tests.fakes.upstream import ScriptedCalls, ScriptedUpstream

pytestmark = pytest.mark.django_db(transaction=True)


class Phone:
    """A phone at the ASGI seam."""

    def __init__(self, token: str = "", *, headers: list[tuple[bytes, bytes]] | None = None, **scope: Any) -> None:
        given = headers if headers is not None else [(b"authorization", f"Bearer {token}".encode())]
        self.wire = ApplicationCommunicator(  # type: ignore[no-untyped-call]  # the stubs leave it out
            application,
            {
                "type": "websocket",
                "path": "/ws/v1",
                "query_string": b"",
                "headers": [(b"host", b"localhost"), *given],
                "subprotocols": ["asst.v1.json"],
                "client": ("127.0.0.1", 1),
                **scope,
            },
        )

    async def open(self) -> dict[str, Any]:
        await self.wire.send_input({"type": "websocket.connect"})
        return await self.receive()

    async def receive(self) -> dict[str, Any]:
        message: dict[str, Any] = await self.wire.receive_output(5)
        return message

    async def send(self, frame: dict[str, Any]) -> None:
        await self.send_text(orjson.dumps(frame).decode())

    async def send_text(self, text: str) -> None:
        await self.wire.send_input({"type": "websocket.receive", "text": text})

    async def read(self, kind: str = "") -> dict[str, Any]:
        """Return the next frame, or the next of a kind."""
        while True:
            message = await self.receive()
            assert message["type"] == "websocket.send", message
            frame: dict[str, Any] = orjson.loads(message["text"])
            if not kind or frame["t"] == kind:
                return frame

    async def read_close(self) -> int:
        while True:
            message = await self.receive()
            if message["type"] == "websocket.close":
                return int(message["code"])

    async def greet(self, *subs: dict[str, Any]) -> dict[str, Any]:
        assert (await self.open())["type"] == "websocket.accept"
        await self.send({"t": "hello", "id": "1", "d": {"v": 1, "dev": {"id": "d"}, "subs": list(subs)}})
        return await self.read("welcome")

    async def leave(self) -> None:
        await self.wire.send_input({"type": "websocket.disconnect", "code": 1006})
        await self.wire.wait(5)


@pytest.fixture
async def node(settings: Settings) -> AsyncIterator[Node]:
    settings.DRAIN_SECONDS = 0
    yield start_node(with_engine=False)
    await stop_node()


@pytest.fixture
async def engine(node: Node) -> AsyncIterator[Engine]:
    made = Engine(ScriptedUpstream(), ScriptedCalls(), max_runs=4)
    made.start()
    yield made
    await made.stop(grace_seconds=0)


@pytest.fixture
def customer() -> Customer:
    return make_customer()


@pytest.fixture
def token(customer: Customer) -> str:
    return issue_access_token(make_session(customer, device_id="phone-a"), timezone.now()).token


def submit(conversation_id: object, *, text: str = "Курс?", command_id: str = "2", **body: Any) -> dict[str, Any]:
    given = {"mid": str(uuid4()), "text": text, "new": True, **body}
    return {"t": "turn.submit", "id": command_id, "c": str(conversation_id), "d": given}


async def test_phone_asks_and_reads_the_answer(engine: Engine, token: str) -> None:
    phone, conversation_id = Phone(token), uuid4()
    welcome = await phone.greet()
    assert (welcome["re"], welcome["d"]["subs"]) == ("1", [])
    assert welcome["d"]["caps"] == ["ack", "functions", "confirm.sign"]

    await phone.send(submit(conversation_id))
    frames = [await phone.read()]
    while frames[-1]["t"] != "turn.completed":
        frames.append(await phone.read())

    # A busy machine may say meanwhile that the turn still waits.
    frames = [frame for frame in frames if frame["t"] != "turn.queued"]
    assert [frame["t"] for frame in frames if frame["t"] != "text.delta"] == [
        "ok",
        "conv.created",
        "turn.accepted",
        "turn.started",
        "turn.completed",
    ]
    assert "".join(frame["d"]["text"] for frame in frames if frame["t"] == "text.delta") == "Курс — 98,40 ₽"
    cursor = 0
    for frame in frames[1:]:
        assert frame["s"] - frame.get("n", 1) == cursor
        cursor = frame["s"]
    await phone.leave()


async def test_phone_that_comes_back_resumes_where_it_was(engine: Engine, token: str) -> None:
    first, conversation_id = Phone(token), uuid4()
    await first.greet()
    await first.send(submit(conversation_id))
    top = (await first.read("turn.completed"))["s"]
    await first.leave()

    second = Phone(token)
    epoch = (await second.greet({"c": str(conversation_id)}))["d"]["subs"][0]["e"]
    state = await second.read("conv.state")
    assert (state["s"], state["snap"]) == (top, True)
    assert [message["text"] for message in state["d"]["msgs"]] == ["Курс?", "Курс — 98,40 ₽"]
    await second.leave()

    third = Phone(token)
    [sub] = (await third.greet({"c": str(conversation_id), "e": epoch, "s": 3}))["d"]["subs"]
    assert (sub["mode"], sub["top"]) == ("replay", top)
    frame = await third.read()
    assert frame["s"] - frame.get("n", 1) == 3
    await third.leave()


@pytest.mark.parametrize(
    ("position", "mode", "why"),
    [
        ({}, "snapshot", "new"),
        ({"e": "other", "s": 1}, "snapshot", "epoch"),
        ({"e": None, "s": 99}, "snapshot", "ahead"),
        ({"e": None, "s": 2}, "live", None),
        ({"e": None, "s": 0}, "replay", None),
    ],
)
async def test_attach_answers_each_position(
    node: Node, customer: Customer, token: str, position: dict[str, Any], mode: str, why: str | None
) -> None:
    asked = await run_in_database(ask, customer)
    phone = Phone(token)
    await phone.greet()
    await phone.send({"t": "attach", "id": "9", "c": str(asked.conversation_id), "d": {}})
    epoch = (await phone.read("ok"))["d"]["e"]
    given = {**position, "e": epoch} if position.get("e", "") is None else position

    await phone.send({"t": "attach", "id": "10", "c": str(asked.conversation_id), "d": given})
    answer = (await phone.read("ok"))["d"]

    assert (answer["mode"], answer.get("why"), answer["active"]["state"]) == (mode, why, "queued")
    await phone.leave()


async def test_foreign_and_unknown_conversations_are_denied_alike_and_recorded(node: Node, token: str) -> None:
    foreign = (await run_in_database(ask)).conversation_id
    phone = Phone(token)
    await phone.greet()

    answers = []
    for number, conversation_id in enumerate((foreign, uuid4())):
        await phone.send({"t": "attach", "id": f"a{number}", "c": str(conversation_id), "d": {}})
        attached = await phone.read("ok")
        await phone.send(submit(conversation_id, command_id=f"s{number}", new=False))
        refused = await phone.read("err")
        answers.append((attached["d"]["mode"], refused["err"]["code"], refused["err"]["message"]))

    assert answers == [("denied", "conv.not_found", "no such conversation")] * 2
    denied = await run_in_database(AuditEntry.objects.filter(action=AuditAction.ACCESS_DENIED).count)
    assert denied == 4
    await phone.leave()


async def test_cancel_answers_cancelling_then_finished(node: Node, customer: Customer, token: str) -> None:
    asked = await run_in_database(ask, customer)
    phone = Phone(token)
    await phone.greet()
    cancel = {"t": "turn.cancel", "c": str(asked.conversation_id), "d": {"turn": str(asked.accepted.turn_id)}}

    await phone.send({**cancel, "id": "c1"})
    first = await phone.read("ok")
    await phone.send({**cancel, "id": "c2"})
    second = await phone.read("ok")

    assert [first["d"]["state"], second["d"]["state"]] == ["cancelling", "finished"]
    await phone.leave()


async def test_phone_is_told_its_place_in_the_queue_once(node: Node, customer: Customer, token: str) -> None:
    asked = await run_in_database(ask, customer)
    phone = Phone(token)
    await phone.greet({"c": str(asked.conversation_id)})

    frame = await phone.read("turn.queued")

    assert frame["c"] == str(asked.conversation_id)
    assert (frame["d"]["turn"], frame["d"]["position"]) == (str(asked.accepted.turn_id), 1)
    assert frame["d"]["eta_ms"] > 0
    assert "s" not in frame
    await phone.leave()


async def test_ping_pong_detach_and_state_are_answered(node: Node, token: str) -> None:
    phone = Phone(token)
    await phone.greet()

    await phone.send({"t": "ping", "id": "p", "d": {"n": 7}})
    assert await phone.read() == {"t": "pong", "re": "p", "d": {"n": 7}}
    await phone.send({"t": "app.state", "id": "s", "d": {"state": "bg"}})
    assert await phone.read() == {"t": "ok", "re": "s", "d": {}}
    await phone.send({"t": "detach", "id": "d", "c": str(uuid4()), "d": {}})
    assert await phone.read() == {"t": "ok", "re": "d", "d": {}}
    await phone.send({"t": "pong", "d": {}})
    await phone.send({"t": "ack", "d": {str(uuid4()): 3}})
    await phone.send({"t": "bye", "d": {"reason": "done"}})
    assert await phone.read_close() == 1000
    await phone.leave()


@pytest.mark.parametrize(
    ("headers", "code", "close_code"),
    [
        ([(b"origin", b"http://localhost")], "auth.required", 4501),
        ([(b"authorization", b"Bearer nonsense")], "auth.invalid", 4501),
    ],
)
async def test_hello_without_a_good_token_is_refused(
    node: Node, headers: list[tuple[bytes, bytes]], code: str, close_code: int
) -> None:
    phone = Phone(headers=headers)
    await phone.open()
    await phone.send({"t": "hello", "id": "1", "d": {"v": 1, "dev": {"id": "d"}}})

    assert (await phone.read("err"))["err"]["code"] == code
    assert (await phone.read("bye"))["d"]["code"] == close_code
    assert await phone.read_close() == close_code
    await phone.leave()


async def test_commands_before_hello_and_a_second_hello_are_refused(node: Node, token: str) -> None:
    phone = Phone(token)
    await phone.open()
    await phone.send({"t": "ping", "id": "p", "d": {}})
    assert (await phone.read("err"))["err"]["code"] == "proto.state"
    for number in ("1", "2"):
        await phone.send({"t": "hello", "id": number, "d": {"v": 1, "dev": {"id": "d"}}})

    kinds = {(await phone.read())["t"] for _ in range(2)}

    assert kinds == {"welcome", "err"}
    await phone.leave()


async def test_hello_that_does_not_come_is_not_waited_for(settings: Settings, token: str) -> None:
    settings.WS_HELLO_SECONDS = 0.05
    settings.DRAIN_SECONDS = 0
    start_node(with_engine=False)
    phone = Phone(token)
    await phone.open()

    assert await phone.read_close() == 4408
    await phone.leave()
    await stop_node()


async def test_three_malformed_frames_end_the_socket(node: Node, token: str) -> None:
    phone = Phone(token)
    await phone.greet()

    for _ in range(3):
        await phone.send_text("{")

    assert await phone.read_close() == 4500
    await phone.leave()


async def test_binary_frame_ends_the_socket(node: Node, token: str) -> None:
    phone = Phone(token)
    await phone.greet()
    await phone.wire.send_input({"type": "websocket.receive", "bytes": b"\x00"})

    assert (await phone.read("err"))["err"]["code"] == "proto.binary"
    assert await phone.read_close() == 1003
    await phone.leave()


async def test_first_frame_has_a_smaller_bound(node: Node, token: str) -> None:
    phone = Phone(token)
    await phone.open()
    await phone.send({"t": "hello", "id": "1", "d": {"v": 1, "dev": {"id": "d"}, "pad": "x" * 9000}})

    assert (await phone.read("err"))["err"]["code"] == "limit.size"
    await phone.leave()


async def test_flood_is_refused_with_a_wait_and_then_ended(settings: Settings, token: str) -> None:
    settings.WS_COMMANDS = 3
    settings.DRAIN_SECONDS = 0
    start_node(with_engine=False)
    phone = Phone(token)
    await phone.greet()
    for number in range(8):
        await phone.send({"t": "ping", "id": str(number), "d": {}})

    refused = await phone.read("err")

    assert refused["err"]["code"] == "limit.rate"
    assert refused["err"]["retry_after_ms"] > 0
    assert await phone.read_close() == 4429
    await phone.leave()
    await stop_node()


async def test_same_device_twice_closes_the_older_socket(node: Node, token: str) -> None:
    older, newer = Phone(token), Phone(token)
    await older.greet()

    await newer.greet()

    assert await older.read_close() == 4509
    await older.leave()
    await newer.leave()


async def test_one_device_too_many_is_refused(settings: Settings, customer: Customer, token: str) -> None:
    settings.WS_SOCKETS_PER_CUSTOMER = 1
    settings.DRAIN_SECONDS = 0
    start_node(with_engine=False)
    other = await run_in_database(make_session, customer, device_id="phone-b")
    first, second = Phone(token), Phone(issue_access_token(other, timezone.now()).token)
    await first.greet()
    await second.open()
    await second.send({"t": "hello", "id": "1", "d": {"v": 1, "dev": {"id": "d"}}})

    assert await second.read_close() == 4513
    await first.leave()
    await second.leave()
    await stop_node()


async def test_refresh_takes_a_token_of_the_same_session_only(node: Node, customer: Customer) -> None:
    session = await run_in_database(make_session, customer, device_id="phone-a")
    phone = Phone(issue_access_token(session, timezone.now()).token)
    await phone.greet()
    fresh = issue_access_token(session, timezone.now())
    await phone.send({"t": "auth.refresh", "id": "r", "d": {"token": fresh.token}})
    assert (await phone.read("ok"))["d"]["exp"] == int(fresh.expires_at.timestamp() * 1000)

    stranger = await run_in_database(lambda: make_session(make_customer()))
    await phone.send(
        {"t": "auth.refresh", "id": "r", "d": {"token": issue_access_token(stranger, timezone.now()).token}}
    )

    assert (await phone.read("err"))["err"]["code"] == "auth.subject_changed"
    assert await phone.read_close() == 4503
    await phone.leave()


async def test_stop_sends_phones_elsewhere(settings: Settings, token: str) -> None:
    settings.DRAIN_SECONDS = 0.05
    start_node(with_engine=False)
    phone = Phone(token)
    await phone.greet()

    stopping = asyncio.create_task(stop_node())
    drain = await phone.read("drain")
    refused = await Phone(token).open()
    closed = await phone.read_close()
    await stopping

    assert drain["d"]["reconnect_in_ms"] <= drain["d"]["deadline_ms"] == 50
    assert refused["type"] == "websocket.close"
    assert closed == 4414
    await phone.leave()


async def test_upgrade_without_common_subprotocol_is_denied_as_the_server_can(node: Node, token: str) -> None:
    able = Phone(token, subprotocols=["x"], extensions={"websocket.http.response": {}})
    assert (await able.open())["status"] == 400

    unable = Phone(token, subprotocols=["x"])
    assert (await unable.open())["type"] == "websocket.accept"
    assert await unable.read_close() == 4506
    await unable.send_text("{}")
    await unable.leave()
    assert len(get_node().roster) == 0


async def test_phone_sends_a_file_along_and_finds_it_in_the_state(
    engine: Engine, customer: Customer, token: str
) -> None:
    phone, conversation_id = Phone(token), uuid4()
    file = await run_in_database(store, customer)
    await phone.greet()
    await phone.send(submit(conversation_id, files=[str(file.pk)]))
    accepted = await phone.read("turn.accepted")
    await phone.read("turn.completed")
    await phone.send({"t": "attach", "id": "3", "c": str(conversation_id), "d": {}})
    state = await phone.read("conv.state")
    await phone.leave()

    assert accepted["d"]["files"][0]["id"] == str(file.pk)
    assert [message.get("files") for message in state["d"]["msgs"]] == [accepted["d"]["files"], None]


async def test_file_of_somebody_else_is_refused_and_recorded(node: Node, token: str) -> None:
    phone = Phone(token)
    stranger = await run_in_database(make_customer)
    file = await run_in_database(store, stranger)
    await phone.greet()
    await phone.send(submit(uuid4(), files=[str(file.pk)]))
    refused = await phone.read("err")
    await phone.leave()

    assert (refused["re"], refused["err"]["code"], refused["err"]["field"]) == ("2", "file.not_found", "d.files.0")
    entry = await run_in_database(AuditEntry.objects.get, action=AuditAction.ACCESS_DENIED)
    assert (entry.subject, entry.subject_id) == ("file", str(file.pk))
