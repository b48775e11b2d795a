"""Paying a bill in full."""

from typing import ClassVar

from django.utils.translation import gettext_lazy as _
from pydantic import Field

from accounts.enums import BillStatus, OperationKind, OperationSource
from accounts.models import Bill
from accounts.money import Money, format_money
from accounts.orders import BillPaymentOrder
from accounts.services.outgoing import place_bill_payment
from functions.arguments import Args
from functions.bank.days import refuse_field
from functions.bank.outcomes import PaymentOutcome, PaymentPlan, report_payment
from functions.bank.previews import check_caps, check_funds, choose_source
from functions.bank.risk import LARGE, describe_amount_origin
from functions.context import Ctx, ExecCtx
from functions.enums import PlanWarning, Risk
from functions.errors import Code
from functions.fields import AccountHandle, BillHandle, Rubles
from functions.naming import name_account, name_biller
from functions.plans import Executed
from functions.registry import money
from functions.results import Result

CODE = OperationKind.BILL_PAYMENT.value


class BillArguments(Args):
    """Which bill, and perhaps from where."""

    bill: BillHandle = Field(description="Счёт на оплату, например bill_1, из ответа list_upcoming_payments")
    amount: Rubles | None = Field(
        default=None, description="Сумма, если клиент её назвал; счёт оплачивается только целиком"
    )
    from_account: AccountHandle | None = Field(
        default=None, description="С какого счёта, например acc_1; без него единственный текущий счёт"
    )


class BillPlan(PaymentPlan):
    """One bill, in full; `target` is the bill."""

    ACT: ClassVar[str] = "pay_bill"


@money(
    "pay_bill",
    version=1,
    scopes={"bills:pay"},
    label=_("Preparing a bill payment"),
    result=PaymentOutcome,
    examples=[
        ("оплати счёт за квартиру", {"bill": "bill_1"}),
        ("заплати 3500 за интернет с acc_1", {"bill": "bill_2", "amount": 3500, "from_account": "acc_1"}),
    ],
)
def plan_bill(ctx: Ctx, a: BillArguments) -> BillPlan:
    """Готовит оплату выставленного счёта целиком: проверяет, что он не оплачен, сумму, остаток и лимиты. Деньги уйдут
    только после подтверждения в приложении; сам подтвердить ты не можешь.
    """
    bill = ctx.resolve_bill(a.bill)
    amount = check_bill(ctx, bill, a.amount)
    source = choose_source(ctx, a.from_account, currency=amount.currency)
    no_fee = Money(0, amount.currency)
    check_caps(ctx, CODE, amount)
    check_funds(ctx, source, amount=amount, fee=no_fee)
    origin, warnings = describe_amount_origin(ctx, amount, bill=amount)
    is_large = amount.currency == LARGE.currency and amount > LARGE
    return BillPlan(
        risk=Risk.HIGH if is_large else Risk.LOW,
        warnings=(*warnings, *((PlanWarning.LARGE_AMOUNT.value,) if is_large else ())),
        origins=(origin,),
        source=source.public_id,
        source_name=name_account(source),
        target=bill.public_id,
        target_name=name_biller(bill),
        minor=amount.minor,
        fee_minor=0,
        currency=amount.currency,
    )


def check_bill(ctx: Ctx, bill: Bill, named: Money | None) -> Money:
    """Return what the bill asks for.

    Raises: CallRefused duplicate, unknown_reference, invalid_arguments when the customer named another amount
    """
    if bill.status == BillStatus.PAID:
        ctx.refuse(Code.DUPLICATE, "Этот счёт уже оплачен.")
    if bill.status == BillStatus.PROCESSING:
        ctx.refuse(Code.DUPLICATE, "Оплата этого счёта уже идёт.", fix="Скажи клиенту, что платёж в пути.")
    if bill.status == BillStatus.CANCELLED:
        ctx.refuse(Code.UNKNOWN_REFERENCE, "Этот счёт отменён.", fix="Вызови list_upcoming_payments ещё раз.")
    amount = Money(bill.amount_minor, bill.currency)
    if named is not None and named != amount:
        refuse_field("amount", "не равна сумме счёта", f"сумма счёта целиком: {format_money(amount)}")
    return amount


@plan_bill.execute
def execute_bill(ctx: ExecCtx, plan: BillPlan) -> Executed:
    """Hold the money of the confirmed payment; the biller is asked after the commit.

    A bill that asks for another sum now is not paid: the customer must be asked about the other sum.

    Raises: OperationRefused, NotFound
    """
    bill = ctx.bills.get(public_id=plan.target)
    actual = plan.model_copy(
        update={
            "minor": bill.amount_minor,
            "currency": bill.currency,
            "target_name": name_biller(bill),
        }
    )
    if actual != plan:
        return Executed(terms=actual.build_terms(), data=Result(), plan=actual)
    order = BillPaymentOrder(
        customer_id=ctx.customer.pk,
        idempotency_key=ctx.idempotency_key,
        source=OperationSource.ASSISTANT,
        confirmation=ctx.confirmation_id,
        source_account=plan.source,
        bill=plan.target,
        amount=plan.amount,
    )
    ctx.order = order
    return report_payment(ctx, plan, place_bill_payment(ctx.audit_context, order=order, now=ctx.now))
