"""The seam to the model: one shared client per process, made from the settings. Tests put their own here."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from chat.gigachat.completion import CompletionStream
from chat.gigachat.types import Prompt


class Upstream(Protocol):
    """What the engine needs of a client."""

    def stream(self, prompt: Prompt) -> AbstractAsyncContextManager[CompletionStream]: ...

    async def aclose(self) -> None: ...
