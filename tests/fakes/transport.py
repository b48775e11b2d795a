"""A phone's wire at the session's seam: keeps what was sent, can be made to block."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import orjson


@dataclass(slots=True)
class RecordedTransport:
    frames: list[dict[str, Any]] = field(default_factory=list)
    closed_with: tuple[int, str] | None = None
    gate: asyncio.Event | None = None
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def send_text(self, text: str) -> None:
        if self.gate is not None:
            await self.gate.wait()
        self.frames.append(orjson.loads(text))
        async with self.arrived:
            self.arrived.notify_all()

    async def close(self, code: int, reason: str) -> None:
        self.closed_with = (code, reason)

    async def wait_for_frames(self, number: int) -> list[dict[str, Any]]:
        """Return the frames once there are `number` of them; at most 5 s."""
        async with asyncio.timeout(5), self.arrived:
            await self.arrived.wait_for(lambda: len(self.frames) >= number)
        return self.frames
