"""The running product of the black-box tests: one database and one sandbox, served by Daphne and by uvicorn."""

import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import pytest

from tests.conftest import read_worker_number
from tests.contract import check_sent
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
from tests.phone import Phone


@pytest.fixture(scope="session")
def live_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("live")


@pytest.fixture(scope="session")
def sandbox(live_directory: Path) -> Iterator[SandboxHandle]:
    sandbox = start_sandbox(live_directory)
    yield sandbox
    sandbox.child.stop()


@pytest.fixture(scope="session")
def live_environment(live_directory: Path, sandbox: SandboxHandle) -> Iterator[dict[str, str]]:
    """Settings of a product on a database of its own."""
    with own_database(live_directory, "live") as url:
        yield build_environment(live_directory, url) | sandbox.get_settings()


@contextmanager
def own_database(directory: Path, name: str) -> Iterator[str]:
    """Yield the URL of a new database, which is dropped afterwards."""
    name = f"{name}_{directory.parent.name}_{read_worker_number()}".replace("-", "_")
    yield make_database(name)
    drop_database(name)


@pytest.fixture(scope="session")
def clerk(live_directory: Path, live_environment: dict[str, str]) -> Iterator[Clerk]:
    clerk = Clerk(live_directory, live_environment)
    clerk.ask("migrate")
    yield clerk
    clerk.stop()


@pytest.fixture(scope="session", params=["daphne", "uvicorn"])
def product(
    request: pytest.FixtureRequest, live_directory: Path, live_environment: dict[str, str], clerk: Clerk
) -> Iterator[Product]:
    product = start_server(request.param, live_directory, live_environment, clerk)
    yield product
    product.child.stop()
    # uvicorn ends by the signal it was sent, once its shutdown is done.
    assert product.child.process.returncode in {0, -signal.SIGTERM}, product.child.read_last_lines()
    lines = product.child.log_path.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if is_alarming(line)] == []


def is_alarming(line: str) -> bool:
    """Return whether a line of the server's log tells of a fault of ours."""
    return '"level": "ERROR"' in line or "Traceback" in line or "Warning: " in line


@pytest.fixture
def account(product: Product) -> Account:
    return product.add_customer()


class Pocket:
    """The phones of one test: put away at its end, every frame they got held to the contract."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self.phones: list[Phone] = []

    async def add(self, phone: Phone) -> Phone:
        self.phones.append(phone)
        return await self._stack.enter_async_context(phone)


@pytest.fixture
async def phones() -> AsyncIterator[Pocket]:
    """A pocket for tests whose servers come and go."""
    async with AsyncExitStack() as stack:
        pocket = Pocket(stack)
        yield pocket
    for phone in pocket.phones:
        for frame in phone.frames:
            check_sent(frame)


@pytest.fixture
def pocket(phones: Pocket, product: Product) -> Iterator[Pocket]:
    """A pocket for tests that their server survives."""
    yield phones
    assert not product.child.has_ended(), product.child.read_last_lines()
