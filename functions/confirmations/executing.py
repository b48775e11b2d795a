"""Carrying a confirmed plan out inside the transaction of the decision: all of it, or nothing and a reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction

from accounts.errors import AccountsError, OperationRefused, TransferSuspended
from accounts.models import Customer
from accounts.orders import Order
from audit.context import AuditContext
from functions.confirmations.payloads import build_terms, normalise_terms
from functions.context import ExecCtx
from functions.definitions import Function
from functions.errors import CallRefused, Code, FunctionsError
from functions.handles import HandleTable
from functions.models import Confirmation
from functions.plans import Executed, Plan
from functions.refusals import translate_error


class TermsChanged(FunctionsError):
    """What was carried out is not what the customer saw; it is rolled back."""

    def __init__(self, executed: Executed) -> None:
        super().__init__("the terms changed")
        self.executed = executed


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """How an execution ended; exactly one of `executed`, `changed`, `suspended`, `refused` is set.

    changed    rolled back: the terms were others
    suspended  rolled back: antifraud delays it
    refused    rolled back: a rule of the bank or of the function; `cause` is the bank's own error
    order      what was ordered from the bank, if it came to that
    cards      what the app shows of it, never the model
    """

    executed: Executed | None = None
    changed: Executed | None = None
    suspended: TransferSuspended | None = None
    refused: CallRefused | None = None
    cause: OperationRefused | None = None
    order: Order | None = None
    cards: tuple[Mapping[str, object], ...] = field(default=(), repr=False)


def execute_plan(
    context: AuditContext, confirmation: Confirmation, *, function: Function, plan: Plan, now: datetime
) -> Attempt:
    """Run the function's executor on the stored plan; what it began is undone unless it did exactly that plan.

    What the database raises (a lost race of locks) goes through: the whole decision must be tried again.
    """
    ctx = build_context(context, confirmation, function, now)
    try:
        executed = run_executor(ctx, function, plan)
    except TermsChanged as error:
        return Attempt(changed=error.executed)
    except TransferSuspended as error:
        return Attempt(suspended=error, order=ctx.order)
    except CallRefused as refused:
        return Attempt(refused=refused)
    except AccountsError as error:
        cause = error if isinstance(error, OperationRefused) else None
        return Attempt(refused=translate_error(error), cause=cause, order=ctx.order)
    except ObjectDoesNotExist:
        return Attempt(refused=CallRefused(Code.UNKNOWN_REFERENCE))
    return Attempt(executed=executed, cards=tuple(ctx.shown))


def build_context(context: AuditContext, confirmation: Confirmation, function: Function, now: datetime) -> ExecCtx:
    """Return what the executor sees: the customer's rows and handles, nothing that the model or a phone said."""
    return ExecCtx(
        customer=Customer.objects.select_related("user").get(pk=confirmation.customer_id),
        session_id=None,
        conversation_id=confirmation.conversation_id,
        turn_id=confirmation.turn_id,
        call_id=confirmation.call_id,
        now=now,
        handles=HandleTable.load(confirmation.conversation_id, confirmation.customer_id),
        scopes=function.scopes,
        audit_context=context,
        confirmation_id=confirmation.pk,
    )


@transaction.atomic
def run_executor(ctx: ExecCtx, function: Function, plan: Plan) -> Executed:
    """Execute in a savepoint of its own.

    Raises: TermsChanged, and whatever the executor refuses with
    """
    assert function.executor is not None, "a function that asks the customer has an executor (checks.E005)"
    executed: Executed = function.executor(ctx, plan)
    if normalise_terms(executed.terms) != build_terms(plan):
        raise TermsChanged(executed)
    ctx.handles.save(ctx.now)
    return executed
