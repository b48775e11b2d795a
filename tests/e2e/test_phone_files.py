"""The file that goes with a message: choosing, pasting, dropping, progress, refusals, removal, and showing it."""

import base64
import re
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.e2e.browser import PATIENCE_MS, PhonePage
from tests.e2e.conftest import OpenPhone
from tests.e2e.scripted import Frame, ScriptedServer, ask_first_question, take_first_question
from tests.factories.files import make_image

pytestmark = pytest.mark.asyncio(loop_scope="session")

PICTURE = make_image("PNG")
CHOSEN: Any = {"name": "чек.png", "mimeType": "image/png", "buffer": PICTURE}
# The browser says so of every refusal of the server.
REFUSED = "Failed to load resource"
STORED = {"id": "f1", "kind": "image", "media_type": "image/png", "name": "чек.png", "bytes": 90}


@pytest_asyncio.fixture(loop_scope="session")
async def server(phone: PhonePage) -> ScriptedServer:
    """Stores every file, and has a picture for each."""
    made = ScriptedServer(phone)
    made.content = (PICTURE, "image/png")
    return made


async def choose(phone: PhonePage, file: Any = None) -> None:
    await phone.page.set_input_files("#attachment-file", CHOSEN if file is None else file)


async def wait_for(phone: PhonePage, state: str) -> None:
    await expect(phone.page.locator("#attachment")).to_have_attribute("data-state", state)


async def take_file(phone: PhonePage, event: str, target: str) -> None:
    """Fire a paste or drop of the picture at an element."""
    await phone.page.evaluate(
        """([kind, target, content]) => {
          const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
          const data = new DataTransfer();
          data.items.add(new File([bytes], "чек.png", { type: "image/png" }));
          const options = { bubbles: true, cancelable: true };
          const event = kind === "paste"
            ? new ClipboardEvent(kind, { ...options, clipboardData: data })
            : new DragEvent(kind, { ...options, dataTransfer: data });
          const over = kind === "drop" && new DragEvent("dragover", { ...options, dataTransfer: data });
          const element = document.querySelector(target);
          globalThis.wasOver = over && !element.dispatchEvent(over);
          globalThis.wasTaken = !element.dispatchEvent(event);
        }""",
        [event, target, base64.b64encode(PICTURE).decode()],
    )


async def submit_files(server: ScriptedServer) -> Frame:
    """Take the question that the page sends; returns its body."""
    body: Frame = (await server.expect("turn.submit"))["d"]
    return body


async def test_chosen_picture_is_previewed_stored_and_sent_with_the_question(
    phone: PhonePage, server: ScriptedServer
) -> None:
    await server.enter()
    await choose(phone)
    await wait_for(phone, "ready")
    await expect(phone.page.locator("#attachment-name")).to_have_text("чек.png")
    await expect(phone.page.locator("#attachment-note")).to_have_text("The file is attached.")
    preview = phone.page.locator("#attachment-picture")
    await expect(preview).to_be_visible()
    assert await preview.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 40
    await phone.ask("Сколько с меня?")

    body = await submit_files(server)
    assert (body["text"], body["files"]) == ("Сколько с меня?", ["f1"])
    await expect(phone.page.locator("#attachment")).to_be_hidden()


async def test_message_without_a_file_names_none(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    await phone.ask("Курс?")

    assert "files" not in await submit_files(server)


@pytest.mark.parametrize(
    ("kind", "language", "asked"),
    [
        ("image", "en", "What is in this picture?"),
        ("image", "ru", "Что на этой картинке?"),
        ("document", "ru", "О чём этот документ?"),
    ],
)
async def test_file_without_words_is_asked_about(phone: PhonePage, kind: str, language: str, asked: str) -> None:
    server = ScriptedServer(phone, language=language)
    server.stored = [(201, {**STORED, "kind": kind})]
    server.content = (PICTURE, "image/png")
    await server.enter()
    await choose(phone)
    await wait_for(phone, "ready")
    await phone.page.click("#send")

    assert (await submit_files(server))["text"] == asked


async def test_nothing_is_sent_while_the_file_is_on_its_way(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    server.may_store.clear()
    await choose(phone)
    await wait_for(phone, "sending")
    await expect(phone.page.locator("#attachment-note")).to_contain_text("Sending the file")
    await expect(phone.page.locator("#attachment-progress")).to_be_visible()
    await phone.ask("Сколько?")
    await expect(phone.page.locator("#send")).to_be_disabled()
    assert server.is_silent()
    server.may_store.set()
    await wait_for(phone, "ready")
    await expect(phone.page.locator("#attachment-progress")).to_be_hidden()
    await phone.page.click("#send")

    assert (await submit_files(server))["files"] == ["f1"]


async def test_file_removed_on_its_way_is_not_sent(open_phone: OpenPhone) -> None:
    phone = await open_phone()
    server = ScriptedServer(phone)
    await server.enter()
    server.may_store.clear()
    await choose(phone)
    await wait_for(phone, "sending")
    await phone.page.click("#attachment-remove")
    await wait_for(phone, "none")
    server.may_store.set()
    await phone.ask("Курс?")

    assert "files" not in await submit_files(server)


async def test_second_file_takes_the_place_of_the_first(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    await choose(phone)
    await wait_for(phone, "ready")
    await choose(phone, {**CHOSEN, "name": "другой.png"})
    await expect(phone.page.locator("#attachment-name")).to_have_text("другой.png")
    await wait_for(phone, "ready")
    await phone.page.click("#send")

    assert (await submit_files(server))["files"] == ["f2"]


@pytest.mark.parametrize(("event", "target"), [("paste", "#text"), ("drop", "#transcript")])
async def test_picture_is_pasted_and_dropped(phone: PhonePage, server: ScriptedServer, event: str, target: str) -> None:
    await server.enter()
    await take_file(phone, event, target)
    await wait_for(phone, "ready")

    assert await phone.page.evaluate("() => wasTaken")
    assert await phone.page.evaluate("() => wasOver") is (event == "drop")


async def test_pasted_text_stays_text(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    await phone.page.focus("#text")
    await phone.page.evaluate(
        """() => {
          const data = new DataTransfer();
          data.setData("text/plain", "Курс?");
          const event = new ClipboardEvent("paste", { bubbles: true, cancelable: true, clipboardData: data });
          globalThis.wasTaken = !document.querySelector("#text").dispatchEvent(event);
        }"""
    )

    assert not await phone.page.evaluate("() => wasTaken")
    await wait_for(phone, "none")


REFUSALS = [
    (413, {"code": "limit.size", "details": {"reason": "pixels"}}, "The picture has too many pixels."),
    (413, {"code": "limit.size"}, "The file is too large: a picture may have 15 MB, a document 40 MB."),
    (
        415,
        {"code": "request.media_type", "details": {"reason": "encrypted"}},
        "The document is protected by a password.",
    ),
    (429, {"code": "limit.rate", "retry_after_ms": 30_000}, "You are asking too often. Try again in 30 s."),
    (503, {"code": "server.overloaded"}, "The bank's server is busy. Please try again a little later."),
    (500, {}, "Something went wrong. Please try again."),
]


@pytest.mark.parametrize(("status", "body", "words"), REFUSALS)
async def test_refused_file_says_why_and_blocks_sending_until_removed(
    open_phone: OpenPhone, status: int, body: Frame, words: str
) -> None:
    phone = await open_phone(ignore=(REFUSED,))
    server = ScriptedServer(phone)
    server.stored = [(status, body)]
    await server.enter()
    await phone.page.fill("#text", "Сколько?")
    await choose(phone)
    await wait_for(phone, "failed")

    await expect(phone.page.locator("#attachment-note")).to_have_text(words)
    await expect(phone.page.locator("#send")).to_be_disabled()
    await phone.page.click("#attachment-remove")
    await expect(phone.page.locator("#send")).to_be_enabled()


async def test_expired_token_is_renewed_and_the_file_sent_again(open_phone: OpenPhone) -> None:
    phone = await open_phone(ignore=(REFUSED,))
    server = ScriptedServer(phone)
    server.stored = [(401, {"code": "auth.expired"})]
    await server.enter()
    await choose(phone)
    await wait_for(phone, "ready")

    assert (len(server.refreshes), server.files) == (1, 2)


async def test_file_while_the_network_is_cut_says_so(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    await phone.page.click("#network")
    await choose(phone)
    await wait_for(phone, "failed")

    await expect(phone.page.locator("#attachment-note")).to_have_text("No connection to the bank.")
    assert server.files == 0


async def test_document_has_a_name_and_no_preview(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    await choose(phone, {"name": "договор.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"})
    await wait_for(phone, "ready")

    await expect(phone.page.locator("#attachment-picture")).to_be_hidden()


async def test_picture_the_browser_cannot_show_has_no_preview(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    await choose(phone, {"name": "скан.tiff", "mimeType": "image/tiff", "buffer": make_image("TIFF")})
    await wait_for(phone, "ready")

    await expect(phone.page.locator("#attachment-picture")).to_be_hidden()


async def test_picture_of_a_message_is_fetched_once_with_the_token_and_shown(
    phone: PhonePage, server: ScriptedServer
) -> None:
    await server.enter()
    talk = await ask_first_question(server)
    body = {"turn": "t2", "msg": "q2", "mid": "m2", "text": "Что это?", "files": [STORED], "dev": "d"}
    server.send(talk.event("turn.accepted", body))
    shown = phone.page.locator(".message.user img.file")
    await expect(shown).to_have_attribute("alt", "чек.png")
    assert await shown.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 40
    server.send(talk.delta("Ответ"), talk.completed())
    await phone.wait_for_answer()

    assert server.fetched == ["/files/f1/content"]
    assert (await shown.get_attribute("src") or "").startswith("blob:")
    assert (await phone.read_conversation())["messages"][-1]["files"] == [STORED]


async def test_reader_of_the_end_stays_there_while_pictures_and_files_take_room(
    phone: PhonePage, server: ScriptedServer
) -> None:
    server.content = (make_image("PNG", size=(400, 300)), "image/png")
    await server.enter()
    talk = await ask_first_question(server)
    for number in range(2, 6):
        body = {"turn": f"t{number}", "msg": f"q{number}", "mid": f"m{number}", "text": "?", "dev": "d"}
        server.send(talk.event("turn.accepted", {**body, "files": [{**STORED, "id": f"f{number}"}]}))
    await expect(phone.page.locator(".message.user img.file")).to_have_count(4)
    await choose(phone)
    await wait_for(phone, "ready")

    script = """() => {
      const place = document.getElementById("transcript");
      const pictures = [...document.querySelectorAll("img.file")];
      return pictures.every((image) => image.complete && image.naturalWidth)
        && place.scrollHeight > place.clientHeight && place.scrollHeight - place.scrollTop - place.clientHeight < 2;
    }"""
    await phone.page.wait_for_function(script, timeout=PATIENCE_MS)


# Runs up to the moment when the browser has told the page of a scroll, with room taken before it could.
GROW_UNDER_A_SCROLL = """async (leaves) => {
  const place = document.getElementById("transcript");
  const told = new Promise((resolve) => place.addEventListener("scroll", resolve, { once: true }));
  place.scrollTop -= leaves ? 300 : 5;
  const picture = document.createElement("li");
  picture.style.cssText = "flex: none; height: 700px";
  document.getElementById("messages").append(picture);
  await told;
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  return place.scrollHeight - place.scrollTop - place.clientHeight;
}"""


@pytest.mark.parametrize(("leaves", "least", "most"), [(False, 0, 2), (True, 900, 1100)])
async def test_room_taken_before_a_scroll_is_told_moves_only_the_reader_of_the_end(
    phone: PhonePage, server: ScriptedServer, *, leaves: bool, least: int, most: int
) -> None:
    await server.enter()
    talk = await ask_first_question(server)
    server.send(talk.delta("Ответ.\n\n" * 60))
    await phone.page.wait_for_function(
        "() => { const p = document.getElementById('transcript'); return p.scrollTop > 400; }", timeout=PATIENCE_MS
    )

    assert least <= await phone.page.evaluate(GROW_UNDER_A_SCROLL, leaves) <= most


async def test_files_come_with_a_snapshot_too(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    talk = await ask_first_question(server)
    question = {"msg": "q9", "turn": "t9", "role": "user", "text": "?", "bytes": 1, "sum": "", "files": [STORED]}
    await phone.page.click("#network")
    await phone.page.click("#network")
    await server.welcome(talk.entry("snapshot", why="old"))
    server.send(talk.state(question))

    await expect(phone.page.locator('.message[data-key="q9"] img.file')).to_be_visible()


async def test_deleted_file_keeps_its_name_only(open_phone: OpenPhone) -> None:
    phone = await open_phone(ignore=(REFUSED,))
    server = ScriptedServer(phone)
    await server.enter()
    talk = await ask_first_question(server)
    files = [{**STORED, "gone": True}, {**STORED, "id": "f2", "name": "позже.png"}]
    body = {"turn": "t2", "msg": "q2", "mid": "m2", "text": "?", "files": files, "dev": "d"}
    server.send(talk.event("turn.accepted", body))

    await expect(phone.page.locator(".file.gone")).to_have_text(["чек.png (deleted)", "позже.png (deleted)"])
    assert server.fetched == ["/files/f2/content"]


async def test_document_of_a_message_is_downloaded_when_asked_for(phone: PhonePage, server: ScriptedServer) -> None:
    server.content = (b"%PDF-1.7", "application/pdf")
    await server.enter()
    talk = await ask_first_question(server)
    file = {**STORED, "kind": "document", "media_type": "application/pdf", "name": "договор.pdf"}
    body = {"turn": "t2", "msg": "q2", "mid": "m2", "text": "?", "files": [file], "dev": "d"}
    server.send(talk.event("turn.accepted", body))
    assert server.fetched == []
    async with phone.page.expect_download() as download:
        await phone.page.click(".file.document")

    assert (await download.value).suggested_filename == "договор.pdf"


async def test_question_asked_again_takes_its_file_along(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    await choose(phone)
    await wait_for(phone, "ready")
    await phone.page.fill("#text", "Что это?")
    await phone.page.click("#send")
    talk = await take_first_question(server, "Что это?")
    body = {"turn": "t2", "msg": "q2", "mid": "m2", "text": "И это?", "files": [STORED], "dev": "d"}
    server.send(talk.completed(), talk.event("turn.accepted", body))
    error = {"code": "worker.lost", "message": "", "retryable": True, "trace": "t"}
    server.send(talk.event("turn.failed", {"turn": "t2", "partial": False, "error": error}))
    await phone.page.get_by_role("button", name="Ask again").click()

    again = await submit_files(server)
    assert (again["text"], again["files"]) == ("И это?", ["f1"])


async def test_unsent_message_keeps_its_file_over_a_reload(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    await choose(phone)
    await wait_for(phone, "ready")
    await phone.ask("Что это?")
    first = await submit_files(server)
    await phone.reload()
    await server.welcome()

    again = await submit_files(server)
    assert (again["mid"], again["files"]) == (first["mid"], ["f1"])


async def test_sign_out_forgets_the_file_and_its_pictures(open_phone: OpenPhone) -> None:
    phone = await open_phone(ignore=("ERR_FILE_NOT_FOUND",))
    server = ScriptedServer(phone)
    server.content = (PICTURE, "image/png")
    await server.enter()
    talk = await ask_first_question(server)
    body = {"turn": "t2", "msg": "q2", "mid": "m2", "text": "?", "files": [STORED], "dev": "d"}
    server.send(talk.event("turn.accepted", body))
    shown = phone.page.locator(".message.user img.file")
    await expect(shown).to_have_attribute("src", re.compile("^blob:"))
    url = await shown.get_attribute("src")
    await choose(phone)
    await wait_for(phone, "ready")
    await phone.page.click("#menu-open")
    await phone.page.click("#sign-out")
    await expect(phone.page.locator("#sign-in")).to_be_visible()

    await wait_for(phone, "none")
    script = """(url) => new Promise((resolve) => {
      const image = new Image();
      image.onload = () => resolve(false);
      image.onerror = () => resolve(true);
      image.src = url;
    })"""
    assert await phone.page.evaluate(script, url)
