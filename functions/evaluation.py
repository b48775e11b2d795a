"""Finding out what one call leads to, before anything is written.

Handlers never see the model's words before they are typed, and never another customer's rows. What the model did wrong
is told to it by a closed code; what we did wrong becomes an apology, and a log line without values.
"""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from uuid_utils.compat import uuid7

from accounts.errors import AccountsError
from accounts.models import Customer
from accounts.selectors.sessions import find_live_caller
from functions.arguments import RawArguments, find_identity_arguments, fit_arguments, read_arguments
from functions.calls import CallRequest
from functions.context import Ctx
from functions.definitions import Function, Handler
from functions.enums import CallStatus
from functions.errors import CallRefused, Code
from functions.handles import HandleTable
from functions.limits import Limits, check_customer, check_money, check_turn, get_limits, has_failed_before, is_last
from functions.masked_arguments import mask_arguments
from functions.plans import NothingToDo, Plan
from functions.reading import Deadline, open_reading
from functions.refusals import translate_error
from functions.registry import REGISTRY, Registry, find_session_scopes
from functions.results import Envelope, Result, build_refusal, build_success
from functions.selectors import PastCall, count_customer_calls, has_asked_for_money, list_past_calls
from functions.services.calls import IDENTITY_SIGNAL, clip_name

logger = logging.getLogger(__name__)

# Refused before anything was looked up.
DENIED_CODES = frozenset(
    {Code.UNKNOWN_FUNCTION, Code.NOT_ALLOWED, Code.INVALID_ARGUMENTS, Code.TOO_MANY_CALLS, Code.REPEATED_CALL}
)
# A text the model did not end is kept as far as it may mean something.
MAX_KEPT_CHARACTERS = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Everything that recording needs: an envelope, or a plan, or neither: an immediate action still to carry out.

    arguments       typed; None when the call was refused before they were
    arguments_json  as the model gave them, for the sealed copy
    arguments_hash  SHA-256 of their canonical bytes, hexadecimal
    ctx             None when the call was refused before the handler
    was_failed      the very same call failed before in this turn
    is_last         the turn may call nothing more after this one
    signals         closed words for what looked like an attack
    """

    call_id: UUID
    request: CallRequest
    function: Function | None
    arguments: BaseModel | None = field(default=None, repr=False)
    arguments_json: str = field(repr=False)
    arguments_hash: str
    arguments_public: Mapping[str, str] = field(default_factory=dict)
    ctx: Ctx | None = field(default=None, repr=False)
    envelope: Envelope | None = None
    plan: Plan | None = field(default=None, repr=False)
    code: Code | None = None
    duration_ms: int = 0
    language: str = "ru"
    was_failed: bool = False
    is_last: bool = False
    signals: tuple[str, ...] = ()

    @property
    def status(self) -> CallStatus:
        if self.code is None:
            return CallStatus.OK if self.plan is None else CallStatus.WAITING
        if self.code == Code.TIMEOUT:
            return CallStatus.TIMEOUT
        return CallStatus.DENIED if self.code in DENIED_CODES else CallStatus.ERROR


@dataclass(kw_only=True)
class Draft:
    """A call while it is evaluated; what is known when it ends early is kept."""

    request: CallRequest
    function: Function | None
    now: datetime
    limits: Limits
    deadline: Deadline
    scopes: frozenset[str]
    call_id: UUID = field(default_factory=uuid7)
    past: list[PastCall] = field(default_factory=list)
    raw: RawArguments | None = None
    arguments: Any = None
    ctx: Ctx | None = None
    language: str = "ru"
    envelope: Envelope | None = None
    plan: Plan | None = None


def evaluate_call(
    request: CallRequest, *, now: datetime, registry: Registry = REGISTRY, scopes: frozenset[str] | None = None
) -> Evaluation:
    """Return what the call leads to. Writes nothing; not inside a transaction.

    Limits are checked first, then scopes, then arguments; then the read runs, or the plan, in a read-only transaction.
    Raises nothing for what the model did, nor for a fault of a handler.

    scopes  None: those of the request's session
    """
    started = time.perf_counter()
    limits = get_limits()
    seconds = min(limits.handler_seconds, (request.deadline - now).total_seconds())
    function = registry.get_function(request.name)
    draft = Draft(
        request=request,
        function=function,
        now=now,
        limits=limits,
        deadline=Deadline(seconds),
        scopes=find_session_scopes(request.session_id) if scopes is None else scopes,
    )
    refused = catch_refusal(request.name, lambda: run_call(draft))
    return finish_draft(draft, refused, duration_ms=int((time.perf_counter() - started) * 1000))


def finish_draft(draft: Draft, refused: CallRefused | None, *, duration_ms: int) -> Evaluation:
    text = to_text(draft.request.arguments)
    canonical = draft.raw.canonical if draft.raw else text.encode("utf-8", "replace")
    digest = hashlib.sha256(canonical).hexdigest()
    was_failed = has_failed_before(draft.past, clip_name(draft.request.name), digest)
    code, envelope = (None, draft.envelope) if refused is None else settle_refusal(refused, was_failed=was_failed)
    return Evaluation(
        call_id=draft.call_id,
        request=draft.request,
        function=draft.function,
        arguments=draft.arguments,
        arguments_json=text,
        arguments_hash=digest,
        arguments_public=mask_arguments(draft.arguments),
        ctx=draft.ctx,
        envelope=envelope,
        plan=draft.plan if refused is None else None,
        code=code,
        duration_ms=duration_ms,
        language=draft.language,
        was_failed=was_failed,
        is_last=is_last(draft.past, code, draft.limits),
        signals=find_signals(draft),
    )


def find_signals(draft: Draft) -> tuple[str, ...]:
    """Return closed words for what a model under somebody's influence does."""
    if draft.function is None or draft.raw is None:
        return ()
    return (IDENTITY_SIGNAL,) if find_identity_arguments(draft.function, draft.raw) else ()


def settle_refusal(refused: CallRefused, *, was_failed: bool) -> tuple[Code, Envelope]:
    """Return code and envelope of a refusal; the second failure of the same call in a turn is its last."""
    is_repeated = was_failed and refused.code != Code.TOO_MANY_CALLS
    told = CallRefused(Code.REPEATED_CALL) if is_repeated else refused
    return told.code, build_refusal(told)


def to_text(arguments: Mapping[str, object] | str) -> str:
    """Return the arguments as the model gave them, as text that can be stored."""
    if not isinstance(arguments, str):
        try:
            arguments = json.dumps(dict(arguments), ensure_ascii=False)
        except (TypeError, ValueError, RecursionError):
            arguments = ""
    return arguments[:MAX_KEPT_CHARACTERS].encode("utf-8", "replace").decode().replace("\x00", "")


def catch_refusal(name: str, work: Callable[[], None]) -> CallRefused | None:
    """Return how `work` was refused; None when it was not. A fault of ours is logged without values, and is one too."""
    try:
        work()
    except CallRefused as refused:
        return refused
    except AccountsError as error:
        return translate_error(error)
    except Exception as error:  # noqa: BLE001 - the edge: whatever a handler does, the model gets an answer
        facts = {"function": clip_name(name), "fault": type(error).__name__, "place": find_place(error)}
        logger.error("function failed", extra=facts)  # noqa: TRY400 - a traceback's last line may hold a customer's values
        return CallRefused(Code.INTERNAL)
    return None


def find_place(error: Exception) -> str:
    """Return function and line where the error was raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}" if trace else ""


def run_call(draft: Draft) -> None:
    """Raises: CallRefused, AccountsError, and whatever a handler raises"""
    function = draft.function
    is_prepared = function is not None and function.preparation is not None
    with open_reading(draft.deadline):
        admit_call(draft)
        if not is_prepared:
            run_handler(draft)
    if is_prepared:
        prepare_call(draft)
        with open_reading(draft.deadline):
            run_handler(draft)


def admit_call(draft: Draft) -> None:
    """Check in order everything that comes before the handler, and build the handler's context.

    Raises: CallRefused
    """
    request, limits, function = draft.request, draft.limits, draft.function
    customer, authenticated_at = load_caller(request, draft.now)
    draft.language = customer.language
    draft.past = list_past_calls(request.turn_id)
    check_turn(draft.past, limits)
    since = draft.now - timedelta(seconds=limits.window_seconds)
    check_customer(count_customer_calls(customer.pk, since, most=limits.calls_per_customer), limits)
    if function is None:
        raise CallRefused(Code.UNKNOWN_FUNCTION)
    if not function.scopes <= draft.scopes:
        raise CallRefused(Code.NOT_ALLOWED)
    if function.is_money:
        check_money(has_asked_for_money(request.turn_id))
    draft.raw = read_arguments(request.arguments)
    draft.arguments = fit_arguments(function, draft.raw)
    draft.ctx = Ctx(
        customer=customer,
        session_id=request.session_id,
        conversation_id=request.conversation_id,
        turn_id=request.turn_id,
        call_id=draft.call_id,
        now=draft.now,
        handles=HandleTable.load(request.conversation_id, customer.pk),
        auth_age=draft.now - authenticated_at if authenticated_at else None,
        scopes=draft.scopes,
        deadline=request.deadline,
        customer_texts=request.customer_texts,
    )


def load_caller(request: CallRequest, now: datetime) -> tuple[Customer, datetime | None]:
    """Return the customer and, when there is a session, when the password was given last.

    Raises: CallRefused when the session ended meanwhile, or is not this customer's
    """
    if request.session_id is None:
        return Customer.objects.get(pk=request.customer_id), None
    caller = find_live_caller(request.session_id, customer_id=request.customer_id, now=now)
    if caller is None:
        raise CallRefused(Code.NOT_ALLOWED)
    return caller.customer, caller.authenticated_at


def prepare_call(draft: Draft) -> None:
    """Ask the outside system before the transaction: no network in one."""
    function, ctx = draft.function, draft.ctx
    if function is None or function.preparation is None or ctx is None:
        return
    ctx.prepared = function.preparation(ctx, draft.arguments)


def run_handler(draft: Draft) -> None:
    """Run the read or the plan; an immediate action waits for the recording, which may write."""
    function, ctx = draft.function, draft.ctx
    if function is None or ctx is None or function.is_immediate:
        return
    found = call_handler(function.handler, ctx, draft.arguments)
    if isinstance(found, Result):
        draft.envelope = build_success(found, limit=function.result_bytes)
    elif function.asks_customer:
        draft.plan = found
    else:
        raise TypeError("only what asks the customer may plan")


def call_handler(handler: Handler, ctx: Ctx, arguments: Any) -> Plan | Result:
    """Return the plan or the result; of a plan that would change nothing, the result that says so.

    Raises: TypeError when a handler returned anything else
    """
    try:
        found = handler(ctx, arguments)
    except NothingToDo as done:
        found = done.result
    if not isinstance(found, Plan | Result):
        raise TypeError("a plan or a result is expected")
    return found
