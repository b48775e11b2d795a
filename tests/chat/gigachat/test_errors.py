import re

import pytest

from chat.gigachat import errors
from chat.gigachat.errors import GigaChatError, RateLimited, TokenRateLimited, find_error_class


def list_classes(root: type[GigaChatError]) -> list[type[GigaChatError]]:
    return [root, *(child for kind in root.__subclasses__() for child in list_classes(kind))]


CLASSES = sorted(set(list_classes(GigaChatError)), key=lambda kind: kind.code)


@pytest.mark.parametrize("kind", CLASSES)
def test_find_error_class_by_its_code_returns_it(kind: type[GigaChatError]) -> None:
    assert find_error_class(kind.code) is kind


def test_find_error_class_of_unknown_code_returns_none() -> None:
    assert find_error_class("no_such_code") is None


@pytest.mark.parametrize("kind", CLASSES)
def test_error_code_is_the_class_name(kind: type[GigaChatError]) -> None:
    words = re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()
    assert kind.code == words.replace("giga_chat", "gigachat")


@pytest.mark.parametrize("kind", CLASSES)
def test_error_is_drawn_in_the_tree(kind: type[GigaChatError]) -> None:
    assert errors.__doc__ is not None
    assert re.search(rf"\b{kind.__name__}\b", errors.__doc__)


def test_copy_of_error_keeps_everything_but_the_traceback() -> None:
    with pytest.raises(TokenRateLimited) as caught:
        raise TokenRateLimited(status=429, retry_after_seconds=3.0)
    twin = caught.value.copy()
    assert (type(twin), twin.status, twin.retry_after_seconds) == (TokenRateLimited, 429, 3.0)
    assert str(twin) == "token_rate_limited (HTTP 429)"
    assert twin.__traceback__ is None


def test_error_without_status_says_only_its_code() -> None:
    assert str(RateLimited()) == "rate_limited"
    assert RateLimited().is_retryable
