"""The instance: two TLS listeners, their state, start and stop."""

import ssl
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from chat.gigachat.sandbox import admin, completions, endpoints, files, gate, oauth
from chat.gigachat.sandbox.certificates import Authority, write_private
from chat.gigachat.sandbox.faults import FaultBoard
from chat.gigachat.sandbox.refusal import REFUSALS, Refusals
from chat.gigachat.sandbox.settings import Contour, SandboxSettings, build_random_credentials
from chat.gigachat.sandbox.state import STATE, SandboxState, build_state, decode_pair
from chat.gigachat.sandbox.stats import Stats

_MAX_BODY_BYTES = 48 * 1024 * 1024
_STOP_SECONDS = 0.5


class Listener:
    """One port. It can close and come back on the same port while its connections live on."""

    def __init__(self, app: web.Application, context: ssl.SSLContext, host: str, *, port: int) -> None:
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=_STOP_SECONDS)
        self._context = context
        self._host = host
        self._port = port
        self._site: web.TCPSite | None = None

    @property
    def port(self) -> int:
        return self._port

    async def start(self) -> None:
        """Raises: OSError when the port is taken"""
        await self._runner.setup()
        await self.open()
        self._port = self._runner.addresses[0][1]

    async def open(self) -> None:
        """Listen; nothing happens when it does already, as after two refusals that overlap."""
        if self._site is not None:
            return
        self._site = web.TCPSite(self._runner, self._host, self._port, ssl_context=self._context, reuse_address=True)
        await self._site.start()

    async def close(self) -> None:
        if self._site is not None:
            await self._site.stop()
            self._site = None

    async def stop(self) -> None:
        await self._runner.cleanup()


class Sandbox:
    """A running sandbox; an async context manager for tests.

    `stats`, `faults` and `refusals` are live; `settings.state_dir` holds the CA file a client must trust.
    """

    def __init__(self, settings: SandboxSettings) -> None:
        self.settings = settings
        self.authority = Authority(settings.state_dir)
        self.credentials = settings.credentials or load_credentials(settings.state_dir)
        self.state: SandboxState = build_state(settings, self.credentials)
        context = self.authority.build_server_context(settings)
        self.refusals = Refusals()
        self._api = Listener(self._build_api(), context, settings.host, port=settings.api_port)
        self._oauth = Listener(build_oauth_app(self.state), context, settings.host, port=settings.oauth_port)
        self.refusals.listeners = {
            "refuse": (self.refuse_api, self.accept_api),
            "oauth_refuse": (self.refuse_oauth, self.accept_oauth),
        }

    @property
    def stats(self) -> Stats:
        return self.state.stats

    @property
    def faults(self) -> FaultBoard:
        return self.state.faults

    @property
    def has_oauth(self) -> bool:
        """The bank-internal contour has no OAuth: a client certificate is enough."""
        return self.settings.contour is Contour.PUBLIC

    @property
    def base_url(self) -> str:
        """Up to and including `/v1`, without a final slash."""
        return f"https://{self._name}:{self._api.port}{self.settings.path_prefix}"

    @property
    def auth_url(self) -> str:
        return f"https://{self._name}:{self._oauth.port}{oauth.PATH}" if self.has_oauth else ""

    @property
    def admin_url(self) -> str:
        return f"https://{self._name}:{self._api.port}/sandbox"

    @property
    def ca_file(self) -> Path:
        return self.authority.ca_file

    @property
    def ca_sha256(self) -> str:
        return self.authority.ca_sha256

    async def start(self) -> None:
        """Raises: OSError when a port is taken"""
        try:
            await self._api.start()
            if self.has_oauth:
                await self._oauth.start()
        except OSError:
            await self.stop()
            raise

    async def stop(self) -> None:
        await self.refusals.cancel()
        await self._api.stop()
        await self._oauth.stop()

    async def refuse_api(self) -> None:
        """Close the API's port until `accept_api`; requests on open connections are dropped."""
        self.state.is_refusing_api = True
        await self._api.close()

    async def accept_api(self) -> None:
        await self._api.open()
        self.state.is_refusing_api = False

    async def refuse_oauth(self) -> None:
        """Close the OAuth port until `accept_oauth`; requests on open connections are dropped."""
        self.state.is_refusing_oauth = True
        await self._oauth.close()

    async def accept_oauth(self) -> None:
        await self._oauth.open()
        self.state.is_refusing_oauth = False

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def _name(self) -> str:
        host = self.settings.host
        return "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104 - compared, not listened on

    def _build_api(self) -> web.Application:
        app = build_api_app(self.state)
        app[REFUSALS] = self.refusals
        return app


def build_api_app(state: SandboxState) -> web.Application:
    app = web.Application(middlewares=[gate.guard_api], client_max_size=_MAX_BODY_BYTES)
    app[STATE] = state
    prefix = state.settings.path_prefix
    for method, path, handler in (*endpoints.ROUTES, *files.ROUTES):
        app.router.add_route(method, prefix + path, handler)
    app.router.add_post(f"{prefix}/chat/completions", completions.create_completion)
    app.router.add_routes([admin.STATS_ROUTE])
    if state.settings.has_fault_switches:
        app.router.add_routes(admin.ROUTES)
    app.on_response_prepare.append(gate.add_recorded_headers)
    return app


def build_oauth_app(state: SandboxState) -> web.Application:
    app = web.Application()
    app[STATE] = state
    app[oauth.LIMIT] = oauth.RateLimit(state.settings.clock)
    app.router.add_post(oauth.PATH, oauth.issue_token)
    app.on_response_prepare.append(oauth.add_recorded_headers)
    return app


def load_credentials(state_dir: Path) -> str:
    """Return the pair kept in `state_dir`, making a random one at the first start."""
    path = state_dir / "credentials"
    if path.exists():
        kept = path.read_text(encoding="ascii").strip()
        if decode_pair(kept) is not None:
            return kept
    made = build_random_credentials()
    write_private(path, made.encode())
    return made
