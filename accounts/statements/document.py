"""A statement as PDF: A4, every page numbered, only the letters used of a font with Cyrillic and the rouble sign."""

import io
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import font_source_sans_pro
from django.utils.translation import gettext as _
from django.utils.translation import override as override_language
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from accounts.money import Money, format_money
from accounts.statements.content import Statement, StatementRow, name_columns, show_day

MOST_ROWS = 5_000
FONTS = Path(font_source_sans_pro.__file__).parent / "files"
PLAIN, BOLD = "SourceSansPro", "SourceSansPro-Bold"
WIDTH, HEIGHT = A4
MARGIN, LINE = 36, 12
TITLE_SIZE, HEAD_SIZE, CELL_SIZE = 15, 9, 7.5
# Left edges of the columns but the last two, whose right edges they are.
COLUMNS = (MARGIN, 82, 172, 244, 350, 508, WIDTH - MARGIN)
GAP = 5
UNKNOWN = "□"


@cache
def load_fonts() -> frozenset[int]:
    """Register both fonts with reportlab, once, and return the characters that they have."""
    plain = TTFont(PLAIN, str(FONTS / "SourceSansPro-Regular.ttf"))
    bold = TTFont(BOLD, str(FONTS / "SourceSansPro-Bold.ttf"))
    pdfmetrics.registerFont(plain)
    pdfmetrics.registerFont(bold)
    return frozenset(plain.face.charToGlyph) & frozenset(bold.face.charToGlyph)


def encode_document(statement: Statement) -> bytes:
    """Return the file."""
    load_fonts()
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, pageCompression=1)
    with override_language(statement.language):
        canvas.setTitle(_("Account statement"))
        canvas.setAuthor(statement.bank)
        top = draw_head(canvas, statement)
        pages = split_pages(statement.rows, top)
        for number, (rows, start) in enumerate(pages, start=1):
            draw_page(canvas, rows, start, statement.language)
            draw_text(canvas, WIDTH - MARGIN, MARGIN - 14, f"{number} / {len(pages)}", is_right=True)
            canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def draw_head(canvas: Canvas, statement: Statement) -> float:
    """Draw what the statement is about and return where the table starts."""
    top = HEIGHT - MARGIN
    draw_text(canvas, MARGIN, top - TITLE_SIZE, _("Account statement"), font=BOLD, size=TITLE_SIZE)
    top -= TITLE_SIZE + 2 * LINE
    language = statement.language
    days = f"{show_day(statement.days.first)} - {show_day(statement.days.last)}"
    facts = (
        (_("Bank"), f"{statement.bank}, {_('BIK')} {statement.bik}"),
        (_("Account holder"), statement.holder),
        (_("Account"), f"{statement.number}, {statement.currency}"),
        (_("Period"), days),
        (_("Balance at the beginning"), show_money(statement.opening, language)),
        (_("Money in"), show_money(statement.incoming, language)),
        (_("Money out"), show_money(statement.outgoing, language)),
        (_("Balance at the end"), show_money(statement.closing, language)),
    )
    for name, value in facts:
        draw_text(canvas, MARGIN, top, name, size=HEAD_SIZE)
        draw_text(canvas, COLUMNS[2], top, value, font=BOLD, size=HEAD_SIZE)
        top -= LINE + 1
    return top - LINE


def split_pages(rows: Sequence[StatementRow], top: float) -> list[tuple[Sequence[StatementRow], float]]:
    """Return the rows of each page and where its table starts; the first page has the head above it."""
    pages: list[tuple[Sequence[StatementRow], float]] = []
    start, left = top, rows
    while left or not pages:
        fitting = int((start - MARGIN) // LINE) - 1
        pages.append((left[:fitting], start))
        left, start = left[fitting:], HEIGHT - MARGIN - LINE
    return pages


def draw_page(canvas: Canvas, rows: Sequence[StatementRow], top: float, language: str) -> None:
    draw_cells(canvas, name_columns(), top, font=BOLD)
    canvas.setLineWidth(0.4)
    canvas.line(MARGIN, top - 3, WIDTH - MARGIN, top - 3)
    for row in rows:
        top -= LINE
        draw_cells(canvas, tuple(build_cells(row, language)), top)


def build_cells(row: StatementRow, language: str) -> Iterator[str]:
    yield show_day(row.day)
    yield from (row.what, row.category, row.who, row.memo)
    yield from (show_money(row.amount, language), show_money(row.balance, language))


def draw_cells(canvas: Canvas, cells: Sequence[str], top: float, *, font: str = PLAIN) -> None:
    """Draw one row: texts from their left edge, cut where the next column starts, figures to their right edge."""
    *texts, amount, balance = cells
    ends = (*COLUMNS[1:5], COLUMNS[5] - 62)
    for text, left, end in zip(texts, COLUMNS, ends, strict=False):
        draw_text(canvas, left, top, cut_text(text, end - left - GAP, font), font=font)
    draw_text(canvas, COLUMNS[5], top, amount, font=font, is_right=True)
    draw_text(canvas, COLUMNS[6], top, balance, font=font, is_right=True)


def cut_text(text: str, width: float, font: str) -> str:
    """Return as much of the text as fits, with an ellipsis when something is left out."""
    shown = replace_unknown(text)
    if measure(shown, font) <= width:
        return shown
    while shown and measure(f"{shown}…", font) > width:
        shown = shown[:-1]
    return f"{shown}…"


def measure(text: str, font: str) -> float:
    return float(pdfmetrics.stringWidth(text, font, CELL_SIZE))


def replace_unknown(text: str) -> str:
    """Return the text with a box for every character the font does not have."""
    known = load_fonts()
    return "".join(char if ord(char) in known else UNKNOWN for char in text)


def draw_text(
    canvas: Canvas,
    left: float,
    top: float,
    text: str,
    *,
    font: str = PLAIN,
    size: float = CELL_SIZE,
    is_right: bool = False,
) -> None:
    canvas.setFont(font, size)
    draw = canvas.drawRightString if is_right else canvas.drawString
    draw(left, top, replace_unknown(text))


def show_money(money: Money, language: str) -> str:
    return format_money(money, language=language)
