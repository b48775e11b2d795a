"""Statements of hostile and of many lines, made without a database."""

import csv
import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from accounts.demo.catalogue import read_data
from accounts.local_days import DateRange
from accounts.money import Money
from accounts.statements.content import Statement, StatementRow
from accounts.statements.document import COLUMNS, encode_document, split_pages
from accounts.statements.spreadsheet import encode_spreadsheet

DAY = date(2026, 2, 28)
HOSTILE = [*read_data("adversarial")["memos"], *read_data("adversarial")["merchants"]]


def build_row(text: str, minor: int = -1) -> StatementRow:
    return StatementRow(
        day=DAY, what="Покупка", category="кафе", who=text, memo=text, amount=Money(minor), balance=Money(0)
    )


def build_statement(rows: list[StatementRow], language: str = "ru") -> Statement:
    nothing = Money(0)
    return Statement(
        language=language,
        holder="Озёрская Елена",
        number="40817810010429004821",
        bank="Банк",
        bik="049999999",
        currency="RUB",
        days=DateRange(DAY, DAY),
        opening=nothing,
        closing=nothing,
        incoming=nothing,
        outgoing=nothing,
        rows=rows,
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_a_stranger_is_a_formula_in_the_spreadsheet(text: str) -> None:
    content = encode_spreadsheet(build_statement([build_row(text)])).decode("utf-8")[1:]
    _, row = csv.reader(io.StringIO(content, newline=""), delimiter=";")
    assert all(not cell.lstrip().startswith(("=", "+", "@", "-", "\t")) for cell in row[1:5])
    assert row[5:] == ["-0,01", "0,00"]


@pytest.mark.parametrize("language", ["ru", "en"])
def test_document_of_hostile_texts_is_read_back(language: str) -> None:
    content = encode_document(build_statement([build_row(text) for text in HOSTILE], language))
    (page,) = PdfReader(io.BytesIO(content)).pages
    assert "DROP TABLE" in page.extract_text()
    assert b"/JavaScript" not in content


@given(st.text(max_size=140))
def test_document_takes_any_text(text: str) -> None:
    assert encode_document(build_statement([build_row(text)])).startswith(b"%PDF-")


def test_document_of_many_lines_numbers_its_pages_and_loses_none() -> None:
    rows = [build_row(f"строка-{number}-") for number in range(300)]
    pages = PdfReader(io.BytesIO(encode_document(build_statement(rows)))).pages
    text = "\n".join(page.extract_text() for page in pages)
    assert all(f"строка-{number}-" in text for number in range(300))
    assert [f"{number} / {len(pages)}" in page.extract_text() for number, page in enumerate(pages, 1)] == [True] * len(
        pages
    )


def test_pages_hold_every_row_once_in_order() -> None:
    rows = [build_row(str(number)) for number in range(137)]
    assert [row for page, _ in split_pages(rows, 600) for row in page] == rows
    assert len(split_pages([], 600)) == 1


def test_columns_are_in_order() -> None:
    assert sorted(COLUMNS) == list(COLUMNS)
