"""A scripted model at the engine's seam: says its pieces, waits where told, and notes that it was closed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from chat.gigachat.errors import GigaChatError
from chat.gigachat.rest_types import ModelInfo, TokenCount, UploadedFile
from chat.gigachat.types import Finished, FinishReason, Prompt, StreamPart, TextDelta, Usage

STOP = Finished(
    reason=FinishReason.STOP,
    usage=Usage(prompt_tokens=17, completion_tokens=3, total_tokens=20, precached_prompt_tokens=2),
    model="GigaChat-2:1",
)


@dataclass(slots=True)
class ScriptedStream:
    """What one answer yields: parts, errors to raise, and events to wait for, in order."""

    script: Sequence[StreamPart | Exception | asyncio.Event]
    request_id: str = "upstream-1"

    async def __aiter__(self) -> AsyncIterator[tuple[StreamPart, ...]]:
        for step in self.script:
            if isinstance(step, asyncio.Event):
                await step.wait()
            elif isinstance(step, Exception):
                raise step
            else:
                yield (step,)


@dataclass(slots=True)
class ScriptedCalls:
    """Counts four characters as a token, or fails as told."""

    error: GigaChatError | None = None
    counted: list[str] = field(default_factory=list)
    models: Sequence[str] = ("GigaChat-2", "GigaChat-2-Max")
    uploaded: list[tuple[bytes, str, str, str]] = field(default_factory=list)

    def list_models(self) -> Sequence[ModelInfo]:
        return [ModelInfo(name=name, kind="chat") for name in self.models]

    def count_tokens(self, texts: Sequence[str], *, model: str) -> Sequence[TokenCount]:
        if self.error is not None:
            raise self.error
        self.counted += texts
        return [TokenCount(tokens=len(text) // 4, characters=len(text)) for text in texts]

    def upload_file(self, content: bytes, *, filename: str, mime: str, client_id: str) -> UploadedFile:
        if self.error is not None:
            raise self.error
        self.uploaded.append((content, filename, mime, client_id))
        return UploadedFile(file_id=f"file-{len(self.uploaded)}", size_bytes=len(content), created_at=0)


@dataclass(slots=True)
class ScriptedUpstream:
    """Answers every prompt with the same script, but for models it was told to refuse.

    scripts  one for each prompt in turn; the last one also answers whatever comes after
    """

    script: Sequence[StreamPart | Exception | asyncio.Event] = (TextDelta("Курс — "), TextDelta("98,40 ₽"), STOP)
    scripts: Sequence[Sequence[StreamPart | Exception | asyncio.Event]] = ()
    refusals: dict[str, GigaChatError] = field(default_factory=dict)
    prompts: list[Prompt] = field(default_factory=list)
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    open_streams: int = 0
    most_open: int = 0
    two_open: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def stream(self, prompt: Prompt) -> AsyncIterator[ScriptedStream]:
        self.prompts.append(prompt)
        self.open_streams += 1
        self.most_open = max(self.most_open, self.open_streams)
        self.opened.set()
        if self.open_streams == 2:
            self.two_open.set()
        try:
            if prompt.model in self.refusals:
                raise self.refusals[prompt.model]
            yield ScriptedStream(self.choose_script())
        finally:
            self.open_streams -= 1
            self.closed.set()

    def choose_script(self) -> Sequence[StreamPart | Exception | asyncio.Event]:
        return self.scripts[min(len(self.prompts), len(self.scripts)) - 1] if self.scripts else self.script

    async def aclose(self) -> None:
        return None
