"""Frames that no honest phone sends: the specified answer, nothing leaked, the process alive."""

import json
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed

from tests.chat.blackbox.conftest import Pocket
from tests.live.product import Account, Product
from tests.phone import Phone

DEEP = '{"t":"ping","d":' + '{"a":' * 5000 + "1" + "}" * 5000 + "}"


async def connect(account: Account, pocket: Pocket) -> Phone:
    phone = await pocket.add(account.take_phone())
    await phone.connect()
    return phone


async def test_frame_of_ten_megabytes_closes_only_its_socket(
    product: Product, account: Account, pocket: Pocket
) -> None:
    phone, other = await connect(account, pocket), await connect(account, pocket)
    with suppress(ConnectionClosed):  # uvicorn closes while the frame is still being sent
        await phone.send_text('{"t":"ping","d":"' + "x" * 10_000_000 + '"}')
    assert await phone.wait_closed() == 1009
    assert (await other.ask("ping"))["t"] == "pong"
    assert not product.child.has_ended()


async def test_frame_just_above_the_limit_is_refused_and_just_below_is_not(account: Account, pocket: Pocket) -> None:
    phone = await connect(account, pocket)
    frame = '{"t":"ping","id":"big","more":"%s"}'
    await phone.send_text(frame % ("x" * (64 * 1024 - len(frame) + 2)))
    assert (await phone.wait_type("pong"))["re"] == "big"
    await phone.send_text(frame % ("x" * (64 * 1024 - len(frame) + 3)))
    assert await phone.wait_closed() == 1009


async def test_invalid_utf8_closes_only_its_socket(account: Account, pocket: Pocket) -> None:
    phone, other = await connect(account, pocket), await connect(account, pocket)
    assert phone.socket is not None
    await phone.socket.send(b'{"t":"ping","d":"\xff\xfe"}', text=True)
    assert await phone.wait_closed() == 1007
    assert (await other.ask("ping"))["t"] == "pong"


@pytest.mark.parametrize(
    "data",
    [b"\x81\x02{}", b"\xc1\x82\0\0\0\0{}", b"\x83\x82\0\0\0\0{}", b"\0" * 64],
    ids=["unmasked", "reserved bit", "unknown opcode", "zeros"],
)
async def test_bytes_that_break_the_websocket_itself_close_only_their_socket(
    account: Account, pocket: Pocket, data: bytes
) -> None:
    phone, other = await connect(account, pocket), await connect(account, pocket)
    assert phone.socket is not None
    phone.socket.transport.write(data)
    assert await phone.wait_closed() == 1002
    assert (await other.ask("ping"))["t"] == "pong"


async def test_binary_frame_closes_the_socket(account: Account, pocket: Pocket) -> None:
    phone = await connect(account, pocket)
    await phone.send_text(b'{"t":"ping"}')
    assert await phone.wait_closed() == 1003
    assert phone.find("err")[0]["err"]["code"] == "proto.binary"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (DEEP, None),
        ("[" * 60_000, None),
        ('{"t":"ping","id":"1","t":"bye"}', None),
        ('{"t":"ping","id":"1","d":{"n":1,"n":2}}', "d"),
        ('{"t":"ping","id":"1","d":{"n":NaN}}', "d.n"),
        ('{"t":"ping","id":"1","d":{"n":1e400}}', "d.n"),
        ('{"t":"ping","id":"1","d":{"n":9007199254740993}}', "d.n"),
        ('{"t":"ping","id":"1","d":{"n":%s}}' % ("9" * 5000), "d.n"),
        ('{"t":"ping","id":"1","d":{"n":true}}', "d.n"),
        ('{"t":"ping","id":"1","d":{"n":3.0}}', "d.n"),
        ('{"t":"ping","id":"1","d":{"a":"\\ud800"}}', "d.a"),
        ('{"t":"ping","id":"1","d":{"a":"\\u0000"}}', "d.a"),
        ("[]", None),
        ('"ping"', None),
        ('{"t":"ping","id":7}', "id"),
        ('{"id":"1"}', "t"),
        ('{"t":"attach","id":"1","c":"../../etc"}', "c"),
    ],
)
async def test_json_that_is_not_allowed_names_the_place(
    account: Account, pocket: Pocket, text: str, field: str | None
) -> None:
    phone = await connect(account, pocket)
    await phone.send_text(text)
    error = (await phone.wait_type("err"))["err"]
    assert (error["code"], error.get("field"), error["retryable"]) == ("proto.invalid", field, False)
    assert (await phone.ask("ping"))["t"] == "pong"


async def test_error_repeats_nothing_that_was_sent(account: Account, pocket: Pocket) -> None:
    phone = await connect(account, pocket)
    await phone.send("auth.refresh", {"token": "тайна", "тайна": 1}, command_id="1")
    error = await phone.wait_type("err")
    assert "тайна" not in json.dumps(error, ensure_ascii=False)


async def test_third_frame_that_is_not_json_closes_the_socket(account: Account, pocket: Pocket) -> None:
    phone = await connect(account, pocket)
    for _ in range(3):
        await phone.send_text("ping")
    assert await phone.wait_closed() == 4500
    assert [frame["err"]["code"] for frame in phone.find("err")] == ["proto.malformed"] * 3
    assert phone.frames[-1]["d"]["reconnect"] is False


@pytest.mark.parametrize("kind", ["turn.regenerate", "msg.edit", "confirm.ask", "websocket.close", "admin"])
async def test_unknown_command_is_answered_and_the_socket_stays(account: Account, pocket: Pocket, kind: str) -> None:
    phone = await connect(account, pocket)
    reply = await phone.ask(kind, {}, c=account.id)
    assert reply["err"]["code"] == "proto.unknown_type"
    assert (await phone.ask("ping"))["t"] == "pong"


async def test_unknown_fields_are_ignored(account: Account, pocket: Pocket) -> None:
    phone = await connect(account, pocket)
    await phone.send_text('{"t":"ping","id":"p","later":{"a":[1]},"d":{"n":4,"more":null}}')
    assert (await phone.wait_type("pong"))["d"] == {"n": 4}
