"""What a file is called: a name fit to be shown, and the neutral one GigaChat gets."""

import re
import unicodedata
from uuid import UUID

from chat.files.cleaning import SUFFIXES

MAX_NAME_CHARS = 80
NOT_IN_NAMES = re.compile(r'[\\/:*?"<>|]+')
NEUTRAL_NAME = re.compile(r"(?:image|document)-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.[a-z]{3,4}")
# Control and format characters (among them those that turn the writing direction), unassigned and private ones.
INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def clean_name(given: str, media_type: str) -> str:
    """Return the customer's name of the file on one line, with the ending that its content deserves.

    At most MAX_NAME_CHARS characters; a name with nothing left in it becomes `file`.
    """
    last = re.split(r"[\\/]", unicodedata.normalize("NFC", given))[-1]
    visible = "".join(sign if unicodedata.category(sign) not in INVISIBLE else " " for sign in last)
    stem, dot, ending = " ".join(NOT_IN_NAMES.sub(" ", visible).split()).rpartition(".")
    # Only what looks like a file's ending is one: "Договор №5. Приложение" has none.
    if not (dot and re.fullmatch(r"[A-Za-z0-9]{1,5}", ending)):
        stem = f"{stem}{dot}{ending}"
    suffix = SUFFIXES[media_type]
    stem = stem.strip(" .")[: MAX_NAME_CHARS - len(suffix)].rstrip(" .")
    return f"{stem or 'file'}{suffix}"


def build_neutral_name(copy_id: UUID, media_type: str) -> str:
    """Return the name of a copy at GigaChat: it says the format and which copy it is, nothing of the customer."""
    return f"{'image' if media_type.startswith('image/') else 'document'}-{copy_id}{SUFFIXES[media_type]}"


def find_copy_id(neutral_name: str) -> UUID | None:
    """Return the copy that a neutral name is of, None for names that are not ours."""
    found = NEUTRAL_NAME.fullmatch(neutral_name)
    return UUID(found[1]) if found else None
