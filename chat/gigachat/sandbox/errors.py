"""The error bodies of both listeners. Compact JSON; the API's end in a line feed, OAuth's do not."""

from aiohttp import web

from chat.gigachat.sandbox.encoding import encode_json

# Any schema mismatch is answered with this one text, whatever is wrong.
SCHEMA_MISMATCH = "Your request contains invalid JSON syntax."

BAD_GATEWAY_PAGE = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    b"<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)


class ApiError(Exception):
    """A refusal of the API listener: HTTP status, message and, rarely, `Retry-After`."""

    def __init__(self, status: int, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(f"{status} {message}")
        self.status = status
        self.message = message
        self.retry_after_seconds = retry_after_seconds


class OAuthError(Exception):
    """A refusal of the token listener, which has its own envelope with a `code` of its own."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(f"{status} {message}")
        self.status = status
        self.code = code
        self.message = message


def build_api_error(error: ApiError) -> web.Response:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    if error.retry_after_seconds is not None:
        headers["Retry-After"] = f"{error.retry_after_seconds:g}"
    body = encode_json({"status": error.status, "message": error.message}) + b"\n"
    return web.Response(status=error.status, body=body, headers=headers)


def build_oauth_error(error: OAuthError) -> web.Response:
    body = encode_json({"code": error.code, "message": error.message})
    return web.Response(status=error.status, body=body, headers={"Content-Type": "application/json"})


def build_gateway_page() -> web.Response:
    """What an edge answers when nothing is behind it: a page, not JSON."""
    return web.Response(status=502, body=BAD_GATEWAY_PAGE, headers={"Content-Type": "text/html"})


def build_edge_refusal() -> web.Response:
    """A request without `User-Agent` is refused by the new host's edge with a bare `message`."""
    body = encode_json({"message": "Unauthorized"})
    return web.Response(status=403, body=body, headers={"Content-Type": "application/json"})
