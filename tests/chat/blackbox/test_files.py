"""Files over real HTTP on both servers, asked about over the real socket, answered by the real sandbox."""

import asyncio
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import requests

from chat.api.uploads import MAX_BODY_BYTES
from chat.files.cleaning import MAX_FILE_BYTES
from tests.chat.blackbox.conftest import Pocket
from tests.factories.files import SECRET_PLACE, make_image, make_photo
from tests.live.product import Account, Device, Product

WAIT_SECONDS = 60


def post(device: Device, content: bytes, *, name: str = "a.bin") -> requests.Response:
    return requests.post(
        f"{device.product.http_url}/api/v1/files",
        files={"file": (name, content, "application/octet-stream")},
        headers={"Authorization": f"Bearer {device.issue_token()}"},
        timeout=WAIT_SECONDS,
    )


def get(device: Device, path: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {device.issue_token()}"}
    return requests.get(f"{device.product.http_url}/api/v1/{path}", headers=headers, timeout=WAIT_SECONDS)


async def store(device: Device, content: bytes, *, name: str = "a.bin") -> dict[str, Any]:
    response = await asyncio.to_thread(post, device, content, name=name)
    assert response.status_code == 201, response.text
    stored: dict[str, Any] = response.json()
    return stored


async def test_picture_is_stored_asked_about_and_shown_on_every_phone(account: Account, pocket: Pocket) -> None:
    device = account.open_session()
    stored = await store(device, make_photo(), name="чек.jpg")
    phone, other = await pocket.add(device.take_phone()), await pocket.add(account.take_phone())
    await phone.connect()
    c = str(uuid4())
    reply = await phone.submit(c, "Что на картинке?", new=True, files=[stored["id"]])
    assert reply["t"] == "ok", reply
    assert await phone.wait_end(c, reply["d"]["turn"]) == "turn.completed"

    shown = {key: stored[key] for key in ("id", "kind", "media_type", "name", "bytes")}
    assert phone.find("turn.accepted")[0]["d"]["files"] == [shown]
    assert phone.find("turn.started")[0]["d"]["model"] == "GigaChat-2-Pro"
    answer = phone.follow(c).texts[phone.find("turn.completed")[0]["d"]["msg"]]
    assert re.search(r"image-[0-9a-f-]{36}\.jpg \(image/jpeg, \d+ B\)", answer)
    await other.connect(c)
    state = await other.wait_type("conv.state")
    assert state["d"]["msgs"][0]["files"] == [shown]
    assert [action for action in account.list_actions() if action.startswith("file.")] == [
        "file.stored",
        "file.attached",
        "file.sent",
    ]


async def test_repeated_submit_with_a_file_makes_one_turn(account: Account, pocket: Pocket) -> None:
    device = account.open_session()
    stored = await store(device, make_image())
    phone = await pocket.add(device.take_phone())
    await phone.connect()
    c, mid = str(uuid4()), str(uuid4())
    first = await phone.submit(c, "Что это?", new=True, mid=mid, files=[stored["id"]])
    again = await phone.submit(c, "Что это?", new=True, mid=mid, files=[stored["id"]])
    conflict = await phone.submit(c, "Что это?", new=True, mid=mid)

    assert (again["d"]["turn"], again["d"]["dup"]) == (first["d"]["turn"], True)
    assert conflict["err"]["code"] == "idem.conflict"


async def test_foreign_and_unknown_files_are_refused_alike(account: Account, product: Product, pocket: Pocket) -> None:
    foreign = await store(product.add_customer().open_session(), make_image())
    phone = await pocket.add(account.take_phone())
    await phone.connect()
    answers = []
    for file_id in (foreign["id"], str(uuid4())):
        reply = await phone.submit(str(uuid4()), "Что это?", new=True, files=[file_id])
        answers.append({key: value for key, value in reply["err"].items() if key != "trace"})

    message = "no such file of yours"
    expected = {"code": "file.not_found", "message": message, "retryable": False, "field": "d.files.0"}
    assert answers == [expected] * 2
    assert account.list_actions() == ["access.denied"] * 2


async def test_two_files_with_a_message_are_refused(account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.take_phone())
    await phone.connect()
    reply = await phone.submit(str(uuid4()), "Что это?", new=True, files=[str(uuid4()), str(uuid4())])

    assert (reply["err"]["code"], reply["err"]["field"]) == ("limit.files", "d.files")


def list_temporary(product: Product) -> list[str]:
    """Return the files of the server's process outside its own places, unnamed ones among them."""
    found = []
    for entry in Path(f"/proc/{product.child.pid}/fd").iterdir():
        try:
            target = str(entry.readlink())
        except FileNotFoundError:
            continue
        if target.startswith("/tmp") and "(deleted)" in target:
            found.append(target)
    return found


def test_file_of_forty_megabytes_never_lies_in_a_temporary_file(product: Product, account: Account) -> None:
    """Sent slowly, so that the server can be looked at in the middle."""
    device = account.open_session()
    seen: list[str] = []

    def send() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
        for _ in range(39):
            yield b"a" * 1024 * 1024
            seen.extend(list_temporary(product))
        yield b"\r\n--x--\r\n"

    headers = {"Authorization": f"Bearer {device.issue_token()}", "Content-Type": "multipart/form-data; boundary=x"}
    response = requests.post(f"{product.http_url}/api/v1/files", data=send(), headers=headers, timeout=WAIT_SECONDS)

    assert (response.status_code, response.json()["bytes"]) == (201, 39 * 1024 * 1024)
    assert seen == []
    content = get(device, f"files/{response.json()['id']}/content")
    assert content.content == b"a" * 39 * 1024 * 1024


def test_file_is_kept_encrypted_and_returned_clean(product: Product, account: Account, live_directory: Path) -> None:
    device = account.open_session()
    stored = post(device, make_photo(), name="чек.jpg").json()

    content = get(device, f"files/{stored['id']}/content").content
    assert len(content) == stored["bytes"]
    assert SECRET_PLACE not in content
    [path] = (live_directory / "files").rglob(stored["id"])
    assert content[:20] not in path.read_bytes()


def exchange(product: Product, head: str, body: bytes) -> str:
    """Send an HTTP request by hand and return the answer."""
    with socket.create_connection(("127.0.0.1", product.port), timeout=WAIT_SECONDS) as link:
        link.sendall(head.replace("\n", "\r\n").encode())
        link.sendall(body)
        answer = b""
        while not answer.endswith(b"}") and (piece := link.recv(65_536)):
            answer += piece
        return answer.decode()


def build_head(device: Device, *fields: str) -> str:
    lines = [
        "POST /api/v1/files HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {device.issue_token()}",
        "Content-Type: multipart/form-data; boundary=x",
        *fields,
    ]
    return "\n".join([*lines, "", ""])


def test_body_over_the_limit_is_refused_while_it_is_read(product: Product, account: Account) -> None:
    response = post(account.open_session(), b"a" * (MAX_BODY_BYTES + 10_000))

    assert (response.status_code, response.json()["code"]) == (413, "limit.size")


def test_file_over_the_limit_in_a_body_below_it_is_refused(product: Product, account: Account) -> None:
    response = post(account.open_session(), b"a" * (MAX_FILE_BYTES + 1))

    assert (response.status_code, response.json()["code"], response.json()["field"]) == (413, "limit.size", "file")


def test_declared_length_over_the_limit_is_refused_unread(product: Product, account: Account) -> None:
    """Daphne hands a request over when all of it was read, so there the length is one that can be sent."""
    length = MAX_BODY_BYTES + 1 if product.kind == "daphne" else 10**12
    body = bytes(length) if product.kind == "daphne" else b""
    answer = exchange(product, build_head(account.open_session(), f"Content-Length: {length}"), body)

    assert answer.startswith("HTTP/1.1 413")
    assert '"code":"limit.size"' in answer


def test_strangers_file_is_refused_without_a_token(product: Product) -> None:
    response = requests.post(
        f"{product.http_url}/api/v1/files", files={"file": ("a.txt", b"a" * 1_000_000)}, timeout=WAIT_SECONDS
    )

    assert (response.status_code, response.json()["code"]) == (401, "auth.required")
