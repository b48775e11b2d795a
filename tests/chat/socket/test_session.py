"""One socket as a cursor: order, merging, window, holding back, closing."""

import asyncio
from uuid import UUID, uuid4

import orjson
import pytest

from chat.protocol.codes import CloseCode
from chat.protocol.events import encode_text_delta
from chat.socket.hub import Hub, LiveFrame
from chat.socket.session import Session
from chat.stream import Appended, StoredEvent
from tests.factories.sockets import get_transport, make_socket
from tests.fakes.transport import RecordedTransport


class Log:
    """A conversation that exists only in a hub's memory."""

    def __init__(self, hub: Hub) -> None:
        self.conversation_id = uuid4()
        self.hub = hub
        self.message_id = uuid4()
        self.top = 0
        self.offset = 0

    def append(self, *texts: str) -> None:
        events = []
        for text in texts:
            self.top += 1
            events.append(StoredEvent(self.top, "text.delta", encode_text_delta(self.message_id, self.offset, text)))
            self.offset += len(text.encode())
        self.hub._publish([Appended(self.conversation_id, tuple(events))])


def follow(session: Session, conversation_id: UUID) -> None:
    session.release_cursor(session.follow(conversation_id))


def read_text(session: Session) -> str:
    return "".join(frame["d"]["text"] for frame in get_transport(session).frames)


async def test_session_sends_what_is_appended_in_order() -> None:
    hub = Hub()
    session, log = make_socket(hub), Log(hub)
    follow(session, log.conversation_id)

    log.append("Курс")
    await get_transport(session).wait_for_frames(1)
    log.append(" — 98")
    frames = await get_transport(session).wait_for_frames(2)

    assert [(frame["t"], frame["s"], frame.get("n", 1), frame["d"]["off"]) for frame in frames] == [
        ("text.delta", 1, 1, 0),
        ("text.delta", 2, 1, 8),
    ]


async def test_session_merges_what_gathered_behind_a_slow_send() -> None:
    hub = Hub()
    session, log = make_socket(hub), Log(hub)
    transport = get_transport(session)
    transport.gate = asyncio.Event()
    follow(session, log.conversation_id)
    log.append("а")
    await asyncio.sleep(0)
    log.append("б")
    log.append("в")

    transport.gate.set()
    frames = await transport.wait_for_frames(2)

    assert [(frame["s"], frame.get("n", 1)) for frame in frames] == [(1, 1), (3, 2)]
    assert read_text(session) == "абв"


async def test_session_stops_at_a_full_window_and_goes_on_with_the_ack() -> None:
    hub = Hub()
    session, log = make_socket(hub, window_frames=1), Log(hub)
    follow(session, log.conversation_id)
    log.append("а")
    await get_transport(session).wait_for_frames(1)
    log.append("б")
    await asyncio.sleep(0)
    assert session.window_full_since is not None
    assert read_text(session) == "а"

    session.confirm({log.conversation_id: 1})
    await get_transport(session).wait_for_frames(2)

    assert read_text(session) == "аб"


async def test_session_holds_events_back_until_released() -> None:
    hub = Hub()
    session, log = make_socket(hub), Log(hub)
    cursor = session.follow(log.conversation_id)
    log.append("а")
    await asyncio.sleep(0)
    assert get_transport(session).frames == []

    session.release_cursor(cursor)

    await get_transport(session).wait_for_frames(1)


async def test_session_that_follows_anew_starts_at_its_new_position() -> None:
    hub = Hub()
    session, log = make_socket(hub), Log(hub)
    follow(session, log.conversation_id)
    log.append("а", "б", "в")
    await get_transport(session).wait_for_frames(1)

    cursor = session.follow(log.conversation_id)
    cursor.sent, cursor.top = 2, 3
    session.release_cursor(cursor)
    frames = await get_transport(session).wait_for_frames(2)

    assert (frames[1]["s"], frames[1]["d"]["text"]) == (3, "в")


async def test_session_serves_several_conversations() -> None:
    hub = Hub()
    session, logs = make_socket(hub), [Log(hub) for _ in range(3)]
    for log in logs:
        follow(session, log.conversation_id)

    for log in logs:
        log.append("да")
    frames = await get_transport(session).wait_for_frames(3)

    assert {frame["c"] for frame in frames} == {str(log.conversation_id) for log in logs}


async def test_session_is_not_woken_for_what_it_no_longer_follows() -> None:
    hub = Hub()
    session, log = make_socket(hub), Log(hub)
    follow(session, log.conversation_id)
    log.append("а")
    await get_transport(session).wait_for_frames(1)

    session.unfollow(log.conversation_id)
    session.wake(log.conversation_id, 99)
    log.append("б")
    await asyncio.sleep(0)

    assert read_text(session) == "а"


async def test_close_says_bye_once_and_stops_following() -> None:
    hub = Hub()
    session, log = make_socket(hub), Log(hub)
    follow(session, log.conversation_id)

    await session.close(CloseCode.RESTART, after_ms=500)
    await session.close(CloseCode.NO_PONG)
    log.append("а")

    transport = get_transport(session)
    assert transport.frames == [
        {"t": "bye", "d": {"code": 4414, "reconnect": True, "after_ms": 500, "reason": "service restart"}}
    ]
    assert transport.closed_with == (4414, "service restart")
    assert list(hub.followed) == []


async def test_release_stops_a_blocked_send() -> None:
    hub = Hub()
    session, log = make_socket(hub), Log(hub)
    get_transport(session).gate = asyncio.Event()
    follow(session, log.conversation_id)
    log.append("а")
    await asyncio.sleep(0)
    pump = session.pump
    assert pump is not None

    session.release()
    await asyncio.wait([pump], timeout=5)

    assert pump.cancelled()


class BrokenTransport:
    """A wire whose other end is gone, at once or after a wait."""

    def __init__(self, *, waits: bool) -> None:
        self.waits = waits
        self.tried: list[str] = []

    async def send_text(self, text: str) -> None:
        self.tried.append(text)
        if self.waits:
            await asyncio.sleep(0)
        raise ConnectionResetError

    async def close(self, code: int, reason: str) -> None:
        raise ConnectionResetError


@pytest.mark.parametrize("waits", [True, False])
async def test_session_whose_transport_breaks_stays_quiet_and_usable(waits: bool) -> None:
    hub = Hub()
    session, log = make_socket(hub), Log(hub)
    transport = session.transport = BrokenTransport(waits=waits)
    follow(session, log.conversation_id)

    log.append("а")
    if session.pump is not None:
        await asyncio.wait([session.pump], timeout=5)
    await asyncio.sleep(0)
    assert len(transport.tried) == 1
    assert session.pump is None
    assert not session.is_pumping

    session.transport = RecordedTransport()
    log.append("б")
    await get_transport(session).wait_for_frames(1)
    assert read_text(session) == "аб"


async def test_session_that_is_live_gets_each_event_without_a_task() -> None:
    hub = Hub()
    session, log = make_socket(hub), Log(hub)
    follow(session, log.conversation_id)

    for text in ("а", "б", "в"):
        log.append(text)

    assert session.pump is None
    assert [(frame["s"], frame["c"], frame["d"]["text"]) for frame in get_transport(session).frames] == [
        (seq, str(log.conversation_id), text) for seq, text in enumerate("абв", 1)
    ]


async def test_session_behind_by_more_than_the_new_event_sends_what_lies_between_first() -> None:
    hub = Hub()
    session, log = make_socket(hub), Log(hub)
    cursor = session.follow(log.conversation_id)
    log.append("а")
    session.release_cursor(cursor)
    cursor.holds = 1
    log.append("б")
    cursor.holds = 0

    log.append("в")

    assert [(frame["s"], frame.get("n", 1)) for frame in get_transport(session).frames] == [(1, 1), (3, 2)]
    assert read_text(session) == "абв"


async def test_session_counts_a_live_event_in_its_window_and_notes_when_it_is_full() -> None:
    hub = Hub()
    session, log = make_socket(hub, window_frames=1), Log(hub)
    follow(session, log.conversation_id)

    log.append("а")

    assert session.window_full_since is not None
    session.confirm({log.conversation_id: 1})
    assert session.window_full_since is None


async def test_released_session_sends_no_live_event() -> None:
    hub = Hub()
    session, log = make_socket(hub), Log(hub)
    follow(session, log.conversation_id)
    session.release()

    log.append("а")
    session.wake(log.conversation_id, 1, LiveFrame(1, "{}", 2))

    assert get_transport(session).frames == []


def test_session_without_hello_has_no_claims() -> None:
    session = make_socket()
    session.claims = None

    with pytest.raises(RuntimeError):
        session.require_claims()


async def test_session_bodies_go_out_as_they_are_stored() -> None:
    hub = Hub()
    session, log = make_socket(hub), Log(hub)
    follow(session, log.conversation_id)
    body = orjson.dumps({"turn": str(uuid4()), "новое": 1}).decode()

    hub._publish([Appended(log.conversation_id, (StoredEvent(1, "turn.started", body),))])
    frames = await get_transport(session).wait_for_frames(1)

    assert frames[0]["d"] == orjson.loads(body)
