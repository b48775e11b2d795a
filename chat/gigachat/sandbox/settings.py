"""What one sandbox instance is told at its start. Pure data; the command line and the tests both fill it."""

import base64
import secrets
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class HostProfile(StrEnum):
    """Which public host is imitated: they differ in path prefix and model list."""

    NEW = "new"
    LEGACY = "legacy"


class Account(StrEnum):
    """Whose contract it is: decides scope, number of parallel streams and whether there is a balance."""

    PERS = "pers"
    B2B = "b2b"
    CORP = "corp"


class Contour(StrEnum):
    """`public`: OAuth tokens. `b2bank`: the bank-internal contour, a client certificate and no OAuth at all."""

    PUBLIC = "public"
    B2BANK = "b2bank"


class ServerCertificate(StrEnum):
    """What the listeners present; everything but `valid` must be refused by a correct client."""

    VALID = "valid"
    EXPIRED = "expired"
    WRONG_HOST = "wrong_host"


def build_random_credentials() -> str:
    """Return base64 of a fresh `client_id:client_secret` pair of UUIDs, as the developer cabinet shows them."""
    pair = f"{uuid.uuid4()}:{uuid.UUID(bytes=secrets.token_bytes(16), version=4)}"
    return base64.b64encode(pair.encode()).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """Everything settable about one instance.

    state_dir               CA, keys, credentials and the ready file live here; made with mode 0700
    oauth_port, api_port    0 means any free port
    credentials             base64 of `client_id:client_secret`; empty: the pair kept in `state_dir`, made if absent
    latency_ms              delay before the first byte of a completion
    chunk_delay_ms          delay before each following chunk
    streams                 parallel completions allowed; None: 1 for `pers`, 10 for organisations
    token_lifetime_seconds  of an access token
    file_lifetime_seconds   of an uploaded file
    package_tokens          prepaid tokens per chat model (`pers`, `b2b`); used up means 402
    has_fault_switches      False removes the fault header and the admin routes
    is_bench                True adds the paced generator model `bench:<tokens>:<interval_ms>[:<batch>]`
    clock                   Unix seconds; tests replace it to get the same bytes each time
    """

    state_dir: Path
    host: str = "127.0.0.1"
    oauth_port: int = 0
    api_port: int = 0
    host_profile: HostProfile = HostProfile.NEW
    account: Account = Account.PERS
    contour: Contour = Contour.PUBLIC
    certificate: ServerCertificate = ServerCertificate.VALID
    credentials: str = ""
    latency_ms: float = 250.0
    chunk_delay_ms: float = 60.0
    streams: int | None = None
    token_lifetime_seconds: float = 1800.0
    file_lifetime_seconds: float = 86_400.0
    package_tokens: int = 1_000_000_000
    has_fault_switches: bool = True
    is_bench: bool = False
    clock: Callable[[], float] = field(default=time.time, repr=False)

    @property
    def path_prefix(self) -> str:
        return "/v1" if self.host_profile is HostProfile.NEW else "/api/v1"

    @property
    def scope(self) -> str:
        return f"GIGACHAT_API_{self.account.value.upper()}"

    @property
    def stream_limit(self) -> int:
        """Source: DOC limitations, 19.11.2025: one stream for individuals, ten for organisations."""
        if self.streams is not None:
            return self.streams
        return 1 if self.account is Account.PERS else 10
