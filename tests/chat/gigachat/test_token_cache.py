import base64
import logging
from typing import Any

import pytest
from django.core.cache import cache

from chat.gigachat.credentials import parse_credentials
from chat.gigachat.errors import CredentialsRefused, GigaChatError, TokenRateLimited, TokenServerFailed
from chat.gigachat.oauth import Token
from chat.gigachat.token_cache import TokenCache
from tests.chat.gigachat.scripted import CREDENTIALS

NOW = 1_793_950_000.0
URL = "https://ngw.example/oauth"
TOKEN = Token(value="bearer-value", issued_at=NOW, expires_at=NOW + 1800.0)


@pytest.fixture(params=["memory", "redis"])
def tokens(request: pytest.FixtureRequest) -> TokenCache:
    if request.param == "redis":
        request.getfixturevalue("redis_cache")
    return TokenCache(CREDENTIALS, auth_url=URL)


def list_values(name: str) -> Any:
    return cache.get(f"gigachat.token.{CREDENTIALS.derive_cache_name(URL)}{name}")


def test_stored_token_is_found_by_another_process_of_the_same_credentials(tokens: TokenCache) -> None:
    tokens.store_token(TOKEN, now=NOW)
    assert TokenCache(CREDENTIALS, auth_url=URL).find_token() == TOKEN


def test_stored_token_is_not_readable_in_the_cache(tokens: TokenCache) -> None:
    tokens.store_token(TOKEN, now=NOW)
    sealed = list_values("")
    assert isinstance(sealed, bytes)
    assert b"bearer-value" not in sealed


def test_stored_token_is_not_found_by_other_credentials(tokens: TokenCache) -> None:
    tokens.store_token(TOKEN, now=NOW)
    other = parse_credentials(base64.b64encode(b"client:other").decode(), CREDENTIALS.scope)
    assert TokenCache(other, auth_url=URL).find_token() is None
    assert TokenCache(CREDENTIALS, auth_url="https://other.example").find_token() is None


@pytest.mark.parametrize("foreign", [b"", b"short", b"x" * 100, "text", 5])
def test_find_token_that_somebody_else_wrote_returns_none(tokens: TokenCache, foreign: Any) -> None:
    cache.set(f"gigachat.token.{CREDENTIALS.derive_cache_name(URL)}", foreign)
    assert tokens.find_token() is None


def test_find_failure_returns_what_was_stored_with_the_rest_of_the_wait(tokens: TokenCache) -> None:
    tokens.store_failure(TokenRateLimited(status=429, retry_after_seconds=30.0), now=NOW)
    failure = tokens.find_failure(now=NOW + 10.0)
    assert isinstance(failure, TokenRateLimited)
    assert (failure.status, failure.retry_after_seconds) == (429, 20.0)


def test_find_failure_without_wait_returns_none_for_it(tokens: TokenCache) -> None:
    assert tokens.find_failure(now=NOW) is None
    tokens.store_failure(TokenServerFailed(status=500), now=NOW)
    failure = tokens.find_failure(now=NOW)
    assert isinstance(failure, TokenServerFailed)
    assert failure.retry_after_seconds is None


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (TokenServerFailed(), 2),
        (CredentialsRefused(), 10),
        (TokenRateLimited(retry_after_seconds=7.2), 8),
        (TokenRateLimited(retry_after_seconds=3600.0), 60),
    ],
)
def test_store_failure_keeps_it_for_a_moment_or_as_long_as_asked(
    redis_cache: None, redis_url: str, error: GigaChatError, seconds: int
) -> None:
    tokens = TokenCache(CREDENTIALS, auth_url=URL)
    tokens.store_failure(error, now=NOW)
    client = cache._cache.get_client()  # type: ignore[attr-defined]
    name = cache.make_key(f"gigachat.token.{CREDENTIALS.derive_cache_name(URL)}.failure")
    assert seconds - 1 <= client.ttl(name) <= seconds


def test_try_lock_is_held_by_one_at_a_time(tokens: TokenCache) -> None:
    other = TokenCache(CREDENTIALS, auth_url=URL)
    with tokens.try_lock() as is_held, other.try_lock() as is_held_too:
        assert (is_held, is_held_too) == (True, False)
    with other.try_lock() as is_held:
        assert is_held


def test_try_lock_is_freed_when_its_holder_fails(tokens: TokenCache) -> None:
    with pytest.raises(TokenServerFailed), tokens.try_lock():
        raise TokenServerFailed
    with tokens.try_lock() as is_held:
        assert is_held


def test_leave_lock_that_another_holds_by_now_keeps_it(tokens: TokenCache) -> None:
    with tokens.try_lock():
        cache.set(f"gigachat.token.{CREDENTIALS.derive_cache_name(URL)}.lock", "somebody else")
    with tokens.try_lock() as is_held:
        assert not is_held


def test_leave_lock_that_ended_and_another_took_keeps_the_other_one(tokens: TokenCache) -> None:
    other = TokenCache(CREDENTIALS, auth_url=URL)
    with tokens.try_lock() as is_held:
        cache.delete(tokens._lock_name)
        late = other.try_lock()
        assert (is_held, late.__enter__()) == (True, True)
    with tokens.try_lock() as is_held_again:
        assert not is_held_again
    late.__exit__(None, None, None)


@pytest.mark.usefixtures("broken_cache")
def test_broken_cache_is_an_empty_one_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    tokens = TokenCache(CREDENTIALS, auth_url=URL)
    with caplog.at_level(logging.WARNING):
        tokens.store_token(TOKEN, now=NOW)
        tokens.store_failure(TokenServerFailed(), now=NOW)
        assert tokens.find_token() is None
        assert tokens.find_failure(now=NOW) is None
        with tokens.try_lock() as is_held:
            assert is_held
    assert {record.getMessage() for record in caplog.records} == {"the shared cache is down"}
