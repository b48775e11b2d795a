"""Calling the bank's functions as dispatch and the decision do, without their records."""

from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID, uuid4

from accounts.models import Customer
from functions.arguments import parse_arguments
from functions.context import Ctx, ExecCtx
from functions.definitions import Function
from functions.enums import HandleKind
from functions.errors import CallRefused
from functions.handles import HandleTable
from functions.plans import Executed, NothingToDo, Plan
from functions.registry import REGISTRY
from functions.results import Result
from tests.factories.ledger import NOW, build_context

Expected = TypeVar("Expected")


def open_ctx(
    customer: Customer, *, texts: tuple[str, ...] = (), conversation_id: UUID | None = None, now: datetime = NOW
) -> Ctx:
    """Return the context of one call; handles minted in it are kept as long as it."""
    conversation = conversation_id or uuid4()
    return Ctx(
        customer=customer,
        session_id=uuid4(),
        conversation_id=conversation,
        turn_id=uuid4(),
        call_id=uuid4(),
        now=now,
        handles=HandleTable.load(conversation, customer.pk),
        customer_texts=texts,
    )


def type_phone(ctx: Ctx, phone: str) -> str:
    """Return the handle the masker gives to a phone the customer typed."""
    return ctx.handles.mint_value(HandleKind.PHONE, phone)


def get_declared(name: str) -> Function:
    function = REGISTRY.get_function(name)
    assert function is not None
    return function


def call(ctx: Ctx, name: str, **arguments: Any) -> Any:
    """Return what the function gives: a result, which fits its model as JSON, or a plan that survives storing."""
    function = get_declared(name)
    typed = parse_arguments(function, arguments)
    if function.preparation is not None:
        ctx.prepared = function.preparation(ctx, typed)
    try:
        found = function.handler(ctx, typed)
    except NothingToDo as done:
        found = done.result
    if isinstance(found, Plan):
        assert type(found).model_validate_json(found.model_dump_json()) == found
        return found
    assert_fits(function, found)
    return found


def assert_fits(function: Function, found: object) -> None:
    assert function.result is not None
    assert isinstance(found, Result)
    assert isinstance(found, function.result)
    again = function.result.model_validate_json(found.model_dump_json(exclude_none=True))
    assert again.model_dump() == found.model_dump()


def refuse(ctx: Ctx, name: str, **arguments: Any) -> CallRefused:
    """Return how the call is refused."""
    try:
        found = call(ctx, name, **arguments)
    except CallRefused as refused:
        return refused
    raise AssertionError(f"{name} was not refused: {type(found).__name__}")


def execute(ctx: Ctx, name: str, plan: Plan, *, now: datetime | None = None) -> Executed:
    """Carry the plan out as it was stored, as a decision about it does, in the test's own transaction."""
    function = get_declared(name)
    ctx.handles.save(ctx.now)
    exec_ctx = open_exec(ctx, now=now)
    assert function.executor is not None
    executed: Executed = function.executor(exec_ctx, type(plan).model_validate_json(plan.model_dump_json()))
    if executed.terms == plan.build_terms():
        assert_fits(function, executed.data)
    return executed


def open_exec(ctx: Ctx, *, now: datetime | None = None) -> ExecCtx:
    return ExecCtx(
        customer=Customer.objects.get(pk=ctx.customer.pk),
        session_id=None,
        conversation_id=ctx.conversation_id,
        turn_id=ctx.turn_id,
        call_id=ctx.call_id,
        now=now or ctx.now,
        handles=HandleTable.load(ctx.conversation_id, ctx.customer.pk),
        audit_context=build_context(),
        confirmation_id=uuid4(),
    )
