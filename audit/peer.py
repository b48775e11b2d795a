"""The address of whoever sent a request. Pure but for one setting."""

from django.conf import settings
from django.http import HttpRequest


def read_address(request: HttpRequest) -> str:
    """Return the peer's address; behind TRUSTED_PROXY_COUNT proxies, the one that the outermost of them saw."""
    direct = str(request.META.get("REMOTE_ADDR") or "")
    count: int = settings.TRUSTED_PROXY_COUNT
    forwarded = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
    # Each of our proxies appends one; whatever stands further left was written by the client.
    return forwarded[-count] if 0 < count <= len(forwarded) else direct
