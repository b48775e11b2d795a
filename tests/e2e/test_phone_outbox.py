"""What the customer writes: kept until the server took it, sent again without a second turn, refused in plain words."""

import pytest
from playwright.async_api import expect

from tests.e2e.browser import PhonePage
from tests.e2e.scripted import ScriptedServer, ask_first_question

pytestmark = pytest.mark.asyncio(loop_scope="session")
ACCEPTED = {"turn": "t2", "msg": "q2", "e": "e1", "s": 99, "dup": False}


async def test_first_message_opens_a_conversation_of_the_phones_own_id(
    phone: PhonePage, server: ScriptedServer
) -> None:
    await server.enter()
    await phone.ask("Курс?")
    submit = await server.expect("turn.submit")

    assert submit["c"][14] == submit["d"]["mid"][14] == "7"
    assert submit["d"].pop("age_ms") < 5_000
    del submit["d"]["mid"]
    assert submit["d"] == {"text": "Курс?", "busy": "queue", "new": True}


async def test_message_written_offline_is_sent_after_welcome_with_its_age(
    phone: PhonePage, server: ScriptedServer
) -> None:
    await phone.page.clock.install()
    await server.enter()
    await phone.page.click("#network")
    await phone.ask("Курс?")
    unsent = phone.page.locator(".message.user")
    await expect(unsent).to_have_attribute("data-state", "waiting")
    await expect(unsent.locator(".below")).to_have_text("Waiting for the connection")
    await phone.page.clock.fast_forward(60_000)
    await phone.page.click("#network")
    await server.welcome()
    submit = await server.expect("turn.submit")

    assert submit["d"]["age_ms"] >= 60_000
    await expect(unsent.locator(".below")).to_have_text("Sending…")


async def test_message_without_reply_is_sent_again_under_the_same_mid(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    await phone.ask("Курс?")
    first = await server.expect("turn.submit")
    await server.close(4400)
    await server.welcome()
    second = await server.expect("turn.submit")

    assert [second["c"], second["d"]["mid"]] == [first["c"], first["d"]["mid"]]
    assert second["d"]["new"] is True


async def test_message_without_reply_survives_a_reload(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    await phone.ask("Курс?")
    first = await server.expect("turn.submit")
    await phone.reload()
    await expect(phone.page.locator(".message.user .text")).to_have_text("Курс?")
    await server.welcome()
    second = await server.expect("turn.submit")

    assert [second["c"], second["d"]["mid"]] == [first["c"], first["d"]["mid"]]


async def test_accepted_message_is_shown_once_when_its_event_comes(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    await ask_first_question(server)

    await expect(phone.page.locator(".message.user")).to_have_count(1)
    assert (await phone.read_chat())["outbox"] == []


async def test_messages_of_a_closed_conversation_are_delivered_too(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    await phone.page.click("#network")
    await phone.ask("Первый")
    await phone.page.click("#new")
    await expect(phone.page.locator("#greeting")).to_be_visible()
    await phone.page.click("#network")
    await server.welcome()
    submit = await server.expect_reply_to("turn.submit", ACCEPTED)
    assert [submit["d"]["text"], submit["d"]["new"]] == ["Первый", True]
    # The server follows it from now on; the page does not.
    assert (await server.expect("detach"))["c"] == submit["c"]

    await phone.page.wait_for_function("() => JSON.parse(sessionStorage.getItem('phone.chat')).outbox.length === 0")


async def test_refused_message_says_why_and_can_be_sent_again(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    await phone.ask("Курс?")
    first = await server.refuse("turn.submit", "limit.rate", retry_after_ms=21_000)
    row = phone.page.locator(".message.user")
    await expect(row).to_have_attribute("data-state", "refused")
    await expect(row.locator(".below span")).to_have_text("You are asking too often. Try again in 21 s.")
    await row.get_by_role("button", name="Send again").click()
    second = await server.expect("turn.submit")

    assert second["d"]["mid"] == first["d"]["mid"]


async def test_refused_message_can_be_deleted(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    await phone.ask("Курс?")
    await server.refuse("turn.submit", "limit.size", retryable=False)
    await phone.page.get_by_role("button", name="Delete").click()

    await expect(phone.page.locator(".message")).to_have_count(0)
    assert (await phone.read_chat())["outbox"] == []


async def test_message_id_in_conflict_is_replaced_when_sent_again(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    await phone.ask("Курс?")
    first = await server.refuse("turn.submit", "idem.conflict", retryable=False)
    await phone.page.get_by_role("button", name="Send again").click()
    second = await server.expect("turn.submit")

    assert second["d"]["mid"] != first["d"]["mid"]


async def test_passing_refusal_is_repeated_without_asking(phone: PhonePage, server: ScriptedServer) -> None:
    await phone.page.clock.install()
    await server.enter()
    await phone.ask("Курс?")
    first = await server.refuse("turn.submit", "idem.in_progress", retry_after_ms=2_000)
    await phone.page.wait_for_function(
        "() => JSON.parse(sessionStorage.getItem('phone.chat')).outbox[0].state === 'waiting'"
    )
    await phone.page.clock.run_for(2_000)
    second = await server.expect("turn.submit")

    assert second["d"]["mid"] == first["d"]["mid"]


async def test_passing_refusal_without_end_is_told_at_last(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    await phone.ask("Курс?")
    for _ in range(6):
        await server.refuse("turn.submit", "server.overloaded", retry_after_ms=1)

    await expect(phone.page.locator(".message.user")).to_have_attribute("data-state", "refused")
    assert server.is_silent()


async def test_submit_after_the_tokens_end_renews_and_repeats(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    await phone.ask("Курс?")
    await server.refuse("turn.submit", "auth.expired")
    await server.expect_reply_to("auth.refresh", {"exp": 0})

    assert (await server.expect("turn.submit"))["d"]["text"] == "Курс?"


async def test_two_messages_keep_their_order(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    await phone.page.click("#network")
    await phone.ask("Раз")
    await phone.ask("Два")
    await phone.page.click("#network")
    await server.welcome()
    texts = [(await server.expect("turn.submit"))["d"]["text"] for _ in range(2)]

    assert texts == ["Раз", "Два"]
