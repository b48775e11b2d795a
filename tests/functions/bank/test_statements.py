from datetime import date

import pytest

from accounts.models import Account, StatementRequest
from audit.models import AuditEntry
from functions.context import Ctx
from functions.enums import Risk
from functions.errors import Code
from tests.factories.ledger import make_account
from tests.functions.bank.acting import call, execute, open_ctx, refuse

pytestmark = pytest.mark.django_db
NAME = "request_statement"
OCTOBER = {"date_from": "2026-10-01", "date_to": "2026-10-31", "format": "pdf"}


@pytest.fixture
def account() -> Account:
    return make_account()


@pytest.fixture
def ctx(account: Account) -> Ctx:
    assert account.customer is not None
    found = open_ctx(account.customer)
    assert found.handle_for(account) == "acc_1"
    return found


def test_statement_is_planned_and_then_ordered_for_the_app_alone(account: Account, ctx: Ctx) -> None:
    plan = call(ctx, NAME, account="acc_1", **OCTOBER)
    assert plan.build_terms() == {
        "from": str(account.public_id),
        "from_name": f"Текущий ··{account.last4}",
        "period": "2026-10-01/2026-10-31",
        "format": "pdf",
    }
    assert (plan.risk, StatementRequest.objects.count()) == (Risk.NONE, 0)

    done = execute(ctx, NAME, plan)

    request = StatementRequest.objects.get()
    assert (request.account, request.date_from, request.date_to, request.format) == (
        account,
        date(2026, 10, 1),
        date(2026, 10, 31),
        "pdf",
    )
    assert AuditEntry.objects.filter(subject_id=str(request.public_id)).values_list("action", flat=True)[0] == (
        "statement.requested"
    )
    told = done.data.model_dump()
    assert (told["statement"], told["account"], told["ready_on"]) == ("file_1", "acc_1", "2026-11-01")
    assert str(request.public_id) not in done.data.model_dump_json()
    assert done.receipt == {**plan.build_terms(), "statement": str(request.public_id)}


@pytest.mark.parametrize(
    ("days", "field"),
    [
        ({"date_from": "2026-10-31", "date_to": "2026-10-01"}, "date_from"),
        ({"date_to": "2026-11-02"}, "date_to"),
        ({"date_from": "2023-10-31"}, "date_from"),
        ({"format": "xls"}, "format"),
    ],
)
def test_senseless_days_are_bad_arguments(days: dict[str, str], field: str, ctx: Ctx) -> None:
    refused = refuse(ctx, NAME, account="acc_1", **OCTOBER | days)
    assert (refused.code, [problem.name for problem in refused.fields]) == (Code.INVALID_ARGUMENTS, [field])


def test_accounts_of_others_are_unknown(ctx: Ctx) -> None:
    assert refuse(ctx, NAME, account=ctx.handle_for(make_account()), **OCTOBER).code == Code.UNKNOWN_REFERENCE
    assert refuse(ctx, NAME, account="acc_7", **OCTOBER).code == Code.UNKNOWN_REFERENCE
