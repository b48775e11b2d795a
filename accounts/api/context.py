"""Who sends this request, in the words of the evidence log."""

from rest_framework.request import Request

from accounts.tokens import AccessClaims
from audit.context import AuditContext
from audit.enums import ActorKind, Origin
from audit.log_context import get_request_id
from audit.peer import read_address


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
