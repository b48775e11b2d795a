"""Two hundred questions, ten streams, four engines: GigaChat never sees an eleventh."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant_project.embedded.children import Child, start_child
from tests.chat.blackbox.conftest import own_database
from tests.live.product import (
    PROJECT_DIR,
    Clerk,
    SandboxHandle,
    build_environment,
    start_sandbox,
    wait_until,
)

CUSTOMERS = 40
QUESTIONS_EACH = 5
STREAMS = 10
MANY = {
    "TURNS_PER_MINUTE": "1000",
    "QUEUE_LIMIT": "1000",
    "QUEUE_SECONDS": "600",
    "GIGACHAT_STREAMS": str(STREAMS),
    # The first answers wait for each other, as long as the sandbox lets them.
    "GIGACHAT_READ_IDLE_SECONDS": "90",
}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def own_sandbox(directory: Path) -> Iterator[SandboxHandle]:
    """A sandbox that only this test's engines ask; it answers 429 to an eleventh stream."""
    handle = start_sandbox(directory, chunk_delay_ms=10)
    yield handle
    handle.child.stop()


@pytest.fixture
def environment(directory: Path, own_sandbox: SandboxHandle) -> Iterator[dict[str, str]]:
    with own_database(directory, "streams") as url:
        yield build_environment(directory, url) | own_sandbox.get_settings() | MANY


@pytest.fixture
def clerk(directory: Path, environment: dict[str, str]) -> Iterator[Clerk]:
    made = Clerk(directory, environment)
    made.ask("migrate")
    yield made
    made.stop()


@pytest.fixture
def engines(directory: Path, environment: dict[str, str], clerk: Clerk) -> Iterator[list[Child]]:
    command: list[str | Path] = [sys.executable, PROJECT_DIR / "manage.py", "run_engine"]
    started = [
        start_child(f"engine-{number}", command, log_path=directory / f"engine-{number}.log", environment=environment)
        for number in range(4)
    ]
    yield started
    for child in started:
        child.stop()


def test_engines_share_ten_streams_among_two_hundred_questions(
    clerk: Clerk, own_sandbox: SandboxHandle, engines: list[Child]
) -> None:
    # No stream ends before ten are open: every slot is proved usable, however slow the machine.
    own_sandbox.set_faults(f"together={STREAMS}", count=STREAMS)
    clerk.ask("ask_questions", customers=CUSTOMERS, each=QUESTIONS_EACH)

    wait_until(engines[0], lambda: set(clerk.ask("count_turns")) <= {"completed", "failed"}, seconds=240.0)

    assert clerk.ask("count_turns") == {"completed": CUSTOMERS * QUESTIONS_EACH}
    stats = own_sandbox.read_stats()
    assert stats["max_open_streams"] == STREAMS
    assert (stats["refused_by_limit"], stats["chat_calls"]) == (0, CUSTOMERS * QUESTIONS_EACH)
