"""`POST /chat/completions`: checks, the answer, its bytes and their pace."""

import asyncio
import uuid

from aiohttp import web

from chat.gigachat.sandbox.answer import Answer, cut_answer, distort_answer
from chat.gigachat.sandbox.bench import find_bench_plan, stream_bench
from chat.gigachat.sandbox.brain.habits import HABITS, misbehave
from chat.gigachat.sandbox.brain.reply import compose_reply
from chat.gigachat.sandbox.catalogue import CONTEXT_TOKENS, ModelInfo
from chat.gigachat.sandbox.counting import UsageOut, build_prompt_parts
from chat.gigachat.sandbox.envelope import CallOut, Envelope
from chat.gigachat.sandbox.errors import ApiError
from chat.gigachat.sandbox.faults import Faults
from chat.gigachat.sandbox.filestore import StoredFile
from chat.gigachat.sandbox.gate import drop_connection
from chat.gigachat.sandbox.rules import check_completion
from chat.gigachat.sandbox.schema import CompletionIn, parse_body
from chat.gigachat.sandbox.script import Ending, Pacing, Packet, Script, build_payloads, build_script
from chat.gigachat.sandbox.state import CALLER, STATE, Caller, SandboxState
from chat.gigachat.sandbox.stats import RecordedRequest

TOGETHER_SECONDS = 60.0
STREAM_HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}


async def create_completion(request: web.Request) -> web.StreamResponse:
    """Raises: ApiError"""
    state, caller = request.app[STATE], request[CALLER]
    state.stats.chat_calls += 1
    completion = parse_body(CompletionIn, await request.read())
    _record(request, state, completion)
    plan = find_bench_plan(completion.model) if state.settings.is_bench else None
    if plan is not None:
        with state.slots.hold(caller.client_id):
            return await stream_bench(request, plan)
    model = state.catalogue.get_of_type(completion.model, "chat")
    check_completion(completion)
    if completion.functions and not model.can_call:
        raise ApiError(422, "Requested model does not support functions")
    state.packages.check(model.name)
    with state.slots.hold(caller.client_id):
        return await _answer(request, completion, model)


async def _answer(request: web.Request, completion: CompletionIn, model: ModelInfo) -> web.StreamResponse:
    state, caller = request.app[STATE], request[CALLER]
    files: list[StoredFile] = []
    for message in completion.messages:
        # Every file must be there; the rule set speaks of the newest question's only.
        attached = [state.files.get((caller.client_id, caller.owner), file_id) for file_id in message.attachments]
        files = attached if message.role == "user" else files
    answer = distort_answer(build_answer(completion, model, files, caller.faults), caller.faults)
    usage = build_usage(state, caller, completion, answer)
    state.packages.spend(model.name, usage.prompt_tokens + usage.completion_tokens)
    await _wait_for_first_byte(state, caller)
    envelope = Envelope(
        created=int(state.settings.clock()), model=model.echo, is_plural="object_plural" in caller.faults
    )
    pacing = Pacing(
        chunk_delay_seconds=state.settings.chunk_delay_ms / 1000,
        update_interval=completion.update_interval or 0.0,
    )
    if not completion.stream:
        await asyncio.sleep(pacing.chunk_delay_seconds * len(answer.chunks))
        return _build_whole(answer, envelope, usage)
    payloads = build_payloads(answer, envelope, None if "no_usage" in caller.faults else usage, pacing)
    return await _play(request, build_script(payloads, pacing, caller.faults))


async def _wait_for_first_byte(state: SandboxState, caller: Caller) -> None:
    """Raises: TimeoutError when the others that the switch `together` waits for do not come"""
    together = caller.faults.get("together")
    if together is not None:
        await state.stats.wait_until(lambda stats: stats.open_streams >= together, timeout_seconds=TOGETHER_SECONDS)
    await asyncio.sleep(state.settings.latency_ms / 1000 + (caller.faults.get("slow_first_byte") or 0))


def build_answer(completion: CompletionIn, model: ModelInfo, files: list[StoredFile], faults: Faults) -> Answer:
    """Ask the rule set, with the bad habits that are switched on, and cut its answer at `max_tokens`."""
    reply = compose_reply(completion, can_see=model.can_see, files=files)
    if faults:
        reply = misbehave(completion, reply, [name for name in HABITS if name in faults])
    call = None
    if reply.call is not None:
        call = CallOut(reply.call.name, reply.call.arguments, str(uuid.uuid4()))
    answer = Answer(reply.chunks, "function_call" if call else reply.finish_reason, call)
    return cut_answer(answer, completion.max_tokens)


def build_usage(state: SandboxState, caller: Caller, completion: CompletionIn, answer: Answer) -> UsageOut:
    """Raises: ApiError 413 when the prompt does not fit the model's window"""
    parts = build_prompt_parts(completion)
    prompt_tokens = sum(part.tokens for part in parts)
    if prompt_tokens > CONTEXT_TOKENS:
        raise ApiError(413, "Payload too large")
    key = f"{caller.client_id} {completion.model} {caller.session_id}"
    cached = state.cache.count_cached(key, parts) if caller.has_session else 0
    return UsageOut(prompt_tokens=prompt_tokens, completion_tokens=answer.tokens, precached_prompt_tokens=cached)


def _build_whole(answer: Answer, envelope: Envelope, usage: UsageOut) -> web.Response:
    message = {"content": answer.text, "role": "assistant"}
    if answer.call is not None:
        message |= answer.call.to_json()
    if answer.reasoning:
        message["reasoning_content"] = answer.reasoning
    body = envelope.encode_whole(message, answer.finish_reason, usage)
    return web.Response(body=body, headers={"Content-Type": "application/json; charset=utf-8"})


async def _play(request: web.Request, script: Script) -> web.StreamResponse:
    """Send the packets at their times. The slot is held by the caller until this ends, however it ends."""
    response = web.StreamResponse(headers=STREAM_HEADERS)
    await response.prepare(request)
    await _send(response, script.packets)
    if script.ending is Ending.CUT:
        drop_connection(request)
    return response


async def _send(response: web.StreamResponse, packets: tuple[Packet, ...]) -> None:
    for packet in packets:
        # Also without delay the loop gets its turn, so that each packet leaves as one TLS record.
        await asyncio.sleep(packet.delay_seconds)
        await response.write(packet.data)


def _record(request: web.Request, state: SandboxState, completion: CompletionIn) -> None:
    headers = {name: value for name, value in request.headers.items() if name.lower() != "authorization"}
    body = completion.model_dump(mode="json", by_alias=True, exclude_unset=True)
    state.stats.recent.append(RecordedRequest(headers=headers, body=body))
