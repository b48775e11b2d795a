"""Texts of strangers on their way to the model: memos, merchants' names, bills.

This is hygiene for fields called `…_untrusted`. What is left may still give orders; nothing relies on it not to.
"""

from accounts.folding import MEMO_LENGTH, clean_untrusted
from audit.redaction import redact_text

SUFFIX = "_untrusted"


def clean_stranger_text(text: str, limit: int = MEMO_LENGTH) -> str:
    """Return `text` in one line, nothing hidden in it, no placeholder marks, no phones or long numbers.

    limit  characters; cut before and after redaction, so that no half of a number stays
    """
    # Cleaned first, so that a hidden character cannot keep a number from being seen; more is read than is kept.
    return redact_text(clean_untrusted(text, 2 * limit))[:limit]
