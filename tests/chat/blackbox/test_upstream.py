"""What a phone sees of GigaChat's bad days: an answer after all, or an honest end."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.chat.blackbox.conftest import Pocket
from tests.cursor import digest
from tests.live.product import Account, SandboxHandle
from tests.phone import Phone

QUESTION = "Что такое вклад?"


@pytest.fixture
def faults(sandbox: SandboxHandle) -> Iterator[SandboxHandle]:
    yield sandbox
    sandbox.clear_faults()


async def ask(account: Account, pocket: Pocket) -> tuple[Phone, dict[str, Any]]:
    """Ask one question; return the phone and the body of the turn's terminal event."""
    phone = await pocket.add(account.take_phone())
    await phone.connect()
    c = str(uuid4())
    reply = await phone.submit(c, QUESTION, new=True)
    kind = await phone.wait_end(c, reply["d"]["turn"])
    return phone, phone.find(kind)[0]


@pytest.mark.parametrize("fault", ["429", "500", "502", "503", "401", "reset"])
async def test_fault_before_the_answer_is_tried_again(
    account: Account, pocket: Pocket, faults: SandboxHandle, fault: str
) -> None:
    faults.set_faults(fault, count=1)
    _, end = await ask(account, pocket)
    assert (end["t"], end["d"]["finish"]) == ("turn.completed", "stop")


@pytest.mark.parametrize("fault", ["500", "502", "429=30", "html_200"])
async def test_fault_that_lasts_ends_the_turn_honestly(
    account: Account, pocket: Pocket, faults: SandboxHandle, fault: str
) -> None:
    faults.set_faults(fault)
    phone, end = await ask(account, pocket)
    assert end["t"] == "turn.failed"
    assert (end["d"]["partial"], end["d"]["error"]["code"], end["d"]["error"]["retryable"]) == (
        False,
        "upstream.unavailable",
        True,
    )
    assert phone.find("text.delta") == []
    assert account.list_actions()[-1] == "turn.failed"


@pytest.mark.parametrize("fault", ["cut=5", "truncate=5", "error_in_stream=5"])
async def test_answer_that_breaks_off_keeps_what_came(
    account: Account, pocket: Pocket, faults: SandboxHandle, fault: str
) -> None:
    faults.set_faults(fault)
    phone, end = await ask(account, pocket)
    assert (end["t"], end["d"]["partial"], end["d"]["error"]["code"]) == ("turn.failed", True, "upstream.unavailable")
    text = phone.follow(end["c"]).texts[end["d"]["msg"]]
    assert text
    assert (end["d"]["bytes"], end["d"]["sum"]) == (len(text.encode()), digest(text))


async def test_answer_that_falls_silent_times_out(account: Account, pocket: Pocket, faults: SandboxHandle) -> None:
    faults.set_faults("silence=30")
    _, end = await ask(account, pocket)
    assert (end["t"], end["d"]["partial"], end["d"]["error"]["code"]) == ("turn.failed", True, "upstream.timeout")


async def test_answer_of_the_filter_says_so(account: Account, pocket: Pocket, faults: SandboxHandle) -> None:
    faults.set_faults("blacklist=2")
    phone, end = await ask(account, pocket)
    assert (end["t"], end["d"]["finish"]) == ("turn.completed", "blocked")
    replaced = phone.find("msg.replaced")[0]["d"]
    assert replaced["why"] == "policy"
    assert phone.follow(end["c"]).texts[end["d"]["msg"]] == replaced["text"]


@pytest.mark.parametrize("fault", ["split_utf8", "one_byte", "two_in_one,comments,crlf", "no_usage,no_done"])
async def test_answer_in_odd_pieces_is_byte_exact(
    account: Account, pocket: Pocket, faults: SandboxHandle, fault: str
) -> None:
    plain, plain_end = await ask(account, pocket)
    faults.set_faults(fault)
    odd, odd_end = await ask(account, pocket)
    assert odd_end["t"] == "turn.completed"
    assert (
        odd.follow(odd_end["c"]).texts[odd_end["d"]["msg"]] == plain.follow(plain_end["c"]).texts[plain_end["d"]["msg"]]
    )


async def test_wrong_credentials_of_ours_are_no_fault_of_the_phone(
    account: Account, pocket: Pocket, faults: SandboxHandle
) -> None:
    faults.set_faults("402")
    _, end = await ask(account, pocket)
    assert end["t"] == "turn.failed"
    assert end["d"]["error"]["code"] in {"upstream.unavailable", "server.internal"}
