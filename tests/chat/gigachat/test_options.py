import pytest

from chat.gigachat.auth import CertificateOnly, OAuth
from chat.gigachat.errors import AddressRefused, ClientCertificateMissing
from chat.gigachat.options import ClientOptions
from tests.chat.gigachat.scripted import CREDENTIALS

GOOD = "https://api.giga.chat/v1"


def build_options(*, base_url: str = GOOD, auth_url: str = GOOD) -> ClientOptions:
    auth = OAuth(credentials=CREDENTIALS, auth_url=auth_url)
    return ClientOptions(auth=auth, base_url=base_url, ca_file="", ca_sha256="")


@pytest.mark.parametrize(
    "address", ["", "api.giga.chat", "http://api.giga.chat/v1", "https://", "https://user:pass@host/v1", "https://[x"]
)
def test_options_with_address_that_is_not_plain_https_are_refused(address: str) -> None:
    with pytest.raises(AddressRefused):
        build_options(base_url=address)
    with pytest.raises(AddressRefused):
        build_options(auth_url=address)


def test_options_with_https_addresses_are_accepted_and_show_no_secret() -> None:
    assert CREDENTIALS.authorization_key not in repr(build_options())


def test_options_without_token_and_certificate_are_refused() -> None:
    with pytest.raises(ClientCertificateMissing):
        ClientOptions(auth=CertificateOnly(), base_url=GOOD, ca_file="", ca_sha256="")
