"""What an HTTP status means: pure, shared by completions, short calls and the token service.

Of bodies only a few closed phrases are recognised; nothing of them is kept.
"""

import datetime as dt
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from chat.gigachat.errors import (
    AccessDenied,
    ClientCertificateRejected,
    ContextTooLong,
    FileDenied,
    FileUnknown,
    FunctionsUnsupported,
    GatewayFailed,
    GigaChatError,
    ModelUnknown,
    ParametersRefused,
    PaymentRequired,
    RateLimited,
    RequestMalformed,
    ServerFailed,
    StatusUnexpected,
    TokenRefused,
)

MAX_RETRY_AFTER_SECONDS = 3600.0
ERRORS: dict[int, type[GigaChatError]] = {
    400: RequestMalformed,
    401: TokenRefused,
    402: PaymentRequired,
    403: AccessDenied,
    404: ModelUnknown,
    413: ContextTooLong,
    422: ParametersRefused,
    429: RateLimited,
}


# What only the body tells apart, each a part of it.
PHRASES: tuple[tuple[int, bytes, type[GigaChatError]], ...] = (
    (400, b"SSL certificate", ClientCertificateRejected),  # nginx completes the handshake and says it in a page
    (403, b"Access to file", FileDenied),
    (404, b"No such file", FileUnknown),
    (422, b"does not support functions", FunctionsUnsupported),
)


def build_status_error(
    status: int,
    *,
    content_type: str,
    retry_after: str,
    body: bytes = b"",
    kinds: Mapping[int, type[GigaChatError]] = ERRORS,
) -> GigaChatError:
    """Return the error of an answer whose status is not 200.

    content_type, retry_after  the header values; empty when absent
    body                       its beginning is enough
    kinds                      what the statuses mean where the question was not a completion
    """
    kind = find_phrase(status, body) or kinds.get(status)
    if kind is None and status >= 500:
        kind = ServerFailed if is_json(content_type) else GatewayFailed
    seconds = parse_retry_after(retry_after, now=dt.datetime.now(dt.UTC))
    return (kind or StatusUnexpected)(status=status, retry_after_seconds=seconds)


def find_phrase(status: int, body: bytes) -> type[GigaChatError] | None:
    return next((kind for known, phrase, kind in PHRASES if known == status and phrase in body), None)


def is_json(content_type: str) -> bool:
    """Whether the service itself answers: gateways in front of it write pages for browsers."""
    return "json" in content_type.lower()


def parse_retry_after(value: str, *, now: dt.datetime) -> float | None:
    """Return the seconds that a `Retry-After` header asks for, 0..3600; None when absent or unreadable."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:10]), MAX_RETRY_AFTER_SECONDS)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return min(max((moment - now).total_seconds(), 0.0), MAX_RETRY_AFTER_SECONDS)
