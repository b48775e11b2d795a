"""What the app itself shows beside an answer, and the signing key in the menu."""

import re

import pytest
from playwright.async_api import Route, expect

from tests.e2e.browser import PhonePage
from tests.e2e.conftest import OpenPhone
from tests.e2e.questions import PASSWORD, ScriptedBank
from tests.e2e.scripted import Frame, ScriptedServer, ask_first_question

pytestmark = pytest.mark.asyncio(loop_scope="session")
REQUISITES = {
    "kind": "requisites",
    "title": "Текущий ··4821",
    "holder": "Ветрова Анна Сергеевна",
    "number": "40817810010429004821",
    "bik": "049999999",
    "bank": "Демонстрационный банк",
    "currency": "RUB",
}
STATEMENT = {
    "kind": "statement",
    "statement": "s7",
    "title": "Текущий ··4821",
    "date_from": "2026-10-01",
    "date_to": "2026-10-31",
    "format": "csv",
}


async def show_cards(server: ScriptedServer, *cards: Frame) -> None:
    """Follow a conversation up to a function that shows these cards."""
    await server.enter()
    talk = await ask_first_question(server)
    body = {"turn": "t1", "call": "c0", "name": "f", "label": "Preparing", "args_public": {}}
    server.send(talk.event("function.started", body))
    server.send(talk.event("function.completed", {"turn": "t1", "call": "c0", "status": "ok", "cards": list(cards)}))
    server.send(talk.delta("Показал."), talk.completed())
    await server.phone.wait_for_answer()


async def test_requisites_are_shown_and_copied_whole(open_phone: OpenPhone) -> None:
    phone = await open_phone(permissions=["clipboard-read", "clipboard-write"])
    await show_cards(ScriptedServer(phone), REQUISITES, {"kind": "of_tomorrow", "secret": "нечто"})
    card = phone.page.locator(".cards .card")
    await expect(card).to_have_count(1)
    await expect(card.locator("h3")).to_have_text("Account details Текущий ··4821")
    await card.get_by_role("button", name="Copy").click()
    await expect(card.get_by_role("button")).to_have_text("Copied")

    lines = (await phone.page.evaluate("() => navigator.clipboard.readText()")).splitlines()
    assert lines == [
        "Holder: Ветрова Анна Сергеевна",
        "Account number: 40817810010429004821",
        "BIK: 049999999",
        "Bank: Демонстрационный банк",
        "Currency: RUB",
    ]
    # The card is the app's own: it is no part of what the assistant said.
    assert await phone.read_answers() == ["Показал."]


async def test_statement_is_downloaded_with_the_customers_token(open_phone: OpenPhone) -> None:
    phone = await open_phone(ignore=("status of 404",))
    server = ScriptedServer(phone)
    tokens: list[str] = []

    async def answer(route: Route) -> None:
        tokens.append(route.request.headers["authorization"])
        await route.fulfill(body="дата;сумма", content_type="text/csv")

    async def refuse(route: Route) -> None:
        await route.fulfill(status=404, json={"code": "file.not_found", "message": "", "retryable": False})

    server.answers["GET /statements/s7"] = answer
    await show_cards(server, STATEMENT)
    card = phone.page.locator(".cards .card")
    await expect(card.locator("dl")).to_contain_text(re.compile(r"Oct 1\W+31, 2026"))
    async with phone.page.expect_download() as download:
        await card.get_by_role("button", name="Download the statement").click()
    assert (await download.value).suggested_filename == "statement.csv"
    assert tokens[0].startswith("Bearer access-")
    server.answers["GET /statements/s7"] = refuse
    await card.get_by_role("button", name="Download the statement").click()

    await expect(card.locator(".card-error")).not_to_be_empty()


async def test_key_is_made_renewed_and_removed_in_the_menu(open_phone: OpenPhone) -> None:
    phone = await open_phone(ignore=("status of 403", "status of 401"))
    server = ScriptedServer(phone)
    bank = ScriptedBank(server)
    bank.is_fresh = False
    await server.enter()
    await phone.page.click("#menu-open")
    await phone.page.click("#key-panel summary")
    panel = phone.page.locator("#key-panel")
    await expect(panel).to_contain_text("There is none yet.")
    await panel.get_by_role("button", name="Make a key").click()
    await expect(panel.get_by_role("alert")).to_have_text("Please enter your password.")
    await panel.get_by_label("Your password").fill("a wrong one")
    await panel.get_by_label("Your password").press("Enter")
    await expect(panel.get_by_role("alert")).to_have_text("The password is wrong.")
    await panel.get_by_label("Your password").fill(PASSWORD)
    await panel.get_by_label("Your password").press("Enter")
    await expect(panel.locator("#key-name")).to_have_text("phone#1")
    await panel.get_by_role("button", name="Make a new key").click()
    await expect(panel.locator("#key-name")).to_have_text("phone#2")
    await panel.get_by_role("button", name="Remove").click()
    await expect(panel).to_contain_text("There is none yet.")

    assert bank.revoked == ["k2"]
    assert bank.passwords == ["a wrong one", PASSWORD]


async def test_key_of_one_customer_is_not_the_next_ones(phone: PhonePage, server: ScriptedServer) -> None:
    ScriptedBank(server)
    await server.enter()
    await phone.page.click("#menu-open")
    await phone.page.click("#key-panel summary")
    await phone.page.click("#key-renew")
    await expect(phone.page.locator("#key-name")).to_have_text("phone#1")
    await phone.page.click("#sign-out")
    await server.expect("bye")
    await phone.sign_in("boris", "another password")
    await server.welcome()
    await phone.page.click("#menu-open")
    await phone.page.click("#key-panel summary")

    await expect(phone.page.locator("#key-name")).to_contain_text("There is none yet.")
