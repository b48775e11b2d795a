"""Raw HTTP over TLS against a sandbox: bytes as they arrive, cut where the server cut them."""

import asyncio
import json
import ssl
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from chat.gigachat.sandbox import Sandbox

WAIT_SECONDS = 5.0


@dataclass(frozen=True)
class RawReply:
    """`chunks` are the HTTP chunks, one for each write of the server; `is_whole`: the body ended properly."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    chunks: tuple[bytes, ...]
    is_whole: bool

    def get(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def json(self) -> Any:
        return json.loads(self.body)


def trust(sandbox: Sandbox) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(sandbox.ca_file))


async def exchange(
    sandbox: Sandbox,
    method: str,
    url: str,
    *,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    context: ssl.SSLContext | None = None,
) -> RawReply:
    """Send one request on a connection of its own and read until the server closes it."""
    parts = urlsplit(url)
    async with asyncio.timeout(WAIT_SECONDS):
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port, ssl=context or trust(sandbox))
        lines = [f"{method} {parts.path} HTTP/1.1", f"Host: {parts.netloc}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        lines += [f"Content-Length: {len(body)}", "", ""]
        try:
            writer.write("\r\n".join(lines).encode() + body)
            return parse_reply(await read_to_end(reader))
        finally:
            writer.transport.abort()


async def read_to_end(reader: asyncio.StreamReader) -> bytes:
    raw = b""
    try:
        while data := await reader.read(65536):
            raw += data
    except (ConnectionError, ssl.SSLError):
        return raw
    return raw


def parse_reply(raw: bytes) -> RawReply:
    head, _, rest = raw.partition(b"\r\n\r\n")
    if not head:
        return RawReply(0, [], b"", (), is_whole=False)
    status_line, *header_lines = head.decode().split("\r\n")
    headers = [(name, value) for name, _, value in (line.partition(": ") for line in header_lines)]
    status = int(status_line.split(" ")[1])
    if ("Transfer-Encoding", "chunked") not in headers:
        return RawReply(status, headers, rest, (rest,), is_whole=True)
    chunks = []
    while rest and not rest.startswith(b"0\r\n"):
        size, _, rest = rest.partition(b"\r\n")
        chunks.append(rest[: int(size, 16)])
        rest = rest[int(size, 16) + 2 :]
    return RawReply(status, headers, b"".join(chunks), tuple(chunks), is_whole=rest == b"0\r\n\r\n")


async def request_token(sandbox: Sandbox, **changes: str) -> RawReply:
    """Ask for a token; `changes` replace `authorization`, `rquid`, `scope` or `fault`."""
    headers = {
        "Authorization": changes.get("authorization", f"Basic {sandbox.credentials}"),
        "Content-Type": "application/x-www-form-urlencoded",
        "RqUID": changes.get("rquid", str(uuid.uuid4())),
    }
    if "fault" in changes:
        headers["X-Sandbox-Fault"] = changes["fault"]
    scope = changes.get("scope", sandbox.settings.scope)
    return await exchange(sandbox, "POST", sandbox.auth_url, headers=headers, body=f"scope={scope}".encode())


async def get_token(sandbox: Sandbox) -> str:
    reply = await request_token(sandbox)
    return str(reply.json()["access_token"])


async def call(
    sandbox: Sandbox,
    method: str,
    path: str,
    *,
    value: Any = None,
    headers: dict[str, str] | None = None,
    token: str = "",
) -> RawReply:
    """Call the API with a token and a User-Agent; `path` follows the base URL, `value` is sent as JSON."""
    token = token or sandbox.state.tokens.issue("client").token
    sent = {"Authorization": f"Bearer {token}", "User-Agent": "test", **(headers or {})}
    body = b"" if value is None else json.dumps(value).encode()
    return await exchange(sandbox, method, sandbox.base_url + path, headers=sent, body=body)


async def chat(sandbox: Sandbox, text: str = "Привет", *, fault: str = "", **fields: Any) -> RawReply:
    """Ask for a streamed completion of one question."""
    value = {"model": "GigaChat-2", "messages": [{"role": "user", "content": text}], "stream": True, **fields}
    headers = {"X-Sandbox-Fault": fault} if fault else {}
    return await call(sandbox, "POST", "/chat/completions", value=value, headers=headers)


def list_payloads(body: bytes) -> list[Any]:
    """Return the JSON payloads of a stream in order, without `[DONE]`."""
    data = [line[6:] for line in body.replace(b"\r\n", b"\n").split(b"\n") if line.startswith(b"data: ")]
    return [json.loads(item) for item in data if item != b"[DONE]"]


def join_content(body: bytes) -> str:
    return "".join(payload["choices"][0]["delta"].get("content", "") for payload in list_payloads(body))
