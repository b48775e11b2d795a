"""Examples of the OpenAPI document, as a phone would really get them."""

from typing import Final

from drf_spectacular.utils import OpenApiExample

CONVERSATION_ID: Final = "0199f2c4-7a51-7c3e-9d0a-5b1f6a2e8c44"
TURN_ID: Final = "0199f2c4-7b02-7d11-8e4f-0c9d8b7a6f55"
QUESTION_ID: Final = "0199f2c4-7b02-7d12-9a3c-1d2e3f405162"
ANSWER_ID: Final = "0199f2c4-7b02-7d13-b7c8-2e3f40516273"
CONVERSATION: Final = {
    "id": CONVERSATION_ID,
    "title": "Что такое вклад?",
    "created_at": "2026-11-24T09:15:04.120000Z",
    "last_turn_at": "2026-11-24T09:15:04.120000Z",
    "closed_at": None,
    "epoch": "5f0c2a9e",
    "top": 5,
}
CONVERSATION_EXAMPLE = OpenApiExample("conversation", response_only=True, value=CONVERSATION)
CLOSED_EXAMPLE = OpenApiExample(
    "closed", response_only=True, value={**CONVERSATION, "closed_at": "2026-11-24T09:20:00.000000Z", "top": 6}
)
CONVERSATIONS_EXAMPLE = OpenApiExample(
    "page",
    response_only=True,
    value={"results": [CONVERSATION], "next_cursor": "Yy4xNzY0MDAwMDAwMDAwMDAwLjAxOTlmMmM0"},
)
MESSAGES_EXAMPLE = OpenApiExample(
    "page",
    response_only=True,
    value={
        "results": [
            {
                "id": QUESTION_ID,
                "turn": TURN_ID,
                "mid": "6f1c1d9e-3a52-4f0b-9a77-0d6a3c1b2e5f",
                "role": "user",
                "text": "Что такое вклад?",
                "files": [],
                "bytes": 29,
                "sum": "0bIUxHmJ2f0CkXv3yq8mWA",
                "created_at": "2026-11-24T09:15:04.120000Z",
            }
        ],
        "next_cursor": None,
    },
)
EVENTS_EXAMPLE = OpenApiExample(
    "page",
    response_only=True,
    value={
        "epoch": "5f0c2a9e",
        "top": 5,
        "from": 3,
        "mode": "replay",
        "events": [
            {
                "t": "text.delta",
                "c": CONVERSATION_ID,
                "s": 4,
                "d": {"msg": ANSWER_ID, "off": 0, "text": "Вклад — это деньги,"},
            }
        ],
        "more": True,
    },
)
