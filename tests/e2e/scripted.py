"""A server played by the test: the real page, its REST answers and its socket routed inside the browser.

Faults and orders of frames that a healthy server hardly ever shows are written down here frame by frame.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from django.test import Client
from playwright.async_api import Route, WebSocketRoute

from chat.protocol.frames import digest_text
from tests.e2e.browser import PATIENCE_MS, PhonePage

# The loopback name makes the page a secure context: the browser offers digests and locks.
ORIGIN = "http://localhost:9"
STATIC_DIR = Path(__file__).resolve().parents[2] / "chat" / "static"
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
Frame = dict[str, Any]
Answer = Callable[[Route], Awaitable[None]]


class ScriptedServer:
    """Answers one phone page.

    sockets  every socket the page opened, the newest last
    refused  when set, refreshes are answered with this error code
    is_free  when cleared, refreshes are not answered until it is set
    stored   answers to the next files, (status, body) each; without one a file is stored as `f1`, `f2` and so on
    content  bytes and type of every stored file; without them there is none
    closings  answers to the next orders to close a conversation, (status, body) each
    may_store  when cleared, files are not answered until it is set
    answers  more of the API, by method and path below `/api/v1`: `GET /keys`
    """

    def __init__(self, phone: PhonePage, *, language: str = "en") -> None:
        self.phone = phone
        self.sockets: list[WebSocketRoute] = []
        self.closed: list[int | None] = []
        self.refreshes: list[Frame] = []
        self.conversations: list[Frame] = []
        self.refused = ""
        self.stored: list[tuple[int, Frame]] = []
        self.content: tuple[bytes, str] | None = None
        self.fetched: list[str] = []
        self.files = 0
        self.answers: dict[str, Answer] = {}
        self.closings: list[tuple[int, Frame]] = []
        self.closed_paths: list[str] = []
        self.may_store = asyncio.Event()
        self.may_store.set()
        self.is_free = asyncio.Event()
        self.is_free.set()
        self._html = Client().get("/", headers={"accept-language": language})
        self._frames: asyncio.Queue[Frame] = asyncio.Queue()
        self._arrivals: asyncio.Queue[WebSocketRoute] = asyncio.Queue()

    async def start(self) -> None:
        page = self.phone.page
        await page.route(f"{ORIGIN}/", self._answer_page)
        await page.route(f"{ORIGIN}/static/**", answer_static)
        await page.route(f"{ORIGIN}/api/v1/**", self._answer_api)
        await page.route_web_socket(re.compile(r"/ws/v1$"), self._accept)

    async def enter(self, *subs: Frame) -> Frame:
        """Open the page, sign in, and welcome its socket; returns the body of its hello."""
        await self.start()
        await self.phone.open(f"{ORIGIN}/")
        await self.phone.sign_in("anna", "a password")
        return await self.welcome(*subs)

    async def welcome(self, *subs: Frame, **changes: Any) -> Frame:
        """Take the next socket's hello and say welcome; returns the hello's body."""
        await self.take_socket()
        hello = await self.expect("hello")
        body = {
            "conn": "k_1",
            "now": 0,
            "ping_ms": 25_000,
            "pong_ms": 10_000,
            "token_exp_ms": 0,
            "win": 262_144,
            "caps": ["ack"],
            "subs": list(subs),
            **changes,
        }
        self.send({"t": "welcome", "re": hello["id"], "d": body})
        await self.phone.wait_for_status("online")
        sent: Frame = hello["d"]
        return sent

    async def take_socket(self) -> WebSocketRoute:
        """Wait for the page to open its next socket."""
        return await asyncio.wait_for(self._arrivals.get(), PATIENCE_MS / 1000)

    def send(self, *frames: Frame, socket: int = -1) -> None:
        for frame in frames:
            self.sockets[socket].send(json.dumps(frame, ensure_ascii=False))

    async def close(self, code: int, **bye: Any) -> None:
        """Close the newest socket, with a `bye` before it when `bye` has fields."""
        if bye:
            self.send({"t": "bye", "d": {"code": code, "reconnect": True, "after_ms": 0, "reason": "", **bye}})
        await self.sockets[-1].close(code=code)

    async def expect(self, kind: str) -> Frame:
        """Return the next frame from the page, which must be of this type; acks come when they like."""
        while True:
            frame = await asyncio.wait_for(self._frames.get(), PATIENCE_MS / 1000)
            if frame["t"] == kind:
                return frame
            assert frame["t"] in {"ack", "detach"}, f"expected {kind}, got {frame}"

    async def expect_reply_to(self, kind: str, body: Frame) -> Frame:
        """Take a command of this type and answer it; returns the command."""
        frame = await self.expect(kind)
        self.send({"t": "ok", "re": frame["id"], "d": body})
        return frame

    async def refuse(self, kind: str, code: str, **facts: Any) -> Frame:
        """Take a command of this type and refuse it; returns the command."""
        frame = await self.expect(kind)
        error = {"code": code, "message": "", "retryable": True, "trace": "t", **facts}
        self.send({"t": "err", "re": frame["id"], "err": error})
        return frame

    def is_silent(self) -> bool:
        """Tell whether everything the page sent was expected; acks come when they like."""
        while not self._frames.empty():
            if self._frames.get_nowait()["t"] != "ack":
                return False
        return True

    def _accept(self, socket: WebSocketRoute) -> None:
        self.sockets.append(socket)
        socket.on_message(lambda text: self._frames.put_nowait(json.loads(text)))
        socket.on_close(lambda code, _reason: self.closed.append(code))
        self._arrivals.put_nowait(socket)

    async def _answer_page(self, route: Route) -> None:
        await route.fulfill(body=self._html.content, headers=dict(self._html.items()))

    async def _answer_api(self, route: Route) -> None:
        path = route.request.url.removeprefix(f"{ORIGIN}/api/v1")
        answer = self.answers.get(f"{route.request.method} {path}")
        if answer is not None:
            await answer(route)
            return
        if path == "/auth/refresh":
            self.refreshes.append(json.loads(route.request.post_data or "{}"))
            await self.is_free.wait()
            if self.refused:
                await route.fulfill(status=401, json={"code": self.refused, "message": "", "retryable": False})
                return
        if path in {"/auth/login", "/auth/refresh"}:
            await route.fulfill(json=self._build_pair())
        elif path == "/conversations":
            await route.fulfill(json={"results": self.conversations, "next_cursor": None})
        elif path == "/files":
            await self._answer_file(route)
        elif path.startswith("/files/"):
            await self._answer_content(route, path)
        elif path.endswith("/close"):
            self.closed_paths.append(path)
            status, closing = self.closings.pop(0)
            await route.fulfill(status=status, json=closing)
        elif path == "/me":
            await route.fulfill(json={"first_name": "Анна", "last_name": "Ветрова", "username": "anna"})
        else:
            await route.fulfill(status=204)

    async def _answer_file(self, route: Route) -> None:
        await self.may_store.wait()
        self.files += 1
        if self.stored:
            status, body = self.stored.pop(0)
            await route.fulfill(status=status, json=body)
            return
        body = {"id": f"f{self.files}", "kind": "image", "media_type": "image/png", "name": "чек.png", "bytes": 90}
        await route.fulfill(status=201, json=body)

    async def _answer_content(self, route: Route, path: str) -> None:
        self.fetched.append(path)
        assert route.request.headers["authorization"].startswith("Bearer access-")
        if self.content is None:
            await route.fulfill(status=404, json={"code": "file.not_found", "message": "", "retryable": False})
        else:
            await route.fulfill(body=self.content[0], content_type=self.content[1])

    def _build_pair(self) -> Frame:
        number = len(self.refreshes)
        return {"access_token": f"access-{number}", "refresh_token": f"refresh-{number}", "expires_in": 600}


async def answer_static(route: Route) -> None:
    """Serve the page's own files from the source tree."""
    path = STATIC_DIR / route.request.url.removeprefix(f"{ORIGIN}/static/")
    await route.fulfill(body=path.read_bytes(), content_type=TYPES[path.suffix])


class ScriptedConversation:
    """One conversation of a scripted server: knows its id, log position and the text streamed so far."""

    def __init__(self, server: ScriptedServer, c: str) -> None:
        self.server = server
        self.c = c
        self.top = 0
        self.text = ""

    def event(self, kind: str, body: Frame, *, covered: int = 1) -> Frame:
        """Return the next durable frame and move the log's end."""
        self.top += covered
        count = {"n": covered} if covered != 1 else {}
        return {"t": kind, "c": self.c, "s": self.top, **count, "d": body}

    def delta(self, text: str, *, covered: int = 1) -> Frame:
        off = len(self.text.encode())
        self.text += text
        return self.event("text.delta", {"msg": "a1", "off": off, "text": text}, covered=covered)

    def completed(self, **changes: Any) -> Frame:
        size = len(self.text.encode())
        body = {"turn": "t1", "msg": "a1", "finish": "stop", "bytes": size, "sum": digest_text(self.text), **changes}
        return self.event("turn.completed", body)

    def entry(self, mode: str, **changes: Any) -> Frame:
        """Return the answer to an attach."""
        return {"c": self.c, "e": "e1", "top": self.top, "mode": mode, "active": None, "confirms": [], **changes}

    def state(self, *messages: Frame, older: bool = False, active: Frame | None = None) -> Frame:
        """Return a snapshot as of the log's end."""
        body = {"part": 1, "of": 1, "title": "A title", "msgs": list(messages), "older": older, "active": active}
        return {"t": "conv.state", "c": self.c, "s": self.top, "snap": True, "d": body}

    async def wait_for_cursor(self) -> None:
        """Wait until the page has stored the log's end."""
        script = """([c, top]) => JSON.parse(sessionStorage.getItem("phone.chat") ?? '{"conversations": []}')
            .conversations.some((item) => item.id === c && item.cursor === top)"""
        await self.server.phone.page.wait_for_function(script, arg=[self.c, self.top], timeout=PATIENCE_MS)


async def ask_first_question(server: ScriptedServer, text: str = "Курс?") -> ScriptedConversation:
    """Let the page start a conversation with this question and follow it up to the beginning of the answer."""
    await server.phone.ask(text)
    return await take_first_question(server, text)


async def take_first_question(server: ScriptedServer, text: str) -> ScriptedConversation:
    """Take the question that starts a conversation and follow it up to the beginning of the answer."""
    submit = await server.expect_reply_to("turn.submit", {"turn": "t1", "msg": "q1", "e": "e1", "s": 2, "dup": False})
    assert submit["d"]["text"] == text
    talk = ScriptedConversation(server, submit["c"])
    body = {"turn": "t1", "msg": "q1", "mid": submit["d"]["mid"], "text": text, "dev": "d"}
    server.send(talk.event("conv.created", {"title": text}), talk.event("turn.accepted", body))
    # A new conversation's events tell no epoch; the page attaches to learn it.
    attach = await server.expect("attach")
    active = {"turn": "t1", "state": "queued", "attempt": 0, "msg": "a1"}
    server.send({"t": "ok", "re": attach["id"], "d": talk.entry("snapshot", why="new", active=active)})
    question = {"msg": "q1", "turn": "t1", "role": "user", "text": text, "bytes": len(text.encode()), "sum": ""}
    server.send(talk.state(question, active=active))
    server.send(talk.event("turn.started", {"turn": "t1", "msg": "a1", "attempt": 1, "model": "m"}))
    return talk
