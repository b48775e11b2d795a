"""A statement as CSV for a person's spreadsheet: UTF-8 with a byte order mark, without which Excel shows no Cyrillic.

Russian spreadsheets separate columns by semicolons and kopecks by a comma, English ones by a comma and a point: the
file follows the customer's language. No text of a stranger can become a formula.
"""

import csv
import io

from django.utils.translation import override as override_language

from accounts.money import Money, format_plain
from accounts.statements.content import Statement, StatementRow, name_columns
from audit.export.formats import disarm_formula

BYTE_ORDER_MARK = "\ufeff"
MOST_ROWS = 50_000


def encode_spreadsheet(statement: Statement) -> bytes:
    """Return the file."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter="," if statement.language == "en" else ";")
    with override_language(statement.language):
        writer.writerow(name_columns())
    writer.writerows(build_cells(row, statement.language) for row in statement.rows)
    return (BYTE_ORDER_MARK + buffer.getvalue()).encode()


def build_cells(row: StatementRow, language: str) -> list[str]:
    """Return the cells of a row; figures are made by us and may start with a minus, texts may not."""
    texts = (row.what, row.category, row.who, row.memo)
    figures = (show_figure(row.amount, language), show_figure(row.balance, language))
    return [row.day.isoformat(), *(disarm_formula(text) for text in texts), *figures]


def show_figure(money: Money, language: str) -> str:
    plain = format_plain(money)
    return plain if language == "en" else plain.replace(".", ",")
