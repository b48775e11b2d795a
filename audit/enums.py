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
    TURN_STARTED = "turn.started", _("turn started")
    TURN_FINISHED = "turn.finished", _("turn finished")
    TURN_FAILED = "turn.failed", _("turn failed")
    TURN_CANCELLED = "turn.cancelled", _("turn cancelled")
    TURN_RECOVERED = "turn.recovered", _("turn recovered")
    MODEL_ASKED = "model.asked", _("model asked")
    ACCESS_DENIED = "access.denied", _("access denied")
    AUDIT_EXPORTED = "audit.exported", _("audit exported")
    STAFF_LOGIN_SUCCEEDED = "staff.login_succeeded", _("staff login succeeded")
    STAFF_LOGIN_REFUSED = "staff.login_refused", _("staff login refused")
    DEMO_SEEDED = "demo.seeded", _("demo data seeded")
