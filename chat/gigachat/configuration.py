"""The settings GIGACHAT_* as options of the client: the only place that reads them, for the client and the doctor."""

from enum import StrEnum
from typing import TypeVar

from django.conf import settings

from chat.gigachat.auth import Auth, AuthKind, CertificateOnly, OAuth, StaticToken
from chat.gigachat.breaker import BreakerLimits, BreakerReport
from chat.gigachat.credentials import SCOPES, parse_credentials
from chat.gigachat.encoding import ImageStyle
from chat.gigachat.errors import SettingRefused
from chat.gigachat.link import build_breaker
from chat.gigachat.oauth import is_token
from chat.gigachat.options import ClientOptions
from chat.gigachat.proxy import parse_proxy
from chat.gigachat.tls import ClientCertificate

Choice = TypeVar("Choice", bound=StrEnum)


def build_options() -> ClientOptions:
    """Return how to reach the configured GigaChat.

    Raises: SettingRefused, CredentialsMalformed, AddressRefused, ClientCertificateMissing
    """
    return ClientOptions(
        auth=build_auth(),
        base_url=settings.GIGACHAT_BASE_URL,
        ca_file=settings.GIGACHAT_CA_FILE,
        ca_sha256=settings.GIGACHAT_CA_SHA256,
        client_certificate=build_client_certificate(),
        proxy=parse_proxy(settings.GIGACHAT_PROXY_URL),
        image_style=parse_choice(ImageStyle, "GIGACHAT_IMAGE_STYLE"),
        pool_size=settings.GIGACHAT_POOL_SIZE,
        connect_seconds=settings.GIGACHAT_CONNECT_SECONDS,
        pool_seconds=settings.GIGACHAT_POOL_SECONDS,
        read_idle_seconds=settings.GIGACHAT_READ_IDLE_SECONDS,
        total_seconds=settings.GIGACHAT_TOTAL_SECONDS,
        retries=settings.GIGACHAT_RETRIES,
        retry_seconds=settings.GIGACHAT_RETRY_SECONDS,
        rest_seconds=settings.GIGACHAT_REST_SECONDS,
        breaker_limits=build_breaker_limits(),
    )


def build_auth() -> Auth:
    """Raises: SettingRefused, CredentialsMalformed"""
    kind = parse_choice(AuthKind, "GIGACHAT_AUTH")
    if kind is AuthKind.MTLS:
        return CertificateOnly()
    if kind is AuthKind.TOKEN:
        if not is_token(settings.GIGACHAT_TOKEN):
            raise SettingRefused("GIGACHAT_TOKEN")
        return StaticToken(settings.GIGACHAT_TOKEN)
    if settings.GIGACHAT_SCOPE not in SCOPES:
        raise SettingRefused("GIGACHAT_SCOPE")
    credentials = parse_credentials(settings.GIGACHAT_CREDENTIALS, settings.GIGACHAT_SCOPE)
    return OAuth(credentials=credentials, auth_url=settings.GIGACHAT_AUTH_URL)


def build_client_certificate() -> ClientCertificate | None:
    """Return our certificate if one is configured; its key may be in the same file."""
    if not settings.GIGACHAT_CLIENT_CERT_FILE:
        return None
    return ClientCertificate(
        cert_file=settings.GIGACHAT_CLIENT_CERT_FILE,
        key_file=settings.GIGACHAT_CLIENT_KEY_FILE or settings.GIGACHAT_CLIENT_CERT_FILE,
        password=settings.GIGACHAT_CLIENT_KEY_PASSWORD,
    )


def build_breaker_limits() -> BreakerLimits | None:
    if settings.GIGACHAT_BREAKER_FAILURES <= 0:
        return None
    return BreakerLimits(
        failures=settings.GIGACHAT_BREAKER_FAILURES,
        window_seconds=settings.GIGACHAT_BREAKER_WINDOW_SECONDS,
        open_seconds=settings.GIGACHAT_BREAKER_OPEN_SECONDS,
    )


def get_breaker_state() -> BreakerReport | None:
    """Return how the API's host looks to all processes; None when the breaker is off. Asks the cache, not GigaChat.

    Raises: what `build_options` raises
    """
    options = build_options()
    breaker = build_breaker(options, options.base_url)
    return None if breaker is None else breaker.get_report()


def parse_choice(kind: type[Choice], name: str) -> Choice:
    """Return the setting `name` as one of the words of `kind`. Raises: SettingRefused"""
    try:
        return kind(getattr(settings, name))
    except ValueError:
        pass
    raise SettingRefused(name)
