"""An application that shows how a server treats it: echo, flood, hang, and a lifespan that says goodbye.

Run as `python -m tests.assistant_project.servers.sample <daphne|uvicorn> <port> [fail]`.
"""

import asyncio
import sys
from typing import Any

import uvloop

uvloop.install()

from assistant_project.servers.daphne_server import serve_with_daphne  # noqa: E402 - the loop's kind is chosen first
from assistant_project.servers.lifespan import Lifespan, Message, Receive, Scope, Send  # noqa: E402
from assistant_project.servers.uvicorn_server import serve_with_uvicorn  # noqa: E402

CHUNK = "x" * 16_384
sockets: set[Send] = set()


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def start() -> None:
    if "fail" in sys.argv:
        raise RuntimeError
    say("started")


async def stop() -> None:
    for send in list(sockets):
        await send({"type": "websocket.send", "text": "goodbye"})
        await send({"type": "websocket.close", "code": 4414})
    say("stopped")


async def answer_flood(send: Send) -> None:
    """Stream 32 MB, saying how far it came."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    for number in range(2_000):
        await send({"type": "http.response.body", "body": CHUNK.encode(), "more_body": True})
        if number % 100 == 0:
            say(f"flooded {number}")
    await send({"type": "http.response.body", "body": b""})
    say("flooded all")


async def answer_http(send: Send) -> None:
    loop = type(asyncio.get_running_loop()).__module__
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": loop.encode()})


async def answer_socket(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept", "subprotocol": "asst.v1.json"})
    sockets.add(send)
    try:
        while (message := await receive())["type"] == "websocket.receive":
            await act(message, send)
        say(f"closed {message['code']}")
    except asyncio.CancelledError:
        say("cancelled")
        raise
    finally:
        sockets.discard(send)


async def act(message: Message, send: Send) -> None:
    text = message.get("text") or ""
    if text == "flood":
        for number in range(2_000):
            await send({"type": "websocket.send", "text": CHUNK})
            if number % 100 == 0:
                say(f"flooded {number}")
        say("flooded all")
    elif text == "hang":
        sockets.discard(send)
        await asyncio.Event().wait()
    else:
        await send({"type": "websocket.send", "text": f"echo {len(text)}"})


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    kinds: dict[str, Any] = {"lifespan": Lifespan(start, stop)}
    if scope["type"] in kinds:
        await kinds[scope["type"]](scope, receive, send)
    elif scope["type"] == "websocket":
        await answer_socket(receive, send)
    elif scope["path"] == "/flood":
        await answer_flood(send)
    else:
        await answer_http(send)


if __name__ == "__main__":
    serve = {"daphne": serve_with_daphne, "uvicorn": serve_with_uvicorn}[sys.argv[1]]
    sys.exit(serve(application, host="127.0.0.1", port=int(sys.argv[2]), stop_seconds=5))
