"""Which models there are and what they can do: the account's own list, kept in the shared cache for all processes."""

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.conf import settings

from accounts.shared_cache import read_value, write_value
from chat.gigachat.errors import BreakerOpen, GigaChatError, ModelUnknown, PaymentRequired
from chat.gigachat.rest_types import CHAT_KIND, ModelInfo

CACHE_NAME = "gigachat.models"
# A contract changes in months; an operator who changed it restarts, or waits this long.
FRESH_SECONDS = 300.0
# While GigaChat is down, what was true an hour ago still is.
KEEP_SECONDS = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReport:
    """`chat_models` is None when the list is not known: nobody asked yet, or GigaChat does not answer."""

    model: str
    chat_models: tuple[str, ...] | None

    @property
    def is_listed(self) -> bool | None:
        """Whether this account can use the model; None when it is not known."""
        return None if self.chat_models is None else self.model in self.chat_models


def check_model(
    model: str, list_models: Callable[[], Iterable[ModelInfo]], *, clock: Callable[[], float] = time.time
) -> ModelReport:
    """Tell whether the account has the model, asking GigaChat when the shared answer is older than five minutes.

    list_models  `RestClient.list_models`; its failure is not raised: then an older list counts, or none
    """
    known = read_known()
    if known is not None and 0 <= clock() - known[0] < FRESH_SECONDS:
        return ModelReport(model=model, chat_models=known[1])
    try:
        names = tuple(info.name for info in list_models() if info.kind == CHAT_KIND)
    except GigaChatError:
        return ModelReport(model=model, chat_models=None if known is None else known[1])
    write_value(CACHE_NAME, json.dumps([clock(), names]), seconds=KEEP_SECONDS)
    return ModelReport(model=model, chat_models=names)


def find_model_report(model: str) -> ModelReport:
    """Tell what is known, without asking GigaChat: for health pages."""
    known = read_known()
    return ModelReport(model=model, chat_models=None if known is None else known[1])


def read_known() -> tuple[float, tuple[str, ...]] | None:
    content = read_value(CACHE_NAME)
    if not isinstance(content, str):
        return None
    checked_at, names = json.loads(content)
    return checked_at, tuple(names)


def can_see_images(model: str) -> bool:
    """Whether the model sees pictures; `model` with or without its version. Source: GIGACHAT_VISION_MODELS"""
    return model.partition(":")[0] in settings.GIGACHAT_VISION_MODELS


def calls_for_fallback(error: GigaChatError) -> bool:
    """Whether another model may answer where this one did not: its tokens are used up, it is gone, its host is down."""
    return isinstance(error, PaymentRequired | ModelUnknown | BreakerOpen)
