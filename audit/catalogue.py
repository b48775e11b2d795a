"""What every entry of a given action must carry. An action that is not here cannot be recorded."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from audit.enums import AuditAction

NOTHING: frozenset[str] = frozenset()
CUSTOMER = frozenset({"customer_id"})
CONVERSATION = CUSTOMER | {"conversation_id"}
TURN = CONVERSATION | {"turn_id"}
POSTING = frozenset({"operation", "kind"})
CALL = frozenset({"call", "function", "version"})
CONFIRMATION = frozenset({"confirmation", "sha256"})


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
        AuditAction.CONVERSATION_CLOSED: EntryRule(ids=CONVERSATION),
        AuditAction.TURN_STARTED: EntryRule(ids=TURN),
        AuditAction.TURN_FINISHED: EntryRule(ids=TURN),
        AuditAction.TURN_FAILED: EntryRule(ids=TURN),
        AuditAction.TURN_CANCELLED: EntryRule(ids=TURN),
        AuditAction.TURN_RECOVERED: EntryRule(ids=TURN),
        AuditAction.BUDGET_REACHED: EntryRule(ids=CUSTOMER, details=frozenset({"tokens", "budget"})),
        AuditAction.PROFILE_CHANGED: EntryRule(),
        AuditAction.PRICE_SET: EntryRule(),
        AuditAction.MODEL_ASKED: EntryRule(ids=TURN),
        AuditAction.FILE_STORED: EntryRule(ids=CUSTOMER, details=frozenset({"kind", "bytes", "sha256"})),
        AuditAction.FILE_REFUSED: EntryRule(ids=CUSTOMER, details=frozenset({"reason", "bytes"})),
        AuditAction.FILE_ATTACHED: EntryRule(ids=TURN, details=frozenset({"file", "sha256"})),
        AuditAction.FILE_SENT: EntryRule(ids=TURN, details=frozenset({"file", "copy", "reason"})),
        AuditAction.FILE_WITHDRAWN: EntryRule(ids=CUSTOMER, details=frozenset({"copy", "reason"})),
        AuditAction.FILE_DELETED: EntryRule(ids=CUSTOMER, details=frozenset({"reason"})),
        AuditAction.ACCESS_DENIED: EntryRule(),
        AuditAction.AUDIT_EXPORTED: EntryRule(details=frozenset({"stage", "format"})),
        AuditAction.STAFF_LOGIN_SUCCEEDED: EntryRule(),
        AuditAction.STAFF_LOGIN_REFUSED: EntryRule(),
        AuditAction.DEMO_SEEDED: EntryRule(),
        # The bank's own accounts and operations have no customer.
        AuditAction.ACCOUNT_OPENED: EntryRule(details=frozenset({"kind"})),
        AuditAction.ACCOUNT_FROZEN: EntryRule(ids=CUSTOMER, details=frozenset({"status"})),
        AuditAction.ACCOUNT_UNFROZEN: EntryRule(ids=CUSTOMER, details=frozenset({"status"})),
        AuditAction.ACCOUNT_CLOSED: EntryRule(ids=CUSTOMER),
        AuditAction.TRANSFER_POSTED: EntryRule(details=POSTING | {"amount_minor", "currency"}),
        AuditAction.TRANSFER_REFUSED: EntryRule(details=frozenset({"kind", "code"})),
        AuditAction.HOLD_PLACED: EntryRule(ids=CUSTOMER, details=POSTING | {"amount_minor", "currency"}),
        AuditAction.HOLD_POSTED: EntryRule(ids=CUSTOMER, details=POSTING | {"amount_minor", "currency"}),
        AuditAction.HOLD_VOIDED: EntryRule(ids=CUSTOMER, details=POSTING),
        AuditAction.HOLD_EXPIRED: EntryRule(ids=CUSTOMER, details=POSTING),
        AuditAction.GATEWAY_ANSWERED: EntryRule(ids=CUSTOMER, details=frozenset({"operation", "answer"})),
        AuditAction.BILL_ISSUED: EntryRule(ids=CUSTOMER),
        AuditAction.BILL_PAID: EntryRule(ids=CUSTOMER, details=frozenset({"operation"})),
        AuditAction.OPERATION_REVERSED: EntryRule(details=POSTING | {"reverses", "reason"}),
        AuditAction.OPERATION_REFUNDED: EntryRule(details=POSTING | {"refunds", "amount_minor", "currency"}),
        AuditAction.ANTIFRAUD_CHECKED: EntryRule(ids=CUSTOMER, details=frozenset({"verdict"})),
        AuditAction.ANTIFRAUD_SUSPENDED: EntryRule(ids=CUSTOMER, details=frozenset({"signs", "until"})),
        AuditAction.CARD_ISSUED: EntryRule(ids=CUSTOMER),
        AuditAction.CARD_BLOCKED: EntryRule(ids=CUSTOMER, details=frozenset({"reason"})),
        AuditAction.CARD_UNBLOCKED: EntryRule(ids=CUSTOMER),
        AuditAction.CARD_LIMIT_CHANGED: EntryRule(ids=CUSTOMER, details=frozenset({"limit"})),
        AuditAction.PAYEE_ADDED: EntryRule(ids=CUSTOMER, details=frozenset({"kind", "origin"})),
        AuditAction.SCHEDULE_CHANGED: EntryRule(ids=CUSTOMER, details=frozenset({"status"})),
        AuditAction.SCHEDULE_EXECUTED: EntryRule(ids=CUSTOMER, details=frozenset({"due_on", "operation", "status"})),
        AuditAction.SCHEDULE_REFUSED: EntryRule(ids=CUSTOMER, details=frozenset({"due_on", "code", "status"})),
        AuditAction.STATEMENT_REQUESTED: EntryRule(ids=CUSTOMER),
        AuditAction.DISPUTE_OPENED: EntryRule(ids=CUSTOMER, details=frozenset({"reason"})),
        AuditAction.CLEARING_SETTLED: EntryRule(details=POSTING | {"amount_minor", "currency"}),
        AuditAction.SESSION_STEPPED_UP: EntryRule(ids=CUSTOMER),
        AuditAction.DEVICE_KEY_ENROLLED: EntryRule(ids=CUSTOMER, details=frozenset({"kid", "sha256"})),
        AuditAction.DEVICE_KEY_REVOKED: EntryRule(ids=CUSTOMER, details=frozenset({"kid"})),
        AuditAction.FUNCTION_REQUESTED: EntryRule(ids=TURN, details=CALL | {"arguments_sha256"}),
        AuditAction.FUNCTION_DENIED: EntryRule(ids=TURN, details=CALL | {"code"}),
        AuditAction.FUNCTION_FAILED: EntryRule(ids=TURN, details=CALL | {"code"}),
        AuditAction.FUNCTION_EXECUTED: EntryRule(ids=TURN, details=CALL),
        AuditAction.CONFIRMATION_ASKED: EntryRule(ids=TURN, details=CONFIRMATION | {"risk", "nonce"}),
        AuditAction.CONFIRMATION_GIVEN: EntryRule(ids=TURN, details=CONFIRMATION | {"method", "device"}),
        AuditAction.CONFIRMATION_DECLINED: EntryRule(ids=TURN, details=CONFIRMATION | {"device"}),
        AuditAction.CONFIRMATION_EXPIRED: EntryRule(ids=TURN, details=CONFIRMATION),
        AuditAction.CONFIRMATION_CLOSED: EntryRule(ids=TURN, details=CONFIRMATION | {"state"}),
        AuditAction.CONFIRMATION_REFUSED: EntryRule(ids=CUSTOMER, details=frozenset({"code"})),
        AuditAction.ANSWER_CORRECTED: EntryRule(ids=TURN, details=frozenset({"figures", "by"})),
    }
)
