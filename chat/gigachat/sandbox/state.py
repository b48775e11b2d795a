"""Everything one running instance remembers. Two instances in one process share nothing of it."""

import base64
import binascii
from dataclasses import dataclass
from uuid import UUID

from aiohttp import web

from chat.gigachat.sandbox.balance import Packages
from chat.gigachat.sandbox.catalogue import Catalogue
from chat.gigachat.sandbox.counting import PromptCache
from chat.gigachat.sandbox.faults import FaultBoard, Faults
from chat.gigachat.sandbox.filestore import FileStore
from chat.gigachat.sandbox.settings import SandboxSettings
from chat.gigachat.sandbox.slots import Slots
from chat.gigachat.sandbox.stats import Stats
from chat.gigachat.sandbox.tokens import TokenStore


def decode_pair(credentials: str) -> tuple[str, str] | None:
    """Return (client_id, client_secret), or None when the text is not base64 of such a pair."""
    try:
        text = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    client_id, separator, secret = text.partition(":")
    return (client_id, secret) if separator else None


@dataclass(slots=True, kw_only=True)
class SandboxState:
    settings: SandboxSettings
    credentials: str
    stats: Stats
    faults: FaultBoard
    tokens: TokenStore
    slots: Slots
    catalogue: Catalogue
    files: FileStore
    cache: PromptCache
    packages: Packages
    is_refusing_api: bool = False
    is_refusing_oauth: bool = False


def build_state(settings: SandboxSettings, credentials: str) -> SandboxState:
    stats = Stats()
    catalogue = Catalogue(settings.host_profile)
    return SandboxState(
        settings=settings,
        credentials=credentials,
        stats=stats,
        faults=FaultBoard(settings.clock),
        tokens=TokenStore(settings.token_lifetime_seconds, settings.clock),
        slots=Slots(settings.stream_limit, stats),
        catalogue=catalogue,
        files=FileStore(settings.file_lifetime_seconds, settings.clock),
        cache=PromptCache(settings.clock),
        packages=Packages(settings.account, settings.package_tokens, catalogue),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who sent an API request, and what the gate found in its headers."""

    client_id: str
    owner: str  # X-Client-ID, "" when absent: the end user, who owns files
    request_id: str
    session_id: str
    has_session: bool
    faults: Faults


STATE: web.AppKey[SandboxState] = web.AppKey("sandbox_state", SandboxState)
CALLER: web.RequestKey[Caller] = web.RequestKey("sandbox_caller", Caller)


def is_uuid4(text: str) -> bool:
    try:
        return UUID(text).version == 4
    except ValueError:
        return False
