import re
import time
import timeit
from datetime import date
from uuid import uuid4

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.demo.people import build_card_number, build_number, build_person
from accounts.enums import PayeeKind, PayeeOrigin
from accounts.models import Customer, Payee
from functions.handles import HandleTable
from functions.privacy.masking import Masker, build_masker, mask_texts
from functions.privacy.restoring import Restorer, build_lookup
from functions.privacy.surnames import build_surnames
from tests.factories.accounts import make_customer
from tests.functions.privacy.table import MemoryTable

CARD_DAY = date(2026, 11, 1)
PHONE = "+7 900 123-45-67"
CARD = "2200000000000004"
ACCOUNT = "40817810500000000001"
INN = "7707083893"
VALUES = (PHONE, CARD, ACCOUNT, INN, "anna@example.ru", "Ветровой", "Vetrova")
PROSE = "Покажи, пожалуйста, сколько я потратил на еду в прошлом месяце и переведи Ивану 1 500 ₽. "


def build(surname: str = "Ветрова", *payees: str) -> tuple[Masker, MemoryTable]:
    table = MemoryTable()
    return Masker(table, build_surnames([surname], payees)), table


def save_payee(customer: Customer, shown_name: str) -> Payee:
    return Payee.objects.create(
        customer=customer,
        kind=PayeeKind.SBP,
        target_sealed=b"x",
        target_digest="0" * 64,
        shown_name=shown_name,
        origin=PayeeOrigin.CUSTOMER,
        created_at=timezone.now(),
    )


@pytest.mark.parametrize(
    "written",
    [
        "+79001234567",
        "89001234567",
        "79001234567",
        "9001234567",
        "8 900 123 45 67",
        "8(900)123-45-67",
        "8 (900) 123-45-67",
        "+7 (900) 123 45 67",
        "+7-900-123-45-67",
        "8-900-1234567",
        "8 900 123 4567",
        "8.900.123.45.67",
        "8 900 12 345 67",
        "900 123-45-67",
        "(900) 123-45-67",
        "+7\u00a0900\u00a0123\u00a045\u00a067",
        "+7 900 123–45–67",
        "８９００１２３４５６７",
        "8 9OO 123 45 67",
        "8\u200b900\u200b123\u200b45\u200b67",
        "+7 9\u2060001234567",
        "٨٩٠٠١٢٣٤٥٦٧",
    ],
)
def test_mask_phone_in_every_form_gives_one_placeholder(written: str) -> None:
    masker, table = build()

    assert masker.mask(f"Переведи на {written} 500 рублей") == "Переведи на ⟦phone_1⟧ 500 рублей"
    assert table.values == {"phone_1": "+79001234567"}


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("карта 2200000000000004", "карта ⟦pan_1⟧"),
        ("карта 2200 0000 0000 0004.", "карта ⟦pan_1⟧."),
        ("карта 2200-0000-0000-0004", "карта ⟦pan_1⟧"),
        ("карта 2200 0000 0000 0005", "карта ⟦pan_1⟧"),
        ("карта 2 2 0 0 0 0 0 0 0 0 0 0 0 0 0 4", "карта ⟦pan_1⟧"),
        ("карта 3782 822463 10005", "карта ⟦pan_1⟧"),
        ("500 2200000000000004", "500 ⟦pan_1⟧"),
        ("карта 22ОО ОООО 0000 0004, ок", "карта 22ОО ОООО 0000 0004, ок"),
        ("карта 22ОО 0ООО 0000 0004", "карта ⟦pan_1⟧"),
        (f"счёт {ACCOUNT}", "счёт ⟦number_1⟧"),
        ("счёт 40817 810 5 0000 0000001", "счёт ⟦number_1⟧"),
        ("счёт 40817 81050 00000 00001", "счёт ⟦number_1⟧"),
        ("счёт 40817А10500000000001", "счёт ⟦number_1⟧"),
        ("ИНН 7707083893", "ИНН ⟦inn_1⟧"),
        ("ИНН 7707083894 с ошибкой", "ИНН 7707083894 с ошибкой"),
        ("СНИЛС 112-233-445 95", "СНИЛС ⟦number_1⟧"),
        ("паспорт 4510 123456", "паспорт ⟦number_1⟧"),
        ("письмо на Anna.V@mail.example.ru!", "письмо на ⟦email_1⟧!"),
        ("звоните +375 29 123-45-67", "звоните ⟦phone_1⟧"),
        ("500 89001234567", "500 ⟦phone_1⟧"),
    ],
)
def test_mask_numbers_and_addresses_become_placeholders(text: str, masked: str) -> None:
    masker, _ = build()

    assert masker.mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "Переведи 1 500,50 ₽ с накопительного",
        "сумма 1 500 000 000,00 ₽ и +150 000 000 000 ₽",
        "17 000 12 000 13 000 11 000 10 000",
        "с 01.11.2026 по 24.11.2026 и 2026-11-01 2026-11-24 12:30:15",
        "01.02.2026-05.03.2026",
        "БИК 000000001, КПП 770701001, карта ··4821",
        "договор 1234567, код 12345678",
        "acc_1 и card_12 и phone_3",
        "1 2 3 4 5 6 7 8 9 10 11 12",
    ],
)
def test_mask_amounts_dates_and_short_numbers_stay_readable(text: str) -> None:
    masker, table = build()

    assert masker.mask(text) == text
    assert not table.values


@pytest.mark.parametrize(
    "name",
    [
        "Ветрова", "ветровой", "ВЕТРОВУ", "Ветровым", "Ветровых", "Вeтровa", "Vetrova", "vetrov", "Вет\u200bрова",
        "Ветровыми",
    ],
)  # fmt: skip
def test_mask_own_surname_in_every_case_and_alphabet(name: str) -> None:
    masker, _ = build()

    assert masker.mask(f"Это {name}, да") == "Это ⟦name_1⟧, да"


@pytest.mark.parametrize(
    ("payee", "text", "masked"),
    [
        ("Иван И.", "Переведи Ивану Иванову 500", "Переведи Ивану ⟦name_1⟧ 500"),
        ("Иван И.", "переведи ивану иванову 500", "переведи ивану ⟦name_1⟧ 500"),
        ("Иван И.", "Иванов Иван", "⟦name_1⟧ Иван"),
        ("Иван И.", "Ivan Ivanov", "Ivan ⟦name_1⟧"),
        ("Павел К.", "скинь Павлу Кузнецову", "скинь Павлу ⟦name_1⟧"),
        ("Мария Кравец", "отправь Кравцу", "отправь ⟦name_1⟧"),
        ("Лев Воронцов-Вельский", "Воронцову-Вельскому", "⟦name_1⟧-⟦name_2⟧"),
        ("Иван И.", "переведи ивану интернет деньги", "переведи ивану интернет деньги"),
        ("Иван И.", "Ивану 500", "Ивану 500"),
        ("Ким Ли", "Ли и Ким", "Ли и Ким"),
        ("+7 000 000-00-77", "обычный текст", "обычный текст"),
    ],
)
def test_mask_payees_surnames_beside_their_first_names(payee: str, text: str, masked: str) -> None:
    masker, _ = build("", payee)

    assert masker.mask(text) == masked


def test_mask_same_value_in_several_messages_has_one_placeholder() -> None:
    masker, table = build()

    masked = mask_texts(masker, ["на 89001234567 и 89007654321", "получатель +7 900 123-45-67", "+7 900 765 43 21"])

    assert masked == ("на ⟦phone_1⟧ и ⟦phone_2⟧", "получатель ⟦phone_1⟧", "⟦phone_2⟧")
    assert table.values == {"phone_1": "+79001234567", "phone_2": "+79007654321"}


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("⟦phone_1⟧", "⟦phone_1⟧"),
        ("⟦phone_2⟧ ⟦acc_1⟧ ⟦confirm_1⟧", "[phone_2] [acc_1] [confirm_1]"),
        ("⟦acc_1.requisites⟧", "[acc_1.requisites]"),
        ("⟦⟦phone_1⟧⟧", "[⟦phone_1⟧]"),
        ("⟦", "["),
        ("⟦89001234567⟧", "[⟦phone_1⟧]"),
    ],
)
def test_mask_typed_marks_stand_for_nothing_unless_the_value_is_known(text: str, masked: str) -> None:
    masker, _ = build()
    masker.mask("+79001234567")

    assert masker.mask(text) == masked


PIECES = st.one_of(
    st.sampled_from(VALUES),
    st.sampled_from(
        [" ", " и ", ", ", "\n", "500 ₽", "⟦", "⟧", "⟦phone_1⟧", "О", "8", "+7", "1 500", "-", "(", "Иван"]
    ),
    st.text(alphabet="абв O0189 -+().⟦⟧_", max_size=8),
)


@given(st.lists(PIECES, max_size=12))
def test_mask_twice_changes_nothing_more(pieces: list[str]) -> None:
    masker, _ = build("Ветрова", "Иван И.")
    once = masker.mask("".join(pieces))

    assert masker.mask(once) == once


@given(st.lists(st.sampled_from(VALUES), max_size=8), st.sampled_from([" ", ", ", " и ещё\n", "; "]))
def test_mask_then_restore_gives_the_text_back(values: list[str], glue: str) -> None:
    masker, table = build()
    text = glue.join(values)
    masked = masker.mask(text)
    restorer = Restorer(build_lookup(table))

    assert not any(value in masked for value in values)
    assert restorer.feed(masked) + restorer.flush() == text
    assert restorer.unknown == 0


def test_mask_the_demos_own_values_leaves_none_of_them() -> None:
    for number in range(200):
        person = build_person(42, number, CARD_DAY)
        masker, _ = build(person.last_name)
        account = build_number(person, 0, balance_account="40817", currency="RUB")
        values = [person.phone, account, build_card_number(person, 0), person.last_name, person.inn]
        masked = masker.mask(f"Я {values[3]}, тел. {values[0]}, счёт {values[1]}, карта {values[2]}, ИНН {values[4]}.")

        assert not any(value in masked for value in values), masked
        assert re.search(r"[0-9]{5}", masked) is None


def measure_seconds(masker: Masker, text: str) -> float:
    """Return the processor's time for one masking; other processes do not count."""
    return min(timeit.repeat(lambda: masker.mask(text), number=1, repeat=5, timer=time.process_time))


def test_mask_two_kilobytes_is_quick() -> None:
    """0.4 ms without a tracer on two cores; the bound is loose, since tests run under coverage and beside others."""
    masker, _ = build("Ветрова", "Иван И.", "Анна К.", "Павел С.")
    text = (PROSE * 20)[:1100] + " на 89001234567"

    assert len(text.encode()) > 1900
    assert measure_seconds(masker, text) < 0.02


@pytest.mark.parametrize("text", ["8 900 " * 400, "1-" * 1000, "9" * 2000, "8(" * 1000, "⟦phone_1" * 250, "a@" * 1000])
def test_mask_hostile_text_takes_little_time(text: str) -> None:
    masker, _ = build()

    assert measure_seconds(masker, text) < 0.2


@pytest.mark.django_db
def test_build_masker_knows_the_customers_and_the_payees_surnames_and_seals_values() -> None:
    owner, stranger = make_customer(), make_customer()
    save_payee(owner, "Иван И.")
    save_payee(stranger, "Пётр Берёзкин")
    table = HandleTable.load(uuid4(), owner.pk)

    masked = build_masker(owner, table).mask("Ветрова, переведи Ивану Иванову и Берёзкину на 89001234567")

    assert masked == "⟦name_1⟧, переведи Ивану ⟦name_2⟧ и Берёзкину на ⟦phone_1⟧"
    assert table.read_value("phone_1") == "+79001234567"
    assert table.read_value("name_2") == "Иванову"
