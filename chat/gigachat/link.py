"""The way to GigaChat that streams and short calls share: TLS, the token, the breaker. Built once per client."""

import ssl
from dataclasses import dataclass

from chat.gigachat.auth import FixedSource, OAuth, StaticToken, TokenSource
from chat.gigachat.breaker import Breaker
from chat.gigachat.oauth import TokenService
from chat.gigachat.options import ClientOptions
from chat.gigachat.tls import get_ssl_context
from chat.gigachat.tokens import TokenKeeper


@dataclass(frozen=True, slots=True)
class Link:
    """`breaker` is that of the API's host; None when there is none."""

    ssl_context: ssl.SSLContext
    tokens: TokenSource
    breaker: Breaker | None


def build_link(options: ClientOptions) -> Link:
    """Raises: AuthorityRefused, ClientCertificateRefused"""
    ssl_context = get_ssl_context(options.ca_file, options.ca_sha256, options.client_certificate)
    return Link(ssl_context, build_token_source(options, ssl_context), build_breaker(options, options.base_url))


def build_token_source(options: ClientOptions, ssl_context: ssl.SSLContext) -> TokenSource:
    auth = options.auth
    if isinstance(auth, OAuth):
        service = TokenService(url=auth.auth_url, ssl_context=ssl_context, proxy=options.proxy)
        return TokenKeeper(auth.credentials, service, breaker=build_breaker(options, auth.auth_url))
    return FixedSource(auth.value if isinstance(auth, StaticToken) else None)


def build_breaker(options: ClientOptions, address: str) -> Breaker | None:
    return None if options.breaker_limits is None else Breaker(address, options.breaker_limits)
