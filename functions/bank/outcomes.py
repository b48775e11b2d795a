"""What every payment has in common: its plan's terms, and what the model is told of it afterwards."""

from enum import StrEnum
from uuid import UUID

from typing_extensions import override

from accounts.enums import OperationStatus
from accounts.models import Operation
from accounts.money import Money
from accounts.selectors.operations import read_amounts
from functions.context import ExecCtx
from functions.fields import PublicName
from functions.naming import name_account
from functions.plans import Executed, Plan
from functions.results import MoneyView, Result


class PaymentStatus(StrEnum):
    """`processing` is not done: the other side has not answered yet."""

    EXECUTED = "executed"
    PROCESSING = "processing"


class PaymentOutcome(Result):
    """What became of a payment the customer confirmed; `memo` is left out when nothing was sent with it."""

    status: PaymentStatus
    amount: MoneyView
    fee: MoneyView
    from_account: str
    from_title: PublicName
    to_title: PublicName
    bank: PublicName | None = None
    memo_untrusted: str | None = None
    available_after: MoneyView


class PaymentPlan(Plan):
    """Money from one account of the customer's; amounts in minor units, ids are public ids.

    source_name, target_name  masked, as the customer is shown them
    """

    source: UUID
    source_name: str
    target: UUID
    target_name: str
    bank: str = ""
    minor: int
    fee_minor: int
    currency: str
    memo: str = ""

    @property
    def amount(self) -> Money:
        return Money(self.minor, self.currency)

    @override
    def build_terms(self) -> dict[str, str]:
        terms = {
            "from": str(self.source),
            "from_name": self.source_name,
            "to": str(self.target),
            "to_name": self.target_name,
            "amt": str(self.minor),
            "ccy": self.currency,
            "fee": str(self.fee_minor),
        }
        extra = {"bank": self.bank, "memo": self.memo}
        return {**terms, **{name: value for name, value in extra.items() if value}}


def report_payment(ctx: ExecCtx, plan: PaymentPlan, operation: Operation) -> Executed:
    """Return what the bank did, read back from its rows: amount, fee and names as they are, whatever was planned.

    plan  with the payee's name as it is now
    """
    amount, fee = read_amounts(operation)
    source = ctx.accounts.get(public_id=plan.source)
    real = plan.model_copy(
        update={
            "minor": amount.minor,
            "fee_minor": fee.minor,
            "currency": amount.currency,
            "source_name": name_account(source),
        }
    )
    is_done = operation.status == OperationStatus.POSTED
    outcome = PaymentOutcome(
        status=PaymentStatus.EXECUTED if is_done else PaymentStatus.PROCESSING,
        amount=MoneyView.from_money(amount),
        fee=MoneyView.from_money(fee),
        from_account=ctx.handle_for(source),
        from_title=real.source_name,
        to_title=ctx.untrusted(real.target_name),
        bank=real.bank or None,
        memo_untrusted=ctx.untrusted(real.memo) or None,
        available_after=MoneyView.from_money(source.available),
    )
    terms = real.build_terms()
    return Executed(terms=terms, data=outcome, receipt=terms, operation=operation, plan=real)
