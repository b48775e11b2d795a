"""What the customer sees and hears: states of an answer, errors in words, languages, keyboard, screen reader."""

import pytest
from playwright.async_api import Page, expect

from tests.e2e.browser import PhonePage
from tests.e2e.conftest import OpenPhone
from tests.e2e.scripted import ORIGIN, ScriptedServer, ask_first_question, take_first_question

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_queue_position_is_shown_until_the_answer_starts(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    talk = await ask_first_question(server)
    body = {"turn": "t2", "msg": "q2", "mid": "m2", "text": "И юань?", "dev": "d"}
    server.send(talk.event("turn.accepted", body))
    waiting = phone.page.locator('.message[data-state="queued"]')
    await expect(waiting).to_have_text("Assistant: Accepted, waiting for its turn…")
    server.send({"t": "turn.queued", "c": talk.c, "d": {"turn": "t2", "position": 2, "eta_ms": 3_500}})
    await expect(waiting).to_have_text("Assistant: In the queue: place 2. About 4 s.")
    server.send(talk.completed())
    server.send(talk.event("turn.started", {"turn": "t2", "msg": "a2", "attempt": 1, "model": "m"}))

    await expect(waiting).to_have_count(0)
    await expect(phone.page.locator('.message[data-state="streaming"]')).to_have_text("Assistant: Thinking…")


async def test_stop_button_cancels_once_and_keeps_the_partial_text(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    talk = await ask_first_question(server)
    server.send(talk.delta("Раз"))
    await phone.page.click("#stop")
    cancel = await server.expect_reply_to("turn.cancel", {"state": "cancelling"})
    assert [cancel["c"], cancel["d"]] == [talk.c, {"turn": "t1"}]
    await expect(phone.page.locator("#stop")).to_be_disabled()
    server.send(talk.delta(" два"))
    digest = talk.completed()["d"]
    talk.top -= 1
    body = {"turn": "t1", "msg": "a1", "bytes": digest["bytes"], "sum": digest["sum"], "dev": "d"}
    server.send(talk.event("turn.cancelled", body))
    await phone.wait_for_answer("stopped")

    await expect(phone.page.locator("#stop")).to_be_hidden()
    await expect(phone.page.locator("#text")).to_be_focused()
    await expect(phone.page.locator(".message.assistant .text")).to_have_text("Раз два")
    await expect(phone.page.locator(".message.assistant .below span")).to_have_text("Stopped.")


async def test_stop_that_got_lost_offers_itself_again(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    await ask_first_question(server)
    await phone.page.click("#stop")
    await server.refuse("turn.cancel", "server.internal")

    await expect(phone.page.locator("#stop")).to_be_enabled()


async def test_failed_answer_says_why_and_can_be_asked_again(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    talk = await ask_first_question(server)
    server.send(talk.delta("Раз"))
    error = {"code": "worker.lost", "message": "", "retryable": True, "trace": "t"}
    server.send(talk.event("turn.failed", {"turn": "t1", "msg": "a1", "partial": True, "bytes": 6, "error": error}))
    row = phone.page.locator(".message.assistant")
    await expect(row).to_have_attribute("data-state", "failed")
    await expect(row.locator(".text")).to_have_text("Раз")
    await expect(row.locator(".below span")).to_have_text(
        "The answer broke off. A fault at the bank interrupted the answer."
    )
    await row.get_by_role("button", name="Ask again").click()

    assert (await server.expect("turn.submit"))["d"]["text"] == "Курс?"


async def test_failure_before_any_text_shows_only_the_reason(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    talk = await ask_first_question(server)
    error = {"code": "code.of.tomorrow", "message": "", "retryable": True, "trace": "t"}
    server.send(talk.event("turn.failed", {"turn": "t1", "partial": False, "error": error}))
    row = phone.page.locator(".message.assistant")

    await expect(row.locator(".below span")).to_have_text("Something went wrong. Please try again.")
    await expect(row.locator(".bubble")).to_be_hidden()


async def test_reset_answer_starts_over_and_withdrawn_answer_says_so(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    talk = await ask_first_question(server)
    server.send(talk.delta("Раз"))
    server.send(talk.event("msg.reset", {"turn": "t1", "msg": "a1", "attempt": 2, "why": "worker_lost"}))
    await expect(phone.page.locator(".message.assistant .text")).to_have_text("Starting over…")
    talk.text = ""
    server.send(talk.delta("Давайте"))
    talk.text = "Не могу говорить об этом."
    replaced = {"msg": "a1", "text": talk.text, "bytes": 0, "sum": "", "why": "policy"}
    server.send(talk.event("msg.replaced", replaced), talk.completed(finish="blocked"))
    await phone.wait_for_answer()

    await expect(phone.page.locator(".message.assistant .text")).to_have_text("Не могу говорить об этом.")
    await expect(phone.page.locator(".message.assistant .below")).to_have_text(
        "The first version of this answer was withdrawn."
    )


async def test_answer_with_html_is_shown_as_text(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    talk = await ask_first_question(server)
    hostile = "<img src=x onerror=alert(1)><script>alert(2)</script> <b>не жирный</b>"
    server.send(talk.delta(hostile), talk.completed())
    await phone.wait_for_answer()

    await expect(phone.page.locator(".message.assistant .text")).to_have_text(hostile)
    assert await phone.page.locator(".message img, .message script, .message b").count() == 0


async def test_screen_reader_hears_the_finished_answer_not_its_tokens(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    talk = await ask_first_question(server)
    server.send(talk.delta("Курс"))
    await expect(phone.page.locator(".message.assistant .text")).to_have_text("Курс")
    announcer = phone.page.locator("#announcer")
    assert await announcer.text_content() == "Connected"
    server.send(talk.delta(" евро"), talk.completed())

    await expect(announcer).to_have_text("The answer: Курс евро")
    await expect(announcer).to_have_attribute("aria-live", "polite")
    await expect(phone.page.locator("#transcript")).to_have_attribute("aria-live", "off")


async def test_keyboard_alone_signs_in_asks_stops_and_leaves(phone: PhonePage, server: ScriptedServer) -> None:
    await server.start()
    await phone.open(f"{ORIGIN}/")
    keyboard = phone.page.keyboard
    await expect(phone.page.locator("#username")).to_be_focused()
    await keyboard.type("anna")
    await keyboard.press("Tab")
    await keyboard.type("a password")
    await keyboard.press("Enter")
    await server.welcome()
    await expect(phone.page.locator("#text")).to_be_focused()
    await keyboard.type("Раз")
    await keyboard.press("Shift+Enter")
    await keyboard.type("два")
    await keyboard.press("Enter")
    await take_first_question(server, "Раз\nдва")
    await expect(phone.page.locator("#stop")).to_be_visible()
    await keyboard.press("Escape")
    assert (await server.expect("turn.cancel"))["d"] == {"turn": "t1"}
    await focus(phone.page, "#menu-open")
    await keyboard.press("Enter")
    await expect(phone.page.locator("#menu")).to_be_visible()
    await keyboard.press("Escape")
    await expect(phone.page.locator("#menu")).to_be_hidden()
    await expect(phone.page.locator("#menu-open")).to_be_focused()
    await keyboard.press("Enter")
    await focus(phone.page, "#sign-out")
    await keyboard.press("Enter")

    await expect(phone.page.locator("#sign-in")).to_be_visible()


async def focus(page: Page, selector: str) -> None:
    """Press Tab until the element has the focus; everything must be reachable so."""
    for _ in range(40):
        if await page.evaluate("(selector) => document.activeElement?.matches(selector)", selector):
            return
        await page.keyboard.press("Tab")
    pytest.fail(f"{selector} cannot be reached by the keyboard")


async def test_menu_opens_an_older_conversation_and_comes_back(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    talk = await ask_first_question(server)
    server.send(talk.delta("Раз"), talk.completed())
    await phone.wait_for_answer()
    older = "01900000-0000-7000-8000-000000000001"
    server.conversations = [{"id": talk.c, "title": "Курс?"}, {"id": older, "title": "Карты"}]
    await phone.page.click("#menu-open")
    await expect(phone.page.locator("#name")).to_have_text("Анна Ветрова")
    await expect(phone.page.locator("#conversations [aria-current]")).to_have_text("Курс?")
    await phone.page.get_by_role("button", name="Карты").click()
    attach = await server.expect("attach")
    assert [attach["c"], attach["d"]] == [older, {}]
    server.send({"t": "ok", "re": attach["id"], "d": {"c": older, "e": "e2", "top": 4, "mode": "snapshot"}})
    message = {"msg": "q7", "role": "user", "text": "Где карта?", "bytes": 18, "sum": ""}
    state = {"part": 1, "of": 1, "title": "Карты", "msgs": [message], "older": False}
    server.send({"t": "conv.state", "c": older, "s": 4, "snap": True, "d": state})
    await expect(phone.page.locator(".message .text")).to_have_text(["Где карта?"])
    await expect(phone.page.locator("#title")).to_have_text("Карты")
    await phone.page.click("#menu-open")
    await phone.page.get_by_role("button", name="Курс?").click()

    assert (await server.expect("attach"))["d"] == {"e": "e1", "s": talk.top}
    await expect(phone.page.locator(".message .text")).to_have_text(["Курс?", "Раз"])


async def test_menu_closes_the_conversation_for_good(open_phone: OpenPhone) -> None:
    phone = await open_phone(ignore=("Failed to load resource",))
    server = ScriptedServer(phone)
    server.closings = [(409, {"code": "turn.busy"}), (200, {})]
    await server.enter()
    await phone.page.click("#menu-open")
    await expect(phone.page.locator("#menu-end")).to_be_hidden()
    await phone.page.click("#menu-close")
    talk = await ask_first_question(server)
    await phone.page.click("#menu-open")
    await phone.page.click("#menu-end")
    await expect(phone.page.locator("#conversations-hint")).to_have_text(
        "An answer is unfinished. Stop it or let it come first."
    )
    server.send(talk.delta("Раз"), talk.completed())
    await phone.wait_for_answer()
    await phone.page.click("#menu-end")

    await expect(phone.page.locator("#closed")).to_contain_text("This conversation is closed.")
    await expect(phone.page.locator("#composer")).to_be_hidden()
    assert server.closed_paths == [f"/conversations/{talk.c}/close"] * 2
    await phone.page.click("#closed-new")
    await expect(phone.page.locator("#composer")).to_be_visible()
    await expect(phone.page.locator("#closed")).to_be_hidden()


async def test_conversation_closed_on_another_phone_takes_no_more_questions(
    phone: PhonePage, server: ScriptedServer
) -> None:
    await server.enter()
    talk = await ask_first_question(server)
    server.send(talk.delta("Раз"), talk.completed(), talk.event("conv.updated", {"closed": True}))
    await expect(phone.page.locator("#closed")).to_be_visible()
    await phone.page.click("#menu-open")
    await expect(phone.page.locator("#menu-end")).to_be_hidden()
    await phone.page.click("#menu-close")
    await phone.page.click("#network")
    await phone.page.click("#network")
    await server.welcome(talk.entry("snapshot", why="old"))
    server.send(talk.state())

    # The state has the last word.
    await expect(phone.page.locator("#closed")).to_be_hidden()
    server.send(talk.event("conv.updated", {"title": "Другое"}))
    await expect(phone.page.locator("#title")).to_have_text("Другое")
    await expect(phone.page.locator("#composer")).to_be_visible()


async def test_frames_panel_shows_the_wire_without_tokens(open_phone: OpenPhone) -> None:
    phone = await open_phone(viewport={"width": 1280, "height": 900})
    server = ScriptedServer(phone)
    await server.enter()
    await phone.page.click("#menu-open")
    await phone.page.click("#frames-open")
    frames = phone.page.locator("#frames-list li")
    await expect(frames).to_have_count(2)
    await expect(frames.first).to_contain_text('"token":"…"')
    assert "access-0" not in await phone.page.content()
    await ask_first_question(server)
    await expect(phone.page.locator(".message.user .text")).to_have_text("Курс?")
    await phone.page.keyboard.press("Escape")
    await phone.page.locator("#frames-close").click()

    await expect(phone.page.locator("#frames")).to_be_hidden()


async def test_draft_survives_a_reload(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    await phone.page.fill("#text", "недописано")
    await phone.reload()

    await expect(phone.page.locator("#text")).to_have_value("недописано")


async def test_russian_page_speaks_russian(phone: PhonePage) -> None:
    server = ScriptedServer(phone, language="ru")
    hello = await server.enter()
    assert hello["lang"] == "ru"
    await expect(phone.page.locator("#status")).to_have_text("На связи")
    await expect(phone.page.locator("html")).to_have_attribute("lang", "ru")
    await phone.ask("Курс?")
    await server.refuse("turn.submit", "limit.rate", retry_after_ms=21_000)

    await expect(phone.page.locator(".below span")).to_have_text("Вы спрашиваете слишком часто. Повторите через 21 с.")


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
async def test_no_screen_scrolls_sideways(open_phone: OpenPhone, width: int) -> None:
    phone = await open_phone(viewport={"width": width, "height": 844})
    server = ScriptedServer(phone, language="ru")
    await server.enter()
    talk = await ask_first_question(server, "Ж" * 300)
    server.send(talk.delta("Слово " * 60 + "щ" * 300), talk.completed())
    await phone.wait_for_answer()
    await phone.page.click("#network")
    await expect(phone.page.locator("#notice")).to_be_visible()

    wide = """() => [...document.querySelectorAll("#phone, #phone *")].filter((element) => {
        const { overflowX, display } = getComputedStyle(element);
        const isMeasured = overflowX !== "hidden" && display !== "inline" && element.clientWidth > 1;
        return isMeasured && element.scrollWidth > element.clientWidth + 1;
      }).map((element) => element.id || element.className)"""
    assert await phone.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert await phone.page.evaluate(wide) == []


# Relative luminance and contrast as the Web Content Accessibility Guidelines 2.2 define them.
LOW_CONTRAST = """() => {
  const read = (color) => color.match(/[\\d.]+/g).map(Number);
  const weigh = (part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4);
  const shine = ([red, green, blue]) => 0.2126 * weigh(red) + 0.7152 * weigh(green) + 0.0722 * weigh(blue);
  const findBack = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const back = read(getComputedStyle(at).backgroundColor);
      if ((back[3] ?? 1) === 1) return back;
    }
    return [255, 255, 255];
  };
  const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  return [...document.querySelectorAll("body *")]
    .filter((element) => hasText(element) && element.checkVisibility())
    .filter((element) => !element.closest(".visually-hidden, :disabled"))
    .map((element) => {
      const front = shine(read(getComputedStyle(element).color));
      const [low, high] = [front, shine(findBack(element))].sort((a, b) => a - b);
      return [element.textContent.trim().slice(0, 40), Math.round(((high + 0.05) / (low + 0.05)) * 100) / 100];
    })
    .filter(([, contrast]) => contrast < 4.5);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_has_enough_contrast(open_phone: OpenPhone, scheme: str) -> None:
    phone = await open_phone(color_scheme=scheme)
    server = ScriptedServer(phone)
    await server.start()
    await phone.open(f"{ORIGIN}/")
    await expect(phone.page.locator("#sign-in")).to_be_visible()
    assert await phone.page.evaluate(LOW_CONTRAST) == []
    await phone.sign_in("anna", "a password")
    await server.welcome()
    assert await phone.page.evaluate(LOW_CONTRAST) == []
    talk = await ask_first_question(server)
    server.send(talk.delta("Раз"))
    error = {"code": "worker.lost", "message": "", "retryable": True, "trace": "t"}
    server.send(talk.event("turn.failed", {"turn": "t1", "msg": "a1", "partial": True, "bytes": 6, "error": error}))
    await phone.wait_for_answer("failed")
    await phone.ask("Ещё")
    await server.refuse("turn.submit", "limit.size", retryable=False)
    await expect(phone.page.locator(".message[data-state=refused]")).to_be_visible()
    await phone.page.click("#network")
    await expect(phone.page.locator("#notice")).to_be_visible()
    assert await phone.page.evaluate(LOW_CONTRAST) == []
    await phone.page.click("#menu-open")
    await expect(phone.page.locator("#menu")).to_be_visible()

    assert await phone.page.evaluate(LOW_CONTRAST) == []
