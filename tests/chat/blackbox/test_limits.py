"""Rates, the send window, heartbeats: what happens to phones that ask too much or answer too little."""

from contextlib import suppress
from uuid import uuid4

import pytest
from websockets.exceptions import ConnectionClosed

from tests.chat.blackbox.conftest import Pocket
from tests.live.product import Account, Product


async def test_flood_of_commands_is_slowed_then_closed(account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.take_phone())
    await phone.connect()
    with suppress(ConnectionClosed):
        for number in range(70):
            await phone.send("ping", command_id=f"p{number}")
    assert await phone.wait_closed() == 4429
    refused = phone.find("err")
    assert {frame["err"]["code"] for frame in refused} == {"limit.rate"}
    assert all(0 < frame["err"]["retry_after_ms"] <= 10_000 for frame in refused)
    assert len(phone.find("pong")) >= 25
    assert phone.frames[-1]["d"]["after_ms"] > 0


async def test_flood_of_frames_that_are_no_commands_is_closed_too(account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.take_phone())
    await phone.connect()
    with suppress(ConnectionClosed):
        for _ in range(70):
            await phone.send("no.such.command", command_id="1")
    assert await phone.wait_closed() == 4429
    assert {frame["err"]["code"] for frame in phone.find("err")} == {"proto.unknown_type", "limit.rate"}


@pytest.mark.parametrize("kind", ["ack", "pong"])
async def test_flood_of_idle_frames_is_closed(account: Account, pocket: Pocket, kind: str) -> None:
    phone = await pocket.add(account.take_phone())
    await phone.connect()
    with suppress(ConnectionClosed):
        for _ in range(70):
            await phone.send(kind, {account.id: 1} if kind == "ack" else {})
    assert await phone.wait_closed() == 4429


async def test_some_idle_frames_do_not_count_as_commands(account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.take_phone())
    await phone.connect()
    for _ in range(30):
        await phone.send("ack", {account.id: 1})
    for number in range(25):
        await phone.send("ping", command_id=f"p{number}")
    await phone.wait_until(lambda: len(phone.find("pong")) == 25)
    assert phone.find("err") == []


async def test_acks_faster_than_their_rate_lose_nothing(product: Product, account: Account, pocket: Pocket) -> None:
    log = product.clerk.ask("fill_conversation", customer=account.id, count=300, size=1000)
    phone = await pocket.add(account.take_phone(acks=False))
    held = phone.follow(log["c"])
    held.epoch = log["e"]
    await phone.connect()
    for seq in range(1, 301):
        await phone.wait_until(lambda seq=seq: held.cursor >= seq)  # type: ignore[misc]
        await phone.send("ack", {log["c"]: seq})
    assert (await phone.ask("ping"))["t"] == "pong"


async def test_turns_above_the_customers_rate_are_refused(product: Product, account: Account, pocket: Pocket) -> None:
    phones = [await pocket.add(account.take_phone()) for _ in range(2)]
    for phone in phones:
        await phone.connect()
    for number in range(6):
        assert (await phones[number % 2].submit(str(uuid4()), "Привет", new=True))["t"] == "ok"
    c = str(uuid4())
    reply = await phones[0].submit(c, "Привет", new=True)
    assert reply["err"]["code"] == "limit.rate"
    assert reply["err"]["details"] == {"limit": 6, "window_s": 60}
    assert 0 < reply["err"]["retry_after_ms"] <= 60_001
    assert product.clerk.ask("list_turns", conversation=c) == []


async def test_phone_that_does_not_acknowledge_is_closed_and_resumes(
    product: Product, account: Account, pocket: Pocket
) -> None:
    log = product.clerk.ask("fill_conversation", customer=account.id, count=100, size=1000)
    device = account.open_session()
    phone = await pocket.add(device.take_phone(acks=False))
    phone.follow(log["c"]).epoch = log["e"]
    await phone.connect()
    assert await phone.wait_closed() == 4413
    received = phone.follow(log["c"]).cursor
    assert 20 < received < 40
    assert phone.frames[-1]["d"]["reconnect"] is True
    phone.acks = True
    await phone.connect()
    await phone.wait_until(lambda: phone.follow(log["c"]).cursor == 100)


async def test_phone_that_acknowledges_gets_everything(product: Product, account: Account, pocket: Pocket) -> None:
    log = product.clerk.ask("fill_conversation", customer=account.id, count=300, size=1000)
    phone = await pocket.add(account.take_phone())
    phone.follow(log["c"]).epoch = log["e"]
    await phone.connect()
    await phone.wait_until(lambda: phone.follow(log["c"]).cursor == 300)
    assert phone.follow(log["c"]).types == ["msg.snapshot"] * 300


async def test_full_window_does_not_stop_commands(product: Product, account: Account, pocket: Pocket) -> None:
    log = product.clerk.ask("fill_conversation", customer=account.id, count=100, size=1000)
    phone = await pocket.add(account.take_phone(acks=False))
    phone.follow(log["c"]).epoch = log["e"]
    await phone.connect()
    await phone.wait_until(lambda: phone.follow(log["c"]).cursor > 20)
    assert (await phone.ask("ping"))["t"] == "pong"


async def test_phone_that_answers_no_ping_is_closed(account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.take_phone(pongs=False))
    await phone.connect()
    assert await phone.wait_closed() == 4412
    assert [frame["t"] for frame in phone.frames] == ["welcome", "ping", "bye"]


async def test_phone_that_answers_pings_stays(account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.take_phone())
    await phone.connect()
    await phone.wait_until(lambda: len(phone.find("ping")) >= 3)
    assert (await phone.ask("ping"))["t"] == "pong"


async def test_conversations_above_the_limit_are_not_attached(
    product: Product, account: Account, pocket: Pocket
) -> None:
    ids = [product.clerk.ask("fill_conversation", customer=account.id, count=1, size=1)["c"] for _ in range(21)]
    phone = await pocket.add(account.take_phone())
    welcome = await phone.connect(*ids[:20])
    assert {entry["mode"] for entry in welcome["subs"]} == {"snapshot"}
    reply = await phone.attach(ids[20])
    assert reply["err"]["code"] == "limit.attach"
    await phone.ask("detach", c=ids[0])
    assert (await phone.attach(ids[20]))["t"] == "ok"


async def test_text_above_the_limit_is_refused(account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.take_phone())
    await phone.connect()
    reply = await phone.submit(str(uuid4()), "x" * 16_001, new=True)
    assert (reply["err"]["code"], reply["err"]["field"]) == ("limit.size", "d.text")
