"""The browser that all tests of the phone page share; each test gets tabs of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.conftest import read_worker_number
from tests.e2e.browser import PHONE_SCREEN, PhonePage, find_browser
from tests.e2e.living import PASSWORD, Customer
from tests.e2e.questions import QUESTION, ScriptedBank
from tests.e2e.scripted import ScriptedConversation, ScriptedServer, ask_first_question
from tests.live.product import (
    Account,
    Clerk,
    Product,
    SandboxHandle,
    build_environment,
    drop_database,
    make_database,
    start_sandbox,
    start_server,
)

OpenPhone = Callable[..., Awaitable[PhonePage]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = find_browser()
    async with async_playwright() as playwright:
        # Root, as in containers, may not use Chromium's own sandbox.
        chromium = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(loop_scope="session")
async def open_phone(browser: Browser) -> AsyncIterator[OpenPhone]:
    """Opens a tab in a browser profile of its own; `ignore` names complaints that the test provokes."""
    opened: list[tuple[PhonePage, tuple[str, ...]]] = []

    async def open_tab(*, ignore: tuple[str, ...] = (), **options: Any) -> PhonePage:
        context = await browser.new_context(**{"viewport": PHONE_SCREEN, "locale": "en-US", **options})
        phone = PhonePage(await context.new_page())
        opened.append((phone, ignore))
        return phone

    yield open_tab
    for phone, ignore in opened:
        await phone.page.context.close()
        unexpected = [line for line in phone.problems if not any(part in line for part in ignore)]
        assert unexpected == []


@pytest_asyncio.fixture(loop_scope="session")
async def phone(open_phone: OpenPhone) -> PhonePage:
    return await open_phone()


@pytest_asyncio.fixture(loop_scope="session")
async def server(phone: PhonePage) -> ScriptedServer:
    """A server whose every frame the test writes, for the page in `phone`."""
    return ScriptedServer(phone)


@pytest.fixture
def bank(server: ScriptedServer) -> ScriptedBank:
    return ScriptedBank(server)


@pytest_asyncio.fixture(loop_scope="session")
async def talk(server: ScriptedServer, bank: ScriptedBank) -> ScriptedConversation:
    """A conversation whose first question the assistant is answering."""
    await server.enter()
    return await ask_first_question(server, QUESTION)


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    handle = start_sandbox(tmp_path_factory.mktemp("sandbox"))
    yield handle
    handle.child.stop()


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory, sandbox: SandboxHandle) -> Iterator[Product]:
    """The product as `make run` starts it, on a database of its own."""
    directory = tmp_path_factory.mktemp("bank")
    name = f"page_{directory.parent.name}_{read_worker_number()}".replace("-", "_")
    environment = build_environment(directory, make_database(name)) | sandbox.get_settings()
    # Time to decide as in the product: the browser may be slow.
    environment |= {"GIGACHAT_SANDBOX": "true", "CONFIRM_SECONDS": "120"}
    clerk = Clerk(directory, environment)
    clerk.ask("migrate")
    started = start_server("daphne", directory, environment, clerk)
    yield started
    started.child.stop()
    clerk.stop()
    drop_database(name)


@pytest.fixture
def customer(product: Product) -> Customer:
    username = f"anna-{uuid4().hex[:8]}"
    return Customer(username, Account(product, product.clerk.ask("add_customer", username=username, password=PASSWORD)))
