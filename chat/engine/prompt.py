"""History → prompt within a budget. Pure."""

import hashlib
import hmac
from collections.abc import Sequence
from uuid import UUID

from chat.enums import Role
from chat.gigachat.types import Prompt, PromptMessage, PromptRole
from chat.models import Message
from chat.protocol.frames import digest_text
from chat.services.claims import ClaimedRun
from chat.services.runs import ModelCall

# About a third of a 128k-token window in Russian text; the rest is for the answer and for functions.
MAX_HISTORY_CHARS = 120_000

INSTRUCTIONS = (
    "Ты — помощник банка в мобильном приложении. Отвечай на языке вопроса, вежливо, коротко и по делу. "
    "Если чего-то не знаешь, скажи об этом прямо. Не выдумывай суммы, даты, тарифы и сведения о клиенте. "
    "Никогда не проси пароль, код из сообщения, полный номер карты или её код."
)

ROLES = {Role.USER: PromptRole.USER, Role.ASSISTANT: PromptRole.ASSISTANT}


def build_prompt(claimed: ClaimedRun, history: Sequence[Message], *, secret: str) -> Prompt:
    """Return the question to the model with as much history as fits.

    history  finished messages of the conversation, oldest first, the customer's new one last
    secret   keys the customer's pseudonym
    """
    kept = trim_history(history, MAX_HISTORY_CHARS)
    said = tuple(PromptMessage(role=ROLES[Role(message.role)], content=message.text) for message in kept)
    return Prompt(
        model=claimed.model,
        messages=(PromptMessage(role=PromptRole.SYSTEM, content=INSTRUCTIONS), *said),
        session_id=str(claimed.conversation_id),
        client_id=build_pseudonym(claimed.customer_id, secret),
        request_id=str(claimed.run_id),
    )


def trim_history(history: Sequence[Message], max_chars: int) -> list[Message]:
    """Drop the oldest messages until the rest fits; the newest one always stays, and a question comes first."""
    kept: list[Message] = []
    used = 0
    for message in reversed(history):
        used += len(message.text)
        if kept and used > max_chars:
            break
        kept.append(message)
    kept.reverse()
    while len(kept) > 1 and kept[0].role != Role.USER:
        kept.pop(0)
    return kept


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
