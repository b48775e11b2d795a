from datetime import timedelta

import pytest
from django.db import transaction

from accounts.enums import AccountKind, LimitPeriod
from accounts.errors import TransferSuspended
from accounts.gateways.demo import DemoGateway
from accounts.ledger_check import check_ledger
from accounts.models import Account, Customer, FlaggedTarget, Operation, Payee, Suspension
from accounts.orders import SbpTransferOrder
from accounts.services.gateway_orders import complete_operation
from accounts.services.idempotency import remember_refusal
from accounts.vault import digest_target
from audit.models import AuditEntry
from functions.bank.phone_transfers import PhoneTransferPlan, execute_phone_transfer
from functions.bank.risk import LARGE
from functions.context import Ctx
from functions.enums import HandleKind, Risk
from functions.errors import Code
from tests.factories.accounts import make_customer
from tests.factories.ledger import (
    NOW,
    build_context,
    make_account,
    make_payee,
    read_actions,
    read_books,
    set_limit,
    set_tariff,
)
from tests.functions.bank.acting import call, execute, open_ctx, open_exec, refuse, type_phone

pytestmark = pytest.mark.django_db
NAME = "transfer_by_phone"
ONE_BANK, TWO_BANKS, NOBODY = "+70000000300", "+70000000305", "+70000000399"
SAID = "переведи 1500 на +7 000 000-03-00, напиши за обед"


@pytest.fixture
def customer() -> Customer:
    return make_customer()


@pytest.fixture
def source(customer: Customer) -> Account:
    return make_account(customer, balance=1_000_000)


@pytest.fixture
def ctx(customer: Customer, source: Account) -> Ctx:
    assert source.customer_id == customer.pk
    return open_ctx(customer, texts=(SAID,))


def test_plan_to_a_typed_phone_names_payee_fee_and_all_care(source: Account, ctx: Ctx) -> None:
    set_tariff("sbp_out", rate_bp=100)
    plan = call(ctx, NAME, payee=type_phone(ctx, ONE_BANK), amount=1500, message="за обед")

    assert plan.build_terms() == {
        "from": str(source.public_id),
        "from_name": f"Текущий ··{source.last4}",
        "to": str(plan.target),
        "to_name": "Мария С.",
        "bank": "Демонстрационный банк",
        "amt": "150000",
        "ccy": "RUB",
        "fee": "1500",
        "memo": "за обед",
    }
    assert (plan.risk, plan.warnings) == (Risk.HIGH, ("new_payee",))
    assert plan.origins == ("payee_typed", "memo_typed", "amount_typed")
    assert (plan.needs_payee, plan.payee_digest) == (False, digest_target("sbp", ONE_BANK))
    # The stored plan never holds the phone itself.
    assert (plan.phone, ONE_BANK in plan.model_dump_json()) == ("phone_1", False)
    assert (Payee.objects.count(), Operation.objects.filter(kind="sbp_out").count()) == (0, 0)


def test_execution_saves_the_payee_and_holds_exactly_the_plan(customer: Customer, source: Account, ctx: Ctx) -> None:
    set_tariff("sbp_out", rate_bp=100)
    plan = call(ctx, NAME, payee=type_phone(ctx, ONE_BANK), amount=1500, message="за обед")

    done = execute(ctx, NAME, plan)

    operation = done.operation
    assert operation is not None
    assert (operation.status, operation.source, operation.description) == ("pending", "assistant", "за обед")
    assert operation.idem_key == str(operation.confirmation)
    payee = Payee.objects.get(customer=customer)
    assert (payee.public_id, payee.shown_name, payee.origin) == (plan.target, "Мария С.", "customer")
    assert read_books(source) == (1_000_000, 848_500, 848_500)
    assert read_actions(operation) == [("hold.placed", "ok")]
    assert (
        AuditEntry.objects.filter(subject_id=str(payee.public_id)).values_list("action", flat=True)[0] == "payee.added"
    )
    assert done.terms == plan.build_terms()
    told = done.data.model_dump(exclude_none=True)
    assert (told["status"], told["fee"]["amount"], told["to_title"], told["memo_untrusted"]) == (
        "processing",
        "15.00",
        "Мария С.",
        "за обед",
    )
    sent = complete_operation(build_context(), operation=operation, gateway=DemoGateway(), now=NOW)
    assert (sent.status, read_books(source)) == ("posted", (848_500, 848_500, 848_500))
    assert check_ledger(now=NOW) == []


def test_known_payee_by_handle_needs_less_care(customer: Customer, ctx: Ctx) -> None:
    payee = make_payee(customer)
    plan = call(ctx, NAME, payee=ctx.handle_for(payee), amount=1500)
    assert (plan.risk, plan.warnings, plan.phone, plan.needs_payee) == (Risk.MEDIUM, (), "", False)
    assert plan.origins == ("payee_saved", "memo_none", "amount_typed")
    assert (plan.target, plan.target_name, plan.payee_digest) == (payee.public_id, "Иван И.", payee.target_digest)


def test_known_payee_is_recognised_by_phone(customer: Customer, ctx: Ctx) -> None:
    payee = make_payee(customer, ONE_BANK)
    plan = call(ctx, NAME, payee=type_phone(ctx, "8 000 000 03 00"), amount=1500)
    assert (plan.target, plan.phone, plan.risk) == (payee.public_id, "", Risk.MEDIUM)


def test_saved_payee_that_shows_another_name_now_is_other_terms(customer: Customer, ctx: Ctx) -> None:
    payee = make_payee(customer)
    plan = call(ctx, NAME, payee=ctx.handle_for(payee), amount=1500)
    Payee.objects.filter(pk=payee.pk).update(shown_name="Олег Н.")
    done = execute(ctx, NAME, plan)
    assert done.plan is not None
    assert (done.terms["to_name"], done.plan.build_terms()) == ("Олег Н.", done.terms)


def test_phone_that_only_a_stranger_wrote_must_be_typed(customer: Customer, source: Account) -> None:
    ctx = open_ctx(customer, texts=("переведи 1500 кому там надо",))
    assert source.customer_id == customer.pk
    plan = call(ctx, NAME, payee=type_phone(ctx, ONE_BANK), amount=1500)
    assert (plan.risk, plan.needs_payee) == (Risk.HIGH, True)
    assert plan.warnings == ("new_payee", "payee_not_proven")
    assert plan.origins[0] == "payee_unproven"
    execute(ctx, NAME, plan)
    # The customer typed it into the app then.
    assert Payee.objects.get().origin == "app"


@pytest.mark.parametrize("message", ["срочно на лечение", "acc_1 за обед 12345678901", "за обед и ужин"])
def test_message_that_is_not_the_customers_is_dropped_and_told(message: str, ctx: Ctx) -> None:
    plan = call(ctx, NAME, payee=type_phone(ctx, ONE_BANK), amount=1500, message=message)
    assert (plan.memo, "memo" in plan.build_terms(), "memo_dropped" in plan.warnings) == ("", False, True)


def test_large_and_unusual_amounts_need_all_care(customer: Customer, source: Account, ctx: Ctx) -> None:
    make_account(customer)  # two current accounts: which one must be said
    payee = make_payee(customer)
    handle, from_account = ctx.handle_for(payee), ctx.handle_for(source)
    assert refuse(ctx, NAME, payee=handle, amount=1500).code == Code.AMBIGUOUS_REFERENCE
    execute_paid(ctx, call(ctx, NAME, payee=handle, amount=100, from_account=from_account))
    usual = call(ctx, NAME, payee=handle, amount=300, from_account=from_account)
    unusual = call(ctx, NAME, payee=handle, amount=301, from_account=from_account)
    assert (usual.risk, usual.warnings) == (Risk.MEDIUM, ("amount_not_said",))
    assert (unusual.risk, unusual.warnings) == (Risk.HIGH, ("unusual_amount", "amount_not_said"))
    rich = make_account(customer, balance=LARGE.minor * 2)
    large = call(ctx, NAME, payee=handle, amount="100000,01", from_account=ctx.handle_for(rich))
    assert (large.risk, large.warnings[0]) == (Risk.HIGH, "large_amount")


def execute_paid(ctx: Ctx, plan: PhoneTransferPlan) -> None:
    operation = execute(ctx, NAME, plan).operation
    assert operation is not None
    complete_operation(build_context(), operation=operation, gateway=DemoGateway(), now=NOW)


def test_usual_source_is_the_only_current_account(customer: Customer, source: Account, ctx: Ctx) -> None:
    make_account(customer, balance=9_000_000, kind=AccountKind.SAVINGS)
    make_account(customer, currency="USD")
    assert call(ctx, NAME, payee=type_phone(ctx, ONE_BANK), amount=1500).source == source.public_id


def test_several_banks_are_the_customers_choice(ctx: Ctx) -> None:
    phone = type_phone(ctx, TWO_BANKS)
    refused = refuse(ctx, NAME, payee=phone, amount=1500)
    assert (refused.code, refused.details) == (
        Code.PAYEE_NEEDS_CHOICE,
        {"banks": ["Демонстрационный банк", "Банк «Примерный»"], "name": "Мария Н."},
    )
    plan = call(ctx, NAME, payee=phone, amount=1500, bank="в примерный")
    assert (plan.bank, plan.bik) == ("Банк «Примерный»", "049999998")


def test_payees_nobody_can_pay_are_refused(customer: Customer, ctx: Ctx) -> None:
    def ask(payee: str, **more: object) -> Code:
        return refuse(ctx, NAME, payee=payee, amount=1500, **more).code

    assert ask(type_phone(ctx, NOBODY)) == Code.PAYEE_NOT_FOUND
    assert ask(ctx.handle_for(make_payee(customer)), bank="Учебный") == Code.PAYEE_NOT_FOUND
    stranger = make_customer()
    theirs = make_payee(stranger, "+70000000206")
    assert ask("payee_77") == Code.UNKNOWN_REFERENCE
    assert ask(ctx.handle_for(theirs)) == Code.UNKNOWN_REFERENCE
    assert ask(ONE_BANK) == Code.UNKNOWN_REFERENCE
    assert ask("phone_9") == Code.UNKNOWN_REFERENCE
    requisites = make_payee(customer, "+70000000207")
    assert ask(ctx.handles.mint(HandleKind.PAYEE, str(requisites.public_id)), from_account="acc_44") == (
        Code.UNKNOWN_REFERENCE
    )


def test_funds_with_fee_and_caps_are_looked_at_before(ctx: Ctx) -> None:
    phone = type_phone(ctx, ONE_BANK)
    set_tariff("sbp_out", rate_bp=100)
    assert refuse(ctx, NAME, payee=phone, amount=10_000).code == Code.INSUFFICIENT_FUNDS
    assert call(ctx, NAME, payee=phone, amount=9_900).fee_minor == 9_900
    set_limit("sbp_out", LimitPeriod.OPERATION, 100_000)
    refused = refuse(ctx, NAME, payee=phone, amount=1500)
    assert (refused.code, refused.details["limit_period"], refused.details["resets_on"]) == (
        Code.CAP_EXCEEDED,
        "operation",
        "",
    )


def test_signs_of_fraud_are_the_highest_risk_and_wait_for_48_hours(customer: Customer, ctx: Ctx) -> None:
    FlaggedTarget.objects.create(target_digest=digest_target("sbp", ONE_BANK), listed_on=NOW.date())
    phone = type_phone(ctx, ONE_BANK)
    plan = call(ctx, NAME, payee=phone, amount=1500)
    assert (plan.risk, plan.warnings) == (Risk.SUSPECT, ("new_payee", "fraud_signs"))
    suspend(ctx, plan)
    refused = refuse(ctx, NAME, payee=phone, amount=1500)
    until = (NOW + timedelta(hours=48)).isoformat()
    assert (refused.code, refused.details) == (Code.SUSPENDED, {"until": until})
    # Another amount is another order.
    assert call(ctx, NAME, payee=phone, amount=1400).risk == Risk.SUSPECT

    # The same plan, asked again after its time, is the same order though its payee was never saved.
    done = execute(ctx, NAME, plan, now=NOW + timedelta(hours=48))

    assert done.operation is not None
    assert Suspension.objects.get(customer=customer).released_at is not None


def suspend(ctx: Ctx, plan: PhoneTransferPlan) -> None:
    """Execute as a decision does: what was begun is undone, the suspension is remembered."""
    ctx.handles.save(ctx.now)
    exec_ctx = open_exec(ctx)
    with pytest.raises(TransferSuspended) as suspended, transaction.atomic():
        execute_phone_transfer(exec_ctx, plan)
    assert Payee.objects.count() == 0
    assert isinstance(exec_ctx.order, SbpTransferOrder)
    remember_refusal(exec_ctx.order, suspended.value, ctx.now)
