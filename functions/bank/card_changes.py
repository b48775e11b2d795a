"""Changing a customer's cards: blocking, lifting a block, the customer's own limits. Each waits for the customer."""

from typing import Any, ClassVar
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from pydantic import Field
from typing_extensions import override

from accounts.enums import BlockReason, CardLimit, CardStatus
from accounts.models import Card
from accounts.money import Money
from accounts.services.cards import SEVERITY, STATUS_BY_REASON, get_card_limit
from accounts.services.cards import block_card as block
from accounts.services.cards import set_card_limit as set_limit
from accounts.services.cards import unblock_card as unblock
from functions.arguments import Args
from functions.bank.cards import read_status
from functions.context import Ctx, ExecCtx
from functions.enums import PlanWarning, Risk
from functions.errors import Code
from functions.fields import CardHandle, Day, MaskedNumber, Rubles
from functions.naming import name_card
from functions.plans import Executed, NothingToDo, Plan
from functions.registry import action
from functions.results import MoneyView, Result

CARD = "Карта, например card_1, из ответа list_cards"


class CardOutcome(Result):
    """What the card is now; `is_changed` false: it was so before."""

    card: str
    title: MaskedNumber
    status: CardStatus
    is_changed: bool


class LimitOutcome(Result):
    """The limit before and now; `old` is left out when there was none."""

    card: str
    title: MaskedNumber
    limit: CardLimit
    old: MoneyView | None = None
    new: MoneyView
    valid_from: Day
    is_changed: bool


class BlockArguments(Args):
    """Which card, and why."""

    card: CardHandle = Field(description=CARD)
    reason: BlockReason = Field(
        description=(
            "Причина: lost — потеряна, stolen — украдена, suspicious — подозрительные операции, temporary — временно; "
            "только temporary клиент снимает сам"
        )
    )


class CardArgument(Args):
    """Which card."""

    card: CardHandle = Field(description=CARD)


class LimitArguments(Args):
    """Which limit of which card, and how much."""

    card: CardHandle = Field(description=CARD)
    limit: CardLimit = Field(
        description=(
            "Лимит: purchases_day — покупки в день, purchases_month — покупки в месяц, cash_day — наличные в день, "
            "online — одна покупка в интернете"
        )
    )
    amount: Rubles = Field(description="Новая сумма лимита")


class CardPlan(Plan):
    """What is to happen to which card."""

    card_id: UUID
    card_name: str

    @override
    def build_terms(self) -> dict[str, str]:
        return {"card": str(self.card_id), "card_name": self.card_name}


class BlockPlan(CardPlan):
    """A card is to be blocked."""

    ACT: ClassVar[str] = "card_block"

    reason: BlockReason

    @override
    def build_terms(self) -> dict[str, str]:
        return {**super().build_terms(), "reason": self.reason.value}


class UnblockPlan(CardPlan):
    """The customer's own block is to be lifted."""

    ACT: ClassVar[str] = "card_unblock"


class LimitPlan(CardPlan):
    """One limit of a card is to change; amounts in minor units, None: there was none."""

    ACT: ClassVar[str] = "card_limit"

    limit: CardLimit
    minor: int
    old_minor: int | None
    currency: str

    @override
    def build_terms(self) -> dict[str, str]:
        old = {} if self.old_minor is None else {"old": str(self.old_minor)}
        amount = {"limit": self.limit.value, "amt": str(self.minor), "ccy": self.currency}
        return {**super().build_terms(), **amount, **old}


@action(
    "block_card",
    version=1,
    scopes={"cards:block"},
    label=_("Preparing to block the card"),
    result=CardOutcome,
    examples=[
        ("я потерял карту", {"card": "card_1", "reason": "lost"}),
        ("заморозь карту на время", {"card": "card_2", "reason": "temporary"}),
        ("с карты списали не я, заблокируй", {"card": "card_1", "reason": "suspicious"}),
    ],
)
def plan_block(ctx: Ctx, a: BlockArguments) -> BlockPlan:
    """Готовит блокировку карты клиента; карта блокируется после подтверждения в приложении. Начатые операции (холды)
    остаются. Только временную блокировку (temporary) клиент сможет снять сам.
    """
    card = ctx.resolve_card(a.card)
    if SEVERITY.index(CardStatus(card.status)) >= SEVERITY.index(STATUS_BY_REASON[a.reason]):
        raise NothingToDo(show_outcome(ctx, card, is_changed=False))
    final = () if a.reason == BlockReason.TEMPORARY else (PlanWarning.CARD_LOST.value,)
    return BlockPlan(risk=Risk.NONE, warnings=final, card_id=card.public_id, card_name=name_card(card), reason=a.reason)


@plan_block.execute
def execute_block(ctx: ExecCtx, plan: BlockPlan) -> Executed:
    before = ctx.cards.get(public_id=plan.card_id).status
    card = block(ctx.audit_context, customer_id=ctx.customer.pk, card_id=plan.card_id, reason=plan.reason)
    outcome = show_outcome(ctx, card, is_changed=card.status != before)
    return Executed(terms=plan.build_terms(), data=outcome, receipt={**plan.build_terms(), "state": card.status})


@action(
    "unblock_card",
    version=1,
    scopes={"cards:manage"},
    label=_("Preparing to unblock the card"),
    result=CardOutcome,
    examples=[
        ("разморозь карту", {"card": "card_1"}),
        ("сними блокировку с карты", {"card": "card_2"}),
    ],
)
def plan_unblock(ctx: Ctx, a: CardArgument) -> UnblockPlan:
    """Готовит снятие временной блокировки карты; карта заработает после подтверждения в приложении. Потерянную карту,
    украденную карту и карту, которую заблокировал банк, так разблокировать нельзя.
    """
    card = ctx.resolve_card(a.card)
    status = read_status(ctx, card)
    if status == CardStatus.ACTIVE:
        raise NothingToDo(show_outcome(ctx, card, is_changed=False))
    if status != CardStatus.FROZEN:
        ctx.refuse(
            Code.CARD_UNAVAILABLE,
            "Эту карту нельзя разблокировать в приложении.",
            fix="Скажи клиенту, что нужно обратиться в банк или заказать новую карту.",
        )
    return UnblockPlan(
        risk=Risk.HIGH,
        warnings=(PlanWarning.CARD_OPENED.value,),
        card_id=card.public_id,
        card_name=name_card(card),
    )


@plan_unblock.execute
def execute_unblock(ctx: ExecCtx, plan: UnblockPlan) -> Executed:
    before = ctx.cards.get(public_id=plan.card_id).status
    card = unblock(ctx.audit_context, customer_id=ctx.customer.pk, card_id=plan.card_id, today=ctx.today)
    outcome = show_outcome(ctx, card, is_changed=card.status != before)
    return Executed(terms=plan.build_terms(), data=outcome, receipt={**plan.build_terms(), "state": card.status})


def show_outcome(ctx: Ctx, card: Card, *, is_changed: bool) -> CardOutcome:
    return CardOutcome(
        card=ctx.handle_for(card), title=name_card(card), status=CardStatus(card.status), is_changed=is_changed
    )


@action(
    "set_card_limit",
    version=1,
    scopes={"cards:manage"},
    label=_("Preparing a card limit"),
    result=LimitOutcome,
    examples=[
        ("поставь лимит на покупки 5000 в день", {"card": "card_1", "limit": "purchases_day", "amount": 5000}),
        ("не больше 3000 за покупку в интернете", {"card": "card_1", "limit": "online", "amount": 3000}),
        ("ограничь снятие наличных 10000 в день", {"card": "card_2", "limit": "cash_day", "amount": 10000}),
    ],
)
def plan_limit(ctx: Ctx, a: LimitArguments) -> LimitPlan:
    """Готовит изменение лимита карты: покупки в день или месяц, наличные в день, одна покупка в интернете. Он меняется
    после подтверждения в приложении; повышение подтверждается строже, чем понижение. Потраченное раньше учитывается.
    """
    card = ctx.resolve_card(a.card)
    if read_status(ctx, card) in {CardStatus.LOST, CardStatus.EXPIRED}:
        ctx.refuse(Code.CARD_UNAVAILABLE, "Эта карта больше не работает, её лимиты менять нельзя.")
    if card.account.currency != a.amount.currency:
        ctx.refuse(Code.CURRENCY_MISMATCH, "Лимиты в рублях есть только у карт рублёвых счетов.")
    old = get_card_limit(card, a.limit)
    if old == a.amount:
        raise NothingToDo(show_limit_outcome(ctx, card, a.limit, old=old, new=a.amount))
    return LimitPlan(
        **weigh_limit(old, a.amount),
        card_id=card.public_id,
        card_name=name_card(card),
        limit=a.limit,
        minor=a.amount.minor,
        old_minor=None if old is None else old.minor,
        currency=a.amount.currency,
    )


def weigh_limit(old: Money | None, new: Money) -> dict[str, Any]:
    """Return risk and warnings: a higher limit needs all care. Without a limit any limit is less."""
    is_raised = old is not None and new > old
    return {
        "risk": Risk.HIGH if is_raised else Risk.NONE,
        "warnings": (PlanWarning.LIMIT_RAISED.value,) if is_raised else (),
    }


@plan_limit.execute
def execute_limit(ctx: ExecCtx, plan: LimitPlan) -> Executed:
    new = Money(plan.minor, plan.currency)
    old = get_card_limit(ctx.cards.select_for_update(of=("self",), no_key=True).get(public_id=plan.card_id), plan.limit)
    card = set_limit(ctx.audit_context, customer_id=ctx.customer.pk, card_id=plan.card_id, limit=plan.limit, amount=new)
    real = plan.model_copy(update={"old_minor": None if old is None else old.minor, **weigh_limit(old, new)})
    outcome = show_limit_outcome(ctx, card, plan.limit, old=old, new=new)
    return Executed(terms=real.build_terms(), data=outcome, receipt=real.build_terms(), plan=real)


def show_limit_outcome(ctx: Ctx, card: Card, limit: CardLimit, *, old: Money | None, new: Money) -> LimitOutcome:
    return LimitOutcome(
        card=ctx.handle_for(card),
        title=name_card(card),
        limit=limit,
        old=None if old is None else MoneyView.from_money(old),
        new=MoneyView.from_money(new),
        valid_from=ctx.today,
        is_changed=old != new,
    )
