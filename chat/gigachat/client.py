"""The only file that opens a connection to GigaChat: one client per process and event loop.

A stream is retried before the first byte of its answer and never after; leaving it closes the connection at once.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import aiohttp
from django.conf import settings

from chat.gigachat.call_record import CallRecord
from chat.gigachat.completion import CompletionStream, drain
from chat.gigachat.credentials import parse_credentials
from chat.gigachat.encoding import encode_request
from chat.gigachat.errors import (
    GigaChatError,
    PoolTimeout,
    StreamMissing,
    TokenRefused,
    TotalTimeout,
)
from chat.gigachat.oauth import USER_AGENT, Token
from chat.gigachat.options import ClientOptions
from chat.gigachat.retries import RetryBudget
from chat.gigachat.statuses import build_status_error
from chat.gigachat.tls import get_ssl_context
from chat.gigachat.tokens import TokenKeeper
from chat.gigachat.transport import AbortingResponse, to_request_error
from chat.gigachat.types import Prompt

# nginx closes idle connections after 15 to 75 s; one closed under us is found out and replaced before the first byte.
KEEPALIVE_SECONDS = 60.0
MAX_REQUEST_ID_CHARACTERS = 128


class GigaChatClient:
    """One per process and event loop; make it anywhere, use it in one loop.

    Raises when made: AuthorityRefused
    """

    def __init__(self, options: ClientOptions) -> None:
        self._options = options
        self._completions_url = f"{options.base_url.rstrip('/')}/chat/completions"
        self._ssl_context = get_ssl_context(options.ca_file, options.ca_sha256)
        self._tokens = TokenKeeper(options.credentials, auth_url=options.auth_url, ssl_context=self._ssl_context)
        self._slots = asyncio.Semaphore(options.pool_size)
        self._session: aiohttp.ClientSession | None = None

    @contextlib.asynccontextmanager
    async def stream(self, prompt: Prompt) -> AsyncIterator[CompletionStream]:
        """Send the prompt on entering; on leaving, in whatever way, close the connection unless all was read.

        Entering ends when the answer's headers are there. It renews a refused token and retries, both before the first
        byte of the answer only.
        Raises on entering: SetupRefused, RequestRefused, ServiceUnavailable, ServiceTimeout, StreamMissing,
        TokenMalformed; while iterating see CompletionStream
        Source: docs/gigachat.md "Streaming"
        """
        body = encode_request(prompt)
        record = CallRecord(model=prompt.model, request_id=prompt.request_id, request_bytes=len(body))
        deadline = asyncio.get_running_loop().time() + self._options.total_seconds
        try:
            async with self._take_slot():
                response = await self._open(prompt, body, record=record, deadline=deadline)
                stream = CompletionStream(response, record)
                try:
                    yield stream
                finally:
                    stream.close()
        except GigaChatError as error:
            record.outcome = error.code
            record.status = error.status if record.status is None else record.status
            raise
        finally:
            record.log()

    async def aclose(self) -> None:
        """Cut every connection. The client cannot be used again."""
        self._tokens.close()
        if self._session is not None:
            await self._session.close()

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

    async def _open(
        self, prompt: Prompt, body: bytes, *, record: CallRecord, deadline: float
    ) -> aiohttp.ClientResponse:
        """Return the answer, its headers read and its type checked."""
        loop = asyncio.get_running_loop()
        budget = RetryBudget(retries=self._options.retries, seconds=self._options.retry_seconds, now=loop.time())
        rejected: str | None = None
        while True:
            token = await self._get_token(rejected, deadline=deadline)
            record.attempts += 1
            outcome = await self._send(prompt, body, token=token, deadline=deadline)
            if isinstance(outcome, aiohttp.ClientResponse):
                record.status = outcome.status
                record.provider_request_id = read_request_id(outcome)
                return outcome
            if isinstance(outcome, TokenRefused) and rejected is None:
                rejected = token.value
                continue
            delay = budget.find_delay(outcome, now=loop.time())
            if delay is None:
                raise outcome
            await asyncio.sleep(delay)

    async def _get_token(self, rejected: str | None, *, deadline: float) -> Token:
        found = self._tokens.request_token(rejected=rejected)
        if isinstance(found, Token):
            return found
        failure: GigaChatError
        try:
            async with asyncio.timeout_at(deadline):
                # Shielded: the fetch is everybody's, a caller who leaves must not cancel it.
                return await asyncio.shield(asyncio.wrap_future(found))
        except TimeoutError:
            failure = TotalTimeout()
        except GigaChatError as error:
            failure = error.copy()
        raise failure

    async def _send(
        self, prompt: Prompt, body: bytes, *, token: Token, deadline: float
    ) -> aiohttp.ClientResponse | GigaChatError:
        """Return an answer that is an event stream, or what it is instead.

        Errors are returned: aiohttp's hold the request with the token, and would stay attached to a raised one.
        """
        try:
            response = await self._get_session().post(
                self._completions_url,
                data=body,
                headers=build_headers(prompt, token),
                timeout=self._build_timeout(deadline),
                allow_redirects=False,
            )
        except (aiohttp.ClientError, OSError) as error:
            return to_request_error(error)
        if response.status == 200 and response.content_type == "text/event-stream":
            return response
        await drain(response)
        if response.status == 200:
            return StreamMissing(status=response.status)
        return build_status_error(
            response.status,
            content_type=response.headers.get("Content-Type", ""),
            retry_after=response.headers.get("Retry-After", ""),
        )

    def _build_timeout(self, deadline: float) -> aiohttp.ClientTimeout:
        remaining = deadline - asyncio.get_running_loop().time()
        return aiohttp.ClientTimeout(
            total=max(remaining, 0.001),  # zero would mean none
            connect=self._options.connect_seconds,
            sock_read=self._options.read_idle_seconds,
        )

    def _get_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                ssl=self._ssl_context,
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
    """Return a client for the settings GIGACHAT_*; nothing else reads them.

    Raises: SetupRefused
    """
    return GigaChatClient(
        ClientOptions(
            credentials=parse_credentials(settings.GIGACHAT_CREDENTIALS, settings.GIGACHAT_SCOPE),
            base_url=settings.GIGACHAT_BASE_URL,
            auth_url=settings.GIGACHAT_AUTH_URL,
            ca_file=settings.GIGACHAT_CA_FILE,
            ca_sha256=settings.GIGACHAT_CA_SHA256,
            pool_size=settings.GIGACHAT_POOL_SIZE,
            connect_seconds=settings.GIGACHAT_CONNECT_SECONDS,
            pool_seconds=settings.GIGACHAT_POOL_SECONDS,
            read_idle_seconds=settings.GIGACHAT_READ_IDLE_SECONDS,
            total_seconds=settings.GIGACHAT_TOTAL_SECONDS,
            retries=settings.GIGACHAT_RETRIES,
            retry_seconds=settings.GIGACHAT_RETRY_SECONDS,
        )
    )


def build_headers(prompt: Prompt, token: Token) -> dict[str, str]:
    # Without a User-Agent the provider answers 403; without identity some gateway gathers the stream to compress it.
    return {
        "Authorization": f"Bearer {token.value}",
        "User-Agent": USER_AGENT,
        "Content-Type": "application/json",
        "Accept": "text/event-stream",
        "Accept-Encoding": "identity",
        "Cache-Control": "no-store",
        "X-Request-ID": prompt.request_id,
        "X-Session-ID": prompt.session_id,
        "X-Client-ID": prompt.client_id,
    }


def read_request_id(response: aiohttp.ClientResponse) -> str:
    return response.headers.get("X-Request-Id", "")[:MAX_REQUEST_ID_CHARACTERS]
