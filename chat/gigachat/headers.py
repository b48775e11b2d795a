"""The headers of requests to GigaChat: pure. Ids that cannot stand in a header line are refused by `validation`."""

USER_AGENT = "bank-assistant/0.1"
MAX_REQUEST_ID_CHARACTERS = 128


def build_headers(
    token: str | None, *, request_id: str, session_id: str = "", client_id: str = "", accept: str = "application/json"
) -> dict[str, str]:
    """Return the headers every call has; without a token, a client certificate says who we are.

    Without a User-Agent the provider answers 403; without `identity` some gateway gathers a stream to compress it.
    """
    headers = {
        "User-Agent": USER_AGENT,
        "Accept": accept,
        "Accept-Encoding": "identity",
        "Cache-Control": "no-store",
        "X-Request-ID": request_id,
    }
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    if session_id:
        headers["X-Session-ID"] = session_id
    if client_id:
        headers["X-Client-ID"] = client_id
    return headers


def read_request_id(value: str | None) -> str:
    """Return the provider's id of a call as far as it is usable; empty when it sent none."""
    return (value or "")[:MAX_REQUEST_ID_CHARACTERS]
