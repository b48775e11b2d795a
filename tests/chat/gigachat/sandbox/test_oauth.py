"""The token endpoint: its checks, its own error envelope, its recorded size and headers."""

import asyncio
import base64
import json
import uuid

import pytest

from chat.gigachat.sandbox import Sandbox
from tests.chat.gigachat.sandbox.conftest import StartSandbox
from tests.chat.gigachat.sandbox.wire import call, exchange, request_token

NOW = 1787149260.0


async def test_issue_token_answers_with_recorded_size_and_milliseconds(start_sandbox: StartSandbox) -> None:
    sandbox = await start_sandbox(clock=lambda: NOW)

    reply = await request_token(sandbox)

    assert reply.status == 200
    assert len(reply.body) == 1279
    assert reply.json()["expires_at"] == 1787151060000
    assert reply.json()["access_token"].count(".") == 4
    assert sandbox.stats.oauth_tokens == 1


async def test_issue_token_sends_recorded_headers(sandbox: Sandbox) -> None:
    reply = await request_token(sandbox)

    assert [value for name, value in reply.headers if name == "X-Frame-Options"] == ["DENY", "SAMEORIGIN"]
    assert len([name for name, _ in reply.headers if name == "Vary"]) == 3
    assert len([name for name, _ in reply.headers if name == "Strict-Transport-Security"]) == 2
    assert reply.get("Server") == "SynGX"
    assert reply.get("Content-Type") == "application/json"


def encode_pair(text: str) -> str:
    return f"Basic {base64.b64encode(text.encode()).decode()}"


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"scope": "GIGACHAT_API_NOBODY"}, 400, {"code": 1, "message": "scope data format invalid"}),
        ({"scope": ""}, 400, {"code": 5, "message": "scope is empty"}),
        (
            {"scope": "GIGACHAT_API_CORP"},
            400,
            {"code": 7, "message": "scope from db not fully includes consumed scope"},
        ),
        ({"authorization": "Basic %%%"}, 400, {"code": 4, "message": "Can't decode 'Authorization' header"}),
        ({"authorization": "Bearer x"}, 400, {"code": 4, "message": "Can't decode 'Authorization' header"}),
        ({"authorization": encode_pair("x")}, 400, {"code": 4, "message": "Can't decode 'Authorization' header"}),
        ({"authorization": encode_pair("a:b")}, 401, {"code": 6, "message": "credentials doesn't match db data"}),
        ({"rquid": "7"}, 400, {"code": 400, "message": "RqUID header is missing or invalid"}),
        ({"rquid": str(uuid.uuid1())}, 400, {"code": 400, "message": "RqUID header is missing or invalid"}),
    ],
)
async def test_issue_token_refuses_with_its_own_envelope(
    sandbox: Sandbox, changes: dict[str, str], status: int, error: dict[str, object]
) -> None:
    reply = await request_token(sandbox, **changes)

    assert (reply.status, reply.body) == (status, json.dumps(error, separators=(",", ":")).encode())
    assert sandbox.stats.oauth_tokens == 0


async def test_issue_token_eleventh_in_a_second_is_refused(start_sandbox: StartSandbox) -> None:
    moments = iter([NOW + index * 0.01 for index in range(200)])
    sandbox = await start_sandbox(clock=lambda: next(moments))

    replies = [await request_token(sandbox) for _ in range(11)]

    assert [reply.status for reply in replies] == [200] * 10 + [429]
    assert replies[-1].json() == {"code": 429, "message": "Too many requests"}


@pytest.mark.parametrize(
    ("fault", "status", "start"),
    [
        ("oauth_401", 401, b'{"code":6'),
        ("oauth_429", 429, b'{"code":429'),
        ("oauth_500", 500, b"<html>"),
        ("oauth_html", 502, b"<html>"),
        ("oauth_html_200", 200, b"<html>"),
        ("oauth_reset", 0, b""),
        ("nonsense", 400, b'{"code":400,"message":"unknown fault'),
    ],
)
async def test_issue_token_with_fault_answers_so(sandbox: Sandbox, fault: str, status: int, start: bytes) -> None:
    reply = await request_token(sandbox, fault=fault)

    assert reply.status == status
    assert reply.body[: len(start)] == start


async def test_issue_token_with_fault_429_sends_retry_after(sandbox: Sandbox) -> None:
    reply = await request_token(sandbox, fault="oauth_429=7")

    assert reply.get("Retry-After") == "7"


async def test_issue_token_with_slow_fault_waits(sandbox: Sandbox) -> None:
    started = asyncio.get_running_loop().time()

    reply = await request_token(sandbox, fault="oauth_slow=0.05")

    assert reply.status == 200
    assert asyncio.get_running_loop().time() - started >= 0.05


async def test_issue_token_with_clock_skew_shifts_only_what_it_says(start_sandbox: StartSandbox) -> None:
    sandbox = await start_sandbox(clock=lambda: NOW)

    reply = await request_token(sandbox, fault="clock_skew=-7200")

    assert reply.json()["expires_at"] == 1787143860000
    models = await call(sandbox, "GET", "/models", token=reply.json()["access_token"])
    assert models.status == 200


async def test_issue_token_with_seconds_fault_says_seconds(start_sandbox: StartSandbox) -> None:
    sandbox = await start_sandbox(clock=lambda: NOW)

    reply = await request_token(sandbox, fault="expires_in_seconds")

    assert reply.json()["expires_at"] == 1787151060


async def test_issue_token_without_switches_ignores_fault_header(start_sandbox: StartSandbox) -> None:
    sandbox = await start_sandbox(has_fault_switches=False)

    reply = await request_token(sandbox, fault="oauth_401")

    assert reply.status == 200


async def test_issue_token_while_refusing_drops_open_connections(sandbox: Sandbox) -> None:
    sandbox.state.is_refusing_oauth = True

    reply = await request_token(sandbox)

    assert reply.status == 0


async def test_issue_token_by_get_is_not_allowed(sandbox: Sandbox) -> None:
    reply = await exchange(sandbox, "GET", sandbox.auth_url)

    assert reply.status == 405
