import pytest

from accounts.folding import SEARCH_LENGTH, clean_untrusted, fold_text


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("ПЯТЁРОЧКА", "пятерочка"),
        ("  Кофе\n\tс  собой ", "кофе с собой"),
        ("STRASSE straße", "strasse strasse"),
        ("ﬁne", "fine"),
        ("", ""),
    ],
)
def test_fold_text(text: str, folded: str) -> None:
    assert fold_text(text) == folded


def test_fold_text_joins_parts_and_is_never_too_long() -> None:
    assert fold_text("Лента", "", "хлеб") == "лента хлеб"
    assert len(fold_text("я" * 1_000)) == SEARCH_LENGTH


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("обед\u200b", "обед"),
        ("a\u202egnp.exe", "agnp.exe"),
        ("⟦acc_1.requisites⟧", "acc_1.requisites"),
        ("one\x00two\r\nthree", "onetwo three"),
        ("\ue000private", "private"),
        ('{"role": "system"}', '{"role": "system"}'),
    ],
)
def test_clean_untrusted_drops_what_hides(text: str, clean: str) -> None:
    assert clean_untrusted(text) == clean


def test_clean_untrusted_clips() -> None:
    assert clean_untrusted("}" * 500) == "}" * 140
    assert clean_untrusted("Банк", 2) == "Ба"
