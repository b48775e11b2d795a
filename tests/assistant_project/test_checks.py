"""`check --deploy` passes a sound production and refuses each unsafe setting with its own error and cure."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from django.conf import settings as django_settings
from django.core.checks import ERROR, WARNING, run_checks
from pytest_django import Settings

from assistant_project.checks import CHECKS, check_production
from chat.gigachat.tls import get_fingerprint, parse_certificate

CREDENTIALS = "Y2xpZW50OnNlY3JldA=="


def build_key_pem() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


SHARED_PEM = build_key_pem()


@pytest.fixture
def production(settings: Settings, authority: Path) -> Settings:
    """Settings as a bank would run: nothing is found."""
    values: dict[str, Any] = {
        "DEBUG": False,
        "SECRET_KEY": "correct-horse-battery-staple-0123456789-ABCDEFGHIJ",
        "EMBEDDED": False,
        "WEB_PROCESSES": 2,
        "CACHES": {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://r/0"}},
        "CHANNEL_LAYERS": {"default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer"}},
        "GIGACHAT_BASE_URL": django_settings.DEFAULT_GIGACHAT_BASE_URL,
        "GIGACHAT_CREDENTIALS": CREDENTIALS,
        "JWT_SIGNING_KEY": build_key_pem(),
        "AUDIT_PSEUDONYM_KEY": "p" * 40,
        "FILE_ENCRYPTION_KEYS": f"2026:{'A' * 43}=",
        "BANK_DATA_KEY": "b" * 40,
        "CONFIRM_SIGNING_KEY": build_key_pem(),
        "PAYMENT_GATEWAY": "bank_example.gateways.NspkGateway",
        "AUDIT_LOG_NAME": "bank.example/assistant-audit/production",
        "ALLOWED_HOSTS": ["assistant.bank.example"],
        "HTTPS": True,
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "SECURE_SSL_REDIRECT": True,
        "SECURE_HSTS_SECONDS": 31_536_000,
        "SECURE_HSTS_PRELOAD": True,
        "SECURE_HSTS_INCLUDE_SUBDOMAINS": True,
        "WS_ALLOWED_ORIGINS": ["https://assistant.bank.example"],
        "STAFF_OTP_REQUIRED": True,
    }
    for name, value in values.items():
        setattr(settings, name, value)
    return settings


def list_ids() -> list[str]:
    return [str(finding.id).removeprefix("assistant.") for finding in check_production()]


def test_sound_production_is_accepted(production: Settings) -> None:
    assert check_production() == []


def test_production_of_a_contour_needs_a_certificate_and_no_credentials(production: Settings, tmp_path: Path) -> None:
    leaf = trustme.CA().issue_cert("bank.example")
    leaf.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "client.pem"))
    production.GIGACHAT_AUTH = "mtls"
    production.GIGACHAT_AUTH_URL = production.GIGACHAT_CREDENTIALS = ""
    production.GIGACHAT_CLIENT_CERT_FILE = str(tmp_path / "client.pem")

    assert check_production() == []


def test_checks_run_only_for_deployment(production: Settings) -> None:
    production.DEBUG = True

    assert "assistant.E001" not in {finding.id for finding in run_checks()}
    assert "assistant.E001" in {finding.id for finding in run_checks(include_deployment_checks=True)}


def test_sound_production_passes_every_deployment_check_of_django(production: Settings) -> None:
    assert [finding for finding in run_checks(include_deployment_checks=True) if finding.level >= WARNING] == []


UNSAFE: list[tuple[str, dict[str, Any]]] = [
    ("E001", {"DEBUG": True}),
    ("E002", {"SECRET_KEY": django_settings.DEFAULT_SECRET_KEY}),
    ("E002", {"SECRET_KEY": "short"}),
    ("E003", {"EMBEDDED": True}),
    ("E004", {"CACHES": {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}}),
    ("E004", {"CHANNEL_LAYERS": {}}),
    ("E004", {"CHANNEL_LAYERS": {}, "WEB_PROCESSES": 1, "ENGINE_MODE": "separate"}),
    ("E005", {"GIGACHAT_BASE_URL": "http://api.giga.chat/v1"}),
    ("E005", {"GIGACHAT_AUTH_URL": ""}),
    ("E006", {"GIGACHAT_BASE_URL": "https://127.0.0.1:8443/v1"}),
    ("E006", {"GIGACHAT_BASE_URL": "https://localhost:8443/v1"}),
    ("E006", {"GIGACHAT_AUTH_URL": "https://[::1]:8443/api/v2/oauth"}),
    ("E017", {"GIGACHAT_SANDBOX": True}),
    ("E007", {"GIGACHAT_CA_FILE": "/nowhere/ca.pem"}),
    ("E007", {"GIGACHAT_CA_SHA256": "0" * 64}),
    ("E008", {"GIGACHAT_SCOPE": "GIGACHAT_API_ANY"}),
    ("E009", {"GIGACHAT_CREDENTIALS": ""}),
    ("E009", {"GIGACHAT_CREDENTIALS": "not base64 of a pair"}),
    ("E008", {"GIGACHAT_AUTH": "basic"}),
    ("E008", {"GIGACHAT_AUTH": "token", "GIGACHAT_TOKEN": ""}),
    ("E008", {"GIGACHAT_PROXY_URL": "socks5://proxy:1080"}),
    ("E008", {"GIGACHAT_IMAGE_STYLE": "base64"}),
    ("E019", {"GIGACHAT_AUTH": "mtls"}),
    ("E019", {"GIGACHAT_CLIENT_CERT_FILE": "/nowhere/client.pem"}),
    ("E010", {"JWT_SIGNING_KEY": ""}),
    ("E010", {"JWT_SIGNING_KEY": "not a key"}),
    ("E010", {"JWT_PREVIOUS_KEYS": "not a key"}),
    ("E011", {"AUDIT_PSEUDONYM_KEY": ""}),
    ("E018", {"FILE_ENCRYPTION_KEYS": ""}),
    ("E018", {"FILE_ENCRYPTION_KEYS": "2026:too-short"}),
    ("E020", {"BANK_DATA_KEY": ""}),
    ("E022", {"CONFIRM_SIGNING_KEY": ""}),
    ("E022", {"CONFIRM_SIGNING_KEY": "not a key"}),
    ("E022", {"CONFIRM_SIGNING_KEY": SHARED_PEM, "JWT_SIGNING_KEY": SHARED_PEM}),
    ("E022", {"CONFIRM_PREVIOUS_KEYS": "not a key"}),
    ("E021", {"PAYMENT_GATEWAY": django_settings.DEMO_PAYMENT_GATEWAY}),
    ("E016", {"AUDIT_LOG_NAME": django_settings.DEFAULT_AUDIT_LOG_NAME}),
    ("E012", {"ALLOWED_HOSTS": ["*"]}),
    ("E012", {"ALLOWED_HOSTS": []}),
    ("E013", {"HTTPS": False}),
    ("E013", {"SESSION_COOKIE_SECURE": False}),
    ("E013", {"CSRF_COOKIE_SECURE": False}),
    ("E013", {"SECURE_SSL_REDIRECT": False}),
    ("E013", {"SECURE_HSTS_SECONDS": 0}),
    ("E014", {"WS_ALLOWED_ORIGINS": []}),
    ("E014", {"WS_ALLOWED_ORIGINS": ["*"]}),
    ("E015", {"STAFF_OTP_REQUIRED": False}),
]


@pytest.mark.parametrize(("number", "changes"), UNSAFE, ids=[f"{number}-{next(iter(what))}" for number, what in UNSAFE])
def test_unsafe_setting_is_refused_with_a_cure(production: Settings, number: str, changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        setattr(production, name, value)

    (finding,) = check_production()

    assert (finding.id, finding.level) == (f"assistant.{number}", ERROR)
    assert finding.hint


def test_every_check_is_tried_above(production: Settings) -> None:
    assert len({number for number, _ in UNSAFE} - {"E006", "E009", "E019"}) == len(CHECKS)


def test_one_process_may_keep_its_cache_in_memory(production: Settings) -> None:
    production.WEB_PROCESSES = 1
    production.CHANNEL_LAYERS = {}
    production.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

    assert list_ids() == []


def write_authority(path: Path, *, days: int) -> str:
    """Write a root certificate that is valid for `days` more and return its fingerprint."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test root")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=400))
        .not_valid_after(now + dt.timedelta(days=days, hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
    return get_fingerprint(parse_certificate(path.read_bytes()))


@pytest.mark.parametrize(("days", "ids"), [(91, []), (89, ["W001"]), (-1, ["E007"])])
def test_certificate_warns_ninety_days_before_its_end(
    production: Settings, authority: Path, days: int, ids: list[str]
) -> None:
    production.GIGACHAT_CA_SHA256 = write_authority(authority, days=days)

    assert list_ids() == ids
