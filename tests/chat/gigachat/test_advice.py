import pytest

from chat.gigachat.advice import ADVICE, find_advice
from chat.gigachat.errors import GigaChatError, TokenGatewayFailed, TokenUnreachable, Unreachable
from tests.chat.gigachat.test_errors import CLASSES


@pytest.mark.parametrize("kind", CLASSES)
def test_find_advice_has_a_word_for_every_error(kind: type[GigaChatError]) -> None:
    assert find_advice(kind()).endswith(".")


def test_find_advice_of_a_child_is_that_of_its_nearest_parent() -> None:
    assert find_advice(TokenUnreachable()) == ADVICE[Unreachable]
    assert "GigaChat itself" in find_advice(TokenGatewayFailed())
