"""The token this process uses: one fetch for all threads, tasks and processes, renewed before it expires.

Synchronous and thread-safe. The only caller with an event loop is `client`, which waits for the shared future.
"""

import logging
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from chat.gigachat.breaker import Breaker
from chat.gigachat.credentials import Credentials
from chat.gigachat.errors import GigaChatError, TokenRefused, TokenTimeout
from chat.gigachat.oauth import Token, TokenService, fetch_token
from chat.gigachat.token_cache import LOCK_SECONDS, TokenCache

logger = logging.getLogger(__name__)

RENEWAL_MARGIN_SECONDS = 60.0
RENEWAL_JITTER_SECONDS = 30.0
# After a failed renewal the old token still serves; trying on every call would make it a storm.
RENEWAL_PAUSE_SECONDS = 10.0
# When fresh tokens are rejected too, fetching more of them helps nobody.
REPLACEMENT_PAUSE_SECONDS = 1.0
# Long enough to see a dead holder's lock expire and to fetch in its place.
PATIENCE_SECONDS = LOCK_SECONDS + 20.0
POLL_SECONDS = (0.02, 0.06)


class TokenKeeper:
    """One per process. `clock` gives the second of the Unix epoch; `breaker` is that of the token service's host."""

    def __init__(
        self,
        credentials: Credentials,
        service: TokenService,
        *,
        breaker: Breaker | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._credentials = credentials
        self._service = service
        self._breaker = breaker
        self._clock = clock
        self._cache = TokenCache(credentials, auth_url=service.url)
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="gigachat-token")
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._renew_at = 0.0
        self._rejected: str | None = None
        self._replaced_at = float("-inf")
        self._flight: Future[Token] | None = None

    def request_token(self, *, rejected: str | None = None) -> Token | Future[Token]:
        """Return a token at once, or the future that all callers of this process share.

        rejected  the value that GigaChat just answered with 401: never returned again, unless the token service does
        The future raises what `oauth.fetch_token` raises, TokenTimeout and BreakerOpen.
        Raises: TokenRefused when the rejected token was itself fetched a moment ago in place of a rejected one
        """
        with self._lock:
            now = self._clock()
            token = self._token
            if token is None or token.expires_at <= now:
                return self._flight or self._start_flight(None if token is None else token.value)
            if rejected == token.value and self._rejected != rejected:
                if now - self._replaced_at < REPLACEMENT_PAUSE_SECONDS:
                    raise TokenRefused(status=401)
                self._rejected = rejected
            if self._rejected is not None:
                return self._flight or self._start_flight(token.value)
            if now >= self._renew_at and self._flight is None:
                # In the background: the old token still serves, and a failure is logged by the flight.
                self._start_flight(token.value)
            return token

    def get_token(self, *, rejected: str | None = None) -> Token:
        """Return a token for a synchronous caller; may block for as long as PATIENCE_SECONDS and one fetch.

        Raises: the same as the future of `request_token`
        """
        found = self.request_token(rejected=rejected)
        return found if isinstance(found, Token) else found.result()

    def close(self) -> None:
        """Let the fetch under way end by itself and start no other."""
        self._executor.shutdown(wait=False)

    def _start_flight(self, stale: str | None) -> Future[Token]:
        # Under self._lock: the flight cannot land before it is noted.
        self._flight = self._executor.submit(self._fly, stale)
        return self._flight

    def _fly(self, stale: str | None) -> Token:
        token = None
        try:
            token = self._obtain(stale)
        except GigaChatError as error:
            logger.warning("no GigaChat token", extra={"code": error.code, "status": error.status})
            raise
        finally:
            with self._lock:
                self._land(token)
        return token

    def _land(self, token: Token | None) -> None:
        self._flight = None
        if token is None:
            self._renew_at = self._clock() + RENEWAL_PAUSE_SECONDS
            return
        if self._rejected is not None:
            self._rejected = None
            self._replaced_at = self._clock()
        self._token = token
        # Jitter, so that the processes do not all turn to the lock in the same second.
        margin = RENEWAL_MARGIN_SECONDS + random.uniform(0.0, RENEWAL_JITTER_SECONDS)  # noqa: S311 - no secret
        self._renew_at = token.expires_at - min(margin, (token.expires_at - token.issued_at) / 2)

    def _obtain(self, stale: str | None) -> Token:
        """Return the shared token if it is another than `stale`; else fetch one, or wait for the process that does."""
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while True:
            if (token := self._find_shared(stale)) is not None:
                return token
            with self._cache.try_lock() as is_held:
                if is_held:
                    return self._fetch(stale)
            if time.monotonic() >= give_up_at:
                raise TokenTimeout
            time.sleep(random.uniform(*POLL_SECONDS))  # noqa: S311 - no secret

    def _find_shared(self, stale: str | None) -> Token | None:
        """Raises: the failure that the last fetch met, while it is too early to try again."""
        now = self._clock()
        token = self._cache.find_token()
        if token is not None and token.value != stale and token.expires_at > now:
            return token
        if (failure := self._cache.find_failure(now=now)) is not None:
            raise failure
        return None

    def _fetch(self, stale: str | None) -> Token:
        # The holder before us may have stored its token or failure after we looked and before it freed the lock.
        if (token := self._find_shared(stale)) is not None:
            return token
        now = self._clock()
        try:
            token = self._call_service(now)
        except GigaChatError as error:
            self._cache.store_failure(error, now=now)
            raise
        self._cache.store_token(token, now=now)
        return token

    def _call_service(self, now: float) -> Token:
        if self._breaker is None:
            return fetch_token(self._credentials, self._service, now=now)
        admission = self._breaker.admit()
        try:
            token = fetch_token(self._credentials, self._service, now=now)
        except GigaChatError as error:
            self._breaker.record(admission, error)
            raise
        self._breaker.record(admission, None)
        return token
