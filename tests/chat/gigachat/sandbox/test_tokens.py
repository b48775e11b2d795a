"""Issued tokens: look, lifetime, and that old ones do not pile up."""

import base64

import pytest

from chat.gigachat.sandbox.errors import ApiError
from chat.gigachat.sandbox.tokens import TokenStore, build_token


def test_build_token_looks_like_a_jwe() -> None:
    token = build_token()
    header, *rest = token.split(".")

    assert (len(token), len(rest)) == (1233, 4)
    assert base64.urlsafe_b64decode(header + "=") == b'{"cty":"jwt","enc":"A256CBC-HS512","alg":"RSA-OAEP-256"}'


def test_get_client_id_knows_live_tokens_only() -> None:
    now = [0.0]
    store = TokenStore(60, lambda: now[0])
    token = store.issue("client").token
    live = store.get_client_id(token)
    now[0] = 60.0

    assert live == "client"
    with pytest.raises(ApiError, match="401 Token has expired"):
        store.get_client_id(token)
    with pytest.raises(ApiError, match="401 Unauthorized"):
        store.get_client_id("another")


def test_issue_forgets_tokens_an_hour_after_their_end() -> None:
    now = [0.0]
    store = TokenStore(60, lambda: now[0])
    old = store.issue("client").token
    now[0] = 3661.0
    store.issue("client")

    with pytest.raises(ApiError, match="401 Unauthorized"):
        store.get_client_id(old)
