"""`manage.py check --deploy`: what a bank's production must not start with. Every finding is an error.

Django's own deployment checks run beside these; those about https are raised here to errors.
"""

import datetime as dt
import ipaddress
import ssl
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - Django's name
from django.core.exceptions import ImproperlyConfigured

from accounts.keys import get_verification_keys
from chat.files.encryption import get_keys
from chat.gigachat.configuration import build_options
from chat.gigachat.errors import (
    AddressRefused,
    AuthorityRefused,
    ClientCertificateRefused,
    CredentialsMalformed,
    SettingRefused,
)
from chat.gigachat.tls import load_authority, load_client_certificate
from functions.confirmations.server_key import get_public_keys

SHORTEST_SECRET = 50
WARN_DAYS = 90
IN_MEMORY_CACHE = "django.core.cache.backends.locmem.LocMemCache"
PREFIX = "assistant"

Finding = CheckMessage | None


@register(Tags.security, deploy=True)
def check_production(**_options: Any) -> list[CheckMessage]:
    """Return every finding at once, so that one round of changes is enough."""
    findings: Iterable[Finding] = (check() for check in CHECKS)
    return [finding for finding in findings if finding is not None]


def check_debug() -> Finding:
    if settings.DEBUG:
        return refuse("E001", "DEBUG is on: error pages would show code and settings", "Set DEBUG=false.")
    return None


def check_secret_key() -> Finding:
    if settings.SECRET_KEY == settings.DEFAULT_SECRET_KEY or len(settings.SECRET_KEY) < SHORTEST_SECRET:
        cure = "Set SECRET_KEY or SECRET_KEY_FILE to 50 or more random characters."
        return refuse("E002", "SECRET_KEY is the development key or too short", cure)
    return None


def check_embedded() -> Finding:
    if settings.EMBEDDED:
        cure = "Set DATABASE_URL and start with `manage.py serve`, not with `make run`."
        return refuse("E003", "EMBEDDED is on: the private services of a laptop", cure)
    return None


def check_shared_state() -> Finding:
    is_shared = settings.WEB_PROCESSES > 1 or settings.ENGINE_MODE == "separate"
    if is_shared and (settings.CACHES["default"]["BACKEND"] == IN_MEMORY_CACHE or not settings.CHANNEL_LAYERS):
        cure = "Set REDIS_URL."
        return refuse("E004", "several processes, but cache and wake-ups are in the memory of one", cure)
    return None


def check_gigachat_address() -> Finding:
    """A sandbox listens on the same machine; the real service never does."""
    names = ("GIGACHAT_BASE_URL", "GIGACHAT_AUTH_URL") if settings.GIGACHAT_AUTH == "oauth" else ("GIGACHAT_BASE_URL",)
    for name in names:
        address = urlsplit(getattr(settings, name))
        if address.scheme != "https":
            return refuse("E005", f"{name} is not https", "Set the address of GigaChat.")
        if is_local(address.hostname or ""):
            return refuse("E006", f"{name} is this machine: the sandbox answers, not GigaChat", "Unset it.")
    return None


def is_local(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def check_sandbox() -> Finding:
    if settings.GIGACHAT_SANDBOX:
        return refuse("E017", "GIGACHAT_SANDBOX is on: a rule set answers, not GigaChat", "Unset it.")
    return None


def check_authority() -> Finding:
    try:
        certificate = load_authority(settings.GIGACHAT_CA_FILE, settings.GIGACHAT_CA_SHA256)
    except AuthorityRefused as error:
        cure = "Run `manage.py gigachat_certs check`; certs/README.md tells how to get the certificate."
        return refuse("E007", f"the root certificate for GigaChat cannot be used: {error.code}", cure)
    days = (certificate.not_valid_after_utc - dt.datetime.now(dt.UTC)).days
    if days < WARN_DAYS:
        cure = "Install its successor, see certs/README.md."
        return Warning(f"the root certificate for GigaChat expires in {days} days", hint=cure, id=f"{PREFIX}.W001")
    return None


def check_gigachat_access() -> Finding:
    """What the client itself would refuse at its start."""
    try:
        certificate = build_options().client_certificate
        if certificate is not None:
            load_client_certificate(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), certificate)
    except AddressRefused:
        return None  # said above
    except SettingRefused as error:
        return refuse("E008", f"{error.setting} has no usable value", "Its values are in .env.example.")
    except CredentialsMalformed:
        cure = "Set GIGACHAT_CREDENTIALS or GIGACHAT_CREDENTIALS_FILE to base64 of client_id:client_secret."
        return refuse("E009", "GIGACHAT_CREDENTIALS is missing or not base64 of client_id:client_secret", cure)
    except ClientCertificateRefused as error:
        cure = "Set GIGACHAT_CLIENT_CERT_FILE, GIGACHAT_CLIENT_KEY_FILE and, if encrypted, its password."
        return refuse("E019", f"the client certificate for GigaChat cannot be used: {error.code}", cure)
    return None


def check_jwt_key() -> Finding:
    if not settings.JWT_SIGNING_KEY:
        cure = "Set JWT_SIGNING_KEY_FILE to a P-256 private key in PEM."
        return refuse("E010", "JWT_SIGNING_KEY is missing: access tokens hang on SECRET_KEY", cure)
    try:
        get_verification_keys()
    except ImproperlyConfigured as error:
        return refuse("E010", str(error), "Set P-256 keys in PEM.")
    return None


def check_pseudonym_key() -> Finding:
    if not settings.AUDIT_PSEUDONYM_KEY:
        cure = "Set AUDIT_PSEUDONYM_KEY_FILE; it must outlive every SECRET_KEY."
        return refuse("E011", "AUDIT_PSEUDONYM_KEY is missing: pseudonyms would change with SECRET_KEY", cure)
    return None


def check_file_keys() -> Finding:
    cure = "Set FILE_ENCRYPTION_KEYS_FILE to id:base64 of 32 random bytes; see docs/files.md."
    if not settings.FILE_ENCRYPTION_KEYS.strip(", \n"):
        return refuse("E018", "FILE_ENCRYPTION_KEYS is missing: customers' files hang on SECRET_KEY", cure)
    try:
        get_keys()
    except ImproperlyConfigured as error:
        return refuse("E018", str(error), cure)
    return None


def check_bank_key() -> Finding:
    if not settings.BANK_DATA_KEY:
        cure = "Set BANK_DATA_KEY_FILE; without the same key payees cannot be read any more."
        return refuse("E020", "BANK_DATA_KEY is missing: payees' phones and numbers hang on SECRET_KEY", cure)
    return None


def check_confirmation_key() -> Finding:
    cure = "Set CONFIRM_SIGNING_KEY_FILE to a P-256 private key in PEM, another than JWT_SIGNING_KEY."
    if not settings.CONFIRM_SIGNING_KEY:
        return refuse("E022", "CONFIRM_SIGNING_KEY is missing: receipts hang on SECRET_KEY", cure)
    if settings.CONFIRM_SIGNING_KEY == settings.JWT_SIGNING_KEY:
        return refuse("E022", "CONFIRM_SIGNING_KEY is the key of the access tokens", cure)
    try:
        get_public_keys()
    except ImproperlyConfigured as error:
        return refuse("E022", str(error), cure)
    return None


def check_payment_gateway() -> Finding:
    if settings.PAYMENT_GATEWAY == settings.DEMO_PAYMENT_GATEWAY:
        cure = "Name the class that reaches your payment systems; see docs/ledger.md."
        return refuse("E021", "PAYMENT_GATEWAY is the demo's: customers would pay and nobody would receive", cure)
    return None


def check_log_name() -> Finding:
    if settings.AUDIT_LOG_NAME == settings.DEFAULT_AUDIT_LOG_NAME:
        return refuse("E016", "AUDIT_LOG_NAME is the demo's: its evidence could be passed off as yours", "Set it.")
    return None


def check_hosts() -> Finding:
    if not settings.ALLOWED_HOSTS or any("*" in host for host in settings.ALLOWED_HOSTS):
        return refuse("E012", "ALLOWED_HOSTS is empty or holds `*`", "Name the server's hosts.")
    return None


def check_https() -> Finding:
    cookies = settings.SESSION_COOKIE_SECURE and settings.CSRF_COOKIE_SECURE
    if not (settings.HTTPS and cookies and settings.SECURE_SSL_REDIRECT and settings.SECURE_HSTS_SECONDS):
        cure = "Put a TLS proxy in front (deploy/nginx.conf), set HTTPS=true and leave HSTS_SECONDS above 0."
        return refuse("E013", "cookies and tokens would travel without https", cure)
    return None


def check_origins() -> Finding:
    origins = settings.WS_ALLOWED_ORIGINS
    if not origins or any("*" in origin for origin in origins):
        cure = "Name the browser origins, such as https://assistant.bank.example."
        return refuse("E014", "WS_ALLOWED_ORIGINS is empty or holds `*`", cure)
    return None


def check_staff_otp() -> Finding:
    if not settings.STAFF_OTP_REQUIRED:
        return refuse("E015", "STAFF_OTP_REQUIRED is off: a password alone opens evidence", "Set it to true.")
    return None


def refuse(number: str, text: str, cure: str) -> Error:
    return Error(text, hint=cure, id=f"{PREFIX}.{number}")


CHECKS: tuple[Callable[[], Finding], ...] = (
    check_debug,
    check_secret_key,
    check_embedded,
    check_shared_state,
    check_gigachat_address,
    check_sandbox,
    check_authority,
    check_gigachat_access,
    check_jwt_key,
    check_pseudonym_key,
    check_file_keys,
    check_bank_key,
    check_confirmation_key,
    check_payment_gateway,
    check_log_name,
    check_hosts,
    check_https,
    check_origins,
    check_staff_otp,
)
