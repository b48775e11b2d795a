"""One request to the model: its words on the way into the log, its call or its end for whoever drives the run."""

import logging

from chat.engine.answer import AnswerLog
from chat.engine.attachments import blame_document
from chat.engine.committer import Committer
from chat.engine.dialogue import Dialogue, Spoken
from chat.engine.tallies import ODDITIES
from chat.engine.upstream import Upstream
from chat.gigachat.catalogue import calls_for_fallback
from chat.gigachat.errors import GigaChatError, ParametersRefused
from chat.gigachat.types import Finished, FunctionCall, Prompt, TextDelta
from functions.privacy.restoring import Restorer

logger = logging.getLogger(__name__)


async def ask_model(dialogue: Dialogue, upstream: Upstream, committer: Committer, answer: AnswerLog) -> Spoken:
    """Ask the dialogue's model, or its fallback when the first one cannot be had at all.

    Raises: GigaChatError, RunLost
    """
    try:
        spoken = await stream_answer(dialogue, upstream, committer, answer)
    except GigaChatError as error:
        is_other_model = dialogue.fallback_model not in ("", dialogue.prompt.model)
        if not (is_other_model and calls_for_fallback(error)):
            raise
        logger.warning("asking the fallback model", extra={"error": error.code, "model": dialogue.fallback_model})
        dialogue.use_fallback()
        spoken = await stream_answer(dialogue, upstream, committer, answer)
    dialogue.note_spent(spoken)
    return spoken


async def stream_answer(dialogue: Dialogue, upstream: Upstream, committer: Committer, answer: AnswerLog) -> Spoken:
    prompt = dialogue.prompt
    restorer = dialogue.privacy.open_restorer()
    restore = restorer.feed
    said: list[str] = []
    call, finished = None, None
    try:
        async with upstream.stream(prompt) as completion:
            async for parts in completion:
                for part in parts:
                    if isinstance(part, TextDelta):
                        said.append(part.text)
                        if text := restore(part.text):
                            committer.add(answer, text)
                    elif isinstance(part, FunctionCall):
                        call = part
                    elif isinstance(part, Finished):
                        finished = part
                if not answer.has_room:
                    await answer.wait_for_room()
            close_restorer(restorer)
            return Spoken("".join(said), call, finished, completion.request_id)
    except ParametersRefused as error:
        raise blame_document(prompt, error) from None


async def ask_unheard(dialogue: Dialogue, prompt: Prompt, upstream: Upstream) -> str:
    """Ask something whose answer nobody hears while it is written; return it as people may read it.

    Raises: GigaChatError
    """
    restorer = dialogue.privacy.open_restorer()
    said: list[str] = []
    finished = None
    async with upstream.stream(prompt) as completion:
        async for parts in completion:
            said += [part.text for part in parts if isinstance(part, TextDelta)]
            finished = next((part for part in parts if isinstance(part, Finished)), finished)
        dialogue.note_spent(Spoken("", None, finished, completion.request_id))
    text = restorer.feed("".join(said))
    close_restorer(restorer)
    return text


def close_restorer(restorer: Restorer) -> None:
    restorer.flush()
    ODDITIES["placeholders"] += restorer.unknown
