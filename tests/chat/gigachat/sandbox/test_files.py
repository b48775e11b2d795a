"""Files belong to the X-Client-ID that uploaded them and end with their lifetime."""

import pytest

from chat.gigachat.sandbox import Sandbox
from chat.gigachat.sandbox.filestore import find_modality
from tests.chat.gigachat.sandbox.conftest import StartSandbox
from tests.chat.gigachat.sandbox.wire import RawReply, call, chat, exchange, join_content

BOUNDARY = "cut-here"
OWNER = {"X-Client-ID": "owner"}
STRANGER = {"X-Client-ID": "stranger"}


def build_form(*parts: tuple[str, bytes]) -> bytes:
    """Return a multipart body of (disposition and other header lines, content)."""
    lines = [
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + content + b"\r\n"
        for head, content in parts
    ]
    return b"".join(lines) + f"--{BOUNDARY}--\r\n".encode()


async def upload(
    sandbox: Sandbox,
    *,
    head: str = 'name="file"; filename="договор.txt"\r\nContent-Type: text/plain',
    content: bytes = b"text",
    purpose: bytes = b"general",
) -> RawReply:
    headers = {
        "Authorization": f"Bearer {sandbox.state.tokens.issue('client').token}",
        "User-Agent": "test",
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        **OWNER,
    }
    body = build_form((head, content), ('name="purpose"', purpose))
    return await exchange(sandbox, "POST", f"{sandbox.base_url}/files", headers=headers, body=body)


async def test_upload_answers_with_the_file(start_sandbox: StartSandbox) -> None:
    sandbox = await start_sandbox(clock=lambda: 1000.5)

    reply = await upload(sandbox)

    value = reply.json()
    assert len(value.pop("id")) == 36
    assert value == {
        "object": "file",
        "bytes": 4,
        "created_at": 1000,
        "filename": "договор.txt",
        "purpose": "general",
        "access_policy": "private",
        "modalities": ["text"],
    }


async def test_owner_lists_reads_downloads_and_deletes(sandbox: Sandbox) -> None:
    uploaded = (await upload(sandbox)).json()
    path = f"/files/{uploaded['id']}"

    listed = await call(sandbox, "GET", "/files", headers=OWNER)
    shown = await call(sandbox, "GET", path, headers=OWNER)
    content = await call(sandbox, "GET", f"{path}/content", headers=OWNER)
    deleted = await call(sandbox, "POST", f"{path}/delete", headers=OWNER)
    gone = await call(sandbox, "GET", path, headers=OWNER)

    assert listed.json() == {"data": [uploaded]}
    assert shown.json() == uploaded
    assert (content.body, content.get("Content-Type")) == (b"text", "application/octet-stream")
    assert deleted.json() == {"id": uploaded["id"], "deleted": True, "access_policy": "private"}
    assert (gone.status, gone.json()["message"]) == (404, "No such file")


@pytest.mark.parametrize("headers", [STRANGER, {}])
@pytest.mark.parametrize(("method", "tail"), [("GET", ""), ("GET", "/content"), ("POST", "/delete")])
async def test_stranger_is_denied(sandbox: Sandbox, headers: dict[str, str], method: str, tail: str) -> None:
    file_id = (await upload(sandbox)).json()["id"]

    reply = await call(sandbox, method, f"/files/{file_id}{tail}", headers=headers)

    assert (reply.status, reply.json()["message"]) == (403, f"Access to file '{file_id}' is denied")


async def test_stranger_sees_an_empty_list(sandbox: Sandbox) -> None:
    await upload(sandbox)

    reply = await call(sandbox, "GET", "/files", headers=STRANGER)

    assert reply.json() == {"data": []}


async def test_file_past_its_lifetime_is_gone(start_sandbox: StartSandbox) -> None:
    now = [0.0]
    sandbox = await start_sandbox(clock=lambda: now[0], file_lifetime_seconds=60)
    file_id = (await upload(sandbox)).json()["id"]
    now[0] = 61

    reply = await call(sandbox, "GET", f"/files/{file_id}", headers=OWNER)

    assert reply.status == 404


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"head": 'name="file"\r\nContent-Type: text/plain'}, 400),
        ({"head": 'name="file"; filename="x.exe"\r\nContent-Type: application/x-msdownload'}, 400),
        ({"purpose": b"other"}, 400),
        (
            {"head": 'name="file"; filename="x.txt"\r\nContent-Type: multipart/mixed; boundary=b', "content": b"--b--"},
            400,
        ),
        ({"head": 'name="file"; filename="x.png"\r\nContent-Type: image/png', "content": b"x" * 15_728_641}, 413),
    ],
)
async def test_upload_of_wrong_file_is_refused(sandbox: Sandbox, fields: dict[str, object], status: int) -> None:
    reply = await upload(sandbox, **fields)  # type: ignore[arg-type]

    assert reply.status == status


async def test_upload_without_multipart_is_refused(sandbox: Sandbox) -> None:
    reply = await call(sandbox, "POST", "/files", value={"file": "x"})

    assert reply.json()["message"] == "Your request contains invalid JSON syntax."


async def test_attachment_is_named_in_the_answer(sandbox: Sandbox) -> None:
    head = 'name="file"; filename="чек.png"\r\nContent-Type: image/png'
    file_id = (await upload(sandbox, head=head)).json()["id"]
    messages = [{"role": "user", "content": "Что на картинке?", "attachments": [file_id]}]
    answers = []
    for model in ("GigaChat-2", "GigaChat-2-Max"):
        value = {"model": model, "messages": messages}
        reply = await call(sandbox, "POST", "/chat/completions", value=value, headers=OWNER)
        answers.append(reply.json()["choices"][0]["message"]["content"])

    assert answers[0].startswith("Эта модель не видит изображений, а вы прислали: чек.png (image/png, 4 B).")
    assert answers[1].startswith("Файл получен: чек.png (image/png, 4 B).")


async def test_attachment_of_another_is_denied(sandbox: Sandbox) -> None:
    file_id = (await upload(sandbox)).json()["id"]

    reply = await chat(sandbox, messages=[{"role": "user", "content": "?", "attachments": [file_id]}])

    assert (reply.status, sandbox.stats.open_streams) == (403, 0)
    assert join_content(reply.body) == ""


@pytest.mark.parametrize(
    ("mime", "modality"),
    [("application/pdf", "text"), ("image/bmp", "image"), ("audio/ogg", "audio"), ("text/html", None)],
)
def test_find_modality_knows_the_services_formats(mime: str, modality: str | None) -> None:
    assert find_modality(mime) == modality
