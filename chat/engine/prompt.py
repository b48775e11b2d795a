"""History, calls of functions and their results → prompt within a budget of tokens. Pure."""

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any
from uuid import UUID

import orjson

from chat.enums import Role
from chat.gigachat.encoding import build_result_message
from chat.gigachat.types import (
    Attachment,
    FunctionCall,
    FunctionDefinition,
    FunctionExample,
    Prompt,
    PromptMessage,
    PromptRole,
)
from chat.gigachat.validation import FUNCTION_NAME
from chat.models import AssistantProfile, Message
from chat.protocol.frames import digest_text
from chat.services.claims import ClaimedRun
from chat.services.runs import ModelCall
from functions.selectors import StoredCall

ROLES = {Role.USER: PromptRole.USER, Role.ASSISTANT: PromptRole.ASSISTANT}
# Told to the model when older messages do not fit, so that it does not claim to remember them.
TRIMMED_NOTE = "Начало беседы опущено, потому что не помещается: если клиент на него ссылается, переспроси."
# A token of GigaChat is at least one character; guessing so can only keep too little, never too much.
LEAST_CHARS_PER_TOKEN = 1
# What a call is named to the provider when its model made up a name the provider itself would refuse.
UNSPEAKABLE = "unknown_function"

Calls = Mapping[UUID, Sequence[StoredCall]]
NO_CALLS: Calls = MappingProxyType({})


def leave_as_is(text: str) -> str:
    return text


def build_prompt(
    claimed: ClaimedRun,
    history: Sequence[Message],
    profile: AssistantProfile,
    *,
    secret: str,
    attached: Mapping[UUID, tuple[Attachment, ...]] = MappingProxyType({}),
    calls: Calls = NO_CALLS,
    functions: tuple[FunctionDefinition, ...] = (),
    notes: Sequence[str] = (),
    mask: Callable[[str], str] = leave_as_is,
) -> Prompt:
    """Return the question to the model with as much history as fits.

    history   finished messages of the conversation, oldest first, the customer's new one last
    secret    keys the customer's pseudonym
    attached  copies of the messages' files at the provider, by message
    calls     finished calls by turn, in order; they go along with their turn's question, or not at all
    notes     what the model is told besides its instructions
    mask      makes a text readable for the provider
    """
    kept = trim_history(history, profile.history_tokens, calls)
    told = [profile.instructions, *notes, *([TRIMMED_NOTE] if len(kept) < len(history) else [])]
    said = [
        part
        for message in kept
        for part in build_parts(message, attached.get(message.pk, ()), calls.get(message.turn_id, ()), mask)
    ]
    return Prompt(
        model=claimed.model,
        messages=(PromptMessage(role=PromptRole.SYSTEM, content="\n\n".join(told)), *said),
        session_id=str(claimed.conversation_id),
        client_id=build_pseudonym(claimed.customer_id, secret),
        request_id=str(claimed.run_id),
        temperature=profile.temperature,
        top_p=profile.top_p,
        max_tokens=profile.max_tokens,
        repetition_penalty=profile.repetition_penalty,
        update_interval=profile.update_interval,
        functions=functions,
    )


def build_parts(
    message: Message,
    attachments: tuple[Attachment, ...],
    calls: Sequence[StoredCall],
    mask: Callable[[str], str],
) -> list[PromptMessage]:
    """Return a message of the history as the model sees it; a question is followed by the calls it led to."""
    role = Role(message.role)
    if role != Role.USER:
        # What stands beside its calls is told there.
        said = "".join(call.said for call in calls)
        return [PromptMessage(role=ROLES[role], content=mask(message.text.removeprefix(said)))]
    asked = PromptMessage(role=ROLES[role], content=mask(message.text), attachments=attachments)
    return [asked, *(part for call in calls for part in build_call(call))]


def build_call(call: StoredCall) -> tuple[PromptMessage, PromptMessage]:
    """Return a call as the model made it, and what it was told."""
    asked = FunctionCall(name=call.name, arguments=call.arguments, state_id=call.state_id or None)
    return build_answered_call(asked, call.said, call.result)


def build_answered_call(call: FunctionCall, said: str, result: str) -> tuple[PromptMessage, PromptMessage]:
    """Return the model's call, unchanged, and its result; said: what the model wrote beside it, result: JSON."""
    name = call.name if FUNCTION_NAME.fullmatch(call.name) else UNSPEAKABLE
    asked = PromptMessage(role=PromptRole.ASSISTANT, content=said, function_call=replace(call, name=name))
    return asked, build_result_message(name, orjson.loads(result))


def to_definition(rendered: Mapping[str, Any]) -> FunctionDefinition:
    """Return a function as the registry renders it for the provider, in our words."""
    return FunctionDefinition(
        name=rendered["name"],
        description=rendered["description"],
        parameters=rendered["parameters"],
        few_shot_examples=tuple(
            FunctionExample(request=example["request"], params=example["params"])
            for example in rendered.get("few_shot_examples", ())
        ),
        return_parameters=rendered.get("return_parameters"),
    )


def trim_history(history: Sequence[Message], max_tokens: int, calls: Calls = NO_CALLS) -> list[Message]:
    """Drop the oldest messages until the rest fits; the newest one always stays, and a question comes first.

    A question weighs as much as the calls that go along with it, so a call is never parted from its result.
    """
    kept: list[Message] = []
    used = 0
    for message in reversed(history):
        used += weigh(message, calls)
        if kept and used > max_tokens:
            break
        kept.append(message)
    kept.reverse()
    while len(kept) > 1 and kept[0].role != Role.USER:
        kept.pop(0)
    return kept


def list_uncounted(history: Sequence[Message], max_tokens: int, calls: Calls = NO_CALLS) -> list[Message]:
    """Return the messages whose tokens must be counted before trimming: none while even the guess fits."""
    guess = sum(weigh(message, calls) for message in history)
    return [message for message in history if message.token_count is None] if guess > max_tokens else []


def weigh(message: Message, calls: Calls) -> int:
    """Return the tokens of a message, counted or guessed, and of the calls a question led to: those are guessed."""
    own = guess_tokens(message) if message.token_count is None else message.token_count
    if message.role != Role.USER:
        return own
    return own + sum(guess_call_tokens(call) for call in calls.get(message.turn_id, ()))


def guess_call_tokens(call: StoredCall) -> int:
    written = len(call.said) + len(orjson.dumps(call.arguments)) + len(call.result)
    return written // LEAST_CHARS_PER_TOKEN


def guess_tokens(message: Message) -> int:
    return len(message.text) // LEAST_CHARS_PER_TOKEN


def build_pseudonym(customer_id: UUID, secret: str) -> str:
    """Return a stable name of the customer that only the holder of `secret` can link to the person."""
    return hmac.new(secret.encode(), b"gigachat-client\0" + customer_id.bytes, hashlib.sha256).hexdigest()[:32]


def describe_prompt(prompt: Prompt) -> ModelCall:
    """Return the sizes and the digest of a prompt, for the run and the audit log."""
    joined = "\0".join(f"{message.role}\0{message.content}" for message in prompt.messages)
    return ModelCall(
        messages=len(prompt.messages),
        size_bytes=sum(len(message.content.encode()) for message in prompt.messages),
        digest=digest_text(joined),
    )
