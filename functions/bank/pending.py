"""Withdrawing what waits: all the model may do about a confirmation, because it is the safe direction."""

from typing import NoReturn
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from pydantic import Field

from functions.arguments import Args
from functions.confirmations.closing import cancel_confirmation
from functions.context import ExecCtx
from functions.enums import ConfirmationState, HandleKind
from functions.errors import Code, ConfirmationDecided, ConfirmationNotFound
from functions.fields import ConfirmationHandle
from functions.registry import action
from functions.results import Result


class PendingArgument(Args):
    """Which confirmation; without it the newest that waits."""

    confirm: ConfirmationHandle | None = Field(
        default=None, description="Какое действие отменить, например confirm_1; без него последнее ожидающее"
    )


class PendingOutcome(Result):
    """What the action is now."""

    confirm: str
    state: ConfirmationState


@action(
    "cancel_pending_action",
    version=1,
    scopes={"actions"},
    label=_("Withdrawing the action"),
    examples=[
        ("отмени, я передумал", {}),
        ("не надо этот перевод", {"confirm": "confirm_1"}),
    ],
    is_immediate=True,
)
def cancel_pending_action(ctx: ExecCtx, a: PendingArgument) -> PendingOutcome:
    """Отменяет действие, которое ждёт подтверждения клиента или приостановлено для проверки: деньги не уйдут.
    Выполненное действие так не отменить. Вызывай, когда клиент передумал.
    """
    try:
        cancelled = cancel_confirmation(
            ctx.audit_context,
            customer_id=ctx.customer.pk,
            conversation_id=ctx.conversation_id,
            confirmation_id=find_confirmation(ctx, a.confirm),
            now=ctx.now,
        )
    except ConfirmationNotFound:
        ctx.refuse(Code.UNKNOWN_REFERENCE, "Ничего не ждёт подтверждения.", fix="Скажи клиенту, что отменять нечего.")
    except ConfirmationDecided as decided:
        refuse_decided(ctx, decided.state)
    return PendingOutcome(confirm=ctx.handle_for(cancelled), state=ConfirmationState(cancelled.state))


def find_confirmation(ctx: ExecCtx, text: str | None) -> UUID | None:
    """Return the id a handle stands for; None without a handle.

    Raises: CallRefused unknown_reference
    """
    if text is None:
        return None
    handle = ctx.handles.find_kind(text, HandleKind.CONFIRMATION)
    return UUID(handle.reference) if handle is not None else ctx.refuse_unknown(HandleKind.CONFIRMATION)


def refuse_decided(ctx: ExecCtx, state: str) -> NoReturn:
    """Raises: CallRefused expired, or duplicate when it was decided in any other way"""
    if state == ConfirmationState.EXPIRED:
        ctx.refuse(Code.EXPIRED, "Время на подтверждение вышло, действие не выполнено.", fix="Скажи об этом клиенту.")
    ctx.refuse(Code.DUPLICATE, "Это действие уже завершено, отменить его нельзя.", fix="Скажи об этом клиенту.")
