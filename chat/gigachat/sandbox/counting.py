"""Token counts and the prompt cache: deterministic stand-ins for a tokenizer and for the service's prefix cache."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chat.gigachat.sandbox.schema import CompletionIn

_CHARACTERS_PER_TOKEN = 4
_TOKENS_PER_MESSAGE = 4
# Measured on the service: a cached prefix lives about this long after its last hit.
_CACHE_SECONDS = 30.0
_CACHE_SESSIONS = 10_000


def count_tokens(text: str) -> int:
    """Return about a quarter of the characters, at least 1; 10 characters are 2 tokens, as recorded."""
    return max(1, len(text) // _CHARACTERS_PER_TOKEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageOut:
    prompt_tokens: int
    completion_tokens: int
    precached_prompt_tokens: int

    def to_json(self) -> dict[str, Any]:
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.prompt_tokens + self.completion_tokens,
            "precached_prompt_tokens": self.precached_prompt_tokens,
        }


@dataclass(frozen=True, slots=True)
class PromptPart:
    """One message (or the function list) of a prompt."""

    digest: bytes
    tokens: int


def build_prompt_parts(request: CompletionIn) -> list[PromptPart]:
    texts = [message.model_dump_json() for message in request.messages]
    sizes = [_TOKENS_PER_MESSAGE + count_tokens(message.content) for message in request.messages]
    if request.functions:
        listed = "".join(function.model_dump_json() for function in request.functions)
        texts.insert(0, listed)
        sizes.insert(0, count_tokens(listed))
    return [
        PromptPart(hashlib.blake2b(text.encode(), digest_size=16).digest(), size)
        for text, size in zip(texts, sizes, strict=True)
    ]


class PromptCache:
    """Remembers the last prompt of each session; a repeated prefix counts as cached."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._sessions: OrderedDict[str, tuple[float, list[PromptPart]]] = OrderedDict()

    def count_cached(self, session_key: str, parts: list[PromptPart]) -> int:
        """Return the tokens of the prefix shared with the session's previous prompt, and remember this one."""
        now = self._clock()
        stored_at, previous = self._sessions.pop(session_key, (0.0, []))
        self._sessions[session_key] = (now, parts)
        if len(self._sessions) > _CACHE_SESSIONS:
            self._sessions.popitem(last=False)
        if now - stored_at > _CACHE_SECONDS:
            return 0
        cached = 0
        for part, known in zip(parts, previous, strict=False):
            if part.digest != known.digest:
                break
            cached += part.tokens
        return cached
