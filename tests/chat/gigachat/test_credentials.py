import base64

import pytest

from chat.gigachat.credentials import parse_credentials
from chat.gigachat.errors import CredentialsMalformed

SCOPE = "GIGACHAT_API_PERS"
KEY = base64.b64encode(b"client:secret").decode()


def test_parse_credentials_with_spaces_around_returns_the_bare_key() -> None:
    assert parse_credentials(f"  {KEY}\n", SCOPE).authorization_key == KEY


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "client:secret",
        "0e7c64b1-6f9e-4a53-9a3f-0b7d3f5b0f01",
        "пароль",
        base64.b64encode(b"no colon").decode(),
        base64.b64encode(b":secret").decode(),
        base64.b64encode(b"client:").decode(),
        KEY[:-2],
        KEY[:4] + "\n" + KEY[4:],
    ],
)
def test_parse_credentials_that_decode_to_nothing_usable_is_refused_without_showing_them(text: str) -> None:
    with pytest.raises(CredentialsMalformed) as caught:
        parse_credentials(text, SCOPE)
    assert str(caught.value) == "credentials_malformed"
    assert caught.value.__context__ is None


def test_repr_of_credentials_shows_no_key() -> None:
    assert KEY not in repr(parse_credentials(KEY, SCOPE))


def test_derived_names_differ_by_key_scope_and_address_and_reveal_none() -> None:
    other_key = base64.b64encode(b"client:other").decode()
    names = {
        parse_credentials(KEY, SCOPE).derive_cache_name("https://one"),
        parse_credentials(KEY, SCOPE).derive_cache_name("https://two"),
        parse_credentials(KEY, "GIGACHAT_API_CORP").derive_cache_name("https://one"),
        parse_credentials(other_key, SCOPE).derive_cache_name("https://one"),
    }
    assert len(names) == 4
    assert all(len(name) == 32 and set(name) <= set("0123456789abcdef") for name in names)
    assert parse_credentials(KEY, SCOPE).derive_cache_name("https://one") in names


def test_encryption_key_has_32_bytes_and_depends_on_the_credentials() -> None:
    other_key = base64.b64encode(b"client:other").decode()
    keys = {parse_credentials(key, SCOPE).derive_encryption_key() for key in (KEY, other_key)}
    assert [len(key) for key in keys] == [32, 32]
