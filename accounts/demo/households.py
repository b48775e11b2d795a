"""Stores one customer of the demo: the person, accounts, cards, payees, bills, then the history and its traces."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max, Min, Sum

from accounts.demo.book import Book
from accounts.demo.catalogue import DEMO_BIK
from accounts.demo.events import CURRENT, OLD
from accounts.demo.lives import Life
from accounts.demo.people import Person, build_number
from accounts.demo.storage import Holdings, LedgerWriter
from accounts.enums import (
    AccountStatus,
    BillStatus,
    BlockReason,
    CardLimit,
    CardStatus,
    Language,
    OperationKind,
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


@transaction.atomic
def store_household(
    context: AuditContext, life: Life, *, bank: Mapping[tuple[str, str], int], tariff: Tariff, customer: Customer | None
) -> LedgerWriter:
    """Write the whole customer in one transaction with one audit entry for the history; return what was written.

    bank      the bank's own accounts by code and currency
    customer  who has the history; None: made here, with a login nobody can use
    """
    person = life.scene.person
    owner = customer or store_person(person, life)
    accounts = store_accounts(context, life, owner)
    holdings = Holdings(
        customer=owner,
        accounts=accounts,
        cards=store_cards(context, life, accounts[CURRENT]),
        payees=store_payees(life, owner),
        bills=store_bills(life, owner),
        bank=bank,
    )
    writer = LedgerWriter(holdings)
    book = Book(life.accounts, tariff)
    writer.write(book.write(life.scene, life.events))
    settle_household(context, life, holdings, book)
    details = {
        "seed": person.seed,
        "number": person.number,
        "operations": writer.operation_count,
        "lines": writer.line_count,
    }
    record_entry(
        context,
        AuditAction.DEMO_SEEDED,
        subject="customer",
        subject_id=str(owner.pk),
        customer_id=owner.pk,
        details=details,
    )
    return writer


def store_person(person: Person, life: Life) -> Customer:
    """Make the customer and a login without a password."""
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
            number=build_number(life.scene.person, index, balance_account=plan.balance_account, currency=plan.currency),
            currency=plan.currency,
            title=plan.title,
            now=opened_at,
            overdraft_minor=plan.overdraft_minor,
        )
        for index, plan in enumerate(life.accounts)
    }


def store_cards(context: AuditContext, life: Life, account: Account) -> list[Card]:
    opened_at = get_day_start(life.scene.first, life.scene.person.zone)
    return [
        issue_card(context, account=account, number=plan.number, expires_on=plan.expires_on, now=opened_at)
        for plan in life.cards
    ]


def store_payees(life: Life, owner: Customer) -> list[Payee]:
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
    return Payee.objects.bulk_create(rows)


def store_bills(life: Life, owner: Customer) -> list[Bill]:
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
    return Bill.objects.bulk_create(rows)


def settle_household(context: AuditContext, life: Life, holdings: Holdings, book: Book) -> None:
    """Write what follows from the history: paid bills and payees, used caps, blocked cards, closed accounts."""
    owner, end = holdings.customer, life.scene.end
    mark_paid_bills(owner.pk)
    mark_paid_payees(holdings.payees)
    store_caps(life, holdings, book)
    block_cards(context, life, holdings)
    if life.closes_old_account:
        close_account(context, account_id=holdings.accounts[OLD].public_id, now=end)
    if life.blocks_payments:
        account = holdings.accounts[CURRENT]
        freeze_account(context, account_id=account.public_id, status=AccountStatus.DEBIT_BLOCKED, reason="demo")
    store_schedules(context, life, holdings)
    derive_subscriptions(customer_id=owner.pk, today=life.scene.as_of)


def mark_paid_bills(customer_id: UUID) -> None:
    paid = Operation.objects.filter(customer_id=customer_id, bill__isnull=False).values_list("bill", "created_at")
    bills = {bill.pk: bill for bill in Bill.objects.filter(customer_id=customer_id)}
    changed = []
    for bill_pk, paid_at in paid:
        bill = bills[bill_pk]
        bill.status, bill.paid_at = BillStatus.PAID, paid_at
        changed.append(bill)
    Bill.objects.bulk_update(changed, ["status", "paid_at"], batch_size=500)


def mark_paid_payees(payees: Sequence[Payee]) -> None:
    """Set when each payee was paid for the first and the last time."""
    rows = Operation.objects.filter(payee__in=payees).order_by().values("payee")
    times = {row["payee"]: row for row in rows.annotate(first=Min("created_at"), last=Max("created_at"))}
    paid = [payee for payee in payees if payee.pk in times]
    for payee in paid:
        payee.first_paid_at, payee.last_paid_at = times[payee.pk]["first"], times[payee.pk]["last"]
    Payee.objects.bulk_update(paid, ["first_paid_at", "last_paid_at"])


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
