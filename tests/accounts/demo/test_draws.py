from datetime import date

from accounts.demo.draws import Draw
from accounts.demo.people import build_card_number, build_person
from accounts.requisites import is_card_number_right


def test_draws_of_one_name_are_the_same_on_every_machine() -> None:
    draw = Draw(42, 7, "habits")
    assert [draw.draw_number(1, 1000) for _ in range(4)] == [637, 668, 301, 849]


def test_draws_of_other_names_differ() -> None:
    assert Draw(1, 23).draw_digits(12) != Draw(12, 3).draw_digits(12)


def test_draw_some_gives_different_rows() -> None:
    assert sorted(Draw("x").draw_some("abcdef", 9)) == list("abcdef")


def test_happens_never_and_always() -> None:
    draw = Draw("x")
    assert [draw.happens(0), draw.happens(1000)] == [False, True]


def test_card_numbers_of_a_crowd_are_right_and_all_different() -> None:
    numbers = {
        build_card_number(build_person(42, number, date(2026, 11, 1)), index)
        for number in range(1, 300)
        for index in range(2)
    }
    assert len(numbers) == 598
    assert all(is_card_number_right(number) and number.startswith("220000") for number in numbers)
