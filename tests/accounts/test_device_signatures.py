"""Keys and signatures as phones and browsers give them, and nothing else."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.device_signatures import (
    decode_base64url,
    encode_public_key,
    is_signature_right,
    list_der_forms,
    load_jwk,
    load_public_key,
)
from accounts.keys import build_jwk, encode_base64url
from tests.device import Device

TEXT = b"what is signed"
DEVICE = Device()
PUBLIC = DEVICE.key.public_key()


def test_signature_in_der_and_in_raw_bytes_is_right() -> None:
    assert is_signature_right(PUBLIC, DEVICE.sign(TEXT), TEXT)
    assert is_signature_right(PUBLIC, DEVICE.sign_raw(TEXT), TEXT)


def test_raw_signature_that_begins_like_der_is_still_read_as_raw() -> None:
    """One in 65536 does."""
    raw = b"\x30\x3e" + bytes(range(62))
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")

    assert list_der_forms(raw) == [encode_dss_signature(r, s), raw]


@pytest.mark.parametrize("length", [0, 1, 63, 65, 73, 200])
def test_signature_of_another_length_is_wrong(length: int) -> None:
    assert not is_signature_right(PUBLIC, b"\x30" * length, TEXT)


@given(at=st.integers(0, 63), bit=st.integers(0, 7))
@settings(max_examples=40, deadline=None)
def test_signature_with_one_bit_changed_is_wrong(at: int, bit: int) -> None:
    raw = bytearray(DEVICE.sign_raw(TEXT))
    raw[at] ^= 1 << bit
    assert not is_signature_right(PUBLIC, bytes(raw), TEXT)


def test_signature_of_another_text_or_key_is_wrong() -> None:
    assert not is_signature_right(PUBLIC, DEVICE.sign(TEXT), TEXT + b"!")
    assert not is_signature_right(Device().key.public_key(), DEVICE.sign(TEXT), TEXT)


def test_key_comes_the_same_as_spki_and_as_jwk() -> None:
    assert encode_public_key(load_jwk(DEVICE.jwk)) == encode_public_key(load_public_key(decode_base64url(DEVICE.spki)))


def build_other_curve() -> bytes:
    public = ec.generate_private_key(ec.SECP384R1()).public_key()
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def build_other_kind() -> bytes:
    public = ed25519.Ed25519PrivateKey.generate().public_key()
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    "encoded",
    [b"", b"key", build_other_curve(), build_other_kind(), encode_public_key(PUBLIC)[:-1]],
    # Named, because workers must agree on the names and the keys are random.
    ids=["nothing", "text", "other curve", "other kind", "cut"],
)
def test_load_public_key_of_another_kind_is_refused(encoded: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        load_public_key(encoded)


@pytest.mark.parametrize(
    "changes",
    [
        {"kty": "RSA"},
        {"crv": "P-384"},
        {"x": ""},
        {"x": 5},
        {"y": "!!"},
        {"y": encode_base64url(bytes(33))},
        {"x": encode_base64url(bytes(32))},
    ],
)
def test_load_jwk_that_is_no_point_of_the_curve_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        load_jwk({**build_jwk(PUBLIC), **changes})


@pytest.mark.parametrize("text", ["a", "a+b", "a b=", "ключ", "ab=="])
def test_decode_base64url_of_anything_else_is_empty(text: str) -> None:
    assert decode_base64url(text) == b""
