"""A GigaChat that plays scripts: a real TLS server on a real port, in a thread and event loop of its own."""

import asyncio
import base64
import collections
import json
import ssl
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme
from aiohttp import web
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from chat.gigachat.auth import OAuth
from chat.gigachat.credentials import Credentials, parse_credentials
from chat.gigachat.options import ClientOptions
from chat.gigachat.tls import ClientCertificate

Script = Callable[[web.Request], Awaitable[web.StreamResponse]]
WAIT_SECONDS = 5.0
JSON_HEADERS = {"Content-Type": "application/json; charset=utf-8"}
PAGE_HEADERS = {"Content-Type": "text/html"}
STREAM_HEADERS = {"Content-Type": "text/event-stream", "X-Request-Id": "upstream-1"}
SECRET = "a-secret-nobody-may-see"
CREDENTIALS: Credentials = parse_credentials(
    base64.b64encode(f"client:{SECRET}".encode()).decode(), "GIGACHAT_API_PERS"
)


@dataclass(frozen=True)
class Authority:
    """A root certificate made for the tests, and the file a client pins."""

    ca: trustme.CA
    file: str
    sha256: str

    def issue_context(self, *names: str, **options: Any) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(*(names or ("127.0.0.1", "localhost")), **options).configure_cert(context)
        return context

    def issue_mutual_context(self, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
        """Return the context of a server that wants a certificate of this authority from its clients."""
        context = self.issue_context()
        context.maximum_version = version
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cafile=self.file)
        return context

    def issue_client_certificate(self, folder: Path, *, password: str = "", **options: Any) -> ClientCertificate:
        leaf = self.ca.issue_cert("bank.example", **options)
        cert_file, key_file = folder / "client.pem", folder / "client.key"
        cert_file.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
        key = load_pem_private_key(leaf.private_key_pem.bytes(), password=None)
        encryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
        key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
        return ClientCertificate(cert_file=str(cert_file), key_file=str(key_file), password=password)


class ScriptedServer:
    """Plays queued scripts in order, then answers as a healthy service does.

    token_scripts, chat_scripts  what the next calls get; rest_scripts for every other path under /v1
    token_calls, chat_calls      headers and bodies of the calls so far; rest_calls with method and path before them
    page                         what the page of a certificate holds; 503 while empty
    connections                  client addresses seen by the completions
    is_left                      set when a client went away from a script that was still playing
    """

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self.token_scripts: collections.deque[Script] = collections.deque()
        self.chat_scripts: collections.deque[Script] = collections.deque()
        self.rest_scripts: collections.deque[Script] = collections.deque()
        self.rest_calls: list[tuple[str, str, dict[str, str], bytes]] = []
        self.token_calls: list[tuple[dict[str, str], bytes]] = []
        self.chat_calls: list[tuple[dict[str, str], bytes]] = []
        self.connections: list[Any] = []
        self.is_left = threading.Event()
        self.is_reached = threading.Event()
        self.token_lifetime_seconds = 1800.0
        self.page = b""
        self.port = 0
        self._context = context
        self._is_ready = threading.Event()
        self._transports: set[asyncio.BaseTransport] = set()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    @property
    def origin(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def start(self) -> "ScriptedServer":
        self._thread.start()
        assert self._is_ready.wait(WAIT_SECONDS)
        return self

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop_event.set)
        self._thread.join(WAIT_SECONDS)
        assert not self._thread.is_alive()

    def build_options(self, authority: Authority, **changes: Any) -> ClientOptions:
        options: dict[str, Any] = {
            "auth": OAuth(credentials=CREDENTIALS, auth_url=f"{self.origin}/oauth"),
            "base_url": f"{self.origin}/v1",
            "ca_file": authority.file,
            "ca_sha256": authority.sha256,
        }
        return ClientOptions(**{**options, **changes})

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop_event = asyncio.Event()
        app = web.Application()
        app.router.add_get("/root.crt", self._answer_page)
        app.router.add_post("/oauth", self._answer_token)
        app.router.add_post("/v1/chat/completions", self._answer_chat)
        app.router.add_route("*", "/v1/{path:.*}", self._answer_rest)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=self._context)
        await site.start()
        self.port = runner.addresses[0][1]
        self._is_ready.set()
        await self._stop_event.wait()
        # A polite end of TLS would outlive the loop.
        for transport in self._transports:
            if isinstance(transport, asyncio.WriteTransport):
                transport.abort()
        await runner.cleanup()

    async def _answer_page(self, request: web.Request) -> web.StreamResponse:
        self._note_connection(request)
        if not self.page:
            raise web.HTTPServiceUnavailable
        return web.Response(body=self.page)

    async def _answer_token(self, request: web.Request) -> web.StreamResponse:
        self._note_connection(request)
        self.token_calls.append((dict(request.headers), await request.read()))
        script = self.token_scripts.popleft() if self.token_scripts else self._issue_token
        return await script(request)

    async def _issue_token(self, _request: web.Request) -> web.StreamResponse:
        expires_at = int((time.time() + self.token_lifetime_seconds) * 1000)
        return web.json_response({"access_token": f"token-{len(self.token_calls)}", "expires_at": expires_at})

    def _note_connection(self, request: web.Request) -> Any:
        assert request.transport is not None
        self._transports.add(request.transport)
        return request.transport.get_extra_info("peername")

    async def _answer_chat(self, request: web.Request) -> web.StreamResponse:
        self.chat_calls.append((dict(request.headers), await request.read()))
        self.connections.append(self._note_connection(request))
        script = self.chat_scripts.popleft() if self.chat_scripts else play(b"data: [DONE]\n\n")
        self.is_reached.set()
        try:
            return await script(request)
        except asyncio.CancelledError:
            self.is_left.set()
            raise

    async def _answer_rest(self, request: web.Request) -> web.StreamResponse:
        self.connections.append(self._note_connection(request))
        path = request.rel_url.raw_path.removeprefix("/v1")
        self.rest_calls.append((request.method, path, dict(request.headers), await request.read()))
        script = self.rest_scripts.popleft() if self.rest_scripts else refuse(404, b"{}")
        return await script(request)


def play(*packets: bytes, headers: dict[str, str] | None = None, status: int = 200) -> Script:
    """Return a script that writes each packet by itself and ends properly."""

    async def script(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=status, headers=STREAM_HEADERS if headers is None else headers)
        await response.prepare(request)
        for packet in packets:
            await response.write(packet)
            await asyncio.sleep(0)
        await response.write_eof()
        return response

    return script


def play_and_cut(*packets: bytes, headers: dict[str, str] | None = None) -> Script:
    """Return a script that cuts the TCP connection after the last packet."""

    async def script(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=STREAM_HEADERS if headers is None else headers)
        await response.prepare(request)
        for packet in packets:
            await response.write(packet)
        assert request.transport is not None
        # Closing, not aborting: what was written still arrives.
        request.transport.close()
        return response

    return script


def play_and_stay_silent(*packets: bytes, headers: dict[str, str] | None = None) -> Script:
    """Return a script that neither writes nor ends after the last packet."""

    async def script(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=STREAM_HEADERS if headers is None else headers)
        await response.prepare(request)
        for packet in packets:
            await response.write(packet)
        await asyncio.Event().wait()
        return response

    return script


def answer(value: Any, status: int = 200, **headers: str) -> Script:
    """Return a script that answers with this JSON."""
    return refuse(status, json.dumps(value, ensure_ascii=False).encode(), **headers)


def refuse(status: int, body: bytes = b"{}", **headers: str) -> Script:
    """Return a script that answers with this status; header names with `_` for `-`."""

    async def script(request: web.Request) -> web.StreamResponse:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, body=body, headers={**JSON_HEADERS, **names})

    return script


async def reset(request: web.Request) -> web.StreamResponse:
    """Cut the connection before any byte of an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def stay_silent(request: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    return web.Response()
