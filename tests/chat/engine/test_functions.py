"""Runs whose model calls functions: what it is told, what phones see, and every way such a turn can end."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from django.utils import timezone
from pytest_django import Settings

from audit.models import AuditEntry
from chat.database import run_in_database
from chat.engine.committer import Committer
from chat.engine.loop import Workbench, run_turn
from chat.enums import Role, TurnState
from chat.gigachat.errors import CallLeaked, CallMalformed, GigaChatError, StreamBroken
from chat.gigachat.types import (
    Finished,
    FinishReason,
    FunctionCall,
    FunctionMode,
    Prompt,
    StreamPart,
    TextDelta,
    Usage,
)
from chat.models import Message, Turn, UsageDay
from chat.services.confirmations import decide_confirmation
from chat.services.recovery import recover_lost_runs
from functions.models import Confirmation
from functions.models import FunctionCall as StoredCall
from tests.cursor import FollowedConversation
from tests.factories.chat import ENGINE, ask, claim_one, make_context, make_profile
from tests.factories.talks import AMOUNT, Talk
from tests.fakes.upstream import STOP, ScriptedCalls, ScriptedUpstream

pytestmark = pytest.mark.django_db(transaction=True)
CALLED = Finished(
    reason=FinishReason.FUNCTION_CALL,
    usage=Usage(prompt_tokens=100, completion_tokens=10, total_tokens=110),
    model="GigaChat-2:1",
)
GARBLED = Finished(reason=FinishReason.ERROR, usage=None, model="GigaChat-2:1")
Script = Sequence[StreamPart | Exception | asyncio.Event]


def call(name: str, *, said: str = "", **arguments: Any) -> list[StreamPart]:
    told: list[StreamPart] = [TextDelta(said)] if said else []
    return [*told, FunctionCall(name=name, arguments=arguments, state_id="state-7"), CALLED]


def say(*pieces: str) -> list[StreamPart]:
    return [*map(TextDelta, pieces), STOP]


TRANSFER = call("transfer_between_own_accounts", from_account="acc_1", to_account="acc_2", amount=500)


@dataclass
class Scene:
    """A talk whose turn is claimed, an engine's bench, and a model that follows scripts."""

    talk: Talk
    committer: Committer
    upstream: ScriptedUpstream = field(default_factory=ScriptedUpstream)

    async def answer(self, *scripts: Script) -> None:
        """Let the claimed turn be answered; the model says one script for each request."""
        self.upstream.scripts = [*self.upstream.scripts[: len(self.upstream.prompts)], *scripts]
        bench = Workbench(ENGINE, self.upstream, ScriptedCalls(), self.committer)
        await asyncio.wait_for(run_turn(self.talk.claimed, bench), 10)

    async def decide(self, decision: str = "approve") -> None:
        await run_in_database(self._decide, decision)
        self.talk.claimed = await run_in_database(claim_one)

    def _decide(self, decision: str) -> None:
        talk = self.talk
        asked = Confirmation.objects.get(turn_id=talk.turn.pk)
        command = talk.build_decision(asked, decision)
        decide_confirmation(make_context(talk.customer), talk.claims, talk.conversation_id, command)

    async def ask_next(self, text: str) -> None:
        await run_in_database(self._ask_next, text)

    def _ask_next(self, text: str) -> None:
        talk = self.talk
        talk.asked = ask(talk.customer, conversation_id=talk.conversation_id, text=text, session=talk.phone.session)
        talk.claimed = claim_one()

    async def read_events(self) -> list[tuple[str, dict[str, Any]]]:
        return await run_in_database(self.talk.read_events)

    async def read_end(self) -> tuple[str, str]:
        """Return the terminal event of the turn and the answer's text as a phone holds it by then."""
        held = FollowedConversation(str(self.talk.conversation_id))
        events = await self.read_events()
        for seq, (kind, body) in enumerate(events, 1):
            assert held.receive({"t": kind, "s": seq, "d": body}) == "applied", (kind, body)
        turn = await run_in_database(lambda: self.talk.turn)
        return held.ended.get(str(turn.pk), ""), held.texts.get(str(turn.answer_id), "")

    @property
    def last_prompt(self) -> Prompt:
        return self.upstream.prompts[-1]


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    committer = Committer()
    task = asyncio.create_task(committer.run())
    yield Scene(await run_in_database(Talk), committer)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await committer.aclose()


def describe(prompt: Prompt) -> list[tuple[str, str]]:
    """Return who says what, without the system text; calls by name, results by whether they are good."""
    told = []
    for message in prompt.messages[1:]:
        made = message.function_call
        content = made.name if made else message.content
        if message.role == "function":
            content = "ok" if orjson.loads(message.content)["ok"] else orjson.loads(message.content)["error"]["code"]
        told.append((message.role.value, content))
    return told


def list_actions(talk: Talk) -> list[str]:
    entries = AuditEntry.objects.filter(turn_id=talk.turn.pk).order_by("pk")
    return list(entries.values_list("action", flat=True))


async def test_model_that_calls_gets_results_and_ends_its_answer(scene: Scene) -> None:
    await scene.answer(
        call("list_accounts", said="Смотрю. "),
        call("get_account_balance", account_id="acc_1"),
        say("На счёте ", "1 000 ₽."),
    )

    assert await scene.read_end() == ("turn.completed", "Смотрю. На счёте 1 000 ₽.")
    assert describe(scene.last_prompt)[-4:] == [
        ("assistant", "list_accounts"),
        ("function", "ok"),
        ("assistant", "get_account_balance"),
        ("function", "ok"),
    ]
    asked = scene.last_prompt.messages[2]
    assert asked.function_call is not None
    assert (asked.content, asked.function_call.state_id) == ("Смотрю. ", "state-7")
    offered = {function.name for function in scene.last_prompt.functions}
    assert {"list_accounts", "transfer_by_phone"} <= offered
    system = scene.last_prompt.messages[0].content
    assert "_untrusted" in system
    assert "Europe/Moscow" in system
    usage = await run_in_database(UsageDay.objects.get)
    assert (usage.runs, usage.prompt_tokens, usage.completion_tokens) == (1, 217, 23)
    assert await run_in_database(list_actions, scene.talk) == [
        "turn.started",
        "model.asked",
        "fn.requested",
        "fn.executed",
        "model.asked",
        "fn.requested",
        "fn.executed",
        "model.asked",
        "turn.finished",
    ]


async def test_next_turn_is_told_the_calls_before_it(scene: Scene) -> None:
    await scene.answer(call("list_accounts", said="Смотрю. "), say("У вас два счёта."))
    await scene.ask_next("А сколько на первом?")

    await scene.answer(say("Минуту."))

    assert describe(scene.last_prompt) == [
        ("user", "Переведи 500 на второй счёт"),
        ("assistant", "list_accounts"),
        ("function", "ok"),
        ("assistant", "У вас два счёта."),
        ("user", "А сколько на первом?"),
    ]


async def test_transfer_waits_and_goes_on_in_the_same_answer(scene: Scene) -> None:
    await scene.answer(call("list_accounts"), [TextDelta("Проверьте перевод. "), *TRANSFER])
    turn = await run_in_database(lambda: scene.talk.turn)
    assert turn.state == TurnState.AWAITING_CONFIRM
    assert scene.upstream.open_streams == 0

    await scene.decide()
    await scene.answer(say("Готово, 500 ₽ переведены."))

    assert await scene.read_end() == ("turn.completed", "Проверьте перевод. Готово, 500 ₽ переведены.")
    kinds = [kind for kind, _body in await scene.read_events()]
    assert (kinds.count("turn.started"), kinds.count("msg.reset"), kinds.count("op.result")) == (1, 0, 1)
    assert describe(scene.last_prompt)[-2:] == [("assistant", "transfer_between_own_accounts"), ("function", "ok")]
    assert await run_in_database(scene.talk.read_balances) == (1_000_00 - AMOUNT, AMOUNT)
    message = await run_in_database(Message.objects.get, role=Role.ASSISTANT)
    assert message.text == "Проверьте перевод. Готово, 500 ₽ переведены."
    usage = await run_in_database(UsageDay.objects.get)
    assert (usage.runs, usage.prompt_tokens) == (2, 217)


async def test_declined_transfer_is_told_to_the_model_and_moves_nothing(scene: Scene) -> None:
    await scene.answer(call("list_accounts"), TRANSFER)

    await scene.decide("reject")
    await scene.answer(say("Хорошо, не перевожу."))

    assert describe(scene.last_prompt)[-1] == ("function", "declined")
    assert await scene.read_end() == ("turn.completed", "Хорошо, не перевожу.")
    assert await run_in_database(scene.talk.read_balances) == (1_000_00, 0)


async def test_model_that_claims_a_transfer_moves_no_money_and_its_figures_go(scene: Scene) -> None:
    claim = say("Клиент подтвердил, перевод выполнен: 700 ₽.")

    await scene.answer(call("list_accounts"), claim, say("Я ничего не переводила."))

    assert await scene.read_end() == ("turn.completed", "Я ничего не переводила.")
    assert await run_in_database(scene.talk.read_balances) == (1_000_00, 0)
    assert await run_in_database(Confirmation.objects.count) == 0


async def test_model_lost_after_the_transfer_leaves_it_done_once(scene: Scene) -> None:
    await scene.answer(call("list_accounts"), TRANSFER)
    await scene.decide()

    await scene.answer([StreamBroken()])

    events = await scene.read_events()
    assert [kind for kind, _body in events][-2:] == ["function.completed", "turn.failed"]
    assert events[-1][1]["error"]["code"] == "upstream.unavailable"
    assert await run_in_database(scene.talk.read_balances) == (1_000_00 - AMOUNT, AMOUNT)


async def test_model_that_repeats_a_failing_call_is_stopped(scene: Scene) -> None:
    bad = call("get_account_balance", account_id="acc_7")

    await scene.answer(bad, bad, say("Не нашла такого счёта."))

    assert describe(scene.last_prompt)[-3:] == [
        ("function", "unknown_reference"),
        ("assistant", "get_account_balance"),
        ("function", "repeated_call"),
    ]
    assert scene.last_prompt.function_choice is FunctionMode.NONE
    assert await scene.read_end() == ("turn.completed", "Не нашла такого счёта.")


async def test_model_that_never_stops_calling_is_answered_for(scene: Scene, settings: Settings) -> None:
    settings.FUNCTION_CALLS_PER_TURN = 2

    await scene.answer(call("list_accounts"))

    assert len(scene.upstream.prompts) == 3
    assert await run_in_database(StoredCall.objects.count) == 2
    kind, text = await scene.read_end()
    assert kind == "turn.completed"
    assert "1 000" in text.replace("\u00a0", " ")


async def test_model_that_says_nothing_of_its_results_is_answered_for(scene: Scene) -> None:
    await scene.answer(call("list_accounts"), [STOP])

    kind, text = await scene.read_end()
    assert (kind, "1 000" in text.replace("\u00a0", " ")) == ("turn.completed", True)


@pytest.mark.parametrize(
    "broken",
    [[TextDelta("Сейчас "), GARBLED], [CallMalformed()], [TextDelta("function call"), CallLeaked()]],
    ids=["arguments", "malformed", "leaked"],
)
async def test_call_that_cannot_be_read_is_forgiven_once(scene: Scene, broken: Script) -> None:
    await scene.answer(broken, say("У вас два счёта."))

    assert await scene.read_end() == ("turn.completed", "У вас два счёта.")
    assert "записан неверно" in scene.last_prompt.messages[0].content


@pytest.mark.parametrize("broken", [[GARBLED], [CallMalformed()]])
async def test_second_call_that_cannot_be_read_ends_the_turn(scene: Scene, broken: Script) -> None:
    await scene.answer(broken)

    assert len(scene.upstream.prompts) == 2
    assert (await scene.read_end())[0] == "turn.failed"


async def test_text_taken_back_leaves_what_was_said_before(scene: Scene) -> None:
    await scene.answer(
        call("list_accounts", said="Смотрю. "), [TextDelta("function call"), CallLeaked()], say("Два счёта.")
    )

    assert await scene.read_end() == ("turn.completed", "Смотрю. Два счёта.")


async def test_invented_figures_are_written_anew(scene: Scene) -> None:
    await scene.answer(call("list_accounts"), say("На счёте 9 999 ₽."), say("На счёте 1 000 ₽."))

    assert await scene.read_end() == ("turn.completed", "На счёте 1 000 ₽.")
    replaced = next(body for kind, body in await scene.read_events() if kind == "msg.replaced")
    assert replaced["why"] == "figures"
    assert "9 999" in scene.last_prompt.messages[-1].content
    assert scene.last_prompt.function_choice is FunctionMode.NONE
    entry = await run_in_database(AuditEntry.objects.get, action="answer.corrected")
    assert orjson.loads(bytes(entry.body))["details"] == {"figures": 1, "by": "model"}


@pytest.mark.parametrize("second", [say("На счёте 8 888 ₽."), [StreamBroken()]], ids=["invents again", "is gone"])
async def test_figures_invented_twice_give_way_to_the_results(scene: Scene, second: Script) -> None:
    await scene.answer(call("list_accounts"), say("На счёте 9 999 ₽."), second)

    kind, text = await scene.read_end()
    assert (kind, "1 000" in text.replace("\u00a0", " "), "8 888" in text) == ("turn.completed", True, False)
    entry = await run_in_database(AuditEntry.objects.get, action="answer.corrected")
    assert orjson.loads(bytes(entry.body))["details"]["by"] == "server"


async def test_balance_invented_without_looking_is_taken_back(scene: Scene) -> None:
    await scene.answer(say("На вашем счёте 7 777 ₽."), say("Я не знаю, сколько у вас денег."))

    assert await scene.read_end() == ("turn.completed", "Я не знаю, сколько у вас денег.")


async def test_figures_of_an_earlier_turn_may_be_repeated(scene: Scene) -> None:
    await scene.answer(call("list_accounts"), say("На вашем счёте 1 000 ₽."))
    await scene.ask_next("Сколько там, говоришь?")

    await scene.answer(say("На вашем счёте 1 000 ₽."))

    assert len(scene.upstream.prompts) == 3
    assert await scene.read_end() == ("turn.completed", "На вашем счёте 1 000 ₽.")


@pytest.mark.parametrize(("mode", "prompts"), [("log", 2), ("off", 2)])
async def test_grounding_that_only_looks_changes_nothing(
    scene: Scene, settings: Settings, mode: str, prompts: int
) -> None:
    settings.GROUNDING = mode

    await scene.answer(call("list_accounts"), say("На счёте 9 999 ₽."))

    assert await scene.read_end() == ("turn.completed", "На счёте 9 999 ₽.")
    assert len(scene.upstream.prompts) == prompts


async def test_what_customers_type_reaches_the_provider_as_placeholders_only(scene: Scene) -> None:
    await scene.answer(say("Хорошо."))
    await scene.ask_next("Переведи на +7 900 123-45-67, карта 4000 0000 0000 0002")

    await scene.answer(say("Номер ⟦pho", "ne_1⟧ запи", "сан, карта ⟦pan_1⟧ тоже, а ⟦phone_9⟧ неизвестен."))

    sent = " ".join(message.content for message in scene.last_prompt.messages)
    assert "⟦phone_1⟧" in sent
    assert not [secret for secret in ("123-45-67", "9001234567", "0002") if secret in sent]
    _kind, text = await scene.read_end()
    assert text.startswith("Номер +7 900 123-45-67 записан, карта 4000")
    assert "⟦" not in text


async def test_long_history_is_counted_without_what_customers_typed(scene: Scene) -> None:
    await scene.answer(say("Здравствуйте."))
    await run_in_database(make_profile, history_tokens=100)
    await scene.ask_next("Позвони мне на +7 900 123-45-67. " + "Пожалуйста. " * 20)
    calls = ScriptedCalls()
    scene.upstream.scripts = [say("Хорошо.")]

    await run_turn(scene.talk.claimed, Workbench(ENGINE, scene.upstream, calls, scene.committer))

    assert calls.counted != []
    assert not [text for text in calls.counted if "123-45-67" in text]


async def test_functions_switched_off_are_neither_offered_nor_called(scene: Scene, settings: Settings) -> None:
    settings.FUNCTIONS_ENABLED = False

    await scene.answer(call("list_accounts"))

    assert scene.last_prompt.functions == ()
    assert "_untrusted" not in scene.last_prompt.messages[0].content
    assert (await scene.read_end())[0] == "turn.failed"
    assert await run_in_database(StoredCall.objects.count) == 0


async def test_profile_can_do_without_functions(scene: Scene) -> None:
    await run_in_database(make_profile, uses_functions=False)

    await scene.answer(say("Привет."))

    assert scene.last_prompt.functions == ()


async def test_deadline_of_a_turn_counts_running_time_only(scene: Scene, settings: Settings) -> None:
    await scene.answer(call("list_accounts"), TRANSFER)
    await scene.decide()
    spent = scene.talk.claimed.spent_seconds
    settings.ENGINE_TURN_SECONDS = spent + 0.3

    await scene.answer([TextDelta("Готово"), asyncio.Event()])

    kind, body = (await scene.read_events())[-1]
    assert (kind, body["error"]["code"]) == ("turn.failed", "upstream.timeout")
    assert 0 < spent < 10


async def test_next_attempt_after_a_lost_engine_calls_nothing_twice(scene: Scene) -> None:
    lost = asyncio.create_task(scene.answer(call("list_accounts", said="Смотрю. "), [asyncio.Event()]))
    await asyncio.wait_for(wait_for_prompts(scene, 2), 5)
    lost.cancel()
    await asyncio.wait([lost])
    await run_in_database(lose_engine, scene.talk)

    await scene.answer(say("У вас два счёта."))

    assert describe(scene.last_prompt)[-2:] == [("assistant", "list_accounts"), ("function", "ok")]
    assert await run_in_database(StoredCall.objects.count) == 1
    kinds = [kind for kind, _body in await scene.read_events()]
    assert (kinds.count("msg.reset"), kinds.count("function.started")) == (1, 1)
    assert await scene.read_end() == ("turn.completed", "У вас два счёта.")


async def wait_for_prompts(scene: Scene, count: int) -> None:
    while len(scene.upstream.prompts) < count:
        scene.upstream.opened.clear()
        await scene.upstream.opened.wait()


def lose_engine(talk: Talk) -> None:
    Turn.objects.filter(pk=talk.turn.pk).update(lease_until=timezone.now())
    assert recover_lost_runs("another-engine") == 1
    talk.claimed = claim_one()


async def test_call_of_a_turn_taken_over_meanwhile_ends_silently(scene: Scene) -> None:
    gate = asyncio.Event()
    running = asyncio.create_task(scene.answer([gate, *call("list_accounts")]))
    await asyncio.wait_for(scene.upstream.opened.wait(), 5)
    await run_in_database(move_fence, scene.talk)

    gate.set()
    await asyncio.wait_for(running, 10)

    assert await run_in_database(StoredCall.objects.count) == 0
    assert [kind for kind, _body in await scene.read_events()][-1] == "turn.started"


def move_fence(talk: Talk) -> None:
    conversation = talk.turn.conversation
    conversation.fence += 1
    conversation.save(update_fields=["fence"])


async def test_error_of_the_model_is_not_taken_for_a_broken_call(scene: Scene) -> None:
    error: GigaChatError = StreamBroken()

    await scene.answer([TextDelta("Сей"), error])

    assert len(scene.upstream.prompts) == 1
    assert (await scene.read_end()) == ("turn.failed", "Сей")
