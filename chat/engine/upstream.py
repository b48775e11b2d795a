"""The seam to the model: what the engine needs of a client. Tests put their own here."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from chat.gigachat.rest_types import ModelInfo, TokenCount, UploadedFile
from chat.gigachat.types import Prompt, StreamPart


class Completion(Protocol):
    """One answer: iterating yields what each network read held; `request_id` is the provider's own."""

    @property
    def request_id(self) -> str: ...

    def __aiter__(self) -> AsyncIterator[tuple[StreamPart, ...]]: ...


class Upstream(Protocol):
    """`chat.gigachat.client.GigaChatClient` in production."""

    def stream(self, prompt: Prompt) -> AbstractAsyncContextManager[Completion]: ...

    async def aclose(self) -> None: ...


class ShortCalls(Protocol):
    """`chat.gigachat.rest.RestClient` in production: calls that block, each for a thread of its own."""

    def list_models(self) -> Iterable[ModelInfo]: ...

    def count_tokens(self, texts: Sequence[str], *, model: str) -> Sequence[TokenCount]: ...

    def upload_file(self, content: bytes, *, filename: str, mime: str, client_id: str) -> UploadedFile: ...


class FileCalls(Protocol):
    """`chat.gigachat.rest.RestClient` in production: what the sweeper needs."""

    def list_files(self, *, client_id: str) -> Sequence[UploadedFile]: ...

    def delete_file(self, file_id: str, *, client_id: str) -> None: ...
