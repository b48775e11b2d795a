"""Who gets in: the upgrade request, hello, and everything that is refused there."""

import json
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.chat.blackbox.conftest import Pocket
from tests.live.product import Account, Product
from tests.phone import Phone

BAD_TOKENS = ["not-a-token", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", "a.b.c"]


async def read_denial(product: Product, path: str = "", **options: Any) -> tuple[int, bytes]:
    """Return status and body of the HTTP answer that came instead of the upgrade."""
    phone = Phone(product.ws_url + path, token="t")
    with pytest.raises(InvalidStatus) as caught:
        await phone.open(**options)
    return caught.value.response.status_code, bytes(caught.value.response.body or b"")


@pytest.mark.parametrize("offered", [None, ["asst.v0.json"], ["graphql-ws", "mqtt"]])
async def test_upgrade_without_our_subprotocol_is_refused(
    product: Product, account: Account, offered: list[str] | None
) -> None:
    if product.kind == "uvicorn":
        status, body = await read_denial(product, subprotocols=offered)
        assert status == 400
        assert json.loads(body) == {"code": "proto.subprotocol", "supported": ["asst.v1.json"]}
        return
    # Daphne cannot answer an upgrade with a body of ours: it opens, then closes with a code that says why.
    async with account.take_phone() as phone:
        await phone.open(subprotocols=offered)
        assert await phone.wait_closed() == 4506


async def test_upgrade_picks_our_subprotocol_among_others(account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.take_phone())
    await phone.open(subprotocols=["asst.v9.cbor", "asst.v1.json"])
    assert phone.socket is not None
    assert phone.socket.subprotocol == "asst.v1.json"
    assert phone.socket.protocol.extensions == []


async def test_upgrade_from_a_foreign_page_is_refused(product: Product) -> None:
    status, _ = await read_denial(product, headers={"Origin": "https://evil.example"})
    assert status == 403


async def test_upgrade_from_a_foreign_page_with_a_token_is_refused(product: Product, account: Account) -> None:
    token = account.open_session().issue_token()
    headers = {"Origin": "https://evil.example", "Authorization": f"Bearer {token}"}
    assert (await read_denial(product, headers=headers))[0] == 403


async def test_upgrade_without_origin_and_authorization_is_refused(product: Product) -> None:
    assert (await read_denial(product, headers={}))[0] == 403


async def test_upgrade_of_an_unknown_path_is_refused(product: Product) -> None:
    assert (await read_denial(product, path="x"))[0] in {403, 404}


async def test_hello_of_a_page_carries_the_token_itself(product: Product, account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.take_phone(origin=product.http_url))
    welcome = await phone.connect()
    assert welcome["caps"] == ["ack", "functions", "confirm.sign"]
    assert (welcome["ping_ms"], welcome["pong_ms"], welcome["win"]) == (1000, 1000, 32 * 1024)
    assert welcome["token_exp_ms"] > welcome["now"]


async def test_socket_without_hello_is_closed(account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.take_phone())
    await phone.open()
    assert await phone.wait_closed() == 4408
    assert phone.frames == [
        {"t": "bye", "d": {"code": 4408, "reconnect": True, "after_ms": 0, "reason": "hello timeout"}}
    ]


async def test_pings_do_not_replace_hello(account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.take_phone())
    await phone.open()
    assert (await phone.ask("ping"))["err"]["code"] == "proto.state"
    assert await phone.wait_closed() == 4408


@pytest.mark.parametrize("token", BAD_TOKENS)
async def test_hello_with_a_token_that_is_not_ours_is_refused(product: Product, pocket: Pocket, token: str) -> None:
    phone = await pocket.add(Phone(product.ws_url, token=token))
    await phone.open()
    reply = await phone.ask("hello", {"v": 1, "dev": {"id": phone.device_id}})
    assert (reply["err"]["code"], reply["err"]["retryable"]) == ("auth.invalid", False)
    assert await phone.wait_closed() == 4501
    assert phone.frames[-1]["t"] == "bye"


async def test_hello_without_a_token_is_refused(product: Product, pocket: Pocket) -> None:
    phone = await pocket.add(Phone(product.ws_url, origin=product.http_url))
    await phone.open()
    reply = await phone.ask("hello", {"v": 1, "dev": {"id": phone.device_id}})
    assert reply["err"]["code"] == "auth.required"
    assert await phone.wait_closed() == 4501


async def test_hello_with_an_old_token_asks_for_a_new_one(account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.open_session().take_phone(seconds=-60))
    await phone.open()
    reply = await phone.ask("hello", {"v": 1, "dev": {"id": phone.device_id}})
    assert (reply["err"]["code"], reply["err"]["retryable"]) == ("auth.expired", True)
    assert await phone.wait_closed() == 4401


async def test_hello_of_a_revoked_session_is_refused(account: Account, pocket: Pocket) -> None:
    device = account.open_session()
    phone = await pocket.add(device.take_phone())
    device.sign_out()
    await phone.open()
    reply = await phone.ask("hello", {"v": 1, "dev": {"id": phone.device_id}})
    assert reply["err"]["code"] == "auth.revoked"
    assert await phone.wait_closed() == 4510


async def test_command_before_hello_is_refused_and_hello_still_works(account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.take_phone())
    await phone.open()
    reply = await phone.ask("turn.cancel", {"turn": "0199c0de-0000-7000-8000-000000000001"}, c=account.id)
    assert reply["err"]["code"] == "proto.state"
    assert (await phone.ask("hello", {"v": 1, "dev": {"id": phone.device_id}}))["t"] == "welcome"


async def test_second_hello_is_refused_and_the_socket_stays(account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.take_phone())
    await phone.connect()
    reply = await phone.ask("hello", {"v": 1, "dev": {"id": phone.device_id}})
    assert reply["err"]["code"] == "proto.state"
    assert (await phone.ask("ping", {"n": 5}))["d"] == {"n": 5}


async def test_hello_that_is_invalid_names_the_field(account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.take_phone())
    await phone.open()
    reply = await phone.ask("hello", {"v": True, "dev": {"id": phone.device_id}})
    assert (reply["err"]["code"], reply["err"]["field"]) == ("proto.invalid", "d.v")
    assert (await phone.ask("hello", {"v": 1, "dev": {"id": phone.device_id}}))["t"] == "welcome"


async def test_frame_before_hello_is_limited_to_eight_kilobytes(account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.take_phone())
    await phone.open()
    await phone.send("hello", {"v": 1, "dev": {"id": "d"}, "padding": "x" * 8192}, command_id="1")
    assert (await phone.wait_type("err"))["err"]["code"] == "limit.size"


async def test_hello_of_the_same_device_replaces_the_older_socket(account: Account, pocket: Pocket) -> None:
    device = account.open_session()
    first = await pocket.add(device.take_phone())
    second = await pocket.add(device.take_phone())
    await first.connect()
    await second.connect()
    assert await first.wait_closed() == 4509
    assert (await second.ask("ping"))["t"] == "pong"


async def test_hello_of_one_device_too_many_is_refused(account: Account, pocket: Pocket) -> None:
    for _ in range(5):
        await (await pocket.add(account.take_phone())).connect()
    phone = await pocket.add(account.take_phone())
    await phone.open()
    await phone.send("hello", {"v": 1, "dev": {"id": phone.device_id}}, command_id="1")
    assert await phone.wait_closed() == 4513


async def test_bye_of_the_phone_ends_the_socket(account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.take_phone())
    await phone.connect()
    await phone.send("bye", {"reason": "sleep"})
    assert await phone.wait_closed() == 1000
