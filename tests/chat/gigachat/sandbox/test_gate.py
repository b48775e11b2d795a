"""What every API request must carry, and the headers every answer carries."""

import asyncio
from typing import cast
from unittest.mock import Mock

import pytest
from aiohttp.test_utils import make_mocked_request

from chat.gigachat.sandbox import Contour, Sandbox
from chat.gigachat.sandbox.gate import drop_connection
from tests.chat.gigachat.sandbox.conftest import StartSandbox
from tests.chat.gigachat.sandbox.wire import call, exchange, get_token


async def test_request_without_user_agent_is_refused_by_the_edge(sandbox: Sandbox) -> None:
    token = await get_token(sandbox)

    reply = await exchange(sandbox, "GET", f"{sandbox.base_url}/models", headers={"Authorization": f"Bearer {token}"})

    assert (reply.status, reply.body) == (403, b'{"message":"Unauthorized"}')


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer unknown", "Basic eDp5"])
async def test_request_without_known_token_is_unauthorized(sandbox: Sandbox, authorization: str) -> None:
    headers = {"User-Agent": "test", "Authorization": authorization}

    reply = await exchange(sandbox, "GET", f"{sandbox.base_url}/models", headers=headers)

    assert (reply.status, reply.body) == (401, b'{"status":401,"message":"Unauthorized"}\n')


async def test_request_with_expired_token_says_so(start_sandbox: StartSandbox) -> None:
    now = [1000.0]
    sandbox = await start_sandbox(clock=lambda: now[0], token_lifetime_seconds=60)
    token = await get_token(sandbox)
    now[0] += 60

    reply = await call(sandbox, "GET", "/models", token=token)

    assert (reply.status, reply.body) == (401, b'{"status":401,"message":"Token has expired"}\n')


async def test_request_gets_recorded_headers_and_its_own_ids_back(sandbox: Sandbox) -> None:
    reply = await call(sandbox, "GET", "/models", headers={"X-Request-ID": "r-1", "X-Session-ID": "s-1"})

    assert (reply.get("X-Request-Id"), reply.get("X-Session-Id")) == ("r-1", "s-1")
    assert reply.get("Server") == "SynGX"
    assert reply.get("Allow") == "GET, POST"
    assert reply.get("X-Frame-Options") == "SAMEORIGIN"
    assert reply.get("Content-Type") == "application/json; charset=utf-8"


async def test_request_without_ids_gets_made_ones(sandbox: Sandbox) -> None:
    first = await call(sandbox, "GET", "/models")
    second = await call(sandbox, "GET", "/models")

    ids = [reply.get(name) for reply in (first, second) for name in ("X-Request-Id", "X-Session-Id")]
    assert all(ids)
    assert len(set(ids)) == 4


async def test_unknown_path_is_an_api_error(sandbox: Sandbox) -> None:
    reply = await call(sandbox, "GET", "/nothing")

    assert (reply.status, reply.body) == (404, b'{"status":404,"message":"Not Found"}\n')


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        ("401", 401, b'{"status":401,"message":"Token has expired"}\n'),
        ("402", 402, b'{"status":402,"message":"Payment Required"}\n'),
        ("413", 413, b'{"status":413,"message":"Payload too large"}\n'),
        ("429", 429, b'{"status":429,"message":"Too many requests"}\n'),
        ("500", 500, b'{"status":500,"message":"Internal Server Error"}\n'),
        ("503", 503, b'{"status":503,"message":"Service Unavailable"}\n'),
        ("typo", 400, b'{"status":400,"message":"unknown fault \'typo\'"}\n'),
    ],
)
async def test_request_with_status_fault_is_answered_so(sandbox: Sandbox, fault: str, status: int, body: bytes) -> None:
    reply = await call(sandbox, "GET", "/models", headers={"X-Sandbox-Fault": fault})

    assert (reply.status, reply.body) == (status, body)


@pytest.mark.parametrize(("fault", "status"), [("502", 502), ("html_200", 200)])
async def test_request_with_page_fault_is_answered_by_a_page(sandbox: Sandbox, fault: str, status: int) -> None:
    reply = await call(sandbox, "GET", "/models", headers={"X-Sandbox-Fault": fault})

    assert (reply.status, reply.get("Content-Type")) == (status, "text/html")
    assert b"502 Bad Gateway" in reply.body


async def test_request_with_429_value_gets_retry_after(sandbox: Sandbox) -> None:
    reply = await call(sandbox, "GET", "/models", headers={"X-Sandbox-Fault": "429=7"})

    assert reply.get("Retry-After") == "7"


async def test_request_with_reset_gets_no_byte(sandbox: Sandbox) -> None:
    reply = await call(sandbox, "GET", "/models", headers={"X-Sandbox-Fault": "reset"})

    assert reply.status == 0


async def test_request_with_slow_first_byte_waits(sandbox: Sandbox) -> None:
    started = asyncio.get_running_loop().time()

    reply = await call(sandbox, "GET", "/models", headers={"X-Sandbox-Fault": "slow_first_byte=0.05"})

    assert reply.status == 200
    assert asyncio.get_running_loop().time() - started >= 0.05


async def test_request_without_switches_ignores_fault_header(start_sandbox: StartSandbox) -> None:
    sandbox = await start_sandbox(has_fault_switches=False)

    reply = await call(sandbox, "GET", "/models", headers={"X-Sandbox-Fault": "500"})

    assert reply.status == 200


def test_drop_connection_of_a_client_that_left_does_nothing() -> None:
    request = make_mocked_request("GET", "/")
    transport = cast("Mock", request.transport)
    cast("Mock", request.protocol).transport = None

    drop_connection(request)

    transport.abort.assert_not_called()


async def test_request_while_refusing_gets_no_byte(sandbox: Sandbox) -> None:
    sandbox.state.is_refusing_api = True

    reply = await call(sandbox, "GET", "/models")

    assert reply.status == 0


async def test_request_on_bank_contour_needs_no_token_but_a_certificate(start_sandbox: StartSandbox) -> None:
    sandbox = await start_sandbox(contour=Contour.B2BANK)

    reply = await call(sandbox, "GET", "/models")

    assert reply.status == 0
    assert sandbox.auth_url == ""
