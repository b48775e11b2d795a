"""What becomes of a question on the page: receipts, other devices, time, reloads, lost links."""

import pytest
from playwright.async_api import expect

from tests.e2e.browser import PhonePage
from tests.e2e.questions import QUESTION, ScriptedBank, accept, find_card, press, put, read_device
from tests.e2e.scripted import ScriptedConversation, ScriptedServer

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_outcomes_that_are_not_done_are_never_called_done(
    phone: PhonePage, server: ScriptedServer, bank: ScriptedBank, talk: ScriptedConversation
) -> None:
    for status in ("processing", "failed", "cooling_off", "a status of tomorrow"):
        asked = bank.ask(talk)
        decided = {"confirm": asked["d"]["confirm"], "decision": "approve", "dev": await read_device(phone)}
        why = {"code": "insufficient_funds", "until": "2026-11-26T09:15:00Z"}
        server.send(asked, talk.event("confirm.decided", decided))
        server.send(bank.give_receipt(talk, asked["d"], status, **why))

    processing = "Accepted by the bank and on its way. It is not done yet."
    held_back = "The bank holds this back to protect you from fraud. No money has left; you will be asked again."
    await expect(find_card(phone).locator(".card-state")).to_have_text(
        [processing, "It failed. No money has left.", held_back, processing]
    )
    await expect(find_card(phone, "failed").locator("dl")).to_contain_text("There is not enough money on the account.")
    await expect(find_card(phone, "cooling_off").locator("dl")).to_contain_text("Nov 26, 2026")


async def test_processing_ends_in_done_when_the_other_side_has_answered(
    phone: PhonePage, server: ScriptedServer, bank: ScriptedBank, talk: ScriptedConversation
) -> None:
    asked = await put(bank, talk)
    await press(phone, "Confirm")
    await accept(server, talk, asked)
    server.send(bank.give_receipt(talk, asked, "processing"), talk.delta("В пути."), talk.completed())
    await expect(find_card(phone, "processing")).to_be_visible()
    server.send(bank.give_receipt(talk, asked))

    await expect(find_card(phone, "executed")).to_be_visible()


async def test_receipts_that_were_tampered_with_are_not_relied_on(
    phone: PhonePage, server: ScriptedServer, bank: ScriptedBank, talk: ScriptedConversation
) -> None:
    spoiled = [{"receipt": '{"status":"done"}'}, {"ssig": "MEUCIQ"}, {"status": "processing"}]
    for body in spoiled:
        asked = bank.ask(talk)
        decided = {"confirm": asked["d"]["confirm"], "decision": "approve", "dev": await read_device(phone)}
        server.send(asked, talk.event("confirm.decided", decided))
        server.send(bank.give_receipt(talk, asked["d"], op="operation-7", body=body))

    told = find_card(phone).locator(".card-state", has_text="The receipt is not signed by the bank. Do not rely on it.")
    await expect(told).to_have_count(len(spoiled))
    await expect(find_card(phone).filter(has_text="operation-7")).to_have_count(0)


async def test_closed_questions_cannot_be_answered_any_more(
    phone: PhonePage, server: ScriptedServer, bank: ScriptedBank, talk: ScriptedConversation
) -> None:
    for why in ("expired", "superseded", "cancelled"):
        asked = bank.ask(talk)
        server.send(asked, talk.event("confirm.closed", {"confirm": asked["d"]["confirm"], "why": why}))

    await expect(find_card(phone).locator(".card-state")).to_have_text(
        [
            "The time to decide is over. Nothing is done.",
            "Something else took its place. Nothing is done.",
            "Withdrawn. Nothing is done.",
        ]
    )
    await expect(find_card(phone).get_by_role("button")).to_have_count(0)


async def test_question_whose_time_is_over_says_so_before_the_server_does(
    phone: PhonePage, server: ScriptedServer, bank: ScriptedBank, talk: ScriptedConversation
) -> None:
    await put(bank, talk, seconds=2)

    await expect(find_card(phone, "late").locator(".card-state")).to_have_text("The time to decide is over.")
    await expect(find_card(phone).get_by_role("button")).to_have_count(0)
    assert server.is_silent()


async def test_decision_on_another_device_is_shown_here(
    phone: PhonePage, server: ScriptedServer, bank: ScriptedBank, talk: ScriptedConversation
) -> None:
    asked = await put(bank, talk)
    decided = {"confirm": asked["confirm"], "decision": "approve", "dev": "another"}
    server.send(talk.event("confirm.decided", decided), bank.give_receipt(talk, asked))

    await expect(find_card(phone, "executed").locator(".card-state")).to_have_text("Done. Decided on another device.")


async def test_decision_that_came_too_late_waits_for_what_the_log_tells(
    phone: PhonePage, server: ScriptedServer, bank: ScriptedBank, talk: ScriptedConversation
) -> None:
    asked = await put(bank, talk)
    await press(phone, "Confirm")
    await server.refuse("confirm.decide", "confirm.decided", details={"state": "declined"})
    await expect(find_card(phone).get_by_role("alert")).to_have_text("This was decided already.")
    server.send(talk.event("confirm.decided", {"confirm": asked["confirm"], "decision": "reject", "dev": "another"}))

    await expect(find_card(phone, "declined")).to_be_visible()


async def test_open_question_survives_a_reload_and_a_snapshot(
    phone: PhonePage, server: ScriptedServer, bank: ScriptedBank, talk: ScriptedConversation
) -> None:
    asked = await put(bank, talk)
    active = {"turn": "t1", "state": "awaiting_confirm", "attempt": 1, "msg": "a1"}
    await phone.reload()
    await server.welcome(talk.entry("live", active=active, confirms=[asked]))
    await expect(find_card(phone, "waiting")).to_have_count(1)
    await server.close(4400, after_ms=0)
    await server.welcome(talk.entry("snapshot", why="old", active=active, confirms=[asked]))
    question = {"msg": "q1", "turn": "t1", "role": "user", "text": QUESTION, "bytes": 0, "sum": ""}
    state = talk.state(question, active=active)
    state["d"]["confirms"] = [asked]
    server.send(state)
    await expect(find_card(phone, "waiting")).to_have_count(1)
    await expect(phone.page.locator(".message.assistant")).to_contain_text("Waiting for your decision")
    await press(phone, "Confirm")

    assert bank.is_signed(await accept(server, talk, asked), asked)


async def test_answer_goes_on_after_a_decision_without_beginning_anew(
    phone: PhonePage, server: ScriptedServer, bank: ScriptedBank, talk: ScriptedConversation
) -> None:
    server.send(talk.delta("Сейчас. "))
    asked = await put(bank, talk)
    await expect(phone.page.locator('.message.assistant[data-state="asking"]')).to_be_visible()
    await press(phone, "Decline")
    await accept(server, talk, asked, "reject")
    # The next run waits for its turn: a phone that comes now is told so.
    await server.close(4410)
    await server.welcome(talk.entry("live", active={"turn": "t1", "state": "queued", "msg": "a1", "queue": 1}))
    server.send(talk.delta("Не перевожу."), talk.completed())
    await phone.wait_for_answer()

    assert await phone.read_answers() == ["Сейчас. Не перевожу."]
    await expect(phone.page.locator('.message[data-state="queued"]')).to_have_count(0)


async def test_lost_decision_can_be_repeated(
    phone: PhonePage, server: ScriptedServer, bank: ScriptedBank, talk: ScriptedConversation
) -> None:
    asked = await put(bank, talk)
    await phone.page.click("#network")
    await phone.wait_for_status("cut")
    await press(phone, "Decline")
    await expect(find_card(phone).get_by_role("alert")).to_have_text("No connection to the bank.")
    await phone.page.click("#network")
    await server.welcome(talk.entry("live", active={"turn": "t1", "state": "awaiting_confirm", "msg": "a1"}))
    await press(phone, "Decline")

    assert (await accept(server, talk, asked, "reject"))["confirm"] == asked["confirm"]


async def test_message_instead_of_a_decision_takes_the_questions_place(
    phone: PhonePage, server: ScriptedServer, bank: ScriptedBank, talk: ScriptedConversation
) -> None:
    await put(bank, talk)
    await phone.ask("Да, переводи")
    submit = await server.expect("turn.submit")

    assert [submit["d"][name] for name in ("text", "busy")] == ["Да, переводи", "interrupt"]
