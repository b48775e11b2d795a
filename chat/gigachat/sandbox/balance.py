"""Prepaid tokens per model: `GET /balance`, and 402 when a package is used up."""

from typing import Any

from chat.gigachat.sandbox.catalogue import Catalogue
from chat.gigachat.sandbox.errors import ApiError
from chat.gigachat.sandbox.settings import Account


class Packages:
    """What individuals and prepaid organisations have left; pay-as-you-go (`corp`) has no packages."""

    def __init__(self, account: Account, tokens: int, catalogue: Catalogue) -> None:
        self._is_prepaid = account is not Account.CORP
        self._left = {model.name: tokens for model in catalogue.list_models() if model.type == "chat"}

    def check(self, model: str) -> None:
        """Raises: ApiError 402"""
        if self._is_prepaid and self._left[model] <= 0:
            raise ApiError(402, "Payment Required")

    def spend(self, model: str, tokens: int) -> None:
        self._left[model] = max(0, self._left[model] - tokens)

    def to_json(self) -> dict[str, Any]:
        """Raises: ApiError 403 for a pay-as-you-go account"""
        if not self._is_prepaid:
            raise ApiError(403, "Permission denied")
        return {"balance": [{"usage": model, "value": left} for model, left in self._left.items()]}
