import pytest
from cryptography.fernet import InvalidToken
from pytest_django import Settings

from accounts.vault import digest_target, seal_text, unseal_text


def test_sealed_text_opens_again_and_shows_nothing() -> None:
    sealed = seal_text("+70000000101")
    assert unseal_text(sealed) == unseal_text(memoryview(sealed)) == "+70000000101"
    assert b"70000000101" not in sealed
    assert seal_text("+70000000101") != sealed


def test_sealed_text_does_not_open_with_another_key(settings: Settings) -> None:
    sealed = seal_text("+70000000101")
    settings.BANK_DATA_KEY = "another key"
    with pytest.raises(InvalidToken):
        unseal_text(sealed)


def test_digest_is_the_same_every_time_and_unrelated_between_kinds_and_keys(settings: Settings) -> None:
    first = digest_target("phone", "+70000000101")
    assert first == digest_target("phone", "+70000000101")
    assert len(first) == 64
    assert first != digest_target("account", "+70000000101")
    settings.BANK_DATA_KEY = "another key"
    assert first != digest_target("phone", "+70000000101")
