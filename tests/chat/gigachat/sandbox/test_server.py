"""Start, stop, refused connections, and two instances that share nothing."""

import ast
import asyncio
import socket
from pathlib import Path

import pytest

import chat.gigachat.sandbox as package
from chat.gigachat.sandbox import Sandbox, SandboxSettings
from chat.gigachat.sandbox.server import load_credentials
from tests.chat.gigachat.sandbox.conftest import StartSandbox
from tests.chat.gigachat.sandbox.wire import WAIT_SECONDS, call, chat, exchange, get_token, request_token


async def test_two_instances_share_nothing(start_sandbox: StartSandbox) -> None:
    first, second = await start_sandbox(), await start_sandbox()
    token = await get_token(first)
    first.faults.add("500")

    replies = [await call(sandbox, "GET", "/models", token=token) for sandbox in (first, second)]

    assert [reply.status for reply in replies] == [200, 401]
    assert (await chat(second)).status == 200
    assert (first.stats.oauth_calls, second.stats.oauth_calls) == (1, 0)


async def test_refused_api_comes_back_on_the_same_port(sandbox: Sandbox) -> None:
    url = sandbox.base_url
    await sandbox.refuse_api()
    with pytest.raises(ConnectionRefusedError):
        await call(sandbox, "GET", "/models")

    await sandbox.accept_api()

    assert (await call(sandbox, "GET", "/models")).status == 200
    assert sandbox.base_url == url


async def test_refused_oauth_leaves_the_api_alone(sandbox: Sandbox) -> None:
    await sandbox.refuse_oauth()
    with pytest.raises(ConnectionRefusedError):
        await request_token(sandbox)

    assert (await call(sandbox, "GET", "/models")).status == 200
    await sandbox.accept_oauth()
    assert (await request_token(sandbox)).status == 200


@pytest.mark.parametrize(("fault", "attribute"), [("refuse", "is_refusing_api"), ("oauth_refuse", "is_refusing_oauth")])
async def test_refuse_order_ends_by_itself(sandbox: Sandbox, fault: str, attribute: str) -> None:
    order = f'{{"faults":"{fault}=0.2"}}'.encode()
    await exchange(sandbox, "POST", f"{sandbox.admin_url}/faults", body=order)
    was_refusing = getattr(sandbox.state, attribute)

    await asyncio.wait_for(sandbox.refusals.wait(), WAIT_SECONDS)

    assert (was_refusing, getattr(sandbox.state, attribute)) == (True, False)
    assert [(await request_token(sandbox)).status, (await call(sandbox, "GET", "/models")).status] == [200, 200]


async def test_refuse_orders_that_overlap_end_open(sandbox: Sandbox) -> None:
    await sandbox.refusals.start("refuse", 0.05)
    await sandbox.refusals.start("refuse", 0.1)

    await asyncio.wait_for(sandbox.refusals.wait(), WAIT_SECONDS)

    assert (await call(sandbox, "GET", "/models")).status == 200


async def test_stop_while_refusing_ends_at_once(sandbox: Sandbox) -> None:
    await sandbox.refusals.start("refuse", 60)

    await asyncio.wait_for(sandbox.stop(), WAIT_SECONDS)

    assert sandbox.state.is_refusing_api


async def test_start_on_a_busy_port_fails_and_leaves_nothing(state_dir: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        sandbox = Sandbox(SandboxSettings(state_dir=state_dir, oauth_port=taken.getsockname()[1]))

        with pytest.raises(OSError, match="address already in use"):
            await sandbox.start()

        with pytest.raises(ConnectionRefusedError):
            await call(sandbox, "GET", "/models")


async def test_stop_cuts_streams_at_once(start_sandbox: StartSandbox, state_dir: Path) -> None:
    sandbox = Sandbox(SandboxSettings(state_dir=state_dir, latency_ms=0, chunk_delay_ms=0))
    await sandbox.start()
    stream = asyncio.create_task(chat(sandbox, fault="silence=60"))
    await sandbox.stats.wait_until(lambda stats: stats.open_streams == 1)

    await asyncio.wait_for(sandbox.stop(), WAIT_SECONDS)

    assert not (await asyncio.wait_for(stream, WAIT_SECONDS)).is_whole
    assert sandbox.stats.open_streams == 0


def test_credentials_are_kept_and_remade_when_spoilt(tmp_path: Path) -> None:
    first = load_credentials(tmp_path)
    again = load_credentials(tmp_path)
    (tmp_path / "credentials").write_text("nonsense")

    assert first == again
    assert load_credentials(tmp_path) not in {first, "nonsense"}
    assert (tmp_path / "credentials").stat().st_mode & 0o777 == 0o600


def test_given_credentials_win(state_dir: Path) -> None:
    sandbox = Sandbox(SandboxSettings(state_dir=state_dir, credentials="aWQ6c2VjcmV0"))

    assert sandbox.credentials == "aWQ6c2VjcmV0"


def test_address_to_listen_on_everywhere_is_not_a_name(state_dir: Path) -> None:
    sandbox = Sandbox(SandboxSettings(state_dir=state_dir, host="0.0.0.0"))

    assert sandbox.base_url.startswith("https://127.0.0.1:")


def test_package_imports_nothing_of_django_or_of_the_client() -> None:
    folder = Path(package.__file__).parent
    imported = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module or "")

    foreign = {name for name in imported if name.split(".")[0] in {"django", "channels", "rest_framework", "accounts"}}
    ours = {name for name in imported if name.startswith("chat") and not name.startswith("chat.gigachat.sandbox")}
    assert (foreign, ours) == (set(), set())
