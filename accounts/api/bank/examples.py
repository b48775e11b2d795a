"""Examples of the OpenAPI document, as a phone would really get them."""

from typing import Final

from drf_spectacular.utils import OpenApiExample

ACCOUNT_ID: Final = "0199f2c4-7d11-7a2b-8c3d-4e5f60718201"
LINE_ID: Final = "0199f2c4-7d11-7a2b-8c3d-4e5f60718202"
OPERATION_ID: Final = "0199f2c4-7d11-7a2b-8c3d-4e5f60718203"
PAYEE_ID: Final = "0199f2c4-7d11-7a2b-8c3d-4e5f60718204"
CURSOR: Final = "kJ3v0QxYAZnyxH0ResuMPU5fYHGCAg"


def build_amount(minor: int, amount: str) -> dict[str, object]:
    return {"amount": amount, "minor": minor, "currency": "RUB"}


ACCOUNT: Final = {
    "id": ACCOUNT_ID,
    "kind": "current",
    "title": "Текущий",
    "number_masked": "··4821",
    "currency": "RUB",
    "status": "active",
    "booked": build_amount(4_812_050, "48120.50"),
    "available": build_amount(4_692_050, "46920.50"),
    "expected": build_amount(4_692_050, "46920.50"),
    "overdraft_limit": build_amount(0, "0.00"),
    "opened_at": "2025-05-01T00:00:00Z",
    "closed_at": None,
}
ACCOUNT_EXAMPLE = OpenApiExample("account", response_only=True, value=ACCOUNT)
ACCOUNTS_EXAMPLE = OpenApiExample("accounts", response_only=True, value={"results": [ACCOUNT]})
BALANCE_EXAMPLE = OpenApiExample(
    "balance",
    response_only=True,
    value={
        "as_of": "2026-11-24T09:15:04.120000Z",
        "booked": build_amount(4_812_050, "48120.50"),
        "available": build_amount(4_692_050, "46920.50"),
        "expected": build_amount(4_692_050, "46920.50"),
        "held_out": build_amount(120_000, "1200.00"),
        "held_in": build_amount(0, "0.00"),
        "hold_count": 1,
    },
)
REQUISITES_EXAMPLE = OpenApiExample(
    "requisites",
    response_only=True,
    value={
        "holder": "Ветрова Анна Сергеевна",
        "number": "40817810010429004821",
        "bik": "049999999",
        "bank": "Демонстрационный банк",
        "currency": "RUB",
    },
)
LINE: Final = {
    "id": LINE_ID,
    "account": ACCOUNT_ID,
    "operation": OPERATION_ID,
    "kind": "card_purchase",
    "status": "booked",
    "direction": "out",
    "amount": build_amount(34_900, "349.00"),
    "booked_at": "2026-11-23T16:02:11Z",
    "value_date": "2026-11-23",
    "balance_after": build_amount(4_812_050, "48120.50"),
    "category": "groceries",
    "mcc": "5411",
    "merchant": "PRODUKTY BEREZKA 0417",
    "counterparty": {"name": "", "bank": ""},
    "memo_untrusted": "",
}
LINE_EXAMPLE = OpenApiExample("transaction", response_only=True, value=LINE)
LINES_EXAMPLE = OpenApiExample("page", response_only=True, value={"results": [LINE], "next_cursor": CURSOR})
CARDS_EXAMPLE = OpenApiExample(
    "cards",
    response_only=True,
    value={
        "results": [
            {
                "id": "0199f2c4-7d11-7a2b-8c3d-4e5f60718205",
                "account": ACCOUNT_ID,
                "number_masked": "··1234",
                "system": "mir",
                "status": "active",
                "expires_on": "2029-05-28",
                "limits": {
                    "purchases_day": build_amount(15_000_000, "150000.00"),
                    "purchases_month": None,
                    "cash_day": None,
                    "online": None,
                },
            }
        ]
    },
)
PAYEE: Final = {
    "id": PAYEE_ID,
    "kind": "sbp",
    "name": "Иван И.",
    "target_masked": "··0021",
    "bank": "Банк «Примерный»",
    "first_paid_at": "2025-06-02T10:11:00Z",
    "last_paid_at": "2026-11-20T18:40:00Z",
}
PAYEES_EXAMPLE = OpenApiExample("page", response_only=True, value={"results": [PAYEE], "next_cursor": None})
BILLS_EXAMPLE = OpenApiExample(
    "page",
    response_only=True,
    value={
        "results": [
            {
                "id": "0199f2c4-7d11-7a2b-8c3d-4e5f60718206",
                "biller": "УК «Тёплый дом»",
                "category": "housing",
                "reference": "0012345678",
                "amount": build_amount(634_512, "6345.12"),
                "period": "2026-10-01",
                "due_on": "2026-11-25",
                "status": "unpaid",
                "issued_at": "2026-11-04T21:00:00Z",
                "paid_at": None,
                "details_untrusted": "",
            }
        ],
        "next_cursor": None,
    },
)
SCHEDULED_EXAMPLE = OpenApiExample(
    "scheduled",
    response_only=True,
    value={
        "results": [
            {
                "id": "0199f2c4-7d11-7a2b-8c3d-4e5f60718207",
                "title": "Маме",
                "account": ACCOUNT_ID,
                "payee": PAYEE,
                "amount": build_amount(300_000, "3000.00"),
                "frequency": "monthly",
                "day": 31,
                "next_on": "2026-11-30",
                "status": "active",
            }
        ]
    },
)
SUBSCRIPTIONS_EXAMPLE = OpenApiExample(
    "subscriptions",
    response_only=True,
    value={
        "results": [
            {
                "id": "0199f2c4-7d11-7a2b-8c3d-4e5f60718208",
                "merchant": "МУЗЫКА.ПЛЮС",
                "account": ACCOUNT_ID,
                "amount": build_amount(39_900, "399.00"),
                "frequency": "monthly",
                "last_charged_on": "2026-11-12",
                "next_on": "2026-12-12",
                "previous_amount": build_amount(29_900, "299.00"),
                "increased_on": "2026-05-12",
            }
        ]
    },
)
RATES_EXAMPLE = OpenApiExample(
    "rates",
    response_only=True,
    value={
        "results": [
            {
                "base": "CNY",
                "quote": "RUB",
                "buy": "12.150000",
                "sell": "12.790000",
                "valid_from": "2026-11-22T21:00:00Z",
            }
        ]
    },
)
