"""What a file is called: a name fit to be shown, and the neutral one GigaChat gets."""

import re
import unicodedata

from chat.files.cleaning import SUFFIXES

MAX_NAME_CHARS = 80
NOT_IN_NAMES = re.compile(r'[\\/:*?"<>|]+')
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


def build_neutral_name(media_type: str) -> str:
    """Return a name that says the format and nothing of the customer."""
    return f"{'image' if media_type.startswith('image/') else 'document'}{SUFFIXES[media_type]}"
