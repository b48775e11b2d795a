"""What every entry of a given action must carry. An action that is not here cannot be recorded."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from audit.enums import AuditAction

NOTHING: frozenset[str] = frozenset()
CUSTOMER = frozenset({"customer_id"})
CONVERSATION = CUSTOMER | {"conversation_id"}
TURN = CONVERSATION | {"turn_id"}


@dataclass(frozen=True, slots=True)
class EntryRule:
    """The ids and detail keys an action demands; other ids and details are allowed beside them."""

    ids: frozenset[str] = NOTHING
    details: frozenset[str] = NOTHING


ENTRY_RULES: Mapping[AuditAction, EntryRule] = MappingProxyType(
    {
        AuditAction.LOGIN_SUCCEEDED: EntryRule(ids=CUSTOMER),
        # Whoever failed to sign in is nobody yet.
        AuditAction.LOGIN_REFUSED: EntryRule(),
        AuditAction.SESSION_REFRESHED: EntryRule(ids=CUSTOMER),
        AuditAction.SESSION_REUSE_DETECTED: EntryRule(ids=CUSTOMER),
        AuditAction.SESSION_REVOKED: EntryRule(ids=CUSTOMER),
        AuditAction.CONVERSATION_OPENED: EntryRule(ids=CONVERSATION),
        AuditAction.TURN_STARTED: EntryRule(ids=TURN),
        AuditAction.TURN_FINISHED: EntryRule(ids=TURN),
        AuditAction.TURN_FAILED: EntryRule(ids=TURN),
        AuditAction.TURN_CANCELLED: EntryRule(ids=TURN),
        AuditAction.TURN_RECOVERED: EntryRule(ids=TURN),
        AuditAction.MODEL_ASKED: EntryRule(ids=TURN),
        AuditAction.ACCESS_DENIED: EntryRule(),
        AuditAction.AUDIT_EXPORTED: EntryRule(details=frozenset({"stage", "format"})),
        AuditAction.STAFF_LOGIN_SUCCEEDED: EntryRule(),
        AuditAction.STAFF_LOGIN_REFUSED: EntryRule(),
        AuditAction.DEMO_SEEDED: EntryRule(),
    }
)
