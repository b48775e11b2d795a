"""Who acts and through which door: passed down to every act that leaves an audit entry."""

from dataclasses import dataclass

from audit.enums import ActorKind, Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditContext:
    """The actor of an act.

    actor_id    the customer's or staff member's id; the command's or engine's name; empty for anonymous
    request_id  id of the request or frame that caused the act; never taken unchecked from outside
    session_id  device session or staff session, as an id that is not itself a credential
    ip          address of the peer; the entry keeps only a keyed digest of it
    """

    actor_kind: ActorKind
    actor_id: str
    origin: Origin
    request_id: str = ""
    session_id: str = ""
    ip: str = ""


def build_system_context(origin: Origin, actor_id: str, request_id: str = "") -> AuditContext:
    """Return the context of an act nobody asked for: the engine, a command, a scheduled job."""
    return AuditContext(actor_kind=ActorKind.SYSTEM, actor_id=actor_id, origin=origin, request_id=request_id)
