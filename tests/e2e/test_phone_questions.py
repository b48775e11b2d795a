"""Questions to the customer on the page: proved before they are shown, signed when they are answered."""

import hashlib
import json
from collections.abc import Callable

import pytest
from playwright.async_api import Route, expect

from accounts.keys import encode_base64url
from tests.e2e.browser import PhonePage
from tests.e2e.conftest import OpenPhone
from tests.e2e.questions import PASSWORD, QUESTION, ScriptedBank, accept, find_card, press, put
from tests.e2e.scripted import Frame, ScriptedConversation, ScriptedServer, ask_first_question

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_step_is_shown_while_it_runs_and_afterwards(
    phone: PhonePage, server: ScriptedServer, talk: ScriptedConversation
) -> None:
    label = "Looking at the accounts"
    body = {"turn": "t1", "call": "c0", "name": "list_accounts", "label": label, "args_public": {}}
    server.send(talk.event("function.started", body))
    steps = phone.page.locator(".message.assistant .steps li")
    await expect(steps).to_have_text(f"{label}…")
    await expect(phone.page.locator(".message.assistant")).not_to_contain_text("Thinking…")
    server.send(talk.event("function.completed", {"turn": "t1", "call": "c0", "status": "error"}))
    await expect(steps).to_have_attribute("data-status", "error")
    await expect(steps).to_have_text(f"{label} not possible")
    server.send(talk.delta("Готово."), talk.completed())
    await phone.wait_for_answer()
    await phone.reload()

    await expect(phone.page.locator(".message.assistant .steps li")).to_have_text(f"{label} not possible")


async def test_confirmed_transfer_is_signed_by_a_new_key_and_ends_in_a_receipt(
    phone: PhonePage, server: ScriptedServer, bank: ScriptedBank, talk: ScriptedConversation
) -> None:
    asked = await put(bank, talk, fee="1500", memo="На отпуск")
    card = find_card(phone)
    await expect(card.locator("h3")).to_have_text("Transfer between your accounts")
    await expect(card.locator(".card-amount")).to_have_text("₽15,000.00")
    assert await card.locator("dl").inner_text() == "\n".join(
        [
            *("From", "Текущий ··4821", "To", "Накопительный ··7730", "Message", "На отпуск"),
            *("Fee", "₽15.00", "Total", "₽15,015.00"),
        ]
    )
    await expect(card.get_by_role("timer")).to_contain_text("Time left: ")
    await press(phone, "Confirm")
    decided = await accept(server, talk, asked)
    await expect(find_card(phone, "approved")).to_be_visible()
    assert bank.is_signed(decided, asked)
    assert [decided[name] for name in ("confirm", "hash", "nonce")] == [
        asked["confirm"],
        asked["hash"],
        json.loads(asked["payload"])["n"],
    ]
    server.send(bank.give_receipt(talk, asked, fee="1500", op="operation-7"))
    await expect(find_card(phone, "executed").locator(".card-state")).to_have_text("Done.")

    await expect(card.locator("dl")).to_contain_text("operation-7")
    await expect(card.get_by_role("button")).to_have_count(0)


async def test_second_decision_uses_the_key_that_was_enrolled(
    phone: PhonePage, server: ScriptedServer, bank: ScriptedBank, talk: ScriptedConversation
) -> None:
    asked = await put(bank, talk)
    await press(phone, "Confirm")
    await server.refuse("confirm.decide", "confirm.signature")
    await expect(phone.page.locator(".cards .card-error")).to_contain_text("did not fit")
    await phone.reload()
    await server.welcome(talk.entry("live", active={"turn": "t1", "state": "awaiting_confirm", "msg": "a1"}))
    await press(phone, "Confirm")
    decided = await accept(server, talk, asked)

    assert bank.is_signed(decided, asked)
    assert len(bank.enrolled) == 1
    # The private half is nothing that a script could read.
    script = """() => new Promise((resolve) => {
        indexedDB.open("phone").onsuccess = (event) => {
            const all = event.target.result.transaction("device-keys").objectStore("device-keys").getAll();
            all.onsuccess = () => resolve(all.result.map((key) => [key.privateKey.type, key.privateKey.extractable]));
        };
    })"""
    assert await phone.page.evaluate(script) == [["private", False]]


async def test_declined_transfer_needs_no_key_and_says_that_nothing_is_done(
    phone: PhonePage, server: ScriptedServer, bank: ScriptedBank, talk: ScriptedConversation
) -> None:
    asked = await put(bank, talk)
    await press(phone, "Decline")
    decided = await accept(server, talk, asked, "reject")

    await expect(find_card(phone, "declined").locator(".card-state")).to_have_text("You declined. Nothing is done.")
    assert "sig" not in decided
    assert bank.enrolled == []


async def test_one_tap_is_sent_without_a_signature(
    phone: PhonePage, server: ScriptedServer, bank: ScriptedBank, talk: ScriptedConversation
) -> None:
    terms = {"act": "card_block", "card": "x", "card_name": "МИР ··4821", "reason": "lost"}
    none = dict.fromkeys(("from", "from_name", "to", "to_name", "amt", "ccy", "fee"))
    asked = await put(
        bank, talk, **{**none, **terms}, body={"methods": ["tap"], "warnings": ["card_lost", "of_tomorrow"]}
    )
    card = find_card(phone)
    assert await card.locator("dl").inner_text() == "Card\nМИР ··4821\nReason\nlost"
    await expect(card.locator(".card-warnings li")).to_have_text(
        [
            "This block cannot be lifted in the app.",
            "Look at this closely: the app does not know the bank's warning.",
        ]
    )
    await press(phone, "Confirm")
    decided = await accept(server, talk, asked)

    assert decided.keys() & {"kid", "sig"} == set()


Spoil = Callable[[Frame], Frame]
SPOILED: dict[str, Spoil] = {
    "payload": lambda asked: {"payload": asked["payload"].replace('"1500000"', '"150000"')},
    "payload and hash": lambda asked: hash_anew(asked["payload"].replace("Накопительный ··7730", "Чужой ··0000")),
    "hash": lambda _asked: {"hash": encode_base64url(hashlib.sha256(b"something else").digest())},
    "signature": lambda asked: {"ssig": asked["ssig"][:-8] + ("B" if asked["ssig"].endswith("A" * 8) else "A") * 8},
    "no signature": lambda _asked: {"ssig": "not DER"},
    "key": lambda _asked: {"kid": "a-key-nobody-published"},
}
ANOTHER = "019a2c40-7a10-7000-8000-0000000000c7"
UNSHOWABLE: list[Frame] = [
    {"conv": ANOTHER},
    {"turn": "t2"},
    {"id": ANOTHER},
    {"v": 2},
    {"amt": "15,000"},
    {"amt": "-1500000"},
    {"fee": "1e3"},
    {"ccy": "rubles"},
]


def hash_anew(payload: str) -> Frame:
    return {"payload": payload, "hash": encode_base64url(hashlib.sha256(payload.encode()).digest())}


async def test_questions_that_were_tampered_with_are_refused(
    phone: PhonePage, server: ScriptedServer, bank: ScriptedBank, talk: ScriptedConversation
) -> None:
    for spoil in SPOILED.values():
        frame = bank.ask(talk)
        frame["d"] |= spoil(frame["d"])
        server.send(frame)

    await assert_refused(phone, len(SPOILED))


async def test_signed_questions_that_cannot_be_shown_whole_are_refused(
    phone: PhonePage, server: ScriptedServer, bank: ScriptedBank, talk: ScriptedConversation
) -> None:
    for terms in UNSHOWABLE:
        server.send(bank.ask(talk, **terms))

    await assert_refused(phone, len(UNSHOWABLE))


async def assert_refused(phone: PhonePage, count: int) -> None:
    """So many cards show no term and no button, and say so."""
    text = "This request is not what the bank has signed. It cannot be confirmed, and nothing is done."
    await expect(find_card(phone, "refused").locator(".card-state")).to_have_text([text] * count)
    card = find_card(phone)
    await expect(card).to_have_count(count)
    await expect(card.get_by_role("button")).to_have_count(0)
    await expect(card.locator("dl")).to_have_count(0)
    await expect(card.locator(".card-amount")).to_have_count(0)


async def test_term_of_a_later_version_is_shown_under_its_own_name(
    phone: PhonePage, bank: ScriptedBank, talk: ScriptedConversation
) -> None:
    await put(bank, talk, act="gift", wrapping="<b>бумага</b>")

    await expect(find_card(phone).locator("h3")).to_have_text("Request of the bank")
    await expect(find_card(phone).locator("dl")).to_contain_text("wrapping")
    await expect(find_card(phone).locator("dl")).to_contain_text("<b>бумага</b>")


async def test_payee_and_password_are_asked_for_and_given(
    open_phone: OpenPhone,
) -> None:
    phone = await open_phone(ignore=("status of 401",))
    server = ScriptedServer(phone)
    bank = ScriptedBank(server)
    await server.enter()
    talk = await ask_first_question(server, QUESTION)
    bank.is_fresh = False
    asked = await put(bank, talk, act="transfer_phone", body={"needs_payee": True, "step_up": True})
    card = find_card(phone)
    payee, password = card.get_by_label("Phone of the recipient"), card.get_by_label("Your password")
    await press(phone, "Confirm")
    await expect(card.get_by_role("alert")).to_have_text("Please fill this in first.")
    await expect(payee).to_be_focused()
    await payee.fill("8 (900) 123-45-67")
    await password.fill("a wrong one")
    await password.press("Enter")
    await expect(card.get_by_role("alert")).to_have_text("The password is wrong.")
    await expect(password).to_have_value("")
    assert server.is_silent()
    await password.fill(PASSWORD)
    await password.press("Enter")
    refused = await server.refuse("confirm.decide", "confirm.mismatch", field="d.payee")
    assert refused["d"]["payee"] == "8 (900) 123-45-67"
    await expect(card.get_by_role("alert")).to_have_text("This is not the number of the recipient in this request.")
    await expect(password).to_be_hidden()
    await payee.fill("8 (900) 123-45-68")
    await press(phone, "Confirm")
    decided = await accept(server, talk, asked)

    assert decided["payee"] == "8 (900) 123-45-68"
    assert bank.is_signed(decided, asked)
    assert bank.passwords == ["a wrong one", PASSWORD]


async def test_bank_that_wants_the_password_for_the_key_gets_it(
    open_phone: OpenPhone,
) -> None:
    phone = await open_phone(ignore=("status of 403",))
    server = ScriptedServer(phone)
    bank = ScriptedBank(server)
    await server.enter()
    talk = await ask_first_question(server, QUESTION)
    bank.is_fresh = False
    asked = await put(bank, talk)
    await press(phone, "Confirm")
    card = find_card(phone)
    await expect(card.get_by_role("alert")).to_have_text("Please enter your password.")
    await card.get_by_label("Your password").fill(PASSWORD)
    await press(phone, "Confirm")
    decided = await accept(server, talk, asked)

    assert bank.is_signed(decided, asked)


async def test_key_that_the_bank_no_longer_knows_is_replaced_once(
    phone: PhonePage, server: ScriptedServer, bank: ScriptedBank, talk: ScriptedConversation
) -> None:
    asked = await put(bank, talk)
    await press(phone, "Confirm")
    first = await server.refuse("confirm.decide", "confirm.device")
    decided = await accept(server, talk, asked)

    assert (first["d"]["kid"], decided["kid"]) == ("phone#1", "phone#2")
    assert bank.is_signed(decided, asked)


async def test_keyboard_and_screen_reader_are_led_to_the_question(
    phone: PhonePage, server: ScriptedServer, bank: ScriptedBank, talk: ScriptedConversation
) -> None:
    await put(bank, talk)
    card = find_card(phone)
    await expect(card).to_be_focused()
    await expect(card).to_have_accessible_name("Transfer between your accounts")
    await expect(card).to_have_accessible_description(
        "₽15,000.00 From Текущий ··4821 To Накопительный ··7730 Fee no fee"
    )
    for key in ("Escape", "Enter", "Space"):
        await phone.page.keyboard.press(key)
    await phone.page.keyboard.press("Tab")
    await expect(card.get_by_role("button", name="Decline")).to_be_focused()
    await phone.page.keyboard.press("Escape")
    for box in [await button.bounding_box() for button in await card.get_by_role("button").all()]:
        assert box is not None
        assert box["height"] >= 44
    assert server.is_silent()
    await phone.page.keyboard.press("Tab")
    await phone.page.keyboard.press("Enter")

    assert (await server.expect("confirm.decide"))["d"]["decision"] == "approve"


async def test_customer_who_is_writing_is_told_but_not_interrupted(
    phone: PhonePage, bank: ScriptedBank, talk: ScriptedConversation
) -> None:
    await phone.page.fill("#text", "А ещё")
    await put(bank, talk)

    await expect(phone.page.locator("#text")).to_be_focused()
    await expect(phone.page.locator("#announcer")).to_have_text("The bank asks for your decision.")


async def test_bank_that_cannot_be_reached_for_its_keys_is_asked_again(open_phone: OpenPhone) -> None:
    phone = await open_phone(ignore=("status of 503",))
    server = ScriptedServer(phone)
    bank = ScriptedBank(server)
    answer = server.answers.pop("GET /keys")

    async def refuse(route: Route) -> None:
        await route.fulfill(status=503, json={"code": "server.overloaded", "message": "", "retryable": True})

    server.answers["GET /keys"] = refuse
    await server.enter()
    talk = await ask_first_question(server, QUESTION)
    server.send(bank.ask(talk))
    await expect(find_card(phone, "unreachable")).to_be_visible()
    await expect(find_card(phone).locator("dl")).to_have_count(0)
    server.answers["GET /keys"] = answer
    await press(phone, "Check again")

    await expect(find_card(phone, "waiting")).to_be_visible()


async def test_page_without_cryptography_declines_but_never_confirms(open_phone: OpenPhone) -> None:
    phone = await open_phone()
    server = ScriptedServer(phone)
    bank = ScriptedBank(server)
    # What a browser offers on a page that came over plain HTTP from another host.
    await phone.page.add_init_script("Object.defineProperty(crypto, 'subtle', { value: undefined })")
    await server.enter()
    talk = await ask_first_question(server, QUESTION)
    frame = bank.ask(talk)
    server.send(frame)
    card = find_card(phone, "insecure")
    await expect(card).to_contain_text("The connection of this page is not secure")
    await expect(card.locator("dl")).to_have_count(0)
    await expect(card.get_by_role("button")).to_have_text(["Decline"])
    await press(phone, "Decline")
    await accept(server, talk, frame["d"], "reject")

    await expect(find_card(phone, "declined")).to_be_visible()


async def test_question_longer_than_the_screen_is_read_from_its_beginning(open_phone: OpenPhone) -> None:
    phone = await open_phone(viewport={"width": 390, "height": 700})
    server = ScriptedServer(phone)
    bank = ScriptedBank(server)
    await server.enter()
    talk = await ask_first_question(server, QUESTION)
    await put(bank, talk, body={"needs_payee": True, "step_up": True, "warnings": ["new_payee", "large_amount"]})
    card = find_card(phone)
    await expect(card).to_be_focused()
    await expect(card.locator("h3")).to_be_in_viewport(ratio=1)
    server.send(talk.event("function.started", {"turn": "t1", "call": "c9", "label": "Looking", "args_public": {}}))
    await expect(phone.page.locator(".steps li")).to_have_text("Looking…")

    await expect(card.locator("h3")).to_be_in_viewport(ratio=1)


async def test_question_about_a_turn_that_is_not_at_hand_is_put_at_the_end(
    phone: PhonePage, server: ScriptedServer, bank: ScriptedBank, talk: ScriptedConversation
) -> None:
    """What had to cool off is asked again days later, when its messages may be far back."""
    server.send(talk.delta("Готово."), talk.completed())
    await phone.wait_for_answer()
    asked = await put(bank, talk, turn="an-old-turn", body={"turn": "an-old-turn"})
    await expect(phone.page.locator(".message").last.locator(".card")).to_be_visible()
    await expect(phone.page.locator("#stop")).to_be_hidden()
    await press(phone, "Confirm")

    assert bank.is_signed(await accept(server, talk, asked), asked)
