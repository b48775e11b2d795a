"""Who may open a socket at all."""

import orjson
import pytest
from pytest_django import Settings

from chat.protocol.codes import CloseCode
from chat.socket.admission import find_denial, get_client_ip, read_bearer_token

HOST = (b"host", b"bank.example")


def make_scope(*headers: tuple[bytes, bytes], subprotocols: tuple[str, ...] = ("asst.v1.json",)) -> dict[str, object]:
    return {"headers": [HOST, *headers], "subprotocols": list(subprotocols), "client": ("10.0.0.9", 5)}


ORIGIN = (b"origin", b"https://bank.example")
TOKEN = (b"authorization", b"Bearer abc")


@pytest.mark.parametrize(
    ("headers", "is_allowed"),
    [
        ([ORIGIN], True),
        ([TOKEN], True),
        ([ORIGIN, TOKEN], True),
        ([], False),
        ([(b"origin", b"https://evil.example")], False),
        ([(b"origin", b"https://evil.example"), TOKEN], False),
        ([(b"origin", b"https://bank.example.evil.example")], False),
        ([(b"origin", b"null")], False),
        ([(b"origin", b"https://partner.example")], True),
    ],
)
def test_find_denial_judges_the_origin(
    settings: Settings, headers: list[tuple[bytes, bytes]], is_allowed: bool
) -> None:
    settings.WS_ALLOWED_ORIGINS = ["https://partner.example"]
    settings.ALLOWED_HOSTS = ["bank.example"]

    denial = find_denial(make_scope(*headers), is_draining=False)

    assert (denial is None) == is_allowed
    assert denial is None or (denial.status, denial.close_code) == (403, None)


def test_find_denial_of_a_page_under_a_foreign_name_of_ours(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["other.example"]

    assert find_denial(make_scope(ORIGIN), is_draining=False) is not None


@pytest.mark.parametrize("offered", [(), ("asst.v9.json",), ("graphql-ws",)])
def test_find_denial_without_a_common_subprotocol_lists_ours(settings: Settings, offered: tuple[str, ...]) -> None:
    settings.ALLOWED_HOSTS = ["bank.example"]
    denial = find_denial(make_scope(ORIGIN, subprotocols=offered), is_draining=False)

    assert denial is not None
    assert (denial.status, denial.close_code) == (400, CloseCode.NO_SUBPROTOCOL)
    body = orjson.loads(denial.to_messages()[1]["body"])
    assert body == {"code": "proto.subprotocol", "supported": ["asst.v1.json"]}


def test_find_denial_while_draining_says_when_to_come_back() -> None:
    denial = find_denial(make_scope(ORIGIN), is_draining=True)

    assert denial is not None
    assert denial.status == 503
    assert (b"retry-after", b"5") in denial.to_messages()[0]["headers"]


@pytest.mark.parametrize(
    ("value", "token"), [(b"Bearer abc", "abc"), (b"bearer  abc ", "abc"), (b"Basic abc", None), (b"Bearer", None)]
)
def test_read_bearer_token_takes_bearer_tokens_only(value: bytes, token: str | None) -> None:
    assert read_bearer_token(make_scope((b"authorization", value))) == token


def test_get_client_ip_believes_forwarded_addresses_only_behind_our_proxies(settings: Settings) -> None:
    scope = make_scope((b"x-forwarded-for", b"1.1.1.1, 2.2.2.2"))

    settings.TRUSTED_PROXY_COUNT = 0
    assert get_client_ip(scope) == "10.0.0.9"
    settings.TRUSTED_PROXY_COUNT = 1
    assert get_client_ip(scope) == "2.2.2.2"
    assert get_client_ip({"headers": [], "client": None}) == ""
