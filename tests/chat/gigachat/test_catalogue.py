import pytest
from pytest_django import Settings

from chat.gigachat.catalogue import calls_for_fallback, can_see_images, check_model, find_model_report
from chat.gigachat.errors import (
    BreakerOpen,
    GigaChatError,
    ModelUnknown,
    ParametersRefused,
    PaymentRequired,
    RateLimited,
    ServerFailed,
    Unreachable,
)
from chat.gigachat.rest_types import ModelInfo

NAMES = ("GigaChat-2", "GigaChat-2-Max")


class Account:
    """Counts who asks; fails while `is_down`."""

    def __init__(self) -> None:
        self.calls = 0
        self.is_down = False

    def list_models(self) -> tuple[ModelInfo, ...]:
        self.calls += 1
        if self.is_down:
            raise Unreachable
        return (*(ModelInfo(name=name, kind="chat") for name in NAMES), ModelInfo(name="Embeddings", kind="embedder"))


class Clock:
    now = 1_793_950_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["memory", "redis"], autouse=True)
def any_cache(request: pytest.FixtureRequest) -> None:
    if request.param == "redis":
        request.getfixturevalue("redis_cache")


@pytest.mark.parametrize(("model", "is_listed"), [("GigaChat-2", True), ("GigaChat", False), ("Embeddings", False)])
def test_check_model_tells_whether_the_account_has_it(model: str, is_listed: bool) -> None:
    report = check_model(model, Account().list_models)
    assert (report.model, report.is_listed, report.chat_models) == (model, is_listed, NAMES)


def test_check_model_asks_once_in_five_minutes_for_all_models_and_processes() -> None:
    account, clock = Account(), Clock()
    for model in ("GigaChat-2", "GigaChat-2-Max", "GigaChat"):
        check_model(model, account.list_models, clock=clock)
    assert account.calls == 1
    clock.now += 300.0
    check_model("GigaChat-2", account.list_models, clock=clock)
    assert account.calls == 2


def test_check_model_while_gigachat_is_down_keeps_what_was_true() -> None:
    account, clock = Account(), Clock()
    check_model("GigaChat-2", account.list_models, clock=clock)
    account.is_down = True
    clock.now += 301.0
    assert check_model("GigaChat-2", account.list_models, clock=clock).is_listed is True


def test_check_model_that_never_got_an_answer_knows_nothing() -> None:
    account = Account()
    account.is_down = True
    assert check_model("GigaChat-2", account.list_models).is_listed is None


def test_find_model_report_asks_nobody() -> None:
    assert find_model_report("GigaChat-2").is_listed is None
    check_model("GigaChat-2", Account().list_models)
    assert find_model_report("GigaChat-2").is_listed is True
    assert find_model_report("GigaChat").is_listed is False


@pytest.mark.parametrize(
    ("model", "can_see"),
    [("GigaChat-2", False), ("GigaChat-2-Pro", True), ("GigaChat-2-Max", True), ("GigaChat-2-Max:2.0.30.01", True)],
)
def test_can_see_images_is_told_by_the_setting(model: str, can_see: bool) -> None:
    assert can_see_images(model) is can_see


def test_can_see_images_of_another_contract_follows_its_setting(settings: Settings) -> None:
    settings.GIGACHAT_VISION_MODELS = ["GigaChat-3-Ultra"]
    assert can_see_images("GigaChat-3-Ultra")
    assert not can_see_images("GigaChat-2-Max")


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (PaymentRequired(status=402), True),
        (ModelUnknown(status=404), True),
        (BreakerOpen(), True),
        (RateLimited(status=429), False),
        (ServerFailed(status=500), False),
        (ParametersRefused(status=422), False),
    ],
)
def test_calls_for_fallback_where_another_model_may_answer(error: GigaChatError, answer: bool) -> None:
    assert calls_for_fallback(error) is answer
