from uuid import UUID

import pytest

from accounts.enums import AccountStatus, LimitPeriod
from accounts.errors import InsufficientFunds
from accounts.ledger_check import check_ledger
from accounts.models import Account, CapUsage, Operation
from functions.context import Ctx
from functions.enums import Risk
from functions.errors import Code
from tests.factories.accounts import make_customer
from tests.factories.ledger import (
    NOW,
    build_context,
    give_money,
    make_account,
    read_actions,
    read_books,
    set_limit,
    set_tariff,
)
from tests.functions.bank.acting import call, execute, open_ctx, open_exec, refuse

pytestmark = pytest.mark.django_db
NAME = "transfer_between_own_accounts"


class Pair:
    """A customer with two accounts, `acc_1` with 10 000 roubles and `acc_2` with nothing."""

    def __init__(self) -> None:
        self.customer = make_customer()
        self.source = make_account(self.customer, balance=1_000_000)
        self.target = make_account(self.customer)
        self.ctx: Ctx = open_ctx(self.customer, texts=("переведи 500 на второй счёт",))
        assert [self.ctx.handle_for(one) for one in (self.source, self.target)] == ["acc_1", "acc_2"]

    def plan(self, amount: object = 500) -> object:
        return call(self.ctx, NAME, from_account="acc_1", to_account="acc_2", amount=amount)


@pytest.fixture
def pair() -> Pair:
    return Pair()


def test_plan_shows_everything_and_moves_nothing(pair: Pair) -> None:
    set_tariff("own_transfer", rate_bp=100)
    plan = call(pair.ctx, NAME, from_account="acc_1", to_account="acc_2", amount="500,00")

    assert plan.build_terms() == {
        "from": str(pair.source.public_id),
        "from_name": f"Текущий ··{pair.source.last4}",
        "to": str(pair.target.public_id),
        "to_name": f"Текущий ··{pair.target.last4}",
        "amt": "50000",
        "ccy": "RUB",
        "fee": "500",
    }
    assert (plan.ACT, plan.risk, plan.warnings, plan.origins) == ("transfer_own", Risk.LOW, (), ("amount_typed",))
    assert read_books(pair.source)[0] == 1_000_000
    assert Operation.objects.filter(kind="own_transfer").count() == 0


def test_execution_posts_exactly_the_plan(pair: Pair) -> None:
    set_tariff("own_transfer", rate_bp=100)
    plan = call(pair.ctx, NAME, from_account="acc_1", to_account="acc_2", amount=500)

    done = execute(pair.ctx, NAME, plan)

    assert (read_books(pair.source)[0], read_books(pair.target)[0]) == (949_500, 50_000)
    operation = done.operation
    assert operation is not None
    assert (operation.status, operation.source, operation.customer_id) == ("posted", "assistant", pair.customer.pk)
    assert isinstance(operation.confirmation, UUID)
    assert operation.idem_key == str(operation.confirmation)
    assert read_actions(operation) == [("transfer.posted", "ok")]
    entries = [(entry.debit_id, entry.amount_minor) for entry in operation.entries.order_by("seq")]
    assert entries == [(pair.source.pk, 50_000), (pair.source.pk, 500)]
    assert (done.terms, done.receipt) == (plan.build_terms(), plan.build_terms())
    told = done.data.model_dump(exclude_none=True)
    assert (told["status"], told["amount"]["amount"], told["fee"]["amount"]) == ("executed", "500.00", "5.00")
    assert (told["from_account"], told["available_after"]["amount"]) == ("acc_1", "9495.00")
    assert check_ledger(now=NOW) == []


def test_execution_tells_the_real_fee_when_the_tariff_changed(pair: Pair) -> None:
    plan = call(pair.ctx, NAME, from_account="acc_1", to_account="acc_2", amount=500)
    set_tariff("own_transfer", rate_bp=100)
    done = execute(pair.ctx, NAME, plan)
    assert done.plan is not None
    assert (plan.build_terms()["fee"], done.terms["fee"], done.plan.build_terms()["fee"]) == ("0", "500", "500")


def test_execution_of_a_renamed_account_shows_the_new_name(pair: Pair) -> None:
    plan = call(pair.ctx, NAME, from_account="acc_1", to_account="acc_2", amount=500)
    Account.objects.filter(pk=pair.target.pk).update(title="Другой")
    assert execute(pair.ctx, NAME, plan).terms["to_name"] == f"Другой ··{pair.target.last4}"


def test_execution_without_the_money_is_refused_by_the_bank(pair: Pair) -> None:
    plan = call(pair.ctx, NAME, from_account="acc_1", to_account="acc_2", amount=10_000)
    again = call(pair.ctx, NAME, from_account="acc_1", to_account="acc_2", amount=10_000)
    execute(pair.ctx, NAME, plan)
    with pytest.raises(InsufficientFunds):
        execute(pair.ctx, NAME, again)


def test_amount_nobody_named_is_a_warning(pair: Pair) -> None:
    plan = call(pair.ctx, NAME, from_account="acc_1", to_account="acc_2", amount=501)
    assert (plan.warnings, plan.origins) == (("amount_not_said",), ("amount_unproven",))


def test_plan_refuses_what_the_bank_would(pair: Pair) -> None:
    def ask(source: str = "acc_1", target: str = "acc_2", amount: object = 500) -> Code:
        return refuse(pair.ctx, NAME, from_account=source, to_account=target, amount=amount).code

    dollars = pair.ctx.handle_for(make_account(pair.customer, currency="USD"))
    assert ask(target="acc_1") == Code.SAME_ACCOUNT
    assert ask(target=dollars) == Code.CURRENCY_MISMATCH
    assert ask(source=dollars) == Code.CURRENCY_MISMATCH
    assert ask(amount="10000,01") == Code.INSUFFICIENT_FUNDS
    assert ask(target="acc_9") == Code.UNKNOWN_REFERENCE
    assert ask(source=pair.ctx.handle_for(make_account())) == Code.UNKNOWN_REFERENCE
    for amount in (0, -5, "1,500", "сто", 1e15, None, True):
        assert ask(amount=amount) == Code.INVALID_ARGUMENTS
    set_limit("own_transfer", LimitPeriod.DAY, 40_000)
    assert ask() == Code.CAP_EXCEEDED


def test_refusals_name_the_figures_the_model_may_tell(pair: Pair) -> None:
    set_tariff("own_transfer", rate_bp=100)
    refused = refuse(pair.ctx, NAME, from_account="acc_1", to_account="acc_2", amount=10_000)
    figures = {name: value["amount"] for name, value in refused.details.items()}  # type: ignore[index]
    assert figures == {"available": "10000.00", "needed": "10100.00", "fee": "100.00"}
    set_limit("own_transfer", LimitPeriod.MONTH, 100_000)
    CapUsage.objects.create(
        customer=pair.customer,
        code="own_transfer.month",
        period_start=NOW.date().replace(day=1),
        currency="RUB",
        used_minor=70_000,
        cap_minor=100_000,
    )
    refused = refuse(pair.ctx, NAME, from_account="acc_1", to_account="acc_2", amount=500)
    limit = refused.details
    assert (limit["limit_period"], limit["left"]["amount"], limit["resets_on"]) == (  # type: ignore[index]
        "month",
        "300.00",
        "2026-12-01",
    )


@pytest.mark.parametrize(
    ("status", "source", "target"),
    [
        (AccountStatus.BLOCKED, Code.ACCOUNT_UNAVAILABLE, Code.ACCOUNT_UNAVAILABLE),
        (AccountStatus.DEBIT_BLOCKED, Code.ACCOUNT_UNAVAILABLE, None),
    ],
)
def test_blocked_accounts_are_refused_for_what_they_cannot(
    status: AccountStatus, source: Code, target: Code | None, pair: Pair
) -> None:
    give_money(pair.target, 100_000)
    Account.objects.filter(pk=pair.target.pk).update(status=status)
    refused = refuse(pair.ctx, NAME, from_account="acc_2", to_account="acc_1", amount=500)
    assert refused.code == source
    if target is None:
        assert pair.plan() is not None
    else:
        assert refuse(pair.ctx, NAME, from_account="acc_1", to_account="acc_2", amount=500).code == target


def test_executor_without_a_confirmation_is_a_fault(pair: Pair) -> None:
    exec_ctx = open_exec(pair.ctx)
    exec_ctx.confirmation_id = None
    with pytest.raises(ValueError, match="nothing was confirmed"):
        _ = exec_ctx.idempotency_key
    assert exec_ctx.audit_context == build_context()
