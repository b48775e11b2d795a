"""What cards a customer has, and what their limits still leave."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from accounts.enums import CardLimit, CardStatus, CardSystem
from accounts.models import Card
from accounts.money import Money
from accounts.services.caps import build_card_code, list_used_caps
from accounts.services.cards import get_card_limit
from functions.bank.accounts import NoArguments
from functions.context import Ctx
from functions.fields import MaskedNumber, PublicName
from functions.naming import name_account, name_card
from functions.registry import read
from functions.results import MoneyView, Result


class LimitView(Result):
    """One limit the customer set; `used` and `left` are of the running day or month, left out for single purchases."""

    limit: CardLimit
    amount: MoneyView
    used: MoneyView | None = None
    left: MoneyView | None = None


class CardView(Result):
    """One card; `card` is its handle for other calls. A limit that is not listed was never set."""

    card: str
    title: MaskedNumber
    system: CardSystem
    status: CardStatus
    expires: str
    account: str
    account_title: PublicName
    limits: list[LimitView]


class CardList(Result):
    """The customer's cards, the oldest first."""

    ROWS = "cards"

    cards: list[CardView]
    total_count: int


@read(
    "list_cards",
    version=1,
    scopes={"cards"},
    label=_("Looking at the cards"),
    examples=[
        ("какие у меня карты?", {}),
        ("какие лимиты на карте?", {}),
        ("когда кончается срок карты?", {}),
    ],
    result_limit=8192,
)
def list_cards(ctx: Ctx, _a: NoArguments) -> CardList:
    """Показывает карты клиента: ссылку (card_1), последние цифры, состояние, месяц окончания, счёт карты, лимиты и их
    остаток. Вызывай первой, когда нужна карта: остальные функции принимают ссылки из её ответа.
    """
    used = list_used_caps(ctx.customer.pk, ctx.today)
    cards = [show_card(ctx, card, used) for card in ctx.cards]
    return CardList(cards=cards, total_count=len(cards))


def show_card(ctx: Ctx, card: Card, used: Mapping[str, int]) -> CardView:
    limits = [show_limit(card, limit, used) for limit in CardLimit]
    return CardView(
        card=ctx.handle_for(card),
        title=name_card(card),
        system=CardSystem(card.system),
        status=read_status(ctx, card),
        expires=f"{card.expires_on:%m/%Y}",
        account=ctx.handle_for(card.account),
        account_title=name_account(card.account),
        limits=[limit for limit in limits if limit is not None],
    )


def show_limit(card: Card, limit: CardLimit, used: Mapping[str, int]) -> LimitView | None:
    amount = get_card_limit(card, limit)
    if amount is None or limit == CardLimit.ONLINE:
        return None if amount is None else LimitView(limit=limit, amount=MoneyView.from_money(amount))
    spent = Money(used.get(build_card_code(limit, card), 0), amount.currency)
    left = max(amount - spent, Money(0, amount.currency))
    return LimitView(
        limit=limit,
        amount=MoneyView.from_money(amount),
        used=MoneyView.from_money(spent),
        left=MoneyView.from_money(left),
    )


def read_status(ctx: Ctx, card: Card) -> CardStatus:
    """Return the status, an old card's as expired even before the bank marks it."""
    return CardStatus.EXPIRED if card.expires_on < ctx.today else CardStatus(card.status)
