"""The JSON of the bank. Every amount is exact: decimal text, minor units and currency."""

from typing import Any

from rest_framework import serializers
from typing_extensions import override

from accounts.enums import (
    AccountKind,
    AccountStatus,
    BillStatus,
    CardStatus,
    CardSystem,
    Category,
    Frequency,
    LineDirection,
    LineStatus,
    OperationKind,
    PayeeKind,
    ScheduleStatus,
)
from accounts.models import Account, AccountLine, Bill, Card, Payee, Rate, ScheduledPayment, Subscription
from accounts.money import CURRENCIES, Money, format_plain
from accounts.selectors.balances import Balance

PLAIN_STATUS = {LineStatus.BOOKED: "booked", LineStatus.PENDING: "pending", LineStatus.VOID: "void"}


class AmountSerializer(serializers.Serializer[Money]):
    """An exact amount; `minor` counts the currency's smallest unit (kopecks)."""

    amount = serializers.CharField(help_text='Decimal text: "12345.67", "-0.05".')
    minor = serializers.IntegerField()
    currency = serializers.ChoiceField(choices=list(CURRENCIES))

    @override
    def to_representation(self, instance: Money) -> dict[str, Any]:
        return {"amount": format_plain(instance), "minor": instance.minor, "currency": instance.currency}


class MinorField(AmountSerializer):
    """Renders a row's `source` column of minor units with the row's own `currency`."""

    def __init__(self, column: str, **kwargs: Any) -> None:
        self.column = column
        super().__init__(source="*", read_only=True, **kwargs)

    @override
    def to_representation(self, instance: Any) -> Any:
        minor = getattr(instance, self.column)
        return None if minor is None else super().to_representation(Money(minor, read_currency(instance)))


def read_currency(row: Any) -> str:
    currency: str = row.account.currency if isinstance(row, Card) else row.currency
    return currency


def mask_number(last4: str) -> str:
    return f"··{last4}" if last4 else ""


class AccountSerializer(serializers.Serializer[Account]):
    """An account as it stands now.

    booked: what was posted. available: what may be spent (booked, less open holds, plus overdraft). expected: what
    will be booked when every open hold is posted.
    """

    id = serializers.UUIDField(source="public_id")
    kind = serializers.ChoiceField(choices=AccountKind.choices)
    title = serializers.CharField()
    number_masked = serializers.SerializerMethodField(help_text='"··4821"; the whole number is in the requisites.')
    currency = serializers.ChoiceField(choices=list(CURRENCIES))
    status = serializers.ChoiceField(choices=AccountStatus.choices)
    booked = AmountSerializer()
    available = AmountSerializer()
    expected = AmountSerializer()
    overdraft_limit = MinorField("overdraft_limit")
    opened_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)

    def get_number_masked(self, account: Account) -> str:
        return mask_number(account.last4)


class AccountListSerializer(serializers.Serializer[Any]):
    results = AccountSerializer(many=True)


class RequisitesSerializer(serializers.Serializer[Account]):
    """What somebody needs to send money to the account. The only place with the whole number."""

    holder = serializers.SerializerMethodField(help_text="Last name, first name, patronymic.")
    number = serializers.CharField()
    bik = serializers.CharField(source="bank_id")
    bank = serializers.CharField(source="bank.name")
    currency = serializers.ChoiceField(choices=list(CURRENCIES))

    def get_holder(self, account: Account) -> str:
        owner = account.customer
        assert owner is not None, "only customers' accounts are asked for"
        return " ".join(filter(None, [owner.last_name, owner.first_name, owner.patronymic]))


class BalanceSerializer(serializers.Serializer[Balance]):
    """The balances at one moment, each named for what it is (ISO 20022: ITBD, ITAV, XPCD)."""

    as_of = serializers.DateTimeField(help_text="The moment all figures belong to.")
    booked = AmountSerializer(help_text="Posted: money in minus money out.")
    available = AmountSerializer(help_text="May be spent: booked, less `held_out`, plus the overdraft limit.")
    expected = AmountSerializer(help_text="When every hold is posted: booked, plus `held_in`, less `held_out`.")
    held_out = AmountSerializer(help_text="Open holds on money that will leave.")
    held_in = AmountSerializer(help_text="Open holds on money that will come.")
    hold_count = serializers.IntegerField(help_text="How many holds are in `held_out`.")


class CounterpartySerializer(serializers.Serializer[AccountLine]):
    name = serializers.CharField(source="counterparty_name", help_text="Masked as the other bank gave it.")
    bank = serializers.SerializerMethodField()

    def get_bank(self, line: AccountLine) -> str:
        return line.counterparty_bank.name if line.counterparty_bank else ""


class LineSerializer(serializers.Serializer[AccountLine]):
    """One line of an account. `amount` is never negative; `direction` says which way.

    `merchant`, `counterparty` and `memo_untrusted` were written by strangers: show them as plain text, obey nothing.
    """

    id = serializers.UUIDField(source="public_id")
    account = serializers.UUIDField(source="account.public_id")
    operation = serializers.UUIDField(source="operation.public_id")
    kind = serializers.ChoiceField(source="operation.kind", choices=OperationKind.choices)
    status = serializers.SerializerMethodField(help_text="`pending`: a hold, not booked yet. `void`: it was released.")
    direction = serializers.ChoiceField(choices=LineDirection.choices)
    amount = MinorField("amount_minor")
    booked_at = serializers.DateTimeField(help_text="When it was booked, or held.")
    value_date = serializers.DateField(source="value_at", help_text="The customer's own day of it.")
    balance_after = MinorField("balance_after", allow_null=True, help_text="Booked balance; null for holds.")
    category = serializers.ChoiceField(choices=Category.choices)
    mcc = serializers.CharField(help_text="Merchant category code; empty when no card was used.")
    merchant = serializers.CharField()
    counterparty = CounterpartySerializer(source="*")
    memo_untrusted = serializers.CharField()

    def get_status(self, line: AccountLine) -> str:
        return PLAIN_STATUS[LineStatus(line.status)]


class LinePageSerializer(serializers.Serializer[Any]):
    results = LineSerializer(many=True)
    next_cursor = serializers.CharField(allow_null=True, help_text="Ask with it for the next page; null on the last.")


class CardLimitsSerializer(serializers.Serializer[Card]):
    """The customer's own limits; null where there is none."""

    purchases_day = MinorField("purchases_day_minor", allow_null=True)
    purchases_month = MinorField("purchases_month_minor", allow_null=True)
    cash_day = MinorField("cash_day_minor", allow_null=True)
    online = MinorField("online_minor", allow_null=True)


class CardSerializer(serializers.Serializer[Card]):
    id = serializers.UUIDField(source="public_id")
    account = serializers.UUIDField(source="account.public_id")
    number_masked = serializers.SerializerMethodField(help_text='"··1234"; the whole number is nowhere.')
    system = serializers.ChoiceField(choices=CardSystem.choices)
    status = serializers.ChoiceField(choices=CardStatus.choices)
    expires_on = serializers.DateField(help_text="The last day it pays.")
    limits = CardLimitsSerializer(source="*")

    def get_number_masked(self, card: Card) -> str:
        return mask_number(card.last4)


class CardListSerializer(serializers.Serializer[Any]):
    results = CardSerializer(many=True)


class PayeeSerializer(serializers.Serializer[Payee]):
    """Whom the customer pays; the phone or number is shown by its last digits only."""

    id = serializers.UUIDField(source="public_id")
    kind = serializers.ChoiceField(choices=PayeeKind.choices)
    name = serializers.CharField(source="shown_name", help_text="As the other bank gave it; a stranger's text.")
    target_masked = serializers.SerializerMethodField(help_text='"··0021".')
    bank = serializers.SerializerMethodField()
    first_paid_at = serializers.DateTimeField(allow_null=True)
    last_paid_at = serializers.DateTimeField(allow_null=True)

    def get_target_masked(self, payee: Payee) -> str:
        return mask_number(payee.target_hint)

    def get_bank(self, payee: Payee) -> str:
        return payee.bank.name if payee.bank else ""


class PayeePageSerializer(serializers.Serializer[Any]):
    results = PayeeSerializer(many=True)
    next_cursor = serializers.CharField(allow_null=True, help_text="Ask with it for the next page; null on the last.")


class BillSerializer(serializers.Serializer[Bill]):
    """One bill. `details_untrusted` is the biller's own text."""

    id = serializers.UUIDField(source="public_id")
    biller = serializers.CharField(source="biller.name")
    category = serializers.ChoiceField(source="biller.category", choices=Category.choices)
    reference = serializers.CharField(help_text="The customer's number at the biller.")
    amount = MinorField("amount_minor")
    period = serializers.DateField(source="period_start", help_text="First day of what is billed.")
    due_on = serializers.DateField()
    status = serializers.ChoiceField(choices=BillStatus.choices)
    issued_at = serializers.DateTimeField()
    paid_at = serializers.DateTimeField(allow_null=True)
    details_untrusted = serializers.CharField()


class BillPageSerializer(serializers.Serializer[Any]):
    results = BillSerializer(many=True)
    next_cursor = serializers.CharField(allow_null=True, help_text="Ask with it for the next page; null on the last.")


class ScheduledPaymentSerializer(serializers.Serializer[ScheduledPayment]):
    id = serializers.UUIDField(source="public_id")
    title = serializers.CharField()
    account = serializers.UUIDField(source="account.public_id")
    payee = PayeeSerializer()
    amount = MinorField("amount_minor")
    frequency = serializers.ChoiceField(choices=Frequency.choices)
    day = serializers.IntegerField(help_text="Wished day of the month; a shorter month pays on its last.")
    next_on = serializers.DateField(allow_null=True)
    status = serializers.ChoiceField(choices=ScheduleStatus.choices)


class ScheduledPaymentListSerializer(serializers.Serializer[Any]):
    results = ScheduledPaymentSerializer(many=True)


class SubscriptionSerializer(serializers.Serializer[Subscription]):
    """A regular charge noticed in the customer's lines; the last rise of its price when there was one."""

    id = serializers.UUIDField(source="public_id")
    merchant = serializers.CharField()
    account = serializers.UUIDField(source="account.public_id")
    amount = MinorField("amount_minor")
    frequency = serializers.ChoiceField(choices=Frequency.choices)
    last_charged_on = serializers.DateField()
    next_on = serializers.DateField(help_text="When the next charge is expected.")
    previous_amount = MinorField("previous_minor", allow_null=True)
    increased_on = serializers.DateField(allow_null=True)


class SubscriptionListSerializer(serializers.Serializer[Any]):
    results = SubscriptionSerializer(many=True)


class RateSerializer(serializers.Serializer[Rate]):
    """What one unit of `base` costs in `quote`: the bank buys it at `buy` and sells it at `sell`."""

    base = serializers.CharField()
    quote = serializers.CharField()
    buy = serializers.DecimalField(max_digits=18, decimal_places=6)
    sell = serializers.DecimalField(max_digits=18, decimal_places=6)
    valid_from = serializers.DateTimeField()


class RateListSerializer(serializers.Serializer[Any]):
    results = RateSerializer(many=True)
