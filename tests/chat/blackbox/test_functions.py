"""The model looks at accounts and proposes transfers, the customer decides, over a real socket."""

from typing import Any
from uuid import uuid4

import pytest

from tests.chat.blackbox.conftest import Pocket
from tests.live.product import Account, Device, DeviceKey
from tests.phone import Phone

BALANCE = "Сколько денег на текущем счёте?"
TRANSFER = "Переведи 500 рублей с текущего на накопительный"
# The question's time on this product, and a little more.
EXPIRY_SECONDS = 12.0


@pytest.fixture
def furnished(account: Account) -> Account:
    account.open_accounts(1_000_00)
    return account


@pytest.fixture
def device(furnished: Account) -> Device:
    return furnished.open_session()


@pytest.fixture
def key(device: Device) -> DeviceKey:
    return device.enrol_key()


async def ask_for_transfer(phone: Phone, c: str, **fields: Any) -> tuple[str, dict[str, Any]]:
    """Ask for a transfer; return the turn and the question it waits with."""
    start = len(phone.frames)
    reply = await phone.submit(c, TRANSFER, **fields)
    assert reply["t"] == "ok", reply
    question = await phone.wait_type("confirm.requested", start=start)
    return reply["d"]["turn"], question["d"]


async def test_balance_is_looked_up_and_told(device: Device, pocket: Pocket) -> None:
    phone, c = await pocket.add(device.take_phone()), str(uuid4())
    await phone.connect()

    reply = await phone.submit(c, BALANCE, new=True)

    assert await phone.wait_end(c, reply["d"]["turn"]) == "turn.completed"
    held = phone.follow(c)
    assert held.types[:3] == ["conv.created", "turn.accepted", "turn.started"]
    assert held.types.count("function.started") == held.types.count("function.completed") >= 1
    assert "msg.replaced" not in held.types
    text = held.texts[phone.find("turn.completed")[0]["d"]["msg"]]
    assert "1 000" in text.replace("\u00a0", " ").replace("\u202f", " "), text


async def test_transfer_is_asked_on_two_phones_and_done_once(
    furnished: Account, device: Device, key: DeviceKey, pocket: Pocket
) -> None:
    phone, c = await pocket.add(device.take_phone()), str(uuid4())
    await phone.connect()
    turn, question = await ask_for_transfer(phone, c, new=True)
    # The second phone comes when the question is open already, and knows nothing of the conversation.
    other = furnished.open_session()
    other_key, second = other.enrol_key(), await pocket.add(other.take_phone())
    [attached] = (await second.connect(c))["subs"]
    state = await second.wait_type("conv.state")
    assert attached["active"]["state"] == state["d"]["active"]["state"] == "awaiting_confirm"
    for shown in (attached["confirms"], state["d"]["confirms"]):
        assert [(row["confirm"], row["payload"]) for row in shown] == [(question["confirm"], question["payload"])]

    approved = await phone.ask("confirm.decide", key.decide(question), c=c)
    late = await second.ask("confirm.decide", other_key.decide(question, "reject"), c=c)

    assert approved["d"]["state"] == "approved"
    assert (late["err"]["code"], late["err"]["details"]) == ("confirm.decided", {"state": "executed"})
    for each in (phone, second):
        assert await each.wait_end(c, turn) == "turn.completed"
        types = each.follow(c).types
        at = types.index("confirm.decided")
        assert types[at : at + 3] == ["confirm.decided", "op.result", "function.completed"]
        assert each.find("op.result")[0]["d"]["status"] == "done"
    assert phone.follow(c).texts == second.follow(c).texts
    assert phone.follow(c).types.count("turn.started") == 1
    assert furnished.read_balances() == [500_00, 500_00]
    actions = furnished.list_actions()
    assert [actions.count(name) for name in ("fn.confirm_asked", "fn.confirmed", "turn.started")] == [1, 1, 1]


async def test_transfer_that_is_not_approved_moves_nothing(
    furnished: Account, device: Device, key: DeviceKey, pocket: Pocket
) -> None:
    phone, c = await pocket.add(device.take_phone()), str(uuid4())
    await phone.connect()

    declined_turn, question = await ask_for_transfer(phone, c, new=True)
    declined = await phone.ask("confirm.decide", key.decide(question, "reject"), c=c)
    assert declined["d"]["state"] == "declined"
    assert await phone.wait_end(c, declined_turn) == "turn.completed"

    cancelled_turn, question = await ask_for_transfer(phone, c)
    assert (await phone.cancel(c, cancelled_turn))["d"]["state"] == "cancelling"
    assert await phone.wait_end(c, cancelled_turn) == "turn.cancelled"
    assert await decide_late(phone, key, c, question) == "confirm.decided"

    interrupted_turn, question = await ask_for_transfer(phone, c)
    reply = await phone.submit(c, "Что такое вклад?", busy="interrupt")
    assert await phone.wait_end(c, interrupted_turn) == "turn.cancelled"
    assert await phone.wait_end(c, reply["d"]["turn"]) == "turn.completed"
    assert await decide_late(phone, key, c, question) == "confirm.superseded"

    expired_turn, question = await ask_for_transfer(phone, c)
    assert await phone.wait_end(c, expired_turn, seconds=EXPIRY_SECONDS) == "turn.completed"
    assert await decide_late(phone, key, c, question) == "confirm.expired"

    assert [frame["d"]["why"] for frame in phone.find("confirm.closed")] == ["cancelled", "superseded", "expired"]
    assert phone.find("op.result") == []
    assert furnished.read_balances() == [1_000_00, 0]


async def decide_late(phone: Phone, key: DeviceKey, c: str, question: dict[str, Any]) -> str:
    """Approve what is over; return the code of the refusal."""
    reply = await phone.ask("confirm.decide", key.decide(question), c=c)
    return str(reply["err"]["code"])
