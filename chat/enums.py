"""The states and kinds of conversations, turns and runs; stored as text."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    """Who wrote a message."""

    USER = "user", _("customer")
    ASSISTANT = "assistant", _("assistant")


class TurnState(TextChoices):
    """`queued → running ⇄ awaiting_confirm → completed | cancelled | failed`.

    A lost worker, and the customer's decision, take a turn back to queued.
    """

    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    AWAITING_CONFIRM = "awaiting_confirm", _("waiting for the customer's decision")
    COMPLETED = "completed", _("completed")
    CANCELLED = "cancelled", _("cancelled")
    FAILED = "failed", _("failed")

    @property
    def is_final(self) -> bool:
        return self in FINAL_TURN_STATES


FINAL_TURN_STATES = frozenset({TurnState.COMPLETED, TurnState.CANCELLED, TurnState.FAILED})
# A conversation has at most one turn in these; the next ones wait behind it.
BEGUN_TURN_STATES = (TurnState.RUNNING, TurnState.AWAITING_CONFIRM)
UNFINISHED_TURN_STATES = (TurnState.QUEUED, *BEGUN_TURN_STATES)


class RunState(TextChoices):
    """`running → completed | cancelled | failed | lost`; lost: its process died or lost its lease."""

    RUNNING = "running", _("running")
    COMPLETED = "completed", _("completed")
    CANCELLED = "cancelled", _("cancelled")
    FAILED = "failed", _("failed")
    LOST = "lost", _("lost")


class BusyPolicy(TextChoices):
    """What a new message does while the conversation still has an unfinished turn."""

    REJECT = "reject", _("reject")
    QUEUE = "queue", _("queue")
    INTERRUPT = "interrupt", _("interrupt")


class FileKind(TextChoices):
    """What the model does with a file: look at it, or read it."""

    IMAGE = "image", _("picture")
    DOCUMENT = "document", _("document")


class FileState(TextChoices):
    """`stored → deleted → erased`; a deleted file is out of everybody's reach, an erased one is gone from storage."""

    STORED = "stored", _("stored")
    DELETED = "deleted", _("deleted")
    ERASED = "erased", _("erased")


class CopyState(TextChoices):
    """`sending → uploaded → deleted | lost`; lost: GigaChat no longer has it, or was never heard to have it."""

    SENDING = "sending", _("being sent")
    UPLOADED = "uploaded", _("uploaded")
    DELETED = "deleted", _("deleted")
    LOST = "lost", _("lost")
