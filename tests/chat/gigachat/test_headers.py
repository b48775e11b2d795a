import pytest

from chat.gigachat.headers import USER_AGENT, build_headers, read_request_id


def test_build_headers_without_token_and_ids_sends_what_every_call_has() -> None:
    assert build_headers(None, request_id="request-1") == {
        "User-Agent": USER_AGENT,
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Cache-Control": "no-store",
        "X-Request-ID": "request-1",
    }


def test_build_headers_with_token_and_ids_sends_them() -> None:
    headers = build_headers("abc", request_id="r", session_id="s", client_id="c", accept="text/event-stream")
    assert {name: headers[name] for name in ("Authorization", "Accept", "X-Session-ID", "X-Client-ID")} == {
        "Authorization": "Bearer abc",
        "Accept": "text/event-stream",
        "X-Session-ID": "s",
        "X-Client-ID": "c",
    }


@pytest.mark.parametrize(("value", "kept"), [(None, ""), ("", ""), ("abc", "abc"), ("x" * 500, "x" * 128)])
def test_read_request_id_is_bounded(value: str | None, kept: str) -> None:
    assert read_request_id(value) == kept
