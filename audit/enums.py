"""The closed sets of the evidence log: who, from where, what, and how it ended."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class ActorKind(TextChoices):
    """Who acted."""

    CUSTOMER = "customer", _("customer")
    STAFF = "staff", _("staff")
    SYSTEM = "system", _("system")
    ANONYMOUS = "anonymous", _("anonymous")


class Origin(TextChoices):
    """Through which door the act came."""

    WEBSOCKET = "ws", _("WebSocket")
    HTTP = "http", _("REST")
    ADMIN = "admin", _("staff site")
    COMMAND = "command", _("command line")
    ENGINE = "engine", _("engine")


class Outcome(TextChoices):
    """How the act ended: done, not allowed, or tried and broken."""

    OK = "ok", _("done")
    REFUSED = "refused", _("refused")
    FAILED = "failed", _("failed")


class AuditAction(TextChoices):
    """The one catalogue of everything that can be recorded; `audit.catalogue` says what each must carry.

    A value that was once written is never renamed or given another meaning: old entries keep it for ever.
    """

    LOGIN_SUCCEEDED = "login.succeeded", _("login succeeded")
    LOGIN_REFUSED = "login.refused", _("login refused")
    SESSION_REFRESHED = "session.refreshed", _("session refreshed")
    SESSION_REUSE_DETECTED = "session.reuse_detected", _("refresh token used twice")
    SESSION_REVOKED = "session.revoked", _("session revoked")
    CONVERSATION_OPENED = "conversation.opened", _("conversation opened")
    CONVERSATION_CLOSED = "conversation.closed", _("conversation closed")
    TURN_STARTED = "turn.started", _("turn started")
    TURN_FINISHED = "turn.finished", _("turn finished")
    TURN_FAILED = "turn.failed", _("turn failed")
    TURN_CANCELLED = "turn.cancelled", _("turn cancelled")
    TURN_RECOVERED = "turn.recovered", _("turn recovered")
    BUDGET_REACHED = "budget.reached", _("budget reached")
    PROFILE_CHANGED = "profile.changed", _("assistant profile changed")
    PRICE_SET = "price.set", _("price set")
    MODEL_ASKED = "model.asked", _("model asked")
    FILE_STORED = "file.stored", _("file stored")
    FILE_REFUSED = "file.refused", _("file refused")
    FILE_ATTACHED = "file.attached", _("file attached to a message")
    FILE_SENT = "file.sent", _("file sent to the model's provider")
    FILE_WITHDRAWN = "file.withdrawn", _("file deleted at the model's provider")
    FILE_DELETED = "file.deleted", _("file deleted")
    ACCESS_DENIED = "access.denied", _("access denied")
    AUDIT_EXPORTED = "audit.exported", _("audit exported")
    STAFF_LOGIN_SUCCEEDED = "staff.login_succeeded", _("staff login succeeded")
    STAFF_LOGIN_REFUSED = "staff.login_refused", _("staff login refused")
    DEMO_SEEDED = "demo.seeded", _("demo data seeded")
    ACCOUNT_OPENED = "account.opened", _("account opened")
    ACCOUNT_FROZEN = "account.frozen", _("account blocked")
    ACCOUNT_UNFROZEN = "account.unfrozen", _("account unblocked")
    ACCOUNT_CLOSED = "account.closed", _("account closed")
    TRANSFER_POSTED = "transfer.posted", _("transfer posted")
    TRANSFER_REFUSED = "transfer.refused", _("transfer refused")
    HOLD_PLACED = "hold.placed", _("hold placed")
    HOLD_POSTED = "hold.posted", _("hold posted")
    HOLD_VOIDED = "hold.voided", _("hold released")
    HOLD_EXPIRED = "hold.expired", _("hold expired")
    GATEWAY_ANSWERED = "gateway.answered", _("outside system answered")
    BILL_ISSUED = "bill.issued", _("bill issued")
    BILL_PAID = "bill.paid", _("bill paid")
    OPERATION_REVERSED = "operation.reversed", _("operation reversed")
    OPERATION_REFUNDED = "operation.refunded", _("operation refunded")
    ANTIFRAUD_CHECKED = "antifraud.checked", _("antifraud checked")
    ANTIFRAUD_SUSPENDED = "antifraud.suspended", _("suspended by antifraud")
    CARD_ISSUED = "card.issued", _("card issued")
    CARD_BLOCKED = "card.blocked", _("card blocked")
    CARD_UNBLOCKED = "card.unblocked", _("card unblocked")
    CARD_LIMIT_CHANGED = "card.limit_changed", _("card limit changed")
    PAYEE_ADDED = "payee.added", _("payee added")
    SCHEDULE_CHANGED = "schedule.changed", _("scheduled payment changed")
    SCHEDULE_EXECUTED = "schedule.executed", _("scheduled payment executed")
    SCHEDULE_REFUSED = "schedule.refused", _("scheduled payment not executed")
    STATEMENT_REQUESTED = "statement.requested", _("statement requested")
    DISPUTE_OPENED = "dispute.opened", _("dispute opened")
    CLEARING_SETTLED = "clearing.settled", _("clearing settled")
    SESSION_STEPPED_UP = "session.stepped_up", _("password given again")
    DEVICE_KEY_ENROLLED = "device_key.enrolled", _("device key enrolled")
    DEVICE_KEY_REVOKED = "device_key.revoked", _("device key revoked")
    FUNCTION_REQUESTED = "fn.requested", _("function called")
    FUNCTION_DENIED = "fn.denied", _("function call refused")
    FUNCTION_FAILED = "fn.failed", _("function failed")
    FUNCTION_EXECUTED = "fn.executed", _("function executed")
    CONFIRMATION_ASKED = "fn.confirm_asked", _("confirmation asked")
    CONFIRMATION_GIVEN = "fn.confirmed", _("confirmed by the customer")
    CONFIRMATION_DECLINED = "fn.declined", _("declined by the customer")
    CONFIRMATION_EXPIRED = "fn.expired", _("confirmation expired")
    CONFIRMATION_CLOSED = "fn.confirm_closed", _("confirmation withdrawn")
    CONFIRMATION_REFUSED = "fn.confirm_refused", _("decision refused")
    ANSWER_CORRECTED = "answer.corrected", _("figures of an answer corrected")
