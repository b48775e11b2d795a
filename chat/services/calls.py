"""One call of a function inside a run: evaluated, written down, told to the phone; or the customer is asked.

Evaluating writes nothing and holds no lock; everything else is one transaction that proves by the fencing number that
the caller still owns the turn.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from chat.enums import TurnState
from chat.models import Conversation, Turn
from chat.protocol import events
from chat.services.claims import ClaimedRun, build_engine_context
from chat.services.questions import (
    CALL_STATUSES,
    Told,
    build_request,
    list_withdrawable,
    tell_closed,
    tell_withdrawn,
)
from chat.services.runs import ModelCall, Spending, close_completed_run, lock_claimed, note_model_call
from chat.services.slots import release_slots
from chat.stream import append_events
from functions.calls import CallRequest, CallResult
from functions.confirmations.asking import list_superseded
from functions.dispatch import Evaluation, evaluate_call, list_turn_calls, record_call
from functions.handles import HandlesChanged, HandleTable
from functions.models import Confirmation

# How often two writers of one conversation may meet before the run gives up.
MOST_CLASHES = 3
FINISH = "function_call"


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenCall:
    """What the model is told of its call; `result` is None while the customer is asked: the run is over then.

    handles  as the call left them, None when it was refused before it looked at any
    """

    result: str | None = field(repr=False)
    ends_functions: bool = False
    handles: HandleTable | None = None


def take_call(
    claimed: ClaimedRun,
    request: CallRequest,
    spent: Spending,
    *,
    engine: str,
    describe: Callable[[str], ModelCall],
) -> TakenCall:
    """Carry out one call of the model, exactly once: a step that is stored already is answered from its row.

    spent     what the run has used so far; written when the run ends here, because the customer is asked
    describe  of a result, what the model is asked next with it; recorded along with the call
    Raises: RunLost
    """
    for clash in range(1, MOST_CLASHES + 1):
        try:
            evaluation = evaluate_call(request, now=timezone.now())
            return store_call(claimed, evaluation, spent, engine=engine, describe=describe)
        except HandlesChanged:
            if clash == MOST_CLASHES:
                raise
        except IntegrityError:
            if (known := find_known(request)) is None:
                raise
            return known
    raise RuntimeError("unreachable")


def find_known(request: CallRequest) -> TakenCall | None:
    """Return what the step led to, when an interrupted commit of it had arrived after all."""
    known = list_turn_calls(request.turn_id)
    return TakenCall(result=known[request.step - 1].result) if len(known) >= request.step else None


@transaction.atomic(durable=True)
def store_call(
    claimed: ClaimedRun,
    evaluation: Evaluation,
    spent: Spending,
    *,
    engine: str,
    describe: Callable[[str], ModelCall],
) -> TakenCall:
    """Write the call and its events; a question to the customer ends the run in the same transaction.

    Raises: RunLost, HandlesChanged, IntegrityError when the step is stored already
    """
    conversation, turn = lock_claimed(claimed)
    now = timezone.now()
    is_immediate = evaluation.function is not None and evaluation.function.is_immediate
    withdrawable = list_withdrawable(conversation.pk) if is_immediate else []
    result = record_call(build_engine_context(engine), evaluation, now=now)
    told = [events.encode(build_started(turn, result)), *tell_withdrawn(withdrawable)]
    if result.result is not None:
        told.append(events.encode(build_completed(turn, result)))
        note_model_call(claimed, describe(result.result), engine=engine)
    elif result.confirmation is not None:
        told += ask_customer(conversation, turn, result.confirmation, now)
        release_slots([claimed.run_id])
        close_completed_run(claimed, spent, finish=FINISH, engine=engine, now=now)
    append_events(conversation, told, turn_id=turn.pk)
    handles = evaluation.ctx.handles if evaluation.ctx else None
    return TakenCall(result=result.result, ends_functions=result.ends_functions, handles=handles)


def ask_customer(conversation: Conversation, turn: Turn, confirmation: Confirmation, now: datetime) -> Told:
    """Let the turn wait without lease, and return the events of its question and of those that this one replaces.

    The fence moves, so the run that asked can write nothing more; the append that must follow saves it.
    """
    told = tell_closed(conversation, list_superseded(confirmation), now)
    turn.state = TurnState.AWAITING_CONFIRM
    turn.lease_owner = ""
    turn.lease_until = None
    turn.save(update_fields=["state", "lease_owner", "lease_until"])
    conversation.fence += 1
    return [*told, events.encode(build_request(confirmation))]


def build_started(turn: Turn, result: CallResult) -> events.FunctionStarted:
    return events.FunctionStarted(
        turn=turn.pk,
        call=result.call_id,
        name=result.name,
        label=result.label,
        args_public=dict(result.arguments_public),
    )


def build_completed(turn: Turn, result: CallResult) -> events.FunctionCompleted:
    return events.FunctionCompleted.model_validate(
        {
            "turn": turn.pk,
            "call": result.call_id,
            "status": CALL_STATUSES[result.status],
            "result_public": dict(result.result_public) or None,
            "cards": tuple(map(dict, result.cards)) or None,
        }
    )
