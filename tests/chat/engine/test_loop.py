"""One run from claim to end, on the real database, with a scripted model."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from uuid import uuid4

import orjson
import pytest
from pytest_django import Settings

from chat.database import run_in_database
from chat.engine.committer import Committer
from chat.engine.loop import Workbench, run_turn
from chat.enums import Role, TurnState
from chat.gigachat.errors import (
    ContextTooLong,
    GigaChatError,
    ModelUnknown,
    ParametersRefused,
    PaymentRequired,
    RateLimited,
    ReadIdleTimeout,
    StreamBroken,
    TlsRefused,
)
from chat.gigachat.types import Finished, FinishReason, TextDelta
from chat.models import ConversationEvent, Message, Run, Turn
from chat.services.turns import cancel_turn
from chat.stream import Appended, add_listener, remove_listener
from tests.factories.accounts import make_customer
from tests.factories.chat import ENGINE, Asked, ask, claim_one, list_event_types, make_context, make_profile
from tests.fakes.upstream import STOP, ScriptedCalls, ScriptedUpstream

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def committer() -> AsyncIterator[Committer]:
    made = Committer()
    task = asyncio.create_task(made.run())
    yield made
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await made.aclose()


async def answer(upstream: ScriptedUpstream, committer: Committer) -> Asked:
    """Ask one question and let the engine's loop answer it."""
    asked = await run_in_database(ask)
    claimed = await run_in_database(claim_one)
    await asyncio.wait_for(run_turn(claimed, Workbench(ENGINE, upstream, ScriptedCalls(), committer)), 10)
    return asked


def read_events(asked: Asked) -> list[tuple[str, dict[str, object]]]:
    rows = ConversationEvent.objects.filter(conversation_id=asked.conversation_id).order_by("seq")
    return [(row.type, orjson.loads(row.body)) for row in rows]


async def test_run_turn_commits_every_piece_and_completes(committer: Committer) -> None:
    upstream = ScriptedUpstream()

    asked = await answer(upstream, committer)

    events = await run_in_database(read_events, asked)
    text = "".join(str(body["text"]) for kind, body in events if kind == "text.delta")
    assert text == "Курс — 98,40 ₽"
    assert events[-1][0] == "turn.completed"
    assert events[-1][1]["bytes"] == len(text.encode())
    message = await run_in_database(Message.objects.get, role=Role.ASSISTANT)
    assert message.text == text
    assert upstream.closed.is_set()


async def test_run_turn_asks_with_the_history_of_its_own_conversation(committer: Committer) -> None:
    upstream = ScriptedUpstream()
    first = await answer(upstream, committer)
    await run_in_database(ask, text="чужой вопрос")
    foreign = await run_in_database(claim_one)
    await run_turn(foreign, Workbench(ENGINE, upstream, ScriptedCalls(), committer))
    await run_in_database(ask, first.customer, conversation_id=first.conversation_id, text="А доллара?")
    claimed = await run_in_database(claim_one)
    await run_turn(claimed, Workbench(ENGINE, upstream, ScriptedCalls(), committer))

    said = [message.content for message in upstream.prompts[-1].messages[1:]]

    assert said == ["Какой сегодня курс евро?", "Курс — 98,40 ₽", "А доллара?"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ReadIdleTimeout(), "upstream.timeout"),
        (RateLimited(status=429), "upstream.unavailable"),
        (StreamBroken(), "upstream.unavailable"),
        (TlsRefused(), "upstream.unavailable"),
        (ContextTooLong(status=413), "upstream.context"),
        (ParametersRefused(status=422), "server.internal"),
    ],
)
async def test_run_turn_ends_each_fault_of_the_model_with_its_code(
    committer: Committer, error: GigaChatError, code: str
) -> None:
    asked = await answer(ScriptedUpstream([TextDelta("Курс"), error]), committer)

    kind, body = (await run_in_database(read_events, asked))[-1]

    assert (kind, body["partial"], body["bytes"]) == ("turn.failed", True, 8)
    assert isinstance(body["error"], dict)
    assert body["error"]["code"] == code


async def test_run_turn_ends_an_unknown_fault_too(committer: Committer) -> None:
    asked = await answer(ScriptedUpstream([ValueError("secret text")]), committer)

    kind, body = (await run_in_database(read_events, asked))[-1]

    assert kind == "turn.failed"
    assert "secret" not in str(body)


@pytest.mark.parametrize("reason", [FinishReason.ERROR, FinishReason.FUNCTION_CALL])
async def test_run_turn_with_an_ending_it_cannot_use_fails(committer: Committer, reason: FinishReason) -> None:
    finished = Finished(reason=reason, usage=None, model="m")

    asked = await answer(ScriptedUpstream([TextDelta("Курс"), finished]), committer)

    assert (await run_in_database(read_events, asked))[-1][0] == "turn.failed"


@pytest.mark.parametrize(
    ("shown", "replacement", "stands", "is_replaced"),
    [
        ("Давайте обсудим ", "Не могу говорить на эту тему.", "Не могу говорить на эту тему.", True),
        ("Не могу об этом.", "Не могу об этом.", "Не могу об этом.", False),
        ("Давайте", None, "Об этом я говорить не могу. Помогу с вопросами о банке.", True),
    ],
)
async def test_run_turn_that_the_filter_ended_takes_back_what_was_shown(
    committer: Committer, shown: str, replacement: str | None, stands: str, is_replaced: bool
) -> None:
    finished = Finished(reason=FinishReason.BLACKLIST, usage=None, model="m", replacement=replacement)

    asked = await answer(ScriptedUpstream([TextDelta(shown), finished]), committer)

    events = await run_in_database(read_events, asked)
    assert ("msg.replaced" in [kind for kind, _ in events]) == is_replaced
    kind, body = events[-1]
    assert (kind, body["finish"], body["bytes"]) == ("turn.completed", "blocked", len(stands.encode()))
    message = await run_in_database(Message.objects.get, role=Role.ASSISTANT)
    assert message.text == stands


async def test_run_turn_cancelled_meanwhile_closes_the_model_and_writes_nothing_more(committer: Committer) -> None:
    gate = asyncio.Event()
    upstream = ScriptedUpstream([TextDelta("Курс"), gate, TextDelta(" поздно"), STOP])
    asked = await run_in_database(ask)
    claimed = await run_in_database(claim_one)
    shown = asyncio.Event()

    def note(_appended: Sequence[Appended]) -> None:
        shown.set()

    add_listener(note)
    run = asyncio.create_task(run_turn(claimed, Workbench(ENGINE, upstream, ScriptedCalls(), committer)))
    await asyncio.wait_for(upstream.opened.wait(), 5)
    await asyncio.wait_for(shown.wait(), 5)
    remove_listener(note)
    await run_in_database(
        cancel_turn,
        make_context(asked.customer),
        customer_id=asked.customer.pk,
        conversation_id=asked.conversation_id,
        turn_id=asked.accepted.turn_id,
        device_id="phone-b",
    )
    gate.set()

    await asyncio.wait_for(run, 5)

    assert (await run_in_database(list_event_types, asked.conversation_id))[3:] == ["text.delta", "turn.cancelled"]
    turn = await run_in_database(Turn.objects.get, pk=asked.accepted.turn_id)
    assert turn.state == TurnState.CANCELLED
    assert upstream.closed.is_set()


async def test_run_turn_with_a_long_piece_cuts_it_into_events(committer: Committer) -> None:
    asked = await answer(ScriptedUpstream([TextDelta("я" * 10_000), STOP]), committer)

    deltas = [body for kind, body in await run_in_database(read_events, asked) if kind == "text.delta"]

    assert [len(str(body["text"])) for body in deltas] == [4096, 4096, 1808]
    assert [body["off"] for body in deltas] == [0, 8192, 16384]


async def test_run_turn_asks_the_fallback_model_when_the_first_cannot_be_had(committer: Committer) -> None:
    await run_in_database(make_profile, model="GigaChat-2-Max", fallback_model="GigaChat-2")
    upstream = ScriptedUpstream(refusals={"GigaChat-2-Max": PaymentRequired(status=402)})

    asked = await answer(upstream, committer)

    assert [prompt.model for prompt in upstream.prompts] == ["GigaChat-2-Max", "GigaChat-2"]
    assert (await run_in_database(read_events, asked))[-1][0] == "turn.completed"
    run = await run_in_database(Run.objects.get)
    assert (run.model, run.state) == ("GigaChat-2", "completed")


async def test_run_turn_without_a_fallback_fails_honestly(committer: Committer) -> None:
    upstream = ScriptedUpstream(refusals={"GigaChat-2": ModelUnknown(status=404)})

    asked = await answer(upstream, committer)

    assert (await run_in_database(read_events, asked))[-1][0] == "turn.failed"


async def test_run_turn_asks_as_the_profile_says(committer: Committer) -> None:
    await run_in_database(make_profile, instructions="Отвечай кратко.", temperature=0.2, max_tokens=100, top_p=0.5)
    upstream = ScriptedUpstream()

    await answer(upstream, committer)

    [prompt] = upstream.prompts
    assert prompt.messages[0].content.startswith("Отвечай кратко.\n\n")
    assert (prompt.temperature, prompt.max_tokens, prompt.top_p) == (0.2, 100, 0.5)


async def test_run_turn_past_its_deadline_ends_with_what_was_shown(committer: Committer, settings: Settings) -> None:
    settings.ENGINE_TURN_SECONDS = 0.5

    asked = await answer(ScriptedUpstream([TextDelta("Курс"), asyncio.Event()]), committer)

    kind, body = (await run_in_database(read_events, asked))[-1]
    assert (kind, body["partial"]) == ("turn.failed", True)
    assert isinstance(body["error"], dict)
    assert body["error"]["code"] == "upstream.timeout"


@pytest.mark.parametrize(("error", "kept"), [(None, 5), (RateLimited(status=429), 1)])
async def test_run_turn_counts_a_long_history_once_and_trims_it(
    committer: Committer, error: GigaChatError | None, kept: int
) -> None:
    await run_in_database(make_profile, history_tokens=100)
    calls, upstream = ScriptedCalls(error), ScriptedUpstream([TextDelta("я" * 40), STOP])
    bench = Workbench(ENGINE, upstream, calls, committer)
    customer = await run_in_database(make_customer)
    conversation_id = uuid4()
    for number in range(3):
        await run_in_database(ask, customer, conversation_id=conversation_id, text="абв"[number] * 40)
        await run_turn(await run_in_database(claim_one), bench)

    said = upstream.prompts[-1].messages

    assert len(said) - 1 == kept
    assert said[-1].content == "в" * 40
    assert ("опущено" in said[0].content) == (kept < 5)
    counted = [await run_in_database(lambda: Message.objects.filter(token_count__isnull=False).count())]
    assert counted == [5 if error is None else 0]
