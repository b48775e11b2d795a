import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.money import Money, format_money
from functions.grounding import find_unsupported, iter_texts
from tests.functions.answers import CUSTOMER_TEXTS, GROUNDED, INVENTED, LINES, PAYLOAD, TODAY, money, succeed


def check(answer: str, *results: str, payloads: tuple[str, ...] = ()) -> tuple[str, ...]:
    found = find_unsupported(answer, results=results, customer_texts=CUSTOMER_TEXTS, payloads=payloads, today=TODAY)
    return tuple(iter_texts(found))


@pytest.mark.parametrize(("answer", "results"), GROUNDED)
def test_find_unsupported_in_a_right_answer_finds_nothing(answer: str, results: tuple[str, ...]) -> None:
    assert check(answer, *results) == ()


@pytest.mark.parametrize(("answer", "results", "invented"), INVENTED)
def test_find_unsupported_finds_what_is_invented(
    answer: str, results: tuple[str, ...], invented: tuple[str, ...]
) -> None:
    assert check(answer, *results) == invented


def test_find_unsupported_knows_a_confirmations_terms() -> None:
    assert check("Перевести 1 500,50 ₽, комиссия 15 ₽?", payloads=(PAYLOAD,)) == ()
    assert check("Перевести 1 500,51 ₽?", payloads=(PAYLOAD,)) == ("1 500,51 ₽",)


def test_find_unsupported_without_today_exempts_no_date() -> None:
    answer = "Сегодня 24 ноября 2026 года."
    unknown = succeed(note_count=0)

    assert check(answer, unknown) == ()
    assert find_unsupported(answer, results=[unknown], customer_texts=()) != ()


def test_find_unsupported_in_a_result_that_is_no_object_has_no_support() -> None:
    assert check("Доступно 5 000 ₽", "5000", "nonsense") == ("5 000 ₽",)


def test_iter_texts_gives_each_once() -> None:
    found = find_unsupported("7 ₽ и 7 ₽ и 8 ₽", results=[LINES], customer_texts=())

    assert list(iter_texts(found)) == ["7 ₽", "8 ₽"]


@given(st.integers(2_00, 10**11), st.sampled_from(["ru", "en"]))
def test_find_unsupported_any_amount_as_the_bank_writes_it_is_supported(minor: int, language: str) -> None:
    amount = Money(minor)
    result = succeed(available=money(f"{minor // 100}.{minor % 100:02}", format_money(amount)))

    assert check(f"Доступно {format_money(amount, language=language)}.", result) == ()


@given(st.integers(1_000_00, 10**11), st.integers(1_00, 999_99))
def test_find_unsupported_any_other_amount_is_found(minor: int, more: int) -> None:
    result = succeed(available=money(f"{minor // 100}.{minor % 100:02}", format_money(Money(minor))))
    said = format_money(Money(minor + more))

    assert check(f"Доступно {said}.", result) == (said,)


@given(st.text(max_size=300))
def test_find_unsupported_in_any_text_ends(text: str) -> None:
    check(text, text, LINES)
