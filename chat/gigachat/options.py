"""How to reach GigaChat; `client.build_client` reads it from the settings."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from chat.gigachat.credentials import Credentials
from chat.gigachat.errors import AddressRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientOptions:
    """How to reach GigaChat.

    base_url           up to and including `/v1`
    ca_sha256          fingerprint of the only certificate in `ca_file`
    connect_seconds    name, TCP and TLS of one attempt
    pool_seconds       waiting for a free one of `pool_size` connections
    read_idle_seconds  silence of the provider, before or inside an answer
    total_seconds      everything, token and repetitions included
    retries            repetitions before the first byte, all begun within `retry_seconds`
    Raises when made: AddressRefused
    """

    credentials: Credentials
    base_url: str
    auth_url: str
    ca_file: str
    ca_sha256: str
    pool_size: int = 10
    connect_seconds: float = 10.0
    pool_seconds: float = 10.0
    read_idle_seconds: float = 150.0
    total_seconds: float = 600.0
    retries: int = 2
    retry_seconds: float = 15.0

    def __post_init__(self) -> None:
        for address in (self.base_url, self.auth_url):
            verify_address(address)


def verify_address(address: str) -> None:
    """Raises: AddressRefused for anything but https with a host and without a password inside."""
    try:
        parts = urlsplit(address)
        is_usable = parts.scheme == "https" and bool(parts.hostname) and parts.username is None
    except ValueError:
        is_usable = False
    if not is_usable:
        raise AddressRefused
