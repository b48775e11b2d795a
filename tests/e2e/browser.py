"""A real browser on the phone page: finding Chromium, watching for anything it complains about, reading the screen."""

import json
from typing import Any

import pytest
from playwright.async_api import ConsoleMessage, Page, expect

from tests.chromium import CURE, find_chromium

PHONE_SCREEN = {"width": 390, "height": 844}
PATIENCE_MS = 5_000.0
expect.set_options(timeout=PATIENCE_MS)


def find_browser() -> str:
    """Return the path of an installed Chromium; where none is allowed to be missing, its absence is a failure."""
    found = find_chromium()
    if found is None:
        pytest.fail(f"no browser is installed: {CURE}")
    return found


class PhonePage:
    """The phone page in one tab, by what a customer sees and does.

    problems  what the browser complained about, violations of the content security policy among it
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.problems: list[str] = []
        page.on("console", self._note_message)
        page.on("pageerror", lambda error: self.problems.append(f"uncaught: {error}"))

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.problems.append(f"{message.type}: {message.text}")

    async def open(self, url: str) -> None:
        await self.page.goto(url)
        await self.wait_until_ready()

    async def reload(self) -> None:
        await self.page.reload()
        await self.wait_until_ready()

    async def wait_until_ready(self) -> None:
        await self.page.locator("body[data-ready]").wait_for(state="attached", timeout=PATIENCE_MS)

    async def sign_in(self, username: str, password: str) -> None:
        await self.page.fill("#username", username)
        await self.page.fill("#password", password)
        await self.page.press("#password", "Enter")

    async def wait_for_status(self, name: str) -> None:
        await expect(self.page.locator("#status")).to_have_attribute("data-state", name)

    async def ask(self, text: str) -> None:
        await self.page.fill("#text", text)
        await self.page.press("#text", "Enter")

    async def wait_for_answer(self, state: str = "done", *, count: int = 1, patience_ms: float = PATIENCE_MS) -> None:
        """Wait until `count` answers are in the state: `streaming`, `done`, `stopped` or `failed`."""
        await expect(self.page.locator(f'.message.assistant[data-state="{state}"]')).to_have_count(
            count, timeout=patience_ms
        )

    async def read_answers(self) -> list[str]:
        """Return the text of each answer as the screen shows it."""
        return await self.page.locator(".message.assistant .text").all_inner_texts()

    async def read_chat(self) -> dict[str, Any]:
        """Return what the page stores: conversations with cursor and exact texts, the outbox."""
        stored = await self.page.evaluate("() => sessionStorage.getItem('phone.chat')")
        chat: dict[str, Any] = json.loads(stored) if stored else {"conversations": [], "outbox": []}
        return chat

    async def read_conversation(self) -> dict[str, Any]:
        """Return the stored state of the open conversation."""
        chat = await self.read_chat()
        found: dict[str, Any] = next(item for item in chat["conversations"] if item["id"] == chat["current"])
        return found

    async def read_stored_texts(self) -> list[str]:
        """Return the exact texts of the open conversation, in order."""
        return [message["text"] for message in (await self.read_conversation())["messages"]]
