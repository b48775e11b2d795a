"""The only file that opens a connection for an answer of GigaChat: one client per process and event loop.

A call is retried before the first byte of its answer and never after; leaving a stream closes the connection at once.
Short blocking calls are `rest`.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import aiohttp

from chat.gigachat.answers import read_completion
from chat.gigachat.breaker import UNTROUBLED, Admission, is_failure
from chat.gigachat.call_record import CallRecord
from chat.gigachat.completion import CompletionStream, drain, read_body
from chat.gigachat.configuration import build_options
from chat.gigachat.encoding import encode_request
from chat.gigachat.errors import (
    AnswerMalformed,
    GigaChatError,
    PoolTimeout,
    StreamMissing,
    TokenRefused,
    TotalTimeout,
)
from chat.gigachat.headers import build_headers, read_request_id
from chat.gigachat.link import build_link
from chat.gigachat.oauth import Token
from chat.gigachat.options import ClientOptions
from chat.gigachat.retries import RetryBudget
from chat.gigachat.statuses import build_status_error
from chat.gigachat.transport import AbortingResponse, to_request_error
from chat.gigachat.types import Completion, Prompt
from chat.gigachat.validation import validate_prompt

# nginx closes idle connections after 15 to 75 s; one closed under us is found out and replaced before the first byte.
KEEPALIVE_SECONDS = 60.0
# The shared cache answers within a millisecond; one that does not is taken for one that is down.
BREAKER_SECONDS = 0.25
EVENT_STREAM = "text/event-stream"
JSON = "application/json"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """One prompt on its way, the same in each attempt; `deadline` by the loop's clock."""

    prompt: Prompt
    body: bytes
    accept: str
    record: CallRecord
    deadline: float


class GigaChatClient:
    """One per process and event loop; make it anywhere, use it in one loop.

    Raises when made: AuthorityRefused, ClientCertificateRefused
    """

    def __init__(self, options: ClientOptions) -> None:
        self._options = options
        self._completions_url = f"{options.base_url.rstrip('/')}/chat/completions"
        self._timeouts = aiohttp.ClientTimeout(
            total=None, connect=options.connect_seconds, sock_read=options.read_idle_seconds
        )
        self._link = build_link(options)
        self._slots = asyncio.Semaphore(options.pool_size)
        self._session: aiohttp.ClientSession | None = None
        self._breaker_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="gigachat-breaker")

    @contextlib.asynccontextmanager
    async def stream(self, prompt: Prompt) -> AsyncIterator[CompletionStream]:
        """Send the prompt on entering; on leaving, in whatever way, close the connection unless all was read.

        Entering ends when the answer's headers are there. It renews a refused token and retries, both before the first
        byte of the answer only.
        Raises on entering: SetupRefused, RequestRefused (PromptInvalid before anything is sent), ServiceUnavailable,
        ServiceTimeout, StreamMissing, TokenMalformed; while iterating see CompletionStream
        Source: docs/gigachat.md "Streaming"
        """
        async with self._call(prompt, EVENT_STREAM) as (call, response):
            idle_seconds = self._options.read_idle_seconds
            stream = CompletionStream(response, call.record, idle_seconds=idle_seconds, deadline=call.deadline)
            try:
                yield stream
            finally:
                stream.close()

    async def complete(self, prompt: Prompt) -> Completion:
        """Return the whole answer at once, for internal use: nobody watches it grow.

        Raises: as entering `stream`, and AnswerBroken, ReadIdleTimeout, TotalTimeout
        """
        async with self._call(prompt, JSON) as (call, response):
            try:
                body = await read_body(response, call.record, deadline=call.deadline)
            finally:
                response.close()
            request_id = call.record.provider_request_id or prompt.request_id
            completion = read_completion(body, request_id=request_id)
            call.record.outcome = completion.reason.value
            return completion

    async def aclose(self) -> None:
        """Cut every connection. The client cannot be used again."""
        self._link.tokens.close()
        self._breaker_thread.shutdown(wait=False, cancel_futures=True)
        if self._session is not None:
            await self._session.close()

    @contextlib.asynccontextmanager
    async def _call(self, prompt: Prompt, accept: str) -> AsyncIterator[tuple[Call, aiohttp.ClientResponse]]:
        """Yield the call and its answer, the headers read and the type checked; log the call's one line at the end."""
        validate_prompt(prompt)
        body = encode_request(prompt, is_streamed=accept == EVENT_STREAM, image_style=self._options.image_style)
        record = CallRecord(model=prompt.model, request_id=prompt.request_id, request_bytes=len(body))
        deadline = asyncio.get_running_loop().time() + self._options.total_seconds
        call = Call(prompt, body, accept, record, deadline)
        try:
            async with self._take_slot():
                yield call, await self._open(call)
        except GigaChatError as error:
            record.outcome = error.code
            record.status = error.status if record.status is None else record.status
            raise
        finally:
            record.log()

    @contextlib.asynccontextmanager
    async def _take_slot(self) -> AsyncIterator[None]:
        is_taken = False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._options.pool_seconds):
                is_taken = await self._slots.acquire()
        if not is_taken:
            raise PoolTimeout
        try:
            yield
        finally:
            self._slots.release()

    async def _open(self, call: Call) -> aiohttp.ClientResponse:
        loop = asyncio.get_running_loop()
        budget = RetryBudget(retries=self._options.retries, seconds=self._options.retry_seconds, now=loop.time())
        rejected: str | None = None
        while True:
            admission = await self._admit()
            token = await self._get_token(rejected, deadline=call.deadline)
            call.record.attempts += 1
            outcome = await self._send(call, token)
            await self._note_outcome(admission, outcome)
            if isinstance(outcome, aiohttp.ClientResponse):
                call.record.status = outcome.status
                call.record.provider_request_id = read_request_id(outcome.headers.get("X-Request-Id"))
                return outcome
            if isinstance(outcome, TokenRefused) and rejected is None and token is not None:
                rejected = token
                continue
            delay = budget.find_delay(outcome, now=loop.time())
            if delay is None:
                raise outcome
            await asyncio.sleep(delay)

    async def _admit(self) -> Admission:
        """Raises: BreakerOpen"""
        breaker = self._link.breaker
        return UNTROUBLED if breaker is None else await self._ask_breaker(breaker.admit, UNTROUBLED)

    async def _note_outcome(self, admission: Admission, outcome: aiohttp.ClientResponse | GigaChatError) -> None:
        error = outcome if isinstance(outcome, GigaChatError) else None
        breaker = self._link.breaker
        # An answer is no news while nothing was wrong: the usual call asks the cache once, before it is sent.
        if breaker is not None and (admission.is_troubled or is_failure(error)):
            await self._ask_breaker(lambda: breaker.record(admission, error), None)

    async def _ask_breaker(self, act: Callable[[], T], otherwise: T) -> T:
        answer = asyncio.get_running_loop().run_in_executor(self._breaker_thread, act)
        await asyncio.wait([answer], timeout=BREAKER_SECONDS)
        if answer.done():
            return answer.result()
        answer.cancel()
        return otherwise

    async def _get_token(self, rejected: str | None, *, deadline: float) -> str | None:
        found = self._link.tokens.request_token(rejected=rejected)
        if not isinstance(found, Future):
            return None if found is None else found.value
        failure: GigaChatError
        try:
            async with asyncio.timeout_at(deadline):
                # Shielded: the fetch is everybody's, a caller who leaves must not cancel it.
                token: Token = await asyncio.shield(asyncio.wrap_future(found))
                return token.value
        except TimeoutError:
            failure = TotalTimeout()
        except GigaChatError as error:
            failure = error.copy()
        raise failure

    async def _send(self, call: Call, token: str | None) -> aiohttp.ClientResponse | GigaChatError:
        """Return an answer of the wanted type, or what it is instead.

        Errors are returned: aiohttp's hold the request with the token, and would stay attached to a raised one.
        """
        prompt, proxy = call.prompt, self._options.proxy
        ids = {"request_id": prompt.request_id, "session_id": prompt.session_id, "client_id": prompt.client_id}
        try:
            # The total time is counted here, for the answer's headers, and by whoever reads its body.
            async with asyncio.timeout_at(call.deadline):
                response = await self._get_session().post(
                    self._completions_url,
                    data=call.body,
                    headers={**build_headers(token, **ids, accept=call.accept), "Content-Type": JSON},
                    timeout=self._timeouts,
                    allow_redirects=False,
                    proxy=None if proxy is None else proxy.address,
                    proxy_headers=None if proxy is None else proxy.build_headers(),
                )
        except (aiohttp.ClientError, OSError) as error:
            return to_request_error(error)
        if response.status == 200 and response.content_type == call.accept:
            return response
        beginning = await drain(response)
        if response.status == 200:
            return (StreamMissing if call.accept == EVENT_STREAM else AnswerMalformed)(status=response.status)
        return build_status_error(
            response.status,
            content_type=response.headers.get("Content-Type", ""),
            retry_after=response.headers.get("Retry-After", ""),
            body=beginning,
        )

    def _get_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                ssl=self._link.ssl_context,
                limit=0,  # our slots bound it: only so waiting for the pool has a timeout of its own
                keepalive_timeout=KEEPALIVE_SECONDS,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                response_class=AbortingResponse,
                trust_env=False,
            )
        return self._session


def build_client() -> GigaChatClient:
    """Return a client for the settings GIGACHAT_*.

    Raises: SetupRefused
    """
    return GigaChatClient(build_options())
