"""The paced generator: a model named `bench:<tokens>:<interval_ms>[:<batch>]` for measuring what is in front of it.

Each token is one payload of the service's shape with about four Cyrillic letters, encoded once per
stream; an interval of 0 means as fast as the connection takes them, `batch` payloads to a write.
"""

import asyncio
import re
from dataclasses import dataclass

from aiohttp import web

from chat.gigachat.sandbox.counting import UsageOut
from chat.gigachat.sandbox.encoding import DONE_EVENT, encode_event
from chat.gigachat.sandbox.envelope import Envelope
from chat.gigachat.sandbox.state import STATE

_NAME = re.compile(r"bench:(\d{1,9}):(\d{1,6})(?::(\d{1,4}))?")
_TOKEN = "счёт "  # noqa: S105 - a token of text


@dataclass(frozen=True, slots=True)
class BenchPlan:
    tokens: int
    interval_seconds: float
    batch: int


def find_bench_plan(model: str) -> BenchPlan | None:
    match = _NAME.fullmatch(model)
    if match is None:
        return None
    return BenchPlan(int(match[1]), int(match[2]) / 1000, int(match[3] or 1) or 1)


async def stream_bench(request: web.Request, plan: BenchPlan) -> web.StreamResponse:
    """Send `plan.tokens` equal deltas, then the finish payload. Pace is kept against the clock, not summed up."""
    state = request.app[STATE]
    envelope = Envelope(created=int(state.settings.clock()), model="bench:1.0")
    usage = UsageOut(prompt_tokens=1, completion_tokens=plan.tokens, precached_prompt_tokens=0)
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    await response.write(encode_event(envelope.encode_delta({"content": _TOKEN, "role": "assistant"})))
    await _send_tokens(response, plan, encode_event(envelope.encode_content(_TOKEN)))
    await response.write(encode_event(envelope.encode_finish("stop", usage)) + DONE_EVENT)
    return response


async def _send_tokens(response: web.StreamResponse, plan: BenchPlan, event: bytes) -> None:
    loop = asyncio.get_running_loop()
    due = loop.time()
    remaining = plan.tokens - 1
    while remaining > 0:
        size = min(plan.batch, remaining)
        due += plan.interval_seconds * size
        if (delay := due - loop.time()) > 0:
            await asyncio.sleep(delay)
        await response.write(event * size)
        remaining -= size
