"""The last look at an answer: figures that nothing told the model are not left standing."""

import asyncio
import logging
from dataclasses import replace
from functools import partial

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext

from accounts.local_days import to_local_date
from chat.engine.dialogue import Dialogue, Spoken
from chat.engine.rules import FIGURES_NOTE
from chat.engine.speaking import ask_unheard
from chat.engine.tallies import ANSWERS_BY_FIGURES
from chat.engine.upstream import Upstream
from chat.gigachat.errors import GigaChatError
from chat.gigachat.types import FunctionMode, Prompt, PromptMessage, PromptRole
from chat.services.runs import Correction, RunResult
from functions.figures import Figure
from functions.grounding import find_unsupported, iter_texts
from functions.rendering import render_results

logger = logging.getLogger(__name__)

# So many of the figures are named to the model; one that invents more will not be helped by a longer list.
MOST_NAMED = 20


async def correct_figures(
    dialogue: Dialogue, upstream: Upstream, spoken: Spoken, text: str, end: RunResult
) -> RunResult:
    """Return how the answer ends: as it did, or with another text because of its figures.

    spoken  the request that ended the answer
    text    the whole answer as it was shown
    """
    if settings.GROUNDING == "off" or end.replacement is not None or not dialogue.prompt.functions:
        return end
    wrong = await asyncio.to_thread(find_wrong, dialogue, text)
    ANSWERS_BY_FIGURES["checked"] += 1
    if not wrong:
        return end
    ANSWERS_BY_FIGURES["unsupported"] += 1
    logger.warning("answer has figures of its own", extra={"figures": len(wrong)})
    if settings.GROUNDING == "log":
        return end
    rewritten = await rewrite(dialogue, upstream, spoken, wrong)
    is_better = rewritten != "" and not await asyncio.to_thread(find_wrong, dialogue, rewritten)
    author = "model" if is_better else "server"
    ANSWERS_BY_FIGURES["rewritten" if is_better else "rendered"] += 1
    # What it cost is known only now.
    spent = {name: getattr(dialogue.spent, name) for name in ("prompt_tokens", "completion_tokens", "cached_tokens")}
    return replace(
        end,
        **spent,
        replacement=rewritten if is_better else render(dialogue),
        correction=Correction(len(wrong), author),
    )


def find_wrong(dialogue: Dialogue, text: str) -> tuple[Figure, ...]:
    """Return the figures of a text that nothing the model was told supports."""
    find = partial(
        find_unsupported,
        text,
        customer_texts=dialogue.customer_texts,
        payloads=dialogue.payloads,
        today=to_local_date(timezone.now(), dialogue.customer.zone),
    )
    wrong = find(results=dialogue.results)
    if not wrong or not dialogue.earlier_results:
        return wrong
    # Nothing new was looked up, or not all of it: what earlier turns found out may be repeated.
    still = set(iter_texts(find(results=[*dialogue.earlier_results, *dialogue.results])))
    return tuple(figure for figure in wrong if figure.text in still)


async def rewrite(dialogue: Dialogue, upstream: Upstream, spoken: Spoken, wrong: tuple[Figure, ...]) -> str:
    """Return the answer written once more; "" when the model cannot be had."""
    try:
        return await ask_unheard(dialogue, build_prompt(dialogue, spoken, wrong), upstream)
    except GigaChatError as error:
        logger.warning("rewriting failed", extra={"error": error.code})
        return ""


def build_prompt(dialogue: Dialogue, spoken: Spoken, wrong: tuple[Figure, ...]) -> Prompt:
    named = ", ".join(list(iter_texts(wrong))[:MOST_NAMED])
    answered = PromptMessage(role=PromptRole.ASSISTANT, content=spoken.said)
    asked = PromptMessage(role=PromptRole.USER, content=FIGURES_NOTE.format(figures=named))
    prompt = dialogue.prompt
    return replace(prompt, messages=(*prompt.messages, answered, asked), function_choice=FunctionMode.NONE)


def render(dialogue: Dialogue) -> str:
    """Return our own words, in the customer's language, for what the functions found out."""
    language = dialogue.customer.language
    if dialogue.results and (text := render_results(dialogue.results, language)):
        return text
    with translation.override(language):
        return gettext("I do not have exact figures for this. Please ask me to look them up.")
