"""The file endpoints. Deleting is a POST, and another `X-Client-ID` sees nothing."""

from aiohttp import BodyPartReader, web

from chat.gigachat.sandbox.endpoints import build_json
from chat.gigachat.sandbox.errors import SCHEMA_MISMATCH, ApiError
from chat.gigachat.sandbox.filestore import StoredFile
from chat.gigachat.sandbox.state import CALLER, STATE

_PURPOSES = {"general", "assistant"}


def get_owner(request: web.Request) -> tuple[str, str]:
    caller = request[CALLER]
    return caller.client_id, caller.owner


def get_file(request: web.Request) -> StoredFile:
    """Raises: ApiError 403, 404"""
    return request.app[STATE].files.get(get_owner(request), request.match_info["id"])


async def upload_file(request: web.Request) -> web.Response:
    """Take multipart `file` (with a file name and a MIME type) and `purpose`.

    Raises: ApiError 400, 413
    """
    if not request.content_type.startswith("multipart/"):
        raise ApiError(400, SCHEMA_MISMATCH)
    part_file: tuple[str, str, bytes] | None = None
    purpose = ""
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            raise ApiError(400, SCHEMA_MISMATCH)
        if part.name == "file" and part.filename:
            mime = part.headers.get("Content-Type", "").partition(";")[0].strip()
            part_file = part.filename, mime, bytes(await part.read(decode=False))
        elif part.name == "purpose":
            purpose = (await part.text()).strip()
    if part_file is None or purpose not in _PURPOSES:
        raise ApiError(400, SCHEMA_MISMATCH)
    filename, mime, content = part_file
    store = request.app[STATE].files
    stored = store.add(get_owner(request), content, filename=filename, mime=mime, purpose=purpose)
    return build_json(stored.to_json())


async def list_files(request: web.Request) -> web.Response:
    files = request.app[STATE].files.list_files(get_owner(request))
    return build_json({"data": [stored.to_json() for stored in files]})


async def show_file(request: web.Request) -> web.Response:
    """Raises: ApiError 403, 404"""
    return build_json(get_file(request).to_json())


async def download_file(request: web.Request) -> web.Response:
    """Raises: ApiError 403, 404"""
    headers = {"Content-Type": "application/octet-stream"}
    return web.Response(body=get_file(request).content, headers=headers)


async def delete_file(request: web.Request) -> web.Response:
    """Raises: ApiError 403, 404"""
    stored = request.app[STATE].files.delete(get_owner(request), request.match_info["id"])
    return build_json({"id": stored.id, "deleted": True, "access_policy": "private"})


ROUTES = (
    ("POST", "/files", upload_file),
    ("GET", "/files", list_files),
    ("GET", "/files/{id}", show_file),
    ("GET", "/files/{id}/content", download_file),
    ("POST", "/files/{id}/delete", delete_file),
)
