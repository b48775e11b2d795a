import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.enums import HandleKind
from functions.privacy.restoring import MAX_HELD, Restorer, build_lookup, show_value
from tests.functions.privacy.table import MemoryTable

VALUES = {"phone_1": "+7 900 123-45-67", "name_12": "Ветрова", "acc_1.requisites": "р/с 40817…"}
ANSWER = "Перевод ⟦name_12⟧ на ⟦phone_1⟧:\n⟦acc_1.requisites⟧⟦phone_1⟧ ⟦phone_9⟧готов — 500 ₽"
RESTORED = "Перевод Ветрова на +7 900 123-45-67:\nр/с 40817…+7 900 123-45-67 готов — 500 ₽"


def run(*pieces: str) -> tuple[list[str], int]:
    restorer = Restorer(VALUES)
    shown = [restorer.feed(piece) for piece in pieces]
    return [*shown, restorer.flush()], restorer.unknown


def test_feed_answer_cut_at_every_byte_gives_the_same_text() -> None:
    raw = ANSWER.encode()
    for cut in range(len(raw) + 1):
        decoder = codecs.getincrementaldecoder("utf-8")()
        shown, unknown = run(decoder.decode(raw[:cut]), decoder.decode(raw[cut:], final=True))

        assert "".join(shown) == RESTORED
        assert unknown == 1
        assert all(RESTORED.startswith("".join(shown[:count])) for count in range(len(shown)))


def test_feed_answer_letter_by_letter_gives_the_same_text() -> None:
    shown, unknown = run(*ANSWER)

    assert "".join(shown) == RESTORED
    assert unknown == 1


TEXTS = st.lists(
    st.one_of(
        st.sampled_from(["⟦phone_1⟧", "⟦name_12⟧", "⟦no_1⟧", "⟦", "⟧", "⟦phone_", "\n", "x" * 70, "⟦" + "y" * 64]),
        st.text(alphabet="абвxyz_1.⟦⟧ \n", max_size=20),
    ),
    max_size=10,
).map("".join)


@given(TEXTS, st.data())
def test_feed_text_cut_anywhere_is_as_uncut_and_shows_no_mark(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    whole, unknown = run(text)
    cut, unknown_cut = run(*pieces)

    assert "".join(cut) == "".join(whole)
    assert unknown_cut == unknown
    assert not {"⟦", "⟧"} & set("".join(cut))


@given(TEXTS)
def test_feed_holds_back_a_bounded_piece(text: str) -> None:
    restorer = Restorer({})
    shown = removed = 0
    for fed, char in enumerate(text, 1):
        shown += len(restorer.feed(char))
        removed += char in "⟦⟧"
        # Unknown placeholders are removed whole, each at most as long as what may be held.
        assert fed - shown - removed <= (restorer.unknown + 1) * (MAX_HELD + 1)


def test_feed_text_without_marks_returns_the_same_object() -> None:
    piece = "обычный текст"

    assert Restorer({}).feed(piece) is piece


@pytest.mark.parametrize(
    ("pieces", "shown", "unknown"),
    [
        (["⟦" + "a" * MAX_HELD, "b⟧"], ["", "a" * MAX_HELD + "b", ""], 0),
        (["⟦PHONE_1⟧ и ⟦ phone_1 ⟧"], ["+7 900 123-45-67 и +7 900 123-45-67", ""], 0),
        (["конец ⟦phon"], ["конец ", ""], 1),
        (["конец ⟦"], ["конец ", ""], 0),
        (["скобка ⟦ и слова"], ["скобка ", " и слова"], 0),
        (["⟦phone_⟦phone_1⟧"], ["phone_+7 900 123-45-67", ""], 0),
        (["⟦что-то⟧!"], ["!", ""], 1),
        (["⟧⟧ ок"], [" ок", ""], 0),
        (["⟦строка\nдальше⟧"], ["строка\nдальше", ""], 0),
        (["⟦"], ["", ""], 0),
    ],
)
def test_feed_what_is_no_placeholder_is_let_go_without_marks(pieces: list[str], shown: list[str], unknown: int) -> None:
    assert run(*pieces) == (shown, unknown)


def test_feed_value_with_marks_cannot_make_a_placeholder() -> None:
    restorer = Restorer({"name_1": "⟦phone_1⟧", "phone_1": "secret"})

    assert restorer.feed("⟦name_1⟧") == "phone_1"


def test_is_holding_tells_whether_text_waits() -> None:
    restorer = Restorer(VALUES)
    restorer.feed("⟦pho")
    assert restorer.is_holding
    restorer.feed("ne_1⟧")
    assert not restorer.is_holding


def test_build_lookup_reads_the_table_after_the_extra_values() -> None:
    table = MemoryTable()
    table.mint_value(HandleKind.PHONE, "+79001234567")
    table.mint_value(HandleKind.EMAIL, "anna@example.ru")

    look_up = build_lookup(table, {"acc_1.requisites": "р/с"})

    assert look_up("acc_1.requisites") == "р/с"
    assert look_up("phone_1") == "+7 900 123-45-67"
    assert look_up("email_1") == "anna@example.ru"
    assert look_up("phone_2") is None
    assert build_lookup(table)("acc_1.requisites") is None
    assert build_lookup(table, lambda handle: handle * 2)("x") == "xx"


@pytest.mark.parametrize(
    ("handle", "value", "shown"),
    [
        ("phone_1", "+79001234567", "+7 900 123-45-67"),
        ("phone_1", "+375291234567", "+375291234567"),
        ("pan_1", "2200000000000004", "2200000000000004"),
    ],
)
def test_show_value_groups_russian_phones(handle: str, value: str, shown: str) -> None:
    assert show_value(handle, value) == shown
