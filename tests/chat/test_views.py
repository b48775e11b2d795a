"""The phone page as HTML: language, policy, no inline code, the line about the sandbox."""

import json
import re
from html.parser import HTMLParser

import pytest
from django.test import Client
from pytest_django import Settings
from typing_extensions import override

from chat.phone_strings import STRINGS


class PageReader(HTMLParser):
    """Collects what a strict content security policy forbids, and the page's data."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.loaded: list[str] = []
        self.data = ""
        self._open = ""
        self.feed(html)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        self._open = tag if tag == "style" or (tag == "script" and "src" not in named) else ""
        if named.get("type") == "application/json":
            self._open = "data"
        self.inline += [name for name in named if name.startswith("on") or name == "style"]
        self.loaded += [named[name] for name in ("src", "href") if named.get(name)]

    @override
    def handle_data(self, data: str) -> None:
        if self._open == "data":
            self.data += data
        elif self._open:
            self.inline.append(data)

    @override
    def handle_endtag(self, tag: str) -> None:
        self._open = ""


def read_page(client: Client, language: str = "en") -> PageReader:
    return PageReader(client.get("/", headers={"accept-language": language}).content.decode())


def test_show_phone_answers_with_strict_policy_and_no_store(client: Client) -> None:
    response = client.get("/")

    assert response.status_code == 200
    policy = dict(part.strip().split(" ", 1) for part in response["Content-Security-Policy"].split(";"))
    assert [policy[name] for name in ("default-src", "script-src", "style-src", "connect-src", "img-src")] == [
        "'none'",
        "'self'",
        "'self'",
        "'self'",
        "'self' data: blob:",
    ]
    assert "no-store" in response["Cache-Control"]


def test_show_phone_holds_no_inline_code_and_loads_only_its_own_files(client: Client) -> None:
    page = read_page(client)

    assert page.inline == []
    assert page.loaded
    assert [url for url in page.loaded if not url.startswith("/static/chat/phone/")] == []


def test_show_phone_names_every_module_once(client: Client) -> None:
    scripts = [url for url in read_page(client).loaded if url.endswith(".js")]

    assert len(scripts) > 20
    assert sorted(set(scripts)) == sorted(scripts[:-1])
    assert scripts[-1] == "/static/chat/phone/main.js"


@pytest.mark.parametrize(("language", "greeting"), [("ru", "Ассистент банка"), ("en", "Bank assistant")])
def test_show_phone_speaks_the_browsers_language(client: Client, language: str, greeting: str) -> None:
    response = client.get("/", headers={"accept-language": language})

    assert f'<html lang="{language}">' in response.content.decode()
    assert f"<title>{greeting}</title>" in response.content.decode()


def test_show_phone_hands_every_text_to_the_scripts(client: Client) -> None:
    strings = json.loads(read_page(client, "ru").data)

    assert strings.keys() == STRINGS.keys()
    assert strings["status.online"] == "На связи"


def test_set_language_is_kept_in_a_cookie(client: Client) -> None:
    response = client.post("/language", {"language": "ru", "next": "/"})

    assert response["Location"] == "/"
    assert '<html lang="ru">' in client.get("/", headers={"accept-language": "en"}).content.decode()


def test_set_language_refuses_a_foreign_form() -> None:
    assert Client(enforce_csrf_checks=True).post("/language", {"language": "ru"}).status_code == 403


@pytest.mark.parametrize("is_sandbox", [True, False])
def test_show_phone_tells_when_a_sandbox_answers(client: Client, settings: Settings, *, is_sandbox: bool) -> None:
    settings.GIGACHAT_SANDBOX = is_sandbox
    html = client.get("/").content.decode()

    assert (re.search(r"Answers come from the built-in sandbox", html) is not None) is is_sandbox


def test_show_phone_refuses_to_be_posted_to(client: Client) -> None:
    assert client.post("/").status_code == 405
