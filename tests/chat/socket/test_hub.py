"""The node's switchboard: who is woken, and which events memory may answer with."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.database import run_in_database
from chat.models import ConversationEvent
from chat.socket.hub import TAIL_EVENTS, Hub, LiveFrame, Tail
from chat.stream import Appended, StoredEvent, announce
from tests.factories.chat import ask


@dataclass(slots=True, eq=False)
class Listener:
    """A follower that notes what it was told."""

    woken: list[tuple[UUID, int]] = field(default_factory=list)
    live: list[LiveFrame | None] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    called: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self, conversation_id: UUID, top: int, live: LiveFrame | None = None) -> None:
        self.woken.append((conversation_id, top))
        self.live.append(live)
        self.called.set()

    async def send(self, text: str) -> None:
        self.told.append(text)


def make_events(first: int, last: int) -> list[StoredEvent]:
    return [StoredEvent(seq, "text.delta", f"body-{seq}") for seq in range(first, last + 1)]


@given(st.lists(st.integers(1, 5), min_size=1, max_size=12), st.integers(0, 60), st.integers(1, 20), st.integers(1, 40))
def test_tail_answers_with_exactly_what_follows_or_not_at_all(
    sizes: Sequence[int], after: int, limit: int, first: int
) -> None:
    tail, last = Tail(), first - 1
    for size in sizes:
        tail.extend(make_events(last + 1, last + size))
        last += size

    found = tail.read(after, limit)

    if first <= after + 1 <= last:
        assert found == make_events(after + 1, min(after + limit, last))
    else:
        assert found is None


def test_tail_after_a_hole_forgets_what_came_before() -> None:
    tail = Tail()
    tail.extend(make_events(1, 3))
    tail.extend(make_events(6, 7))

    assert tail.read(1, 10) is None
    assert tail.read(5, 10) == make_events(6, 7)


def test_tail_is_bounded_in_number() -> None:
    tail = Tail()
    tail.extend(make_events(1, TAIL_EVENTS + 10))

    assert tail.read(5, 10) is None
    assert tail.read(10, 1) == make_events(11, 11)


def test_tail_is_bounded_in_size() -> None:
    tail = Tail()
    tail.extend([StoredEvent(seq, "text.delta", "x" * 100_000) for seq in range(1, 9)])

    assert tail.read(0, 10) is None
    assert len(tail.read(4, 10) or ()) == 4


async def test_hub_wakes_the_followers_of_what_was_committed_on_any_thread() -> None:
    hub, follower, stranger = Hub(), Listener(), Listener()
    conversation_id = uuid4()
    hub.start()
    hub.attach(conversation_id, follower)
    hub.attach(uuid4(), stranger)

    await asyncio.to_thread(announce, [Appended(conversation_id, tuple(make_events(1, 2)))])
    await asyncio.wait_for(follower.called.wait(), 5)
    hub.stop()

    assert follower.woken == [(conversation_id, 2)]
    assert stranger.woken == []
    assert await hub.read(conversation_id, 0, 10) == make_events(1, 2)


async def test_hub_gives_a_single_event_along_encoded_once_for_all() -> None:
    hub, first, second, conversation_id = Hub(), Listener(), Listener(), uuid4()
    hub.attach(conversation_id, first)
    hub.attach(conversation_id, second)

    hub._publish([Appended(conversation_id, (StoredEvent(1, "text.delta", '{"text":"да"}'),))])
    hub._publish([Appended(conversation_id, tuple(make_events(2, 3)))])

    text = f'{{"t":"text.delta","c":"{conversation_id}","s":1,"d":{{"text":"да"}}}}'
    assert first.live == [LiveFrame(1, text, len(text.encode())), None]
    assert second.live[0] is first.live[0]


async def test_hub_forgets_a_conversation_that_nobody_follows() -> None:
    hub, follower, conversation_id = Hub(), Listener(), uuid4()
    hub.attach(conversation_id, follower)
    hub.detach(conversation_id, follower)
    hub.detach(conversation_id, follower)

    hub.hint({conversation_id: 5})

    assert follower.woken == []
    assert list(hub.followed) == []


async def test_hub_passes_hints_from_other_processes_on() -> None:
    hub, follower, conversation_id = Hub(), Listener(), uuid4()
    hub.attach(conversation_id, follower)

    hub.hint({conversation_id: 5, uuid4(): 9})

    assert follower.woken == [(conversation_id, 5)]


async def test_hub_tells_followers_what_is_not_in_the_log() -> None:
    hub, follower, conversation_id = Hub(), Listener(), uuid4()
    hub.attach(conversation_id, follower)

    await hub.tell(conversation_id, "frame")
    await hub.tell(uuid4(), "other")

    assert follower.told == ["frame"]


@pytest.mark.django_db(transaction=True)
async def test_hub_reads_what_memory_lacks_from_the_database_once_for_all() -> None:
    asked = await run_in_database(ask)
    hub = Hub()

    first, second = await asyncio.gather(hub.read(asked.conversation_id, 0, 10), hub.read(asked.conversation_id, 0, 10))

    assert [event.type for event in first] == ["conv.created", "turn.accepted"]
    assert first is second
    assert await run_in_database(ConversationEvent.objects.count) == 2


@pytest.mark.django_db(transaction=True)
async def test_hub_read_of_one_who_leaves_serves_the_others() -> None:
    asked = await run_in_database(ask)
    hub = Hub()
    leaving = asyncio.create_task(hub.read(asked.conversation_id, 0, 10))
    staying = asyncio.create_task(hub.read(asked.conversation_id, 0, 10))
    await asyncio.sleep(0)

    leaving.cancel()

    assert len(await asyncio.wait_for(staying, 5)) == 2
