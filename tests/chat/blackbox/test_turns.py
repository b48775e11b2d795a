"""The main job over a real socket: ask, follow the answer, stop it, never twice."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest

from tests.chat.blackbox.conftest import Pocket
from tests.cursor import Verdict, digest
from tests.live.product import Account, Product
from tests.phone import Phone

LONG_QUESTION = "Расскажи подробно об ипотеке"


async def start_long_turn(phone: Phone) -> tuple[str, str]:
    """Ask for a long answer in a new conversation; return both ids once text is coming."""
    c = str(uuid4())
    reply = await phone.submit(c, LONG_QUESTION, new=True)
    assert reply["t"] == "ok", reply
    await phone.wait_type("text.delta")
    return c, reply["d"]["turn"]


def hide_ids(reply: dict[str, Any], c: str) -> dict[str, Any]:
    """Return a copy of a reply without what differs between any two."""
    text = json.dumps(reply | {"re": ""}).replace(c, "")
    hidden: dict[str, Any] = json.loads(text)
    return hidden


async def test_submit_to_a_new_conversation_streams_the_answer_to_its_end(account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.take_phone())
    assert (await phone.connect())["subs"] == []
    c = str(uuid4())
    reply = await phone.submit(c, "Что такое вклад?", new=True)
    assert reply["t"] == "ok", reply
    assert reply["d"]["dup"] is False
    assert await phone.wait_end(c, reply["d"]["turn"]) == "turn.completed"
    held = phone.follow(c)
    assert held.types[:3] == ["conv.created", "turn.accepted", "turn.started"]
    assert set(held.types[3:-1]) == {"text.delta"}
    completed = phone.find("turn.completed")[0]["d"]
    assert held.texts[completed["msg"]].startswith("Вклад")
    assert completed["sum"] == digest(held.texts[completed["msg"]])
    assert completed["finish"] == "stop"
    assert completed["usage"]["out"] > 0
    assert set(phone.verdicts) == {Verdict.APPLIED}
    assert [action for action in account.list_actions() if action.startswith(("turn.", "conversation."))] == [
        "conversation.opened",
        "turn.started",
        "turn.finished",
    ]


async def test_reply_to_submit_comes_before_its_event(account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.take_phone())
    await phone.connect()
    reply = await phone.submit(str(uuid4()), "Привет", new=True)
    accepted = await phone.wait_type("turn.accepted")
    assert phone.frames.index(reply) < phone.frames.index(accepted)
    assert (reply["d"]["s"], reply["d"]["msg"]) == (accepted["s"], accepted["d"]["msg"])
    assert accepted["d"]["dev"] == phone.device_id


async def test_second_question_goes_on_in_the_same_log(account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.take_phone())
    await phone.connect()
    c = str(uuid4())
    first = await phone.submit(c, "Привет", new=True)
    await phone.wait_end(c, first["d"]["turn"])
    second = await phone.submit(c, "Что такое вклад?")
    assert await phone.wait_end(c, second["d"]["turn"]) == "turn.completed"
    held = phone.follow(c)
    assert held.types.count("conv.created") == 1
    assert [held.types.count(kind) for kind in ("turn.accepted", "turn.started", "turn.completed")] == [2, 2, 2]
    assert held.cursor > second["d"]["s"] > first["d"]["s"]


async def test_submit_without_an_id_is_done_without_a_reply(account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.take_phone())
    await phone.connect()
    c = str(uuid4())
    await phone.send("turn.submit", {"mid": str(uuid4()), "text": "Привет", "new": True}, c=c)
    accepted = await phone.wait_type("turn.accepted")
    await phone.wait_end(c, accepted["d"]["turn"])
    assert phone.find("ok") == []


async def test_same_message_sent_a_hundred_times_over_five_sockets_is_one_turn(
    product: Product, account: Account, pocket: Pocket
) -> None:
    phones = [await pocket.add(account.take_phone()) for _ in range(5)]
    for phone in phones:
        await phone.connect()
    c, mid = str(uuid4()), str(uuid4())
    sends = [phone.submit(c, "Что такое вклад?", new=True, mid=mid) for phone in phones for _ in range(20)]
    replies = await asyncio.gather(*sends)
    assert {reply["t"] for reply in replies} == {"ok"}
    assert len({reply["d"]["turn"] for reply in replies}) == 1
    assert [reply["d"]["dup"] for reply in replies].count(False) == 1
    turn = replies[0]["d"]["turn"]
    assert [await phone.wait_end(c, turn) for phone in phones] == ["turn.completed"] * 5
    assert len({str(phone.follow(c).texts) for phone in phones}) == 1
    assert len(product.clerk.ask("list_turns", conversation=c)) == 1


async def test_same_message_id_with_other_text_is_a_conflict(account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.take_phone())
    await phone.connect()
    c, mid = str(uuid4()), str(uuid4())
    await phone.submit(c, "Привет", new=True, mid=mid)
    reply = await phone.submit(c, "Здравствуйте", mid=mid)
    assert (reply["err"]["code"], reply["err"]["field"], reply["err"]["retryable"]) == ("idem.conflict", "d.mid", False)


async def test_submit_while_an_answer_runs_is_busy(account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.take_phone())
    await phone.connect()
    c, turn = await start_long_turn(phone)
    reply = await phone.submit(c, "Что такое вклад?")
    assert (reply["err"]["code"], reply["err"]["details"]) == ("turn.busy", {"turn": turn})
    await phone.cancel(c, turn)


async def test_submit_that_interrupts_ends_the_running_answer(account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.take_phone())
    await phone.connect()
    c, turn = await start_long_turn(phone)
    reply = await phone.submit(c, "Привет", busy="interrupt")
    assert await phone.wait_end(c, turn) == "turn.cancelled"
    assert await phone.wait_end(c, reply["d"]["turn"]) == "turn.completed"


async def test_submit_that_queues_is_answered_after_the_running_answer(account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.take_phone())
    await phone.connect()
    c = str(uuid4())
    first = await phone.submit(c, "Что такое вклад?", new=True)
    second = await phone.submit(c, "Привет", busy="queue")
    assert await phone.wait_end(c, second["d"]["turn"]) == "turn.completed"
    assert list(phone.follow(c).ended) == [first["d"]["turn"], second["d"]["turn"]]


async def test_cancel_stops_the_text_and_keeps_what_came(product: Product, account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.take_phone())
    await phone.connect()
    c, turn = await start_long_turn(phone)
    reply = await phone.cancel(c, turn)
    assert reply["d"] == {"state": "cancelling"}
    assert await phone.wait_end(c, turn) == "turn.cancelled"
    cancelled = phone.find("turn.cancelled")[0]["d"]
    assert cancelled["dev"] == phone.device_id
    assert len(phone.follow(c).texts[cancelled["msg"]].encode()) == cancelled["bytes"] > 0
    assert (await phone.cancel(c, turn))["d"] == {"state": "finished"}
    assert [row["state"] for row in product.clerk.ask("list_turns", conversation=c)] == ["cancelled"]


async def test_cancel_from_another_device_of_the_customer(account: Account, pocket: Pocket) -> None:
    phone, tablet = await pocket.add(account.take_phone()), await pocket.add(account.take_phone())
    await phone.connect()
    c, turn = await start_long_turn(phone)
    await tablet.connect(c)
    await tablet.wait_type("text.delta")
    assert (await tablet.cancel(c, turn))["d"] == {"state": "cancelling"}
    assert await phone.wait_end(c, turn) == "turn.cancelled"
    assert await tablet.wait_end(c, turn) == "turn.cancelled"
    assert phone.find("turn.cancelled")[0]["d"]["dev"] == tablet.device_id
    msg = phone.find("turn.cancelled")[0]["d"]["msg"]
    assert phone.follow(c).texts[msg] == tablet.follow(c).texts[msg]


async def test_cancel_before_the_state_arrived_shows_in_the_state(account: Account, pocket: Pocket) -> None:
    phone, tablet = await pocket.add(account.take_phone()), await pocket.add(account.take_phone())
    await phone.connect()
    c, turn = await start_long_turn(phone)
    welcome = await tablet.connect(c)
    assert welcome["subs"][0]["active"]["turn"] == turn
    await tablet.cancel(c, turn)
    await tablet.wait_until(lambda: tablet.follow(c).cursor > 0 and tablet.follow(c).active is None)
    await phone.wait_end(c, turn)
    assert list(tablet.follow(c).texts.values()) == list(phone.follow(c).texts.values())


async def test_cancel_of_an_unknown_turn_is_not_found(account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.take_phone())
    await phone.connect()
    c = str(uuid4())
    reply = await phone.submit(c, "Привет", new=True)
    await phone.wait_end(c, reply["d"]["turn"])
    assert (await phone.cancel(c, str(uuid4())))["err"]["code"] == "turn.not_found"


@pytest.mark.parametrize("kind", ["turn.submit", "turn.cancel", "attach"])
async def test_foreign_conversation_is_refused_like_an_unknown_one(
    product: Product, account: Account, pocket: Pocket, kind: str
) -> None:
    owner = await pocket.add(account.take_phone())
    await owner.connect()
    c, turn = await start_long_turn(owner)
    stranger_account = product.add_customer()
    stranger = await pocket.add(stranger_account.take_phone())
    await stranger.connect()
    body = {"turn.submit": {"mid": str(uuid4()), "text": "Привет"}, "turn.cancel": {"turn": turn}, "attach": {}}[kind]
    answers = [
        hide_ids(await stranger.ask(kind, body, c=conversation), c=conversation) for conversation in (c, str(uuid4()))
    ]
    assert answers[0] == answers[1]
    if kind == "attach":
        assert answers[0]["d"]["mode"] == "denied"
    else:
        assert answers[0]["err"]["code"] == "conv.not_found"
    assert "access.denied" in stranger_account.list_actions()
    assert [row["state"] for row in product.clerk.ask("list_turns", conversation=c)] == ["running"]
    await owner.cancel(c, turn)


async def test_submit_as_new_under_a_foreign_id_is_not_found(
    product: Product, account: Account, pocket: Pocket
) -> None:
    owner = await pocket.add(account.take_phone())
    await owner.connect()
    c = str(uuid4())
    await owner.submit(c, "Привет", new=True)
    stranger = await pocket.add(product.add_customer().take_phone())
    await stranger.connect()
    assert (await stranger.submit(c, "Привет", new=True))["err"]["code"] == "conv.not_found"
    assert stranger.find("turn.accepted") == []


async def test_message_that_waited_too_long_is_refused(account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.take_phone())
    await phone.connect()
    reply = await phone.submit(str(uuid4()), "Привет", new=True, age_ms=5000, max_age_ms=4999)
    assert reply["err"]["code"] == "cmd.too_old"
