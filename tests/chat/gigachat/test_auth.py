import math

import pytest

from chat.gigachat.auth import FixedSource, StaticToken
from chat.gigachat.errors import TokenRefused
from chat.gigachat.oauth import Token


def test_fixed_source_returns_its_token_for_ever() -> None:
    source = FixedSource("abc")
    expected = Token(value="abc", issued_at=0.0, expires_at=math.inf)
    assert (source.request_token(), source.get_token()) == (expected, expected)
    source.close()
    assert source.get_token() == expected


def test_fixed_source_without_token_returns_none() -> None:
    assert FixedSource(None).request_token() is None
    assert FixedSource(None).get_token() is None


def test_fixed_source_with_rejected_token_has_no_other() -> None:
    for ask in (FixedSource("abc").request_token, FixedSource("abc").get_token):
        with pytest.raises(TokenRefused) as caught:
            ask(rejected="abc")
        assert caught.value.status == 401


def test_repr_of_static_token_does_not_show_it() -> None:
    assert "abc" not in repr(StaticToken("abc"))
