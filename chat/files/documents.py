"""Documents, checked but not changed: a PDF by its frame, a text by its letters; Word files are `word`'s."""

import re
import unicodedata
from collections import Counter

from chat.errors import FileFormatRefused

PDF_HEADER = b"%PDF-"
PDF_VERSION = re.compile(rb"%PDF-[12]\.\d[\r\n\t ]")
# Where the last cross-reference table begins, and the mark that must be the very end.
PDF_END = re.compile(rb"startxref\s+(\d{1,10})\s+%%EOF[\s\0]*\Z")
PDF_TAIL_BYTES = 2048
PDF_TABLE = re.compile(rb"xref\b|\d+\s+\d+\s+obj\b")
PDF_OBJECT = re.compile(rb"\d+\s+\d+\s+obj\b")
# Far enough for the dictionary of any trailer.
PDF_TRAILER_BYTES = 64 * 1024
ENCRYPTED = re.compile(rb"/Encrypt\b")

TEXT_CONTROLS = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]")
BYTE_ORDER_MARK = "\ufeff"
# CP1251 gives nearly every byte a letter, so a text in it must also look Russian: most of what is not ASCII is Cyrillic
# or Russian punctuation, and few words mix alphabets, which all words of a French or German text would do.
LEAST_RUSSIAN = 0.7
MOST_MIXED = 0.1
# Enough to tell; all of 40 MB would take seconds.
SAMPLE_CHARS = 500_000
MIXED = re.compile("[A-Za-z](?=[А-Яа-яЁё])|[А-Яа-яЁё](?=[A-Za-z])")
RUSSIAN_SIGNS = frozenset("«»—–№“”„‘’…°§\u00a0•")


def verify_pdf(content: bytes) -> None:
    """Let pass what begins as a PDF, ends as one, and has its cross-reference table where the end says.

    Anything before the header or after the end is refused: that is how a file is two formats at once.
    Raises: FileFormatRefused
    """
    end = PDF_END.search(content, max(0, len(content) - PDF_TAIL_BYTES))
    if not PDF_VERSION.match(content) or end is None:
        raise FileFormatRefused("broken")
    start = int(end[1])
    # Zero is a linearized file's hint that the first table, near its beginning, is the one.
    if start and not PDF_TABLE.match(content, start):
        raise FileFormatRefused("broken")
    if not PDF_OBJECT.search(content):
        raise FileFormatRefused("broken")
    trailers = content[start : start + PDF_TRAILER_BYTES] + content[-PDF_TAIL_BYTES:]
    if ENCRYPTED.search(trailers) or find_encrypted_trailer(content):
        raise FileFormatRefused("encrypted")


def find_encrypted_trailer(content: bytes) -> bool:
    """Return whether any trailer dictionary speaks of encryption: long tables keep it far from both ends."""
    at = content.find(b"trailer")
    while at >= 0:
        end = content.find(b"startxref", at)
        if ENCRYPTED.search(content, at, end if end >= 0 else len(content)):
            return True
        at = content.find(b"trailer", at + 1)
    return False


def clean_text(content: bytes) -> bytes:
    """Return the text in UTF-8 without a byte order mark, read as UTF-8 or else as CP1251.

    Raises: FileFormatRefused
    """
    text = decode_text(content).removeprefix(BYTE_ORDER_MARK)
    if TEXT_CONTROLS.search(text):
        raise FileFormatRefused("unknown")
    if not text.strip():
        raise FileFormatRefused("empty")
    return text.encode()


def decode_text(content: bytes) -> str:
    """Raises: FileFormatRefused"""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        pass
    try:
        text = content.decode("cp1251")
    except UnicodeDecodeError:
        raise FileFormatRefused("unknown") from None
    if not looks_russian(text[:SAMPLE_CHARS]):
        raise FileFormatRefused("unknown")
    return text


def looks_russian(text: str) -> bool:
    """Return whether a text that has signs beyond ASCII is Russian, and not another language read wrongly."""
    counts = {sign: count for sign, count in Counter(text).items() if not sign.isascii()}
    cyrillic = sum(count for sign, count in counts.items() if is_cyrillic(sign))
    known = cyrillic + sum(counts.get(sign, 0) for sign in RUSSIAN_SIGNS)
    mixed = sum(1 for _match in MIXED.finditer(text))
    return known >= LEAST_RUSSIAN * sum(counts.values()) and mixed <= MOST_MIXED * cyrillic


def is_cyrillic(sign: str) -> bool:
    return unicodedata.name(sign, "").startswith("CYRILLIC")
