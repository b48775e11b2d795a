"""Who sends this request, in the words of the evidence log."""

from django.conf import settings
from rest_framework.request import Request

from accounts.tokens import AccessClaims
from audit.context import AuditContext
from audit.enums import ActorKind, Origin
from audit.log_context import get_request_id


def build_context(request: Request) -> AuditContext:
    """Return the audit context of a request: its customer when a token proved one, otherwise nobody."""
    claims = request.auth
    if isinstance(claims, AccessClaims):
        return AuditContext(
            actor_kind=ActorKind.CUSTOMER,
            actor_id=str(claims.customer_id),
            origin=Origin.HTTP,
            request_id=get_request_id(),
            session_id=str(claims.session_id),
            ip=read_address(request),
        )
    return AuditContext(
        actor_kind=ActorKind.ANONYMOUS,
        actor_id="",
        origin=Origin.HTTP,
        request_id=get_request_id(),
        ip=read_address(request),
    )


def read_address(request: Request) -> str:
    """Return the peer's address; behind TRUSTED_PROXY_COUNT proxies, the one that the outermost of them saw."""
    direct = str(request.META.get("REMOTE_ADDR") or "")
    count = settings.TRUSTED_PROXY_COUNT
    forwarded = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
    # Each of our proxies appends one; whatever stands further left was written by the client.
    return forwarded[-count] if 0 < count <= len(forwarded) else direct
