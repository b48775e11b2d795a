"""What the end of a token, a refresh and a sign-out do to an open socket."""

import asyncio
import urllib.request

from tests.chat.blackbox.conftest import Pocket
from tests.chat.blackbox.test_turns import start_long_turn
from tests.live.product import Account, Device, Product


async def test_token_that_ends_is_announced_then_closes_the_socket(account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.open_session().take_phone(seconds=2))
    await phone.connect()
    assert 0 <= (await phone.wait_type("auth.expiring"))["d"]["in_ms"] <= 2000
    assert await phone.wait_closed(seconds=8) == 4401
    assert phone.frames[-1]["d"] == {"code": 4401, "reconnect": True, "after_ms": 0, "reason": "token expired"}


async def test_answer_goes_on_after_its_token_ended(account: Account, pocket: Pocket) -> None:
    device = account.open_session()
    phone = await pocket.add(device.take_phone(seconds=1))
    await phone.connect()
    c, turn = await start_long_turn(phone)
    while (reply := await phone.cancel(c, "0199c0de-0000-7000-8000-000000000001"))["err"]["code"] == "turn.not_found":
        await phone.wait_for_deltas(len(phone.find("text.delta")) + 5, c)
    assert (reply["err"]["code"], reply["err"]["retryable"]) == ("auth.expired", True)
    await phone.wait_type("text.delta", start=len(phone.frames))
    refreshed = await phone.ask("auth.refresh", {"token": device.issue_token()})
    assert refreshed["d"]["exp"] > 0
    assert (await phone.cancel(c, turn))["d"] == {"state": "cancelling"}


async def test_refresh_with_a_token_of_another_customer_closes_the_socket(
    product: Product, account: Account, pocket: Pocket
) -> None:
    phone = await pocket.add(account.take_phone())
    await phone.connect()
    other = product.add_customer().open_session()
    reply = await phone.ask("auth.refresh", {"token": other.issue_token()})
    assert reply["err"]["code"] == "auth.subject_changed"
    assert await phone.wait_closed() == 4503


async def test_refresh_with_a_token_of_another_session_closes_the_socket(account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.take_phone())
    await phone.connect()
    reply = await phone.ask("auth.refresh", {"token": account.open_session().issue_token()})
    assert reply["err"]["code"] == "auth.subject_changed"
    assert await phone.wait_closed() == 4503


async def test_refresh_with_something_else_closes_the_socket(account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.take_phone())
    await phone.connect()
    assert (await phone.ask("auth.refresh", {"token": "not-a-token"}))["err"]["code"] == "auth.invalid"
    assert await phone.wait_closed() == 4501


def log_out(product: Product, device: Device) -> int:
    request = urllib.request.Request(
        f"{product.http_url}/api/v1/auth/logout",
        data=b"{}",
        headers={"Authorization": f"Bearer {device.issue_token()}", "Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        status: int = answer.status
        return status


async def test_logout_over_rest_closes_the_socket_within_two_seconds(
    product: Product, account: Account, pocket: Pocket
) -> None:
    device = account.open_session()
    phone, other = await pocket.add(device.take_phone()), await pocket.add(account.take_phone())
    await phone.connect()
    await other.connect()
    assert await asyncio.to_thread(log_out, product, device) in {200, 204}
    assert await phone.wait_closed(seconds=2) == 4510
    assert (await other.ask("ping"))["t"] == "pong"
