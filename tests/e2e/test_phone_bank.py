"""Asking the bank and moving money on the page, against the whole product and the sandbox's model."""

import pytest
from playwright.async_api import expect

from tests.e2e.browser import PATIENCE_MS, PhonePage
from tests.e2e.conftest import OpenPhone
from tests.e2e.living import Customer
from tests.e2e.questions import find_card, press

pytestmark = pytest.mark.asyncio(loop_scope="session")
BALANCE = 2_000_000
AMOUNT = 150_000
# Two or three requests to the model and as many transactions, on a machine that does other things, too.
LONG_MS = 3 * PATIENCE_MS
TRANSFER = "Переведи 1500 рублей с текущего на накопительный"


async def read_balances(phone: PhonePage, customer: Customer, accounts: dict[str, str]) -> list[int]:
    """Return what the REST API says is booked on the current and the savings account, kopecks."""
    answers = [await customer.read(phone, f"accounts/{accounts[kind]}/balance") for kind in ("current", "savings")]
    return [answer["booked"]["minor"] for answer in answers]


async def test_transfer_is_asked_declined_asked_again_confirmed_and_posted(
    open_phone: OpenPhone, customer: Customer
) -> None:
    phone = await open_phone(locale="ru-RU")
    accounts = customer.open_accounts(BALANCE)
    await customer.enter(phone)
    await phone.ask(TRANSFER)
    await expect(find_card(phone, "waiting").locator(".card-amount")).to_have_text(
        "1 500,00 ₽", use_inner_text=True, timeout=LONG_MS
    )
    await press(phone, "Отклонить")
    await expect(find_card(phone, "declined")).to_be_visible(timeout=LONG_MS)
    await phone.wait_for_answer(patience_ms=LONG_MS)
    assert await read_balances(phone, customer, accounts) == [BALANCE, 0]

    await phone.ask(TRANSFER)
    card = find_card(phone, "waiting")
    await expect(card.locator("h3")).to_have_text("Перевод между своими счетами", timeout=LONG_MS)
    await card.get_by_role("button", name="Подтвердить").click()
    await expect(find_card(phone, "executed").locator(".card-state")).to_have_text("Выполнено.", timeout=LONG_MS)
    await phone.wait_for_answer(count=2, patience_ms=LONG_MS)
    assert await read_balances(phone, customer, accounts) == [BALANCE - AMOUNT, AMOUNT]
    await phone.page.click("#menu-open")
    await phone.page.click("#key-panel summary")
    await expect(phone.page.locator("#key-name")).to_have_text(f"{await read_device(phone)}#1")


async def read_device(phone: PhonePage) -> str:
    device: str = await phone.page.evaluate("() => localStorage.getItem('phone.device.0')")
    return device


async def test_question_asked_on_one_phone_is_decided_on_another(phone: PhonePage, customer: Customer) -> None:
    accounts = customer.open_accounts(BALANCE)
    await customer.enter(phone)
    await phone.ask(TRANSFER)
    await expect(find_card(phone, "waiting")).to_be_visible(timeout=LONG_MS)
    second = PhonePage(await phone.page.context.new_page())
    await customer.enter(second)
    await second.page.click("#menu-open")
    await second.page.locator("#conversations button").first.click()
    await expect(find_card(second, "waiting")).to_be_visible(timeout=LONG_MS)
    await press(second, "Confirm")
    await expect(find_card(second, "executed")).to_be_visible(timeout=LONG_MS)
    await second.wait_for_answer(patience_ms=LONG_MS)
    await phone.page.bring_to_front()
    await expect(find_card(phone, "executed").locator(".card-state")).to_have_text(
        "Done. Decided on another device.", timeout=LONG_MS
    )
    await phone.wait_for_answer(patience_ms=LONG_MS)

    assert await read_balances(phone, customer, accounts) == [BALANCE - AMOUNT, AMOUNT]
    assert await phone.read_stored_texts() == await second.read_stored_texts()
    assert second.problems == []


async def test_requisites_are_the_apps_own_card(phone: PhonePage, customer: Customer) -> None:
    accounts = customer.open_accounts(BALANCE)
    requisites = await customer.read(phone, f"accounts/{accounts['savings']}/requisites")
    await customer.enter(phone)
    await phone.ask("Дай реквизиты накопительного счёта")
    await phone.wait_for_answer(patience_ms=LONG_MS)

    await expect(phone.page.locator('.card[data-kind="requisites"] dl')).to_contain_text(requisites["number"])


async def test_yes_in_words_moves_nothing(phone: PhonePage, customer: Customer) -> None:
    accounts = customer.open_accounts(BALANCE)
    await customer.enter(phone)
    await phone.ask(TRANSFER)
    await expect(find_card(phone, "waiting")).to_be_visible(timeout=LONG_MS)
    await phone.ask("Да, подтверждаю")
    await expect(find_card(phone, "superseded")).to_be_visible(timeout=LONG_MS)
    await phone.wait_for_answer(patience_ms=LONG_MS)

    assert await read_balances(phone, customer, accounts) == [BALANCE, 0]
