"""Processes that die or leave, and a database that hangs up: every answer ends exactly or honestly."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chat.blackbox.conftest import Pocket, own_database
from tests.chat.blackbox.test_turns import start_long_turn
from tests.cursor import FollowedConversation, Verdict
from tests.live.product import (
    Account,
    Clerk,
    Product,
    SandboxHandle,
    build_environment,
    start_server,
)
from tests.phone import Phone

RECOVERY_SECONDS = 30.0
SHORT_LEASE = {"ENGINE_LEASE_SECONDS": "2", "ENGINE_GRACE_SECONDS": "5"}

Start = Callable[[str], Product]


@pytest.fixture(scope="module")
def stage(live_directory: Path, sandbox: SandboxHandle) -> Iterator[tuple[dict[str, str], Clerk]]:
    """A database that no other test's engine looks at, and somebody who can see into it."""
    with own_database(live_directory, "crash") as url:
        environment = build_environment(live_directory, url) | sandbox.get_settings() | SHORT_LEASE
        clerk = Clerk(live_directory, environment)
        clerk.ask("migrate")
        yield environment, clerk
        clerk.stop()


@pytest.fixture
def start(live_directory: Path, stage: tuple[dict[str, str], Clerk]) -> Iterator[Start]:
    """Start servers on one database; all are stopped afterwards."""
    started: list[Product] = []

    def start(kind: str) -> Product:
        started.append(start_server(kind, live_directory, *stage))
        return started[-1]

    yield start
    for product in started:
        product.child.stop()


@pytest.fixture
def product(start: Start) -> Product:
    """The first node of a test."""
    return start("uvicorn")


async def kill(product: Product, *phones: Phone) -> None:
    """Kill the process without a word, and wait until its phones noticed."""
    product.child.process.kill()
    await asyncio.to_thread(product.child.process.wait)
    for phone in phones:
        await phone.wait_closed()


async def come_back(phone: Phone, product: Product) -> None:
    phone.url = product.ws_url
    await phone.connect()


async def wait_settled(phone: Phone, c: str, turn: str) -> str:
    return await phone.wait_end(c, turn, seconds=RECOVERY_SECONDS)


async def take_position(phone: Phone, c: str) -> FollowedConversation:
    """Attach, so that the phone knows the log's epoch and can resume."""
    await phone.attach(c)
    held = phone.follow(c)
    await phone.wait_until(lambda: held.epoch is not None and not held.awaits_state)
    return held


async def test_process_killed_in_an_answer_is_replaced_by_a_fresh_attempt(
    product: Product, start: Start, account: Account, phones: Pocket
) -> None:
    phone = await phones.add(account.take_phone())
    await phone.connect()
    c, turn = await start_long_turn(phone)
    held = await take_position(phone, c)
    await kill(product, phone)
    await come_back(phone, start("daphne"))
    assert await wait_settled(phone, c, turn) == "turn.completed"
    assert "msg.reset" in held.types
    assert held.texts[phone.find("turn.completed")[0]["d"]["msg"]].startswith("Ипотека")
    assert [frame["d"]["attempt"] for frame in phone.find("turn.started")][-1] == 2
    assert "turn.recovered" in account.list_actions()


async def test_process_killed_in_every_attempt_ends_the_turn_honestly(
    product: Product, start: Start, account: Account, phones: Pocket
) -> None:
    phone = await phones.add(account.take_phone())
    await phone.connect()
    c, turn = await start_long_turn(phone)
    await take_position(phone, c)
    await kill(product, phone)
    second = start("uvicorn")
    await come_back(phone, second)
    reset = await phone.wait_type("msg.reset", seconds=RECOVERY_SECONDS)
    await phone.wait_type("text.delta", start=phone.frames.index(reset))
    await kill(second, phone)
    await come_back(phone, start("uvicorn"))
    assert await wait_settled(phone, c, turn) == "turn.failed"
    failed = phone.find("turn.failed")[0]["d"]
    assert (failed["error"]["code"], failed["partial"]) == ("worker.lost", True)


async def test_phones_on_two_nodes_follow_one_answer(
    product: Product, start: Start, account: Account, phones: Pocket
) -> None:
    phone = await phones.add(account.take_phone())
    tablet = await phones.add(replace(account, product=start("daphne")).take_phone())
    await phone.connect()
    await tablet.connect()
    c, turn = await start_long_turn(phone)
    await take_position(tablet, c)
    assert await wait_settled(tablet, c, turn) == await wait_settled(phone, c, turn) == "turn.completed"
    assert tablet.follow(c).texts == phone.follow(c).texts
    assert Verdict.ATTACH not in tablet.verdicts


async def test_cancel_on_another_node_stops_the_answer(
    product: Product, start: Start, account: Account, phones: Pocket
) -> None:
    phone = await phones.add(account.take_phone())
    tablet = await phones.add(replace(account, product=start("daphne")).take_phone())
    await phone.connect()
    await tablet.connect()
    c, turn = await start_long_turn(phone)
    assert (await tablet.cancel(c, turn))["d"] == {"state": "cancelling"}
    assert await wait_settled(phone, c, turn) == "turn.cancelled"


async def test_node_that_is_told_to_stop_sends_its_phones_elsewhere(
    product: Product, start: Start, account: Account, phones: Pocket
) -> None:
    other = start("daphne")
    phone = await phones.add(account.take_phone())
    await phone.connect()
    c, turn = await start_long_turn(phone)
    await take_position(phone, c)
    product.child.process.terminate()
    assert (await phone.wait_type("drain"))["d"]["why"] == "deploy"
    assert await phone.wait_closed() == 4414
    assert phone.frames[-1]["d"]["reconnect"] is True
    await come_back(phone, other)
    assert await wait_settled(phone, c, turn) == "turn.completed"
    await asyncio.to_thread(product.child.process.wait, RECOVERY_SECONDS)


async def test_database_that_hangs_up_in_an_answer_costs_no_character(
    product: Product, account: Account, phones: Pocket
) -> None:
    phone = await phones.add(account.take_phone())
    await phone.connect()
    c, turn = await start_long_turn(phone)
    assert product.clerk.ask("cut_connections") > 0
    assert await wait_settled(phone, c, turn) == "turn.completed"
    assert "msg.reset" not in phone.follow(c).types
    assert (await phone.submit(c, "Привет"))["t"] == "ok"
