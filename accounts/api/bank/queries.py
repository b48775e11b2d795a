"""What may be asked of the bank's lists: checked query parameters."""

from datetime import date
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from typing_extensions import override

from accounts.enums import BillStatus, Category, LineDirection, LineStatus, StatementFormat
from accounts.errors import MoneyMalformed
from accounts.local_days import DateRange
from accounts.money import CURRENCIES, Money, parse_money

MAX_CURSOR_CHARS = 64
MAX_TEXT_CHARS = 100
MAX_AMOUNT_CHARS = 32
MAX_STATEMENT_DAYS = 2 * 366
STATUSES = {"booked": LineStatus.BOOKED, "pending": LineStatus.PENDING}


@extend_schema_field({"type": "string", "maxLength": MAX_AMOUNT_CHARS})
class AmountField(serializers.Field[Money, str, str, Any]):
    """A positive decimal amount, "1234.56"; nothing is rounded."""

    @override
    def to_internal_value(self, data: str) -> Money:
        try:
            return parse_money(data[:MAX_AMOUNT_CHARS])
        except MoneyMalformed as error:
            raise serializers.ValidationError(f"not an amount: {error.reason}") from None


class PageQuerySerializer(serializers.Serializer[Any]):
    limit = serializers.IntegerField(min_value=1, max_value=100, default=20, help_text="Rows in a page.")
    cursor = serializers.CharField(
        max_length=MAX_CURSOR_CHARS,
        default="",
        allow_blank=True,
        help_text="`next_cursor` of the page before, with the same filters.",
    )


class LineQuerySerializer(PageQuerySerializer):
    """Filters of transactions; everything given must hold. Days are the customer's own, both included."""

    account = serializers.UUIDField(required=False, help_text="Only this account's.")
    # `from` cannot be a class attribute.
    locals()["from"] = serializers.DateField(required=False, help_text="First day.")
    to = serializers.DateField(required=False, help_text="Last day.")
    text = serializers.CharField(
        max_length=MAX_TEXT_CHARS,
        default="",
        allow_blank=True,
        help_text="Words that must all occur in merchant, counterparty or message, in any case.",
    )
    category = serializers.ChoiceField(choices=Category.choices, required=False)
    direction = serializers.ChoiceField(choices=LineDirection.choices, required=False)
    status = serializers.ChoiceField(choices=list(STATUSES), required=False, help_text="Both when absent.")
    currency = serializers.ChoiceField(choices=list(CURRENCIES), required=False)
    min_amount = AmountField(required=False, help_text='At least, "1234.56"; of the lines\' own currency.')
    max_amount = AmountField(required=False, help_text='At most, "1234.56".')

    @override
    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        check_days(attrs.get("from"), attrs.get("to"))
        least, most = attrs.get("min_amount"), attrs.get("max_amount")
        if isinstance(least, Money) and isinstance(most, Money) and least > most:
            raise serializers.ValidationError({"min_amount": "above max_amount"})
        return attrs


class BalanceQuerySerializer(serializers.Serializer[Any]):
    on = serializers.DateField(required=False, help_text="The end of this day; now when absent.")


class AccountQuerySerializer(serializers.Serializer[Any]):
    with_closed = serializers.BooleanField(default=False, help_text="Closed accounts too.")


class BillQuerySerializer(PageQuerySerializer):
    status = serializers.ChoiceField(choices=BillStatus.choices, required=False)


class StatementQuerySerializer(serializers.Serializer[Any]):
    """A period of at most two years, both days included."""

    locals()["from"] = serializers.DateField(help_text="First day.")
    to = serializers.DateField(help_text="Last day.")
    format = serializers.ChoiceField(choices=StatementFormat.choices, default=StatementFormat.PDF)

    @override
    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        check_days(attrs["from"], attrs["to"])
        if DateRange(attrs["from"], attrs["to"]).days > MAX_STATEMENT_DAYS:
            raise serializers.ValidationError({"from": "at most two years"})
        return attrs


def check_days(first: date | None, last: date | None) -> None:
    """Refuse days that are reversed.

    Raises: rest_framework.exceptions.ValidationError
    """
    if first is not None and last is not None and first > last:
        raise serializers.ValidationError({"from": "after to"})
