"""The page follows a log: exactly once whatever the frames do, and honest about what it cannot repair."""

import pytest
from playwright.async_api import expect

from tests.e2e.browser import PhonePage
from tests.e2e.scripted import ScriptedServer, ask_first_question

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_follow_streamed_answer_shows_each_delta_and_acks_the_end(
    phone: PhonePage, server: ScriptedServer
) -> None:
    await server.enter()
    talk = await ask_first_question(server)
    answer = phone.page.locator(".message.assistant .text")
    await expect(answer).to_have_text("Thinking…")
    server.send(talk.delta("Курс"))
    await expect(answer).to_have_text("Курс")
    server.send(talk.delta(" евро 98,40 ₽.", covered=2))
    await expect(answer).to_have_text("Курс евро 98,40 ₽.")
    server.send(talk.completed())
    await phone.wait_for_answer()

    acked = 0
    while acked != talk.top:
        acked = (await server.expect("ack"))["d"][talk.c]
    conversation = await phone.read_conversation()
    assert [conversation["cursor"], conversation["epoch"]] == [talk.top, "e1"]
    assert await phone.read_stored_texts() == ["Курс?", "Курс евро 98,40 ₽."]


async def test_repeated_frames_change_nothing(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    talk = await ask_first_question(server)
    first, second = talk.delta("Раз"), talk.delta(" два", covered=2)
    server.send(first, first, second, first, second)
    end = talk.completed()
    server.send(end, end)
    await phone.wait_for_answer()

    assert await phone.read_stored_texts() == ["Курс?", "Раз два"]


async def test_hole_is_not_applied_but_asked_for_from_the_cursor(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    talk = await ask_first_question(server)
    server.send(talk.delta("Раз"))
    held = talk.top
    lost = talk.delta(" два")
    later = talk.delta(" три")
    # Only the first hole asks; what follows before the answer is dropped, the answer brings it again.
    server.send(later, talk.event("future.event", {}))
    attach = await server.expect("attach")
    assert attach["d"] == {"e": "e1", "s": held}
    server.send({"t": "ok", "re": attach["id"], "d": talk.entry("replay")}, lost, later)
    server.send({"t": "future.event", "c": talk.c, "s": talk.top, "d": {}}, talk.completed())
    await phone.wait_for_answer()

    assert await phone.read_stored_texts() == ["Курс?", "Раз два три"]


async def test_overlapping_merged_frame_is_not_applied_but_asked_again(
    phone: PhonePage, server: ScriptedServer
) -> None:
    await server.enter()
    talk = await ask_first_question(server)
    server.send(talk.delta("Раз"))
    held = talk.top
    merged = {"t": "text.delta", "c": talk.c, "s": held + 1, "n": 2, "d": {"msg": "a1", "off": 0, "text": "Раз два"}}
    server.send(merged)
    attach = await server.expect("attach")
    assert attach["d"] == {"e": "e1", "s": held}
    second = talk.delta(" два")
    server.send({"t": "ok", "re": attach["id"], "d": talk.entry("replay")}, second, talk.completed())
    await phone.wait_for_answer()

    assert await phone.read_stored_texts() == ["Курс?", "Раз два"]


async def test_digest_mismatch_takes_the_whole_state_again(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    talk = await ask_first_question(server)
    server.send(talk.delta("Раз"), talk.completed(sum="AAAAAAAAAAAAAAAAAAAAAA"))
    attach = await server.expect("attach")
    assert attach["d"] == {}
    server.send({"t": "ok", "re": attach["id"], "d": talk.entry("snapshot", why="new")})
    question = {"msg": "q1", "turn": "t1", "role": "user", "text": "Курс?", "bytes": 9, "sum": ""}
    answer = {"msg": "a1", "turn": "t1", "role": "assistant", "text": "Два", "bytes": 6, "sum": ""}
    server.send(talk.state(question, answer))
    await expect(phone.page.locator(".message.assistant .text")).to_have_text("Два")
    await talk.wait_for_cursor()

    assert await phone.read_stored_texts() == ["Курс?", "Два"]


async def test_delta_at_a_wrong_offset_takes_the_whole_state_again(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    talk = await ask_first_question(server)
    server.send(talk.delta("Раз"))
    server.send(talk.event("text.delta", {"msg": "a1", "off": 3, "text": "!"}))

    assert (await server.expect("attach"))["d"] == {}


async def test_snapshot_knows_better_than_the_answer_before_it_which_turn_is_unfinished(
    phone: PhonePage, server: ScriptedServer
) -> None:
    await server.enter()
    talk = await ask_first_question(server)
    server.send(talk.delta("Раз"), talk.completed(sum="AAAAAAAAAAAAAAAAAAAAAA"))
    attach = await server.expect("attach")
    over = {"turn": "t2", "state": "queued", "attempt": 0, "msg": "a2"}
    server.send({"t": "ok", "re": attach["id"], "d": talk.entry("snapshot", why="new", active=over)})
    # The second turn failed between the answer and the snapshot: no event will ever end it on this phone.
    talk.top += 1
    server.send(talk.state({"msg": "q1", "turn": "t1", "role": "user", "text": "Курс?", "bytes": 9, "sum": ""}))

    await expect(phone.page.locator("#stop")).to_be_hidden()
    await expect(phone.page.locator(".message")).to_have_count(1)


async def test_endless_holes_end_in_one_reconnect_and_then_an_honest_stop(
    phone: PhonePage, server: ScriptedServer
) -> None:
    await server.enter()
    talk = await ask_first_question(server)
    server.send(talk.delta("Раз"))
    held = talk.top
    hole = {"t": "future.event", "c": talk.c, "s": held + 9, "d": {}}
    for _ in range(3):
        server.send(hole)
        attach = await server.expect("attach")
        server.send({"t": "ok", "re": attach["id"], "d": talk.entry("replay")})
    server.send(hole)
    hello = await server.welcome(talk.entry("replay"))
    assert hello["subs"] == [{"c": talk.c, "e": "e1", "s": held}]
    server.send(hole)
    await phone.wait_for_status("stopped")

    await expect(phone.page.locator("#notice")).to_contain_text("out of step")
    await phone.page.click("#notice-act")
    await server.welcome(talk.entry("live"))


async def test_snapshot_in_parts_is_shown_only_with_its_last_part(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    talk = await ask_first_question(server)
    server.send(talk.delta("Раз"))
    server.send({"t": "text.delta", "c": talk.c, "s": talk.top + 5, "d": {"msg": "a1", "off": 0, "text": "x"}})
    attach = await server.expect("attach")
    server.send({"t": "ok", "re": attach["id"], "d": talk.entry("snapshot", why="old")})
    first, last = talk.state(), talk.state(older=True)
    del first["s"], first["snap"]
    first["d"] |= {"of": 2, "msgs": [{"msg": "q8", "role": "user", "text": "А?", "bytes": 3, "sum": ""}]}
    last["d"] |= {"of": 2, "part": 2, "msgs": [{"msg": "a8", "role": "assistant", "text": "Б", "bytes": 2, "sum": ""}]}
    server.send(first)
    await expect(phone.page.locator(".message.assistant .text")).to_have_text("Раз")
    server.send(last)

    await expect(phone.page.locator(".message .text")).to_have_text(["А?", "Б"])
    await expect(phone.page.locator("#older")).to_be_visible()


async def test_denied_conversation_is_forgotten(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    talk = await ask_first_question(server)
    server.send(talk.delta("Раз"), talk.completed())
    await talk.wait_for_cursor()
    await server.close(4400)
    await server.welcome({"c": talk.c, "mode": "denied"})

    await expect(phone.page.locator("#greeting")).to_be_visible()
    await expect(phone.page.locator(".message")).to_have_count(0)
    assert talk.c not in [item["id"] for item in (await phone.read_chat())["conversations"]]
