import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from accounts.keys import (
    build_key_id,
    derive_private_key,
    get_signing_key,
    get_verification_keys,
    parse_private_key,
    parse_public_keys,
)


def encode_private(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, password: bytes = b"") -> str:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()


def encode_public(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def test_derive_private_key_with_equal_secrets_agrees() -> None:
    key = derive_private_key("s", "p").private_numbers()
    assert key == derive_private_key("s", "p").private_numbers()
    assert key != derive_private_key("t", "p").private_numbers()
    assert key != derive_private_key("s", "q").private_numbers()


def test_build_key_id_of_rfc_example_is_its_thumbprint() -> None:
    # The P-256 key of RFC 7517, A.1.
    def number(text: str) -> int:
        return int.from_bytes(base64.urlsafe_b64decode(text + "="), "big")

    key = ec.EllipticCurvePublicNumbers(
        number("MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4"),
        number("4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"),
        ec.SECP256R1(),
    ).public_key()
    assert build_key_id(key) == "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s"


def test_get_signing_key_with_pem_uses_it(settings: Settings) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    settings.JWT_SIGNING_KEY = encode_private(key)
    key_id, found = get_signing_key()
    assert found.private_numbers() == key.private_numbers()
    assert key_id == build_key_id(key.public_key())
    assert list(get_verification_keys()) == [key_id]


def test_get_verification_keys_with_previous_keys_holds_all(settings: Settings) -> None:
    first, second = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    settings.JWT_PREVIOUS_KEYS = encode_public(first) + "\n" + encode_public(second)
    assert set(get_verification_keys()) == {
        get_signing_key()[0],
        build_key_id(first.public_key()),
        build_key_id(second.public_key()),
    }


@pytest.mark.parametrize(
    "pem",
    [
        "nonsense",
        encode_private(rsa.generate_private_key(65537, 2048)),
        encode_private(ec.generate_private_key(ec.SECP384R1())),
        encode_private(ec.generate_private_key(ec.SECP256R1()), b"password"),
        encode_public(ec.generate_private_key(ec.SECP256R1())),
    ],
)
def test_parse_private_key_of_another_kind_is_refused(pem: str) -> None:
    with pytest.raises(ImproperlyConfigured):
        parse_private_key(pem, setting="JWT_SIGNING_KEY")


@pytest.mark.parametrize(
    "pem",
    [
        "nonsense",
        encode_public(rsa.generate_private_key(65537, 2048)),
        encode_public(ec.generate_private_key(ec.SECP384R1())),
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
    ],
)
def test_parse_public_keys_of_another_kind_are_refused(pem: str) -> None:
    with pytest.raises(ImproperlyConfigured):
        parse_public_keys(pem, setting="JWT_PREVIOUS_KEYS")
