"""What the OpenAPI document says of the API as a whole; settings.py takes it in. Nothing here is configurable."""

API_DOCUMENT = {
    "TITLE": "Bank assistant",
    "DESCRIPTION": "What the mobile app asks by HTTP; answers arrive token by token on the socket `/ws/v1`.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "TAGS": [
        {"name": "auth", "description": "Signing in, staying in, signing out."},
        {"name": "devices", "description": "Keys with which devices approve, and ours that sign what they approve."},
        {"name": "customer", "description": "The signed-in customer."},
        {"name": "conversations", "description": "Conversations, their messages and their event logs."},
        {"name": "files", "description": "Pictures and documents to ask about."},
        {"name": "accounts", "description": "Accounts, their balances and requisites."},
        {"name": "transactions", "description": "Statement lines: booked and held."},
        {"name": "cards", "description": "Cards and the customer's limits on them."},
        {"name": "payments", "description": "Payees, bills, and payments that come again."},
        {"name": "rates", "description": "Exchange rates."},
        {"name": "statements", "description": "Statements as files."},
    ],
    # Two fields of one name with different choices need names of their own in the document.
    "ENUM_NAME_OVERRIDES": {
        "FileKind": "chat.enums.FileKind",
        "AccountKind": "accounts.enums.AccountKind",
        "AccountStatus": "accounts.enums.AccountStatus",
        "BillStatus": "accounts.enums.BillStatus",
        "CardStatus": "accounts.enums.CardStatus",
        "Category": "accounts.enums.Category",
        "Frequency": "accounts.enums.Frequency",
        "OperationKind": "accounts.enums.OperationKind",
        "PayeeKind": "accounts.enums.PayeeKind",
        "ScheduleStatus": "accounts.enums.ScheduleStatus",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    # No badge from a server on the internet.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}
