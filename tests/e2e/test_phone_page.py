"""The main job in a real browser against the whole product: server process, PostgreSQL, GigaChat sandbox over TLS."""

import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.e2e.browser import PATIENCE_MS, PhonePage
from tests.e2e.conftest import OpenPhone
from tests.e2e.living import PASSWORD, Customer
from tests.factories.files import make_photo
from tests.live.product import (
    SandboxHandle,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")
LONG_QUESTION = "Расскажи подробно об ипотеке"
ANSWER = ".message.assistant .text"


async def read_server_messages(phone: PhonePage, customer: Customer) -> list[dict[str, Any]]:
    """Return the open conversation's messages as the REST API tells them to another device."""
    conversation = (await phone.read_conversation())["id"]
    answer = await phone.page.request.get(
        f"{customer.url}api/v1/conversations/{conversation}/messages?order=oldest",
        headers={"Authorization": f"Bearer {customer.account.open_session().issue_token()}"},
    )
    results: list[dict[str, Any]] = (await answer.json())["results"]
    return results


async def follow_to_the_end(customer: Customer, conversation: str) -> None:
    """Wait, as another phone of the customer, until the turn in progress has ended."""
    async with customer.account.take_phone() as other:
        await other.connect(conversation)
        await other.wait_until(lambda: other.follow(conversation).active is None, seconds=PATIENCE_MS / 500)


async def wait_for_text(phone: PhonePage, length: int) -> None:
    """Wait until the newest answer shows at least `length` characters."""
    script = """([selector, length]) => {
        const last = [...document.querySelectorAll(selector)].at(-1);
        return last !== undefined && !last.matches(".waiting") && last.textContent.length >= length;
    }"""
    await phone.page.wait_for_function(script, arg=[ANSWER, length], timeout=PATIENCE_MS)


async def assert_same_as_server(phone: PhonePage, customer: Customer) -> None:
    """Byte for byte: what this phone holds is what the server stored."""
    stored = [message["text"] for message in await read_server_messages(phone, customer)]
    assert await phone.read_stored_texts() == stored
    assert flatten("".join(stored)) == flatten("".join(await phone.page.locator(".message .text").all_inner_texts()))


def flatten(text: str) -> str:
    """Return the text without what markup adds or takes away."""
    return re.sub(r"[\s*•-]|\d+[.)]", "", text)


async def record_lengths(page: Page) -> None:
    """Note every length the answer has on the screen from now on."""
    await page.evaluate(
        """(selector) => {
          globalThis.lengths = [];
          new MutationObserver(() => {
            const length = document.querySelector(selector + ":not(.waiting)")?.textContent.length ?? 0;
            if (length && length !== lengths.at(-1)) lengths.push(length);
          }).observe(document.getElementById("messages"), { childList: true, subtree: true, characterData: true });
        }""",
        ANSWER,
    )


async def test_question_is_answered_token_by_token(phone: PhonePage, customer: Customer) -> None:
    await customer.enter(phone)
    await expect(phone.page.locator(".strip .sandbox")).to_be_visible()
    await record_lengths(phone.page)
    await phone.ask("Что такое вклад?")
    await phone.wait_for_answer()

    lengths = await phone.page.evaluate("() => lengths")
    assert len(lengths) >= 5
    assert lengths == sorted(set(lengths))
    assert (await phone.read_answers())[0].startswith("Вклад")
    await assert_same_as_server(phone, customer)


async def test_stopped_answer_keeps_what_was_shown(phone: PhonePage, customer: Customer) -> None:
    await customer.enter(phone)
    await phone.ask(LONG_QUESTION)
    await wait_for_text(phone, 20)
    await phone.page.keyboard.press("Escape")
    await phone.wait_for_answer("stopped")

    await assert_same_as_server(phone, customer)
    await phone.ask("Что такое вклад?")
    await phone.wait_for_answer()
    await assert_same_as_server(phone, customer)


async def test_cut_network_mid_answer_loses_and_doubles_nothing(phone: PhonePage, customer: Customer) -> None:
    await customer.enter(phone)
    await phone.ask(LONG_QUESTION)
    await wait_for_text(phone, 20)
    await phone.page.click("#network")
    await phone.wait_for_status("cut")
    shown = await phone.read_answers()
    # The bank goes on without the phone: the whole answer is stored before the phone comes back.
    await follow_to_the_end(customer, (await phone.read_conversation())["id"])
    assert await phone.read_answers() == shown
    await phone.page.click("#network")
    await phone.wait_for_answer()

    await assert_same_as_server(phone, customer)


async def test_cuts_in_a_row_lose_and_double_nothing(phone: PhonePage, customer: Customer) -> None:
    await customer.enter(phone)
    await phone.ask(LONG_QUESTION)
    for length in (10, 60, 120, 180):
        await wait_for_text(phone, length)
        await phone.page.click("#network")
        await phone.wait_for_status("cut")
        await phone.page.click("#network")
        await phone.wait_for_status("online")
    await phone.wait_for_answer()

    await assert_same_as_server(phone, customer)


async def test_reload_mid_answer_continues_it(phone: PhonePage, customer: Customer) -> None:
    await customer.enter(phone)
    await phone.ask(LONG_QUESTION)
    await wait_for_text(phone, 20)
    await phone.reload()
    await phone.wait_for_answer()

    await assert_same_as_server(phone, customer)


async def test_answer_that_breaks_off_says_so_and_can_be_asked_again(
    phone: PhonePage, customer: Customer, sandbox: SandboxHandle
) -> None:
    await customer.enter(phone)
    sandbox.set_faults("cut=4", count=1)
    await phone.ask(LONG_QUESTION)
    await phone.wait_for_answer("failed")
    row = phone.page.locator(".message.assistant")
    await expect(row.locator(".below span")).to_contain_text("The answer broke off.")
    await assert_same_as_server(phone, customer)
    await row.get_by_role("button", name="Ask again").click()
    await phone.wait_for_answer()

    await assert_same_as_server(phone, customer)


async def test_answer_withdrawn_by_the_filter_is_replaced(
    phone: PhonePage, customer: Customer, sandbox: SandboxHandle
) -> None:
    await customer.enter(phone)
    sandbox.set_faults("blacklist=6", count=1)
    await phone.ask(LONG_QUESTION)
    await phone.wait_for_answer()

    await expect(phone.page.locator(".message.assistant .below span")).to_have_text(
        "The first version of this answer was withdrawn."
    )
    await assert_same_as_server(phone, customer)


async def test_second_tab_follows_the_same_conversation(phone: PhonePage, customer: Customer) -> None:
    await customer.enter(phone)
    await phone.ask("Что такое вклад?")
    await phone.wait_for_answer()
    second = PhonePage(await phone.page.context.new_page())
    await customer.enter(second)
    await second.page.click("#menu-open")
    await second.page.locator("#conversations button").first.click()
    await second.wait_for_answer()
    await phone.page.bring_to_front()
    await phone.ask(LONG_QUESTION)
    await second.wait_for_answer("streaming")
    await wait_for_text(second, 20)
    await second.page.bring_to_front()
    await second.page.click("#stop")
    await second.wait_for_answer("stopped")
    await phone.page.bring_to_front()
    await phone.wait_for_answer("stopped")

    assert await second.read_stored_texts() == await phone.read_stored_texts()
    await assert_same_as_server(phone, customer)
    assert second.problems == []


async def test_picture_is_attached_asked_about_and_shown(phone: PhonePage, customer: Customer) -> None:
    """From the customer's disk to GigaChat and back to the screen, through the whole product."""
    await customer.enter(phone)
    file: Any = {"name": "счёт.jpg", "mimeType": "image/jpeg", "buffer": make_photo()}
    await phone.page.set_input_files("#attachment-file", file)
    await expect(phone.page.locator("#attachment")).to_have_attribute("data-state", "ready")
    await expect(phone.page.locator("#attachment-picture")).to_be_visible()
    await phone.ask("Что на этой картинке?")
    await phone.wait_for_answer()

    # The sandbox names what arrived: a neutral name, the type, the size of the cleaned picture.
    assert re.search(r"image-[0-9a-f-]{36}\.jpg \(image/jpeg, \d+ B\)", (await phone.read_answers())[0])
    shown = phone.page.locator(".message.user img.file")
    await expect(shown).to_have_attribute("alt", "счёт.jpg")
    assert await shown.evaluate("(image) => image.decode().then(() => [image.naturalWidth, image.naturalHeight])") == [
        24,
        40,
    ]
    [file] = (await read_server_messages(phone, customer))[0]["files"]
    assert (file["name"], file["media_type"], file["gone"]) == ("счёт.jpg", "image/jpeg", False)
    await phone.reload()
    await expect(phone.page.locator(".message.user img.file")).to_be_visible()
    await phone.ask("А подробнее?")
    await phone.wait_for_answer(count=2)


async def test_file_that_is_no_picture_is_refused_in_words(open_phone: OpenPhone, customer: Customer) -> None:
    phone = await open_phone(locale="ru-RU", ignore=("status of 415",))
    await customer.enter(phone)
    fake: Any = {"name": "фото.png", "mimeType": "image/png", "buffer": b"MZ\x90\0 not a picture"}
    await phone.page.set_input_files("#attachment-file", fake)

    await expect(phone.page.locator("#attachment-note")).to_have_text(
        "Такой файл прочитать нельзя. Пришлите JPEG, PNG, TIFF, BMP, PDF, DOCX или текст."
    )
    await expect(phone.page.locator("#send")).to_be_disabled()
    await phone.page.click("#attachment-remove")
    await phone.ask("Что такое вклад?")
    await phone.wait_for_answer()


async def test_wrong_password_is_told_and_forgiven(open_phone: OpenPhone, customer: Customer) -> None:
    phone = await open_phone(ignore=("status of 401",))
    await phone.open(customer.url)
    await phone.sign_in(customer.username, "something else")
    await expect(phone.page.locator("#sign-in-error")).to_have_text("The username or password is wrong.")
    await expect(phone.page.locator("#password")).to_be_focused()
    await phone.sign_in(customer.username, PASSWORD)

    await phone.wait_for_status("online")


async def test_language_switch_lasts_and_keeps_the_conversation(phone: PhonePage, customer: Customer) -> None:
    await customer.enter(phone)
    await phone.ask("Что такое вклад?")
    await phone.wait_for_answer()
    await phone.page.click("#menu-open")
    await phone.page.get_by_role("button", name="Русский").click()
    await expect(phone.page.locator("#status")).to_have_text("На связи")
    await expect(phone.page.locator("html")).to_have_attribute("lang", "ru")
    await expect(phone.page.locator(".message")).to_have_count(2)
    await phone.reload()
    await expect(phone.page.locator("html")).to_have_attribute("lang", "ru")
    await phone.page.click("#menu-open")
    await phone.page.get_by_role("button", name="English").click()

    await expect(phone.page.locator("#status")).to_have_text("Connected")


async def test_restarted_page_after_sign_out_asks_for_the_password(phone: PhonePage, customer: Customer) -> None:
    await customer.enter(phone)
    async with phone.page.expect_response("**/auth/logout") as logout:
        await phone.page.click("#menu-open")
        await phone.page.click("#sign-out")
    assert (await logout.value).status == 204
    await phone.reload()

    await expect(phone.page.locator("#sign-in")).to_be_visible()
