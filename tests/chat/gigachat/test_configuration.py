from pathlib import Path

import pytest
from pytest_django import Settings

from chat.gigachat.auth import CertificateOnly, FixedSource, OAuth, StaticToken
from chat.gigachat.breaker import BreakerLimits, BreakerState
from chat.gigachat.configuration import build_options, get_breaker_state
from chat.gigachat.credentials import SCOPES
from chat.gigachat.encoding import ImageStyle
from chat.gigachat.errors import ClientCertificateMissing, CredentialsMalformed, GigaChatError, SettingRefused
from chat.gigachat.link import build_breaker, build_link
from chat.gigachat.proxy import Proxy
from chat.gigachat.tls import ClientCertificate
from chat.gigachat.tokens import TokenKeeper
from tests.chat.gigachat.scripted import CREDENTIALS, Authority


@pytest.fixture
def configured(settings: Settings, authority: Authority) -> Settings:
    settings.GIGACHAT_CREDENTIALS = CREDENTIALS.authorization_key
    settings.GIGACHAT_CA_FILE = authority.file
    settings.GIGACHAT_CA_SHA256 = authority.sha256
    return settings


def test_build_options_of_defaults_asks_the_public_host_with_oauth(configured: Settings) -> None:
    options = build_options()
    assert options.auth == OAuth(credentials=CREDENTIALS, auth_url=configured.GIGACHAT_AUTH_URL)
    assert options.base_url == "https://api.giga.chat/v1"
    assert (options.client_certificate, options.proxy, options.image_style) == (None, None, ImageStyle.ATTACHMENTS)
    assert options.breaker_limits == BreakerLimits(failures=5, window_seconds=60.0, open_seconds=20.0)
    assert (options.rest_seconds, options.retries) == (30.0, 2)
    link = build_link(options)
    assert isinstance(link.tokens, TokenKeeper)
    assert link.breaker is not None
    link.tokens.close()


@pytest.mark.parametrize("scope", SCOPES)
def test_build_options_takes_every_scope_of_a_contract(configured: Settings, scope: str) -> None:
    configured.GIGACHAT_SCOPE = scope
    auth = build_options().auth
    assert isinstance(auth, OAuth)
    assert auth.credentials.scope == scope


def test_build_options_of_legacy_host_keeps_its_prefix(configured: Settings) -> None:
    configured.GIGACHAT_BASE_URL = "https://gigachat.devices.sberbank.ru/api/v1"
    assert build_options().base_url == "https://gigachat.devices.sberbank.ru/api/v1"


def test_build_options_of_contour_needs_no_credentials(
    configured: Settings, authority: Authority, tmp_path: Path
) -> None:
    certificate = authority.issue_client_certificate(tmp_path, password="open sesame")
    configured.GIGACHAT_CREDENTIALS = ""
    configured.GIGACHAT_AUTH = "mtls"
    configured.GIGACHAT_AUTH_URL = ""
    configured.GIGACHAT_CLIENT_CERT_FILE = certificate.cert_file
    configured.GIGACHAT_CLIENT_KEY_FILE = certificate.key_file
    configured.GIGACHAT_CLIENT_KEY_PASSWORD = certificate.password
    options = build_options()
    assert options.auth == CertificateOnly()
    assert options.client_certificate == certificate
    assert "open sesame" not in repr(options)
    assert isinstance(build_link(options).tokens, FixedSource)


def test_build_options_with_key_in_the_file_of_the_certificate(configured: Settings) -> None:
    configured.GIGACHAT_CLIENT_CERT_FILE = "/run/secrets/both.pem"
    expected = ClientCertificate(cert_file="/run/secrets/both.pem", key_file="/run/secrets/both.pem")
    assert build_options().client_certificate == expected


def test_build_options_with_fixed_token_and_proxy(configured: Settings) -> None:
    configured.GIGACHAT_AUTH = "token"
    configured.GIGACHAT_TOKEN = "fixed"
    configured.GIGACHAT_PROXY_URL = "http://proxy:3128"
    configured.GIGACHAT_IMAGE_STYLE = "image_url"
    options = build_options()
    assert options.auth == StaticToken("fixed")
    assert options.proxy == Proxy(address="http://proxy:3128")
    assert options.image_style is ImageStyle.IMAGE_URL


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"GIGACHAT_AUTH": "basic"}, SettingRefused),
        ({"GIGACHAT_AUTH": "token", "GIGACHAT_TOKEN": ""}, SettingRefused),
        ({"GIGACHAT_AUTH": "token", "GIGACHAT_TOKEN": "two words"}, SettingRefused),
        ({"GIGACHAT_AUTH": "mtls"}, ClientCertificateMissing),
        ({"GIGACHAT_SCOPE": "GIGACHAT_API_ANY"}, SettingRefused),
        ({"GIGACHAT_IMAGE_STYLE": "base64"}, SettingRefused),
        ({"GIGACHAT_PROXY_URL": "socks5://proxy:1080"}, SettingRefused),
        ({"GIGACHAT_CREDENTIALS": "secret"}, CredentialsMalformed),
    ],
)
def test_build_options_of_unusable_setting_names_it_and_not_its_value(
    configured: Settings, changes: dict[str, str], kind: type[GigaChatError]
) -> None:
    for name, value in changes.items():
        setattr(configured, name, value)
    with pytest.raises(kind) as caught:
        build_options()
    assert caught.value.__context__ is None
    if isinstance(caught.value, SettingRefused):
        assert caught.value.setting in changes
        assert caught.value.copy().setting == caught.value.setting
    assert not any(value and value in str(caught.value) for value in changes.values())


def test_get_breaker_state_tells_how_the_host_looks_to_all(configured: Settings) -> None:
    report = get_breaker_state()
    assert report is not None
    assert (report.host, report.state) == ("api.giga.chat", BreakerState.CLOSED)


def test_breaker_of_no_failures_is_off(configured: Settings) -> None:
    configured.GIGACHAT_BREAKER_FAILURES = 0
    assert get_breaker_state() is None
    options = build_options()
    assert build_breaker(options, options.base_url) is None
