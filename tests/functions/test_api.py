"""Our public keys: today's and those before it, open to everybody, and what they sign can be checked with them."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from pytest_django import Settings

from accounts.device_signatures import decode_base64url, is_signature_right, load_jwk
from accounts.keys import build_key_id, get_signing_key
from functions.confirmations.server_key import PAYLOAD_DOMAIN, RECEIPT_DOMAIN, get_server_key, sign_text


def build_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def build_public_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def test_keys_list_todays_first_and_its_predecessors(settings: Settings) -> None:
    old, new = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    settings.CONFIRM_SIGNING_KEY, settings.CONFIRM_PREVIOUS_KEYS = build_pem(new), build_public_pem(old)

    response = Client().get("/api/v1/keys")

    keys = response.json()["keys"]
    assert [key["kid"] for key in keys] == [build_key_id(key.public_key()) for key in (new, old)]
    signature, kid = sign_text(RECEIPT_DOMAIN, b"receipt")
    assert kid == keys[0]["kid"]
    assert "d" not in keys[0], "a private key has a member d"
    public = load_jwk(keys[0])
    assert is_signature_right(public, decode_base64url(signature), RECEIPT_DOMAIN + b"receipt")
    assert not is_signature_right(public, decode_base64url(signature), PAYLOAD_DOMAIN + b"receipt")


def test_key_of_payloads_is_never_the_key_of_tokens() -> None:
    assert get_server_key()[0] != get_signing_key()[0]


def test_key_that_is_none_is_refused_by_its_setting(settings: Settings) -> None:
    settings.CONFIRM_SIGNING_KEY = "not a key"
    with pytest.raises(ImproperlyConfigured, match="CONFIRM_SIGNING_KEY"):
        get_server_key()
