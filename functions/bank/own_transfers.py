"""Moving money between two accounts of the customer's own."""

from typing import ClassVar

from django.utils.translation import gettext_lazy as _
from pydantic import Field

from accounts.enums import OperationSource
from accounts.orders import OwnTransferOrder
from accounts.services.tariffs import compute_fee
from accounts.services.transfers import TARIFF, post_own_transfer
from functions.arguments import Args
from functions.bank.outcomes import PaymentOutcome, PaymentPlan, report_payment
from functions.bank.previews import check_caps, check_funds, check_source, check_target
from functions.bank.risk import describe_amount_origin
from functions.context import Ctx, ExecCtx
from functions.enums import Risk
from functions.errors import Code
from functions.fields import AccountHandle, Rubles
from functions.naming import name_account
from functions.plans import Executed
from functions.registry import money


class OwnTransferArguments(Args):
    """From where, to where, how much."""

    from_account: AccountHandle = Field(description="С какого счёта, например acc_1")
    to_account: AccountHandle = Field(description="На какой счёт, например acc_2")
    amount: Rubles = Field(description="Сумма перевода")


class OwnTransferPlan(PaymentPlan):
    """Between two accounts of the customer's, both in roubles."""

    ACT: ClassVar[str] = "transfer_own"


@money(
    "transfer_between_own_accounts",
    version=1,
    scopes={"transfers:own"},
    label=_("Preparing a transfer"),
    result=PaymentOutcome,
    examples=[
        (
            "переведи 500 с накопительного на карту",
            {"from_account": "acc_2", "to_account": "acc_1", "amount": 500},
        ),
        (
            "отложи 10 000,50 на накопительный",
            {"from_account": "acc_1", "to_account": "acc_2", "amount": 10000.5},
        ),
    ],
)
def plan_own_transfer(ctx: Ctx, a: OwnTransferArguments) -> OwnTransferPlan:
    """Готовит перевод в рублях между своими счетами клиента: проверяет счета, остаток, лимиты и комиссию. Деньги уйдут
    только после подтверждения в приложении; сам подтвердить перевод ты не можешь.
    """
    source, target = ctx.resolve_account(a.from_account), ctx.resolve_account(a.to_account)
    if source.pk == target.pk:
        ctx.refuse(Code.SAME_ACCOUNT, "Счёт списания и счёт зачисления совпадают.")
    check_source(ctx, source, a.amount.currency)
    check_target(ctx, target)
    if target.currency != a.amount.currency:
        ctx.refuse(Code.CURRENCY_MISMATCH, "Счёт зачисления в другой валюте, перевод возможен только в рублях.")
    fee = compute_fee(TARIFF, customer_id=ctx.customer.pk, amount=a.amount, day=ctx.today)
    check_caps(ctx, TARIFF, a.amount)
    check_funds(ctx, source, amount=a.amount, fee=fee)
    origin, warnings = describe_amount_origin(ctx, a.amount)
    return OwnTransferPlan(
        risk=Risk.LOW,
        warnings=warnings,
        origins=(origin,),
        source=source.public_id,
        source_name=name_account(source),
        target=target.public_id,
        target_name=name_account(target),
        minor=a.amount.minor,
        fee_minor=fee.minor,
        currency=a.amount.currency,
    )


@plan_own_transfer.execute
def execute_own_transfer(ctx: ExecCtx, plan: OwnTransferPlan) -> Executed:
    """Post the confirmed transfer.

    Raises: OperationRefused, NotFound
    """
    order = OwnTransferOrder(
        customer_id=ctx.customer.pk,
        idempotency_key=ctx.idempotency_key,
        source=OperationSource.ASSISTANT,
        confirmation=ctx.confirmation_id,
        source_account=plan.source,
        target_account=plan.target,
        amount=plan.amount,
    )
    ctx.order = order
    operation = post_own_transfer(ctx.audit_context, order=order, now=ctx.now)
    target = ctx.accounts.get(public_id=plan.target)
    return report_payment(ctx, plan.model_copy(update={"target_name": name_account(target)}), operation)
