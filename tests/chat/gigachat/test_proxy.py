import base64

import pytest

from chat.gigachat.errors import GigaChatError, ProxyRefused, SettingRefused, Unreachable
from chat.gigachat.proxy import Proxy, build_proxy_error, find_tunnel_status, parse_proxy


@pytest.mark.parametrize("url", ["", "  "])
def test_parse_proxy_of_nothing_returns_none(url: str) -> None:
    assert parse_proxy(url) is None


@pytest.mark.parametrize(
    ("url", "address", "pair"),
    [
        ("http://proxy.bank.example:3128", "http://proxy.bank.example:3128", None),
        (" http://proxy.bank.example:3128/ ", "http://proxy.bank.example:3128", None),
        ("http://[::1]:3128", "http://[::1]:3128", None),
        ("http://bot:secret@proxy:3128", "http://proxy:3128", "bot:secret"),
        ("http://bot:a%40b%3Ac%20%D1%8B@proxy:3128", "http://proxy:3128", "bot:a@b:c ы"),
        ("http://bot@proxy:3128", "http://proxy:3128", "bot:"),
    ],
)
def test_parse_proxy_keeps_the_credentials_out_of_the_address(url: str, address: str, pair: str | None) -> None:
    proxy = parse_proxy(url)
    assert proxy is not None
    assert proxy.address == address
    if pair is None:
        assert proxy.build_headers() == {}
    else:
        sent = proxy.build_headers()["Proxy-Authorization"]
        assert base64.b64decode(sent.removeprefix("Basic ")).decode() == pair
        assert sent not in repr(proxy)


@pytest.mark.parametrize(
    "url",
    [
        "proxy:3128",
        "https://proxy:3128",
        "socks5://proxy:1080",
        "http://proxy",
        "http://:3128",
        "http://proxy:port",
        "http://[proxy:3128",
        "http://proxy:3128/path",
        "http://proxy:3128/?x=1",
    ],
)
def test_parse_proxy_of_anything_else_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(SettingRefused) as caught:
        parse_proxy(url)
    assert str(caught.value) == "setting_refused (GIGACHAT_PROXY_URL)"
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (407, ProxyRefused),
        (403, ProxyRefused),
        (401, ProxyRefused),
        (502, Unreachable),
        (503, Unreachable),
        (None, Unreachable),
    ],
)
def test_build_proxy_error_tells_a_refusal_from_a_bad_day(status: int | None, kind: type[GigaChatError]) -> None:
    assert type(build_proxy_error(status)) is kind


@pytest.mark.parametrize(
    ("text", "status"),
    [("Tunnel connection failed: 407 Proxy Authentication Required", 407), ("timed out", None)],
)
def test_find_tunnel_status_reads_what_the_library_says(text: str, status: int | None) -> None:
    assert find_tunnel_status(OSError(text)) == status


def test_proxy_without_credentials_sends_no_header() -> None:
    assert Proxy(address="http://proxy:3128").build_headers() == {}
