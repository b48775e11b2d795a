"""An engine's bench against the real sandbox in the test's own event loop."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from pytest_django import Settings

from accounts.models import Customer
from chat.database import run_in_database
from chat.engine.committer import Committer
from chat.engine.loop import Workbench, run_turn
from chat.gigachat.auth import OAuth
from chat.gigachat.client import GigaChatClient
from chat.gigachat.credentials import parse_credentials
from chat.gigachat.options import ClientOptions
from chat.gigachat.rest import RestClient
from chat.gigachat.sandbox import Account, Sandbox, SandboxSettings
from tests.factories.chat import ENGINE, Asked, ask, claim_one

WAIT_SECONDS = 20


@dataclass(slots=True)
class RealBench:
    """Both clients of the engine and the sandbox they talk to."""

    sandbox: Sandbox
    calls: RestClient
    bench: Workbench

    async def answer(
        self,
        customer: Customer,
        text: str = "Что на картинке?",
        *,
        file_ids: tuple[UUID, ...] = (),
        conversation_id: UUID | None = None,
    ) -> Asked:
        """Ask, and let the engine's loop answer."""
        asked = await run_in_database(ask, customer, conversation_id=conversation_id, text=text, file_ids=file_ids)
        claimed = await run_in_database(claim_one)
        await asyncio.wait_for(run_turn(claimed, self.bench), WAIT_SECONDS)
        return asked


@pytest.fixture
def fresh_storage(settings: Settings) -> None:
    """The in-memory storage holds nothing of another test."""
    settings.STORAGES = {**settings.STORAGES}


@pytest.fixture
async def real(tmp_path: Path, fresh_storage: None) -> AsyncIterator[RealBench]:
    settings = SandboxSettings(state_dir=tmp_path, latency_ms=0.0, chunk_delay_ms=0.0, account=Account.B2B)
    async with Sandbox(settings) as sandbox:
        credentials = parse_credentials(sandbox.credentials, settings.scope)
        options = ClientOptions(
            auth=OAuth(credentials=credentials, auth_url=sandbox.auth_url),
            base_url=sandbox.base_url,
            ca_file=str(sandbox.ca_file),
            ca_sha256=sandbox.ca_sha256,
            retries=0,
        )
        upstream, calls, committer = GigaChatClient(options), RestClient(options), Committer()
        committing = asyncio.create_task(committer.run())
        yield RealBench(sandbox, calls, Workbench(ENGINE, upstream, calls, committer))
        committing.cancel()
        await asyncio.gather(committing, return_exceptions=True)
        await committer.aclose()
        await upstream.aclose()
        calls.close()
