"""A scripted model at the engine's seam: says its pieces, waits where told, and notes that it was closed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

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
class ScriptedUpstream:
    """Answers every prompt with the same script."""

    script: Sequence[StreamPart | Exception | asyncio.Event] = (TextDelta("Курс — "), TextDelta("98,40 ₽"), STOP)
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
            yield ScriptedStream(self.script)
        finally:
            self.open_streams -= 1
            self.closed.set()

    async def aclose(self) -> None:
        return None
