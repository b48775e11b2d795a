"""The page's connection: what it says, how it comes back, when it stays away, and that it never pretends."""

import re

import pytest
from playwright.async_api import expect

from tests.e2e.browser import PhonePage
from tests.e2e.scripted import ORIGIN, ScriptedServer, ask_first_question

pytestmark = pytest.mark.asyncio(loop_scope="session")
UNAUTHORIZED = "status of 401"


async def test_hello_carries_token_device_and_language(phone: PhonePage, server: ScriptedServer) -> None:
    hello = await server.enter()

    device = await phone.page.evaluate("() => localStorage.getItem('phone.device.0')")
    assert hello == {
        "v": 1,
        "token": "access-0",
        "dev": {"id": device, "os": "web", "app": "1.0.0"},
        "caps": ["ack"],
        "lang": "en",
        "subs": [],
    }


async def test_ping_is_answered_with_its_number(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    server.send({"t": "ping", "d": {"n": 7}})

    assert (await server.expect("pong"))["d"] == {"n": 7}


async def test_silent_server_is_left_and_asked_again(phone: PhonePage, server: ScriptedServer) -> None:
    await phone.page.clock.install()
    await server.enter()
    await phone.page.clock.fast_forward(20_000)
    assert len(server.sockets) == 1
    await phone.page.clock.fast_forward(20_000)
    # The first wait before coming back is drawn between nothing and half a second: too short to be looked for.
    await server.welcome()

    assert len(server.sockets) == 2


async def test_coming_to_the_foreground_probes_the_link_for_three_seconds(
    phone: PhonePage, server: ScriptedServer
) -> None:
    await phone.page.clock.install()
    await server.enter()
    await phone.page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    await server.expect("ping")
    server.send({"t": "pong", "d": {}})
    await expect(phone.page.locator("#frames-list li").last).to_contain_text("pong")
    await phone.page.clock.fast_forward(5_000)
    assert len(server.sockets) == 1
    await phone.page.evaluate("() => dispatchEvent(new Event('online'))")
    await server.expect("ping")
    await phone.page.clock.fast_forward(3_000)

    await phone.wait_for_status("waiting")


async def test_network_coming_back_connects_at_once(phone: PhonePage, server: ScriptedServer) -> None:
    await phone.page.clock.install()
    await server.enter()
    await server.close(4415, after_ms=600_000)
    await phone.wait_for_status("waiting")
    await phone.page.evaluate("() => dispatchEvent(new Event('online'))")

    await server.welcome()


async def test_bye_delay_is_kept_and_counted_down(phone: PhonePage, server: ScriptedServer) -> None:
    await phone.page.clock.install()
    await server.enter()
    await server.close(4429, after_ms=90_000)
    await phone.wait_for_status("waiting")
    await expect(phone.page.locator("#status")).to_have_text(re.compile(r"^No connection, trying again in [89]\d s$"))
    # The page's clock runs on besides: the steps leave room for a slow machine.
    await phone.page.clock.run_for(60_000)
    assert len(server.sockets) == 1
    await expect(phone.page.locator("#status")).to_have_text(re.compile(r"^No connection, trying again in [123]\d s$"))
    await phone.page.clock.run_for(31_000)

    await server.welcome()


async def test_expired_token_is_renewed_before_the_next_hello(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    await server.close(4401, after_ms=0)

    assert (await server.welcome())["token"] == "access-1"
    assert [body["refresh_token"] for body in server.refreshes] == ["refresh-0"]


async def test_expiring_token_is_renewed_over_the_living_link(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    server.send({"t": "auth.expiring", "d": {"in_ms": 60_000}})
    refresh = await server.expect_reply_to("auth.refresh", {"exp": 0})

    assert refresh["d"] == {"token": "access-1"}
    assert len(server.sockets) == 1


async def test_unknown_token_is_renewed_once_then_signs_out(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    await server.close(4501)
    assert (await server.welcome())["token"] == "access-1"
    await server.close(4501)
    await server.take_socket()
    assert (await server.expect("hello"))["d"]["token"] == "access-2"
    await server.close(4501)

    await expect(phone.page.locator("#sign-in")).to_be_visible()


async def test_revoked_session_is_wiped_and_signs_out(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    talk = await ask_first_question(server)
    server.send(talk.delta("Тайна"), talk.completed())
    await talk.wait_for_cursor()
    await server.close(4510, reconnect=False)
    await expect(phone.page.locator("#sign-in-error")).to_have_text("Your session was ended. Please sign in again.")

    assert await phone.page.evaluate("() => Object.keys(sessionStorage)") == ["phone.slot"]
    assert "Тайна" not in await phone.page.content()
    await phone.sign_in("anna", "a password")
    assert (await server.welcome())["subs"] == []


async def test_refused_refresh_signs_out(phone: PhonePage, server: ScriptedServer) -> None:
    phone.problems.clear()
    await server.enter()
    server.refused = "auth.revoked"
    await server.close(4401)

    await expect(phone.page.locator("#sign-in-error")).to_have_text("Your session was ended. Please sign in again.")
    assert [UNAUTHORIZED in line for line in phone.problems] == [True]
    phone.problems.clear()


@pytest.mark.parametrize(
    ("code", "notice"),
    [
        (1000, "The bank closed the connection."),
        (4509, "You opened the assistant in another place on this device."),
        (4526, "This app is too old for the bank. Please update it."),
        (4599, "The bank closed the connection."),
    ],
)
async def test_close_that_forbids_coming_back_waits_for_the_customer(
    phone: PhonePage, server: ScriptedServer, code: int, notice: str
) -> None:
    await phone.page.clock.install()
    await server.enter()
    await server.close(code)
    await phone.wait_for_status("stopped")
    await phone.page.clock.fast_forward(120_000)
    assert len(server.sockets) == 1
    await expect(phone.page.locator("#notice-text")).to_have_text(notice)
    await phone.page.click("#notice-act")

    await server.welcome()


async def test_drain_moves_to_a_second_link_before_the_first_ends(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    talk = await ask_first_question(server)
    server.send(talk.delta("Раз"))
    held = talk.top
    server.send({"t": "drain", "d": {"reconnect_in_ms": 10, "deadline_ms": 20_000, "why": "deploy"}})
    await server.take_socket()
    hello = await server.expect("hello")
    assert hello["d"]["subs"] == [{"c": talk.c, "e": "e1", "s": held}]
    # The old link still delivers; the new one repeats the frame.
    second = talk.delta(" два")
    server.send(second, socket=0)
    await expect(phone.page.locator(".message.assistant .text")).to_have_text("Раз два")
    assert server.closed == []
    body = {"ping_ms": 25_000, "subs": [talk.entry("replay")]}
    server.send({"t": "welcome", "re": hello["id"], "d": body}, second, talk.completed())
    await phone.wait_for_answer()

    assert await phone.read_stored_texts() == ["Курс?", "Раз два"]
    assert server.closed == [1000]


async def test_cut_network_shows_itself_hears_nothing_and_comes_back_with_the_cursor(
    phone: PhonePage, server: ScriptedServer
) -> None:
    await server.enter()
    talk = await ask_first_question(server)
    server.send(talk.delta("Раз"))
    held = talk.top
    await talk.wait_for_cursor()
    await phone.page.click("#network")
    await phone.wait_for_status("cut")
    await expect(phone.page.locator("#network")).to_have_attribute("aria-pressed", "true")
    await expect(phone.page.locator("#notice-text")).to_contain_text("You cut the network.")
    missed = [talk.delta(" два", covered=3), talk.delta(" три"), talk.completed()]
    assert len(server.sockets) == 1
    await phone.page.click("#network")
    hello = await server.welcome(talk.entry("replay"))
    assert hello["subs"] == [{"c": talk.c, "e": "e1", "s": held}]
    server.send(*missed)
    await phone.wait_for_answer()

    assert await phone.read_stored_texts() == ["Курс?", "Раз два три"]


async def test_reload_shows_what_was_stored_and_continues_from_it(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    talk = await ask_first_question(server)
    server.send(talk.delta("Раз"))
    held = talk.top
    await talk.wait_for_cursor()
    await phone.reload()
    await expect(phone.page.locator(".message .text")).to_have_text(["Курс?", "Раз"])
    hello = await server.welcome(talk.entry("replay"))
    assert hello["subs"] == [{"c": talk.c, "e": "e1", "s": held}]
    # A reload spends the refresh token once, under a name that makes a repetition harmless.
    assert [len(body["attempt_id"]) for body in server.refreshes] == [36]
    server.send(talk.delta(" два"), talk.completed())
    await phone.wait_for_answer()

    assert await phone.read_stored_texts() == ["Курс?", "Раз два"]


async def test_second_tab_is_a_phone_of_its_own(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    second = PhonePage(await phone.page.context.new_page())
    other = ScriptedServer(second)
    hello = await other.enter()

    assert hello["dev"]["id"] == await phone.page.evaluate("() => localStorage.getItem('phone.device.1')")
    assert hello["dev"]["id"] != await phone.page.evaluate("() => localStorage.getItem('phone.device.0')")
    assert second.problems == []


async def test_duplicated_tab_forgets_the_copied_session(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    stored = await phone.page.evaluate("() => Object.entries(sessionStorage)")
    twin = PhonePage(await phone.page.context.new_page())
    other = ScriptedServer(twin)
    await other.start()
    copy = f"for (const [key, value] of {stored}) sessionStorage.setItem(key, value)"
    await twin.page.add_init_script(f"if (location.origin === '{ORIGIN}' && !sessionStorage.length) {{ {copy} }}")
    await twin.open(f"{ORIGIN}/")

    await expect(twin.page.locator("#sign-in")).to_be_visible()
    assert other.refreshes == []
    assert await twin.page.evaluate("() => sessionStorage.getItem('phone.slot')") == "1"
    assert twin.problems == []


async def test_sign_out_leaves_nothing_behind(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    talk = await ask_first_question(server)
    server.send(talk.delta("Тайна"))
    await talk.wait_for_cursor()
    await phone.page.fill("#text", "черновик")
    async with phone.page.expect_request("**/auth/logout") as logout:
        await phone.page.click("#menu-open")
        await phone.page.click("#sign-out")
    assert (await logout.value).headers["authorization"] == "Bearer access-0"
    assert (await server.expect("bye"))["d"] == {"reason": "signed out"}
    await expect(phone.page.locator("#sign-in")).to_be_visible()

    assert await phone.page.evaluate("() => Object.keys(sessionStorage)") == ["phone.slot"]
    content = await phone.page.content()
    assert "Тайна" not in content
    assert await phone.page.input_value("#text") == ""


async def test_sign_out_during_a_refresh_stays_signed_out(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    server.is_free.clear()
    async with phone.page.expect_response("**/auth/refresh") as refresh:
        async with phone.page.expect_request("**/auth/refresh"):
            await server.close(4401)
        await phone.page.click("#menu-open")
        await phone.page.click("#sign-out")
        server.is_free.set()
    await (await refresh.value).finished()
    await phone.reload()

    await expect(phone.page.locator("#sign-in")).to_be_visible()
    assert await phone.page.evaluate("() => Object.keys(sessionStorage)") == ["phone.slot"]


async def test_broken_frame_ends_the_link_and_the_phone_comes_back(phone: PhonePage, server: ScriptedServer) -> None:
    await server.enter()
    server.sockets[-1].send('{"t":"text.del')

    await server.welcome()
    assert len(server.sockets) == 2
