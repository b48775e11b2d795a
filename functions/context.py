"""What a handler is given instead of the request: whose data it may see, the clock, and ways to refuse.

The querysets are limited to the session's customer and are the only way to data: a handler never builds one itself
(`tests/functions/bank/test_data_access.py`). A handle that is unknown and one that is another customer's look the same.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NoReturn, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from accounts.enums import AccountStatus
from accounts.folding import MEMO_LENGTH
from accounts.local_days import to_local_date
from accounts.models import (
    Account,
    AccountLine,
    Bill,
    Card,
    Customer,
    Payee,
    ScheduledPayment,
    StatementRequest,
    Subscription,
)
from accounts.orders import Order
from accounts.selectors.lines import find_lines
from accounts.selectors.owned import (
    find_accounts,
    find_bills,
    find_cards,
    find_payees,
    find_scheduled_payments,
    find_subscriptions,
)
from audit.context import AuditContext
from functions.enums import HandleKind
from functions.errors import CallRefused, Code
from functions.handles import HandleTable
from functions.models import Confirmation
from functions.models.handle import SEALED_KINDS
from functions.naming import name_account, name_card
from functions.privacy.masking import Masker, build_masker
from functions.privacy.untrusted import clean_stranger_text

Row = TypeVar("Row", bound=Model)
KINDS: Mapping[type[Model], HandleKind] = {
    Account: HandleKind.ACCOUNT,
    Card: HandleKind.CARD,
    AccountLine: HandleKind.LINE,
    Payee: HandleKind.PAYEE,
    Bill: HandleKind.BILL,
    ScheduledPayment: HandleKind.SCHEDULE,
    StatementRequest: HandleKind.STATEMENT,
    Confirmation: HandleKind.CONFIRMATION,
}
# Where the model finds the handles of a kind.
SOURCES: Mapping[HandleKind, str] = {
    HandleKind.ACCOUNT: "Вызови list_accounts и возьми ссылку вида acc_1 из ответа.",
    HandleKind.CARD: "Вызови list_cards и возьми ссылку вида card_1 из ответа.",
    HandleKind.LINE: "Вызови search_transactions и возьми ссылку вида tx_1 из ответа.",
    HandleKind.PAYEE: "Вызови find_payee и возьми ссылку вида payee_1 из ответа.",
    HandleKind.BILL: "Вызови list_upcoming_payments и возьми ссылку вида bill_1 из ответа.",
    HandleKind.PHONE: "Попроси клиента написать номер телефона в чат.",
    HandleKind.CONFIRMATION: "Подтверждение, о котором идёт речь, не найдено; уточни у клиента.",
}
PLACED = re.compile(rf"⟦?\b(?:{'|'.join(SEALED_KINDS)})_[1-9][0-9]{{0,8}}\b⟧?")
UNKNOWN = "Такой ссылки нет в этом разговоре."


@dataclass(kw_only=True)
class Ctx:
    """One call of one function, for the session's customer.

    session_id      None: nobody's session, so only public functions are called
    auth_age        how long ago the password was given; None without a session
    customer_texts  what the customer wrote in this conversation, originals, oldest first
    prepared        what the function asked outside before the transaction, if it has such a step
    shown           cards for the app alone, see `card`
    masker          made when the first stranger's text is told
    """

    customer: Customer
    session_id: UUID | None
    conversation_id: UUID
    turn_id: UUID
    call_id: UUID
    now: datetime
    handles: HandleTable
    auth_age: timedelta | None = None
    scopes: frozenset[str] = frozenset()
    channel: str = "assistant"
    deadline: datetime | None = None
    customer_texts: tuple[str, ...] = field(default=(), repr=False)
    prepared: object | None = field(default=None, repr=False)
    shown: list[Mapping[str, object]] = field(default_factory=list, repr=False)
    masker: Masker | None = field(default=None, repr=False)

    @property
    def zone(self) -> str:
        """The customer's time zone, an IANA name."""
        return self.customer.zone

    @property
    def today(self) -> date:
        """The customer's local day."""
        return to_local_date(self.now, self.zone)

    @property
    def accounts(self) -> QuerySet[Account]:
        """Open and closed, oldest first."""
        return find_accounts(self.customer.pk)

    @property
    def cards(self) -> QuerySet[Card]:
        """Oldest first, account loaded."""
        return find_cards(self.customer.pk)

    @property
    def payees(self) -> QuerySet[Payee]:
        """Last paid first, bank loaded."""
        return find_payees(self.customer.pk)

    @property
    def lines(self) -> QuerySet[AccountLine]:
        """Statement lines, newest first, without released holds."""
        return find_lines(self.customer.pk).select_related("account", "operation", "counterparty_bank")

    @property
    def bills(self) -> QuerySet[Bill]:
        """First due first, biller loaded."""
        return find_bills(self.customer.pk)

    @property
    def schedules(self) -> QuerySet[ScheduledPayment]:
        """Next first, payee and account loaded."""
        return find_scheduled_payments(self.customer.pk)

    @property
    def subscriptions(self) -> QuerySet[Subscription]:
        """Next first, account loaded."""
        return find_subscriptions(self.customer.pk)

    def resolve_account(self, text: str | None) -> Account:
        """Return the account a handle stands for; without a handle the customer's only open one.

        Raises: CallRefused unknown_reference; ambiguous_reference with the handles to choose from
        """
        if text and text.strip():
            return self.take(HandleKind.ACCOUNT, text, self.accounts)
        open_accounts = list(self.accounts.exclude(status=AccountStatus.CLOSED))
        if len(open_accounts) != 1:
            self.refuse_choice("account", ((account, name_account(account)) for account in open_accounts))
        return open_accounts[0]

    def resolve_card(self, text: str | None) -> Card:
        """Return the card a handle stands for; without a handle the customer's only one.

        Raises: CallRefused unknown_reference; ambiguous_reference with the handles to choose from
        """
        if text and text.strip():
            return self.take(HandleKind.CARD, text, self.cards)
        cards = list(self.cards)
        if len(cards) != 1:
            self.refuse_choice("card", ((card, name_card(card)) for card in cards))
        return cards[0]

    def resolve_payee(self, text: str) -> Payee:
        """Return the payee a handle stands for.

        Raises: CallRefused unknown_reference
        """
        return self.take(HandleKind.PAYEE, text, self.payees)

    def resolve_bill(self, text: str) -> Bill:
        """Return the bill a handle stands for.

        Raises: CallRefused unknown_reference
        """
        return self.take(HandleKind.BILL, text, self.bills)

    def resolve_line(self, text: str) -> AccountLine:
        """Return the statement line a handle stands for.

        Raises: CallRefused unknown_reference
        """
        return self.take(HandleKind.LINE, text, self.lines)

    def resolve_phone(self, text: str) -> str:
        """Return the phone a handle stands for, as the customer wrote it.

        Raises: CallRefused unknown_reference
        """
        found = self.handles.find_kind(text, HandleKind.PHONE)
        phone = None if found is None else self.handles.read_value(found.text)
        return phone if phone is not None else self.refuse_unknown(HandleKind.PHONE)

    def is_phone(self, text: str) -> bool:
        """Tell whether `text` writes a known handle of a phone."""
        return self.handles.find_kind(text, HandleKind.PHONE) is not None

    def restore(self, text: str) -> str:
        """Return the model's words with the values that their handles stand for; to search with, never to answer."""
        return PLACED.sub(lambda found: self.handles.read_value(found[0]) or found[0], text)

    def take(self, kind: HandleKind, text: str, rows: QuerySet[Row]) -> Row:
        """Return the row of `rows` that the handle stands for.

        Raises: CallRefused unknown_reference
        """
        handle = self.handles.find_kind(text, kind)
        row = None if handle is None else rows.filter(public_id=handle.reference).first()
        return row if row is not None else self.refuse_unknown(kind)

    def handle_for(self, row: Model) -> str:
        """Return the handle of an object of the customer's, a new one when this is its first mention."""
        reference = row.pk if isinstance(row, Confirmation) else getattr(row, "public_id")  # noqa: B009 - of many models
        return self.handles.mint(KINDS[type(row)], str(reference))

    def untrusted(self, text: str, limit: int = MEMO_LENGTH) -> str:
        """Return a stranger's text for a field called `…_untrusted`: nothing hidden, no phones, no long numbers.

        Surnames become placeholders, which come back in the answer. One query in a call, for the payees' names.
        """
        cleaned = clean_stranger_text(text, limit).strip()
        if not cleaned:
            return ""
        if self.masker is None:
            self.masker = build_masker(self.customer, self.handles)
        return self.masker.mask(cleaned)

    def card(self, kind: str, **fields: object) -> None:
        """Show something in the app itself beside the answer; the model never sees it."""
        self.shown.append({"kind": kind, **fields})

    def refuse(
        self,
        code: Code,
        message: str,
        *,
        fix: str = "",
        details: Mapping[str, object] | None = None,
        can_retry: bool = False,
    ) -> NoReturn:
        """End the call with an error that the model is told; texts in Russian, without values of the customer."""
        raise CallRefused(code, message, fix=fix, details=details, can_retry=can_retry)

    def refuse_unknown(self, kind: HandleKind) -> NoReturn:
        self.refuse(Code.UNKNOWN_REFERENCE, UNKNOWN, fix=SOURCES[kind])

    def refuse_choice(self, noun: str, choices: Iterable[tuple[Model, str]]) -> NoReturn:
        """Refuse with the handles and names of what could be meant; refuse as unknown when there is nothing."""
        found = [{noun: self.handle_for(row), "title": title} for row, title in choices]
        if not found:
            self.refuse(Code.UNKNOWN_REFERENCE, "У клиента такого нет.")
        self.refuse(
            Code.AMBIGUOUS_REFERENCE,
            "Подходит несколько, нужно выбрать одно.",
            fix="Спроси клиента, что он имеет в виду, и повтори вызов со ссылкой из choices.",
            details={"choices": found},
        )


@dataclass(kw_only=True)
class ExecCtx(Ctx):
    """An execution inside the transaction that decided about the confirmation, or recorded the call.

    confirmation_id  the customer's yes; None for actions that need none
    order            what an executor ordered from the bank; after a refusal it is remembered with it
    """

    audit_context: AuditContext
    confirmation_id: UUID | None = None
    order: Order | None = field(default=None, repr=False)

    @property
    def idempotency_key(self) -> str:
        """The key of the one order this confirmation may become.

        Raises: ValueError when nothing was confirmed
        """
        if self.confirmation_id is None:
            raise ValueError("nothing was confirmed")
        return str(self.confirmation_id)
