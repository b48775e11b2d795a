"""Pseudonyms link equal values and give nothing away without the key."""

from pytest_django import Settings

from audit.pseudonyms import build_pseudonym


def test_pseudonym_of_the_same_value_is_stable_and_separate_by_kind() -> None:
    assert build_pseudonym("ip", "198.51.100.7") == build_pseudonym("ip", "198.51.100.7")
    assert build_pseudonym("ip", "198.51.100.7") != build_pseudonym("phone", "198.51.100.7")
    assert build_pseudonym("ip", "198.51.100.7") != build_pseudonym("ip", "198.51.100.8")


def test_pseudonym_depends_on_the_configured_key_and_else_on_the_secret_key(settings: Settings) -> None:
    settings.AUDIT_PSEUDONYM_KEY = ""
    settings.SECRET_KEY = "first"
    first = build_pseudonym("ip", "198.51.100.7")
    settings.SECRET_KEY = "second"
    second = build_pseudonym("ip", "198.51.100.7")
    settings.AUDIT_PSEUDONYM_KEY = "own key"

    assert len({first, second, build_pseudonym("ip", "198.51.100.7")}) == 3


def test_pseudonym_of_any_text_is_32_hex_digits() -> None:
    for value in ("", "Иван", "\ud800", "x" * 10_000):
        assert len(bytes.fromhex(build_pseudonym("username", value))) == 16
