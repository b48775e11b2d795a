"""Who answers which turn: claims with a lease, a fencing number and one of GigaChat's parallel streams.

The claim is the fair queue: a turn runs only with a stream slot of the whole installation, so GigaChat never sees one
stream more than licensed, however many processes there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone

from audit.context import AuditContext, build_system_context
from audit.enums import Origin
from chat.enums import BEGUN_TURN_STATES, RunState, TurnState
from chat.models import Conversation, Run, Turn
from chat.protocol import events
from chat.protocol.events import EventType
from chat.queue import list_waiting_turns
from chat.selectors import get_default_profile, get_streamed_text, has_pictures
from chat.services.slots import release_slots, renew_slots, take_slot
from chat.stream import append_events


@dataclass(frozen=True, slots=True)
class ClaimedRun:
    """A turn this engine may answer until its lease ends; `seq` is the log's head after the claim.

    session_id     of the device that asked; None: functions that need one are not to be had
    shown          the text phones hold already: the answer of a turn that waited for the customer goes on behind it
    spent_seconds  how long earlier runs of the turn took before it waited
    """

    turn_id: UUID
    run_id: UUID
    conversation_id: UUID
    customer_id: UUID
    message_id: UUID
    attempt: int
    fence: int
    model: str
    seq: int
    session_id: UUID | None = None
    device_id: str = ""
    shown: str = field(default="", repr=False)
    spent_seconds: float = 0.0


def build_engine_context(engine: str) -> AuditContext:
    return build_system_context(Origin.ENGINE, engine)


def claim_runs(engine: str, *, capacity: int) -> list[ClaimedRun]:
    """Claim up to `capacity` queued turns for `engine` and begin an attempt for each.

    `turn.started` (after `msg.reset` when an earlier attempt had shown text) is committed with the claim; a turn that
    waited for the customer goes on without either. Turns that another engine takes at the same moment are left out.
    """
    candidates = list_waiting_turns(limit=capacity)
    claimed = (claim_run(engine, waiting.turn_id, waiting.conversation_id) for waiting in candidates)
    return [run for run in claimed if run is not None]


@transaction.atomic(durable=True)
def claim_run(engine: str, turn_id: UUID, conversation_id: UUID) -> ClaimedRun | None:
    """Begin an attempt to answer the turn, or return None when it is no longer free."""
    # Skipping a locked conversation instead of waiting keeps two engines from walking in step.
    conversation = (
        Conversation.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=conversation_id).first()
    )
    if conversation is None:
        return None
    turn = Turn.objects.filter(pk=turn_id, state=TurnState.QUEUED).first()
    if turn is None or Turn.objects.filter(conversation=conversation, state__in=BEGUN_TURN_STATES).exists():
        return None
    now = timezone.now()
    model = choose_model(turn)
    run = Run(turn=turn, attempt=turn.attempt + 1, engine=engine, model=model, started_at=now)
    until = now + timedelta(seconds=settings.ENGINE_LEASE_SECONDS)
    if not take_slot(run.pk, now=now, until=until):
        return None
    return begin_run(conversation, turn, run, until)


def choose_model(turn: Turn) -> str:
    """Return the model to ask: one that sees, when there is something to look at."""
    if has_pictures(turn):
        model: str = settings.GIGACHAT_VISION_MODEL
        return model
    return get_default_profile().model or settings.GIGACHAT_MODEL


def begin_run(conversation: Conversation, turn: Turn, run: Run, until: datetime) -> ClaimedRun:
    shown = get_streamed_text(turn) if turn.attempt else ""
    is_resumed = has_waited(turn)
    conversation.fence += 1
    turn.state = TurnState.RUNNING
    turn.attempt = run.attempt
    turn.fence = conversation.fence
    turn.lease_owner = run.engine
    turn.lease_until = until
    turn.started_at = turn.started_at or run.started_at
    turn.save(update_fields=["state", "attempt", "fence", "lease_owner", "lease_until", "started_at"])
    run.save(force_insert=True)
    if is_resumed:
        conversation.save(update_fields=["fence"])
    else:
        append_events(conversation, describe_beginning(turn, run, is_reset=bool(shown)), turn_id=turn.pk)
    return ClaimedRun(
        turn_id=turn.pk,
        run_id=run.pk,
        conversation_id=conversation.pk,
        customer_id=conversation.customer_id,
        message_id=turn.answer_id,
        attempt=turn.attempt,
        fence=conversation.fence,
        model=run.model,
        seq=conversation.top,
        session_id=turn.session_id,
        device_id=turn.device_id,
        shown=shown if is_resumed else "",
        spent_seconds=measure_spent(turn),
    )


def describe_beginning(turn: Turn, run: Run, *, is_reset: bool) -> list[tuple[EventType, str]]:
    """Return the events of an attempt that starts the answer, anew when it `is_reset`."""
    reset = events.MessageReset(turn=turn.pk, msg=turn.answer_id, attempt=turn.attempt, why="worker_lost")
    started = events.TurnStarted(turn=turn.pk, msg=turn.answer_id, attempt=turn.attempt, model=run.model)
    return [events.encode(reset), events.encode(started)] if is_reset else [events.encode(started)]


def has_waited(turn: Turn) -> bool:
    """Return whether the turn comes back from waiting for the customer: nobody lost it since."""
    if turn.resumed_at is None:
        return False
    last = Run.objects.filter(turn=turn).order_by("-attempt").first()
    return last is not None and last.state == RunState.COMPLETED


def measure_spent(turn: Turn) -> float:
    """Return the seconds that runs took which ended in a question: the customer's own time does not count."""
    if turn.resumed_at is None:
        return 0.0
    waited = Run.objects.filter(turn=turn, state=RunState.COMPLETED)
    spent = waited.aggregate(spent=Sum(F("finished_at") - F("started_at")))["spent"]
    return float(spent.total_seconds()) if spent else 0.0


def renew_leases(engine: str, held: Sequence[ClaimedRun]) -> set[UUID]:
    """Extend the leases of the turns `engine` is answering; return the ids of those it still owns."""
    if not held:
        return set()
    fences = {run.turn_id: run.fence for run in held}
    until = timezone.now() + timedelta(seconds=settings.ENGINE_LEASE_SECONDS)
    owned = Turn.objects.filter(pk__in=fences, state=TurnState.RUNNING, lease_owner=engine)
    owned.update(lease_until=until)
    # Also those of turns that were taken away: their connections are open until the caller has closed them.
    renew_slots([run.run_id for run in held], until)
    return {turn_id for turn_id, fence in owned.values_list("pk", "fence") if fences[turn_id] == fence}


def release_runs(engine: str, held: Sequence[ClaimedRun]) -> None:
    """Let go of turns this engine cannot finish (it is shutting down), so that recovery need not wait for the lease."""
    release_slots([run.run_id for run in held])
    owned = Turn.objects.filter(pk__in=[run.turn_id for run in held], state=TurnState.RUNNING, lease_owner=engine)
    owned.update(lease_until=timezone.now())
