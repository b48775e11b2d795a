"""From a claimed turn to the first request: history, calls so far, files, masks; and a note of what is asked."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import Customer
from chat.engine.attachments import attach_files
from chat.engine.dialogue import Dialogue
from chat.engine.persistence import persist
from chat.engine.privacy import Privacy, open_privacy
from chat.engine.prompt import build_prompt, describe_prompt, list_uncounted, to_definition, trim_history
from chat.engine.rules import FUNCTION_RULES, build_date_note
from chat.engine.upstream import ShortCalls
from chat.enums import Role
from chat.gigachat.errors import GigaChatError
from chat.gigachat.rest_types import TokenCount
from chat.gigachat.types import Attachment, FunctionDefinition
from chat.models import AssistantProfile, Message
from chat.selectors import get_default_profile, list_prompt_history, list_turn_payloads
from chat.services.claims import ClaimedRun
from chat.services.runs import note_model_call, store_token_counts
from functions.dispatch import StoredCall, list_conversation_calls, render_offer
from functions.handles import HandlesChanged

logger = logging.getLogger(__name__)

# Calls of older turns are not told again: what they found out is stale, and it stands in the answers.
MAX_CALL_TURNS = 20
MOST_CLASHES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What a prompt is made of, read in one go.

    calls      finished calls by turn, those of the claimed turn too
    functions  what the model may call in this turn
    payloads   terms of the turn's questions to the customer
    """

    customer: Customer
    privacy: Privacy
    history: list[Message]
    profile: AssistantProfile
    calls: Mapping[UUID, Sequence[StoredCall]]
    functions: tuple[FunctionDefinition, ...]
    payloads: tuple[str, ...]


async def prepare_dialogue(claimed: ClaimedRun, calls: ShortCalls, *, engine: str, seconds_left: float) -> Dialogue:
    """Read the history, build the prompt within its budget and record what is about to be asked.

    Raises: GigaChatError, FileUnreadable, RunLost
    """
    material = await persist(read_material, claimed)
    uncounted = list_uncounted(material.history, material.profile.history_tokens, material.calls)
    if uncounted:
        await count_tokens(claimed, uncounted, material.privacy, calls)
    kept = trim_history(material.history, material.profile.history_tokens, material.calls)
    attached = await attach_files(claimed, kept, calls, engine=engine)
    return await persist(build_dialogue, claimed, material, attached, engine=engine, seconds_left=seconds_left)


def read_material(claimed: ClaimedRun) -> Material:
    history = list_prompt_history(claimed.turn_id)
    profile = get_default_profile()
    may_call = settings.FUNCTIONS_ENABLED and profile.uses_functions
    offered = render_offer(session_id=claimed.session_id) if may_call else ()
    calls = read_calls(claimed, history) if may_call else {}
    customer = Customer.objects.get(pk=claimed.customer_id)
    return Material(
        customer=customer,
        privacy=open_privacy(customer, claimed.conversation_id),
        history=history,
        profile=profile,
        calls=calls,
        functions=tuple(map(to_definition, offered)),
        payloads=list_turn_payloads(claimed.turn_id) if claimed.turn_id in calls else (),
    )


def read_calls(claimed: ClaimedRun, history: Sequence[Message]) -> dict[UUID, list[StoredCall]]:
    """Return the finished calls of the newest turns by turn; a conversation's first question has none."""
    if len(history) == 1 and claimed.attempt == 1:
        return {}
    turn_ids = list(dict.fromkeys(message.turn_id for message in reversed(history)))[:MAX_CALL_TURNS]
    found: dict[UUID, list[StoredCall]] = {}
    for call in list_conversation_calls(claimed.conversation_id, turn_ids):
        found.setdefault(call.turn_id, []).append(call)
    return found


def build_dialogue(
    claimed: ClaimedRun,
    material: Material,
    attached: Mapping[UUID, tuple[Attachment, ...]],
    *,
    engine: str,
    seconds_left: float,
) -> Dialogue:
    """Mask what leaves and build the first request; new handles and the note of what is asked commit together."""
    privacy = material.privacy
    for clash in range(1, MOST_CLASHES + 1):
        dialogue = open_dialogue(claimed, material, attached, privacy=privacy, seconds_left=seconds_left)
        try:
            store_beginning(dialogue, engine=engine)
        except HandlesChanged:
            if clash == MOST_CLASHES:
                raise
            privacy = open_privacy(material.customer, claimed.conversation_id)
        else:
            break
    return dialogue


def open_dialogue(
    claimed: ClaimedRun,
    material: Material,
    attached: Mapping[UUID, tuple[Attachment, ...]],
    *,
    privacy: Privacy,
    seconds_left: float,
) -> Dialogue:
    now = timezone.now()
    rules = [FUNCTION_RULES] if material.functions else []
    prompt = build_prompt(
        claimed,
        material.history,
        material.profile,
        secret=settings.SECRET_KEY,
        attached=attached,
        calls=material.calls,
        functions=material.functions,
        notes=[*rules, build_date_note(now, material.customer.zone)],
        mask=privacy.mask,
    )
    known = material.calls.get(claimed.turn_id, ())
    dialogue = Dialogue(
        claimed=claimed,
        customer=material.customer,
        prompt=prompt,
        privacy=privacy,
        fallback_model=material.profile.fallback_model,
        results=[call.result for call in known],
        earlier_results=tuple(
            call.result for turn_id, calls in material.calls.items() if turn_id != claimed.turn_id for call in calls
        ),
        customer_texts=tuple(message.text for message in material.history if message.role == Role.USER),
        payloads=material.payloads,
        deadline=now + timedelta(seconds=seconds_left),
    )
    if len(known) >= settings.FUNCTION_CALLS_PER_TURN:
        dialogue.forbid_calls()
    return dialogue


@transaction.atomic(durable=True)
def store_beginning(dialogue: Dialogue, *, engine: str) -> None:
    dialogue.privacy.save(timezone.now())
    note_model_call(dialogue.claimed, describe_prompt(dialogue.prompt), engine=engine)


async def count_tokens(claimed: ClaimedRun, messages: Sequence[Message], privacy: Privacy, calls: ShortCalls) -> None:
    """Let the provider count and keep the counts; when it cannot, the careful guess stands."""

    def ask() -> Sequence[TokenCount]:
        # It reads what it counts.
        return calls.count_tokens([privacy.mask(message.text) for message in messages], model=claimed.model)

    try:
        counts = await asyncio.to_thread(ask)
    except GigaChatError as error:
        logger.warning("counting tokens failed", extra={"error": error.code})
        return
    for message, count in zip(messages, counts, strict=True):
        message.token_count = count.tokens
    await persist(store_token_counts, messages)
