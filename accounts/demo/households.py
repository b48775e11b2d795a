"""Stores one customer of the demo: the person, accounts, cards, payees, bills, then the history and its traces."""

from collections.abc import Mapping
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, Subquery, Sum

from accounts.demo.book import Book
from accounts.demo.catalogue import DEMO_BIK
from accounts.demo.events import CURRENT, OLD, AccountPlan
from accounts.demo.lives import Life
from accounts.demo.people import build_number
from accounts.demo.storage import Holdings, LedgerWriter, commit_without_waiting
from accounts.enums import (
    AccountStatus,
    BillStatus,
    BlockReason,
    CardLimit,
    CardStatus,
    Language,
    OperationKind,
    OperationStatus,
    PayeeKind,
    PayeeOrigin,
)
from accounts.local_days import get_day_start, get_month_start
from accounts.models import Account, Bill, Biller, CapUsage, Card, Customer, Operation, Payee, Tariff
from accounts.money import Money
from accounts.services.accounts import close_account, freeze_account, open_account
from accounts.services.caps import build_card_code
from accounts.services.cards import block_card, issue_card, set_card_limit
from accounts.services.schedules import schedule_payment
from accounts.services.subscriptions import derive_subscriptions
from accounts.services.tariffs import UNLIMITED_MINOR
from accounts.vault import digest_target, seal_text
from audit.context import AuditContext
from audit.enums import AuditAction
from audit.journal import record_entry

BLOCK_REASONS = {CardStatus.FROZEN: BlockReason.TEMPORARY, CardStatus.LOST: BlockReason.LOST}
DAY_LIMIT = Money(150_000_00)


def store_household(
    context: AuditContext, life: Life, *, bank: Mapping[tuple[str, str], int], tariff: Tariff, customer: Customer | None
) -> LedgerWriter:
    """Write the whole customer and return what was written; what an interrupted run left is gone on with.

    The people and things first, then the history in short transactions (in one, every entry would have to pass the
    dead versions of its accounts that the ones before it left), then, at last, what follows from it: the scheduled
    payments say that the customer is complete.

    bank      the bank's own accounts by code and currency
    customer  who has the history; None: made here, with a login nobody can use
    """
    holdings = open_household(context, life, bank=bank, customer=customer)
    book, writer = Book(life.accounts, tariff), LedgerWriter(holdings)
    writer.recall()
    writer.write(book.write(life.scene, life.events))
    finish_household(context, life, holdings=holdings, book=book, writer=writer)
    return writer


@transaction.atomic
def open_household(
    context: AuditContext, life: Life, *, bank: Mapping[tuple[str, str], int], customer: Customer | None
) -> Holdings:
    """Store the person with accounts, cards, payees and bills, or return those an interrupted run has stored."""
    commit_without_waiting()
    owner = customer or store_person(life)
    is_known = Account.objects.filter(customer=owner).exists()
    if not is_known:
        accounts = store_accounts(context, life, owner)
        store_cards(context, life, accounts[CURRENT])
        store_payees(life, owner)
        store_bills(life, owner)
    return find_holdings(life, owner, bank)


def find_holdings(life: Life, owner: Customer, bank: Mapping[tuple[str, str], int]) -> Holdings:
    """Return the customer's rows in the order of the plan."""
    rows = {row.number: row for row in Account.objects.filter(customer=owner)}
    cards = {row.pan_digest: row for row in Card.objects.filter(account__customer=owner)}
    payees = {row.target_digest: row for row in Payee.objects.filter(customer=owner)}
    bills = {
        (row.biller.code, row.period_start): row for row in Bill.objects.select_related("biller").filter(customer=owner)
    }
    return Holdings(
        customer=owner,
        accounts={plan.slot: rows[number] for plan, number in list_numbers(life)},
        cards=[cards[digest_target("pan", plan.number)] for plan in life.cards],
        payees=[payees[digest_target(PayeeKind.SBP, plan.phone)] for plan in life.payees],
        bills=[bills[plan.biller, plan.period] for plan in life.bills],
        bank=bank,
    )


def list_numbers(life: Life) -> list[tuple[AccountPlan, str]]:
    """Return every planned account with its number."""
    return [
        (plan, build_number(life.scene.person, index, balance_account=plan.balance_account, currency=plan.currency))
        for index, plan in enumerate(life.accounts)
    ]


def store_person(life: Life) -> Customer:
    """Make the customer and a login without a password, or return those an interrupted run has made."""
    person = life.scene.person
    found = Customer.objects.select_related("user").filter(user__username=person.username).first()
    if found is not None:
        return found
    user = User.objects.create(username=person.username, password=make_password(None))
    return Customer.objects.create(
        user=user,
        first_name=person.first_name,
        patronymic=person.patronymic,
        last_name=person.last_name,
        birth_date=person.birth_date,
        inn=person.inn,
        zone=person.zone,
        phone=person.phone,
        language=Language.RUSSIAN,
        created_at=get_day_start(life.scene.first, person.zone),
    )


def store_accounts(context: AuditContext, life: Life, owner: Customer) -> dict[str, Account]:
    """Open the accounts at the start of the history."""
    opened_at = get_day_start(life.scene.first, life.scene.person.zone)
    return {
        plan.slot: open_account(
            context,
            customer_id=owner.pk,
            kind=plan.kind,
            bik=DEMO_BIK,
            number=number,
            currency=plan.currency,
            title=plan.title,
            now=opened_at,
            overdraft_minor=plan.overdraft_minor,
        )
        for plan, number in list_numbers(life)
    }


def store_cards(context: AuditContext, life: Life, account: Account) -> None:
    opened_at = get_day_start(life.scene.first, life.scene.person.zone)
    for plan in life.cards:
        issue_card(context, account=account, number=plan.number, expires_on=plan.expires_on, now=opened_at)


def store_payees(life: Life, owner: Customer) -> None:
    created_at = get_day_start(life.scene.first, life.scene.person.zone)
    rows = [
        Payee(
            customer=owner,
            kind=PayeeKind.SBP,
            target_sealed=seal_text(plan.phone),
            target_digest=digest_target(PayeeKind.SBP, plan.phone),
            target_hint=plan.phone[-4:],
            shown_name=plan.shown_name,
            bank_id=plan.bik,
            origin=PayeeOrigin.CUSTOMER,
            created_at=created_at,
        )
        for plan in life.payees
    ]
    Payee.objects.bulk_create(rows)


def store_bills(life: Life, owner: Customer) -> None:
    """Store every bill unpaid: the database marks one paid only when an operation that pays it is posted."""
    billers = {row.code: row for row in Biller.objects.all()}
    rows = [
        Bill(
            customer=owner,
            biller=billers[plan.biller],
            reference=plan.reference,
            amount_minor=plan.minor,
            due_on=plan.due_on,
            period_start=plan.period,
            issued_at=get_day_start(plan.issued_on, life.scene.person.zone),
        )
        for plan in life.bills
    ]
    Bill.objects.bulk_create(rows)


@transaction.atomic
def finish_household(
    context: AuditContext, life: Life, *, holdings: Holdings, book: Book, writer: LedgerWriter
) -> None:
    """Write what follows from the history: paid bills and payees, used caps, blocked cards, closed accounts; and say
    in the evidence what was made.
    """
    commit_without_waiting()
    owner, end = holdings.customer, life.scene.end
    mark_paid_bills(owner.pk)
    mark_paid_payees(owner.pk)
    store_caps(life, holdings, book)
    block_cards(context, life, holdings)
    if life.closes_old_account:
        close_account(context, account_id=holdings.accounts[OLD].public_id, now=end)
    if life.blocks_payments:
        account = holdings.accounts[CURRENT]
        freeze_account(context, account_id=account.public_id, status=AccountStatus.DEBIT_BLOCKED, reason="demo")
    derive_subscriptions(customer_id=owner.pk, today=life.scene.as_of)
    store_schedules(context, life, holdings)
    counts = {"operations": writer.operation_count, "lines": writer.line_count}
    details = {"seed": life.scene.person.seed, "number": life.scene.person.number, **counts}
    record_entry(
        context,
        AuditAction.DEMO_SEEDED,
        subject="customer",
        subject_id=str(owner.pk),
        customer_id=owner.pk,
        details=details,
    )


def mark_paid_bills(customer_id: UUID) -> None:
    """Mark the bills that the history has paid; one statement."""
    paid = Operation.objects.filter(bill=OuterRef("pk"), status=OperationStatus.POSTED)
    bills = Bill.objects.filter(customer_id=customer_id).filter(Exists(paid))
    bills.update(status=BillStatus.PAID, paid_at=Subquery(paid.values("created_at")[:1]))


def mark_paid_payees(customer_id: UUID) -> None:
    """Set when each payee was paid for the first and the last time; one statement."""
    paid = Operation.objects.filter(payee=OuterRef("pk")).order_by("created_at").values("created_at")
    payees = Payee.objects.filter(customer_id=customer_id)
    payees.update(first_paid_at=Subquery(paid[:1]), last_paid_at=Subquery(paid.reverse()[:1]))


def store_caps(life: Life, holdings: Holdings, book: Book) -> None:
    """Count what the month of the end has used already, so that fees and limits go on from there."""
    owner, card, month = holdings.customer, holdings.cards[0], get_month_start(life.scene.as_of)
    bought = Operation.objects.filter(card=card, kind=OperationKind.CARD_PURCHASE, value_date__gte=month)
    spent = bought.aggregate(total=Sum("entries__amount_minor"))["total"] or 0
    used = [(f"{OperationKind.SBP_OUT.value}.month", start, minor) for start, minor in book.sent.items()]
    if spent:
        used.append((build_card_code(CardLimit.PURCHASES_MONTH, card), month, spent))
    CapUsage.objects.bulk_create(
        CapUsage(
            customer=owner, code=code, period_start=start, currency="RUB", used_minor=minor, cap_minor=UNLIMITED_MINOR
        )
        for code, start, minor in used
    )


def block_cards(context: AuditContext, life: Life, holdings: Holdings) -> None:
    owner = holdings.customer
    for card, plan in zip(holdings.cards, life.cards, strict=True):
        if plan.status == CardStatus.EXPIRED:
            Card.objects.filter(pk=card.pk).update(status=plan.status)
        elif plan.status in BLOCK_REASONS:
            block_card(context, customer_id=owner.pk, card_id=card.public_id, reason=BLOCK_REASONS[plan.status])
        elif life.scene.person.number % 2:
            set_card_limit(
                context,
                customer_id=owner.pk,
                card_id=card.public_id,
                limit=CardLimit.PURCHASES_DAY,
                amount=DAY_LIMIT,
            )


def store_schedules(context: AuditContext, life: Life, holdings: Holdings) -> None:
    for plan in life.schedules:
        schedule_payment(
            context,
            customer_id=holdings.customer.pk,
            account_id=holdings.accounts[CURRENT].public_id,
            payee_id=holdings.payees[plan.payee].public_id,
            amount=Money(plan.minor),
            frequency=plan.frequency,
            first_on=plan.first_on,
            title=plan.title,
            now=life.scene.end,
        )
