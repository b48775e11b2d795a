"""Ordering a statement; the file itself is only ever in the app."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from pydantic import Field
from typing_extensions import override

from accounts.enums import StatementFormat
from accounts.local_days import DateRange, add_months
from accounts.models import StatementRequest
from accounts.services.requests import request_statement as order_statement
from functions.arguments import Args
from functions.bank.days import refuse_field
from functions.context import Ctx, ExecCtx
from functions.enums import Risk
from functions.fields import AccountHandle, Day, PublicName
from functions.naming import name_account
from functions.plans import Executed, Plan
from functions.registry import action
from functions.results import Result

MOST_MONTHS = 36


class StatementArguments(Args):
    """Of which account, over which days, in what file."""

    account: AccountHandle = Field(description="Счёт, например acc_1")
    date_from: Day = Field(description="Первый день выписки включительно")
    date_to: Day = Field(description="Последний день выписки включительно")
    format: StatementFormat = Field(description="Файл: pdf — для печати и справок, csv — таблица")


class StatementPlan(Plan):
    """A statement that is to be made."""

    ACT: ClassVar[str] = "statement"

    account_id: UUID
    account_name: str
    first: date
    last: date
    file_format: StatementFormat

    @override
    def build_terms(self) -> dict[str, str]:
        return {
            "from": str(self.account_id),
            "from_name": self.account_name,
            "period": f"{self.first.isoformat()}/{self.last.isoformat()}",
            "format": self.file_format.value,
        }


class StatementOutcome(Result):
    """The statement is ready in the app; `statement` is its handle."""

    statement: str
    account: str
    title: PublicName
    date_from: Day
    date_to: Day
    format: StatementFormat
    ready_on: Day


@action(
    "request_statement",
    version=1,
    scopes={"statements"},
    label=_("Preparing a statement"),
    result=StatementOutcome,
    examples=[
        (
            "сделай выписку за январь 2026",
            {"account": "acc_1", "date_from": "2026-01-01", "date_to": "2026-01-31", "format": "pdf"},
        ),
        (
            "выгрузи операции за первый квартал в таблицу",
            {"account": "acc_2", "date_from": "2026-01-01", "date_to": "2026-03-31", "format": "csv"},
        ),
    ],
)
def plan_statement(ctx: Ctx, a: StatementArguments) -> StatementPlan:
    """Готовит выписку по счёту за период в файле pdf или csv, не больше трёх лет. После подтверждения файл появится в
    приложении; содержимого файла ты не видишь.
    """
    account = ctx.resolve_account(a.account)
    if a.date_from > a.date_to:
        refuse_field("date_from", "позже date_to", "дата не позже date_to")
    if a.date_to > ctx.today:
        refuse_field("date_to", "в будущем", "дата не позже сегодняшней")
    if add_months(a.date_from, MOST_MONTHS) <= a.date_to:
        refuse_field("date_from", "слишком длинный период", f"не больше {MOST_MONTHS} месяцев")
    return StatementPlan(
        risk=Risk.NONE,
        account_id=account.public_id,
        account_name=name_account(account),
        first=a.date_from,
        last=a.date_to,
        file_format=a.format,
    )


@plan_statement.execute
def execute_statement(ctx: ExecCtx, plan: StatementPlan) -> Executed:
    """Order the confirmed statement.

    Raises: NotFound
    """
    account = ctx.accounts.get(public_id=plan.account_id)
    request = order_statement(
        ctx.audit_context,
        customer_id=ctx.customer.pk,
        account_id=plan.account_id,
        days=DateRange(plan.first, plan.last),
        file_format=plan.file_format,
        now=ctx.now,
    )
    outcome = StatementOutcome(
        statement=ctx.handle_for(request),
        account=ctx.handle_for(account),
        title=name_account(account),
        date_from=plan.first,
        date_to=plan.last,
        format=plan.file_format,
        # The file is made the moment it is fetched.
        ready_on=ctx.today,
    )
    show_download(ctx, request)
    receipt = {**plan.build_terms(), "statement": str(request.public_id)}
    return Executed(terms=plan.build_terms(), data=outcome, receipt=receipt)


def show_download(ctx: ExecCtx, request: StatementRequest) -> None:
    """Let the app offer the file: `statement` is the id for `GET /statements/{id}`."""
    ctx.card(
        "statement",
        statement=str(request.public_id),
        title=name_account(request.account),
        date_from=request.date_from.isoformat(),
        date_to=request.date_to.isoformat(),
        format=StatementFormat(request.format).value,
    )
