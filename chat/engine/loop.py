"""One run: ask the model, carry out its calls, commit what it says, end the turn. Fits on a screen."""

import asyncio
import logging
from dataclasses import asdict, dataclass, replace

from django.conf import settings

from audit.log_context import bind
from chat.engine.answer import AnswerLog
from chat.engine.attachments import list_copies
from chat.engine.committer import Committer
from chat.engine.correcting import correct_figures, render
from chat.engine.dialogue import Dialogue, Spoken
from chat.engine.persistence import persist
from chat.engine.preparing import prepare_dialogue
from chat.engine.prompt import describe_prompt
from chat.engine.rules import BROKEN_CALL_NOTE
from chat.engine.speaking import ask_model
from chat.engine.tallies import ODDITIES
from chat.engine.upstream import ShortCalls, Upstream
from chat.errors import RunLost
from chat.gigachat.errors import (
    CallLeaked,
    CallMalformed,
    ContextTooLong,
    FileLost,
    GigaChatError,
    RequestRefused,
    ServiceTimeout,
)
from chat.gigachat.types import FinishReason, FunctionCall
from chat.protocol.codes import ErrorCode
from chat.services.calls import take_call
from chat.services.claims import ClaimedRun
from chat.services.copies import lose_copies
from chat.services.runs import RunFailure, RunResult, fail_run, finish_run, take_back_text

logger = logging.getLogger(__name__)

# What the phone is told, by what the customer can do. Anything else GigaChat does is "unavailable".
ERROR_CODES: dict[type[GigaChatError], ErrorCode] = {
    ServiceTimeout: ErrorCode.UPSTREAM_TIMEOUT,
    ContextTooLong: ErrorCode.UPSTREAM_CONTEXT,
    RequestRefused: ErrorCode.SERVER_INTERNAL,
}
# The phone's word for GigaChat's reason.
FINISHES = {FinishReason.STOP: "stop", FinishReason.LENGTH: "length", FinishReason.BLACKLIST: "blocked"}

# None: the customer is asked, and another run goes on with the answer.
End = RunResult | RunFailure | None


@dataclass(frozen=True, slots=True)
class Workbench:
    """What every run of an engine shares."""

    engine: str
    upstream: Upstream
    short_calls: ShortCalls
    committer: Committer


async def run_turn(claimed: ClaimedRun, bench: Workbench) -> bool:
    """Answer one claimed turn to its end, or until it waits for the customer; never raises but for cancellation.

    Returns False for a run that lost its turn: it stops silently, whoever took the turn has told the phone.
    """
    answer = AnswerLog(claimed)
    with bind(conversation_id=str(claimed.conversation_id), turn_id=str(claimed.turn_id)):
        try:
            end = await answer_turn(claimed, bench, answer)
            if end is not None:
                await end_turn(claimed, bench, answer, end)
        except RunLost:
            logger.info("turn was taken over", extra={"attempt": claimed.attempt})
            return False
    return True


async def answer_turn(claimed: ClaimedRun, bench: Workbench, answer: AnswerLog) -> End:
    """Stream the answer into the log and say how it ended. Raises: RunLost"""
    seconds_left = max(0.0, settings.ENGINE_TURN_SECONDS - claimed.spent_seconds)
    try:
        async with asyncio.timeout(seconds_left):
            return await answer_with_files(claimed, bench, answer, seconds_left)
    except GigaChatError as error:
        logger.warning("model call failed", extra={"error": error.code})
        return RunFailure(text="", error=get_error_code(error), reason=error.code)
    except TimeoutError:
        return RunFailure(text="", error=ErrorCode.UPSTREAM_TIMEOUT, reason="turn_deadline")
    except RunLost:
        raise
    except Exception as error:
        # The edge of a task: an unknown fault must still end the turn, or the customer waits for ever.
        logger.exception("run failed", extra={"error": type(error).__name__})
        return RunFailure(text="", error=ErrorCode.SERVER_INTERNAL, reason=type(error).__name__)


async def answer_with_files(claimed: ClaimedRun, bench: Workbench, answer: AnswerLog, seconds_left: float) -> End:
    """Talk with the model; when it has lost a file, upload all of them again and begin once more."""
    dialogue = await prepare_dialogue(claimed, bench.short_calls, engine=bench.engine, seconds_left=seconds_left)
    try:
        return await converse(dialogue, bench, answer)
    except FileLost as error:
        logger.warning("uploading files again", extra={"error": error.code})
        await persist(lose_copies, list_copies(dialogue.prompt))
    dialogue = await prepare_dialogue(claimed, bench.short_calls, engine=bench.engine, seconds_left=seconds_left)
    return await converse(dialogue, bench, answer)


async def converse(dialogue: Dialogue, bench: Workbench, answer: AnswerLog) -> End:
    """Ask until the model ends its answer or the customer must be asked. Raises: GigaChatError, RunLost"""
    while True:
        kept = answer.text
        try:
            spoken = await ask_model(dialogue, bench.upstream, bench.committer, answer)
        except (CallMalformed, CallLeaked):
            if dialogue.was_broken:
                raise
            await forgive_broken_call(dialogue, answer, kept)
            continue
        await answer.wait_until_drained()
        if spoken.call is not None:
            end, is_over = await carry_out_call(dialogue, bench, answer, spoken, spoken.call)
            if is_over:
                return end
        elif is_broken(spoken) and not dialogue.was_broken:
            await forgive_broken_call(dialogue, answer, kept)
        else:
            return await close_answer(dialogue, bench, answer, spoken)


async def close_answer(dialogue: Dialogue, bench: Workbench, answer: AnswerLog, spoken: Spoken) -> End:
    """Return how the model ended its answer, once what it says was looked at."""
    end = describe_end(dialogue, spoken)
    if isinstance(end, RunFailure):
        return end
    if dialogue.results and not answer.text and end.replacement is None:
        bench.committer.add(answer, render(dialogue))
        return end
    return await correct_figures(dialogue, bench.upstream, spoken, answer.text, end)


async def carry_out_call(
    dialogue: Dialogue, bench: Workbench, answer: AnswerLog, spoken: Spoken, call: FunctionCall
) -> tuple[End, bool]:
    """Do what the model asks for; return how the run ends and whether it does. Raises: RunLost"""
    if not dialogue.may_call:
        return end_flood(dialogue, bench, answer), True
    taken = await persist(
        take_call,
        dialogue.claimed,
        dialogue.build_request(spoken, call),
        dialogue.spent,
        engine=bench.engine,
        describe=lambda result: describe_prompt(dialogue.build_next(spoken, call, result)),
    )
    if taken.result is None:
        return None, True
    dialogue.add_result(spoken, call, taken)
    return None, False


def end_flood(dialogue: Dialogue, bench: Workbench, answer: AnswerLog) -> End:
    """End a turn whose model calls although it must not: what was found out is shown by us."""
    ODDITIES["unwanted_calls"] += 1
    if not dialogue.results:
        return RunFailure(text="", error=ErrorCode.UPSTREAM_UNAVAILABLE, reason="unwanted_call")
    gap = "\n\n" if answer.text else ""
    bench.committer.add(answer, gap + render(dialogue))
    return RunResult(**asdict(dialogue.spent), finish_reason=FINISHES[FinishReason.STOP])


def is_broken(spoken: Spoken) -> bool:
    return spoken.finished is not None and spoken.finished.reason == FinishReason.ERROR


async def forgive_broken_call(dialogue: Dialogue, answer: AnswerLog, kept: str) -> None:
    """Let the model try once more after a call that nobody could read; what it wrote of it is taken back.

    kept  the text that was shown before
    """
    ODDITIES["broken_calls"] += 1
    dialogue.was_broken = True
    dialogue.add_note(BROKEN_CALL_NOTE)
    await answer.wait_until_drained()
    if answer.text != kept:
        answer.rewind(kept, await persist(take_back_text, dialogue.claimed, kept))


def describe_end(dialogue: Dialogue, spoken: Spoken) -> RunResult | RunFailure:
    """Translate the model's own ending; the text is added once it is committed."""
    finished = spoken.finished
    finish = FINISHES.get(finished.reason) if finished else None
    if finished is None or finish is None:
        reason = f"finish_{finished.reason}" if finished else "finish_missing"
        request_id = spoken.request_id
        return RunFailure(text="", error=ErrorCode.UPSTREAM_UNAVAILABLE, reason=reason, upstream_request_id=request_id)
    is_blocked = finished.reason == FinishReason.BLACKLIST
    return RunResult(
        **asdict(dialogue.spent),
        finish_reason=finish,
        replacement=(finished.replacement or "") if is_blocked else None,
    )


async def end_turn(claimed: ClaimedRun, bench: Workbench, answer: AnswerLog, end: RunResult | RunFailure) -> None:
    """Wait until every piece is committed, then write the turn's end with exactly that text. Raises: RunLost"""
    await answer.wait_until_drained()
    if isinstance(end, RunResult):
        await persist(finish_run, claimed, replace(end, text=answer.text), engine=bench.engine)
    else:
        await persist(fail_run, claimed, replace(end, text=answer.text), engine=bench.engine)


def get_error_code(error: GigaChatError) -> ErrorCode:
    matches = (code for kind, code in ERROR_CODES.items() if isinstance(error, kind))
    return next(matches, ErrorCode.UPSTREAM_UNAVAILABLE)
