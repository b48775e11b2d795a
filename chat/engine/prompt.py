"""History → prompt within a budget of tokens. Pure."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from uuid import UUID

from chat.enums import Role
from chat.gigachat.types import Attachment, Prompt, PromptMessage, PromptRole
from chat.models import AssistantProfile, Message
from chat.protocol.frames import digest_text
from chat.services.claims import ClaimedRun
from chat.services.runs import ModelCall

ROLES = {Role.USER: PromptRole.USER, Role.ASSISTANT: PromptRole.ASSISTANT}
# Told to the model when older messages do not fit, so that it does not claim to remember them.
TRIMMED_NOTE = "Начало беседы опущено, потому что не помещается: если клиент на него ссылается, переспроси."
# A token of GigaChat is at least one character; guessing so can only keep too little, never too much.
LEAST_CHARS_PER_TOKEN = 1


def build_prompt(
    claimed: ClaimedRun,
    history: Sequence[Message],
    profile: AssistantProfile,
    *,
    secret: str,
    attached: Mapping[UUID, tuple[Attachment, ...]] = MappingProxyType({}),
) -> Prompt:
    """Return the question to the model with as much history as fits.

    history  finished messages of the conversation, oldest first, the customer's new one last
    secret   keys the customer's pseudonym
    attached  copies of the messages' files at the provider, by message
    """
    kept = trim_history(history, profile.history_tokens)
    note = f"\n\n{TRIMMED_NOTE}" if len(kept) < len(history) else ""
    said = tuple(
        PromptMessage(role=ROLES[Role(message.role)], content=message.text, attachments=attached.get(message.pk, ()))
        for message in kept
    )
    return Prompt(
        model=claimed.model,
        messages=(PromptMessage(role=PromptRole.SYSTEM, content=profile.instructions + note), *said),
        session_id=str(claimed.conversation_id),
        client_id=build_pseudonym(claimed.customer_id, secret),
        request_id=str(claimed.run_id),
        temperature=profile.temperature,
        top_p=profile.top_p,
        max_tokens=profile.max_tokens,
        repetition_penalty=profile.repetition_penalty,
        update_interval=profile.update_interval,
    )


def trim_history(history: Sequence[Message], max_tokens: int) -> list[Message]:
    """Drop the oldest messages until the rest fits; the newest one always stays, and a question comes first."""
    kept: list[Message] = []
    used = 0
    for message in reversed(history):
        used += guess_tokens(message) if message.token_count is None else message.token_count
        if kept and used > max_tokens:
            break
        kept.append(message)
    kept.reverse()
    while len(kept) > 1 and kept[0].role != Role.USER:
        kept.pop(0)
    return kept


def list_uncounted(history: Sequence[Message], max_tokens: int) -> list[Message]:
    """Return the messages whose tokens must be counted before trimming: none while even the guess fits."""
    guess = sum(guess_tokens(message) if message.token_count is None else message.token_count for message in history)
    return [message for message in history if message.token_count is None] if guess > max_tokens else []


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
