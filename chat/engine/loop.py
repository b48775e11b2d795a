"""One run: ask the model, commit what it says, end the turn. Fits on a screen."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.conf import settings

from audit.log_context import bind
from chat.engine.answer import AnswerLog
from chat.engine.attachments import attach_files, blame_document, list_copies
from chat.engine.committer import Committer
from chat.engine.persistence import persist
from chat.engine.prompt import build_prompt, describe_prompt, list_uncounted, trim_history
from chat.engine.upstream import ShortCalls, Upstream
from chat.errors import RunLost
from chat.gigachat.catalogue import calls_for_fallback
from chat.gigachat.errors import (
    ContextTooLong,
    FileLost,
    GigaChatError,
    ParametersRefused,
    RequestRefused,
    ServiceTimeout,
)
from chat.gigachat.types import Finished, FinishReason, Prompt, TextDelta
from chat.models import AssistantProfile, Message
from chat.protocol.codes import ErrorCode
from chat.selectors import get_default_profile, list_prompt_history
from chat.services.claims import ClaimedRun
from chat.services.copies import lose_copies
from chat.services.runs import RunFailure, RunResult, fail_run, finish_run, record_model_call, store_token_counts

logger = logging.getLogger(__name__)

# What the phone is told, by what the customer can do. Anything else GigaChat does is "unavailable".
ERROR_CODES: dict[type[GigaChatError], ErrorCode] = {
    ServiceTimeout: ErrorCode.UPSTREAM_TIMEOUT,
    ContextTooLong: ErrorCode.UPSTREAM_CONTEXT,
    RequestRefused: ErrorCode.SERVER_INTERNAL,
}
# The phone's word for GigaChat's reason.
FINISHES = {FinishReason.STOP: "stop", FinishReason.LENGTH: "length", FinishReason.BLACKLIST: "blocked"}


@dataclass(frozen=True, slots=True)
class Workbench:
    """What every run of an engine shares."""

    engine: str
    upstream: Upstream
    short_calls: ShortCalls
    committer: Committer


@dataclass(frozen=True, slots=True)
class Question:
    """What the model is asked, and which model is asked instead when it cannot be had."""

    prompt: Prompt
    fallback_model: str = ""


async def run_turn(claimed: ClaimedRun, bench: Workbench) -> bool:
    """Answer one claimed turn to its end; never raises but for cancellation.

    Returns False for a run that lost its turn: it stops silently, whoever took the turn has told the phone.
    """
    answer = AnswerLog(claimed)
    with bind(conversation_id=str(claimed.conversation_id), turn_id=str(claimed.turn_id)):
        try:
            await end_turn(claimed, bench, answer, await answer_turn(claimed, bench, answer))
        except RunLost:
            logger.info("turn was taken over", extra={"attempt": claimed.attempt})
            return False
    return True


async def answer_turn(claimed: ClaimedRun, bench: Workbench, answer: AnswerLog) -> RunResult | RunFailure:
    """Stream the answer into the log and say how it ended. Raises: RunLost"""
    try:
        async with asyncio.timeout(settings.ENGINE_TURN_SECONDS):
            question = await prepare_question(claimed, bench)
            try:
                return await ask_model(question, bench, answer)
            except FileLost as error:
                logger.warning("uploading files again", extra={"error": error.code})
                await persist(lose_copies, list_copies(question.prompt))
            question = await prepare_question(claimed, bench)
            return await ask_model(question, bench, answer)
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


async def ask_model(question: Question, bench: Workbench, answer: AnswerLog) -> RunResult | RunFailure:
    """Ask the profile's model, or its fallback when the first one cannot be had at all. Raises: RunLost"""
    try:
        return describe_end(question.prompt.model, *await stream_answer(question.prompt, bench, answer))
    except GigaChatError as error:
        is_other_model = question.fallback_model not in ("", question.prompt.model)
        if not (is_other_model and calls_for_fallback(error)):
            raise
        logger.warning("asking the fallback model", extra={"error": error.code, "model": question.fallback_model})
    prompt = replace(question.prompt, model=question.fallback_model)
    return describe_end(prompt.model, *await stream_answer(prompt, bench, answer))


async def stream_answer(prompt: Prompt, bench: Workbench, answer: AnswerLog) -> tuple[str, Finished | None]:
    finished = None
    try:
        async with bench.upstream.stream(prompt) as completion:
            async for parts in completion:
                for part in parts:
                    if isinstance(part, TextDelta):
                        bench.committer.add(answer, part.text)
                    elif isinstance(part, Finished):
                        finished = part
                await answer.wait_for_room()
            return completion.request_id, finished
    except ParametersRefused as error:
        raise blame_document(prompt, error) from None


def describe_end(model: str, request_id: str, finished: Finished | None) -> RunResult | RunFailure:
    """Translate the model's own ending; the text is added once it is committed."""
    finish = FINISHES.get(finished.reason) if finished else None
    if finished is None or finish is None:
        reason = f"finish_{finished.reason}" if finished else "finish_missing"
        return RunFailure(text="", error=ErrorCode.UPSTREAM_UNAVAILABLE, reason=reason, upstream_request_id=request_id)
    usage = finished.usage
    return RunResult(
        text="",
        finish_reason=finish,
        model=model,
        replacement=(finished.replacement or "") if finished.reason == FinishReason.BLACKLIST else None,
        upstream_request_id=request_id,
        prompt_tokens=usage.prompt_tokens if usage else None,
        completion_tokens=usage.completion_tokens if usage else None,
        cached_tokens=usage.precached_prompt_tokens if usage else None,
    )


async def end_turn(claimed: ClaimedRun, bench: Workbench, answer: AnswerLog, end: RunResult | RunFailure) -> None:
    """Wait until every piece is committed, then write the turn's end with exactly that text. Raises: RunLost"""
    await answer.wait_until_drained()
    if isinstance(end, RunResult):
        await persist(finish_run, claimed, replace(end, text=answer.text), engine=bench.engine)
    else:
        await persist(fail_run, claimed, replace(end, text=answer.text), engine=bench.engine)


async def prepare_question(claimed: ClaimedRun, bench: Workbench) -> Question:
    """Read the history, build the prompt within its budget and record what is about to be asked."""
    history, profile = await persist(read_history, claimed)
    uncounted = list_uncounted(history, profile.history_tokens)
    if uncounted:
        await count_tokens(claimed, uncounted, bench)
    kept = trim_history(history, profile.history_tokens)
    attached = await attach_files(claimed, kept, bench.short_calls, engine=bench.engine)
    prompt = build_prompt(claimed, history, profile, secret=settings.SECRET_KEY, attached=attached)
    await persist(record_model_call, claimed, describe_prompt(prompt), engine=bench.engine)
    return Question(prompt, profile.fallback_model)


def read_history(claimed: ClaimedRun) -> tuple[list[Message], AssistantProfile]:
    return list_prompt_history(claimed.turn_id), get_default_profile()


async def count_tokens(claimed: ClaimedRun, messages: Sequence[Message], bench: Workbench) -> None:
    """Let the provider count and keep the counts; when it cannot, the careful guess stands."""
    texts = [message.text for message in messages]
    try:
        counts = await asyncio.to_thread(bench.short_calls.count_tokens, texts, model=claimed.model)
    except GigaChatError as error:
        logger.warning("counting tokens failed", extra={"error": error.code})
        return
    for message, count in zip(messages, counts, strict=True):
        message.token_count = count.tokens
    await persist(store_token_counts, messages)


def get_error_code(error: GigaChatError) -> ErrorCode:
    matches = (code for kind, code in ERROR_CODES.items() if isinstance(error, kind))
    return next(matches, ErrorCode.UPSTREAM_UNAVAILABLE)
