"""`python -m tests.talk --url http://127.0.0.1:8000 --user anna "Что такое вклад?"`: one question over the real socket.

For people who want to see the protocol run: prints every frame with `--frames`, else the text as it arrives.
"""

import argparse
import asyncio
import getpass
import json
import sys
import urllib.request
from typing import Any
from uuid import uuid4

from tests.phone import Phone

ANSWER_SECONDS = 600.0


def sign_in(url: str, user: str, password: str) -> str:
    """Return an access token. Raises: HTTPError"""
    body = json.dumps({"username": user, "password": password}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/api/v1/auth/login", data=body, headers=headers, method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(json.load(answer)["access_token"])


async def talk(url: str, token: str, question: str, *, shows_frames: bool) -> int:
    """Ask in a new conversation and print what comes; return the process's exit code."""
    scheme, _, rest = url.partition("://")
    c = str(uuid4())
    async with Phone(f"{'wss' if scheme == 'https' else 'ws'}://{rest}/ws/v1", token=token) as phone:
        await phone.connect()
        asked = asyncio.create_task(phone.submit(c, question, new=True))
        shown = 0
        while phone.find("err") == [] and not phone.follow(c).ended:
            count = len(phone.frames)
            await phone.wait_until(lambda count=count: len(phone.frames) > count, seconds=ANSWER_SECONDS)  # type: ignore[misc]
            for frame in phone.frames[shown:]:
                show(frame, shows_frames=shows_frames)
            shown = len(phone.frames)
        await asked
        return 0 if "turn.completed" in phone.follow(c).ended.values() else 1


def show(frame: dict[str, Any], *, shows_frames: bool) -> None:
    if shows_frames:
        sys.stdout.write(json.dumps(frame, ensure_ascii=False) + "\n")
    elif frame["t"] == "text.delta":
        sys.stdout.write(frame["d"]["text"])
    elif frame["t"] in {"err", "turn.failed", "turn.completed"}:
        sys.stdout.write("\n" if frame["t"] == "turn.completed" else f"\n{json.dumps(frame, ensure_ascii=False)}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.talk", description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--user", required=True)
    parser.add_argument("--password", default="", help="asked for when absent")
    parser.add_argument("--frames", action="store_true", help="print every frame")
    parser.add_argument("question")
    options = parser.parse_args()
    token = sign_in(options.url, options.user, options.password or getpass.getpass())
    return asyncio.run(talk(options.url, token, options.question, shows_frames=options.frames))


if __name__ == "__main__":
    sys.exit(main())
