"""How to reach GigaChat; `configuration` reads it from the settings."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from chat.gigachat.auth import Auth, CertificateOnly, OAuth
from chat.gigachat.breaker import BreakerLimits
from chat.gigachat.encoding import ImageStyle
from chat.gigachat.errors import AddressRefused, ClientCertificateMissing
from chat.gigachat.proxy import Proxy
from chat.gigachat.tls import ClientCertificate


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientOptions:
    """How to reach GigaChat.

    auth                how a call is authorised
    base_url            up to and including `/v1`
    ca_sha256           fingerprint of the only certificate in `ca_file`
    client_certificate  ours, for hosts that ask for one; without it there is no CertificateOnly
    connect_seconds     name, TCP and TLS of one attempt
    pool_seconds        waiting for a free one of `pool_size` connections
    read_idle_seconds   silence of the provider, before or inside an answer
    total_seconds       everything, token and repetitions included
    retries             repetitions before the first byte, all begun within `retry_seconds`
    rest_seconds        reading the answer of a short blocking call
    breaker_limits      None: a failing host is asked all the same
    Raises when made: AddressRefused, ClientCertificateMissing
    """

    auth: Auth
    base_url: str
    ca_file: str
    ca_sha256: str
    client_certificate: ClientCertificate | None = None
    proxy: Proxy | None = None
    image_style: ImageStyle = ImageStyle.ATTACHMENTS
    pool_size: int = 10
    connect_seconds: float = 10.0
    pool_seconds: float = 10.0
    read_idle_seconds: float = 150.0
    total_seconds: float = 600.0
    retries: int = 2
    retry_seconds: float = 15.0
    rest_seconds: float = 30.0
    breaker_limits: BreakerLimits | None = None

    def __post_init__(self) -> None:
        verify_address(self.base_url)
        if isinstance(self.auth, OAuth):
            verify_address(self.auth.auth_url)
        if isinstance(self.auth, CertificateOnly) and self.client_certificate is None:
            raise ClientCertificateMissing


def verify_address(address: str) -> None:
    """Raises: AddressRefused for anything but https with a host and without a password inside."""
    try:
        parts = urlsplit(address)
        is_usable = parts.scheme == "https" and bool(parts.hostname) and parts.username is None
    except ValueError:
        is_usable = False
    if not is_usable:
        raise AddressRefused
