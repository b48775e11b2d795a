"""The end of a conversation. It is opened by its first turn, see `chat.services.turns`."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.context import AuditContext
from audit.enums import AuditAction
from audit.journal import record_entry
from chat.errors import ConversationNotFound, TurnBusy
from chat.models import Conversation
from chat.protocol import events
from chat.selectors import list_unfinished_turns
from chat.services.questions import build_closed
from chat.stream import append_events, lock_conversation
from functions.confirmations.closing import withdraw_waiting


@transaction.atomic(durable=True)
def close_conversation(context: AuditContext, *, customer_id: UUID, conversation_id: UUID) -> Conversation:
    """End a conversation for good: no turn starts in it any more, and its files are due to be deleted at GigaChat.

    A payment that antifraud delayed is not asked about again. What is in it can still be read. Rows, events and audit
    entries commit together; closing again changes nothing.

    Raises: ConversationNotFound, for unknown and foreign conversations alike; TurnBusy while a turn is unfinished
    """
    conversation = lock_conversation(conversation_id)
    if conversation.customer_id != customer_id:
        raise ConversationNotFound
    if conversation.closed_at is not None:
        return conversation
    unfinished = list_unfinished_turns(conversation.pk)
    if unfinished:
        raise TurnBusy(unfinished[0].pk)
    now = timezone.now()
    conversation.closed_at = now
    conversation.save(update_fields=["closed_at"])
    withdrawn = withdraw_waiting(context, conversation_id=conversation.pk, now=now)
    told = [events.encode(build_closed(question)) for question in withdrawn]
    told.append(events.encode(events.ConversationUpdated(closed=True)))
    append_events(conversation, told, turn_id=None)
    record_entry(
        context,
        AuditAction.CONVERSATION_CLOSED,
        subject="conversation",
        subject_id=str(conversation.pk),
        customer_id=customer_id,
        conversation_id=conversation.pk,
    )
    return conversation
