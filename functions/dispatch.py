"""The doors for whoever drives the model: what it may call, and the two steps of a call.

`evaluate_call` finds out and writes nothing; `record_call` writes everything down in the caller's transaction. A call
that waits for the customer is answered later, once, by `answer_call`.
"""

import time
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.utils import translation
from django.utils.translation import gettext_lazy as _

from accounts.vault import seal_text
from audit.context import AuditContext
from functions.calls import CallResult
from functions.confirmations.asking import request_confirmation
from functions.context import Ctx, ExecCtx
from functions.evaluation import Evaluation, call_handler, catch_refusal, evaluate_call, settle_refusal
from functions.limits import ENDING_CODES, get_limits
from functions.models import Confirmation, FunctionCall
from functions.plans import Plan
from functions.reading import Deadline, limit_writing
from functions.registry import REGISTRY, Registry, find_session_scopes
from functions.results import Envelope, Result, build_success
from functions.schemas import render_gigachat
from functions.selectors import StoredCall, list_conversation_calls, list_turn_calls
from functions.services.calls import CallRecord, answer_call, store_call

__all__ = [
    "Evaluation",
    "StoredCall",
    "answer_call",
    "evaluate_call",
    "list_conversation_calls",
    "list_turn_calls",
    "record_call",
    "render_offer",
]

UNKNOWN_LABEL = _("Working on it")


def render_offer(*, session_id: UUID | None, registry: Registry = REGISTRY) -> tuple[Mapping[str, Any], ...]:
    """Return the functions that the model is told of in a session's turn, as GigaChat wants them; None: nobody's."""
    return render_functions(registry, find_session_scopes(session_id))


@lru_cache(maxsize=16)
def render_functions(registry: Registry, scopes: frozenset[str]) -> tuple[Mapping[str, Any], ...]:
    """Return the renderings, the same objects every time: a registry never changes after the start."""
    return tuple(render_gigachat(function) for function in registry.list_functions(scopes))


def record_call(context: AuditContext, evaluation: Evaluation, *, now: datetime) -> CallResult:
    """Write the call, its handles and its audit entries, and ask the customer when it is a plan.

    In the caller's transaction: all of it commits or nothing. An immediate action is carried out here; when it fails,
    only its own part is undone. Recording the same step of a turn twice is an IntegrityError.

    Raises: HandlesChanged when another writer of the conversation came between; evaluating the call again helps
    """
    settled = carry_out(context, evaluation)
    if settled.ctx is not None:
        settled.ctx.handles.save(now)
    call = store_call(context, build_record(settled), now=now)
    return build_result(settled, call, ask_customer(context, call, evaluation=settled, now=now))


def carry_out(context: AuditContext, evaluation: Evaluation) -> Evaluation:
    """Return the evaluation with the outcome of its immediate action; any other one as it is."""
    function, ctx = evaluation.function, evaluation.ctx
    if function is None or ctx is None or not function.is_immediate or evaluation.code is not None:
        return evaluation
    done: list[Envelope] = []
    started = time.perf_counter()

    def work() -> None:
        with limit_writing(Deadline(get_limits().handler_seconds)):
            found = call_handler(function.handler, open_execution(ctx, context), evaluation.arguments)
        done.append(build_success(take_result(found), limit=function.result_bytes))

    refused = catch_refusal(function.name, work)
    duration_ms = evaluation.duration_ms + int((time.perf_counter() - started) * 1000)
    if refused is None:
        return replace(evaluation, envelope=done[0], duration_ms=duration_ms)
    code, envelope = settle_refusal(refused, was_failed=evaluation.was_failed)
    is_over = evaluation.is_last or code in ENDING_CODES
    return replace(evaluation, envelope=envelope, code=code, duration_ms=duration_ms, is_last=is_over)


def take_result(found: Plan | Result) -> Result:
    if isinstance(found, Plan):
        raise TypeError("an immediate action asks nobody")
    return found


def open_execution(ctx: Ctx, context: AuditContext) -> ExecCtx:
    """Return the context of an immediate action; cards and handles are shared with `ctx`."""
    return ExecCtx(**{field.name: getattr(ctx, field.name) for field in fields(ctx)}, audit_context=context)


def build_record(evaluation: Evaluation) -> CallRecord:
    return CallRecord(
        call_id=evaluation.call_id,
        request=evaluation.request,
        function=evaluation.function,
        sealed=seal_text(evaluation.arguments_json),
        digest=evaluation.arguments_hash,
        public=evaluation.arguments_public,
        status=evaluation.status,
        code=evaluation.code,
        result=evaluation.envelope.text if evaluation.envelope else "",
        duration_ms=evaluation.duration_ms,
        signals=evaluation.signals,
    )


def ask_customer(
    context: AuditContext, call: FunctionCall, *, evaluation: Evaluation, now: datetime
) -> Confirmation | None:
    if evaluation.function is None or evaluation.plan is None:
        return None
    return request_confirmation(context, call=call, function=evaluation.function, plan=evaluation.plan, now=now)


def build_result(evaluation: Evaluation, call: FunctionCall, confirmation: Confirmation | None) -> CallResult:
    envelope, function = evaluation.envelope, evaluation.function
    with translation.override(evaluation.language):
        label = str(function.label if function else UNKNOWN_LABEL)
    return CallResult(
        call_id=call.pk,
        name=call.name,
        status=evaluation.status,
        label=label,
        arguments_public=evaluation.arguments_public,
        result=envelope.text if envelope else None,
        result_public=envelope.public if envelope else {},
        confirmation=confirmation,
        cards=tuple(evaluation.ctx.shown) if evaluation.ctx and evaluation.code is None else (),
        ends_functions=evaluation.is_last,
    )
