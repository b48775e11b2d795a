"""Sandboxes in process, on free ports, without delays; one certificate authority for all of them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from chat.gigachat.sandbox import Sandbox, SandboxSettings

StartSandbox = Callable[..., Awaitable[Sandbox]]


@pytest.fixture(scope="session")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sandbox")


@pytest.fixture
async def start_sandbox(state_dir: Path) -> AsyncIterator[StartSandbox]:
    """Start sandboxes that stop with the test; keywords are fields of `SandboxSettings`."""
    async with AsyncExitStack() as stack:

        async def start(**fields: Any) -> Sandbox:
            values = {"state_dir": state_dir, "latency_ms": 0.0, "chunk_delay_ms": 0.0, **fields}
            return await stack.enter_async_context(Sandbox(SandboxSettings(**values)))

        yield start


@pytest.fixture
async def sandbox(start_sandbox: StartSandbox) -> Sandbox:
    return await start_sandbox()
