"""Losing the network and coming back: the text is byte-exact wherever the line was cut."""

import random
from uuid import uuid4

import pytest

from tests.chat.blackbox.conftest import Pocket
from tests.chat.blackbox.test_turns import LONG_QUESTION, start_long_turn
from tests.cursor import FollowedConversation, Verdict, digest
from tests.live.product import Account, Product
from tests.phone import Phone


async def finish_turn(phone: Phone, text: str = "Привет") -> FollowedConversation:
    """Ask in a new conversation, wait for the end; attached properly, so that log and epoch are known."""
    c = str(uuid4())
    reply = await phone.submit(c, text, new=True)
    await phone.wait_end(c, reply["d"]["turn"])
    await phone.attach(c)
    held = phone.follow(c)
    await phone.wait_until(lambda: held.epoch is not None and not held.awaits_state)
    return held


def find_answer(phone: Phone) -> str:
    """Return the answer's text as the phone holds it, after checking it against the terminal event."""
    completed = phone.find("turn.completed")[-1]
    text = phone.follow(completed["c"]).texts[completed["d"]["msg"]]
    assert (len(text.encode()), digest(text)) == (completed["d"]["bytes"], completed["d"]["sum"])
    return text


@pytest.mark.parametrize("seed", range(4))
async def test_answer_cut_at_random_points_is_byte_exact(account: Account, pocket: Pocket, seed: int) -> None:
    chance = random.Random(seed)
    phone = await pocket.add(account.take_phone())
    await phone.connect()
    c, turn = await start_long_turn(phone)
    await phone.attach(c)
    cuts = 0
    while turn not in phone.follow(c).ended and cuts < 8:
        seen = len(phone.find("text.delta"))
        await phone.wait_for_deltas(seen + chance.randint(0, 6), c)
        await phone.cut()
        cuts += 1
        await phone.connect()
    assert await phone.wait_end(c, turn) == "turn.completed"
    assert Verdict.ATTACH not in phone.verdicts
    assert Verdict.RESYNC not in phone.verdicts
    assert find_answer(phone).startswith("Ипотека")


async def test_answer_goes_on_without_its_phone(product: Product, account: Account, pocket: Pocket) -> None:
    phone, watcher = await pocket.add(account.take_phone()), await pocket.add(account.take_phone())
    await phone.connect()
    c, _ = await start_long_turn(phone)
    await watcher.connect(c)
    await phone.cut()
    await watcher.wait_until(lambda: watcher.follow(c).active is None and watcher.follow(c).cursor > 0)
    await phone.connect()
    await phone.wait_until(lambda: phone.follow(c).cursor == watcher.follow(c).cursor)
    assert phone.follow(c).texts == watcher.follow(c).texts
    assert [row["state"] for row in product.clerk.ask("list_turns", conversation=c)] == ["completed"]


async def test_resume_of_a_finished_answer_merges_its_deltas(account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.take_phone())
    await phone.connect()
    held = await finish_turn(phone, LONG_QUESTION)
    late = await pocket.add(account.take_phone())
    late.follow(held.id).epoch = held.epoch
    welcome = await late.connect()
    assert welcome["subs"] == [
        {"c": held.id, "e": held.epoch, "top": held.cursor, "mode": "replay", "active": None, "confirms": []}
    ]
    await late.wait_until(lambda: late.follow(held.id).cursor == held.cursor)
    assert late.follow(held.id).texts == held.texts
    assert set(late.verdicts) == {Verdict.APPLIED}
    assert max(frame.get("n", 1) for frame in late.find("text.delta")) > 10


async def test_resume_at_the_head_is_live(account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.take_phone())
    await phone.connect()
    held = await finish_turn(phone)
    await phone.leave()
    start = len(phone.frames)
    welcome = await phone.connect()
    assert welcome["subs"][0]["mode"] == "live"
    reply = await phone.submit(held.id, "Что такое вклад?")
    assert await phone.wait_end(held.id, reply["d"]["turn"]) == "turn.completed"
    events = [frame for frame in phone.frames[start:] if "s" in frame]
    assert events[0]["s"] == welcome["subs"][0]["top"] + 1


async def test_first_attach_gives_the_whole_state(account: Account, pocket: Pocket) -> None:
    phone, tablet = await pocket.add(account.take_phone()), await pocket.add(account.take_phone())
    await phone.connect()
    held = await finish_turn(phone)
    welcome = await tablet.connect(held.id)
    assert (welcome["subs"][0]["mode"], welcome["subs"][0]["why"]) == ("snapshot", "new")
    await tablet.wait_type("conv.state")
    assert tablet.follow(held.id).texts == held.texts
    assert tablet.follow(held.id).title == "Привет"


async def test_attach_in_the_middle_of_an_answer_goes_on_from_there(account: Account, pocket: Pocket) -> None:
    phone, tablet = await pocket.add(account.take_phone()), await pocket.add(account.take_phone())
    await phone.connect()
    await tablet.connect()
    c, turn = await start_long_turn(phone)
    reply = await tablet.attach(c)
    assert reply["d"]["active"]["turn"] == turn
    state = await tablet.wait_type("conv.state")
    assert state["d"]["msgs"][-1]["partial"] is True
    assert await tablet.wait_end(c, turn) == "turn.completed"
    await phone.wait_end(c, turn)
    assert find_answer(tablet) == find_answer(phone)
    assert Verdict.RESYNC not in tablet.verdicts


async def test_detached_conversation_is_silent_until_attached_again(account: Account, pocket: Pocket) -> None:
    phone, tablet = await pocket.add(account.take_phone()), await pocket.add(account.take_phone())
    await phone.connect()
    held = await finish_turn(phone)
    await tablet.connect(held.id)
    await tablet.wait_type("conv.state")
    assert (await tablet.ask("detach", c=held.id))["d"] == {}
    start = len(tablet.frames)
    reply = await phone.submit(held.id, "Что такое вклад?")
    await phone.wait_end(held.id, reply["d"]["turn"])
    await tablet.ask("ping")
    assert [frame for frame in tablet.frames[start:] if "s" in frame] == []
    assert (await tablet.attach(held.id))["d"]["mode"] == "replay"
    await tablet.wait_end(held.id, reply["d"]["turn"])
    assert tablet.follow(held.id).texts == phone.follow(held.id).texts


async def test_position_of_another_epoch_gets_the_whole_state(
    product: Product, account: Account, pocket: Pocket
) -> None:
    phone = await pocket.add(account.take_phone())
    await phone.connect()
    held = await finish_turn(phone)
    texts = dict(held.texts)
    await phone.leave()
    product.clerk.ask("rename_epoch", conversation=held.id, epoch="restored")
    welcome = await phone.connect()
    assert (welcome["subs"][0]["mode"], welcome["subs"][0]["why"]) == ("snapshot", "epoch")
    await phone.wait_until(lambda: not held.awaits_state)
    assert (held.epoch, held.texts) == ("restored", texts)


async def test_position_from_the_future_gets_the_whole_state(account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.take_phone())
    await phone.connect()
    held = await finish_turn(phone)
    top, texts = held.cursor, dict(held.texts)
    await phone.leave()
    held.cursor, held.texts = 99_999, {"other": "text"}
    welcome = await phone.connect()
    assert (welcome["subs"][0]["mode"], welcome["subs"][0]["why"]) == ("snapshot", "ahead")
    await phone.wait_until(lambda: not held.awaits_state)
    assert (held.cursor, held.texts) == (top, texts)


async def test_phone_that_missed_a_frame_asks_and_gets_it(account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.take_phone())
    await phone.connect()
    c, turn = await start_long_turn(phone)
    await phone.attach(c)
    held = phone.follow(c)
    await phone.wait_until(lambda: not held.awaits_state)
    # Lost inside the phone: its store is behind what the socket has brought.
    held.cursor -= 1
    held.texts = {msg: text[:0] for msg, text in held.texts.items()}
    await phone.wait_until(lambda: Verdict.ATTACH in phone.verdicts or Verdict.RESYNC in phone.verdicts)
    await phone.wait_until(lambda: turn in held.ended or (held.active is None and not held.awaits_state), seconds=10)
    assert digest(held.texts[phone.find("turn.started")[0]["d"]["msg"]])


async def test_hello_with_foreign_and_unknown_conversations_denies_both_alike(
    product: Product, account: Account, pocket: Pocket
) -> None:
    phone = await pocket.add(account.take_phone())
    await phone.connect()
    held = await finish_turn(phone)
    stranger = await pocket.add(product.add_customer().take_phone())
    unknown = str(uuid4())
    welcome = await stranger.connect(held.id, unknown)
    assert welcome["subs"] == [{"c": held.id, "mode": "denied"}, {"c": unknown, "mode": "denied"}]
