import pytest

from accounts.enums import BillStatus, LimitPeriod
from accounts.gateways.demo import DemoGateway
from accounts.ledger_check import check_ledger
from accounts.models import Account, Bill, Customer, Operation
from accounts.services.gateway_orders import complete_operation
from functions.context import Ctx
from functions.enums import Risk
from functions.errors import Code
from tests.factories.accounts import make_customer
from tests.factories.ledger import NOW, build_context, make_account, make_bill, read_actions, read_books, set_limit
from tests.functions.bank.acting import call, execute, open_ctx, refuse

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer() -> Customer:
    return make_customer()


@pytest.fixture
def source(customer: Customer) -> Account:
    return make_account(customer, balance=1_000_000)


@pytest.fixture
def bill(customer: Customer) -> Bill:
    return make_bill(customer, 350_000)


@pytest.fixture
def ctx(customer: Customer, source: Account, bill: Bill) -> Ctx:
    found = open_ctx(customer)
    assert (found.handle_for(bill), found.handle_for(source)) == ("bill_1", "acc_1")
    return found


def test_plan_is_the_bill_and_pays_nothing(source: Account, bill: Bill, ctx: Ctx) -> None:
    plan = call(ctx, "pay_bill", bill="bill_1")
    assert plan.build_terms() == {
        "from": str(source.public_id),
        "from_name": f"Текущий ··{source.last4}",
        "to": str(bill.public_id),
        "to_name": "УК «Уют»",
        "amt": "350000",
        "ccy": "RUB",
        "fee": "0",
    }
    assert (plan.risk, plan.warnings, plan.origins) == (Risk.LOW, (), ("amount_of_bill",))
    assert (Operation.objects.filter(kind="bill_payment").count(), bill.status) == (0, BillStatus.UNPAID)


def test_execution_pays_exactly_the_bill(source: Account, bill: Bill, ctx: Ctx) -> None:
    plan = call(ctx, "pay_bill", bill="bill_1", amount="3 500,00", from_account="acc_1")

    done = execute(ctx, "pay_bill", plan)

    operation = done.operation
    assert operation is not None
    bill.refresh_from_db()
    assert (bill.status, operation.bill_id, operation.idem_key) == ("processing", bill.pk, str(operation.confirmation))
    assert (read_books(source), done.terms) == ((1_000_000, 650_000, 650_000), plan.build_terms())
    assert read_actions(operation) == [("hold.placed", "ok")]
    complete_operation(build_context(), operation=operation, gateway=DemoGateway(), now=NOW)
    bill.refresh_from_db()
    assert (bill.status, read_books(source)[0]) == ("paid", 650_000)
    assert check_ledger(now=NOW) == []


def test_bill_that_asks_for_more_now_is_other_terms_and_not_paid(source: Account, bill: Bill, ctx: Ctx) -> None:
    plan = call(ctx, "pay_bill", bill="bill_1")
    Bill.objects.filter(pk=bill.pk).update(amount_minor=350_001)
    done = execute(ctx, "pay_bill", plan)
    assert done.plan is not None
    assert (done.terms["amt"], done.plan.build_terms(), done.operation) == ("350001", done.terms, None)
    assert read_books(source)[1] == 1_000_000


@pytest.mark.parametrize(
    ("status", "code"),
    [("paid", Code.DUPLICATE), ("processing", Code.DUPLICATE), ("cancelled", Code.UNKNOWN_REFERENCE)],
)
def test_bill_that_is_not_open_is_refused(status: str, code: Code, bill: Bill, ctx: Ctx) -> None:
    if status == "paid":
        execute_and_settle(ctx)
    else:
        Bill.objects.filter(pk=bill.pk).update(status=status)
    assert refuse(ctx, "pay_bill", bill="bill_1").code == code


def execute_and_settle(ctx: Ctx) -> None:
    operation = execute(ctx, "pay_bill", call(ctx, "pay_bill", bill="bill_1")).operation
    assert operation is not None
    complete_operation(build_context(), operation=operation, gateway=DemoGateway(), now=NOW)


def test_plan_refuses_what_the_bank_would(customer: Customer, ctx: Ctx) -> None:
    refused = refuse(ctx, "pay_bill", bill="bill_1", amount=3400)
    assert (refused.code, refused.fields[0].name) == (Code.INVALID_ARGUMENTS, "amount")
    dear = ctx.handle_for(make_bill(customer, 1_000_001))
    assert refuse(ctx, "pay_bill", bill=dear).code == Code.INSUFFICIENT_FUNDS
    dollars = ctx.handle_for(make_account(customer, currency="USD"))
    assert refuse(ctx, "pay_bill", bill="bill_1", from_account=dollars).code == Code.CURRENCY_MISMATCH
    set_limit("bill_payment", LimitPeriod.MONTH, 100_000)
    assert refuse(ctx, "pay_bill", bill="bill_1").code == Code.CAP_EXCEEDED


def test_bill_of_another_customer_is_unknown(ctx: Ctx) -> None:
    theirs = make_bill(make_customer())
    assert refuse(ctx, "pay_bill", bill="bill_9").code == Code.UNKNOWN_REFERENCE
    assert refuse(ctx, "pay_bill", bill=ctx.handle_for(theirs)).code == Code.UNKNOWN_REFERENCE


def test_large_bill_needs_all_care(customer: Customer, ctx: Ctx) -> None:
    rich = ctx.handle_for(make_account(customer, balance=90_000_000))
    plan = call(ctx, "pay_bill", bill=ctx.handle_for(make_bill(customer, 10_000_001)), from_account=rich)
    assert (plan.risk, plan.warnings) == (Risk.HIGH, ("large_amount",))
