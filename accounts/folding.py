"""Text for searching and text from strangers: folded, or stripped of what hides in it. Pure."""

import re
import unicodedata

MEMO_LENGTH = 140
MERCHANT_LENGTH = 100
SEARCH_LENGTH = 400
PLACEHOLDER_MARKS = str.maketrans("", "", "⟦⟧")
# Controls, formats (zero-width, bidi), surrogates, private use, unassigned.
HIDDEN_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn"}


def fold_text(*parts: str) -> str:
    """Return `parts` as they are searched: one line, lower case, ё as е."""
    joined = " ".join(" ".join(part.split()) for part in parts if part)
    return unicodedata.normalize("NFKC", joined).casefold().replace("ё", "е")[:SEARCH_LENGTH]


def clean_untrusted(text: str, limit: int = MEMO_LENGTH) -> str:
    """Return a stranger's text without hidden characters and placeholder marks, at most `limit` characters.

    This is hygiene: what is left may still try to give orders, and is only ever shown as a quotation.
    """
    spaced = re.sub(r"\s+", " ", text)
    seen = "".join(char for char in spaced if unicodedata.category(char) not in HIDDEN_CATEGORIES)
    return seen.translate(PLACEHOLDER_MARKS).strip()[:limit]
