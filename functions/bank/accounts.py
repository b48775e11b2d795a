"""What accounts a customer has, what is on them, and their requisites, which only the app shows."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _
from pydantic import Field

from accounts.enums import AccountKind, AccountStatus
from accounts.folding import fold_text
from accounts.models import Account
from accounts.selectors.balances import get_balance
from functions.arguments import Args
from functions.context import Ctx
from functions.enums import HandleKind
from functions.fields import AccountHandle, AccountHandleOrEmpty, PublicName
from functions.handles import is_handle
from functions.naming import describe_requisites, name_account
from functions.registry import read
from functions.requisites import name_requisites
from functions.results import MoneyView, Result


class NoArguments(Args):
    """No parameters."""


class AccountView(Result):
    """One account; `account` is its handle for other calls."""

    account: str
    title: PublicName
    kind: AccountKind
    currency: str
    available: MoneyView
    booked: MoneyView
    status: AccountStatus


class AccountList(Result):
    """The customer's accounts, the oldest first."""

    ROWS = "accounts"

    accounts: list[AccountView]
    total_count: int


class AccountArgument(Args):
    """Which account."""

    account: AccountHandle = Field(description="Счёт, например acc_1")


class BalanceArgument(Args):
    """Which account; the parameter is called as the first version of the assistant called it."""

    account_id: AccountHandleOrEmpty = Field(
        description="Счёт из ответа list_accounts; пустая строка, если у клиента один счёт"
    )


class BalanceView(Result):
    """Three balances that are never mixed up.

    booked     what was posted
    available  what may be spent now: booked less holds, plus overdraft
    expected   what will be booked when every hold is posted
    """

    account: str
    title: PublicName
    booked: MoneyView
    available: MoneyView
    expected: MoneyView
    holds_count: int
    holds_sum: MoneyView
    status: AccountStatus
    as_of: datetime


class RequisitesView(Result):
    """A placeholder instead of the requisites: the server puts them into the answer, the app shows a card."""

    account: str
    title: PublicName
    requisites: str


@read(
    "list_accounts",
    version=1,
    scopes={"accounts"},
    label=_("Looking at the accounts"),
    examples=[
        ("какие у меня счета?", {}),
        ("сколько у меня всего денег?", {}),
        ("покажи мои вклады и счета", {}),
    ],
    result_limit=8192,
)
def list_accounts(ctx: Ctx, _a: NoArguments) -> AccountList:
    """Показывает открытые счета клиента: ссылку (acc_1), название с последними цифрами, вид, валюту, доступный и
    проведённый остаток, состояние. Вызывай первой, когда нужен счёт: остальные функции принимают ссылки из её ответа.
    """
    rows = list(ctx.accounts.exclude(status=AccountStatus.CLOSED))
    return AccountList(accounts=[show_account(ctx, row) for row in rows], total_count=len(rows))


@read(
    "get_account_balance",
    version=1,
    scopes={"accounts"},
    label=_("Looking at the balance"),
    examples=[
        ("сколько денег на накопительном?", {"account_id": "acc_2"}),
        ("какой остаток на acc_1?", {"account_id": "acc_1"}),
        ("сколько заблокировано на счёте?", {"account_id": "acc_1"}),
    ],
)
def get_account_balance(ctx: Ctx, a: BalanceArgument) -> BalanceView:
    """Возвращает три остатка одного счёта: available — можно потратить сейчас, booked — проведено, expected — будет
    проведено после всех ожидающих операций; ещё число и сумму ожидающих списаний. Всегда говори, какой это остаток.
    """
    account = choose_account(ctx, a.account_id)
    balance = get_balance(account, now=ctx.now)
    return BalanceView(
        account=ctx.handle_for(account),
        title=name_account(account),
        booked=MoneyView.from_money(balance.booked),
        available=MoneyView.from_money(balance.available),
        expected=MoneyView.from_money(balance.expected),
        holds_count=balance.hold_count,
        holds_sum=MoneyView.from_money(balance.held_out),
        status=AccountStatus(account.status),
        as_of=balance.as_of,
    )


@read(
    "show_requisites",
    version=1,
    scopes={"accounts"},
    label=_("Preparing the requisites"),
    examples=[
        ("дай реквизиты для зарплаты", {"account": "acc_1"}),
        ("какой номер у накопительного счёта?", {"account": "acc_2"}),
    ],
)
def show_requisites(ctx: Ctx, a: AccountArgument) -> RequisitesView:
    """Показывает клиенту в приложении полные реквизиты счёта: номер, БИК, банк, получателя. Ты видишь только метку вида
    ⟦acc_1.requisites⟧: вставь её в ответ без изменений, клиент увидит на её месте реквизиты. Сам цифры не придумывай.
    """
    account = ctx.resolve_account(a.account)
    handle = ctx.handle_for(account)
    ctx.handles.reveal(name_requisites(handle), describe_requisites(account))
    ctx.card("requisites", account=handle, title=name_account(account), **list_requisites(account))
    return RequisitesView(account=handle, title=name_account(account), requisites=f"⟦{name_requisites(handle)}⟧")


def choose_account(ctx: Ctx, text: str) -> Account:
    """Return the account of a handle; for looking alone, words of a title or the last digits will do.

    Raises: CallRefused unknown_reference, ambiguous_reference
    """
    if is_handle(text) or not text:
        return ctx.resolve_account(text)
    words = fold_text(text).split()
    rows = ctx.accounts.exclude(status=AccountStatus.CLOSED)
    found = [row for row in rows if all(word in fold_text(name_account(row)) for word in words)]
    if not found:
        ctx.refuse_unknown(HandleKind.ACCOUNT)
    if len(found) > 1:
        ctx.refuse_choice("account", ((row, name_account(row)) for row in found))
    return found[0]


def show_account(ctx: Ctx, account: Account) -> AccountView:
    return AccountView(
        account=ctx.handle_for(account),
        title=name_account(account),
        kind=AccountKind(account.kind),
        currency=account.currency,
        available=MoneyView.from_money(account.available),
        booked=MoneyView.from_money(account.booked),
        status=AccountStatus(account.status),
    )


def list_requisites(account: Account) -> dict[str, str]:
    """Return the requisites for the app's card; never for the model."""
    holder, bank = account.customer, account.bank
    names = (holder.last_name, holder.first_name, holder.patronymic) if holder else ()
    return {
        "number": account.number or "",
        "bik": account.bank_id or "",
        "bank": bank.name if bank else "",
        "holder": " ".join(name for name in names if name),
        "currency": account.currency,
    }
