"""The sandbox's own routes: switches, statistics, revoked tokens, and their absence."""

from typing import Any

import pytest

from chat.gigachat.sandbox import Sandbox
from chat.gigachat.sandbox.encoding import encode_json
from tests.chat.gigachat.sandbox.conftest import StartSandbox
from tests.chat.gigachat.sandbox.wire import RawReply, call, chat, exchange, get_token


async def ask_admin(sandbox: Sandbox, method: str, name: str, value: Any = None) -> RawReply:
    body = b"" if value is None else encode_json(value)
    return await exchange(sandbox, method, f"{sandbox.admin_url}/{name}", body=body)


async def test_post_faults_affects_the_next_requests_only(sandbox: Sandbox) -> None:
    added = await ask_admin(sandbox, "POST", "faults", {"faults": "429=3", "count": 2})

    replies = [await chat(sandbox) for _ in range(3)]

    assert added.json() == {
        "faults": [{"faults": {"429": 3.0}, "path": "/chat/completions", "remaining": 2, "until": None}]
    }
    assert [reply.status for reply in replies] == [429, 429, 200]


async def test_delete_faults_removes_them(sandbox: Sandbox) -> None:
    await ask_admin(sandbox, "POST", "faults", {"faults": "500"})

    cleared = await ask_admin(sandbox, "DELETE", "faults")

    assert cleared.json() == {"faults": []}
    assert (await chat(sandbox)).status == 200


async def test_post_faults_for_a_path_affects_that_path(sandbox: Sandbox) -> None:
    await ask_admin(sandbox, "POST", "faults", {"faults": "500", "path": "/models"})

    assert (await call(sandbox, "GET", "/models")).status == 500
    assert (await chat(sandbox)).status == 200


@pytest.mark.parametrize("value", [{"faults": "typo"}, {"faults": 7}, {}, []])
async def test_post_faults_with_wrong_order_is_refused(sandbox: Sandbox, value: Any) -> None:
    reply = await ask_admin(sandbox, "POST", "faults", value)

    assert reply.status == 400
    assert (await ask_admin(sandbox, "GET", "faults")).json() == {"faults": []}


async def test_revoke_makes_issued_tokens_unknown(sandbox: Sandbox) -> None:
    token = await get_token(sandbox)
    await ask_admin(sandbox, "POST", "revoke")

    reply = await call(sandbox, "GET", "/models", token=token)

    assert (reply.status, reply.json()["message"]) == (401, "Unauthorized")


async def test_stats_count_what_came(sandbox: Sandbox) -> None:
    await get_token(sandbox)
    await chat(sandbox)

    reply = await ask_admin(sandbox, "GET", "stats")

    assert reply.json() == {
        "oauth_calls": 1,
        "oauth_tokens": 1,
        "chat_calls": 1,
        "refused_by_limit": 0,
        "open_streams": 0,
        "max_open_streams": 1,
        "disconnects": 0,
        "requests": {"POST /chat/completions": 1},
    }


async def test_switches_are_absent_when_switched_off(start_sandbox: StartSandbox) -> None:
    sandbox = await start_sandbox(has_fault_switches=False)

    assert (await ask_admin(sandbox, "POST", "faults", {"faults": "500"})).status == 404
    assert (await ask_admin(sandbox, "POST", "revoke")).status == 404
    assert (await chat(sandbox, fault="500")).status == 200
